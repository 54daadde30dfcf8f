//! How consents are kept: a row for each step, beside the household's record.

use uuid::Uuid;

use super::{ConsentEvent, ConsentStep};
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::{Error, Result};

pub async fn add(tx: &mut Tx, org: Uuid, household: Uuid, step: &ConsentStep, now: Millis) -> Result<()> {
    tx.query(
        "INSERT INTO consent (org, id, household, event, purpose, version, language, signature, picture, member, made_at, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (org, id, event) DO NOTHING",
    )
    .bind(org)
    .bind(step.id)
    .bind(household)
    .bind(step.event.as_str())
    .bind(step.purpose.clone())
    .bind(step.version)
    .bind(step.language.clone())
    .bind(step.signature)
    .bind(step.picture)
    .bind(step.by)
    .bind(step.at)
    .bind(now)
    .later_or(|| Error::refused("exists", "A consent with this id is there already."))
    .await
}

/// Whether the latest word of the household, or of those that are one with it, is that it withdrew.
pub async fn withdrawn(tx: &mut Tx, org: Uuid, household: Uuid) -> Result<bool> {
    let latest: Option<(String,)> = tx
        .query(concat!(
            "SELECT event FROM consent WHERE org = $1 AND household IN ",
            crate::households::store::family!(),
            " ORDER BY made_at DESC, at DESC, event DESC LIMIT 1"
        ))
        .bind(org)
        .bind(household)
        .optional()
        .await?;
    Ok(latest.is_some_and(|(event,)| event == ConsentEvent::Withdrawn.as_str()))
}
