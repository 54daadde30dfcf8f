//! Who is told of a step: the mentor of a decision, the next mentor of what was handed to them, the supervisor of a home to
//! be seen.

use serde_json::json;
use uuid::Uuid;

use super::store::Whereabouts;
use super::{Enrolment, Event, Move};
use crate::auth::Member;
use crate::commands::Context;
use crate::db::Tx;
use crate::error::Result;
use crate::feed::Locked;
use crate::notifications::{self, Notice, kinds};
use crate::{households, members};

/// Whom the step concerns. Nobody is told of what they do themselves, nor of a household in a village they do not see.
pub async fn audience(tx: &mut Tx, by: &Member, known: &Whereabouts, body: &Move) -> Result<Option<Uuid>> {
    let member = match body.event {
        Event::Approve | Event::Reject | Event::Waitlist => Some(known.mentor),
        Event::SendToVerify => members::store::supervisor_of(tx, by.org, known.mentor).await?,
        Event::Transfer => body.mentor,
        _ => None,
    };
    match member.filter(|member| *member != by.id) {
        Some(member) if members::store::demand_sees(tx, by.org, member, known.feed).await.is_ok() => Ok(Some(member)),
        _ => Ok(None),
    }
}

/// Writes the notice. The member's feed must be locked.
pub async fn tell(
    tx: &mut Tx,
    context: &Context,
    feeds: &Locked,
    enrolment: &Enrolment,
    (event, member): (Event, Uuid),
) -> Result<()> {
    let kind = match event {
        Event::Approve => &kinds::ENROLMENT_APPROVED,
        Event::Reject => &kinds::ENROLMENT_REJECTED,
        Event::Waitlist => &kinds::ENROLMENT_WAITLISTED,
        Event::SendToVerify => &kinds::ENROLMENT_TO_VERIFY,
        _ => &kinds::ENROLMENT_HANDED_OVER,
    };
    let crypto = &context.app.crypto;
    let household = households::store::current(tx, crypto, feeds.org, enrolment.place, enrolment.household).await?;
    let note = enrolment.history.last().map(|step| step.reason.clone()).filter(|reason| !reason.is_empty());
    let params = json!({ "household_name": household.facts.head_name, "by_name": context.reader.name, "note": note });
    let notice = Notice { kind, member, subject: ("enrolment", enrolment.id), params };
    notifications::notify(tx, context.now, feeds, notice).await
}
