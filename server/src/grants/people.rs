//! Who may do what with a grant: whoever submitted, reviewed, approved and released it are different people, whatever else
//! they are; and who is told.

use serde_json::json;
use uuid::Uuid;

use super::{Event, Grant};
use crate::auth::{Capabilities, Capability};
use crate::clock::Millis;
use crate::commands::Context;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::notifications::{self, Kind, Notice};
use crate::{groups, households, members};

impl Grant {
    fn did(&self, member: Uuid, events: &[Event]) -> bool {
        self.history.iter().any(|step| step.by == Some(member) && events.contains(&step.event))
    }

    /// Whether this member ever submitted it.
    pub fn submitted_once(&self, member: Uuid) -> bool {
        self.did(member, &[Event::Submit])
    }

    /// Whether a member with these capabilities may approve it as it stands: the amount within the limit of their role, and
    /// no other part in it.
    pub fn may_be_approved_by(&self, member: Uuid, capabilities: Capabilities) -> bool {
        let limit = self.policy.facts.manager_limit_minor.unwrap_or_default();
        let within = capabilities.has(Capability::ApproveWithin) && self.amount.amount_minor <= limit;
        (capabilities.has(Capability::ApproveGrants) || within)
            && !self.did(member, SUBMITTING)
            && !self.did(member, REVIEWING)
    }

    /// This member has had no other part in it.
    ///
    /// # Errors
    /// 422 `same_person`.
    pub(super) fn demand_other(&self, member: Uuid, events: &[Event]) -> Result<()> {
        match self.did(member, events) {
            true => Err(Error::refused(
                "same_person",
                "Whoever submits, reviews, approves and releases a grant are different people.",
            )),
            false => Ok(()),
        }
    }
}

/// The events of each part that is kept apart.
pub(super) const SUBMITTING: &[Event] = &[Event::Submit];
pub(super) const REVIEWING: &[Event] = &[Event::Review, Event::Recommend];
pub(super) const APPROVING: &[Event] = &[Event::Approve];

/// Tells a member of a grant, if they see its village. Their feed must be locked.
pub(super) async fn tell(
    tx: &mut Tx,
    context: &Context,
    feeds: &Locked,
    grant: &Grant,
    kind: &'static Kind,
    to: Uuid,
    note: &str,
) -> Result<()> {
    say(tx, (context.now, &context.reader.name), feeds, grant, kind, to, note).await
}

/// As [`tell`], by somebody or by time.
pub(super) async fn say(
    tx: &mut Tx,
    (now, by_name): (Millis, &str),
    feeds: &Locked,
    grant: &Grant,
    kind: &'static Kind,
    to: Uuid,
    note: &str,
) -> Result<()> {
    if members::store::demand_sees(tx, feeds.org, to, grant.place).await.is_err() {
        return Ok(());
    }
    let crypto = tx.crypto.clone();
    let who = match (grant.household, grant.group) {
        (Some(id), _) => households::store::current(tx, &crypto, feeds.org, grant.place, id).await?.facts.head_name,
        (_, Some(id)) => groups::store::current(tx, feeds.org, grant.place, id).await?.name,
        _ => String::new(),
    };
    let params = json!({
        "who": who, "grant_number": grant.number, "note": note, "amount_minor": grant.amount.amount_minor,
        "by_name": by_name,
    });
    notifications::notify(tx, now, feeds, Notice { kind, member: to, subject: ("grant", grant.id), params }).await
}

/// Who looks after this member's work, if there is somebody.
pub(super) async fn supervisor(tx: &mut Tx, org: Uuid, member: Uuid) -> Result<Option<Uuid>> {
    Ok(members::store::supervisor_of(tx, org, member).await?.filter(|supervisor| *supervisor != member))
}
