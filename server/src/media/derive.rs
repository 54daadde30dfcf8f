//! The job that turns received bytes into pictures that are safe to show, or quarantines them with a reason.

use bytes::Bytes;
use kilele_media::{Derived, Limits, Quarantine, Variant};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Evidence, State, evidence};
use crate::app::App;
use crate::error::{Error, Result};
use crate::feed;
use crate::notifications::{self, Notice};

#[derive(Deserialize)]
struct Wanted {
    feed: Uuid,
    evidence: Uuid,
}

/// Derives all sizes. Idempotent: the objects are named by the hash of what they are derived from.
pub async fn run(app: &App, org: Uuid, body: &str) -> Result<()> {
    let wanted: Wanted = serde_json::from_str(body)?;
    let row: Option<(String, String)> = app
        .db
        .query("SELECT sha256, state FROM evidence WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(wanted.evidence)
        .optional()
        .await?;
    let Some((sha256, state)) = row else { return Ok(()) };
    if state != State::Received.as_str() {
        return Ok(());
    }
    let original = app.store.get(&org.to_string(), &sha256, Variant::Original).await?;
    let outcome = derive(app, original).await?;
    if let Ok(derived) = &outcome {
        let sizes = [(Variant::Full, &derived.full), (Variant::Card, &derived.card), (Variant::Thumb, &derived.thumb)];
        for (variant, bytes) in sizes {
            app.store.put(&org.to_string(), &sha256, variant, Bytes::copy_from_slice(bytes)).await?;
        }
    }
    settle(app, org, wanted, outcome).await
}

/// Decodes within the memory that all decoders share, off the async threads.
async fn derive(app: &App, original: Bytes) -> Result<Result<Derived, Quarantine>> {
    let picture = match kilele_media::inspect(&original) {
        Ok(picture) => picture,
        Err(reason) => return Ok(Err(reason)),
    };
    let mib = (picture.estimated_bytes >> 20).clamp(1, 160) as u32;
    let _permit = app.pixels.acquire_many(mib).await.map_err(Error::unexpected)?;
    tokio::task::spawn_blocking(move || kilele_media::derive(&original, &Limits::default())).await.map_err(Error::unexpected)
}

async fn settle(app: &App, org: Uuid, wanted: Wanted, outcome: Result<Derived, Quarantine>) -> Result<()> {
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
                record.updated_at = now;
                record.revision = feeds.revision(wanted.feed);
                match outcome {
                    Ok(derived) => {
                        record.state = State::Ready;
                        record.width = derived.width.into();
                        record.height = derived.height.into();
                        record.placeholder = Some(derived.placeholder);
                        record.darkness = Some(derived.darkness.into());
                        record.sharpness = Some(derived.blur.into());
                    }
                    Err(reason) => {
                        record.state = State::Quarantined;
                        record.reason = Some(reason.code().into());
                        let params = json!({ "reason": reason.code(), "slot": record.slot });
                        let subject = (record.subject_kind.as_str(), record.subject);
                        let notice = Notice { kind: "evidence_quarantined", member: record.captured_by, subject, params };
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
