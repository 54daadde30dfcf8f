//! Grants by their state, what they took from the budgets, and whose use is still to be told.

use super::{BudgetUse, GrantCount};
use crate::auth::FigureReader;
use crate::db::Db;
use crate::error::Result;

pub async fn grants(db: &Db, reader: &FigureReader) -> Result<Vec<GrantCount>> {
    db.query(
        "SELECT state, count(*) AS count, CAST(SUM(amount_minor) AS BIGINT) AS amount_minor FROM grant_file
         WHERE org = $1 AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
         GROUP BY state ORDER BY state",
    )
    .bind(reader.org)
    .bind(reader.id)
    .all()
    .await
}

/// From the ledger's entries, not from the programme's columns: those say it for all places at once.
pub async fn budgets(db: &Db, reader: &FigureReader) -> Result<Vec<BudgetUse>> {
    db.query(
        "WITH l AS (SELECT l.programme,
                 CAST(SUM(CASE l.kind WHEN 'commit' THEN l.amount_minor WHEN 'uncommit' THEN -l.amount_minor ELSE 0 END)
                     AS BIGINT) AS committed,
                 CAST(SUM(CASE l.kind WHEN 'release' THEN l.amount_minor WHEN 'reverse' THEN -l.amount_minor ELSE 0 END)
                     AS BIGINT) AS released
             FROM ledger l JOIN grant_file g ON g.org = l.org AND g.id = l.grant_id
             WHERE l.org = $1 AND g.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
             GROUP BY l.programme)
         SELECT p.id AS programme, p.code, p.budget_minor, COALESCE(l.committed, 0) AS committed_minor,
             COALESCE(l.released, 0) AS released_minor
         FROM programme p LEFT JOIN l ON l.programme = p.id
         WHERE p.org = $1 AND (p.budget_minor IS NOT NULL OR l.programme IS NOT NULL) ORDER BY p.code",
    )
    .bind(reader.org)
    .bind(reader.id)
    .all()
    .await
}

/// `today`: days since 1970.
pub async fn use_due(db: &Db, reader: &FigureReader, today: i64) -> Result<i64> {
    let date = chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(today).unwrap_or_default());
    let (due,): (i64,) = db
        .query(
            "SELECT count(*) FROM grant_file
             WHERE org = $1 AND (utilisation = 'returned' OR (utilisation = 'due' AND utilisation_due < $3))
                 AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(date.format("%Y-%m-%d").to_string())
        .one()
        .await?;
    Ok(due)
}

/// Receipts that did not fit what was released.
pub async fn flagged(db: &Db, reader: &FigureReader) -> Result<i64> {
    let (flagged,): (i64,) = db
        .query(
            "SELECT count(*) FROM acknowledgement
             WHERE org = $1 AND NOT counted AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .one()
        .await?;
    Ok(flagged)
}
