//! How evidence is announced, kept and moved through its states.

use uuid::Uuid;

use super::{Capture, Evidence, LARGEST, SLOTS, State};
use crate::check;
use crate::commands::Context;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::{households, scope};

impl Capture {
    fn check(&self) -> Result<()> {
        check::one_of("slot", &self.slot, SLOTS)?;
        check::text("mime", &self.mime, 100)?;
        if !(1..=LARGEST).contains(&self.bytes) {
            return Err(Error::invalid("bytes", "A file has between 1 byte and 25 MB."));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Error::invalid("sha256", "Expected 64 lower-case hex digits."));
        }
        check::time("captured_at", Some(self.captured_at))?;
        check::place(self.lat, self.lon, self.accuracy_m)
    }
}

/// Takes note of a picture that a phone holds; its bytes come later by `/api/uploads`.
pub async fn announce(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    feed: Uuid,
    subject: (&str, Uuid),
    capture: Capture,
) -> Result<()> {
    capture.check()?;
    let by = &context.reader;
    let known: Option<(Uuid, Uuid, String)> = tx
        .query("SELECT subject, captured_by, sha256 FROM evidence WHERE org = $1 AND id = $2")
        .bind(by.org)
        .bind(capture.id)
        .optional()
        .await?;
    match known {
        // Announced again with a corrected visit: nothing new.
        Some((of, captured_by, sha256)) if of == subject.1 && captured_by == by.id && sha256 == capture.sha256 => {
            return Ok(());
        }
        Some(_) => return Err(Error::refused("exists", "Other evidence has this id.").field("evidence")),
        None => {}
    }
    let evidence = Evidence {
        id: capture.id,
        subject_kind: subject.0.into(),
        subject: subject.1,
        slot: capture.slot,
        mime: capture.mime,
        bytes: capture.bytes,
        sha256: capture.sha256,
        width: capture.width,
        height: capture.height,
        original_width: None,
        original_height: None,
        captured_at: capture.captured_at,
        lat: capture.lat,
        lon: capture.lon,
        accuracy_m: capture.accuracy_m,
        device: by.device,
        captured_by: by.id,
        state: State::Announced,
        reason: None,
        received_at: None,
        supersedes: capture.supersedes,
        superseded_by: None,
        placeholder: None,
        darkness: None,
        sharpness: None,
        looks_like: None,
        updated_at: context.now,
        revision: feeds.revision(feed),
    };
    put(tx, feeds, feed, &evidence).await?;
    if let Some(older) = capture.supersedes {
        supersede(tx, feeds, feed, older, &evidence).await?;
    }
    note_capture(tx, &evidence, feeds.org, context.now).await
}

/// The older picture stays, and says by which it was replaced.
async fn supersede(tx: &mut Tx, feeds: &Locked, feed: Uuid, older: Uuid, newer: &Evidence) -> Result<()> {
    let mut older = current(tx, feeds.org, feed, older).await?;
    if older.subject != newer.subject {
        return Err(Error::refused("other_subject", "Evidence is superseded only by evidence of the same record."));
    }
    older.superseded_by = Some(newer.id);
    older.updated_at = newer.updated_at;
    older.revision = feeds.revision(feed);
    tx.query("UPDATE evidence SET superseded_by = $3 WHERE org = $1 AND id = $2")
        .bind(feeds.org)
        .bind(older.id)
        .bind(newer.id)
        .run()
        .await?;
    put(tx, feeds, feed, &older).await
}

/// The ledger line: taken on this device, not yet here.
async fn note_capture(tx: &mut Tx, evidence: &Evidence, org: Uuid, now: i64) -> Result<()> {
    tx.query(
        "INSERT INTO capture (org, id, device, member, sha256, bytes, slot, subject, captured_at, announced_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(org)
    .bind(evidence.id)
    .bind(evidence.device)
    .bind(evidence.captured_by)
    .bind(evidence.sha256.clone())
    .bind(evidence.bytes)
    .bind(evidence.slot.clone())
    .bind(evidence.subject)
    .bind(evidence.captured_at)
    .bind(now)
    .run()
    .await?;
    Ok(())
}

/// Writes evidence (new or changed) to its table and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, feed: Uuid, evidence: &Evidence) -> Result<()> {
    tx.query(
        "INSERT INTO evidence (org, id, feed, subject_kind, subject, slot, state, sha256, bytes, captured_by, device,
             captured_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (org, id) DO UPDATE SET feed = excluded.feed, state = excluded.state, received_at = excluded.received_at",
    )
    .bind(feeds.org)
    .bind(evidence.id)
    .bind(feed)
    .bind(evidence.subject_kind.clone())
    .bind(evidence.subject)
    .bind(evidence.slot.clone())
    .bind(evidence.state.as_str())
    .bind(evidence.sha256.clone())
    .bind(evidence.bytes)
    .bind(evidence.captured_by)
    .bind(evidence.device)
    .bind(evidence.captured_at)
    .bind(evidence.received_at)
    .run()
    .await?;
    feeds.put(tx, feed, "evidence", evidence.id, evidence).await
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Evidence> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "evidence").await?)?)
}

/// A household's picture shows its placeholder in lists at once.
pub async fn show_placeholder(
    tx: &mut Tx,
    crypto: &crate::crypto::Crypto,
    feeds: &Locked,
    feed: Uuid,
    evidence: &Evidence,
) -> Result<()> {
    if evidence.subject_kind != "household" {
        return Ok(());
    }
    let mut household = households::store::current(tx, crypto, feeds.org, feed, evidence.subject).await?;
    if household.photo == Some(evidence.id) {
        household.photo_placeholder.clone_from(&evidence.placeholder);
        household.revision = feeds.revision(feed);
        households::store::put(tx, crypto, feeds, &household).await?;
    }
    Ok(())
}
