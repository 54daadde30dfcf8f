//! The job that turns received bytes into pictures that are safe to show, or quarantines them with a reason.

use std::collections::BTreeMap;

use bytes::Bytes;
use kilele_media::{Derived, Limits, Quarantine, Variant};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Evidence, LooksLike, State, evidence, likeness};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;
use crate::notifications::{self, Notice, kinds};

#[derive(Deserialize)]
struct Task {
    evidence: Uuid,
}

struct Wanted {
    /// Where it lives now: its household may have moved since.
    feed: Uuid,
    evidence: Uuid,
}

/// Derives all sizes. Idempotent: the objects are named by the hash of what they are derived from.
pub async fn run(app: &App, org: Uuid, body: &str) -> Result<()> {
    let Task { evidence } = serde_json::from_str(body)?;
    let row: Option<(String, String, i64, String, Uuid, Uuid)> = app
        .db
        .query("SELECT sha256, state, bytes, slot, subject, feed FROM evidence WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(evidence)
        .optional()
        .await?;
    let Some((sha256, state, bytes, slot, subject, feed)) = row else { return Ok(()) };
    let wanted = Wanted { feed, evidence };
    if state != State::Received.as_str() {
        return Ok(());
    }
    let outcome = {
        // No more than there are processors: a further one would only hold memory.
        let _decoder = app.decoders.acquire().await.map_err(Error::unexpected)?;
        let mib = (bytes >> 20) as u32 + 1;
        let _memory = app.originals.acquire_many(mib).await.map_err(Error::unexpected)?;
        let original = app.store.get(&org.to_string(), &sha256, Variant::Original).await?;
        within_memory(app, original).await?
    };
    let written = match &outcome {
        Ok(derived) => write(app, org, &sha256, derived, &Variant::DERIVED).await?,
        Err(_) => BTreeMap::new(),
    };
    let looks_like = match &outcome {
        Ok(derived) => likeness::nearest(app, org, wanted.feed, (&slot, subject), derived).await?,
        Err(_) => None,
    };
    settle(app, org, wanted, outcome, looks_like, (sha256, written)).await
}

/// Length and sha256 of a derivative as it was written.
pub type Written = (i64, String);

/// Stores these sizes; answers what to remember of them, by name.
pub async fn write(
    app: &App,
    org: Uuid,
    sha256: &str,
    derived: &Derived,
    wanted: &[Variant],
) -> Result<BTreeMap<&'static str, Written>> {
    let mut written = BTreeMap::new();
    for variant in wanted {
        let bytes = match variant {
            Variant::Original => continue,
            Variant::Full => &derived.full,
            Variant::Card => &derived.card,
            Variant::Thumb => &derived.thumb,
        };
        app.store.put(&org.to_string(), sha256, *variant, Bytes::copy_from_slice(bytes)).await?;
        written.insert(variant.as_str(), (bytes.len() as i64, crate::crypto::hex(&crate::crypto::sha256(bytes))));
    }
    Ok(written)
}

/// Remembers what was written, so that a wrong byte can be told.
pub async fn remember(tx: &mut Tx, org: Uuid, sha256: &str, written: &BTreeMap<&'static str, Written>) -> Result<()> {
    for (variant, (bytes, hash)) in written {
        tx.query(
            "INSERT INTO derivative (org, sha256, variant, bytes, hash) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (org, sha256, variant) DO UPDATE SET bytes = excluded.bytes, hash = excluded.hash",
        )
        .bind(org)
        .bind(sha256)
        .bind(*variant)
        .bind(*bytes)
        .bind(hash.clone())
        .run()
        .await?;
    }
    Ok(())
}

/// What is remembered of an original's derivatives, by name.
pub async fn written(app: &App, org: Uuid, sha256: &str) -> Result<BTreeMap<String, Written>> {
    let rows: Vec<(String, i64, String)> = app
        .db
        .query("SELECT variant, bytes, hash FROM derivative WHERE org = $1 AND sha256 = $2")
        .bind(org)
        .bind(sha256)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(variant, bytes, hash)| (variant, (bytes, hash))).collect())
}

/// Decodes within the memory that all decoders share, off the async threads.
pub async fn within_memory(app: &App, original: Bytes) -> Result<Result<Derived, Quarantine>> {
    let picture = match kilele_media::inspect(&original) {
        Ok(picture) => picture,
        Err(reason) => return Ok(Err(reason)),
    };
    // Within `Limits::peak_bytes`, or it would have been refused.
    let mib = picture.estimated_bytes.div_ceil(1 << 20) as u32;
    let _permit = app.pixels.acquire_many(mib).await.map_err(Error::unexpected)?;
    behind_requests(move || kilele_media::derive(&original, &Limits::default())).await
}

/// How much a decoder yields to whoever is waiting for an answer: Linux gives it about a tenth of a busy processor.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Runs `work` on a thread of its own, which steps back when requests want the processor.
async fn behind_requests<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("decoder".into());
    let started = thread.spawn(move || {
        // On Linux a thread has a priority of its own. Elsewhere, or when it is forbidden, nothing is lost but that.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        drop(tell.send(work()));
    });
    started.map_err(Error::unexpected)?;
    told.await.map_err(Error::unexpected)
}

async fn settle(
    app: &App,
    org: Uuid,
    wanted: Wanted,
    outcome: Result<Derived, Quarantine>,
    looks_like: Option<LooksLike>,
    (sha256, written): (String, BTreeMap<&'static str, Written>),
) -> Result<()> {
    let now = app.clock.now();
    let app = app.clone();
    let inner = app.clone();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let before: Evidence = evidence::current(tx, org, wanted.feed, wanted.evidence).await?;
                let mut feeds = feed::lock(tx, org, [wanted.feed, before.captured_by]).await?;
                let mut record: Evidence = evidence::current(tx, org, wanted.feed, wanted.evidence).await?;
                if record.state != State::Received {
                    // Another worker was first.
                    return Ok(());
                }
                remember(tx, org, &sha256, &written).await?;
                record.updated_at = now;
                record.revision = feeds.revision(wanted.feed);
                match outcome {
                    Ok(derived) => {
                        record.state = State::Ready;
                        likeness::keep(tx, &inner.crypto, org, &record, &derived).await?;
                        record.looks_like = looks_like;
                        record.width = derived.width.into();
                        record.height = derived.height.into();
                        if derived.original != (derived.width, derived.height) {
                            record.original_width = Some(derived.original.0.into());
                            record.original_height = Some(derived.original.1.into());
                        }
                        record.placeholder = Some(derived.placeholder);
                        record.darkness = Some(derived.darkness.into());
                        record.sharpness = Some(derived.blur.into());
                    }
                    Err(reason) => {
                        record.state = State::Quarantined;
                        record.reason = Some(reason.code().into());
                        let params = json!({ "reason": reason.code(), "slot": record.slot });
                        let subject = (record.subject_kind.as_str(), record.subject);
                        let notice =
                            Notice { kind: &kinds::EVIDENCE_QUARANTINED, member: record.captured_by, subject, params };
                        notifications::notify(tx, now, &feeds, notice).await?;
                    }
                }
                evidence::put(tx, &feeds, wanted.feed, &record).await?;
                let actor = crate::audit::Actor { org, member: None, device: None, at: now };
                let (subject, change) = (("evidence", record.id), (Some(&before), Some(&record)));
                crate::audit::append(tx, &mut feeds, wanted.feed, &actor, "evidence.derive", subject, change).await?;
                evidence::show_placeholder(tx, &inner.crypto, &feeds, wanted.feed, &record).await
            })
        })
        .await?;
    app.jobs.notify_one();
    Ok(())
}
