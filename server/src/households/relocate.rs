//! A household moves to another village with all that belongs to it: its records leave the old feed and stand in the new
//! one. Chains stay where they are: an event and a signature keep the feed in whose chain they stand (docs/adr/0013).

use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use super::{Household, store};
use crate::assessments::{self, Assessment};
use crate::commands::{Applied, Context};
use crate::conflicts::Conflict;
use crate::db::Tx;
use crate::enrolments::{self, Enrolment};
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::media::Evidence;
use crate::packed;
use crate::signatures::Signature;
use crate::visits::{self, Visit};
use crate::{audit, check, duplicates, grants, scope, trainings};

/// `household.move`: to another village; `revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MoveHousehold")]
pub struct Move {
    pub id: Uuid,
    pub revision: i64,
    pub place: Uuid,
    pub reason: String,
}

pub async fn relocate(tx: &mut Tx, context: &Context, body: Move) -> Result<Applied> {
    let by = context.reader.settler()?;
    let (org, crypto) = (by.org, &context.app.crypto);
    check::text("reason", &body.reason, 2000)?;
    if body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    let (from, to) = (store::feed_of(tx, org, body.id).await?, body.place);
    scope::demand(tx, &by, from, "household").await?;
    scope::demand(tx, &by, to, "place").await.map_err(|error| error.field("place"))?;
    let village: Option<(Uuid,)> =
        tx.query("SELECT id FROM place WHERE org = $1 AND id = $2 AND level = 2").bind(org).bind(to).optional().await?;
    village.ok_or_else(|| Error::not_found("village").field("place"))?;
    if from == to {
        return Err(Error::refused("same_place", "The household lives there already.").field("place"));
    }
    let mut feeds = feed::lock(tx, org, [from, to]).await?;
    let before = store::current(tx, crypto, org, from, body.id).await?;
    if before.revision != body.revision {
        return Err(Error::refused("stale", "The household has changed since you looked at it; look again."));
    }
    if before.merged_into.is_some() {
        return Err(Error::refused("merged", "This household was merged into another: that one moves."));
    }
    demand_free(tx, org, body.id).await?;
    tx.query("INSERT INTO household_moved (org, household, feed, revision, at, member) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(org)
        .bind(body.id)
        .bind(from)
        .bind(feeds.revision(from))
        .bind(context.now)
        .bind(by.id)
        .later()
        .await?;
    trainings::leave(tx, context, &mut feeds, from, body.id).await?;
    carry(tx, &feeds, body.id, (from, to)).await?;
    let after = Household { place: to, updated_at: context.now, revision: feeds.revision(to), ..before.clone() };
    feeds.remove(tx, from, "household", body.id).await?;
    store::put(tx, crypto, &feeds, &after).await?;
    duplicates::look_soon(tx, org, body.id, context.now).await?;
    let said = |household: &Household, reason: &str| serde_json::json!({ "place": household.place, "reason": reason });
    let change = (said(&before, ""), said(&after, body.reason.trim()));
    for feed in [from, to] {
        let (subject, change) = (("household", body.id), (Some(&change.0), Some(&change.1)));
        audit::append(tx, &mut feeds, feed, &context.actor(), "household.move", subject, change).await?;
    }
    Applied::to(body.id, after.revision)
}

/// What ties a household to its village holds it there: an active group, a grant under way.
async fn demand_free(tx: &mut Tx, org: Uuid, household: Uuid) -> Result<()> {
    let group: Option<(Uuid,)> = tx
        .query("SELECT business_group FROM business_group_member WHERE org = $1 AND household = $2 AND active LIMIT 1")
        .bind(org)
        .bind(household)
        .optional()
        .await?;
    if group.is_some() {
        return Err(Error::refused(
            "in_group",
            "The household is in a business group of its village: it leaves that first.",
        ));
    }
    let grants: Vec<(String,)> = tx
        .query(
            "SELECT g.state FROM grant_household h JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
             WHERE h.org = $1 AND h.household = $2",
        )
        .bind(org)
        .bind(household)
        .all()
        .await?;
    let over = |state: grants::State| state == grants::State::Closed || state.came_to_nothing();
    if !grants.iter().all(|(state,)| grants::State::parse(state).is_some_and(over)) {
        return Err(Error::refused("grant_under_way", "A grant of the household is under way: it ends first."));
    }
    Ok(())
}

/// What belongs to household $2: visits, assessments, enrolments, conflicts, and the pictures and signatures of all of them.
macro_rules! subjects {
    () => {
        "(SELECT id FROM visit WHERE org = $1 AND household = $2
             UNION ALL SELECT id FROM enrolment WHERE org = $1 AND household = $2
             UNION ALL SELECT id FROM household WHERE org = $1 AND id = $2)"
    };
}

const RECORDS: &str = concat!(
    "SELECT e.id, e.kind, e.body FROM feed_entry e WHERE e.org = $1 AND e.feed = $3 AND NOT e.deleted AND e.id IN (
         SELECT id FROM visit WHERE org = $1 AND household = $2
         UNION SELECT id FROM assessment WHERE org = $1 AND household = $2
         UNION SELECT id FROM enrolment WHERE org = $1 AND household = $2
         UNION SELECT id FROM conflict WHERE org = $1 AND record = $2
         UNION SELECT id FROM evidence WHERE org = $1 AND subject IN ",
    subjects!(),
    "    UNION SELECT id FROM signature WHERE org = $1 AND subject IN ",
    subjects!(),
    ") ORDER BY e.revision, e.id"
);

/// Where rows are looked for. A signature's row keeps the feed in whose chain it stands.
const COLUMNS: [&str; 5] = [
    "UPDATE visit SET feed = $3 WHERE org = $1 AND household = $2",
    "UPDATE assessment SET feed = $3 WHERE org = $1 AND household = $2",
    "UPDATE enrolment SET feed = $3 WHERE org = $1 AND household = $2",
    "UPDATE conflict SET feed = $3 WHERE org = $1 AND record = $2",
    concat!("UPDATE evidence SET feed = $3 WHERE org = $1 AND subject IN ", subjects!()),
];

/// Every record but the household itself: gone from the one feed, there in the other.
async fn carry(tx: &mut Tx, feeds: &Locked, household: Uuid, (from, to): (Uuid, Uuid)) -> Result<()> {
    let org = feeds.org;
    let records: Vec<(Uuid, String, Vec<u8>)> = tx.query(RECORDS).bind(org).bind(household).bind(from).all().await?;
    for sql in COLUMNS {
        tx.query(sql).bind(org).bind(household).bind(to).later().await?;
    }
    let revision = feeds.revision(to);
    for (id, kind, body) in records {
        // Sealed fields stay sealed.
        let body = packed::open(&body)?;
        match kind.as_str() {
            "visit" => {
                feeds.remove(tx, from, "visit", id).await?;
                let visit: Visit = serde_json::from_str(&body)?;
                visits::store::put(tx, feeds, &Visit { place: to, revision, ..visit }).await?;
            }
            "assessment" => {
                feeds.remove(tx, from, "assessment", id).await?;
                let assessment: Assessment = serde_json::from_str(&body)?;
                assessments::store::put(tx, feeds, &Assessment { place: to, revision, ..assessment }).await?;
            }
            "enrolment" => {
                feeds.remove(tx, from, "enrolment", id).await?;
                let enrolment: Enrolment = serde_json::from_str(&body)?;
                enrolments::store::put(tx, feeds, &Enrolment { place: to, revision, ..enrolment }).await?;
            }
            "conflict" => {
                feeds.remove(tx, from, "conflict", id).await?;
                let conflict: Conflict = serde_json::from_str(&body)?;
                feeds.put(tx, to, "conflict", id, &Conflict { revision, ..conflict }).await?;
            }
            "evidence" => {
                feeds.remove(tx, from, "evidence", id).await?;
                let evidence: Evidence = serde_json::from_str(&body)?;
                feeds.put(tx, to, "evidence", id, &Evidence { revision, ..evidence }).await?;
            }
            "signature" => {
                feeds.remove(tx, from, "signature", id).await?;
                let signature: Signature = serde_json::from_str(&body)?;
                feeds.put(tx, to, "signature", id, &Signature { revision, ..signature }).await?;
            }
            _ => return Err(Error::unexpected(anyhow::anyhow!("a {kind} does not know how to move"))),
        }
    }
    Ok(())
}
