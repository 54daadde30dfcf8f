//! Two households that are one: the dropped one stays as a record and points to the kept one, with all that belongs to it
//! where it is; undone, both are as they were, as far as nobody changed them since.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::commands::{EDITABLE, parse, same};
use super::{Change, Household, store};
use crate::clock::Millis;
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::enrolments::State;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::{audit, conflicts, duplicates, scope};

/// A household that was merged into this one, and what that changed here.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "MergedHousehold")]
pub struct Merged {
    pub household: Uuid,
    pub by: Uuid,
    pub at: Millis,
    /// By field: what it held, and what it holds since.
    pub fields: BTreeMap<String, Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[oai(rename = "MergeSide", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Keep,
    Drop,
}

/// `household.merge`: revisions are the ones that were looked at; a field that is not named keeps the value of `keep`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MergeHouseholds")]
pub struct Merge {
    pub keep: Uuid,
    pub drop: Uuid,
    pub revision_keep: i64,
    pub revision_drop: i64,
    #[serde(default)]
    pub choose: BTreeMap<String, Choice>,
}

/// `household.unmerge`: `id` is the one that was dropped.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "UnmergeHousehold")]
pub struct Unmerge {
    pub id: Uuid,
}

/// The picture is chosen with the other fields.
const PHOTO: [&str; 2] = ["photo", "photo_placeholder"];

pub async fn merge(tx: &mut Tx, context: &Context, body: Merge) -> Result<Applied> {
    let by = context.reader.settler()?;
    let (org, crypto) = (by.org, &context.app.crypto);
    let (here, there) = (store::feed_of(tx, org, body.keep).await?, store::feed_of(tx, org, body.drop).await?);
    for place in [here, there] {
        scope::demand(tx, &by, place, "household").await?;
    }
    if body.keep == body.drop {
        return Err(Error::invalid("drop", "A household is not merged with itself."));
    }
    let mut feeds = feed::lock(tx, org, [here, there]).await?;
    let kept = store::current(tx, crypto, org, here, body.keep).await?;
    let dropped = store::current(tx, crypto, org, there, body.drop).await?;
    if (kept.revision, dropped.revision) != (body.revision_keep, body.revision_drop) {
        return Err(Error::refused("stale", "One of the households has changed since you looked at it; look again."));
    }
    if kept.merged_into.is_some() || dropped.merged_into.is_some() {
        return Err(Error::refused("merged", "One of them was merged already."));
    }
    if !dropped.merges.is_empty() {
        return Err(Error::refused("has_merges", "Others were merged into it: keep that one, or undo those first."));
    }
    if kept.registered_by == by.id && dropped.registered_by == by.id {
        return Err(Error::refused("own_households", "Whoever registered both does not decide that they are one."));
    }
    demand_apart(tx, org, &body).await?;
    let mut after = taken(&kept, &dropped, &body.choose)?;
    let fields = changed(&kept, &after)?;
    after.facts.check()?;
    after.merges.push(Merged { household: dropped.id, by: by.id, at: context.now, fields });
    (after.updated_at, after.revision) = (context.now, feeds.revision(here));
    let gone = Household {
        merged_into: Some(kept.id),
        updated_at: context.now,
        revision: feeds.revision(there),
        ..dropped.clone()
    };
    point(tx, org, gone.id, gone.merged_into).await?;
    write(tx, context, &mut feeds, [(&kept, &after), (&dropped, &gone)], "household.merge").await?;
    duplicates::store::decide(tx, org, (kept.id, dropped.id), "merged", by.id, context.now).await?;
    Applied::to(after.id, after.revision)
}

pub async fn unmerge(tx: &mut Tx, context: &Context, body: Unmerge) -> Result<Applied> {
    let by = context.reader.settler()?;
    let (org, crypto) = (by.org, &context.app.crypto);
    let there = store::feed_of(tx, org, body.id).await?;
    scope::demand(tx, &by, there, "household").await?;
    let into: Option<(Option<Uuid>,)> =
        tx.query("SELECT merged_into FROM household WHERE org = $1 AND id = $2").bind(org).bind(body.id).optional().await?;
    let alone = || Error::refused("not_merged", "This household is not merged into another.");
    let keep = into.and_then(|(into,)| into).ok_or_else(alone)?;
    let here = store::feed_of(tx, org, keep).await?;
    scope::demand(tx, &by, here, "household").await?;
    let mut feeds = feed::lock(tx, org, [here, there]).await?;
    let kept = store::current(tx, crypto, org, here, keep).await?;
    let dropped = store::current(tx, crypto, org, there, body.id).await?;
    let at = kept.merges.iter().position(|merged| merged.household == body.id);
    let at = at.filter(|_| dropped.merged_into == Some(keep)).ok_or_else(alone)?;
    let mut record = serde_json::to_value(&kept)?;
    for (field, change) in &kept.merges[at].fields {
        // What somebody changed since stays.
        if same(&record[field], &change.now.clone().unwrap_or_default()) {
            record[field] = change.was.clone().unwrap_or_default();
        }
    }
    let mut after = parse(record)?;
    after.merges.remove(at);
    (after.updated_at, after.revision) = (context.now, feeds.revision(here));
    let back = Household { merged_into: None, updated_at: context.now, revision: feeds.revision(there), ..dropped.clone() };
    point(tx, org, back.id, None).await?;
    write(tx, context, &mut feeds, [(&kept, &after), (&dropped, &back)], "household.unmerge").await?;
    duplicates::store::decide(tx, org, (kept.id, dropped.id), "open", by.id, context.now).await?;
    Applied::to(back.id, back.revision)
}

/// Writes both records, the kept one first, each with its event.
async fn write(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    both: [(&Household, &Household); 2],
    action: &str,
) -> Result<()> {
    let crypto = &context.app.crypto;
    for (before, after) in both {
        store::put(tx, crypto, feeds, after).await?;
        let (was, now) = (store::sealed(crypto, before), store::sealed(crypto, after));
        let subject = ("household", after.id);
        audit::append(tx, feeds, after.place, &context.actor(), action, subject, (Some(&was), Some(&now))).await?;
    }
    conflicts::refresh(tx, context, feeds, both[0].1.place, both[0].1).await
}

async fn point(tx: &mut Tx, org: Uuid, household: Uuid, into: Option<Uuid>) -> Result<()> {
    tx.query("UPDATE household SET merged_into = $3 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(household)
        .bind(into)
        .later()
        .await
}

/// The kept household with what was chosen of the other.
fn taken(kept: &Household, dropped: &Household, choose: &BTreeMap<String, Choice>) -> Result<Household> {
    let (mut record, other) = (serde_json::to_value(kept)?, serde_json::to_value(dropped)?);
    for (field, side) in choose {
        if !EDITABLE.contains(&field.as_str()) && field != PHOTO[0] {
            return Err(Error::invalid(field, "This field is not chosen."));
        }
        if *side == Choice::Drop {
            let of_picture = field == PHOTO[0];
            for name in PHOTO.into_iter().filter(|_| of_picture).chain((!of_picture).then_some(field.as_str())) {
                record[name] = other[name].clone();
            }
        }
    }
    let mut after = parse(record)?;
    after.last_visit_at = kept.last_visit_at.max(dropped.last_visit_at);
    Ok(after)
}

/// Every field that differs, as it was and as it is now.
fn changed(before: &Household, after: &Household) -> Result<BTreeMap<String, Change>> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let fields = EDITABLE.iter().copied().chain(PHOTO).chain(["last_visit_at"]);
    let differing = fields.filter(|field| !same(&before[*field], &after[*field]));
    let given = |value: &Value| (!value.is_null()).then(|| value.clone());
    Ok(differing.map(|f| (f.to_owned(), Change { was: given(&before[f]), now: given(&after[f]) })).collect())
}

/// Both of them on their way in one programme are not one household: one of the enrolments ends first.
async fn demand_apart(tx: &mut Tx, org: Uuid, body: &Merge) -> Result<()> {
    let rows: Vec<(Uuid, Uuid, String)> = tx
        .query("SELECT household, programme, state FROM enrolment WHERE org = $1 AND household IN ($2, $3)")
        .bind(org)
        .bind(body.keep)
        .bind(body.drop)
        .all()
        .await?;
    let under_way = |household: Uuid| {
        let open = |state: &str| State::parse(state).is_some_and(|state| !state.is_closed());
        rows.iter().filter(move |(of, _, state)| *of == household && open(state)).map(|(_, programme, _)| *programme)
    };
    match under_way(body.keep).find(|one| under_way(body.drop).any(|other| other == *one)) {
        None => Ok(()),
        Some(programme) => {
            let message = "Both are on their way in one programme: end one of the enrolments first.";
            Err(Error::refused("both_enrolled", message).details(json!({ "programme": programme })))
        }
    }
}
