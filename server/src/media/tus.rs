//! Resumable uploads as they are kept: the state in the database, the pieces in the object storage, so that an upload
//! begun on one copy of the server goes on at another.

use bytes::Bytes;
use futures_util::stream;
use kilele_media::{Piece, StoreError, Variant};
use poem::http::StatusCode;
use uuid::Uuid;

use super::finish;
use crate::app::App;
use crate::auth::Reader;
use crate::clock::{DAY, HOUR, Millis, new_id};
use crate::error::{Error, Result};
use crate::outbox::captures;
use crate::scope;

/// An upload that nobody continues is dropped after this long.
pub const LIFE: Millis = 7 * DAY;
/// Unfinished uploads of one member at a time.
const OPEN: i64 = 32;
/// An upload that rested this long makes room for a new one.
const RESTED: Millis = HOUR;

#[derive(Clone, sqlx::FromRow)]
pub struct Upload {
    pub id: Uuid,
    pub evidence: Uuid,
    pub length: i64,
    pub received: i64,
    pub expires_at: Millis,
    /// `Upload-Metadata` as it came.
    pub metadata: String,
    /// All bytes are stored under their hash.
    pub done: bool,
    /// The pieces that count, separated by spaces.
    pieces: String,
    pub(super) feed: Uuid,
    pub(super) sha256: String,
    /// How long the announced bytes are; sealed ones are longer on the way.
    pub(super) bytes: i64,
}

impl Upload {
    pub(super) fn pieces(&self) -> Result<Vec<Piece>> {
        Ok(self.pieces.split_whitespace().map(str::parse).collect::<Result<_, StoreError>>()?)
    }

    pub(super) fn name(&self) -> String {
        self.id.to_string()
    }
}

/// Starts an upload for announced evidence. Bytes the server already has are recognised by their hash.
///
/// # Errors
/// 404 for evidence that the caller has not announced, 400 for another length, 507 with too many others under way.
pub async fn create(
    app: &App,
    by: &Reader,
    evidence: Uuid,
    length: i64,
    metadata: String,
    sealed: Option<String>,
) -> Result<Upload> {
    let row: Option<(Uuid, Uuid, i64, String)> = app
        .db
        .query("SELECT e.feed, e.captured_by, e.bytes, e.sha256 FROM evidence e WHERE e.org = $1 AND e.id = $2")
        .bind(by.org)
        .bind(evidence)
        .optional()
        .await?;
    // Whoever took the picture delivers it, also after the village went to someone else. Sealed bytes may be carried by
    // anybody: nobody can read them on the way, and they must fit the announcement.
    let row = row.filter(|(_, captured_by, ..)| *captured_by == by.id || sealed.is_some());
    let (feed, _, bytes, sha256) = row.ok_or_else(|| {
        Error::new(StatusCode::NOT_FOUND, "evidence_unknown", "Announce the evidence first, then send its bytes.")
    })?;
    let expected = bytes + if sealed.is_some() { captures::TAG } else { 0 };
    if expected != length {
        let message = format!("{expected} bytes were announced, {length} are offered.");
        return Err(Error::bad_request("length_mismatch", message));
    }
    let (id, expires_at) = (new_id(), app.clock.now() + LIFE);
    let pieces = String::new();
    let mut upload =
        Upload { id, evidence, length, received: 0, expires_at, metadata, done: false, pieces, feed, sha256, bytes };
    let known = recognised(app, by.org, &upload).await?;
    if !known {
        replace(app, by, evidence).await?;
        make_room(app, by).await?;
    }
    insert(app, by, &upload, sealed.filter(|_| !known)).await?;
    if known {
        finish::received(app, by.org, &upload).await?;
        (upload.received, upload.done) = (length, true);
    }
    Ok(upload)
}

/// Whether these bytes are here already, and really are.
async fn recognised(app: &App, org: Uuid, upload: &Upload) -> Result<bool> {
    let blob: Option<(i64,)> = app
        .db
        .query("SELECT bytes FROM blob WHERE org = $1 AND sha256 = $2")
        .bind(org)
        .bind(upload.sha256.clone())
        .optional()
        .await?;
    Ok(blob.is_some() && app.store.exists(&org.to_string(), &upload.sha256, Variant::Original).await?)
}

/// On a bad line the answer to a creation is lost and the phone creates again: what it began before, and sent nothing of,
/// goes, or it would soon have too many.
async fn replace(app: &App, by: &Reader, evidence: Uuid) -> Result<()> {
    let empty: Vec<(Uuid,)> = app
        .db
        .query("SELECT id FROM upload WHERE org = $1 AND member = $2 AND evidence = $3 AND done = FALSE AND received = 0")
        .bind(by.org)
        .bind(by.id)
        .bind(evidence)
        .all()
        .await?;
    for (id,) in empty {
        drop_upload(app, by.org, id).await?;
    }
    Ok(())
}

/// A phone that lost its memory must not be locked out by what it once began; one that begins without end must.
async fn make_room(app: &App, by: &Reader) -> Result<()> {
    let now = app.clock.now();
    let open: Vec<(Uuid, Millis)> = app
        .db
        .query(
            "SELECT id, expires_at FROM upload WHERE org = $1 AND member = $2 AND done = FALSE AND expires_at > $3
             ORDER BY expires_at",
        )
        .bind(by.org)
        .bind(by.id)
        .bind(now)
        .all()
        .await?;
    if (open.len() as i64) < OPEN {
        return Ok(());
    }
    match open.first() {
        Some((id, expires_at)) if expires_at - LIFE + RESTED <= now => drop_upload(app, by.org, *id).await,
        _ => {
            let message = format!("{OPEN} uploads are under way; finish or end one first.");
            let mut error = Error::new(StatusCode::INSUFFICIENT_STORAGE, "too_many_uploads", message);
            error.retry_after = Some(60);
            Err(error)
        }
    }
}

async fn insert(app: &App, by: &Reader, upload: &Upload, sealed: Option<String>) -> Result<()> {
    let (row, org, member) = (upload.clone(), by.org, by.id);
    app.db
        .write(move |tx| {
            Box::pin(async move {
                tx.query(
                    "INSERT INTO upload (org, id, evidence, member, length, received, expires_at, metadata)
                     VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
                )
                .bind(org)
                .bind(row.id)
                .bind(row.evidence)
                .bind(member)
                .bind(row.length)
                .bind(row.expires_at)
                .bind(row.metadata)
                .run()
                .await?;
                captures::note(tx, org, row.id, sealed).await
            })
        })
        .await
}

/// The caller's own upload.
///
/// # Errors
/// 404, or 410 when it has expired.
pub async fn find(app: &App, by: &Reader, id: Uuid) -> Result<Upload> {
    let upload: Option<Upload> = app
        .db
        .query(
            "SELECT u.id, u.evidence, u.length, u.received, u.expires_at, u.metadata, u.done, u.pieces, e.feed, e.sha256,
                 e.bytes
             FROM upload u JOIN evidence e ON e.org = u.org AND e.id = u.evidence
             WHERE u.org = $1 AND u.id = $2 AND u.member = $3",
        )
        .bind(by.org)
        .bind(id)
        .bind(by.id)
        .optional()
        .await?;
    let upload = upload.ok_or_else(|| Error::not_found("upload"))?;
    if upload.expires_at <= app.clock.now() {
        return Err(Error::new(StatusCode::GONE, "upload_expired", "This upload has expired; start it again."));
    }
    Ok(upload)
}

/// From now on these pieces, which follow what there was, belong to the upload.
///
/// # Errors
/// 409 when another request was faster; the pieces count for nothing then.
pub(super) async fn acknowledge(app: &App, org: Uuid, upload: &mut Upload, pieces: &[Piece]) -> Result<()> {
    let (id, from) = (upload.id, upload.received);
    let to = from + pieces.iter().map(|p| p.length as i64).sum::<i64>();
    let names: String = pieces.iter().map(|p| format!("{p} ")).collect();
    let (added, expires_at) = (names.clone(), app.clock.now() + LIFE);
    let update = "UPDATE upload SET received = $4, pieces = pieces || $5, expires_at = $6
                  WHERE org = $1 AND id = $2 AND received = $3 AND done = FALSE";
    let moved = app
        .db
        .write(move |tx| {
            let update = tx.query(update).bind(org).bind(id).bind(from).bind(to);
            Box::pin(update.bind(added).bind(expires_at).run())
        })
        .await?;
    if moved == 0 {
        return Err(Error::conflict("offset_mismatch", "Another request continued this upload meanwhile."));
    }
    (upload.received, upload.expires_at) = (to, expires_at);
    upload.pieces.push_str(&names);
    Ok(())
}

/// Ends an upload and drops its pieces.
pub async fn drop_upload(app: &App, org: Uuid, id: Uuid) -> Result<()> {
    // Pieces first: while the row is there, the sweep finds what is left.
    app.store.drop_upload(&id.to_string()).await?;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for delete in [
                    "DELETE FROM upload_sealed WHERE org = $1 AND upload = $2",
                    "DELETE FROM upload WHERE org = $1 AND id = $2",
                ] {
                    tx.query(delete).bind(org).bind(id).run().await?;
                }
                Ok(())
            })
        })
        .await
}

/// Bytes that came another way than by an upload (a saved copy): the same checks, the same effect. Doing it again is
/// harmless.
///
/// # Errors
/// 422 `evidence_unknown` before the announcement, `checksum_mismatch` when these are not the announced bytes.
pub async fn take(app: &App, org: Uuid, evidence: Uuid, whole: Bytes) -> Result<()> {
    let row: Option<(Uuid, i64, String)> = app
        .db
        .query("SELECT feed, bytes, sha256 FROM evidence WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(evidence)
        .optional()
        .await?;
    let unknown = || Error::refused("evidence_unknown", "The record that announces this picture has not arrived.");
    let (feed, bytes, sha256) = row.ok_or_else(unknown)?;
    let whole = stream::iter([Ok(whole)]);
    match app.store.put_verified(&org.to_string(), &sha256, Variant::Original, bytes as u64, whole).await {
        Ok(()) => {}
        Err(StoreError::Mismatch) => {
            return Err(Error::refused("checksum_mismatch", "The bytes are not the ones that were announced."));
        }
        Err(error) => return Err(error.into()),
    }
    let (metadata, pieces) = (String::new(), String::new());
    let (length, received, expires_at, done) = (bytes, bytes, 0, true);
    let id = new_id();
    let upload = Upload { id, evidence, length, received, expires_at, metadata, done, pieces, feed, sha256, bytes };
    finish::received(app, org, &upload).await
}

/// Drops uploads that nobody continued, and forgets finished ones.
pub async fn sweep(app: &App) -> Result<()> {
    loop {
        let old: Vec<(Uuid, Uuid)> =
            app.db.query("SELECT org, id FROM upload WHERE expires_at <= $1 LIMIT 100").bind(app.clock.now()).all().await?;
        for (org, id) in &old {
            drop_upload(app, *org, *id).await?;
        }
        if old.len() < 100 {
            return Ok(());
        }
    }
}

/// What the phone may delete: bytes that are stored, by its own announcement.
pub async fn receipts(app: &App, member: &crate::auth::Member, ids: &[Uuid]) -> Result<Vec<(Uuid, String, i64, Millis)>> {
    let mut receipts = Vec::new();
    for id in ids {
        let row: Option<(Uuid, String, i64, Millis)> = app
            .db
            .query(
                "SELECT c.id, c.sha256, b.bytes, c.received_at FROM capture c JOIN blob b ON b.org = c.org AND b.sha256 = c.sha256
                 WHERE c.org = $1 AND c.id = $2 AND c.member = $3 AND c.received_at IS NOT NULL",
            )
            .bind(member.org)
            .bind(*id)
            .bind(member.id)
            .optional()
            .await?;
        receipts.extend(row);
    }
    Ok(receipts)
}

/// Whether the caller may see this evidence, and where its bytes are.
pub async fn viewable(app: &App, member: &crate::auth::Member, id: Uuid) -> Result<super::Evidence> {
    Ok(serde_json::from_str(&scope::record(&app.db, member, "evidence", id).await?)?)
}
