//! Web Push: RFC 8291 encryption by `web-push`, VAPID (RFC 8292) tokens of our own, delivery over one pooled client.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use web_push::{ContentEncoding, SubscriptionInfo, WebPushMessageBuilder};

use super::outcome::{Outcome, retry_after};
use crate::app::App;
use crate::clock::{DAY, HOUR, Millis};
use crate::config::Config;
use crate::crypto::{Crypto, b64, unb64};
use crate::error::{Error, Result};
use crate::jobs::Later;

/// A token is good for twelve hours and reused for the first ten.
const TOKEN_LIFE: Millis = 12 * HOUR;
const TOKEN_REUSE: Millis = 10 * HOUR;

/// For one answer of a push service.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so many messages in a row without an answer, a service is left alone for so long.
const SILENT: u32 = 16;
const REST: Millis = 30_000;

pub struct Push {
    client: reqwest::Client,
    key: EncodingKey,
    /// The application server's public key, base64url: what browsers subscribe with.
    pub public_key: String,
    subject: String,
    loopback: bool,
    tokens: Mutex<HashMap<String, (String, Millis)>>,
    /// Of services that do not answer: how many messages in a row, and since when.
    silent: Mutex<HashMap<String, (u32, Millis)>>,
}

impl Push {
    /// The VAPID key comes from the installation's secret: made at first start, the same on every copy.
    pub fn open(config: &Config, crypto: &Crypto) -> anyhow::Result<Self> {
        let pkcs8 = p256_pkcs8(&crypto.derive("vapid"))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).context("VAPID key")?;
        if !real_subject(&config.vapid_subject) {
            tracing::warn!(
                "KILELE_VAPID_SUBJECT is no mailto: or https: address of yours; some push services refuse such pushes"
            );
        }
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self {
            client,
            key: EncodingKey::from_ec_der(&pkcs8),
            public_key: b64(pair.public_key().as_ref()),
            subject: config.vapid_subject.clone(),
            loopback: config.push_loopback,
            tokens: Mutex::default(),
            silent: Mutex::default(),
        })
    }

    /// Whether this may be a push service: https and a public name. A subscription must not make the server
    /// call into its own network.
    pub fn allows(&self, endpoint: &str) -> Result<reqwest::Url> {
        let refused = || Error::invalid("endpoint", "This is not the address of a push service.");
        let url = reqwest::Url::parse(endpoint).map_err(|_| refused())?;
        if self.loopback {
            return Ok(url);
        }
        // `localhost.` and `printer.local.` with the root's dot are the same names.
        let named = url.domain().map(|d| d.trim_end_matches('.')).is_some_and(|d| {
            d.contains('.') && ![".local", ".internal", ".localhost", ".localdomain"].iter().any(|end| d.ends_with(end))
        });
        if url.scheme() == "https" && named && url.username().is_empty() { Ok(url) } else { Err(refused()) }
    }

    /// How long a service is left alone that has not answered for a while: each try takes its time from the others.
    fn rests(&self, origin: &str, now: Millis) -> Option<Millis> {
        let silent = self.silent.lock().expect("no panic while held");
        let (times, since) = silent.get(origin)?;
        let left = since + REST - now;
        (*times >= SILENT && (1..=REST).contains(&left)).then_some(left)
    }

    fn heard(&self, origin: &str, answered: bool, now: Millis) {
        let mut silent = self.silent.lock().expect("no panic while held");
        match answered {
            true => drop(silent.remove(origin)),
            false => {
                let (times, since) = silent.entry(origin.to_owned()).or_insert((0, now));
                (*times, *since) = (times.saturating_add(1), now);
            }
        }
    }

    fn authorization(&self, origin: &str, now: Millis) -> Result<String> {
        let mut tokens = self.tokens.lock().expect("no panic while held");
        if let Some((header, made_at)) = tokens.get(origin)
            && (0..TOKEN_REUSE).contains(&(now - made_at))
        {
            return Ok(header.clone());
        }
        let claims = json!({ "aud": origin, "exp": (now + TOKEN_LIFE) / 1000, "sub": self.subject });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key).map_err(Error::unexpected)?;
        let header = format!("vapid t={token}, k={}", self.public_key);
        tokens.insert(origin.to_owned(), (header.clone(), now));
        Ok(header)
    }
}

/// Whether a push service could write there: a mailbox, or a page, at a public name.
fn real_subject(subject: &str) -> bool {
    let named = |host: &str| host.contains('.') && !host.contains("localhost") && !host.contains("localdomain");
    match subject.strip_prefix("mailto:") {
        Some(address) => super::email::parsed(address).is_some_and(|address| named(address.domain())),
        None => reqwest::Url::parse(subject).is_ok_and(|url| url.scheme() == "https" && url.domain().is_some_and(named)),
    }
}

/// A P-256 private key (any 32 bytes below the group's order, which these are but for a chance of 2^-32) as PKCS#8.
fn p256_pkcs8(seed: &[u8; 32]) -> anyhow::Result<Vec<u8>> {
    let scalar =
        aws_lc_rs::agreement::PrivateKey::from_private_key(&aws_lc_rs::agreement::ECDH_P256, seed).context("P-256 key")?;
    let public = scalar.compute_public_key().context("P-256 public key")?;
    let mut der = hex_bytes("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420");
    der.extend_from_slice(seed);
    der.extend_from_slice(&hex_bytes("a144034200"));
    der.extend_from_slice(public.as_ref());
    Ok(der)
}

fn hex_bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).filter_map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}

/// The keys of a device's subscription.
#[derive(sqlx::FromRow)]
pub struct Subscription {
    pub p256dh: String,
    pub auth: String,
}

/// How a push service is to treat a message (RFC 8030).
pub struct How<'a> {
    /// Seconds for which it is worth keeping.
    pub ttl: i64,
    pub urgency: &'a str,
    /// A newer one with the same topic takes its place.
    pub topic: Option<&'a str>,
}

#[derive(Deserialize)]
struct Wanted {
    endpoint: String,
    payload: Value,
}

/// Sends one push that is no inbox row's: a test, or what an earlier release had queued.
///
/// # Errors
/// When the database does not answer.
pub async fn job(app: &App, org: Uuid, body: &str) -> Result<Option<Later>> {
    let Wanted { endpoint, payload } = serde_json::from_str(body)?;
    let how = How { ttl: 7 * DAY / 1000, urgency: "normal", topic: None };
    Ok(match send(app, org, &endpoint, payload, how).await? {
        Outcome::Later(wait) => Some(Later(wait.unwrap_or(60_000))),
        Outcome::Resting(wait) => Some(Later(wait)),
        _ => None,
    })
}

async fn send(app: &App, org: Uuid, endpoint: &str, payload: Value, how: How<'_>) -> Result<Outcome> {
    let subscription: Option<Subscription> = app
        .db
        .query("SELECT p256dh, auth FROM push_subscription WHERE endpoint = $1 AND org = $2")
        .bind(endpoint)
        .bind(org)
        .optional()
        .await?;
    match subscription {
        Some(subscription) => hand_over(app, endpoint, &subscription, payload, how).await,
        None => Ok(Outcome::Gone),
    }
}

/// Hands one message to its push service. A subscription that is gone is removed; a service's fault is never held
/// against it.
///
/// # Errors
/// When the database does not answer.
pub async fn hand_over(
    app: &App,
    endpoint: &str,
    subscription: &Subscription,
    payload: Value,
    how: How<'_>,
) -> Result<Outcome> {
    // As it was allowed when it subscribed; the settings may be others since.
    let Ok(url) = app.push.allows(endpoint) else { return Ok(Outcome::Refused("not_allowed")) };
    let now = app.clock.now();
    let origin = url.origin().ascii_serialization();
    if let Some(wait) = app.push.rests(&origin, now) {
        return Ok(Outcome::Resting(wait));
    }
    let Some(sealed) = encrypt(endpoint, subscription, &payload) else {
        remove(app, endpoint.to_owned()).await?;
        return Ok(Outcome::Gone);
    };
    let mut request = app
        .push
        .client
        .post(url.clone())
        .header("authorization", app.push.authorization(&origin, now)?)
        .header("content-encoding", "aes128gcm")
        .header("content-type", "application/octet-stream")
        .header("ttl", how.ttl.to_string())
        .header("urgency", how.urgency)
        .body(sealed);
    if let Some(topic) = how.topic {
        request = request.header("topic", topic);
    }
    let answer = request.send().await;
    app.push.heard(&origin, answer.is_ok(), now);
    let Ok(response) = answer else {
        tracing::warn!(host = url.host_str(), "the push service does not answer");
        return Ok(Outcome::Later(None));
    };
    let outcome = outcome(&response, now);
    match outcome {
        Outcome::Gone => remove(app, endpoint.to_owned()).await?,
        Outcome::Refused(why) => {
            tracing::warn!(host = url.host_str(), status = %response.status(), why, "the push service refuses a message");
        }
        _ => {}
    }
    // Read to its end, so that the connection is free for the next.
    drop(response.bytes().await);
    Ok(outcome)
}

/// The payload for this subscription only (RFC 8291), or nothing when its keys are none.
fn encrypt(endpoint: &str, subscription: &Subscription, payload: &Value) -> Option<Vec<u8>> {
    let keys = [&subscription.p256dh, &subscription.auth].map(|key| unb64(key).map(|bytes| b64(&bytes)));
    let [Some(p256dh), Some(auth)] = keys else { return None };
    let info = SubscriptionInfo::new(endpoint, &p256dh, &auth);
    let text = payload.to_string();
    let mut message = WebPushMessageBuilder::new(&info);
    message.set_payload(ContentEncoding::Aes128Gcm, text.as_bytes());
    message.build().ok()?.payload.map(|payload| payload.content)
}

/// What an answer means.
fn outcome(response: &reqwest::Response, now: Millis) -> Outcome {
    match response.status().as_u16() {
        200..=299 => Outcome::Sent,
        404 | 410 => Outcome::Gone,
        413 => Outcome::Refused("too_large"),
        // Nobody is followed to elsewhere: a subscription says where its service is. It may be back soon.
        300..=399 | 408 | 425 | 429 | 500..=599 => Outcome::Later(retry_after(response.headers(), now)),
        _ => Outcome::Refused("refused"),
    }
}

/// Forgets a subscription that no longer exists.
async fn remove(app: &App, endpoint: String) -> Result<()> {
    let delete = "DELETE FROM push_subscription WHERE endpoint = $1";
    app.db.write(move |tx| Box::pin(tx.query(delete).bind(endpoint).run())).await.map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_mailbox_or_a_page() {
        for good in ["mailto:ops@example.org", "https://example.org/contact"] {
            assert!(real_subject(good), "{good}");
        }
        for bad in [
            "",
            "mailto:admin@localhost.localdomain",
            "mailto:ops",
            "ops@example.org",
            "http://example.org",
            "https://localhost/",
        ] {
            assert!(!real_subject(bad), "{bad}");
        }
    }

    /// RFC 8291, section 5: the key pair and the secret of its phone, and its message.
    const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const MESSAGE: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w\
                           EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    #[test]
    fn what_opens_the_message_of_the_rfc_opens_ours() {
        let [private, public, auth, message] = [PRIVATE, PUBLIC, AUTH, MESSAGE].map(|text| unb64(text).unwrap());
        let phone = ece::EcKeyComponents::new(private, public);
        let open = |sealed: &[u8]| ece::decrypt(&phone, &auth, sealed);
        assert_eq!(open(&message).unwrap(), b"When I grow up, I want to be a watermelon");
        let subscription = Subscription { p256dh: PUBLIC.to_owned(), auth: AUTH.to_owned() };
        let payload = serde_json::json!({ "kind": "visit_returned" });
        let mut sealed = encrypt("https://push.example.org/1", &subscription, &payload).unwrap();
        assert_eq!(open(&sealed).unwrap(), payload.to_string().as_bytes());
        // One bit, in the salt, the key, the text or its seal; the size of a record (16 … 19) may be larger than what there is.
        for at in (0..16).chain(20..sealed.len()) {
            sealed[at] ^= 1;
            assert!(open(&sealed).is_err(), "bit of byte {at}");
            sealed[at] ^= 1;
        }
    }
}
