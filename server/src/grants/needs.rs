//! What must have happened before a grant may be asked for: another grant received and used, time, health, milestones, a
//! rating. All is looked at under the lock of the applicant's village.

use uuid::Uuid;

use super::UseState;
use crate::clock::{DAY, Millis};
use crate::db::Tx;
use crate::enrolments;
use crate::error::{Error, Result};
use crate::groups::{self, Group};
use crate::policies::PolicyFacts;

/// Every household takes part in the programme now.
///
/// # Errors
/// 422 `not_enrolled`.
pub async fn demand_enrolled(tx: &mut Tx, (org, place): (Uuid, Uuid), programme: Uuid, households: &[Uuid]) -> Result<()> {
    for household in households {
        if enrolments::store::climbing(tx, org, place, *household, Some(programme)).await?.is_empty() {
            return Err(Error::refused("not_enrolled", "A household does not take part in the programme."));
        }
    }
    Ok(())
}

/// No household has such a grant already, or asks for one.
///
/// # Errors
/// 422 `granted`.
pub async fn demand_first(tx: &mut Tx, org: Uuid, facts: &PolicyFacts, grant: Uuid, households: &[Uuid]) -> Result<()> {
    for household in households {
        let other: Option<(Uuid,)> = tx
            .query(
                "SELECT g.id FROM grant_household h JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
                 WHERE h.org = $1 AND h.household = $2 AND g.programme = $3 AND g.policy_key = $4 AND g.id <> $5
                   AND g.state NOT IN ('rejected', 'cancelled', 'expired') LIMIT 1",
            )
            .bind(org)
            .bind(*household)
            .bind(facts.programme)
            .bind(facts.key.clone())
            .bind(grant)
            .optional()
            .await?;
        if other.is_some() {
            return Err(Error::refused("granted", "A household has such a grant already, or asks for one."));
        }
    }
    Ok(())
}

/// What the policy needs is there, as it was in the version by which the household asks.
///
/// # Errors
/// 422 `needs_missing`; the message names what: grant, utilised, days_since, health, milestone, rating.
pub async fn demand(
    tx: &mut Tx,
    (org, place, now): (Uuid, Uuid, Millis),
    facts: &PolicyFacts,
    group: Option<&Group>,
    households: &[Uuid],
) -> Result<()> {
    let needs = &facts.needs;
    let mut missing: Vec<&str> = Vec::new();
    for household in households {
        if let Some(key) = &needs.grant {
            earlier(tx, org, facts, key, *household, now, &mut missing).await?;
        }
        for id in enrolments::store::climbing(tx, org, place, *household, Some(facts.programme)).await? {
            let enrolment = enrolments::store::current(tx, org, place, id).await?;
            let done = |number: &i64| enrolment.milestones.iter().any(|rung| rung.number == *number && rung.state.is_done());
            if !needs.milestones.iter().all(done) {
                missing.push("milestone");
            }
        }
    }
    let health = group.map(|group| group.health.as_str());
    if !needs.health.is_empty() && !health.is_some_and(|is| needs.health.iter().any(|fits| fits == is)) {
        missing.push("health");
    }
    if let Some(least) = needs.rating_least {
        let survey = match group {
            Some(group) => groups::store::latest_survey(tx, org, group.id, groups::SurveyKind::Performance).await?,
            None => None,
        };
        if survey.and_then(|survey| survey.findings.score).is_none_or(|score| score < least) {
            missing.push("rating");
        }
    }
    missing.sort_unstable();
    missing.dedup();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::refused("needs_missing", format!("Missing: {}.", missing.join(", ")))
            .details(serde_json::json!({ "needs": missing }))),
    }
}

/// The household has had the grant that must come before.
async fn earlier(
    tx: &mut Tx,
    org: Uuid,
    facts: &PolicyFacts,
    key: &str,
    household: Uuid,
    now: Millis,
    missing: &mut Vec<&str>,
) -> Result<()> {
    let row: Option<(Option<Millis>, Option<String>)> = tx
        .query(
            "SELECT g.acknowledged_at, g.utilisation FROM grant_household h
             JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
             WHERE h.org = $1 AND h.household = $2 AND g.programme = $3 AND g.policy_key = $4
               AND g.state IN ('disbursed', 'utilised', 'closed') LIMIT 1",
        )
        .bind(org)
        .bind(household)
        .bind(facts.programme)
        .bind(key)
        .optional()
        .await?;
    let Some((Some(acknowledged_at), utilisation)) = row else {
        missing.push("grant");
        return Ok(());
    };
    if facts.needs.utilised && utilisation.as_deref() != Some(UseState::Verified.as_str()) {
        missing.push("utilised");
    }
    if facts.needs.days_since.is_some_and(|days| now - acknowledged_at < days * DAY) {
        missing.push("days_since");
    }
    Ok(())
}
