//! How a grant was used: reported with a picture of each receipt, and verified by somebody else.

use serde_json::json;
use uuid::Uuid;

use super::apply::save;
use super::money::open;
use super::people::{supervisor, tell};
use super::{SpentItem, UseEvent, UseState, Utilisation, Utilise, Verdict, Verify};
use crate::check;
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::media::evidence;
use crate::notifications::kinds;

const RECEIPT: &str = "receipt";

pub async fn utilise(tx: &mut Tx, context: &Context, body: Utilise) -> Result<Applied> {
    let by = context.reader.preparer()?;
    check::text("note", &body.note, 2000)?;
    let spent_minor = spent(&body.items)?;
    let above = supervisor(tx, by.org, by.id).await?;
    let (mut feeds, before) = open(tx, context, body.grant, above.as_slice()).await?;
    let mut grant = before.clone();
    let nothing_yet = || Error::refused("wrong_state", "Nothing of this grant has been received yet.");
    let known = grant.utilisation.take().ok_or_else(nothing_yet)?;
    let state = known.state.transition(UseEvent::Submit)?;
    let again = known.id.is_some();
    if !again && !body.evidence.iter().any(|capture| capture.slot == RECEIPT) {
        let message = "Missing: a picture of a receipt.";
        return Err(Error::refused("evidence_missing", message).details(json!({ "slots": [RECEIPT] })));
    }
    let id = known_id(tx, by.org, body.id, grant.id).await?;
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, grant.place, ("utilisation", id), capture).await?;
    }
    grant.utilisation = Some(Utilisation {
        id: Some(id),
        state,
        items: body.items,
        spent_minor,
        note: body.note.trim().into(),
        submitted_by: Some(by.id),
        submitted_at: Some(context.now),
        ..known
    });
    if let Some(above) = above {
        tell(tx, context, &feeds, &grant, &kinds::GRANT_USE_SUBMITTED, above, "").await?;
    }
    save(tx, context, &mut feeds, Some(&before), grant, "grant.utilise").await
}

fn spent(items: &[SpentItem]) -> Result<i64> {
    if !(1..=100).contains(&items.len()) {
        return Err(Error::invalid("items", "One to 100 items."));
    }
    let mut sum = 0;
    for item in items {
        check::name("items", &item.what)?;
        check::money("items", Some(item.amount_minor))?;
        check::date("items", Some(&item.on))?;
        sum += item.amount_minor;
    }
    Ok(sum)
}

/// A report's id belongs to one grant: its pictures are found by it.
async fn known_id(tx: &mut Tx, org: Uuid, id: Uuid, grant: Uuid) -> Result<Uuid> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT grant_id FROM utilisation WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    match row {
        Some((of,)) if of == grant => {}
        Some(_) => return Err(Error::refused("exists", "Another report has this id.")),
        None => {
            tx.query("INSERT INTO utilisation (org, id, grant_id) VALUES ($1, $2, $3)")
                .bind(org)
                .bind(id)
                .bind(grant)
                .later()
                .await?;
        }
    }
    Ok(id)
}

pub async fn verify(tx: &mut Tx, context: &Context, body: Verify) -> Result<Applied> {
    let by = context.reader.reviewer()?;
    check::text("reason", &body.reason, 2000)?;
    let (mut feeds, before) = open(tx, context, body.id, &[]).await?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The grant has changed since you looked at it; look again."));
    }
    let mut grant = before.clone();
    let nothing_yet = || Error::refused("wrong_state", "There is no report on this grant yet.");
    let mut report = grant.utilisation.take().ok_or_else(nothing_yet)?;
    if report.submitted_by == Some(by.id) {
        return Err(Error::refused("same_person", "Whoever reported the use does not verify it."));
    }
    let (event, kind) = match body.verdict {
        Verdict::Verify => (UseEvent::Verify, &kinds::GRANT_VERIFIED),
        Verdict::Return => (UseEvent::Return, &kinds::GRANT_USE_RETURNED),
    };
    if event == UseEvent::Return && body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    report.state = report.state.transition(event)?;
    (report.decided_by, report.decided_at) = (Some(by.id), Some(context.now));
    report.decision_note = body.reason.trim().into();
    debug_assert!(report.state != UseState::Due);
    grant.utilisation = Some(report);
    grant.settle(Some(by.id), context.now)?;
    if before.submitted_by != by.id {
        tell(tx, context, &feeds, &grant, kind, before.submitted_by, body.reason.trim()).await?;
    }
    save(tx, context, &mut feeds, Some(&before), grant, &format!("grant.use_{}", event.as_str())).await
}
