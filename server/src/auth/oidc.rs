//! Signing in by an identity provider (OpenID Connect: authorisation code with PKCE). Who has no account here gets none.
//!
//! Written over jsonwebtoken, which is here already and checks with aws-lc: the usual crate would bring a second crypto
//! library with a known, unmended fault (RUSTSEC-2023-0071).

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::api::{Carry, DeviceInfo, SessionView, parse_device};
use super::{access, store};
use crate::app::App;
use crate::check;
use crate::clock::{HOUR, MINUTE, Millis, random};
use crate::config::Config;
use crate::crypto::{b64, sha256, unb64};
use crate::error::{Error, Result};

/// The provider of the settings, and what it last said of itself.
pub struct Oidc {
    client: reqwest::Client,
    known: Mutex<Option<(Millis, Provider)>>,
}

#[derive(Clone, Deserialize)]
struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    keys: Option<JwkSet>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    nonce: Option<String>,
    azp: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

/// How long a sign-in may take there.
const ATTEMPT: Millis = 10 * MINUTE;
/// How far its clock may be from ours, in milliseconds.
const LEEWAY: Millis = MINUTE;
/// The largest answer of a provider.
const LARGEST: usize = 256 << 10;
/// Signatures by the provider's private key; never by a secret both share.
const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

impl Oidc {
    pub fn open() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, known: Mutex::default() })
    }

    /// What the provider says of itself, at most an hour ago; `anew` when a token is signed by a key that is not known.
    async fn provider(&self, config: &Config, now: Millis, anew: bool) -> Result<Provider> {
        let issuer = config.oidc_issuer.as_deref().ok_or_else(|| Error::not_found("identity provider"))?;
        let mut known = self.known.lock().await;
        if let Some((at, provider)) = &*known
            && (0..if anew { MINUTE } else { HOUR }).contains(&(now - at))
        {
            return Ok(provider.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let mut provider: Provider = self.ask(self.client.get(address)).await?;
        if provider.issuer != issuer {
            return Err(away("it calls itself by another name than KILELE_OIDC_ISSUER"));
        }
        let keys: JwkSet = self.ask(self.client.get(&provider.jwks_uri)).await?;
        provider.keys = Some(keys);
        *known = Some((now, provider.clone()));
        Ok(provider)
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T> {
        let answer = request.send().await.map_err(away)?;
        if !answer.status().is_success() {
            return Err(away(format!("it answers {}", answer.status())));
        }
        if answer.content_length().is_some_and(|length| length > LARGEST as u64) {
            return Err(away("its answer is too large"));
        }
        let bytes = answer.bytes().await.map_err(away)?;
        serde_json::from_slice(&bytes).map_err(|_| away("its answer has another form"))
    }
}

fn away(why: impl std::fmt::Display) -> Error {
    tracing::warn!(%why, "identity provider");
    Error::unavailable("The identity provider does not answer as it should. Try again, or sign in with a password.")
}

fn refused() -> Error {
    Error::unauthorised("sign_in_refused", "This sign-in was not completed. Begin again.")
}

pub struct Api(pub App);

#[derive(Object)]
struct Begin {
    /// The device that signs in; it finishes too.
    device: Uuid,
}

#[derive(Object)]
struct Begun {
    /// Where the browser goes.
    url: String,
    /// What must come back; the page keeps it to compare.
    state: String,
}

#[derive(Object)]
struct Finish {
    state: String,
    code: String,
    device: DeviceInfo,
    /// Also answer the tokens in the body, for integrations without cookies.
    #[oai(default)]
    tokens: bool,
    /// Several people share this browser: the refresh token comes in the answer too.
    #[oai(default)]
    shared: bool,
}

#[OpenApi(tag = "crate::api::Tag::Sessions")]
impl Api {
    /// Begin to sign in by the identity provider
    #[oai(path = "/api/sessions/provider", method = "post", operation_id = "beginProviderSignIn")]
    async fn begin(&self, request: &Request, body: Json<Begin>) -> Result<Json<Begun>> {
        access::same_site(request)?;
        let app = &self.0;
        let now = app.clock.now();
        app.limiter.attempt(&format!("provider {}", crate::web::client_address(request, &app.config)), now)?;
        let provider = app.oidc.provider(&app.config, now, false).await?;
        let (state, nonce, verifier) = (b64(&random::<32>()), b64(&random::<32>()), b64(&random::<32>()));
        let parameters = [
            ("response_type", "code"),
            ("client_id", app.config.oidc_client_id.as_str()),
            ("redirect_uri", &redirect(&app.config)),
            ("scope", "openid email"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &b64(&sha256(verifier.as_bytes()))),
            ("code_challenge_method", "S256"),
        ];
        let url = reqwest::Url::parse_with_params(&provider.authorization_endpoint, parameters).map_err(away)?;
        let (hash, verifier, device) = (sha256(state.as_bytes()), app.crypto.seal(&verifier), body.device);
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    tx.query("DELETE FROM oidc_attempt WHERE expires_at < $1").bind(now).run().await?;
                    tx.query("INSERT INTO oidc_attempt (state_hash, nonce, verifier, device, expires_at) VALUES ($1, $2, $3, $4, $5)")
                        .bind(hash)
                        .bind(nonce)
                        .bind(verifier)
                        .bind(device)
                        .bind(now + ATTEMPT)
                        .run()
                        .await
                })
            })
            .await?;
        Ok(Json(Begun { url: url.into(), state }))
    }

    /// Finish signing in by the identity provider
    ///
    /// `state` and `code` as they came back. An account here is found by what the provider calls the person, the first
    /// time by a verified e-mail address that is its login. Who has none is refused: 401 `sign_in_unknown`.
    #[oai(path = "/api/sessions/provider/finish", method = "post", operation_id = "finishProviderSignIn")]
    async fn finish(&self, request: &Request, body: Json<Finish>) -> Result<Response<Json<SessionView>>> {
        let Finish { state, code, device, tokens, shared } = body.0;
        access::same_site(request)?;
        check::text("code", &code, 4000)?;
        let app = &self.0;
        let now = app.clock.now();
        app.limiter.attempt(&format!("provider {}", crate::web::client_address(request, &app.config)), now)?;
        let device = parse_device(device)?;
        let (hash, own) = (sha256(state.as_bytes()), device.id);
        // Whatever comes of it, this state is used up.
        let attempt: Option<(String, String, Uuid, Millis)> = app
            .db
            .write(move |tx| {
                let used = "DELETE FROM oidc_attempt WHERE state_hash = $1 RETURNING nonce, verifier, device, expires_at";
                Box::pin(tx.query(used).bind(hash).optional())
            })
            .await?;
        let (nonce, verifier, began_on, expires_at) = attempt.ok_or_else(refused)?;
        if began_on != own || expires_at <= now {
            return Err(refused());
        }
        let claims = self.claims(&code, &app.crypto.open_text(&verifier), &nonce, now).await?;
        let account = self.account(claims, now).await?;
        let unknown = || {
            Error::unauthorised(
                "sign_in_unknown",
                "There is no account here for this person. Ask an administrator for an invitation.",
            )
        };
        let member = store::membership(app, account.ok_or_else(unknown)?).await?.ok_or_else(unknown)?;
        let sessions = super::api::Api(app.clone());
        let issued = sessions.open(member, device, "session.oidc").await?;
        sessions.answer(issued, Carry::chosen(tokens, shared)).await
    }
}

impl Api {
    /// Whom the provider vouches for.
    async fn claims(&self, code: &str, verifier: &str, nonce: &str, now: Millis) -> Result<Claims> {
        let app = &self.0;
        let config = &app.config;
        let mut provider = app.oidc.provider(config, now, false).await?;
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", redirect(config)),
            ("client_id", config.oidc_client_id.clone()),
            ("code_verifier", verifier.to_owned()),
        ];
        form.extend(config.oidc_client_secret.clone().map(|secret| ("client_secret", secret)));
        let mut written = reqwest::Url::parse("http://form/").map_err(away)?;
        written.query_pairs_mut().extend_pairs(form);
        let request =
            app.oidc.client.post(&provider.token_endpoint).header("content-type", "application/x-www-form-urlencoded");
        let body = written.query().unwrap_or_default().to_owned();
        let Tokens { id_token } =
            app.oidc.ask(request.header("accept", "application/json").body(body)).await.map_err(|_| refused())?;
        let head = jsonwebtoken::decode_header(&id_token).map_err(|_| refused())?;
        if !ALGORITHMS.contains(&head.alg) {
            return Err(refused());
        }
        let find = |provider: &Provider| {
            let keys = &provider.keys.as_ref()?.keys;
            let found = match &head.kid {
                Some(kid) => keys.iter().find(|key| key.common.key_id.as_ref() == Some(kid)),
                None => keys.first().filter(|_| keys.len() == 1),
            };
            found.and_then(|key| DecodingKey::from_jwk(key).ok())
        };
        let key = match find(&provider) {
            Some(key) => key,
            None => {
                // It changed its keys.
                provider = app.oidc.provider(config, now, true).await?;
                find(&provider).ok_or_else(refused)?
            }
        };
        let mut rules = Validation::new(head.alg);
        rules.set_audience(&[&config.oidc_client_id]);
        rules.set_issuer(&[&provider.issuer]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // Checked below against the clock that was handed in.
        rules.validate_exp = false;
        let claims: Claims = jsonwebtoken::decode(&id_token, &key, &rules).map_err(|_| refused())?.claims;
        let ours = claims.azp.as_ref().is_none_or(|azp| *azp == config.oidc_client_id);
        let fresh = claims.exp.saturating_mul(1000) + LEEWAY > now;
        if claims.nonce.as_deref() == Some(nonce) && ours && fresh && unb64(nonce).is_some() {
            Ok(claims)
        } else {
            Err(refused())
        }
    }

    /// The account that belongs to this person, found again by the provider's own word for them.
    async fn account(&self, claims: Claims, now: Millis) -> Result<Option<Uuid>> {
        let issuer = self.0.config.oidc_issuer.clone().unwrap_or_default();
        let email = claims.email.filter(|_| claims.email_verified).map(|email| email.trim().to_lowercase());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let known: Option<(Uuid,)> = tx
                        .query("SELECT account FROM oidc_identity WHERE issuer = $1 AND subject = $2")
                        .bind(issuer.as_str())
                        .bind(claims.sub.as_str())
                        .optional()
                        .await?;
                    if known.is_some() {
                        return Ok(known.map(|(account,)| account));
                    }
                    let named: Option<(Uuid,)> =
                        tx.query("SELECT id FROM account WHERE login = $1").bind(email).optional().await?;
                    if let Some((account,)) = named {
                        tx.query("INSERT INTO oidc_identity (issuer, subject, account, since) VALUES ($1, $2, $3, $4)")
                            .bind(issuer)
                            .bind(claims.sub)
                            .bind(account)
                            .bind(now)
                            .run()
                            .await?;
                    }
                    Ok(named.map(|(account,)| account))
                })
            })
            .await
    }
}

/// Where the provider sends the browser back to.
fn redirect(config: &Config) -> String {
    format!("{}/sign-in/provider", config.public_url)
}
