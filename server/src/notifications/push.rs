//! Web Push: RFC 8291 encryption by `web-push`, VAPID (RFC 8292) tokens of our own, delivery over one pooled client.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use poem::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use web_push::{ContentEncoding, SubscriptionInfo, WebPushMessageBuilder};

use crate::app::App;
use crate::clock::{DAY, HOUR, Millis};
use crate::config::Config;
use crate::crypto::{Crypto, b64, unb64};
use crate::error::{Error, Result};
use crate::jobs::Later;

/// A token is good for twelve hours and reused for the first ten.
const TOKEN_LIFE: Millis = 12 * HOUR;
const TOKEN_REUSE: Millis = 10 * HOUR;

pub struct Push {
    client: reqwest::Client,
    key: EncodingKey,
    /// The application server's public key, base64url: what browsers subscribe with.
    pub public_key: String,
    subject: String,
    loopback: bool,
    tokens: Mutex<HashMap<String, (String, Millis)>>,
}

impl Push {
    /// The VAPID key comes from the installation's secret: made at first start, the same on every copy.
    pub fn open(config: &Config, crypto: &Crypto) -> anyhow::Result<Self> {
        let pkcs8 = p256_pkcs8(&crypto.derive("vapid"))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).context("VAPID key")?;
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            key: EncodingKey::from_ec_der(&pkcs8),
            public_key: b64(pair.public_key().as_ref()),
            subject: config.vapid_subject.clone(),
            loopback: config.push_loopback,
            tokens: Mutex::default(),
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

    fn authorization(&self, url: &reqwest::Url, now: Millis) -> Result<String> {
        let origin = url.origin().ascii_serialization();
        let mut tokens = self.tokens.lock().expect("no panic while held");
        if let Some((header, made_at)) = tokens.get(&origin)
            && (0..TOKEN_REUSE).contains(&(now - made_at))
        {
            return Ok(header.clone());
        }
        let claims = json!({ "aud": origin, "exp": (now + TOKEN_LIFE) / 1000, "sub": self.subject });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key).map_err(Error::unexpected)?;
        let header = format!("vapid t={token}, k={}", self.public_key);
        tokens.insert(origin, (header.clone(), now));
        Ok(header)
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

#[derive(Deserialize)]
struct Wanted {
    endpoint: String,
    payload: Value,
}

#[derive(sqlx::FromRow)]
struct Subscription {
    p256dh: String,
    auth: String,
    language: String,
}

/// Delivers one push. A subscription that is gone is removed; a service's fault is never held against it.
pub async fn job(app: &App, org: Uuid, body: &str) -> Result<Option<Later>> {
    let Wanted { endpoint, mut payload } = serde_json::from_str(body)?;
    let subscription: Option<Subscription> = app
        .db
        .query("SELECT p256dh, auth, language FROM push_subscription WHERE endpoint = $1 AND org = $2")
        .bind(endpoint.clone())
        .bind(org)
        .optional()
        .await?;
    let Some(subscription) = subscription else { return Ok(None) };
    payload["language"] = subscription.language.clone().into();
    let url = app.push.allows(&endpoint)?;
    let Some(sealed) = encrypt(&endpoint, &subscription, &payload) else {
        remove(app, endpoint).await?;
        return Ok(None);
    };
    let request = app
        .push
        .client
        .post(url.clone())
        .header("authorization", app.push.authorization(&url, app.clock.now())?)
        .header("content-encoding", "aes128gcm")
        .header("content-type", "application/octet-stream")
        .header("ttl", (7 * DAY / 1000).to_string())
        .header("urgency", "normal")
        .body(sealed);
    let Ok(response) = request.send().await else {
        tracing::warn!(host = url.host_str(), "the push service does not answer");
        return Ok(Some(Later(30_000)));
    };
    outcome(app, endpoint, &response).await
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

async fn outcome(app: &App, endpoint: String, response: &reqwest::Response) -> Result<Option<Later>> {
    let wait = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<i64>().ok());
    match StatusCode::from_u16(response.status().as_u16()).unwrap_or_default() {
        status if status.is_success() => Ok(None),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            remove(app, endpoint).await?;
            Ok(None)
        }
        StatusCode::TOO_MANY_REQUESTS => Ok(Some(Later(wait.unwrap_or(60).clamp(1, 3600) * 1000))),
        status if status.is_server_error() => Ok(Some(Later(wait.unwrap_or(30).clamp(1, 3600) * 1000))),
        status => {
            tracing::warn!(%status, "the push service refuses this message");
            Ok(None)
        }
    }
}

/// Forgets a subscription that no longer exists.
pub async fn remove(app: &App, endpoint: String) -> Result<()> {
    let delete = "DELETE FROM push_subscription WHERE endpoint = $1";
    app.db.write(move |tx| Box::pin(tx.query(delete).bind(endpoint).run())).await.map(drop)
}
