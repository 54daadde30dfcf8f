//! Text messages: handed to an HTTP gateway; without one, only noted in the log, by number.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use uuid::Uuid;

use super::outcome::{Outcome, retry_after};
use crate::clock::Millis;
use crate::config::Config;

pub enum Sms {
    /// Nobody carries them: the log says that there was one, and not to whom or what.
    Console,
    Gateway {
        client: reqwest::Client,
        url: reqwest::Url,
        token: Option<String>,
    },
}

impl Sms {
    /// # Errors
    /// When the setting is no address.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(url) = &config.sms_url else { return Ok(Self::Console) };
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = reqwest::Url::parse(url).context("KILELE_SMS_URL")?;
        anyhow::ensure!(matches!(url.scheme(), "https" | "http"), "KILELE_SMS_URL: https://…");
        Ok(Self::Gateway { client, url, token: config.sms_token.clone() })
    }

    /// `id` is the same each time it is tried: a gateway may know it again.
    pub async fn send(&self, id: Uuid, to: &str, text: &str, now: Millis) -> Outcome {
        let (client, url, token) = match self {
            Self::Console => {
                tracing::info!(%id, "a text message stays here: no gateway is set (KILELE_SMS_URL)");
                return Outcome::Noted;
            }
            Self::Gateway { client, url, token } => (client, url, token),
        };
        let body = json!({ "id": id, "to": to, "text": text }).to_string();
        let mut request = client.post(url.clone()).header("content-type", "application/json").body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let Ok(response) = request.send().await else {
            tracing::warn!(%id, "the gateway for text messages does not answer");
            return Outcome::Later(None);
        };
        let status = response.status();
        if status.is_success() {
            return Outcome::Sent;
        }
        tracing::warn!(%id, %status, "the gateway does not take a text message");
        match status.as_u16() {
            400 | 404 | 410 | 422 => Outcome::Refused("refused"),
            // A key that is wrong today, a limit, a fault: somebody will see to it.
            _ => Outcome::Later(retry_after(response.headers(), now)),
        }
    }
}
