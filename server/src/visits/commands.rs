//! What can be done to a visit. Each command locks the visit's feed first, then looks again, then decides.

use serde_json::json;
use uuid::Uuid;

use super::machine::Event;
use super::{Approve, Cancel, Findings, Kind, Miss, Plan, REQUIRED_SLOTS, Return, Start, State, Submit, Visit, store};
use crate::auth::Member;
use crate::check;
use crate::clock::Millis;
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::media::evidence;
use crate::members::handover::was_theirs;
use crate::milestones::{self, Happening};
use crate::notifications::{self, Notice, kinds};
use crate::planted::Mistake;
use crate::{audit, households, members, scope, signatures};

pub async fn plan(tx: &mut Tx, context: &Context, body: Plan) -> Result<Applied> {
    let by = context.reader.planner()?;
    check::time("planned_at", Some(body.planned_at))?;
    if body.mentor != by.id {
        context.reader.team_planner()?;
    }
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    if body.mentor != by.id {
        members::store::demand_sees(tx, by.org, body.mentor, place).await?;
    }
    let mut feeds = feed::lock(tx, by.org, [place, body.mentor]).await?;
    if store::whereabouts(tx, by.org, body.id).await?.is_some() {
        return Err(Error::refused("exists", "A visit with this id is there already."));
    }
    if households::store::feed_of(tx, by.org, body.household).await? != place {
        return Err(Error::unavailable("The household has just moved to another place. Try again."));
    }
    let mut visit = blank(context, body.id, body.household, place, body.mentor, body.kind, State::Planned);
    visit.planned_at = Some(body.planned_at);
    if body.mentor != by.id {
        let notice =
            Notice { kind: &kinds::VISIT_PLANNED, member: body.mentor, subject: ("visit", visit.id), params: json!({}) };
        tell(tx, context, &feeds, &visit, notice).await?;
    }
    save(tx, context, &mut feeds, None, visit, "visit.plan").await
}

pub async fn start(tx: &mut Tx, context: &Context, body: Start) -> Result<Applied> {
    context.reader.recorder()?;
    check::time("started_at", Some(body.started_at))?;
    let (mut feeds, before) = own(tx, context, body.id, []).await?;
    let mut visit = before.clone();
    visit.state = visit.state.transition(Event::Start)?;
    visit.findings.started_at = Some(body.started_at);
    save(tx, context, &mut feeds, Some(before), visit, "visit.start").await
}

pub async fn cancel(tx: &mut Tx, context: &Context, body: Cancel) -> Result<Applied> {
    close(tx, context, body.id, body.reason, Event::Cancel, "visit.cancel").await
}

pub async fn miss(tx: &mut Tx, context: &Context, body: Miss) -> Result<Applied> {
    close(tx, context, body.id, body.reason, Event::Miss, "visit.miss").await
}

async fn close(tx: &mut Tx, context: &Context, id: Uuid, reason: String, event: Event, action: &str) -> Result<Applied> {
    context.reader.planner()?;
    note("reason", &reason)?;
    let (mut feeds, before) = own(tx, context, id, []).await?;
    let mut visit = before.clone();
    visit.state = visit.state.transition(event)?;
    visit.note = Some(reason.trim().into());
    save(tx, context, &mut feeds, Some(before), visit, action).await
}

pub async fn submit(tx: &mut Tx, context: &Context, body: Submit) -> Result<Applied> {
    let by = context.reader.recorder()?;
    body.findings.check()?;
    let known = store::whereabouts(tx, by.org, body.id).await?;
    let place = match &known {
        Some(known) if known.household != body.household => {
            return Err(Error::refused("other_household", "This visit belongs to another household."));
        }
        Some(known) => known.feed,
        None => households::store::feed_of(tx, by.org, body.household).await?,
    };
    // Nobody is told of a household in a village they do not see.
    let supervisor = match members::store::supervisor_of(tx, by.org, by.id).await? {
        Some(supervisor) if members::store::demand_sees(tx, by.org, supervisor, place).await.is_ok() => Some(supervisor),
        _ => None,
    };
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let mut feeds = feed::lock(tx, by.org, [Some(place), supervisor].into_iter().flatten()).await?;
    let before = match known {
        Some(_) => Some(store::current(tx, by.org, place, body.id).await?),
        None => None,
    };
    let mut visit = match &before {
        Some(before) if before.mentor != by.id && !was_theirs(tx, by.org, before.id, by.id).await? => {
            return Err(Error::forbidden("This is another mentor's visit."));
        }
        // Whoever made it stands in it, also when it had been handed over meanwhile.
        Some(before) => {
            Visit { state: before.state.transition(Event::Submit)?, kind: body.kind, mentor: by.id, ..before.clone() }
        }
        None => {
            let mut visit = blank(context, body.id, body.household, place, by.id, body.kind, State::Submitted);
            visit.planned_at = body.planned_at;
            visit
        }
    };
    visit.findings = body.findings;
    visit.round += 1;
    visit.submitted_at = Some(context.now);
    let subject = ("visit", visit.id);
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, place, subject, capture).await?;
    }
    if let Some(signed) = body.signature {
        signatures::receive(tx, context, &mut feeds, place, subject, signed).await?;
    }
    demand_evidence(tx, by.org, visit.id).await?;
    touch_household(tx, context, &feeds, &visit).await?;
    if let Some(supervisor) = supervisor {
        let notice = Notice { kind: &kinds::VISIT_SUBMITTED, member: supervisor, subject, params: json!({}) };
        tell(tx, context, &feeds, &visit, notice).await?;
    }
    save(tx, context, &mut feeds, before, visit, "visit.submit").await
}

pub async fn approve(tx: &mut Tx, context: &Context, body: Approve) -> Result<Applied> {
    decide(tx, context, body.id, body.revision, Event::Approve, None).await
}

pub async fn send_back(tx: &mut Tx, context: &Context, body: Return) -> Result<Applied> {
    note("note", &body.note)?;
    decide(tx, context, body.id, body.revision, Event::Return, Some(body.note.trim().into())).await
}

async fn decide(
    tx: &mut Tx,
    context: &Context,
    id: Uuid,
    revision: i64,
    event: Event,
    note: Option<String>,
) -> Result<Applied> {
    let by = context.reader.approver()?;
    let known = store::whereabouts(tx, by.org, id).await?.ok_or_else(|| Error::not_found("visit"))?;
    scope::demand_household(tx, context, known.household, known.feed, "visit").await?;
    if known.mentor == by.id {
        return Err(Error::refused("own_visit", "Nobody decides on their own visit."));
    }
    let mut feeds = feed::lock(tx, by.org, [known.feed, known.mentor]).await?;
    let before = store::current(tx, by.org, known.feed, id).await?;
    if before.revision != revision {
        return Err(Error::refused("stale", "The visit has changed since you looked at it; look again."));
    }
    let mut visit = before.clone();
    visit.state = visit.state.transition(event)?;
    visit.note.clone_from(&note);
    visit.decided_by = Some(by.id);
    visit.decided_at = Some(context.now);
    let (kind, action) = match event {
        Event::Approve => (&kinds::VISIT_APPROVED, "visit.approve"),
        _ => (&kinds::VISIT_RETURNED, "visit.return"),
    };
    let params = json!({ "note": note });
    if members::store::demand_sees(tx, by.org, visit.mentor, visit.place).await.is_ok() {
        tell(tx, context, &feeds, &visit, Notice { kind, member: visit.mentor, subject: ("visit", id), params }).await?;
    }
    if event == Event::Approve {
        reach(tx, context, &mut feeds, &visit).await?;
    }
    save(tx, context, &mut feeds, Some(before), visit, action).await
}

/// What a visit that somebody looked at completes of the household's ladder.
async fn reach(tx: &mut Tx, context: &Context, feeds: &mut Locked, visit: &Visit) -> Result<()> {
    let found = &visit.findings;
    let trained = found.topics.iter().any(|topic| topic == "training");
    let operating = matches!(found.business_status.as_deref(), Some("thriving" | "stable"));
    for number in [trained.then_some(1), operating.then_some(6)].into_iter().flatten() {
        let reached = Happening { number, event: milestones::Event::Complete, cause: "visit", subject: visit.id };
        milestones::happened(tx, context, feeds, visit.place, &[visit.household], None, reached).await?;
    }
    Ok(())
}

/// The visit that its own mentor (or a supervisor of the place) changes, with its feed locked.
async fn own(tx: &mut Tx, context: &Context, id: Uuid, further: impl IntoIterator<Item = Uuid>) -> Result<(Locked, Visit)> {
    let by: &Member = &context.reader;
    let known = store::whereabouts(tx, by.org, id).await?.ok_or_else(|| Error::not_found("visit"))?;
    scope::demand_household(tx, context, known.household, known.feed, "visit").await?;
    let theirs = known.mentor == by.id || context.app.planted.has(Mistake::ForgetAuthor);
    let theirs = theirs || was_theirs(tx, by.org, id, by.id).await?;
    if !theirs && context.reader.team_planner().is_err() {
        return Err(Error::forbidden("This is another mentor's visit."));
    }
    let feeds = feed::lock(tx, by.org, further.into_iter().chain([known.feed])).await?;
    let visit = store::current(tx, by.org, known.feed, id).await?;
    Ok((feeds, visit))
}

fn blank(context: &Context, id: Uuid, household: Uuid, place: Uuid, mentor: Uuid, kind: Kind, state: State) -> Visit {
    Visit {
        id,
        number: Some(context.number.clone()),
        household,
        place,
        mentor,
        state,
        kind,
        planned_at: None,
        findings: Findings::default(),
        note: None,
        decided_by: None,
        decided_at: None,
        round: 0,
        submitted_at: None,
        created_at: context.now,
        updated_at: context.now,
        revision: 0,
    }
}

async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Option<Visit>,
    mut visit: Visit,
    action: &str,
) -> Result<Applied> {
    let place = visit.place;
    visit.updated_at = context.now;
    visit.revision = feeds.revision(place);
    store::put(tx, feeds, &visit).await?;
    let change = (before.as_ref(), Some(&visit));
    audit::append(tx, feeds, place, &context.actor(), action, ("visit", visit.id), change).await?;
    Applied::to(visit.id, visit.revision)
}

/// Every required slot has evidence (of this round or an earlier one) or a signature.
async fn demand_evidence(tx: &mut Tx, org: Uuid, visit: Uuid) -> Result<()> {
    let rows: Vec<(String,)> = tx
        .query(
            "SELECT slot FROM evidence WHERE org = $1 AND subject = $2 AND state <> 'quarantined'
             UNION SELECT 'signature' FROM signature WHERE org = $1 AND subject = $2",
        )
        .bind(org)
        .bind(visit)
        .all()
        .await?;
    let missing: Vec<_> = REQUIRED_SLOTS.iter().filter(|slot| !rows.iter().any(|(s,)| s == **slot)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Missing: {}.", missing.iter().map(|s| **s).collect::<Vec<_>>().join(", "));
    Err(Error::refused("evidence_missing", message).details(json!({ "slots": missing })))
}

/// The household shows when it was last visited.
async fn touch_household(tx: &mut Tx, context: &Context, feeds: &Locked, visit: &Visit) -> Result<()> {
    let crypto = &context.app.crypto;
    let mut household = households::store::current(tx, crypto, feeds.org, visit.place, visit.household).await?;
    // A phone's clock may be ahead; nobody was visited in the future.
    let visited: Option<Millis> = visit.findings.started_at.map(|at| at.min(context.now));
    if household.last_visit_at < visited {
        household.last_visit_at = visited;
        household.revision = feeds.revision(visit.place);
        households::store::put(tx, crypto, feeds, &household).await?;
    }
    // Also the one that it was found to be, when both live in one village.
    if let Some(kept) = household.merged_into
        && households::store::feed_of(tx, feeds.org, kept).await? == visit.place
    {
        let mut kept = households::store::current(tx, crypto, feeds.org, visit.place, kept).await?;
        if kept.last_visit_at < visited {
            kept.last_visit_at = visited;
            kept.revision = feeds.revision(visit.place);
            households::store::put(tx, crypto, feeds, &kept).await?;
        }
    }
    Ok(())
}

/// An inbox entry with the names that the app (not the lock screen) may show.
async fn tell(tx: &mut Tx, context: &Context, feeds: &Locked, visit: &Visit, mut notice: Notice<'_>) -> Result<()> {
    let household = households::store::current(tx, &context.app.crypto, feeds.org, visit.place, visit.household).await?;
    notice.params["household_name"] = household.facts.head_name.into();
    notice.params["by_name"] = context.reader.name.clone().into();
    notice.params["visit_number"] = visit.number.clone().into();
    notifications::notify(tx, context.now, feeds, notice).await
}

fn note(field: &str, text: &str) -> Result<()> {
    if text.trim().chars().count() < 3 {
        return Err(Error::invalid(field, "Say in a few words why."));
    }
    check::text(field, text, 2000)
}
