//! Push and pull in one round trip: commands up, feeds down, receipts for photos.

pub mod api;
mod captures;
mod pull;

use std::collections::HashMap;

use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Millis;
use crate::commands::{Outcome, RawCommand};

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
#[derive(Clone, Object, Serialize)]
pub struct Stats {
    pub captures_waiting: Option<i64>,
    pub records_waiting: Option<i64>,
    pub storage_bytes: Option<i64>,
    pub version: Option<String>,
}

#[derive(Object)]
pub struct SyncRequest {
    pub device: Uuid,
    pub schema: i64,
    /// The revision each feed was last seen at.
    #[oai(default)]
    pub cursors: HashMap<String, i64>,
    #[oai(default)]
    pub have: Vec<Have>,
    /// At most 50.
    #[oai(default)]
    pub commands: Vec<RawCommand>,
    pub stats: Option<Stats>,
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
    /// organisation, place, person, statement, household, visit, evidence, signature, conflict or inbox
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
    pub acknowledged: Vec<Receipt>,
    /// Announced pictures whose bytes the server lacks.
    pub want: Vec<Uuid>,
    /// Pictures the server has no record of: the command that brings it did not arrive or was rejected.
    pub unknown: Vec<Uuid>,
    pub server_time: Millis,
    pub min_schema: i64,
    /// Call again at once.
    pub more: bool,
}
