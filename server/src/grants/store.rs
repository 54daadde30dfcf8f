//! How grants and acknowledgements are kept: columns to ask for in their tables, the records themselves in feed entries.

use uuid::Uuid;

use super::{Acknowledgement, Grant, State};
use crate::app::App;
use crate::auth::GrantReader;
use crate::db::{Arg, Tx};
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// A new row; that its id is new is looked at in the same trip. The record follows by [`put`].
pub async fn add(tx: &mut Tx, feeds: &Locked, grant: &Grant) -> Result<()> {
    tx.query(
        "INSERT INTO grant_file (org, id, feed, programme, policy, policy_key, household, business_group, number, state,
             state_at, amount_minor, submitted_by, submitted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(grant.id)
    .bind(grant.place)
    .bind(grant.programme)
    .bind(grant.policy.id)
    .bind(grant.policy.facts.key.clone())
    .bind(grant.household)
    .bind(grant.group)
    .bind(grant.number.clone().unwrap_or_default())
    .bind(grant.state.as_str())
    .bind(grant.submitted_at)
    .bind(grant.amount.amount_minor)
    .bind(grant.submitted_by)
    .bind(grant.submitted_at)
    .later_or(|| Error::refused("exists", "A grant with this id is there already."))
    .await?;
    for household in &grant.households {
        tx.query("INSERT INTO grant_household (org, grant_id, household) VALUES ($1, $2, $3)")
            .bind(feeds.org)
            .bind(grant.id)
            .bind(*household)
            .later()
            .await?;
    }
    Ok(())
}

/// Writes the grant as it is now to its row and its feed.
pub async fn put(tx: &mut Tx, feeds: &Locked, grant: &Grant) -> Result<()> {
    let acknowledged = grant.live_parts().filter_map(|part| part.acknowledged_at).min();
    let report = grant.utilisation.as_ref();
    let expires = match grant.state {
        State::Approved => grant.approved_at.map(|at| at + grant.policy.facts.expires_days * crate::clock::DAY),
        _ => None,
    };
    tx.query(
        "UPDATE grant_file SET state = $3, state_at = CASE WHEN state = $3 THEN state_at ELSE $4 END, amount_minor = $5,
             submitted_by = $6, acknowledged_at = $7, utilisation = $8, utilisation_due = $9, expires_at = $10
         WHERE org = $1 AND id = $2",
    )
    .bind(feeds.org)
    .bind(grant.id)
    .bind(grant.state.as_str())
    .bind(grant.updated_at)
    .bind(grant.amount.amount_minor)
    .bind(grant.submitted_by)
    .bind(acknowledged)
    .bind(report.map(|report| report.state.as_str()))
    .bind(report.map(|report| report.due_on.clone()))
    .bind(expires)
    .later()
    .await?;
    feeds.put(tx, grant.place, "grant", grant.id, grant).await
}

/// The feed a grant lives in, wherever the caller may look.
///
/// # Errors
/// 404.
pub async fn feed_of(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Uuid> {
    find(tx, org, id).await?.ok_or_else(|| Error::not_found("grant"))
}

pub async fn find(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Option<Uuid>> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT feed FROM grant_file WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    Ok(row.map(|(feed,)| feed))
}

/// Who submitted it, to be told; may be read before the lock.
///
/// # Errors
/// 404.
pub async fn whose(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Uuid> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT submitted_by FROM grant_file WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    row.map(|(member,)| member).ok_or_else(|| Error::not_found("grant"))
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Grant> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "grant").await?)?)
}

/// The record; its feed must be locked.
pub async fn acknowledgement(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Acknowledgement> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "acknowledgement").await?)?)
}

/// Keeps an acknowledgement, counted or not.
pub async fn acknowledge(tx: &mut Tx, feeds: &Locked, one: &Acknowledgement) -> Result<()> {
    tx.query(
        "INSERT INTO acknowledgement (org, id, feed, grant_id, tranche, amount_minor, counted, recorded_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(one.id)
    .bind(one.place)
    .bind(one.grant)
    .bind(one.tranche)
    .bind(one.amount_minor)
    .bind(one.counted)
    .bind(one.recorded_by)
    .bind(one.created_at)
    .later_or(|| Error::refused("exists", "An acknowledgement with this id is there already."))
    .await?;
    feeds.put(tx, one.place, "acknowledgement", one.id, one).await
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

/// A page of grants by number.
pub async fn list(app: &App, reader: &GrantReader, wanted: Wanted) -> Result<Stored<Page<Grant>>> {
    let binds: [Arg; 7] = [
        reader.org.into(),
        reader.id.into(),
        wanted.after.unwrap_or_default().into(),
        wanted.state.map(State::as_str).into(),
        wanted.programme.into(),
        wanted.household.into(),
        wanted.limit.into(),
    ];
    let query = app.db.query(
        "SELECT string_agg(hex(e.body), ',' ORDER BY p.number), count(*), max(p.number)
         FROM (SELECT n.id, n.feed, n.number FROM grant_file n
               WHERE n.org = $1 AND n.number > $3
                 AND n.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                 AND ($4 IS NULL OR n.state = $4) AND ($5 IS NULL OR n.programme = $5)
                 AND ($6 IS NULL OR n.id IN (SELECT h.grant_id FROM grant_household h WHERE h.org = $1 AND h.household = $6))
               ORDER BY n.number LIMIT CAST($7 AS BIGINT)) AS p
         JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
    );
    let (items, count, last): (Option<String>, i64, Option<String>) =
        binds.into_iter().fold(query, crate::db::Query::bind).one().await?;
    let items = items.as_deref().map(packed::open_list).transpose()?;
    Ok(page(items, last.filter(|_| count == wanted.limit)))
}
