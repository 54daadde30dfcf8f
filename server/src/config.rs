//! Settings: each has a default, and one documented line in `docs/settings.md`. The program runs with none set.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Read from `KILELE_*` in the environment, else from `kilele.toml`, else the default.
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
    /// `AWS_…`: keys, region, endpoint and the rest for `s3://`, by the names that all tools use.
    pub media_options: Vec<(String, String)>,
    /// `KILELE_MEDIA_REDIRECT_SECONDS`: pictures are fetched from S3 itself, by addresses that live this long; 0 is off.
    pub media_redirect_seconds: u32,
    /// `KILELE_PUBLIC_URL`: how browsers reach the server; decides links and whether cookies are Secure.
    pub public_url: String,
    /// `KILELE_TRUSTED_PROXIES`: addresses whose `X-Forwarded-For` is believed, comma separated.
    pub trusted_proxies: Vec<String>,
    /// `KILELE_VAPID_SUBJECT`: who push services may write to, a mailto: or https: address.
    pub vapid_subject: String,
    /// `KILELE_SMTP_URL`: the mail server, `smtps://user:password@host` or `smtp://host:587?tls=required`; none: no e-mails.
    pub smtp_url: Option<String>,
    /// `KILELE_MAIL_FROM`: the sender of e-mails.
    pub mail_from: String,
    /// `KILELE_SMS_URL`: a gateway for text messages; none: they are only noted in the log, by number.
    pub sms_url: Option<String>,
    /// `KILELE_SMS_TOKEN`: what the gateway knows this installation by.
    pub sms_token: Option<String>,
    /// `KILELE_SECRET`: 32 bytes as base64url; else `secret.key` in the data folder, made at first start.
    pub secret: Option<String>,
    /// `KILELE_PUSH_LOOPBACK`: `true` also delivers pushes to http:// and to loopback; for tests only.
    pub push_loopback: bool,
    /// `KILELE_LIVE_PING_SECONDS`: how often an open live line is tried; it ends after three without an answer.
    pub live_ping_seconds: u32,
    /// `KILELE_KILL_WORKER`: `true` takes the service worker off every phone; records on phones stay.
    pub kill_worker: bool,
    /// `KILELE_SIGN_IN_PER_MINUTE`: attempts to sign in per account and per address.
    pub sign_in_per_minute: u32,
    /// `KILELE_OIDC_ISSUER`: an identity provider by which people may sign in.
    pub oidc_issuer: Option<String>,
    /// `KILELE_OIDC_CLIENT_ID`: what this installation is called there.
    pub oidc_client_id: String,
    /// `KILELE_OIDC_CLIENT_SECRET`: when the provider gave one.
    pub oidc_client_secret: Option<String>,
    /// `KILELE_OIDC_NAME`: what people call the provider.
    pub oidc_name: String,
    /// `KILELE_API_PER_MINUTE`: requests of one account, and of one device; ten times that of one address. 0 is no limit.
    pub api_per_minute: u32,
    /// `KILELE_SYNC_PER_MINUTE`: the same for sync and uploads, which have a budget of their own.
    pub sync_per_minute: u32,
    /// `KILELE_REQUESTS_AT_ONCE`: requests that are worked on at once, uploads and live channels apart; what comes on top is
    /// refused with a time to come back.
    pub requests_at_once: u32,
    /// `KILELE_ORGANISATIONS`: how many organisations there may be.
    pub organisations: u32,
    /// `KILELE_MEMBERS`: how many active members an organisation may have, unless it was given a limit of its own.
    pub members: u32,
    /// `KILELE_METRICS_TOKEN`: what monitoring says to be given `/metrics`; without one only this machine is.
    pub metrics_token: Option<String>,
    /// `KILELE_BACKUP_URL`: where a backup of everything goes each day, `file:///dir` or `s3://bucket/prefix`.
    pub backup_url: Option<String>,
    /// `KILELE_BACKUP_RECIPIENTS`: to whom backups are sealed, age1…, comma separated.
    pub backup_recipients: Vec<String>,
    /// `KILELE_BACKUP_DAYS`: how long backups are kept; at least 14.
    pub backup_days: u32,
    /// `KILELE_BACKUP_HOUR`: the hour of the day (UTC) from which on the daily backup is made.
    pub backup_hour: u32,
    /// `KILELE_OTLP_URL` and `KILELE_OTLP_HEADERS`: a collector of spans; none: no other program hears of a request.
    pub otlp: Option<Otlp>,
    /// `KILELE_TILES_URL` and `KILELE_TILES_ATTRIBUTION`: pictures of the land under the map of a day; none: no other server
    /// hears of one.
    pub tiles: Option<Tiles>,
}

/// A collector that takes spans over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// The address that takes traces.
    pub url: reqwest::Url,
    /// What it knows this installation by.
    pub headers: Vec<(String, String)>,
}

impl Otlp {
    fn of(url: &str, headers: &[String]) -> Result<Self> {
        let mut url = reqwest::Url::parse(url).context("KILELE_OTLP_URL")?;
        anyhow::ensure!(
            matches!(url.scheme(), "https" | "http") && url.has_host(),
            "KILELE_OTLP_URL: an address begins with http:// or https://"
        );
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.ends_with("/v1/traces") {
            url.set_path(&format!("{path}/v1/traces"));
        }
        let header = |pair: &String| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            reqwest::header::HeaderName::try_from(name).ok()?;
            reqwest::header::HeaderValue::try_from(value).ok()?;
            Some((name.to_owned(), value.to_owned()))
        };
        let headers: Option<Vec<_>> = headers.iter().map(header).collect();
        Ok(Self { url, headers: headers.context("KILELE_OTLP_HEADERS: name=value, comma separated")? })
    }
}

/// A server that draws the land. Its pictures are asked for by browsers, so it learns which places are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiles {
    /// With `{z}`, `{x}` and `{y}`.
    pub url: String,
    /// What browsers are allowed to fetch pictures from.
    pub origin: String,
    pub attribution: String,
}

impl Tiles {
    fn of(url: String, attribution: Option<String>) -> Result<Self> {
        anyhow::ensure!(
            ["{z}", "{x}", "{y}"].iter().all(|part| url.contains(part)),
            "KILELE_TILES_URL: {{z}}, {{x}} and {{y}} stand where the numbers of a tile belong"
        );
        let parsed = reqwest::Url::parse(&url).context("KILELE_TILES_URL")?;
        anyhow::ensure!(matches!(parsed.scheme(), "https" | "http"), "KILELE_TILES_URL: an address begins with https://");
        let origin = parsed.origin().ascii_serialization();
        // One server by its name: what stands for several would open the policy for all of them.
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]/".contains(letter);
        anyhow::ensure!(
            url.starts_with(&origin) && origin.chars().all(plain),
            "KILELE_TILES_URL: one server, its name as browsers write it"
        );
        let attribution =
            attribution.context("KILELE_TILES_ATTRIBUTION: whose the pictures are must be said where they are shown")?;
        Ok(Self { url, origin, attribution })
    }
}

/// Makes a folder for what only the server reads. One that is there stays as it is.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(path: &std::path::Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(path).with_context(|| path.display().to_string())
}

/// What the S3 client understands of the environment.
const AWS: [&str; 19] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_TIMEOUT",
    "AWS_PROXY_URL",
];

/// What stands in a file, by the names of the environment.
type File = std::collections::BTreeMap<String, toml::Value>;

/// Where the package for Debian keeps the settings.
const PACKAGED: &str = "/etc/kilele/kilele.toml";

/// The file that `KILELE_CONFIG` names; else the one in the working directory, else the package's.
fn file() -> Result<File> {
    let named = std::env::var("KILELE_CONFIG").ok().filter(|path| !path.is_empty());
    let candidates = match &named {
        Some(path) => vec![path.as_str()],
        None => vec!["kilele.toml", PACKAGED],
    };
    for path in candidates {
        match std::fs::read_to_string(path) {
            Ok(text) => return parse(&text).with_context(|| path.to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                anyhow::bail!("{path} is not for this user: sudo -u kilele kilele …")
            }
            Err(error) => return Err(error).with_context(|| path.to_owned()),
        }
    }
    Ok(File::default())
}

fn parse(text: &str) -> Result<File> {
    let file: File = toml::from_str(text)?;
    let other = file.keys().find(|name| !name.starts_with("KILELE_") && !name.starts_with("AWS_"));
    anyhow::ensure!(other.is_none(), "{} is no setting: they begin with KILELE_ or AWS_", other.map_or("", |name| name));
    Ok(file)
}

impl Config {
    /// The settings of this process.
    ///
    /// # Errors
    /// When `kilele.toml` is there but cannot be read, or a value has the wrong form.
    pub fn load() -> Result<Self> {
        let file = file()?;
        Self::from(|name| {
            let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            std::env::var(name).ok().filter(|v| !v.is_empty()).or_else(|| file.get(name).map(text))
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
        let list = |name: &str| -> Vec<String> {
            let text = get(name).unwrap_or_default();
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        Ok(Self {
            database_url: get("KILELE_DATABASE_URL")
                .unwrap_or_else(|| format!("sqlite://{}", data_dir.join("kilele.db").display())),
            media_url: get("KILELE_MEDIA_URL").unwrap_or_else(|| format!("file://{}", data_dir.join("media").display())),
            media_options: AWS.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect(),
            media_redirect_seconds: match number("KILELE_MEDIA_REDIRECT_SECONDS", 0)? {
                seconds @ 0..=300 => seconds,
                _ => anyhow::bail!("KILELE_MEDIA_REDIRECT_SECONDS: at most 300"),
            },
            public_url: get("KILELE_PUBLIC_URL")
                .unwrap_or_else(|| format!("http://localhost:{port}"))
                .trim_end_matches('/')
                .into(),
            trusted_proxies: list("KILELE_TRUSTED_PROXIES"),
            vapid_subject: get("KILELE_VAPID_SUBJECT").unwrap_or_else(|| "mailto:admin@localhost.localdomain".into()),
            smtp_url: get("KILELE_SMTP_URL"),
            mail_from: get("KILELE_MAIL_FROM").unwrap_or_else(|| "Kilele <kilele@localhost.localdomain>".into()),
            sms_url: get("KILELE_SMS_URL"),
            sms_token: get("KILELE_SMS_TOKEN"),
            secret: get("KILELE_SECRET"),
            push_loopback: get("KILELE_PUSH_LOOPBACK").as_deref() == Some("true"),
            live_ping_seconds: match number("KILELE_LIVE_PING_SECONDS", 25)? {
                seconds @ 1..=300 => seconds,
                _ => anyhow::bail!("KILELE_LIVE_PING_SECONDS: 1 to 300"),
            },
            kill_worker: get("KILELE_KILL_WORKER").as_deref() == Some("true"),
            sign_in_per_minute: number("KILELE_SIGN_IN_PER_MINUTE", 5)?,
            oidc_issuer: get("KILELE_OIDC_ISSUER"),
            oidc_client_id: get("KILELE_OIDC_CLIENT_ID").unwrap_or_else(|| "kilele".into()),
            oidc_client_secret: get("KILELE_OIDC_CLIENT_SECRET"),
            oidc_name: get("KILELE_OIDC_NAME").unwrap_or_else(|| "single sign-on".into()),
            api_per_minute: number("KILELE_API_PER_MINUTE", 3_000)?,
            sync_per_minute: number("KILELE_SYNC_PER_MINUTE", 3_000)?,
            requests_at_once: number("KILELE_REQUESTS_AT_ONCE", 1_024)?.max(1),
            organisations: number("KILELE_ORGANISATIONS", 50)?,
            members: number("KILELE_MEMBERS", 200)?,
            metrics_token: get("KILELE_METRICS_TOKEN"),
            backup_url: get("KILELE_BACKUP_URL"),
            backup_recipients: list("KILELE_BACKUP_RECIPIENTS"),
            backup_days: match number("KILELE_BACKUP_DAYS", 30)? {
                days @ 14..=3_650 => days,
                _ => anyhow::bail!("KILELE_BACKUP_DAYS: at least 14"),
            },
            backup_hour: match number("KILELE_BACKUP_HOUR", 22)? {
                hour @ 0..=23 => hour,
                _ => anyhow::bail!("KILELE_BACKUP_HOUR: 0 to 23"),
            },
            otlp: match get("KILELE_OTLP_URL") {
                Some(url) => Some(Otlp::of(&url, &list("KILELE_OTLP_HEADERS"))?),
                None => None,
            },
            tiles: match get("KILELE_TILES_URL") {
                Some(url) => Some(Tiles::of(url, get("KILELE_TILES_ATTRIBUTION"))?),
                None => None,
            },
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_names_of_the_environment() {
        let file = parse("# ours\nKILELE_DATA_DIR = \"/var/lib/kilele\"\nKILELE_MEMBERS = 300\n").unwrap();
        assert_eq!(file["KILELE_DATA_DIR"].as_str(), Some("/var/lib/kilele"));
        assert_eq!(file["KILELE_MEMBERS"].to_string(), "300");
        assert!(parse("").unwrap().is_empty());
        assert!(parse("data_dir = \"x\"").unwrap_err().to_string().contains("data_dir"));
        assert!(parse("KILELE_DATA_DIR = ").is_err());
        // The one that the package brings.
        parse(include_str!("../../packaging/kilele.toml")).unwrap();
    }
}
