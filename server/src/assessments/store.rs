//! How assessments are kept: columns to ask for in their table, the record itself in its feed entry.

use uuid::Uuid;

use super::{Assessment, Qualification, Stage};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::scope;

/// Writes a new assessment to its table and its feed.
pub async fn add(tx: &mut Tx, feeds: &Locked, assessment: &Assessment) -> Result<()> {
    tx.query(
        "INSERT INTO assessment (org, id, feed, household, programme, instrument, version, score, qualification,
             assessed_by, created_at, stage)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (org, id) DO NOTHING",
    )
    .bind(feeds.org)
    .bind(assessment.id)
    .bind(assessment.place)
    .bind(assessment.household)
    .bind(assessment.programme)
    .bind(assessment.instrument.clone())
    .bind(assessment.version)
    .bind(assessment.score)
    .bind(assessment.qualification.as_str())
    .bind(assessment.assessed_by)
    .bind(assessment.created_at)
    .bind(assessment.stage.as_str())
    .later_or(|| Error::refused("exists", "An assessment with this id is there already."))
    .await?;
    put(tx, feeds, assessment).await
}

/// Writes the record to its feed: nothing that is asked for ever changes.
pub async fn put(tx: &mut Tx, feeds: &Locked, assessment: &Assessment) -> Result<()> {
    feeds.put(tx, assessment.place, "assessment", assessment.id, assessment).await
}

/// The record; its feed must be locked.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid) -> Result<Assessment> {
    Ok(serde_json::from_str(&scope::current(tx, org, feed, id, "assessment").await?)?)
}

/// The household's latest graduation assessment for the programme found it ready. Its feed must be locked.
///
/// # Errors
/// 422 `not_ready` otherwise.
pub async fn demand_ready(tx: &mut Tx, org: Uuid, household: Uuid, programme: Uuid) -> Result<()> {
    let latest: Option<(String,)> = tx
        .query(
            "SELECT qualification FROM assessment WHERE org = $1 AND household = $2 AND programme = $3 AND stage = $4
             ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(org)
        .bind(household)
        .bind(programme)
        .bind(Stage::Graduation.as_str())
        .optional()
        .await?;
    match latest.is_some_and(|(found,)| found == Qualification::Qualified.as_str()) {
        true => Ok(()),
        false => Err(Error::refused("not_ready", "The latest graduation assessment does not find the household ready.")),
    }
}

/// Whether this member assessed the household for the programme, in whatever assessment.
pub async fn assessed(tx: &mut Tx, org: Uuid, household: Uuid, programme: Uuid, member: Uuid) -> Result<bool> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT id FROM assessment WHERE org = $1 AND household = $2 AND programme = $3 AND assessed_by = $4 LIMIT 1")
        .bind(org)
        .bind(household)
        .bind(programme)
        .bind(member)
        .optional()
        .await?;
    Ok(row.is_some())
}
