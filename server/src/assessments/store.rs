//! How assessments are kept: columns to ask for in their table, the record itself in its feed entry.

use uuid::Uuid;

use super::Assessment;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::scope;

/// Writes a new assessment to its table and its feed.
pub async fn add(tx: &mut Tx, feeds: &Locked, assessment: &Assessment) -> Result<()> {
    tx.query(
        "INSERT INTO assessment (org, id, feed, household, programme, instrument, version, score, qualification,
             assessed_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (org, id) DO NOTHING",
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
