//! Resumable uploads: tus 1.0 (core, creation, termination) over pieces in the object storage, with the state
//! in the database, so that an upload begun on one copy of the server goes on at another.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use kilele_media::{StoreError, Variant};
use poem::Body;
use poem::http::StatusCode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{State, evidence};
use crate::app::App;
use crate::auth::Recorder;
use crate::clock::{DAY, Millis, new_id};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::{feed, jobs, scope};

/// An upload that nobody continues is dropped after this long.
pub const LIFE: Millis = 7 * DAY;
/// A piece is written to the storage at this size, or when the body ends or is cut.
const PIECE: usize = 1 << 20;

#[derive(Clone, sqlx::FromRow)]
pub struct Upload {
    pub id: Uuid,
    pub evidence: Uuid,
    pub length: i64,
    pub received: i64,
    pub expires_at: Millis,
    feed: Uuid,
    sha256: String,
}

/// Starts an upload for announced evidence. Bytes the server already has are recognised by their hash.
pub async fn create(app: &App, by: &Recorder, evidence: Uuid, length: i64) -> Result<Upload> {
    let row: Option<(Uuid, Uuid, i64, String)> = app
        .db
        .query("SELECT e.feed, e.captured_by, e.bytes, e.sha256 FROM evidence e WHERE e.org = $1 AND e.id = $2")
        .bind(by.org)
        .bind(evidence)
        .optional()
        .await?;
    // Whoever took the picture delivers it, also after the village went to someone else.
    let (feed, _, bytes, sha256) = row.filter(|(_, captured_by, ..)| *captured_by == by.id).ok_or_else(|| {
        Error::new(StatusCode::NOT_FOUND, "evidence_unknown", "Announce the evidence first, then send its bytes.")
    })?;
    if bytes != length {
        return Err(Error::bad_request("length_mismatch", format!("{bytes} bytes were announced, {length} are offered.")));
    }
    let now = app.clock.now();
    let mut upload = Upload { id: new_id(), evidence, length, received: 0, expires_at: now + LIFE, feed, sha256 };
    let stored: Option<(i64,)> = app
        .db
        .query("SELECT bytes FROM blob WHERE org = $1 AND sha256 = $2")
        .bind(by.org)
        .bind(upload.sha256.clone())
        .optional()
        .await?;
    if stored.is_some() {
        upload.received = length;
        received(app, by.org, &upload).await?;
        return Ok(upload);
    }
    let (row, org, member) = (upload.clone(), by.org, by.id);
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "INSERT INTO upload (org, id, evidence, member, length, received, expires_at)
                     VALUES ($1, $2, $3, $4, $5, 0, $6)",
                )
                .bind(org)
                .bind(row.id)
                .bind(row.evidence)
                .bind(member)
                .bind(row.length)
                .bind(row.expires_at)
                .run(),
            )
        })
        .await?;
    Ok(upload)
}

/// The caller's own upload.
///
/// # Errors
/// 404, or 410 when it has expired.
pub async fn find(app: &App, by: &Recorder, id: Uuid) -> Result<Upload> {
    let upload: Option<Upload> = app
        .db
        .query(
            "SELECT u.id, u.evidence, u.length, u.received, u.expires_at, e.feed, e.sha256
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

/// Appends a body at `offset`. What arrived before a cut is kept. Answers the new offset.
///
/// # Errors
/// 409 when the offset is not where the upload stands; 413 beyond its length; 460 when the whole has another hash.
pub async fn append(app: App, by: Recorder, mut upload: Upload, offset: i64, body: Body) -> Result<i64> {
    if offset != upload.received {
        return Err(Error::conflict("offset_mismatch", format!("The upload stands at {}.", upload.received)));
    }
    let mut stream = body.into_bytes_stream();
    let mut piece = BytesMut::new();
    let mut cut = false;
    loop {
        let next = stream.next().await;
        if let Some(Ok(bytes)) = &next {
            piece.extend_from_slice(bytes);
        }
        cut |= matches!(next, Some(Err(_)));
        let over = !matches!(next, Some(Ok(_)));
        if upload.received + piece.len() as i64 > upload.length {
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "More bytes than the upload's length."));
        }
        if !piece.is_empty() && (over || piece.len() >= PIECE) {
            upload.received = keep(&app, by.org, &upload, piece.split().freeze()).await?;
        }
        if over {
            break;
        }
    }
    if cut {
        return Err(Error::bad_request("cut", "The request was cut; what arrived is kept."));
    }
    if upload.received == upload.length {
        finish(&app, by.org, &upload).await?;
    }
    Ok(upload.received)
}

async fn keep(app: &App, org: Uuid, upload: &Upload, piece: Bytes) -> Result<i64> {
    let (id, from) = (upload.id, upload.received);
    let to = from + piece.len() as i64;
    app.store.put_chunk(&id.to_string(), from as u64, piece).await?;
    let update = "UPDATE upload SET received = $4 WHERE org = $1 AND id = $2 AND received = $3";
    let moved = app.db.write(move |tx| Box::pin(tx.query(update).bind(org).bind(id).bind(from).bind(to).run())).await?;
    if moved == 0 {
        return Err(Error::conflict("offset_mismatch", "Another request continued this upload meanwhile."));
    }
    Ok(to)
}

/// All bytes are here: compare the hash, store them under it, acknowledge.
pub async fn finish(app: &App, org: Uuid, upload: &Upload) -> Result<()> {
    let id = upload.id.to_string();
    let mut whole = BytesMut::with_capacity(upload.length as usize);
    match app.store.read_chunks(&id).await {
        Ok(mut pieces) => {
            while let Some(bytes) = pieces.try_next().await? {
                whole.extend_from_slice(&bytes);
            }
        }
        // A piece is missing for good: these are not the announced bytes.
        Err(StoreError::Gap(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let hash = crate::crypto::hex(&Sha256::digest(&whole));
    if whole.len() as i64 != upload.length || hash != upload.sha256 {
        drop_upload(app, org, upload.id).await?;
        let status = StatusCode::from_u16(460).expect("a status of the tus checksum extension");
        return Err(Error::new(
            status,
            "checksum_mismatch",
            "The bytes are not the ones that were announced; send them again.",
        ));
    }
    app.store.put(&org.to_string(), &hash, Variant::Original, whole.freeze()).await?;
    received(app, org, upload).await?;
    // Only now may the pieces go; should this fail, the sweep finds them later.
    drop(drop_upload(app, org, upload.id).await);
    Ok(())
}

/// The evidence's bytes are stored: its state, the ledger and the job that derives the pictures, in one step.
async fn received(app: &App, org: Uuid, upload: &Upload) -> Result<()> {
    let upload = upload.clone();
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let mut feeds = feed::lock(tx, org, [upload.feed]).await?;
                let mut record = evidence::current(tx, org, upload.feed, upload.evidence).await?;
                if record.state != State::Announced {
                    return Ok(());
                }
                let before = record.clone();
                record.state = State::Received;
                record.received_at = Some(now);
                record.updated_at = now;
                record.revision = feeds.revision(upload.feed);
                evidence::put(tx, &feeds, upload.feed, &record).await?;
                store_blob(tx, org, &upload, now).await?;
                let job = jobs::New { kind: "media.derive", dedupe: format!("derive:{}", record.id), run_at: now };
                jobs::enqueue(tx, org, job, &serde_json::json!({ "feed": upload.feed, "evidence": record.id })).await?;
                let actor =
                    crate::audit::Actor { org, member: Some(record.captured_by), device: Some(record.device), at: now };
                let change = (Some(&before), Some(&record));
                crate::audit::append(
                    tx,
                    &mut feeds,
                    upload.feed,
                    &actor,
                    "evidence.receive",
                    ("evidence", record.id),
                    change,
                )
                .await
            })
        })
        .await?;
    app.jobs.notify_one();
    Ok(())
}

async fn store_blob(tx: &mut Tx, org: Uuid, upload: &Upload, now: Millis) -> Result<()> {
    tx.query(
        "INSERT INTO blob (org, sha256, bytes, stored_at) VALUES ($1, $2, $3, $4) ON CONFLICT (org, sha256) DO NOTHING",
    )
    .bind(org)
    .bind(upload.sha256.clone())
    .bind(upload.length)
    .bind(now)
    .run()
    .await?;
    tx.query("UPDATE capture SET received_at = $3 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(upload.evidence)
        .bind(now)
        .run()
        .await?;
    Ok(())
}

/// Ends an upload and drops its pieces.
pub async fn drop_upload(app: &App, org: Uuid, id: Uuid) -> Result<()> {
    // Pieces first: while the row is there, the sweep finds what is left.
    app.store.drop_chunks(&id.to_string()).await?;
    let delete = "DELETE FROM upload WHERE org = $1 AND id = $2";
    app.db.write(move |tx| Box::pin(tx.query(delete).bind(org).bind(id).run())).await.map(drop)
}

/// Drops uploads that nobody continued.
pub async fn sweep(app: &App) -> Result<()> {
    let old: Vec<(Uuid, Uuid)> =
        app.db.query("SELECT org, id FROM upload WHERE expires_at <= $1 LIMIT 100").bind(app.clock.now()).all().await?;
    for (org, id) in old {
        drop_upload(app, org, id).await?;
    }
    Ok(())
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
