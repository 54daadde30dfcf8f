//! Moving a rung by hand: with a reason, while the household takes part.

use super::{Milestone, Move, ladder};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::enrolments::{self, Enrolment};
use crate::error::{Error, Result};
use crate::{audit, check, feed, scope};

pub async fn change(tx: &mut Tx, context: &Context, body: Move) -> Result<Applied> {
    let by = context.reader.clone();
    // Who may do neither learns nothing; which of the two is asked for, only the record says.
    if by.enroller().is_err() {
        by.assessor()?;
    }
    check::text("reason", &body.reason, 2000)?;
    let known =
        enrolments::store::whereabouts(tx, by.org, body.enrolment).await?.ok_or_else(|| Error::not_found("enrolment"))?;
    scope::demand_then(tx, context, known.feed, "enrolment").await?;
    let mut feeds = feed::lock(tx, by.org, [known.feed]).await?;
    let before = enrolments::store::current(tx, by.org, known.feed, body.enrolment).await?;
    if body.event.is_a_decision() || before.mentor != by.id {
        by.enroller()?;
    }
    if before.state != enrolments::State::Active {
        let message = format!("Not possible while the enrolment is {}.", before.state.as_str());
        return Err(Error::refused("wrong_state", message));
    }
    let mut milestones = ladder(&before);
    let rung = milestones.iter_mut().find(|rung| rung.number == body.number);
    let rung = rung.ok_or_else(|| Error::invalid("number", "There is no such milestone."))?;
    let state = rung.state.transition(body.event)?;
    if body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    *rung = Milestone {
        number: rung.number,
        state,
        at: Some(context.now),
        by: Some(by.id),
        reason: body.reason.trim().into(),
        cause: None,
        subject: None,
    };
    let (updated_at, revision) = (context.now, feeds.revision(known.feed));
    let after = Enrolment { milestones, updated_at, revision, ..before.clone() };
    enrolments::store::put(tx, &feeds, &after).await?;
    let change = (Some(&before), Some(&after));
    audit::append(tx, &mut feeds, known.feed, &context.actor(), "milestone.move", ("enrolment", after.id), change).await?;
    Applied::to(after.id, after.revision)
}
