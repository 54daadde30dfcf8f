//! Settings: each has a default, and one documented line in `docs/settings.md`. The program runs with none set.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Read from `KILELE_*` in the environment, else from `kilele.toml` in the working directory, else the default.
#[derive(Clone, Debug)]
pub struct Config {
    /// `KILELE_LISTEN`: address and port to serve on.
    pub listen: String,
    /// `KILELE_DATA_DIR`: where the embedded database, the pictures and the key file live.
    pub data_dir: PathBuf,
    /// `KILELE_DATABASE_URL`: `sqlite://path` or `postgres://…`.
    pub database_url: String,
    /// `KILELE_MEDIA_URL`: `file:///dir`, `s3://bucket/prefix` or `memory:`.
    pub media_url: String,
    /// `KILELE_PUBLIC_URL`: how browsers reach the server; decides links and whether cookies are Secure.
    pub public_url: String,
    /// `KILELE_TRUSTED_PROXIES`: addresses whose `X-Forwarded-For` is believed, comma separated.
    pub trusted_proxies: Vec<String>,
    /// `KILELE_VAPID_SUBJECT`: who push services may write to, a mailto: or https: address.
    pub vapid_subject: String,
    /// `KILELE_SECRET`: 32 bytes as base64url; else `secret.key` in the data folder, made at first start.
    pub secret: Option<String>,
    /// `KILELE_PUSH_LOOPBACK`: `true` also delivers pushes to http:// and to loopback; for tests only.
    pub push_loopback: bool,
    /// `KILELE_SIGN_IN_PER_MINUTE`: attempts to sign in per account and per address.
    pub sign_in_per_minute: u32,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    #[serde(flatten)]
    settings: std::collections::BTreeMap<String, toml::Value>,
}

impl Config {
    /// The settings of this process.
    ///
    /// # Errors
    /// When `kilele.toml` is there but cannot be read, or a value has the wrong form.
    pub fn load() -> Result<Self> {
        let file: File = match std::fs::read_to_string("kilele.toml") {
            Ok(text) => toml::from_str(&text).context("kilele.toml")?,
            Err(_) => File::default(),
        };
        Self::from(|name| {
            let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            std::env::var(name).ok().filter(|v| !v.is_empty()).or_else(|| file.settings.get(name).map(text))
        })
    }

    /// The settings that `get` knows by their documented names.
    pub fn from(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let data_dir = PathBuf::from(get("KILELE_DATA_DIR").unwrap_or_else(|| "./data".into()));
        let data_dir = std::path::absolute(&data_dir)?;
        let listen = get("KILELE_LISTEN").unwrap_or_else(|| "127.0.0.1:8080".into());
        let port = listen.rsplit(':').next().unwrap_or("8080").to_owned();
        let number = |name: &str, default: u32| -> Result<u32> {
            get(name).map_or(Ok(default), |v| v.parse().with_context(|| format!("{name}: not a number")))
        };
        Ok(Self {
            database_url: get("KILELE_DATABASE_URL")
                .unwrap_or_else(|| format!("sqlite://{}", data_dir.join("kilele.db").display())),
            media_url: get("KILELE_MEDIA_URL").unwrap_or_else(|| format!("file://{}", data_dir.join("media").display())),
            public_url: get("KILELE_PUBLIC_URL")
                .unwrap_or_else(|| format!("http://localhost:{port}"))
                .trim_end_matches('/')
                .into(),
            trusted_proxies: get("KILELE_TRUSTED_PROXIES")
                .map(|v| v.split(',').map(|p| p.trim().to_owned()).collect())
                .unwrap_or_default(),
            vapid_subject: get("KILELE_VAPID_SUBJECT").unwrap_or_else(|| "mailto:admin@localhost.localdomain".into()),
            secret: get("KILELE_SECRET"),
            push_loopback: get("KILELE_PUSH_LOOPBACK").as_deref() == Some("true"),
            sign_in_per_minute: number("KILELE_SIGN_IN_PER_MINUTE", 5)?,
            listen,
            data_dir,
        })
    }

    /// Whether cookies carry `Secure` and the `__Host-` prefix: over TLS, and on this very machine.
    pub fn secure_cookies(&self) -> bool {
        let host = self.public_url.strip_prefix("http://").unwrap_or_default();
        self.public_url.starts_with("https://") || host.starts_with("localhost") || host.starts_with("127.0.0.1")
    }
}
