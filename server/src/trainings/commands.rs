//! What can be done to a session. Each command locks the village's feed first, then looks again, then decides.

use serde_json::json;
use uuid::Uuid;

use super::machine::Event;
use super::{Cancel, Change, Hold, Plan, Schedule, Seat, State, Training, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::milestones::{self, Happening};
use crate::{audit, check, enrolments, households, members, places, scope};

pub async fn schedule(tx: &mut Tx, context: &Context, body: Schedule) -> Result<Applied> {
    let by = context.reader.registrar()?;
    body.plan.check()?;
    let mut feeds = places::lock_village(tx, context, body.place).await?;
    let module = store::module(tx, by.org, body.module).await?;
    if !module.facts.active {
        return Err(Error::refused("module_closed", "No trainings are planned of this module any more.").field("module"));
    }
    let mut training = Training {
        id: body.id,
        number: Some(context.number.clone()),
        place: body.place,
        module: body.module,
        venue: String::new(),
        starts_at: 0,
        ends_at: 0,
        capacity: 0,
        trainer: by.id,
        seats: vec![],
        lacking: vec![],
        state: State::Scheduled,
        reason: String::new(),
        planned_by: by.id,
        planned_at: context.now,
        planned_revision: 0,
        held_by: None,
        held_at: None,
        created_at: context.now,
        updated_at: context.now,
        revision: 0,
    };
    planned(tx, context, &feeds, &mut training, body.plan).await?;
    store::add(tx, &feeds, &training).await?;
    save(tx, context, &mut feeds, None, training, "training.schedule").await
}

pub async fn change(tx: &mut Tx, context: &Context, body: Change) -> Result<Applied> {
    context.reader.registrar()?;
    body.plan.check()?;
    let (mut feeds, before) = opened(tx, context, body.id).await?;
    let mut training = before.clone();
    training.state = training.state.transition(Event::Change)?;
    if training.planned_revision != body.planned_revision {
        return Err(Error::refused("stale", "The training has changed since you looked at it; look again."));
    }
    planned(tx, context, &feeds, &mut training, body.plan).await?;
    save(tx, context, &mut feeds, Some(&before), training, "training.change").await
}

pub async fn cancel(tx: &mut Tx, context: &Context, body: Cancel) -> Result<Applied> {
    context.reader.registrar()?;
    check::text("reason", &body.reason, 2000)?;
    let (mut feeds, before) = opened(tx, context, body.id).await?;
    let mut training = before.clone();
    training.state = training.state.transition(Event::Cancel)?;
    if body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    training.reason = body.reason.trim().into();
    save(tx, context, &mut feeds, Some(&before), training, "training.cancel").await
}

pub async fn hold(tx: &mut Tx, context: &Context, body: Hold) -> Result<Applied> {
    let by = context.reader.registrar()?;
    let (mut feeds, before) = opened(tx, context, body.id).await?;
    let mut training = before.clone();
    training.state = training.state.transition(Event::Hold)?;
    if training.seats.iter().all(|seat| seat.mark.is_none()) {
        return Err(Error::refused("roll_empty", "Record first who was there."));
    }
    (training.held_by, training.held_at) = (Some(by.id), Some(context.now));
    reach(tx, context, &mut feeds, &training, &training.present()).await?;
    save(tx, context, &mut feeds, Some(&before), training, "training.hold").await
}

/// The session as it is, with its feed locked.
pub(super) async fn opened(tx: &mut Tx, context: &Context, id: Uuid) -> Result<(Locked, Training)> {
    let org = context.reader.org;
    let feed = store::feed_of(tx, org, id).await?;
    scope::demand_then(tx, context, feed, "training").await?;
    let feeds = feed::lock(tx, org, [feed]).await?;
    let training = store::current(tx, org, feed, id).await?;
    Ok((feeds, training))
}

/// Takes over a plan: those invited are of the village and take part, and who lacks the prerequisite stands in the record.
async fn planned(tx: &mut Tx, context: &Context, feeds: &Locked, training: &mut Training, plan: Plan) -> Result<()> {
    let org = feeds.org;
    let new: Vec<Uuid> =
        plan.households.iter().copied().filter(|one| training.seats.iter().all(|seat| seat.household != *one)).collect();
    for household in &new {
        // One that is not in this village is nobody's business here, whether it exists or not.
        let there = households::store::feed_of(tx, org, *household).await;
        if there.as_ref().ok() != Some(&training.place) {
            let message = "Those invited live in the village of the training.";
            return Err(Error::refused("other_village", message).field("households"));
        }
        enrolments::store::demand_participant(tx, org, *household).await?;
    }
    if let Some(seat) = training.seats.iter().find(|seat| seat.mark.is_some() && !plan.households.contains(&seat.household))
    {
        let message = "Of a household that was recorded in the roll the invitation stays.";
        return Err(Error::refused("attended", message)
            .field("households")
            .details(json!({ "households": [seat.household] })));
    }
    if training.trainer != plan.trainer || training.created_at == context.now {
        members::store::demand_sees(tx, org, plan.trainer, training.place).await.map_err(|error| error.field("trainer"))?;
    }
    let lacking = store::lacking(tx, org, training.module, &plan.households).await?;
    // Whoever was already invited like that was shown then.
    let unseen: Vec<Uuid> = lacking.iter().copied().filter(|one| !training.lacking.contains(one)).collect();
    if !unseen.is_empty() && !plan.despite_prerequisite {
        let message = format!("{} of those invited have not attended the training that comes before.", unseen.len());
        let error = Error::refused("prerequisite_missing", message).field("households");
        return Err(error.details(json!({ "households": unseen })));
    }
    let mut seats = std::mem::take(&mut training.seats);
    seats.retain(|seat| plan.households.contains(&seat.household));
    seats.extend(new.into_iter().map(Seat::of));
    *training = Training {
        capacity: plan.seats(),
        venue: plan.venue.trim().into(),
        starts_at: plan.starts_at,
        ends_at: plan.ends_at,
        trainer: plan.trainer,
        seats,
        lacking,
        planned_by: context.reader.id,
        planned_at: context.now,
        planned_revision: feeds.revision(training.place),
        ..training.clone()
    };
    Ok(())
}

/// Those who were at a training have reached the first milestone.
pub(super) async fn reach(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    training: &Training,
    present: &[Uuid],
) -> Result<()> {
    let reached = Happening { number: 1, event: milestones::Event::Complete, cause: "training", subject: training.id };
    milestones::happened(tx, context, feeds, training.place, present, None, reached).await
}

pub(super) async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Option<&Training>,
    mut training: Training,
    action: &str,
) -> Result<Applied> {
    let place = training.place;
    (training.updated_at, training.revision) = (context.now, feeds.revision(place));
    store::put(tx, feeds, &training).await?;
    let change = (before, Some(&training));
    audit::append(tx, feeds, place, &context.actor(), action, ("training", training.id), change).await?;
    Applied::to(training.id, training.revision)
}

/// A household that moves away is no longer invited to what is still to come in its old village.
pub async fn leave(tx: &mut Tx, context: &Context, feeds: &mut Locked, from: Uuid, household: Uuid) -> Result<()> {
    for id in store::to_come(tx, feeds.org, from, household).await? {
        let before = store::current(tx, feeds.org, from, id).await?;
        let mut training = before.clone();
        training.seats.retain(|seat| seat.household != household || seat.mark.is_some());
        training.lacking.retain(|one| training.seats.iter().any(|seat| seat.household == *one));
        save(tx, context, feeds, Some(&before), training, "training.change").await?;
    }
    Ok(())
}
