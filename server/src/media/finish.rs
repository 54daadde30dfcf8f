//! The end of an upload: its bytes are compared with what was announced, stored under their hash, and acknowledged.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use kilele_media::{StoreError, Variant};
use poem::http::StatusCode;
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use super::tus::{Upload, drop_upload};
use super::{State, evidence};
use crate::app::App;
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::outbox::captures;
use crate::{feed, jobs};

/// Uploads that are finished at once; each holds a part of 5 MiB and a piece.
pub const AT_ONCE: usize = 4;

type Stream = BoxStream<'static, Result<Bytes, StoreError>>;

/// The bytes as they came, made into those that were announced: the one place for it. Sealed ones are opened, which
/// needs them whole; the permit is for that memory.
async fn announced<'a>(
    app: &'a App,
    org: Uuid,
    upload: &Upload,
    mut came: Stream,
) -> Result<(Stream, Option<SemaphorePermit<'a>>)> {
    let Some(sealed) = captures::noted(app, org, upload.id).await? else { return Ok((came, None)) };
    let mib = (upload.length >> 20) as u32 + 1;
    let memory = app.originals.acquire_many(mib).await.map_err(Error::unexpected)?;
    let mut whole = BytesMut::with_capacity(upload.length as usize);
    while let Some(next) = came.next().await {
        match next {
            Ok(bytes) => whole.extend_from_slice(&bytes),
            Err(error) => return Ok((stream::iter([Err(error)]).boxed(), None)),
        }
    }
    let opened = captures::open(app, org, upload.evidence, &sealed, whole).await?;
    Ok((stream::iter([opened.ok_or(StoreError::Mismatch)]).boxed(), Some(memory)))
}

/// All bytes are here: compare the hash, store them under it, acknowledge.
///
/// # Errors
/// 460 when these are not the announced bytes; the upload is gone then. 503 when the storage does not answer.
pub async fn finish(app: &App, org: Uuid, upload: &mut Upload, came: Stream) -> Result<()> {
    let stored = {
        let _few = app.finishing.acquire().await.map_err(Error::unexpected)?;
        let (bytes, _memory) = announced(app, org, upload, came).await?;
        let length = upload.bytes as u64;
        app.store.put_verified(&org.to_string(), &upload.sha256, Variant::Original, length, bytes).await
    };
    match stored {
        Ok(()) => {}
        // Other bytes, or a piece that is missing for good.
        Err(StoreError::Mismatch | StoreError::Gap(_)) => {
            drop_upload(app, org, upload.id).await?;
            return Err(mismatch("The bytes are not the ones that were announced; send them again."));
        }
        Err(error) => return Err(error.into()),
    }
    received(app, org, upload).await?;
    (upload.received, upload.done) = (upload.length, true);
    // Only now may the pieces go; should this fail, the sweep finds them when the upload expires.
    drop(app.store.drop_pieces(&upload.name(), &upload.pieces()?).await);
    Ok(())
}

/// The answer of the tus checksum extension.
pub fn mismatch(message: &str) -> Error {
    let status = StatusCode::from_u16(460).expect("a status of the tus checksum extension");
    Error::new(status, "checksum_mismatch", message)
}

/// The evidence's bytes are stored: its state, the ledger and the job that derives the pictures, in one step.
pub async fn received(app: &App, org: Uuid, upload: &Upload) -> Result<()> {
    let upload = upload.clone();
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                tx.query("DELETE FROM upload_sealed WHERE org = $1 AND upload = $2").bind(org).bind(upload.id).run().await?;
                tx.query("UPDATE upload SET done = TRUE, received = length, pieces = '' WHERE org = $1 AND id = $2")
                    .bind(org)
                    .bind(upload.id)
                    .run()
                    .await?;
                // Others begun for the same picture, whose answers were lost, count no longer; the sweep takes them away.
                let others = "UPDATE upload SET expires_at = $4 WHERE org = $1 AND evidence = $2 AND id <> $3 AND done = FALSE AND expires_at > $4";
                tx.query(others).bind(org).bind(upload.evidence).bind(upload.id).bind(now).run().await?;
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
                jobs::enqueue(tx, org, job, &serde_json::json!({ "evidence": record.id })).await?;
                let actor =
                    crate::audit::Actor { org, member: Some(record.captured_by), device: Some(record.device), at: now };
                let change = (Some(&before), Some(&record));
                let subject = ("evidence", record.id);
                crate::audit::append(tx, &mut feeds, upload.feed, &actor, "evidence.receive", subject, change).await
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
    .bind(upload.bytes)
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
