//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use anyhow::Context;
use kilele_media::Store;
use tokio::sync::{Notify, Semaphore};

use crate::auth::{Limiter, Sessions};
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::Crypto;
use crate::db::Db;
use crate::notifications::Push;
use crate::numbers::Numbers;

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub db: Db,
    pub clock: Clock,
    pub crypto: Crypto,
    pub store: Store,
    pub sessions: Sessions,
    pub limiter: Limiter,
    pub numbers: Numbers,
    pub push: Push,
    /// Wakes the job runner.
    pub jobs: Notify,
    /// Bytes of decoded pictures in memory at once, in MiB.
    pub pixels: Semaphore,
}

/// What all decoders together may hold, in MiB.
const PIXEL_MEMORY: usize = 160;

impl App {
    /// Opens database and storage, makes what is missing.
    ///
    /// # Errors
    /// When either cannot be reached, or the settings are wrong.
    pub async fn open(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let crypto = Crypto::open(&config).context("KILELE_SECRET")?;
        let db = Db::open(&config).await?;
        let store = Store::open(&config.media_url).context("KILELE_MEDIA_URL")?;
        let push = Push::open(&config, &crypto)?;
        Ok(Self(Arc::new(Parts {
            sessions: Sessions::default(),
            limiter: Limiter::new(config.sign_in_per_minute),
            numbers: Numbers::default(),
            jobs: Notify::new(),
            pixels: Semaphore::new(PIXEL_MEMORY),
            config,
            db,
            clock,
            crypto,
            store,
            push,
        })))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
