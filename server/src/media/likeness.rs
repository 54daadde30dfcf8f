//! Near duplicates: which earlier picture of the same village a new one looks like. A hint to a person, never a verdict.

use kilele_media::{ALIKE, Derived, apart};
use uuid::Uuid;

use super::{Evidence, LooksLike};
use crate::app::App;
use crate::crypto::Crypto;
use crate::db::Tx;
use crate::error::Result;

/// Documents, receipts and signatures all look like each other.
const SLOTS: &[&str] = &["front", "back", "subject", "site"];
/// The village's newest pictures; older ones are in nobody's mind, and comparing stays cheap.
const NEWEST: i64 = 1000;

/// The picture that looks most like this one, of a slot and subject, among those of other subjects in its feed.
pub async fn nearest(
    app: &App,
    org: Uuid,
    feed: Uuid,
    (slot, subject): (&str, Uuid),
    derived: &Derived,
) -> Result<Option<LooksLike>> {
    let Some(likeness) = derived.likeness.filter(|_| SLOTS.contains(&slot)) else { return Ok(None) };
    let rows: Vec<(Uuid, String, Uuid, i64, i64)> = app
        .db
        .query(
            "SELECT id, subject_kind, subject, captured_at, likeness FROM evidence
             WHERE org = $1 AND feed = $2 AND likeness IS NOT NULL AND subject <> $3
             ORDER BY captured_at DESC LIMIT $4",
        )
        .bind(org)
        .bind(feed)
        .bind(subject)
        .bind(NEWEST)
        .all()
        .await?;
    let near = rows.into_iter().map(|row| (apart(likeness, row.4.cast_unsigned()), row));
    let best = near.filter(|(bits, _)| *bits <= ALIKE).min_by_key(|(bits, _)| *bits);
    let Some((bits, (evidence, subject_kind, subject, captured_at, _))) = best else { return Ok(None) };
    let household = match subject_kind.as_str() {
        "household" => Some(subject),
        _ => household_of(app, org, subject).await?,
    };
    Ok(Some(LooksLike { evidence, household, captured_at, bits: bits.into() }))
}

async fn household_of(app: &App, org: Uuid, subject: Uuid) -> Result<Option<Uuid>> {
    let sql = "SELECT household FROM visit WHERE org = $1 AND id = $2
               UNION ALL SELECT household FROM enrolment WHERE org = $1 AND id = $2";
    let query = app.db.query(sql).bind(org).bind(subject);
    Ok(query.optional::<(Uuid,)>().await?.map(|(household,)| household))
}

/// Keeps what is not part of the record: the likeness, unless nothing should be likened to it, and the camera's word.
pub async fn keep(tx: &mut Tx, crypto: &Crypto, org: Uuid, picture: &Evidence, derived: &Derived) -> Result<()> {
    let likeness = derived.likeness.filter(|_| SLOTS.contains(&picture.slot.as_str())).map(u64::cast_signed);
    let said = derived.exif;
    let exif = (said != Default::default()).then(|| {
        let text = serde_json::json!({ "taken_at": said.taken_at, "lat": said.lat, "lon": said.lon });
        crypto.seal(&text.to_string())
    });
    tx.query("UPDATE evidence SET likeness = $3, exif = $4 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(picture.id)
        .bind(likeness)
        .bind(exif)
        .run()
        .await?;
    Ok(())
}
