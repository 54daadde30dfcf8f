//! Money on its way: released by somebody who had no other part in the grant, acknowledged by the recipient with picture and
//! signature, disputed, failed, taken back.

use serde_json::json;
use uuid::Uuid;

use super::apply::{demand_not_submitter, save};
use super::budget::{self, Kind, Movement};
use super::decide::{ALL_BUT_RELEASING, scheduled};
use super::people::{supervisor, tell};
use super::{
    Acknowledge, Acknowledgement, ChangeTranche, Event, Flag, Grant, Method, Release, SEED, State, Tranche, TrancheDecision,
    TrancheEvent, TrancheState, UseState, Utilisation, store,
};
use crate::clock::{DAY, Millis};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::media::evidence;
use crate::milestones::{self, Happening};
use crate::notifications::kinds;
use crate::signatures::{self, Content};
use crate::{audit, check, scope};

/// What the recipient signs under, and which picture belongs to it.
pub const TEMPLATE: &str = "grant_acknowledgement";
const RECIPIENT: &str = "front";

pub async fn release(tx: &mut Tx, context: &Context, body: Release) -> Result<Applied> {
    let by = context.reader.releaser()?;
    let reference = body.reference.trim();
    check::text("reference", reference, 120)?;
    check::date("released_on", Some(&body.released_on))?;
    if reference.is_empty() && body.method != Method::Cash {
        return Err(Error::invalid("reference", "Give the bank's or the provider's reference."));
    }
    let (mut feeds, before) = open(tx, context, body.id, &[]).await?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The grant has changed since you looked at it; look again."));
    }
    for events in ALL_BUT_RELEASING {
        before.demand_other(by.id, events)?;
    }
    let mut grant = before.clone();
    grant.step(Event::Release, Some(by.id), context.now, reference)?;
    let part = part(&mut grant, body.tranche)?;
    part.state = part.state.transition(TrancheEvent::Release)?;
    (part.method, part.reference) = (Some(body.method), reference.into());
    (part.released_by, part.released_on, part.released_at) = (Some(by.id), Some(body.released_on), Some(context.now));
    let (amount_minor, tranche) = (part.amount_minor, Some(part.id));
    let movement = Movement { kind: Kind::Release, amount_minor, tranche, reference, reason: "" };
    budget::moved(tx, &context.actor(), &grant, movement).await?;
    tell(tx, context, &feeds, &grant, &kinds::GRANT_RELEASED, before.submitted_by, reference).await?;
    save(tx, context, &mut feeds, Some(&before), grant, "grant.release").await
}

pub async fn acknowledge(tx: &mut Tx, context: &Context, body: Acknowledge) -> Result<Applied> {
    let by = context.reader.preparer()?;
    check::text("note", &body.note, 2000)?;
    check::money("amount_minor", Some(body.amount_minor))?;
    body.position.check()?;
    let above = supervisor(tx, by.org, by.id).await?;
    let (mut feeds, before) = open(tx, context, body.grant, above.as_slice()).await?;
    let mut grant = before.clone();
    let part = part(&mut grant, body.tranche)?;
    if part.released_by == Some(by.id) {
        return Err(Error::refused("same_person", "Whoever released the money does not record that it was received."));
    }
    if !body.evidence.iter().any(|capture| capture.slot == RECIPIENT) {
        let message = "Missing: a picture of the recipient.";
        return Err(Error::refused("evidence_missing", message).details(json!({ "slots": [RECIPIENT] })));
    }
    let signed = Content::parse(&body.signature.record)?;
    if signed.template != TEMPLATE {
        return Err(Error::refused("signature_invalid", "This signature is under another statement.").field("signature"));
    }
    if signed.household.is_some_and(|one| !before.households.contains(&one)) {
        let message = "The signature is for a household that has no part in the grant.";
        return Err(Error::refused("signature_invalid", message).field("signature"));
    }
    let flag = flag(before.state, part, body.amount_minor);
    let subject = ("acknowledgement", body.id);
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, grant.place, subject, capture).await?;
    }
    signatures::receive(tx, context, &mut feeds, grant.place, subject, body.signature).await?;
    let one = Acknowledgement {
        id: body.id,
        grant: grant.id,
        tranche: body.tranche,
        place: grant.place,
        amount_minor: body.amount_minor,
        counted: flag.is_none(),
        flag,
        note: body.note.trim().into(),
        position: body.position,
        recorded_by: by.id,
        received_at: context.at,
        created_at: context.now,
        revision: feeds.revision(grant.place),
    };
    store::acknowledge(tx, &feeds, &one).await?;
    let nothing = None::<&Acknowledgement>;
    audit::append(tx, &mut feeds, grant.place, &context.actor(), "grant.acknowledge", subject, (nothing, Some(&one)))
        .await?;
    if flag.is_some() {
        // Evidence all the same: somebody has to look.
        for to in [Some(before.submitted_by), above].into_iter().flatten().filter(|to| *to != by.id) {
            tell(tx, context, &feeds, &grant, &kinds::GRANT_FLAGGED, to, "").await?;
        }
        return Applied::to(one.id, one.revision);
    }
    let part = self::part(&mut grant, body.tranche)?;
    part.state = part.state.transition(TrancheEvent::Acknowledge)?;
    (part.acknowledgement, part.acknowledged_by, part.acknowledged_at) = (Some(one.id), Some(by.id), Some(context.now));
    if grant.utilisation.is_none() {
        grant.utilisation = Some(due(context.now + grant.policy.facts.utilisation_days * DAY));
    }
    grant.settle(Some(by.id), context.now)?;
    seed(tx, context, &mut feeds, &before, &grant).await?;
    if before.submitted_by != by.id {
        tell(tx, context, &feeds, &grant, &kinds::GRANT_ACKNOWLEDGED, before.submitted_by, "").await?;
    }
    save(tx, context, &mut feeds, Some(&before), grant, "grant.receive").await
}

/// Why an acknowledgement of this part does not count now.
fn flag(state: State, part: &Tranche, amount: i64) -> Option<Flag> {
    match (state, part.state) {
        (State::Cancelled, _) => Some(Flag::Cancelled),
        (_, TrancheState::Scheduled) => Some(Flag::NotReleased),
        (_, TrancheState::Reversed) => Some(Flag::Reversed),
        (_, TrancheState::Failed) => Some(Flag::Failed),
        (_, TrancheState::Disputed) => Some(Flag::Disputed),
        (_, TrancheState::Acknowledged) => Some(Flag::Twice),
        (_, TrancheState::Released) if part.amount_minor != amount => Some(Flag::OtherAmount),
        (_, TrancheState::Released) => None,
    }
}

fn due(at: Millis) -> Utilisation {
    let day = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    Utilisation {
        id: None,
        state: UseState::Due,
        due_on: day.format("%Y-%m-%d").to_string(),
        items: vec![],
        spent_minor: 0,
        note: String::new(),
        submitted_by: None,
        submitted_at: None,
        decided_by: None,
        decided_at: None,
        decision_note: String::new(),
    }
}

pub async fn tranche(tx: &mut Tx, context: &Context, body: ChangeTranche) -> Result<Applied> {
    let by = &context.reader;
    match body.event {
        TrancheDecision::Dispute => by.preparer().map(drop).or_else(|_| by.reviewer().map(drop))?,
        TrancheDecision::Uphold => by.reviewer().map(drop)?,
        TrancheDecision::Fail | TrancheDecision::Reverse => by.releaser().map(drop)?,
    }
    let (mut feeds, before) = open(tx, context, body.id, &[]).await?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The grant has changed since you looked at it; look again."));
    }
    if body.event == TrancheDecision::Uphold {
        demand_not_submitter(&before, by.id)?;
    }
    moved(tx, context, &mut feeds, before, body.tranche, body.event, &body.reason).await
}

/// As `grant.tranche` with `dispute`, by one of the households that the money was for.
///
/// # Errors
/// 404 when no grant of this household has the part.
pub async fn dispute_by_household(
    tx: &mut Tx,
    context: &Context,
    household: Uuid,
    tranche: Uuid,
    reason: &str,
) -> Result<Applied> {
    let org = context.reader.org;
    let rows: Vec<(Uuid, Uuid)> = tx
        .query(
            "SELECT g.id, g.feed FROM grant_household h JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
             WHERE h.org = $1 AND h.household = $2 ORDER BY g.id",
        )
        .bind(org)
        .bind(household)
        .all()
        .await?;
    let seen: Vec<Uuid> = match rows.first() {
        Some(_) => {
            let mut seen = Vec::new();
            for (id, _) in &rows {
                seen.push(store::whose(tx, org, *id).await?);
            }
            seen
        }
        None => vec![],
    };
    let mut feeds = feed::lock(tx, org, rows.iter().map(|(_, feed)| *feed).chain(seen)).await?;
    for (id, feed) in rows {
        let grant = store::current(tx, org, feed, id).await?;
        if grant.tranches.iter().any(|part| part.id == tranche) {
            return moved(tx, context, &mut feeds, grant, tranche, TrancheDecision::Dispute, reason).await;
        }
    }
    Err(Error::not_found("grant"))
}

async fn moved(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Grant,
    tranche: Uuid,
    event: TrancheDecision,
    reason: &str,
) -> Result<Applied> {
    check::text("reason", reason, 2000)?;
    let reason = reason.trim();
    if reason.chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    let by = context.reader.id;
    let mut grant = before.clone();
    let part = part(&mut grant, tranche)?;
    part.state = part.state.transition(event.event())?;
    part.note = reason.into();
    let gone = part.clone();
    match event {
        TrancheDecision::Uphold if gone.acknowledgement.is_none() => {
            let message = "Nobody has acknowledged this part; it can fail or be taken back.";
            return Err(Error::refused("wrong_state", message));
        }
        TrancheDecision::Reverse => {
            let (amount_minor, tranche) = (gone.amount_minor, Some(gone.id));
            let movement = Movement { kind: Kind::Reverse, amount_minor, tranche, reference: "", reason };
            budget::moved(tx, &context.actor(), &grant, movement).await?;
            // The same money may go again.
            grant.tranches.push(scheduled(gone.number, gone.amount_minor));
        }
        _ => {}
    }
    grant.settle(Some(by), context.now)?;
    seed(tx, context, feeds, &before, &grant).await?;
    if before.submitted_by != by {
        tell(tx, context, feeds, &grant, &kinds::GRANT_FLAGGED, before.submitted_by, reason).await?;
    }
    save(tx, context, feeds, Some(&before), grant, &format!("grant.{}", event.event().as_str())).await
}

/// The seed grant's milestone follows whether all of it was received.
async fn seed(tx: &mut Tx, context: &Context, feeds: &mut Locked, before: &Grant, after: &Grant) -> Result<()> {
    let received = |grant: &Grant| matches!(grant.state, State::Disbursed | State::Utilised | State::Closed);
    let event = match (received(before), received(after)) {
        (false, true) => milestones::Event::Complete,
        (true, false) => milestones::Event::Reopen,
        _ => return Ok(()),
    };
    if after.policy.facts.key != SEED {
        return Ok(());
    }
    let happening = Happening { number: 5, event, cause: "acknowledgement", subject: after.id };
    milestones::happened(tx, context, feeds, after.place, &after.households, Some(after.programme), happening).await
}

/// A grant that the caller sees, with its feed locked, and those who are told.
pub(super) async fn open(tx: &mut Tx, context: &Context, id: Uuid, further: &[Uuid]) -> Result<(Locked, Grant)> {
    let org = context.reader.org;
    let place = store::feed_of(tx, org, id).await?;
    scope::demand_then(tx, context, place, "grant").await?;
    let seen = store::whose(tx, org, id).await?;
    let feeds = feed::lock(tx, org, further.iter().copied().chain([place, seen])).await?;
    let grant = store::current(tx, org, place, id).await?;
    Ok((feeds, grant))
}

fn part(grant: &mut Grant, id: Uuid) -> Result<&mut Tranche> {
    grant.tranches.iter_mut().find(|part| part.id == id).ok_or_else(|| Error::not_found("tranche").field("tranche"))
}
