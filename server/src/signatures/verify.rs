//! Proving a signature years later: text, strokes, hash, both keys and the chain.

use poem_openapi::Object;
use uuid::Uuid;

use super::{Content, CounterSigned, kept, link};
use crate::app::App;
use crate::clock::Millis;
use crate::crypto::{hex, sha256, verify_device};
use crate::error::{Error, Result};

#[derive(sqlx::FromRow)]
pub struct Kept {
    pub id: Uuid,
    pub feed: Uuid,
    pub sequence: i64,
    /// As it is kept; see [`Kept::text`].
    record: Vec<u8>,
    pub sha256: String,
    pub device_key: Option<Vec<u8>>,
    pub device_signature: Option<Vec<u8>>,
    pub previous: Option<Vec<u8>>,
    pub server_signature: Vec<u8>,
    pub received_at: Millis,
}

impl Kept {
    /// The text that was signed, to the byte.
    pub fn text(&self) -> Result<String> {
        kept::open(&self.record)
    }
}

/// One thing that was checked.
#[derive(Object)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}

/// Whether everything fits, and what was looked at.
#[derive(Object)]
pub struct Verification {
    pub valid: bool,
    pub checks: Vec<Check>,
}

pub async fn kept(app: &App, org: Uuid, id: Uuid) -> Result<Kept> {
    app.db
        .query(
            "SELECT id, feed, sequence, record, sha256, device_key, device_signature, previous, server_signature, received_at
             FROM signature WHERE org = $1 AND id = $2",
        )
        .bind(org)
        .bind(id)
        .optional()
        .await?
        .ok_or_else(|| Error::not_found("signature"))
}

pub async fn verify(app: &App, org: Uuid, id: Uuid) -> Result<Verification> {
    let kept = kept(app, org, id).await?;
    let mut checks = Vec::new();
    let mut check = |name: &str, ok: bool, detail: &str| checks.push(Check { name: name.into(), ok, detail: detail.into() });
    // A record that cannot be read is one that nobody signed.
    let text = kept.text().unwrap_or_default();
    let content = Content::parse(&text);
    check("record", content.as_ref().is_ok_and(|c| c.id == id), "the record can be read and names this signature");
    check("hash", hex(&sha256(text.as_bytes())) == kept.sha256, "the text and strokes are the ones that were signed");
    check("ink", content.is_ok_and(|c| !c.ink().is_trivial()), "there are strokes of a signature");
    match (&kept.device_key, &kept.device_signature) {
        (Some(key), Some(signature)) => {
            check("device", verify_device(key, text.as_bytes(), signature), "the device's key signed this record");
        }
        _ => check("device", true, "the device had no key; only the server's signature vouches"),
    }
    let message = signed_message(org, &kept);
    let own = app.crypto.verify_own(message.as_bytes(), &kept.server_signature);
    check("server", own, "this server counter-signed the hash, its place and its time");
    check("chain", chained(app, org, &kept).await?, "the signatures before and after it are in place");
    Ok(Verification { valid: checks.iter().all(|c| c.ok), checks })
}

fn signed_message(org: Uuid, kept: &Kept) -> String {
    CounterSigned {
        org,
        feed: kept.feed,
        sequence: kept.sequence,
        id: kept.id,
        sha256: &kept.sha256,
        device: kept.device_key.as_deref().zip(kept.device_signature.as_deref()),
        received_at: kept.received_at,
        previous: kept.previous.as_deref(),
    }
    .message()
}

/// The one before leads here, and from here it leads to the one after (or to the feed's head).
async fn chained(app: &App, org: Uuid, kept: &Kept) -> Result<bool> {
    let neighbours: Vec<Kept> = app
        .db
        .query(
            "SELECT id, feed, sequence, record, sha256, device_key, device_signature, previous, server_signature, received_at
             FROM signature WHERE org = $1 AND feed = $2 AND sequence IN ($3, $4) ORDER BY sequence",
        )
        .bind(org)
        .bind(kept.feed)
        .bind(kept.sequence - 1)
        .bind(kept.sequence + 1)
        .all()
        .await?;
    let (length, head): (i64, Option<Vec<u8>>) = app
        .db
        .query("SELECT signature_sequence, signature_head FROM feed WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(kept.feed)
        .one()
        .await?;
    let next_of = |k: &Kept| link(&signed_message(org, k), &k.server_signature).to_vec();
    let before = neighbours.iter().find(|n| n.sequence < kept.sequence).map(next_of);
    let led_here = before == kept.previous && (kept.sequence == 1) == kept.previous.is_none();
    let after = neighbours.iter().find(|n| n.sequence > kept.sequence);
    let leads_on = match after {
        Some(after) => after.previous.as_ref() == Some(&next_of(kept)),
        None => kept.sequence == length && head.as_ref() == Some(&next_of(kept)),
    };
    Ok(led_here && leads_on)
}
