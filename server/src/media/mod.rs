//! Evidence: photos and documents, from the phone's announcement to the derivatives that screens show.

pub mod again;
mod answers;
pub mod api;
pub mod append;
mod derive;
pub mod evidence;
pub mod finish;
pub mod gc;
mod likeness;
mod pictures;
pub mod protocol;
mod turns;
pub mod tus;
pub mod verify;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use derive::run as derive_job;
pub use turns::Turns;

use crate::clock::Millis;

/// On the server: announced → received (hash equal) → ready | quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "EvidenceState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Announced,
    Received,
    Ready,
    Quarantined,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Received => "received",
            Self::Ready => "ready",
            Self::Quarantined => "quarantined",
        }
    }
}

pub const SLOTS: &[&str] = &["front", "back", "subject", "site", "id_front", "id_back", "receipt", "document", "signature"];
/// The largest file the server takes, in bytes.
pub const LARGEST: i64 = 25 * 1024 * 1024;

/// What a phone says of a picture it holds. `sha256` in lower-case hex is of exactly the bytes it will send.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Capture {
    pub id: Uuid,
    pub slot: String,
    pub mime: String,
    pub bytes: i64,
    pub sha256: String,
    pub width: i64,
    pub height: i64,
    pub captured_at: Millis,
    #[serde(default)]
    pub lat: Option<f64>,
    #[serde(default)]
    pub lon: Option<f64>,
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// The evidence this one is taken instead of.
    #[serde(default)]
    pub supersedes: Option<Uuid>,
}

/// An earlier picture of the same village that a picture looks like.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct LooksLike {
    pub evidence: Uuid,
    pub household: Option<Uuid>,
    pub captured_at: Millis,
    /// In how many of 64 bits the two differ: 0 for the same picture.
    pub bits: i64,
}

/// Evidence as devices and the API show it. Superseded, never overwritten.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Evidence {
    pub id: Uuid,
    /// visit, household, enrolment or survey
    pub subject_kind: String,
    pub subject: Uuid,
    pub slot: String,
    pub mime: String,
    pub bytes: i64,
    pub sha256: String,
    /// Pixels of the largest size that is shown; until it is derived, what the phone said.
    pub width: i64,
    pub height: i64,
    /// Pixels of the picture as it came, upright, when they are more than those. Its length is `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub original_width: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub original_height: Option<i64>,
    pub captured_at: Millis,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub accuracy_m: Option<f64>,
    pub device: Uuid,
    pub captured_by: Uuid,
    pub state: State,
    /// Why it is quarantined: not_a_picture, truncated, too_large, bomb, unsupported, heic (kept for later), polyglot.
    pub reason: Option<String>,
    pub received_at: Option<Millis>,
    pub supersedes: Option<Uuid>,
    pub superseded_by: Option<Uuid>,
    /// ThumbHash, base64.
    pub placeholder: Option<String>,
    /// 0 bright … 1 dark: a hint to a person, never a verdict.
    pub darkness: Option<f64>,
    /// Variance of the Laplacian; small is blurred. A hint to a person, never a verdict.
    pub sharpness: Option<f64>,
    /// A picture of another visit or household that looks the same: a hint to a person, never a verdict.
    #[serde(default)]
    pub looks_like: Option<LooksLike>,
    pub updated_at: Millis,
    pub revision: i64,
}
