//! Personal data: taken out for the person, erased at their wish or after its time, and sealed with keys that change.

pub mod api;
pub mod erase;
pub mod keys;
pub mod retention;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;
use crate::crypto::Crypto;

/// What an erasure removed, counted; signed, so that it can be shown as proof.
#[derive(Clone, Debug, Default, Object, Serialize, Deserialize)]
#[serde(default)]
#[oai(rename = "ErasedCounts")]
pub struct Counts {
    pub records: i64,
    pub pictures: i64,
    pub signatures: i64,
    /// Audit events of which only the hash is left.
    pub events: i64,
}

/// Proof that something was erased: by whom, when, and the server's signature over it.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Erasure {
    pub subject: Uuid,
    /// household, or retention.
    pub kind: String,
    /// `request`, or the class of retention.
    pub class: String,
    pub at: Millis,
    /// Nobody: it was its time.
    pub member: Option<Uuid>,
    pub counts: Counts,
    /// Ed25519 over `message`, base64url.
    pub signature: String,
    pub message: String,
}

/// What the server signs of an erasure.
pub fn message(org: Uuid, subject: Uuid, kind: &str, class: &str, at: Millis, member: Option<Uuid>, counts: &str) -> String {
    let member = member.map(|id| id.to_string()).unwrap_or_default();
    format!("kilele-erased|{org}|{subject}|{kind}|{class}|{at}|{member}|{counts}")
}

/// Whether a kept proof is this server's.
pub fn proves(crypto: &Crypto, message: &str, signature: &[u8]) -> bool {
    crypto.verify_own(message.as_bytes(), signature)
}
