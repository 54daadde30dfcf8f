//! How visits are kept: columns to ask for in their table, the record itself in its feed entry.

use uuid::Uuid;

use super::{State, Visit};
use crate::app::App;
use crate::auth::VisitReader;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// Writes a visit (new or changed) to its table and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, visit: &Visit) -> Result<()> {
    let found = &visit.findings;
    tx.query(
        "INSERT INTO visit (org, id, feed, household, mentor, number, state, kind, planned_at, started_at, ended_at,
             submitted_at, decided_at, decided_by, business_status, income_minor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (org, id) DO UPDATE SET feed = excluded.feed, mentor = excluded.mentor, state = excluded.state, kind = excluded.kind, planned_at = excluded.planned_at,
             started_at = excluded.started_at, ended_at = excluded.ended_at, submitted_at = excluded.submitted_at,
             decided_at = excluded.decided_at, decided_by = excluded.decided_by,
             business_status = excluded.business_status, income_minor = excluded.income_minor",
    )
    .bind(feeds.org)
    .bind(visit.id)
    .bind(visit.place)
    .bind(visit.household)
    .bind(visit.mentor)
    .bind(visit.number.clone().unwrap_or_default())
    .bind(visit.state.as_str())
    .bind(visit.kind.as_str())
    .bind(visit.planned_at)
    .bind(found.started_at)
    .bind(found.ended_at)
    .bind(visit.submitted_at)
    .bind(visit.decided_at)
    .bind(visit.decided_by)
    .bind(found.business_status.clone())
    .bind(found.income_minor)
    .later()
    .await?;
    feeds.put(tx, visit.place, "visit", visit.id, visit).await
}

/// Where a visit lives and whose it is. Should the household move before the feed is locked, the record is no longer found
/// there, and the command is asked anew.
#[derive(sqlx::FromRow)]
pub struct Whereabouts {
    pub feed: Uuid,
    pub mentor: Uuid,
    pub household: Uuid,
}

pub async fn whereabouts(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Option<Whereabouts>> {
    tx.query("SELECT feed, mentor, household FROM visit WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Visit> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "visit").await?)?)
}

/// What a list asks for.
pub struct Wanted {
    pub state: Option<State>,
    pub mentor: Option<Uuid>,
    pub household: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of visits, those submitted first (oldest first) leading.
pub async fn list(app: &App, reader: &VisitReader, wanted: Wanted) -> Result<Stored<Page<Visit>>> {
    let after = wanted.after.unwrap_or_default();
    let (after_at, after_number) = after.split_once('~').unwrap_or(("0", ""));
    let after_at: i64 =
        after_at.parse().map_err(|_| Error::bad_request("invalid_cursor", "`after` is not from this list."))?;
    let after_at = after_at.saturating_sub(100_000_000_000_000);
    let (items, count, last): (Option<String>, i64, Option<String>) = app
        .db
        .query(
            // `cursor` has as many digits in every row, so that the greatest text is the last row.
            "SELECT string_agg(hex(e.body), ',' ORDER BY p.at, p.number), count(*), max(p.cursor)
             FROM (SELECT v.id, v.feed, v.number, COALESCE(v.submitted_at, 0) AS at,
                          CAST(100000000000000 + COALESCE(v.submitted_at, 0) AS TEXT) || '~' || v.number AS cursor
                   FROM visit v
                   WHERE v.org = $1 AND (COALESCE(v.submitted_at, 0), v.number) > ($3, $4)
                     AND v.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                     AND ($5 IS NULL OR v.state = $5) AND ($6 IS NULL OR v.mentor = $6)
                     AND ($7 IS NULL OR v.household = $7)
                   ORDER BY COALESCE(v.submitted_at, 0), v.number LIMIT CAST($8 AS BIGINT)) AS p
             JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(after_at)
        .bind(after_number)
        .bind(wanted.state.map(State::as_str))
        .bind(wanted.mentor)
        .bind(wanted.household)
        .bind(wanted.limit)
        .one()
        .await?;
    let items = items.as_deref().map(packed::open_list).transpose()?;
    Ok(page(items, last.filter(|_| count == wanted.limit)))
}
