//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kilele_media::{Limits, Store, Variant};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::auth::limits::Limits as Budgets;
use crate::auth::oidc::Oidc;
use crate::auth::{Backoff, Limiter, Sessions};
use crate::builds::Builds;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::Crypto;
use crate::db::Db;
use crate::health::Canary;
use crate::households;
use crate::imports;
use crate::media::{Turns, append, finish};
use crate::metrics::Metrics;
use crate::notifications::{Mail, Push, Sms};
use crate::numbers::Numbers;
use crate::outbox;
use crate::planted::Planted;
use crate::sync;
use crate::traces::Traces;

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub db: Db,
    pub clock: Clock,
    pub crypto: Arc<Crypto>,
    /// The keys that phones seal their outbox to.
    pub outbox: outbox::Keys,
    pub store: Store,
    pub sessions: Sessions,
    pub limiter: Limiter,
    pub backoff: Backoff,
    pub limits: Budgets,
    pub oidc: Oidc,
    pub numbers: Numbers,
    pub push: Push,
    /// Nothing when no mail server is set.
    pub mail: Option<Mail>,
    pub sms: Sms,
    /// Mistakes that the model test must find; none in release builds.
    pub planted: Planted,
    /// Scripts of earlier builds of the web application.
    pub builds: Builds,
    /// Wakes the job runner.
    pub jobs: Notify,
    /// Bytes of decoded pictures in memory at once, in MiB: as many as one may take.
    pub pixels: Semaphore,
    /// Pictures that are derived at once: one for each processor.
    pub decoders: Semaphore,
    /// Long pulls at once: phones that begin take turns.
    pub pulls: sync::Turns,
    /// Originals in memory at once on their way to a decoder, in MiB. Taken before `pixels`, never after.
    pub originals: Semaphore,
    /// Bytes of uploads in memory at once, in KiB.
    pub receiving: Semaphore,
    /// Uploads that are put together at once.
    pub finishing: Semaphore,
    pub turns: Turns,
    /// How far imports are.
    pub imports: imports::Running,
    /// Files that are received, read or worked on at once: each may take 200 MiB.
    pub tables: Arc<Semaphore>,
    pub canary: Canary,
    pub metrics: Metrics,
    pub traces: Traces,
    /// Where signed addresses lead, when pictures are fetched from S3 itself.
    pub media_origin: Option<String>,
    /// The cursor by which a device shows that it knows of the last restoration; `None` when there was none.
    pub restored: Option<Uuid>,
}

/// Few enough that the other connections to the database stay free.
const LONG_PULLS: usize = 2;
/// Two of the largest, or dozens as phones send them, in MiB.
const ORIGINAL_MEMORY: usize = 50;

impl App {
    /// Opens database and storage, makes what is missing.
    ///
    /// # Errors
    /// When either cannot be reached, or the settings are wrong.
    pub async fn open(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let crypto = Arc::new(Crypto::open(&config).context("KILELE_SECRET")?);
        let db = Db::open(&config, crypto.clone()).await?;
        households::store::fill_cards(&db).await.map_err(|e| anyhow::anyhow!("filling the households' cards: {e}"))?;
        let now = clock.now();
        crate::orgs::fill_statements(&db, now).await.map_err(|e| anyhow::anyhow!("adding new statements: {e}"))?;
        let store = Store::open(&config.media_url, &config.media_options).context("KILELE_MEDIA_URL")?;
        let media_origin = origin(&store, &config).await?;
        let restored = sync::restored(&db).await.map_err(|e| anyhow::anyhow!("looking for a restoration: {e}"))?;
        let push = Push::open(&config, &crypto)?;
        let (mail, sms) = (Mail::open(&config)?, Sms::open(&config)?);
        let outbox = outbox::Keys::open(&crypto)?;
        let app = Self(Arc::new(Parts {
            outbox,
            planted: Planted::default(),
            sessions: Sessions::default(),
            limiter: Limiter::new(config.sign_in_per_minute),
            backoff: Backoff::default(),
            limits: Budgets::new(&config),
            oidc: Oidc::open()?,
            numbers: Numbers::default(),
            jobs: Notify::new(),
            pixels: Semaphore::new((Limits::default().peak_bytes >> 20) as usize),
            decoders: Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
            pulls: sync::Turns::new(LONG_PULLS),
            originals: Semaphore::new(ORIGINAL_MEMORY),
            receiving: Semaphore::new(append::MEMORY),
            finishing: Semaphore::new(finish::AT_ONCE),
            turns: Turns::default(),
            imports: imports::Running::default(),
            tables: Arc::new(Semaphore::new(1)),
            canary: Canary::default(),
            metrics: Metrics::new(now),
            traces: Traces::open(&config)?,
            media_origin,
            restored,
            config,
            db,
            clock,
            crypto,
            store,
            push,
            mail,
            sms,
            builds: Builds::default(),
        }));
        crate::privacy::keys::begin(&app).await.map_err(|e| anyhow::anyhow!("making the first data key: {e}"))?;
        crate::privacy::keys::read(&app).await.map_err(|e| anyhow::anyhow!("reading the data keys: {e}"))?;
        Ok(app)
    }
}

/// Scheme, host and port of signed addresses.
async fn origin(store: &Store, config: &Config) -> anyhow::Result<Option<String>> {
    if config.media_redirect_seconds == 0 {
        return Ok(None);
    }
    let any = "0".repeat(64);
    let url = store.signed_url("origin", &any, Variant::Thumb, Duration::from_secs(1)).await;
    let url = url.context("KILELE_MEDIA_REDIRECT_SECONDS")?;
    let url = url.context("KILELE_MEDIA_REDIRECT_SECONDS needs KILELE_MEDIA_URL=s3://…")?;
    let end = url.find("://").and_then(|at| Some(at + 3 + url[at + 3..].find('/')?));
    Ok(end.map(|end| url[..end].to_owned()))
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
