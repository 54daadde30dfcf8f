//! How enrolments are kept: columns to ask for in their table, the record itself in its feed entry.

use uuid::Uuid;

use super::{Enrolment, Event, State};
use crate::app::App;
use crate::auth::ProgrammeReader;
use crate::clock::DAY;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::households::store::family;
use crate::milestones;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// A new row; that its id is new is looked at in the same trip. The record follows by [`put`].
pub async fn add(tx: &mut Tx, feeds: &Locked, enrolment: &Enrolment) -> Result<()> {
    tx.query(
        "INSERT INTO enrolment (org, id, feed, household, programme, cycle, mentor, assessment, number, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(enrolment.id)
    .bind(enrolment.place)
    .bind(enrolment.household)
    .bind(enrolment.programme)
    .bind(enrolment.cycle)
    .bind(enrolment.mentor)
    .bind(enrolment.assessment)
    .bind(enrolment.number.clone().unwrap_or_default())
    .bind(enrolment.state.as_str())
    .bind(enrolment.created_at)
    .later_or(|| Error::refused("exists", "An enrolment with this id is there already."))
    .await
}

/// Writes the enrolment as it is now to its row and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, enrolment: &Enrolment) -> Result<()> {
    let activated = enrolment.history.iter().find(|step| step.event == Some(Event::Activate));
    tx.query(
        "UPDATE enrolment SET state = $3, mentor = $4, rungs_done = $5, climbs_from = $6, state_at = $7
         WHERE org = $1 AND id = $2",
    )
    .bind(feeds.org)
    .bind(enrolment.id)
    .bind(enrolment.state.as_str())
    .bind(enrolment.mentor)
    .bind(milestones::done(enrolment))
    .bind(activated.map(|step| step.at / DAY))
    .bind(enrolment.history.last().map(|step| step.at))
    .later()
    .await?;
    feeds.put(tx, enrolment.place, "enrolment", enrolment.id, enrolment).await
}

/// Where an enrolment lives, and whose it is. Should the household move before the feed is locked, the record is no longer
/// found there, and the command is asked anew.
#[derive(sqlx::FromRow)]
pub struct Whereabouts {
    pub feed: Uuid,
    pub household: Uuid,
    pub mentor: Uuid,
}

pub async fn whereabouts(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Option<Whereabouts>> {
    tx.query("SELECT feed, household, mentor FROM enrolment WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Enrolment> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "enrolment").await?)?)
}

/// Whether the household (or one that is one with it) is on its way in this programme, or has been through it. Their feeds
/// must be locked.
pub async fn under_way(tx: &mut Tx, org: Uuid, household: Uuid, programme: Uuid) -> Result<bool> {
    let rows: Vec<(String,)> = tx
        .query(concat!("SELECT state FROM enrolment WHERE org = $1 AND programme = $3 AND household IN ", family!()))
        .bind(org)
        .bind(household)
        .bind(programme)
        .all()
        .await?;
    Ok(rows.iter().any(|(state,)| State::parse(state).is_some_and(|state| !state.is_closed() || state.took_part())))
}

/// A household's enrolments in this programme, or in every one, that are on the ladder. `feed`, its village's, must be locked;
/// of a household that lives in another there is none.
pub async fn climbing(tx: &mut Tx, org: Uuid, feed: Uuid, household: Uuid, programme: Option<Uuid>) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid, String)> = tx
        .query(
            "SELECT id, state FROM enrolment
             WHERE org = $1 AND household = $2 AND feed = $3 AND ($4 IS NULL OR programme = $4) ORDER BY number",
        )
        .bind(org)
        .bind(household)
        .bind(feed)
        .bind(programme)
        .all()
        .await?;
    Ok(rows.into_iter().filter(|(_, state)| State::parse(state).is_some_and(State::climbs)).map(|(id, _)| id).collect())
}

/// The household takes part in the programme. Its feed must be locked.
///
/// # Errors
/// 422 `not_enrolled` unless an enrolment of it is active.
pub async fn demand_active(tx: &mut Tx, org: Uuid, household: Uuid, programme: Uuid) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT id FROM enrolment WHERE org = $1 AND household = $2 AND programme = $3 AND state = 'active' LIMIT 1")
        .bind(org)
        .bind(household)
        .bind(programme)
        .optional()
        .await?;
    row.map(drop).ok_or_else(|| Error::refused("not_enrolled", "The household does not take part in this programme now."))
}

/// The household takes part in some programme. Its feed must be locked.
///
/// # Errors
/// 422 `not_enrolled` unless an enrolment of it is active.
pub async fn demand_participant(tx: &mut Tx, org: Uuid, household: Uuid) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT id FROM enrolment WHERE org = $1 AND household = $2 AND state = 'active' LIMIT 1")
        .bind(org)
        .bind(household)
        .optional()
        .await?;
    let message = "A household that is invited takes part in a programme now.";
    row.map(drop).ok_or_else(|| {
        let error = Error::refused("not_enrolled", message).field("households");
        error.details(serde_json::json!({ "households": [household] }))
    })
}

/// What a list asks for.
pub struct Wanted {
    pub state: Option<State>,
    pub programme: Option<Uuid>,
    pub household: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of enrolments by number.
pub async fn list(app: &App, reader: &ProgrammeReader, wanted: Wanted) -> Result<Stored<Page<Enrolment>>> {
    let (items, count, last): (Option<String>, i64, Option<String>) = app
        .db
        .query(
            "SELECT string_agg(hex(e.body), ',' ORDER BY p.number), count(*), max(p.number)
             FROM (SELECT n.id, n.feed, n.number FROM enrolment n
                   WHERE n.org = $1 AND n.number > $3
                     AND n.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                     AND ($4 IS NULL OR n.state = $4) AND ($5 IS NULL OR n.programme = $5)
                     AND ($6 IS NULL OR n.household = $6)
                   ORDER BY n.number LIMIT CAST($7 AS BIGINT)) AS p
             JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(wanted.after.unwrap_or_default())
        .bind(wanted.state.map(State::as_str))
        .bind(wanted.programme)
        .bind(wanted.household)
        .bind(wanted.limit)
        .one()
        .await?;
    let items = items.as_deref().map(packed::open_list).transpose()?;
    Ok(page(items, last.filter(|_| count == wanted.limit)))
}
