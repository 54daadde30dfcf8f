//! Push and pull in one round trip: commands up, feeds down, receipts for photos.

pub mod api;
mod captures;
mod entry;
mod first;
mod pull;
mod report;
mod restored;
mod turns;

pub use restored::restored;
pub use turns::Turns;

use std::collections::HashMap;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;
use crate::commands::{Outcome, RawCommand};
use crate::devices::Lost;
use crate::outbox::OutboxKey;

/// The newest shape of commands, and the oldest that is still taken.
pub const SCHEMA: i64 = 1;
pub const MIN_SCHEMA: i64 = 1;

/// A picture on the phone whose receipt it does not have yet.
#[derive(Clone, Object)]
pub struct Have {
    pub id: Uuid,
    pub sha256: String,
    pub bytes: i64,
    pub slot: String,
    pub subject_kind: String,
    pub subject: Uuid,
    pub captured_at: Millis,
}

/// How the phone is doing; shown to supervisors and administrators.
#[derive(Clone, Default, Object, Serialize, Deserialize)]
#[oai(skip_serializing_if_is_none)]
#[serde(default)]
pub struct Stats {
    pub captures_waiting: Option<i64>,
    pub records_waiting: Option<i64>,
    /// Bytes of the pictures that wait.
    pub storage_bytes: Option<i64>,
    pub version: Option<String>,
    /// Bytes that the app uses on the phone, and may use; kept in whole MiB.
    pub storage_used: Option<i64>,
    pub storage_quota: Option<i64>,
    /// Whether the browser promised to keep the data.
    pub persisted: Option<bool>,
    /// When the oldest command that waits was made.
    pub oldest_waiting_at: Option<Millis>,
    /// Milliseconds to add to the phone's time to get the server's, as the last answer showed it.
    pub clock_offset: Option<i64>,
}

#[derive(Object)]
pub struct SyncRequest {
    pub device: Uuid,
    pub schema: i64,
    /// The revision each feed was last seen at. A role that does not show every kind of record adds a cursor of its own,
    /// so that a device begins anew when that changes.
    #[oai(default)]
    pub cursors: HashMap<String, i64>,
    #[oai(default)]
    pub have: Vec<Have>,
    /// At most 50.
    #[oai(default)]
    pub commands: Vec<RawCommand>,
    pub stats: Option<Stats>,
    /// A database that vanished from the device: what it says was lost.
    #[oai(default)]
    pub lost: Vec<Lost>,
}

/// A receipt: the phone may free exactly these bytes.
#[derive(Clone, Object, Serialize)]
pub struct Receipt {
    pub id: Uuid,
    pub sha256: String,
    pub bytes: i64,
    pub stored_at: Millis,
}

/// One record of a feed; `deleted` entries have no body.
#[derive(Object)]
pub struct Entry {
    /// organisation, place, person, statement, programme, cycle, household, assessment, enrolment, group, survey, visit, evidence, signature, conflict or inbox
    pub kind: String,
    pub id: Uuid,
    pub deleted: Option<bool>,
    pub body: Option<serde_json::Value>,
}

/// What is new in a feed up to `revision`; `more` when there is more behind it.
#[derive(Object)]
pub struct FeedNews {
    pub entries: Vec<Entry>,
    pub revision: i64,
    pub more: bool,
}

#[derive(Object)]
pub struct SyncAnswer {
    pub results: Vec<Outcome>,
    pub feeds: HashMap<String, FeedNews>,
    /// Feeds the device no longer follows: its rows go, unsent work stays.
    pub gone: Vec<String>,
    /// Feeds whose cursor is beyond what the server has (it was restored from a backup): the device drops its rows of
    /// these feeds, but for unsent work, before it takes the entries of this answer.
    pub reset: Vec<String>,
    pub acknowledged: Vec<Receipt>,
    /// Announced pictures whose bytes the server lacks.
    pub want: Vec<Uuid>,
    /// Pictures the server has no record of: the command that brings it did not arrive or was rejected.
    pub unknown: Vec<Uuid>,
    pub server_time: Millis,
    pub min_schema: i64,
    /// `update_required` when `schema` is below `min_schema`: commands and captures were taken, nothing was pulled.
    pub code: Option<String>,
    /// What the phone seals its outbox to.
    pub outbox_key: OutboxKey,
    /// Call again at once.
    pub more: bool,
}
