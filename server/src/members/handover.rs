//! Handing over: a mentor's places and open visits go to another in one step; unsent work of the first still arrives.

use poem_openapi::Object;
use serde_json::json;
use uuid::Uuid;

use super::{MemberChange, Person, store};
use crate::audit::{self, Actor};
use crate::auth::Capability;
use crate::auth::roles::Kept;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::visits::{self, Visit};
use crate::{feed, scope};

#[derive(Clone, Object)]
pub struct HandOver {
    /// Who takes over.
    pub to: Uuid,
    /// The one who hands over leaves: their sessions end.
    pub leaves: bool,
}

/// What went from one to the other.
#[derive(Object)]
pub struct HandedOver {
    pub places: i64,
    /// Planned, begun and returned visits.
    pub visits: i64,
    pub from: Person,
    pub to: Person,
}

pub async fn hand_over(tx: &mut Tx, actor: &Actor, from: Uuid, over: HandOver) -> Result<HandedOver> {
    let org = actor.org;
    let (giver, taker) = (person(tx, org, from).await?, person(tx, org, over.to).await?);
    if from == over.to {
        return Err(Error::invalid("to", "Choose another member."));
    }
    if !taker.active || !records(tx, org, over.to).await? {
        return Err(Error::invalid("to", "This member does not record visits."));
    }
    let open: Vec<(Uuid, Uuid)> = tx
        .query(
            "SELECT id, feed FROM visit WHERE org = $1 AND mentor = $2 AND state IN ('planned', 'in_progress', 'returned')
             ORDER BY id",
        )
        .bind(org)
        .bind(from)
        .all()
        .await?;
    let mut feeds = feed::lock(tx, org, open.iter().map(|(_, feed)| *feed).chain([org])).await?;
    for (id, place) in &open {
        hand_visit(tx, actor, &mut feeds, (*place, *id), (from, over.to)).await?;
    }
    let what = json!({ "to": over.to, "places": giver.places, "visits": open.len(), "leaves": over.leaves });
    let change = (None::<&serde_json::Value>, Some(&what));
    audit::append(tx, &mut feeds, org, actor, "member.hand_over", ("person", from), change).await?;
    let mut places = taker.places.clone();
    places.extend(giver.places.iter().filter(|place| !taker.places.contains(place)));
    let to = store::set(tx, actor, over.to, change_of(&taker, places, true), "member.change").await?;
    let from = store::set(tx, actor, from, change_of(&giver, vec![], !over.leaves), "member.change").await?;
    Ok(HandedOver { places: giver.places.len() as i64, visits: open.len() as i64, from, to })
}

async fn hand_visit(
    tx: &mut Tx,
    actor: &Actor,
    feeds: &mut feed::Locked,
    (place, id): (Uuid, Uuid),
    (from, to): (Uuid, Uuid),
) -> Result<()> {
    let before: Visit = visits::store::current(tx, actor.org, place, id).await?;
    let mut visit = before.clone();
    visit.mentor = to;
    visit.updated_at = actor.at;
    visit.revision = feeds.revision(place);
    visits::store::put(tx, feeds, &visit).await?;
    tx.query(
        "INSERT INTO visit_handed (org, visit, member, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (org, visit, member) DO UPDATE SET at = excluded.at",
    )
    .bind(actor.org)
    .bind(id)
    .bind(from)
    .bind(actor.at)
    .run()
    .await?;
    let change = (Some(&before), Some(&visit));
    audit::append(tx, feeds, place, actor, "visit.hand_over", ("visit", id), change).await
}

/// Whether the visit was this member's before it was handed over.
pub async fn was_theirs(tx: &mut Tx, org: Uuid, visit: Uuid, member: Uuid) -> Result<bool> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT visit FROM visit_handed WHERE org = $1 AND visit = $2 AND member = $3")
        .bind(org)
        .bind(visit)
        .bind(member)
        .optional()
        .await?;
    Ok(row.is_some())
}

async fn person(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Person> {
    let body = scope::current(tx, org, org, id, "person").await.map_err(|_| Error::not_found("member"))?;
    Ok(serde_json::from_str(&body)?)
}

/// Whether the member's role records visits.
async fn records(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<bool> {
    let kept: Option<Kept> = tx
        .query(
            "SELECT m.role, a.platform, r.scope AS reach, r.levels, o.modules
             FROM member m JOIN organisation o ON o.id = m.org JOIN account a ON a.id = m.account
             LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(id)
        .optional()
        .await?;
    Ok(kept.and_then(|kept| kept.read()).is_some_and(|read| read.capabilities.has(Capability::RecordVisits)))
}

fn change_of(person: &Person, places: Vec<Uuid>, active: bool) -> MemberChange {
    let Person { role, supervisor, custom_role, household, .. } = person.clone();
    MemberChange { role, supervisor, places, active: active && person.active, custom_role, household }
}
