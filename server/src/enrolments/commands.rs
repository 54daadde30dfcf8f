//! What can be done to an enrolment. Each command locks the household's feed first, then looks again, then decides.

use uuid::Uuid;

use super::{Apply, Enrolment, Event, Move, State, Step, VERIFICATION_SLOT, notices, store};
use crate::assessments::{self, Qualification, Stage};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::media::evidence;
use crate::milestones::{self, Happening, Milestone};
use crate::programmes::{self, Status};
use crate::{audit, check, consents, groups, households, members, scope};

pub async fn apply(tx: &mut Tx, context: &Context, body: Apply) -> Result<Applied> {
    let by = context.reader.assessor()?;
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let mut feeds = households::store::lock_family(tx, by.org, body.household, place).await?;
    let programme = programmes::store::current(tx, by.org, body.programme).await?;
    if programme.status != Status::Open {
        return Err(Error::refused("programme_closed", "This programme takes no applications."));
    }
    if let Some(cycle) = body.cycle {
        programmes::store::demand_cycle(tx, by.org, body.programme, cycle).await?;
    }
    let assessment = assessments::store::current(tx, by.org, place, body.assessment).await?;
    if (assessment.household, assessment.programme) != (body.household, body.programme) {
        return Err(Error::refused("other_household", "This assessment is of another household or programme."));
    }
    if assessment.stage != Stage::Baseline {
        return Err(Error::refused("not_baseline", "A household applies on the ground of its first assessment."));
    }
    if assessment.qualification == Qualification::NotQualified {
        return Err(Error::refused("not_qualified", "By this assessment the household is not eligible."));
    }
    if consents::store::withdrawn(tx, by.org, body.household).await? {
        return Err(Error::refused("consent_withdrawn", "This household has withdrawn its consent."));
    }
    if store::under_way(tx, by.org, body.household, body.programme).await? {
        return Err(Error::refused("enrolled", "This household has applied for this programme already."));
    }
    let enrolment = Enrolment {
        id: body.id,
        number: Some(context.number.clone()),
        household: body.household,
        place,
        programme: body.programme,
        cycle: body.cycle,
        mentor: by.id,
        assessment: body.assessment,
        assessed_by: assessment.assessed_by,
        state: State::Applied,
        verified_by: None,
        verified_at: None,
        position: None,
        approved_by: None,
        approved_at: None,
        to_mentor: None,
        history: vec![Step { event: None, state: State::Applied, by: by.id, at: context.now, reason: String::new() }],
        milestones: vec![],
        created_at: context.now,
        updated_at: context.now,
        revision: 0,
    };
    store::add(tx, &feeds, &enrolment).await?;
    save(tx, context, &mut feeds, None, enrolment, "enrolment.apply").await
}

pub async fn change(tx: &mut Tx, context: &Context, body: Move) -> Result<Applied> {
    let by = context.reader.clone();
    // Who may do neither learns nothing; which of the two is asked for, only the record says.
    if by.enroller().is_err() {
        by.assessor()?;
    }
    check::text("reason", &body.reason, 2000)?;
    let known = store::whereabouts(tx, by.org, body.id).await?.ok_or_else(|| Error::not_found("enrolment"))?;
    scope::demand_household(tx, context, known.household, known.feed, "enrolment").await?;
    let told = notices::audience(tx, &by, &known, &body).await?;
    let mut feeds = feed::lock(tx, by.org, told.into_iter().chain([known.feed])).await?;
    let before = store::current(tx, by.org, known.feed, body.id).await?;
    permit(tx, context, &before, body.event).await?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The enrolment has changed since you looked at it; look again."));
    }
    let mut after = before.clone();
    after.state = before.state.transition(body.event)?;
    if body.event.needs_reason() && body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    match body.event {
        Event::Verify => verify(tx, context, &mut feeds, &mut after, &body).await?,
        Event::Approve => (after.approved_by, after.approved_at) = (Some(by.id), Some(context.now)),
        Event::Activate => after.milestones = first_rungs(tx, context, &before).await?,
        Event::Graduate => demand_ready(tx, &before, by.org).await?,
        Event::Transfer => after.to_mentor = Some(successor(tx, &before, by.org, body.mentor).await?),
        Event::TakeOver => (after.mentor, after.to_mentor) = (by.id, None),
        _ => {}
    }
    let reason = body.reason.trim().to_owned();
    after.history.push(Step { event: Some(body.event), state: after.state, by: by.id, at: context.now, reason });
    let places = i64::from(after.state.holds_a_place()) - i64::from(before.state.holds_a_place());
    if let Some(member) = told {
        notices::tell(tx, context, &feeds, &after, (body.event, member)).await?;
    }
    let applied = save(tx, context, &mut feeds, Some(&before), after, "enrolment.move").await?;
    if places != 0 {
        programmes::store::take(tx, by.org, before.programme, places).await?;
    }
    Ok(applied)
}

/// Mentors withdraw their own and take over what was handed to them; all else is decided by others. Whoever assessed the
/// household, or is its mentor, never gives the second look, whatever else they are.
async fn permit(tx: &mut Tx, context: &Context, enrolment: &Enrolment, event: Event) -> Result<()> {
    let by = &context.reader;
    match event {
        Event::TakeOver if enrolment.to_mentor == Some(by.id) => by.assessor().map(drop),
        Event::TakeOver => Err(Error::forbidden("Only the mentor to whom it was handed takes over.")),
        Event::Withdraw if enrolment.mentor == by.id => by.assessor().map(drop),
        _ => {
            by.enroller()?;
            let theirs = enrolment.mentor == by.id
                || assessments::store::assessed(tx, by.org, enrolment.household, enrolment.programme, by.id).await?;
            match event.is_a_second_look() && theirs {
                true => Err(Error::refused("own_assessment", "Whoever assessed a household does not decide on it.")),
                false => Ok(()),
            }
        }
    }
}

/// The ladder begins; a household that is in a group already has reached the second milestone.
async fn first_rungs(tx: &mut Tx, context: &Context, before: &Enrolment) -> Result<Vec<Milestone>> {
    let org = context.reader.org;
    let milestones = milestones::begin(before, context.now, context.reader.id);
    let Some(subject) = groups::store::of_household(tx, org, before.household, before.programme).await? else {
        return Ok(milestones);
    };
    let formed = Happening { number: 2, event: milestones::Event::Complete, cause: "group", subject };
    Ok(milestones::reached(milestones.clone(), context, formed).unwrap_or(milestones))
}

/// Every milestone is done, and where the programme assesses its graduates, the latest assessment found the household ready.
async fn demand_ready(tx: &mut Tx, before: &Enrolment, org: Uuid) -> Result<()> {
    milestones::demand_done(before)?;
    let programme = programmes::store::current(tx, org, before.programme).await?;
    match programme.graduation_instrument {
        Some(_) => assessments::store::demand_ready(tx, org, before.household, before.programme).await,
        None => Ok(()),
    }
}

/// Somebody was at the home: the picture of the place, and where it was taken.
async fn verify(tx: &mut Tx, context: &Context, feeds: &mut Locked, after: &mut Enrolment, body: &Move) -> Result<()> {
    let position = body.position.clone().unwrap_or_default();
    position.check()?;
    if !body.evidence.iter().any(|capture| capture.slot == VERIFICATION_SLOT) {
        let message = "Missing: a picture of the place.";
        return Err(Error::refused("evidence_missing", message).details(serde_json::json!({ "slots": [VERIFICATION_SLOT] })));
    }
    for capture in body.evidence.clone() {
        evidence::announce(tx, context, feeds, after.place, ("enrolment", after.id), capture).await?;
    }
    after.position = Some(position);
    (after.verified_by, after.verified_at) = (Some(context.reader.id), Some(context.now));
    Ok(())
}

/// Another mentor, who sees the household's village.
async fn successor(tx: &mut Tx, before: &Enrolment, org: Uuid, mentor: Option<Uuid>) -> Result<Uuid> {
    let to = mentor.filter(|to| *to != before.mentor).ok_or_else(|| Error::invalid("mentor", "Say which other mentor."))?;
    members::store::demand_sees(tx, org, to, before.place).await?;
    Ok(to)
}

async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Option<&Enrolment>,
    mut enrolment: Enrolment,
    action: &str,
) -> Result<Applied> {
    let place = enrolment.place;
    enrolment.updated_at = context.now;
    enrolment.revision = feeds.revision(place);
    store::put(tx, feeds, &enrolment).await?;
    let change = (before, Some(&enrolment));
    audit::append(tx, feeds, place, &context.actor(), action, ("enrolment", enrolment.id), change).await?;
    Applied::to(enrolment.id, enrolment.revision)
}
