//! How modules and sessions are kept: columns to ask for in their tables, the records in their feeds.

use uuid::Uuid;

use super::{Mark, Module, ModuleFacts, State, Training};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::ProgrammeReader;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::households::store::family;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// Makes a module or changes it. `seen`: the revision that was looked at, none for a new one.
///
/// # Errors
/// 409 `stale` or `number_taken`; 404 for a prerequisite of nobody; 422 when modules would come before each other in a ring.
pub async fn put_module(tx: &mut Tx, actor: &Actor, id: Uuid, facts: ModuleFacts, seen: Option<i64>) -> Result<Module> {
    let org = actor.org;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let known: Option<(Uuid,)> =
        tx.query("SELECT id FROM training_module WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    let before = match known {
        Some(_) => Some(module(tx, org, id).await?),
        None => None,
    };
    if before.as_ref().map(|module| module.revision) != seen {
        return Err(Error::conflict("stale", "It has changed since you looked at it; look again."));
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM training_module WHERE org = $1 AND number = $2 AND id <> $3")
        .bind(org)
        .bind(facts.number)
        .bind(id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("number_taken", "There is a module with this number already.").field("number"));
    }
    demand_order(tx, org, id, facts.prerequisite).await?;
    let module = Module { id, facts, updated_at: actor.at, revision: feeds.revision(org) };
    tx.query(
        "INSERT INTO training_module (org, id, number, prerequisite, active) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (org, id) DO UPDATE SET number = excluded.number, prerequisite = excluded.prerequisite,
             active = excluded.active",
    )
    .bind(org)
    .bind(id)
    .bind(module.facts.number)
    .bind(module.facts.prerequisite)
    .bind(module.facts.active)
    .run()
    .await?;
    feeds.put(tx, org, "training_module", id, &module).await?;
    let change = (before.as_ref(), Some(&module));
    audit::append(tx, &mut feeds, org, actor, "training_module.save", ("training_module", id), change).await?;
    Ok(module)
}

/// Whatever comes before a module, and before that, is never the module itself.
async fn demand_order(tx: &mut Tx, org: Uuid, id: Uuid, prerequisite: Option<Uuid>) -> Result<()> {
    let mut next = prerequisite;
    while let Some(one) = next {
        if one == id {
            let message = "A module cannot come before itself.";
            return Err(Error::invalid("prerequisite", message));
        }
        let row: Option<(Option<Uuid>,)> = tx
            .query("SELECT prerequisite FROM training_module WHERE org = $1 AND id = $2")
            .bind(org)
            .bind(one)
            .optional()
            .await?;
        next = row.ok_or_else(|| Error::not_found("module").field("prerequisite"))?.0;
    }
    Ok(())
}

/// # Errors
/// 404.
pub async fn module(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Module> {
    let body = scope::current(tx, org, org, id, "training_module").await.map_err(|error| error.field("module"))?;
    Ok(serde_json::from_str(&body)?)
}

/// A new row; that its id is new is looked at in the same trip. The record follows by [`put`].
pub async fn add(tx: &mut Tx, feeds: &Locked, training: &Training) -> Result<()> {
    tx.query(
        "INSERT INTO training (org, id, feed, module, number, state, trainer, starts_at, ends_at, planned_by, planned_at,
             planned_revision, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(training.id)
    .bind(training.place)
    .bind(training.module)
    .bind(training.number.clone().unwrap_or_default())
    .bind(training.state.as_str())
    .bind(training.trainer)
    .bind(training.starts_at)
    .bind(training.ends_at)
    .bind(training.planned_by)
    .bind(training.planned_at)
    .bind(training.planned_revision)
    .bind(training.created_at)
    .later_or(|| Error::refused("exists", "A training with this id is there already."))
    .await
}

/// Writes the session as it is now to its rows and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, training: &Training) -> Result<()> {
    tx.query(
        "UPDATE training SET state = $3, trainer = $4, starts_at = $5, ends_at = $6, planned_by = $7, planned_at = $8,
             planned_revision = $9 WHERE org = $1 AND id = $2",
    )
    .bind(feeds.org)
    .bind(training.id)
    .bind(training.state.as_str())
    .bind(training.trainer)
    .bind(training.starts_at)
    .bind(training.ends_at)
    .bind(training.planned_by)
    .bind(training.planned_at)
    .bind(training.planned_revision)
    .run()
    .await?;
    let kept: Vec<(Uuid, Option<String>)> = tx
        .query("SELECT household, presence FROM training_seat WHERE org = $1 AND training = $2")
        .bind(feeds.org)
        .bind(training.id)
        .all()
        .await?;
    for (household, _) in kept.iter().filter(|(one, _)| training.seats.iter().all(|seat| seat.household != *one)) {
        tx.query("DELETE FROM training_seat WHERE org = $1 AND training = $2 AND household = $3")
            .bind(feeds.org)
            .bind(training.id)
            .bind(*household)
            .run()
            .await?;
    }
    for seat in &training.seats {
        let presence = seat.mark.map(|mark: Mark| mark.presence.as_str());
        if kept.iter().any(|(one, was)| *one == seat.household && was.as_deref() == presence) {
            continue;
        }
        tx.query(
            "INSERT INTO training_seat (org, training, household, presence) VALUES ($1, $2, $3, $4)
             ON CONFLICT (org, training, household) DO UPDATE SET presence = excluded.presence",
        )
        .bind(feeds.org)
        .bind(training.id)
        .bind(seat.household)
        .bind(presence)
        .run()
        .await?;
    }
    feeds.put(tx, training.place, "training", training.id, training).await
}

/// Where a session is. The feed never changes, so it may be read before it is locked.
///
/// # Errors
/// 404.
pub async fn feed_of(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Uuid> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT feed FROM training WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    row.map(|(feed,)| feed).ok_or_else(|| Error::not_found("training"))
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Training> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "training").await?)?)
}

/// Which of these households have not attended the module that comes before this one, wherever they lived then.
pub async fn lacking(tx: &mut Tx, org: Uuid, module: Uuid, households: &[Uuid]) -> Result<Vec<Uuid>> {
    let row: Option<(Option<Uuid>,)> = tx
        .query("SELECT prerequisite FROM training_module WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(module)
        .optional()
        .await?;
    let Some(prerequisite) = row.and_then(|(prerequisite,)| prerequisite) else { return Ok(vec![]) };
    let mut lacking = Vec::new();
    for household in households {
        let attended: Option<(Uuid,)> = tx
            .query(concat!(
                "SELECT t.id FROM training_seat s JOIN training t ON t.org = s.org AND t.id = s.training
                 WHERE s.org = $1 AND t.module = $3 AND s.presence IN ('full', 'partial') AND t.state <> 'cancelled'
                     AND s.household IN ",
                family!(),
                " LIMIT 1"
            ))
            .bind(org)
            .bind(*household)
            .bind(prerequisite)
            .optional()
            .await?;
        if attended.is_none() {
            lacking.push(*household);
        }
    }
    Ok(lacking)
}

/// Sessions of a village that a household is invited to and that have not taken place.
pub async fn to_come(tx: &mut Tx, org: Uuid, feed: Uuid, household: Uuid) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = tx
        .query(
            "SELECT t.id FROM training_seat s JOIN training t ON t.org = s.org AND t.id = s.training
             WHERE s.org = $1 AND s.household = $3 AND t.feed = $2 AND t.state = 'scheduled' AND s.presence IS NULL
             ORDER BY t.number",
        )
        .bind(org)
        .bind(feed)
        .bind(household)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The sessions that a household was invited to, latest first, as joined records: as far as this member sees their villages.
pub async fn of_household(app: &App, reader: &ProgrammeReader, household: Uuid) -> Result<String> {
    let (items,): (Option<String>,) = app
        .db
        .query(concat!(
            "SELECT string_agg(hex(e.body), ',' ORDER BY t.starts_at DESC, t.id) FROM training t
             JOIN member_feed f ON f.org = t.org AND f.feed = t.feed AND f.member = $3
             JOIN feed_entry e ON e.org = t.org AND e.feed = t.feed AND e.id = t.id
             WHERE t.org = $1 AND t.id IN (SELECT s.training FROM training_seat s WHERE s.org = $1 AND s.household IN ",
            family!(),
            ")"
        ))
        .bind(reader.org)
        .bind(household)
        .bind(reader.id)
        .one()
        .await?;
    items.as_deref().map(packed::open_list).transpose().map(Option::unwrap_or_default)
}

/// What is kept of one household's trainings: the others on the roll are nobody's business there.
pub async fn taken_out(app: &App, org: Uuid, household: Uuid) -> Result<String> {
    let rows: Vec<(Vec<u8>,)> = app
        .db
        .query(
            "SELECT e.body FROM training_seat s JOIN training t ON t.org = s.org AND t.id = s.training
             JOIN feed_entry e ON e.org = t.org AND e.feed = t.feed AND e.id = t.id
             WHERE s.org = $1 AND s.household = $2 ORDER BY t.starts_at DESC, t.id",
        )
        .bind(org)
        .bind(household)
        .all()
        .await?;
    let mut taken = Vec::new();
    for (body,) in rows {
        let training: Training = serde_json::from_str(&packed::open(&body)?)?;
        let own = training.seats.iter().find(|seat| seat.household == household);
        taken.push(serde_json::json!({
            "id": training.id, "number": training.number, "module": training.module, "venue": training.venue,
            "starts_at": training.starts_at, "ends_at": training.ends_at, "state": training.state, "seat": own,
            "lacking": training.lacking.contains(&household),
        }));
    }
    Ok(serde_json::to_string(&taken)?)
}

/// What a list asks for.
pub struct Wanted {
    pub state: Option<State>,
    pub module: Option<Uuid>,
    pub place: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of sessions by number.
pub async fn list(app: &App, reader: &ProgrammeReader, wanted: Wanted) -> Result<Stored<Page<Training>>> {
    let (items, count, last): (Option<String>, i64, Option<String>) = app
        .db
        .query(
            "SELECT string_agg(hex(e.body), ',' ORDER BY p.number), count(*), max(p.number)
             FROM (SELECT t.id, t.feed, t.number FROM training t
                   WHERE t.org = $1 AND t.number > $3
                     AND t.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                     AND ($4 IS NULL OR t.state = $4) AND ($5 IS NULL OR t.module = $5) AND ($6 IS NULL OR t.feed = $6)
                   ORDER BY t.number LIMIT CAST($7 AS BIGINT)) AS p
             JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(wanted.after.unwrap_or_default())
        .bind(wanted.state.map(State::as_str))
        .bind(wanted.module)
        .bind(wanted.place)
        .bind(wanted.limit)
        .one()
        .await?;
    let items = items.as_deref().map(packed::open_list).transpose()?;
    Ok(page(items, last.filter(|_| count == wanted.limit)))
}
