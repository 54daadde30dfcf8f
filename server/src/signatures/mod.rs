//! Signatures: the strokes, the exact statement that was shown, and a hash that two keys and a chain vouch for.

pub mod api;
mod receive;
mod verify;

use kilele_media::Ink;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use receive::receive;

use crate::clock::Millis;
use crate::error::{Error, Result};

/// What the phone sends: the exact text that was hashed and signed there.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct SignedRecord {
    /// JSON with the keys of [`Content`], in that order.
    pub record: String,
    pub sha256: String,
    #[serde(default)]
    pub key_id: Option<String>,
    /// ECDSA P-256 over the text's bytes by the device's key; raw r‖s, base64url.
    #[serde(default)]
    pub device_signature: Option<String>,
}

/// What stands in the signed text. Strokes are `[x, y, t, pressure]`: tenths of CSS pixels, milliseconds, 0–255.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    pub v: i64,
    pub id: Uuid,
    pub subject_kind: String,
    pub subject: Uuid,
    pub template: String,
    pub version: i64,
    pub language: String,
    pub statement: String,
    pub signer_name: String,
    pub signer_role: String,
    pub witness: Option<String>,
    pub signed_at: Millis,
    pub width: u32,
    pub height: u32,
    pub strokes: Vec<Vec<[i32; 4]>>,
    pub device: Uuid,
}

impl Content {
    pub fn ink(&self) -> Ink {
        Ink { width: self.width, height: self.height, strokes: self.strokes.clone() }
    }

    /// Parses the signed text.
    pub fn parse(record: &str) -> Result<Self> {
        serde_json::from_str(record).map_err(|e| Error::refused("signature_invalid", e.to_string()).field("record"))
    }
}

/// A signature as devices and the API show it; the strokes stay with the server, which draws them.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Signature {
    pub id: Uuid,
    pub subject_kind: String,
    pub subject: Uuid,
    pub signer_name: String,
    pub signer_role: String,
    pub template: String,
    pub version: i64,
    pub language: String,
    /// The exact text that was shown and agreed to.
    pub statement: String,
    pub signed_at: Millis,
    pub received_at: Millis,
    pub sha256: String,
    /// Its place in the chain of the village's signatures.
    pub sequence: i64,
    /// Ed25519, base64url.
    pub server_signature: String,
    pub superseded_by: Option<Uuid>,
    pub revision: i64,
}

/// What the server signs: the record's hash in its place in the chain.
fn counter_signed(
    org: Uuid,
    feed: Uuid,
    sequence: i64,
    id: Uuid,
    sha256: &str,
    received_at: Millis,
    previous: Option<&[u8]>,
) -> String {
    let previous = previous.map(crate::crypto::hex).unwrap_or_default();
    format!("kilele-signature|{org}|{feed}|{sequence}|{id}|{sha256}|{received_at}|{previous}")
}

/// The chain's next link.
fn link(message: &str, server_signature: &[u8]) -> [u8; 32] {
    crate::crypto::sha256(&[message.as_bytes(), server_signature].concat())
}
