//! Devices: who works on which phone, how it is doing, what was captured on it and has not arrived, and its end.

pub mod api;
pub mod store;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::check;
use crate::clock::Millis;
use crate::crypto::unb64;
use crate::error::Result;
use crate::outbox::Kept;
use crate::sync::Stats;

/// One person on one device; a shared phone has a line for each of its people.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Device {
    pub id: Uuid,
    pub member: Uuid,
    pub name: String,
    /// The device that asks.
    pub current: bool,
    pub first_seen_at: Millis,
    pub last_seen_at: Millis,
    pub revoked_at: Option<Millis>,
    /// What it last said of itself, and when that changed.
    pub stats: Option<Stats>,
    pub reported_at: Option<Millis>,
    /// Captured there and not arrived, oldest first; at most 200.
    pub missing: Vec<Missing>,
    pub missing_count: i64,
    /// What it says it lost.
    pub losses: Vec<Loss>,
}

/// A picture that was taken, announced, and has not arrived.
#[derive(Object, sqlx::FromRow)]
#[oai(rename = "MissingCapture", skip_serializing_if_is_none)]
pub struct Missing {
    pub id: Uuid,
    #[oai(skip)]
    pub device: Uuid,
    #[oai(skip)]
    pub member: Uuid,
    pub slot: String,
    /// The visit or household it belongs to.
    pub subject: Uuid,
    pub bytes: i64,
    pub captured_at: Millis,
    pub announced_at: Millis,
    /// Since when the phone no longer says that it holds it.
    pub dropped_at: Option<Millis>,
}

/// A vanished database, as the device reported it when it noticed.
#[derive(Object)]
#[oai(rename = "DeviceLoss", skip_serializing_if_is_none)]
pub struct Loss {
    pub id: Uuid,
    pub noticed_at: Millis,
    pub last_sync_at: Option<Millis>,
    pub records: i64,
    pub captures: i64,
    pub drafts: i64,
    pub items: Vec<LostItem>,
}

/// Something that was on the phone and is not any more, by the name the phone still knows.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(skip_serializing_if_is_none)]
pub struct LostItem {
    /// record, capture or draft
    pub kind: String,
    /// For example "Visit – Mary Wanjiru, front".
    pub what: String,
    pub at: Option<Millis>,
}

impl LostItem {
    /// # Errors
    /// When it is no name of anything.
    fn check(&self) -> Result<()> {
        check::one_of("lost", &self.kind, &["record", "capture", "draft"])?;
        check::name("lost", &self.what)?;
        check::time("lost", self.at)
    }
}

/// The report of a vanished database in a sync request; the same `id` however often it comes.
#[derive(Clone, Object)]
pub struct Lost {
    pub id: Uuid,
    /// The device it happened on, when that is not the one that reports.
    pub device: Option<Uuid>,
    pub noticed_at: Millis,
    pub last_sync_at: Option<Millis>,
    #[oai(default)]
    pub records: i64,
    #[oai(default)]
    pub captures: i64,
    #[oai(default)]
    pub drafts: i64,
    /// At most 100.
    #[oai(default)]
    pub items: Vec<LostItem>,
    /// Names that the phone had sealed to the server while it still had them; only the reporter's own are read.
    #[oai(default)]
    pub sealed: Vec<SealedNames>,
}

/// Names of what waited on a phone: `LostItem`s as JSON, HPKE with info `kilele-names-1` and additional data
/// `1|names|org|member|device|id`.
#[derive(Clone, Object)]
pub struct SealedNames {
    /// Which of the server's keys they are sealed to.
    pub key: String,
    pub device: Uuid,
    pub id: String,
    pub enc: String,
    pub sealed: String,
}

impl SealedNames {
    /// Nothing when they are another's, or damaged: the report of the loss itself counts all the same.
    fn open(&self, app: &App, org: Uuid, member: Uuid) -> Vec<LostItem> {
        let Self { key, device, id, enc, sealed } = self;
        let aad = format!("1|names|{org}|{member}|{device}|{id}");
        let clear = unb64(enc)
            .zip(unb64(sealed))
            .and_then(|(enc, sealed)| app.outbox.open_sealed(key, &enc, "kilele-names-1", &aad, &sealed));
        clear.and_then(|clear| serde_json::from_slice(&clear).ok()).unwrap_or_default()
    }
}

/// What an administrator, a supervisor or a member may see of devices.
#[derive(Object)]
pub struct Devices {
    pub devices: Vec<Device>,
    /// Items of sealed outboxes that were put aside: for administrators, and for supervisors of who made them.
    pub kept: Vec<Kept>,
    pub server_time: Millis,
}
