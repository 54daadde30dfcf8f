//! Signatures: the strokes, the exact statement that was shown, and a hash that two keys and a chain vouch for.

pub mod api;
pub mod kept;
mod receive;
pub mod verify;

use kilele_media::Ink;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use receive::receive;

use crate::clock::Millis;
use crate::crypto::{self, hex};
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
    /// For which household, where several sign one record. Absent, not null, where it is not said: texts from before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Uuid>,
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
        let invalid =
            |_| Error::refused("signature_invalid", "The record does not have the form of a signature.").field("record");
        serde_json::from_str(record).map_err(invalid)
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
    /// Of a grant and its receipts: for which household; absent when the phone that took it did not say.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Uuid>,
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

impl Signature {
    /// Whether somebody signed for this household. Signatures from before say it only by the head's name.
    pub fn is_for(&self, household: Uuid, head_name: &str) -> bool {
        self.household.map_or(self.signer_name == head_name, |one| one == household)
    }

    /// Whether both are of one signer: of one household, or, while one of them does not say for which, of one name.
    fn same_signer(&self, other: &Self) -> bool {
        match (self.household, other.household) {
            (Some(one), Some(another)) => one == another,
            _ => self.signer_name == other.signer_name,
        }
    }
}

/// What the server signs: a record's hash and the device's word for it, in its place in the chain.
struct CounterSigned<'a> {
    org: Uuid,
    feed: Uuid,
    sequence: i64,
    id: Uuid,
    sha256: &'a str,
    /// Key and signature: neither can be taken away or replaced later.
    device: Option<(&'a [u8], &'a [u8])>,
    received_at: Millis,
    previous: Option<&'a [u8]>,
}

impl CounterSigned<'_> {
    fn message(&self) -> String {
        let Self { org, feed, sequence, id, sha256, received_at, .. } = self;
        let device =
            self.device.map(|(key, signature)| hex(&crypto::sha256(&[key, signature].concat()))).unwrap_or_default();
        let previous = self.previous.map(hex).unwrap_or_default();
        format!("kilele-signature|{org}|{feed}|{sequence}|{id}|{sha256}|{device}|{received_at}|{previous}")
    }
}

/// The chain's next link.
fn link(message: &str, server_signature: &[u8]) -> [u8; 32] {
    crypto::sha256(&[message.as_bytes(), server_signature].concat())
}
