//! Access tokens (15 minutes, JWT) and refresh tokens (90 days, rotating, bound to a device).
//!
//! A session row is a family of refresh tokens. The token before the newest is still taken while the newest has
//! not been used: then the answer that carried it was lost, and nothing is wrong. Once the newest was used, the
//! older one is in a second pair of hands: the whole family ends.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use poem::Request;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Member, store};
use crate::app::App;
use crate::clock::{DAY, MINUTE, Millis, random};
use crate::config::Config;
use crate::crypto::{b64, sha256, unb64};
use crate::error::{Error, Result};

pub const ACCESS_COOKIE: &str = "__Host-kilele_access";
pub const REFRESH_COOKIE: &str = "__Host-kilele_refresh";
pub const ACCESS_LIFE: Millis = 15 * MINUTE;
pub const REFRESH_LIFE: Millis = 90 * DAY;
/// How long a member read from the database is believed: a revoked session ends within this time on every copy.
const BELIEVED: Millis = 5_000;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The session.
    sub: Uuid,
    /// Which refresh token of the family this access token came with.
    generation: i64,
    /// Seconds since 1970.
    exp: i64,
}

/// Members by session, believed for a few seconds, so that a request costs no look-up.
#[derive(Default)]
pub struct Sessions {
    known: Mutex<HashMap<(Uuid, i64), Known>>,
}

/// A member and when they were read.
type Known = (Arc<Member>, Millis);

impl Sessions {
    pub fn forget(&self, session: Uuid) {
        self.known.lock().expect("no panic while held").retain(|(id, _), _| *id != session);
    }
}

impl Sessions {
    /// After roles or modules changed: everybody is read anew.
    pub fn forget_all(&self) {
        self.known.lock().expect("no panic while held").clear();
    }
}

/// A refresh token and the hash that is kept of it.
pub fn new_refresh() -> (String, Vec<u8>) {
    let secret: [u8; 32] = random();
    (b64(&secret), sha256(&secret).to_vec())
}

/// What a refresh token is looked up by; `None` when it cannot be one.
pub fn refresh_hash(token: &str) -> Option<Vec<u8>> {
    unb64(token).filter(|t| t.len() == 32).map(|t| sha256(&t).to_vec())
}

/// What a device signs to renew its session: made from the token that is offered, so that a proof is good for that token
/// alone, and for one renewal. It tells nothing of the token.
pub fn challenge(hash: &[u8]) -> String {
    b64(&sha256(&[b"kilele-refresh-challenge", hash].concat()))
}

/// A signed access token and when it expires (milliseconds).
pub fn issue(app: &App, session: Uuid, generation: i64) -> Result<(String, Millis)> {
    let expires = app.clock.now() + ACCESS_LIFE;
    let claims = Claims { sub: session, generation, exp: expires / 1000 };
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&app.crypto.tokens))
        .map_err(Error::unexpected)?;
    Ok((token, expires))
}

/// The member behind an access token.
///
/// # Errors
/// 401 `token_invalid`, `token_expired` or `session_ended`.
pub async fn member(app: &App, token: &str) -> Result<Arc<Member>> {
    static RULES: LazyLock<Validation> = LazyLock::new(|| {
        let mut rules = Validation::new(Algorithm::HS256);
        // Checked below against the clock that was handed in.
        rules.validate_exp = false;
        rules
    });
    let key = DecodingKey::from_secret(&app.crypto.tokens);
    let claims: Claims = jsonwebtoken::decode(token, &key, &RULES)
        .map_err(|_| Error::unauthorised("token_invalid", "This access token is not valid."))?
        .claims;
    let now = app.clock.now();
    if claims.exp * 1000 <= now {
        return Err(Error::unauthorised("token_expired", "The access token has expired; refresh it."));
    }
    let key = (claims.sub, claims.generation);
    let known = app.sessions.known.lock().expect("no panic while held").get(&key).cloned();
    if let Some((member, read_at)) = known
        && (0..BELIEVED).contains(&(now - read_at))
    {
        return Ok(member);
    }
    let member = Arc::new(store::confirm(app, claims.sub, claims.generation).await?);
    let mut known = app.sessions.known.lock().expect("no panic while held");
    if known.len() > 20_000 {
        known.retain(|_, (_, read_at)| now - *read_at < BELIEVED);
    }
    known.insert(key, (Arc::clone(&member), now));
    Ok(member)
}

/// The name a cookie has under these settings: the `__Host-` prefix needs a secure origin.
fn cookie_name<'a>(name: &'a str, config: &Config) -> &'a str {
    if config.secure_cookies() { name } else { name.trim_start_matches("__Host-") }
}

pub fn cookie(request: &Request, name: &str, config: &Config) -> Option<String> {
    let name = cookie_name(name, config);
    let pairs = request.headers().get_all("cookie").iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v.to_owned())
}

/// `Set-Cookie` for a token; an empty token removes the cookie.
pub fn set_cookie(name: &str, token: &str, config: &Config) -> String {
    let secure = if config.secure_cookies() { "; Secure" } else { "" };
    let age = if token.is_empty() { 0 } else { REFRESH_LIFE / 1000 };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", cookie_name(name, config))
}
