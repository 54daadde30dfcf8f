//! Consents: what a household agreed to with a signature, and when it withdrew it. The history is appended, never rewritten.

mod commands;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::{give, withdraw, withdraw_by_household};

use crate::clock::Millis;
use crate::media::Capture;
use crate::signatures::SignedRecord;

/// The statement that is signed for it.
pub const STATEMENT: &str = "consent";
/// What a consent may be for: that the household's data is kept and used for the programme.
pub const PURPOSES: &[&str] = &["programme"];
/// The slot of a thumb mark's picture, which stands for a drawn signature.
pub const THUMB_SLOT: &str = "document";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ConsentEvent {
    Given,
    Withdrawn,
}

impl ConsentEvent {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One step of a household's consents.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct ConsentStep {
    /// The consent; of a withdrawal, the one that it ends.
    pub id: Uuid,
    pub event: ConsentEvent,
    pub purpose: String,
    /// The text that was read out: its version and language.
    pub version: Option<i64>,
    pub language: Option<String>,
    pub signature: Option<Uuid>,
    /// The picture of a thumb mark, where nobody signed.
    pub picture: Option<Uuid>,
    pub by: Uuid,
    /// The device's time.
    pub at: Millis,
    /// Why it was withdrawn.
    pub reason: String,
}

/// `consent.give`: signed, or with the picture of a thumb mark in the slot `document`; then `version` and `language` say
/// which text was read out.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "GiveConsent")]
pub struct Give {
    pub id: Uuid,
    pub household: Uuid,
    pub purpose: String,
    #[serde(default)]
    pub evidence: Vec<Capture>,
    #[serde(default)]
    pub signature: Option<SignedRecord>,
    #[serde(default)]
    pub version: Option<i64>,
    #[serde(default)]
    pub language: Option<String>,
}

/// `consent.withdraw`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "WithdrawConsent")]
pub struct Withdraw {
    pub household: Uuid,
    pub reason: String,
}
