//! Personal data: taken out for the person, erased at their wish or after its time, and sealed with keys that change.

pub mod api;
pub mod erase;
pub mod keys;
pub mod person;
mod reseal;
pub mod retention;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;
use crate::crypto::{Crypto, b64};
use crate::error::Result;

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
    /// household, member, or retention.
    pub kind: String,
    /// `request`, or the class of retention.
    pub class: String,
    pub at: Millis,
    /// Nobody: it was its time.
    pub member: Option<Uuid>,
    pub counts: Counts,
    /// Why, in the words of who did it. Nothing where it was its time, nor in proofs of older servers.
    pub reason: Option<String>,
    /// Ed25519 over `message`, base64url.
    pub signature: String,
    pub message: String,
}

/// A proof as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Proof {
    pub subject: Uuid,
    pub kind: String,
    pub class: String,
    pub at: Millis,
    pub member: Option<Uuid>,
    pub counts: String,
    /// A JSON text that is sealed: it is somebody's free words.
    pub reason: Option<String>,
    pub signature: Vec<u8>,
}

impl Proof {
    /// # Errors
    /// When what is kept is no text of ours.
    pub fn reason(&self, crypto: &Crypto) -> Result<Option<String>> {
        let text = self.reason.as_deref().map(|kept| serde_json::from_str(&crypto.open_text(kept)));
        Ok(text.transpose()?)
    }

    /// What the server signs. The reason comes last: whatever it holds, what stands before it stays clear.
    ///
    /// # Errors
    /// As [`Self::reason`].
    pub fn message(&self, crypto: &Crypto, org: Uuid) -> Result<String> {
        let Self { subject, kind, class, at, member, counts, .. } = self;
        let member = member.map(|id| id.to_string()).unwrap_or_default();
        let message = format!("kilele-erased|{org}|{subject}|{kind}|{class}|{at}|{member}|{counts}");
        Ok(match self.reason(crypto)? {
            Some(reason) => format!("{message}|{reason}"),
            None => message,
        })
    }

    /// Whether it is this server's.
    pub fn holds(&self, crypto: &Crypto, org: Uuid) -> bool {
        self.message(crypto, org).is_ok_and(|message| crypto.verify_own(message.as_bytes(), &self.signature))
    }

    fn shown(self, crypto: &Crypto, org: Uuid) -> Result<Erasure> {
        let (message, reason) = (self.message(crypto, org)?, self.reason(crypto)?);
        let Self { subject, kind, class, at, member, counts, signature, .. } = self;
        let counts = serde_json::from_str(&counts)?;
        Ok(Erasure { subject, kind, class, at, member, counts, reason, signature: b64(&signature), message })
    }
}
