//! How groups and their surveys are kept: columns to ask for in their tables, the records in their village's feed.

use uuid::Uuid;

use super::{Group, State, Survey, SurveyKind};
use crate::app::App;
use crate::auth::ProgrammeReader;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// A new row; that its id is new is looked at in the same trip. The record follows by [`put`].
pub async fn add(tx: &mut Tx, feeds: &Locked, group: &Group) -> Result<()> {
    tx.query(
        "INSERT INTO business_group (org, id, feed, programme, number, state, health, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(group.id)
    .bind(group.place)
    .bind(group.programme)
    .bind(group.number.clone().unwrap_or_default())
    .bind(group.state.as_str())
    .bind(group.health.as_str())
    .bind(group.created_at)
    .later_or(|| Error::refused("exists", "A group with this id is there already."))
    .await
}

/// Writes the group as it is now to its rows and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, group: &Group) -> Result<()> {
    tx.query("UPDATE business_group SET state = $3, health = $4 WHERE org = $1 AND id = $2")
        .bind(feeds.org)
        .bind(group.id)
        .bind(group.state.as_str())
        .bind(group.health.as_str())
        .run()
        .await?;
    // Whoever is no longer named has left.
    tx.query("UPDATE business_group_member SET active = FALSE WHERE org = $1 AND business_group = $2 AND active")
        .bind(feeds.org)
        .bind(group.id)
        .run()
        .await?;
    for household in group.households() {
        tx.query(
            "INSERT INTO business_group_member (org, business_group, household, programme, active)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (org, business_group, household) DO UPDATE SET active = excluded.active",
        )
        .bind(feeds.org)
        .bind(group.id)
        .bind(household)
        .bind(group.programme)
        .bind(group.state == State::Active)
        .run()
        .await?;
    }
    feeds.put(tx, group.place, "group", group.id, group).await
}

/// A new survey, in its table and its feed.
pub async fn add_survey(tx: &mut Tx, feeds: &Locked, survey: &Survey) -> Result<()> {
    tx.query(
        "INSERT INTO survey (org, id, feed, business_group, kind, score, surveyed_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(survey.id)
    .bind(survey.place)
    .bind(survey.findings.group)
    .bind(survey.findings.kind.as_str())
    .bind(survey.findings.score)
    .bind(survey.surveyed_at)
    .bind(survey.created_at)
    .later_or(|| Error::refused("exists", "A survey with this id is there already."))
    .await?;
    feeds.put(tx, survey.place, "survey", survey.id, survey).await
}

/// Where a group lives. The feed never changes, so it may be read before it is locked.
///
/// # Errors
/// 404.
pub async fn feed_of(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Uuid> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT feed FROM business_group WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    row.map(|(feed,)| feed).ok_or_else(|| Error::not_found("group"))
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Group> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "group").await?)?)
}

/// The survey's record; its feed must be locked.
pub async fn survey(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Survey> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "survey").await?)?)
}

/// The group's latest survey of this kind, by when it was made; its feed must be locked.
pub async fn latest_survey(tx: &mut Tx, org: Uuid, group: Uuid, kind: SurveyKind) -> Result<Option<Survey>> {
    let row: Option<(Uuid, Uuid)> = tx
        .query(
            "SELECT feed, id FROM survey WHERE org = $1 AND business_group = $2 AND kind = $3
             ORDER BY surveyed_at DESC, created_at DESC, id DESC LIMIT 1",
        )
        .bind(org)
        .bind(group)
        .bind(kind.as_str())
        .optional()
        .await?;
    match row {
        Some((feed, id)) => survey(tx, org, feed, id).await.map(Some),
        None => Ok(None),
    }
}

/// The active group of the programme that a household is in. Its feed must be locked.
pub async fn of_household(tx: &mut Tx, org: Uuid, household: Uuid, programme: Uuid) -> Result<Option<Uuid>> {
    let row: Option<(Uuid,)> = tx
        .query(
            "SELECT business_group FROM business_group_member
             WHERE org = $1 AND household = $2 AND programme = $3 AND active",
        )
        .bind(org)
        .bind(household)
        .bind(programme)
        .optional()
        .await?;
    Ok(row.map(|(group,)| group))
}

/// What a list asks for.
pub struct Wanted {
    pub programme: Option<Uuid>,
    pub state: Option<State>,
    pub place: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of groups by number.
pub async fn list(app: &App, reader: &ProgrammeReader, wanted: Wanted) -> Result<Stored<Page<Group>>> {
    let (items, count, last): (Option<String>, i64, Option<String>) = app
        .db
        .query(
            "SELECT string_agg(hex(e.body), ',' ORDER BY p.number), count(*), max(p.number)
             FROM (SELECT g.id, g.feed, g.number FROM business_group g
                   WHERE g.org = $1 AND g.number > $3
                     AND g.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                     AND ($4 IS NULL OR g.state = $4) AND ($5 IS NULL OR g.programme = $5)
                     AND ($6 IS NULL OR g.feed = $6)
                   ORDER BY g.number LIMIT CAST($7 AS BIGINT)) AS p
             JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(wanted.after.unwrap_or_default())
        .bind(wanted.state.map(State::as_str))
        .bind(wanted.programme)
        .bind(wanted.place)
        .bind(wanted.limit)
        .one()
        .await?;
    let items = items.as_deref().map(packed::open_list).transpose()?;
    Ok(page(items, last.filter(|_| count == wanted.limit)))
}
