//! What became of each backup.

use uuid::Uuid;

use super::make::Made;
use crate::app::App;
use crate::clock::{DAY, Millis, new_id};
use crate::db::Db;
use crate::error::Result;

/// One attempt.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Run {
    pub started_at: Millis,
    pub ended_at: Option<Millis>,
    /// `running`, `done` or `failed`.
    pub state: String,
    pub bytes: Option<i64>,
    pub objects: Option<i64>,
    pub missing: Option<i64>,
}

/// Notes that one begins; forgets those of a year ago.
pub async fn begin(app: &App) -> Result<Uuid> {
    let (id, now) = (new_id(), app.clock.now());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                // One that its process did not live to end.
                tx.query(
                    "UPDATE backup_run SET state = 'failed', ended_at = $1, error = 'interrupted' WHERE state = 'running'",
                )
                .bind(now)
                .run()
                .await?;
                tx.query("DELETE FROM backup_run WHERE started_at < $1").bind(now - 365 * DAY).run().await?;
                tx.query("INSERT INTO backup_run (id, started_at, state) VALUES ($1, $2, 'running')")
                    .bind(id)
                    .bind(now)
                    .run()
                    .await?;
                Ok(id)
            })
        })
        .await
}

pub async fn end(app: &App, id: Uuid, made: &anyhow::Result<Made>) -> Result<()> {
    let now = app.clock.now();
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (state, error) = match made {
        Ok(_) => ("done", None),
        Err(error) => ("failed", Some(format!("{error:#}"))),
    };
    let made = made.as_ref().ok();
    let name = made.map(|made| made.name.clone());
    let bytes = made.map(|made| count(made.bytes));
    let written = made.map(|made| count(made.written));
    let objects = made.map(|made| count(made.objects));
    let missing = made.map(|made| made.missing.len() as i64);
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "UPDATE backup_run SET ended_at = $2, state = $3, error = $4, name = $5, bytes = $6, written = $7,
                     objects = $8, missing = $9 WHERE id = $1",
                )
                .bind(id)
                .bind(now)
                .bind(state)
                .bind(error)
                .bind(name)
                .bind(bytes)
                .bind(written)
                .bind(objects)
                .bind(missing)
                .run(),
            )
        })
        .await
        .map(drop)
}

/// The latest attempt, and the latest that went well.
pub async fn latest(db: &Db) -> Result<(Option<Run>, Option<Run>)> {
    let last = db
        .query("SELECT started_at, ended_at, state, bytes, objects, missing FROM backup_run ORDER BY started_at DESC, id DESC LIMIT 1")
        .optional()
        .await?;
    let good = db
        .query(
            "SELECT started_at, ended_at, state, bytes, objects, missing FROM backup_run WHERE state = 'done'
             ORDER BY started_at DESC, id DESC LIMIT 1",
        )
        .optional()
        .await?;
    Ok((last, good))
}

/// Whether one went well, or runs, that began at or after `from`.
pub async fn since(db: &Db, from: Millis) -> Result<bool> {
    let found: Option<(Uuid,)> = db
        .query("SELECT id FROM backup_run WHERE started_at >= $1 AND state = 'done' LIMIT 1")
        .bind(from)
        .optional()
        .await?;
    Ok(found.is_some())
}
