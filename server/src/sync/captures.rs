//! The capture ledger's side of a sync: what the phone still holds, what the server has, what it lacks.

use uuid::Uuid;

use super::{Have, Receipt};
use crate::app::App;
use crate::auth::Reader;
use crate::clock::Millis;
use crate::error::Result;
use crate::media::tus;

pub struct Ledger {
    pub acknowledged: Vec<Receipt>,
    pub want: Vec<Uuid>,
    pub unknown: Vec<Uuid>,
}

/// Sorts what the phone holds into received, awaited and unknown.
pub async fn compare(app: &App, reader: &Reader, have: &[Have]) -> Result<Ledger> {
    let ids: Vec<Uuid> = have.iter().map(|h| h.id).collect();
    let receipts = tus::receipts(app, reader, &ids).await?;
    let mut ledger = Ledger { acknowledged: Vec::new(), want: Vec::new(), unknown: Vec::new() };
    for held in have {
        if let Some((id, sha256, bytes, stored_at)) = receipts.iter().find(|r| r.0 == held.id && r.1 == held.sha256) {
            ledger.acknowledged.push(Receipt { id: *id, sha256: sha256.clone(), bytes: *bytes, stored_at: *stored_at });
            continue;
        }
        let known: Option<(Uuid,)> = app
            .db
            .query("SELECT id FROM evidence WHERE org = $1 AND id = $2 AND captured_by = $3")
            .bind(reader.org)
            .bind(held.id)
            .bind(reader.id)
            .optional()
            .await?;
        match known {
            Some(_) => ledger.want.push(held.id),
            None => ledger.unknown.push(held.id),
        }
    }
    announce(app, reader, have, &ledger.unknown).await?;
    Ok(ledger)
}

/// Pictures whose record is still on its way are noted at first contact: should the phone be lost now,
/// the server can name them.
async fn announce(app: &App, reader: &Reader, have: &[Have], unknown: &[Uuid]) -> Result<()> {
    let unseen: Vec<Have> = have.iter().filter(|h| unknown.contains(&h.id) && h.sha256.len() == 64).cloned().collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let (org, member, device, now) = (reader.org, reader.id, reader.device, app.clock.now());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for held in unseen {
                    tx.query(
                        "INSERT INTO capture (org, id, device, member, sha256, bytes, slot, subject, captured_at, announced_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (org, id) DO NOTHING",
                    )
                    .bind(org)
                    .bind(held.id)
                    .bind(device)
                    .bind(member)
                    .bind(held.sha256)
                    .bind(held.bytes)
                    .bind(held.slot)
                    .bind(held.subject)
                    .bind(held.captured_at)
                    .bind(now)
                    .run()
                    .await?;
                }
                Ok(())
            })
        })
        .await
}

/// A phone names all pictures it still holds: one that it announced and no longer names will not come by itself.
pub async fn note_dropped(app: &App, reader: &Reader, have: &[Have]) -> Result<()> {
    let awaited: Vec<(Uuid, Option<Millis>)> = app
        .db
        .query("SELECT id, dropped_at FROM capture WHERE org = $1 AND device = $2 AND member = $3 AND received_at IS NULL")
        .bind(reader.org)
        .bind(reader.device)
        .bind(reader.id)
        .all()
        .await?;
    let now = app.clock.now();
    let held = |id: Uuid| have.iter().any(|h| h.id == id);
    let changed = awaited.into_iter().filter(|(id, dropped)| dropped.is_some() == held(*id));
    let changed: Vec<(Uuid, Option<Millis>)> = changed.map(|(id, dropped)| (id, dropped.is_none().then_some(now))).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let org = reader.org;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for (id, dropped_at) in changed {
                    let update = "UPDATE capture SET dropped_at = $3 WHERE org = $1 AND id = $2";
                    tx.query(update).bind(org).bind(id).bind(dropped_at).run().await?;
                }
                Ok(())
            })
        })
        .await
}
