//! How programmes and cycles are kept: in the organisation's feed, with the places that are taken in a column.

use uuid::Uuid;

use super::{Cycle, CycleFacts, Programme, ProgrammeFacts};
use crate::audit::{self, Actor};
use crate::clock::day_of;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;
use crate::scope;

/// Makes a programme or changes it. `seen`: the revision that was looked at, none for a new one.
///
/// # Errors
/// 409 `code_taken` or `stale`; 404 for places of nobody.
pub async fn put(tx: &mut Tx, actor: &Actor, id: Uuid, facts: ProgrammeFacts, seen: Option<i64>) -> Result<Programme> {
    let org = actor.org;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let before = match exists(tx, "SELECT id FROM programme WHERE org = $1 AND id = $2", org, id).await? {
        true => Some(current(tx, org, id).await?),
        false => None,
    };
    same_revision(before.as_ref().map(|b| b.revision), seen)?;
    for place in &facts.places {
        if !exists(tx, "SELECT id FROM place WHERE org = $1 AND id = $2", org, *place).await? {
            return Err(Error::not_found("place").field("places"));
        }
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM programme WHERE org = $1 AND code = $2 AND id <> $3")
        .bind(org)
        .bind(facts.code.clone())
        .bind(id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("code_taken", "There is a programme with this code already.").field("code"));
    }
    let programme = Programme { id, facts, updated_at: actor.at, revision: feeds.revision(org) };
    tx.query(
        "INSERT INTO programme (org, id, code, status, target, budget_minor, taken) VALUES ($1, $2, $3, $4, $5, $6, 0)
         ON CONFLICT (org, id) DO UPDATE SET code = excluded.code, status = excluded.status, target = excluded.target,
             budget_minor = excluded.budget_minor",
    )
    .bind(org)
    .bind(id)
    .bind(programme.code.clone())
    .bind(programme.status.as_str())
    .bind(programme.target)
    .bind(programme.budget_minor)
    .run()
    .await?;
    // Looked at after the row was written, which is its lock: no approval is in between.
    let (committed,): (i64,) =
        tx.query("SELECT committed_minor FROM programme WHERE org = $1 AND id = $2").bind(org).bind(id).one().await?;
    if committed > programme.budget_minor.unwrap_or_default() {
        let message = "More than that is committed to grants already.";
        return Err(Error::conflict("budget_committed", message).field("budget_minor"));
    }
    feeds.put(tx, org, "programme", id, &programme).await?;
    let change = (before.as_ref(), Some(&programme));
    audit::append(tx, &mut feeds, org, actor, "programme.save", ("programme", id), change).await?;
    Ok(programme)
}

/// Makes a cycle or changes it; it stays in its programme.
///
/// # Errors
/// As [`put`], and 404 for people or programmes of nobody.
pub async fn put_cycle(tx: &mut Tx, actor: &Actor, id: Uuid, facts: CycleFacts, seen: Option<i64>) -> Result<Cycle> {
    let org = actor.org;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let before: Option<Cycle> = match exists(tx, "SELECT id FROM cycle WHERE org = $1 AND id = $2", org, id).await? {
        true => Some(serde_json::from_str(&scope::current(tx, org, org, id, "cycle").await?)?),
        false => None,
    };
    same_revision(before.as_ref().map(|b| b.revision), seen)?;
    if before.as_ref().is_some_and(|before| before.facts.programme != facts.programme) {
        return Err(Error::invalid("programme", "A cycle stays in its programme."));
    }
    current(tx, org, facts.programme).await?;
    for member in facts.mentors.iter().chain(&facts.associate) {
        if !exists(tx, "SELECT id FROM member WHERE org = $1 AND id = $2", org, *member).await? {
            return Err(Error::not_found("member").field("mentors"));
        }
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM cycle WHERE org = $1 AND programme = $2 AND code = $3 AND id <> $4")
        .bind(org)
        .bind(facts.programme)
        .bind(facts.code.clone())
        .bind(id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("code_taken", "This programme has a cycle with this code already.").field("code"));
    }
    let cycle = Cycle { id, facts, updated_at: actor.at, revision: feeds.revision(org) };
    tx.query(
        "INSERT INTO cycle (org, id, programme, code, starts_day) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (org, id) DO UPDATE SET code = excluded.code, starts_day = excluded.starts_day",
    )
    .bind(org)
    .bind(id)
    .bind(cycle.facts.programme)
    .bind(cycle.facts.code.clone())
    .bind(cycle.facts.starts_on.as_deref().and_then(day_of))
    .run()
    .await?;
    feeds.put(tx, org, "cycle", id, &cycle).await?;
    let change = (before.as_ref(), Some(&cycle));
    audit::append(tx, &mut feeds, org, actor, "cycle.save", ("cycle", id), change).await?;
    Ok(cycle)
}

fn same_revision(there: Option<i64>, seen: Option<i64>) -> Result<()> {
    if there != seen {
        return Err(Error::conflict("stale", "It has changed since you looked at it; look again."));
    }
    Ok(())
}

async fn exists(tx: &mut Tx, sql: &'static str, org: Uuid, id: Uuid) -> Result<bool> {
    let row: Option<(Uuid,)> = tx.query(sql).bind(org).bind(id).optional().await?;
    Ok(row.is_some())
}

pub async fn current(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Programme> {
    Ok(serde_json::from_str(&scope::current(tx, org, org, id, "programme").await?)?)
}

/// A cycle is one of this programme's.
///
/// # Errors
/// 404 otherwise.
pub async fn demand_cycle(tx: &mut Tx, org: Uuid, programme: Uuid, cycle: Uuid) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT id FROM cycle WHERE org = $1 AND programme = $2 AND id = $3")
        .bind(org)
        .bind(programme)
        .bind(cycle)
        .optional()
        .await?;
    row.map(drop).ok_or_else(|| Error::not_found("cycle").field("cycle"))
}

/// Whether a village lies in the programme's area.
pub async fn covers(tx: &mut Tx, org: Uuid, programme: &Programme, village: Uuid) -> Result<bool> {
    let above: Vec<(Uuid,)> = tx
        .query(
            "WITH RECURSIVE above (id, parent) AS (
                 SELECT id, parent FROM place WHERE org = $1 AND id = $2
                 UNION
                 SELECT p.id, p.parent FROM place p JOIN above a ON p.id = a.parent WHERE p.org = $1
             )
             SELECT id FROM above",
        )
        .bind(org)
        .bind(village)
        .all()
        .await?;
    Ok(programme.places.is_empty() || above.iter().any(|(id,)| programme.places.contains(id)))
}

/// Whether all places are taken, as far as one can know before one is asked for.
pub async fn full(tx: &mut Tx, org: Uuid, programme: Uuid) -> Result<bool> {
    let row: Option<(Option<i64>, i64)> = tx
        .query("SELECT target, taken FROM programme WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(programme)
        .optional()
        .await?;
    Ok(row.is_some_and(|(target, taken)| target.is_some_and(|target| taken >= target)))
}

/// Takes a place (1) or gives it back (-1). The row's lock is the last that is taken, so that nobody waits in a ring, and
/// the condition is looked at again under it.
///
/// # Errors
/// 422 `programme_full`.
pub async fn take(tx: &mut Tx, org: Uuid, programme: Uuid, places: i64) -> Result<()> {
    let changed = tx
        .query(
            "UPDATE programme SET taken = taken + $3
             WHERE org = $1 AND id = $2 AND ($3 < 0 OR target IS NULL OR taken + $3 <= target)",
        )
        .bind(org)
        .bind(programme)
        .bind(places)
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::refused("programme_full", "All places of this programme are taken."));
    }
    Ok(())
}
