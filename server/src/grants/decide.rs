//! Deciding on a grant: reviewed and scored, recommended, approved within limit and budget, returned, rejected, cancelled.

use uuid::Uuid;

use super::apply::{demand_not_submitter, save};
use super::budget::{self, Kind, Movement};
use super::people::{APPROVING, REVIEWING, SUBMITTING, supervisor, tell};
use super::{Decision, Event, Grant, Move, State, Tranche, TrancheEvent, TrancheState, store};
use crate::auth::{Capability, Reader};
use crate::clock::new_id;
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::notifications::{Kind as Told, kinds};
use crate::{check, feed, scope};

pub async fn change(tx: &mut Tx, context: &Context, body: Move) -> Result<Applied> {
    let by = context.reader.grant_reader()?;
    role(&context.reader, body.event)?;
    check::text("reason", &body.reason, 2000)?;
    let place = store::feed_of(tx, by.org, body.id).await?;
    scope::demand_then(tx, context, place, "grant").await?;
    let seen = store::whose(tx, by.org, body.id).await?;
    let above = supervisor(tx, by.org, seen).await?;
    let mut feeds = feed::lock(tx, by.org, [Some(place), Some(seen), above].into_iter().flatten()).await?;
    let before = store::current(tx, by.org, place, body.id).await?;
    permit(context, &before, body.event)?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The grant has changed since you looked at it; look again."));
    }
    let mut grant = before.clone();
    let says_why = matches!(body.event, Decision::Return | Decision::Reject | Decision::Cancel);
    if says_why && body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    grant.step(body.event.event(), Some(by.id), context.now, &body.reason)?;
    let told = match body.event {
        Decision::Review => {
            grant.reviewed_by = Some(by.id);
            None
        }
        Decision::Recommend => Some(recommend(&mut grant, by.id, body.score)?),
        Decision::Return => Some(&kinds::GRANT_RETURNED),
        Decision::Reject => Some(&kinds::GRANT_REJECTED),
        Decision::Approve => Some(approve(tx, context, &mut grant, body.amount_minor).await?),
        Decision::Cancel => Some(cancel(tx, context, &mut grant, before.state, &body.reason).await?),
        Decision::Close => None,
    };
    // Whoever did it knows.
    for to in [Some(seen), above].into_iter().flatten().filter(|to| *to != by.id) {
        if let Some(kind) = told {
            tell(tx, context, &feeds, &grant, kind, to, body.reason.trim()).await?;
        }
    }
    save(tx, context, &mut feeds, Some(&before), grant, &format!("grant.{}", body.event.event().as_str())).await
}

/// Whose role never does this learns nothing of the grant.
fn role(by: &Reader, event: Decision) -> Result<()> {
    match event {
        Decision::Review | Decision::Recommend | Decision::Close => by.reviewer().map(drop),
        Decision::Approve => by.grant_approver().map(drop),
        Decision::Return | Decision::Reject => by.reviewer().map(drop).or_else(|_| by.grant_approver().map(drop)),
        Decision::Cancel => {
            by.preparer().map(drop).or_else(|_| by.releaser().map(drop)).or_else(|_| by.grant_approver().map(drop))
        }
    }
}

/// Who may do this now, as the grant's state and the parts they had in it before say.
fn permit(context: &Context, grant: &Grant, event: Decision) -> Result<()> {
    let by = &context.reader;
    match event {
        Decision::Review | Decision::Recommend => {
            demand_not_submitter(grant, by.id)?;
            grant.demand_other(by.id, APPROVING)
        }
        Decision::Approve => {
            demand_not_submitter(grant, by.id)?;
            grant.demand_other(by.id, REVIEWING)
        }
        // Whoever may decide next may also send it back; nobody their own.
        Decision::Return | Decision::Reject => {
            match grant.state {
                State::Recommended => by.grant_approver().map(drop),
                _ => by.reviewer().map(drop),
            }?;
            demand_not_submitter(grant, by.id)
        }
        // Before money was promised whoever asked may take it back; afterwards only those who watch over the money.
        Decision::Cancel if !grant.state.holds_money() && grant.submitted_once(by.id) => Ok(()),
        Decision::Cancel => match by.releaser() {
            Ok(_) => Ok(()),
            Err(_) => by.grant_approver().map(drop),
        },
        Decision::Close => grant.demand_other(by.id, SUBMITTING),
    }
}

fn recommend(grant: &mut Grant, by: Uuid, score: Option<i64>) -> Result<&'static Told> {
    let score =
        score.filter(|score| (0..=100).contains(score)).ok_or_else(|| Error::invalid("score", "A score from 0 to 100."))?;
    if score < grant.policy.facts.score_least {
        let message = format!("A grant is recommended from a score of {}.", grant.policy.facts.score_least);
        return Err(Error::refused("score_too_low", message).field("score"));
    }
    (grant.reviewed_by, grant.review_score) = (Some(by), Some(score));
    if let Some(step) = grant.history.last_mut() {
        step.score = Some(score);
    }
    Ok(&kinds::GRANT_RECOMMENDED)
}

async fn approve(tx: &mut Tx, context: &Context, grant: &mut Grant, looked_at: Option<i64>) -> Result<&'static Told> {
    let by = &context.reader;
    let amount = grant.amount.amount_minor;
    if looked_at != Some(amount) {
        return Err(Error::refused("stale", "The amount is another than the one you looked at; look again."));
    }
    let limit = grant.policy.facts.manager_limit_minor.unwrap_or_default();
    if !by.capabilities.has(Capability::ApproveGrants) && amount > limit {
        return Err(Error::refused("over_limit", "This amount is above what this role may approve."));
    }
    (grant.approved_by, grant.approved_at) = (Some(by.id), Some(context.now));
    let parts = grant.policy.facts.parts(amount);
    grant.tranches = parts.into_iter().zip(1..).map(|(part, number)| scheduled(number, part)).collect();
    let movement = Movement { kind: Kind::Commit, amount_minor: amount, tranche: None, reference: "", reason: "" };
    budget::moved(tx, &context.actor(), grant, movement).await?;
    Ok(&kinds::GRANT_APPROVED)
}

/// A part whose money has still to go.
pub(super) fn scheduled(number: i64, amount_minor: i64) -> Tranche {
    Tranche {
        id: new_id(),
        number,
        amount_minor,
        state: TrancheState::Scheduled,
        method: None,
        reference: String::new(),
        released_by: None,
        released_on: None,
        released_at: None,
        acknowledgement: None,
        acknowledged_by: None,
        acknowledged_at: None,
        note: String::new(),
    }
}

/// Takes back what has left and nobody has received, and what was promised.
async fn cancel(tx: &mut Tx, context: &Context, grant: &mut Grant, was: State, reason: &str) -> Result<&'static Told> {
    if grant.tranches.iter().any(|part| part.acknowledgement.is_some() && part.state != TrancheState::Reversed) {
        let message = "A part of the money was received; take it back first, or let the grant go on.";
        return Err(Error::refused("received", message));
    }
    let actor = context.actor();
    for at in 0..grant.tranches.len() {
        let part = grant.tranches[at].clone();
        if part.state.is_out() {
            grant.tranches[at].state = part.state.transition(TrancheEvent::Reverse)?;
            reason.trim().clone_into(&mut grant.tranches[at].note);
            let movement = Movement {
                kind: Kind::Reverse,
                amount_minor: part.amount_minor,
                tranche: Some(part.id),
                reference: "",
                reason,
            };
            budget::moved(tx, &actor, grant, movement).await?;
        }
    }
    if was.holds_money() {
        let amount_minor = grant.amount.amount_minor;
        let movement = Movement { kind: Kind::Uncommit, amount_minor, tranche: None, reference: "", reason };
        budget::moved(tx, &actor, grant, movement).await?;
    }
    Ok(&kinds::GRANT_CANCELLED)
}

/// Those who had another part in it than releasing.
pub(super) const ALL_BUT_RELEASING: [&[Event]; 3] = [SUBMITTING, REVIEWING, APPROVING];
