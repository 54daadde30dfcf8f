//! What happens elsewhere moves the rungs: visits, groups, surveys, assessments and grants say so inside their own
//! transaction.

use uuid::Uuid;

use super::{Event, Milestone, State, ladder};
use crate::audit;
use crate::commands::Context;
use crate::db::Tx;
use crate::enrolments::{self, Enrolment};
use crate::error::Result;
use crate::feed::Locked;

/// Something that completes, starts or reopens a rung.
#[derive(Clone, Copy, Debug)]
pub struct Happening {
    /// Of the rung: 1 … 12.
    pub number: i64,
    pub event: Event,
    /// The kind of record that did it, and which one.
    pub cause: &'static str,
    pub subject: Uuid,
}

/// Moves the rung of these households, in this programme or in every one they take part in, wherever the machine allows
/// it; elsewhere nothing happens, so that to say it twice is harmless. The feed of `place`, the households' village, must be
/// locked.
pub async fn happened(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    place: Uuid,
    households: &[Uuid],
    programme: Option<Uuid>,
    happening: Happening,
) -> Result<()> {
    for household in households {
        for id in enrolments::store::climbing(tx, feeds.org, place, *household, programme).await? {
            let before = enrolments::store::current(tx, feeds.org, place, id).await?;
            if let Some(milestones) = reached(ladder(&before), context, happening) {
                reach(tx, context, feeds, &before, milestones).await?;
            }
        }
    }
    Ok(())
}

/// The ladder after it happened; nothing when it changes nothing.
pub fn reached(mut ladder: Vec<Milestone>, context: &Context, happening: Happening) -> Option<Vec<Milestone>> {
    let rung = ladder.iter_mut().find(|rung| rung.number == happening.number)?;
    // What a person skipped, no event opens again.
    if rung.state == State::Skipped {
        return None;
    }
    *rung = Milestone {
        number: rung.number,
        state: rung.state.transition(happening.event).ok()?,
        at: Some(context.now),
        by: Some(context.reader.id),
        reason: String::new(),
        cause: Some(happening.cause.into()),
        subject: Some(happening.subject),
    };
    Some(ladder)
}

async fn reach(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: &Enrolment,
    milestones: Vec<Milestone>,
) -> Result<()> {
    let (updated_at, revision) = (context.now, feeds.revision(before.place));
    let after = Enrolment { milestones, updated_at, revision, ..before.clone() };
    enrolments::store::put(tx, feeds, &after).await?;
    let change = (Some(before), Some(&after));
    audit::append(tx, feeds, before.place, &context.actor(), "milestone.reach", ("enrolment", before.id), change).await
}
