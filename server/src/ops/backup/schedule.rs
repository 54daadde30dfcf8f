//! The daily backup: a job like any other, so that of several servers one makes it, and tries again when it fails.

use uuid::Uuid;

use super::make::{self, Made};
use super::place::Place;
use super::store;
use crate::app::App;
use crate::clock::{DAY, HOUR, Millis};
use crate::error::{Error, Result};
use crate::jobs;
use crate::ops::progress::Progress;

/// Asks for today's backup, once the hour has come and unless it is there already. Nothing to do where no place is set,
/// and where there is nobody's data yet.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(app: &App) -> Result<()> {
    if app.config.backup_url.is_none() {
        return Ok(());
    }
    let due = due(app.clock.now(), app.config.backup_hour);
    if store::since(&app.db, due).await? {
        return Ok(());
    }
    let org: Option<(Uuid,)> =
        app.db.query("SELECT id FROM organisation ORDER BY created_at, id LIMIT 1").optional().await?;
    let Some((org,)) = org else { return Ok(()) };
    let now = app.clock.now();
    let dedupe = format!("backup:{due}");
    let job = jobs::New { kind: "backup", dedupe: dedupe.clone(), run_at: now };
    app.db
        .write(move |tx| {
            Box::pin(async move {
                jobs::enqueue(tx, org, job, &()).await?;
                // One that was made since we looked, and whose job is gone already.
                tx.query(
                    "DELETE FROM job WHERE dedupe = $1
                     AND EXISTS (SELECT 1 FROM backup_run WHERE started_at >= $2 AND state = 'done')",
                )
                .bind(dedupe)
                .bind(due)
                .run()
                .await
                .map(drop)
            })
        })
        .await
}

/// The latest moment at which a backup was due.
fn due(now: Millis, hour: u32) -> Millis {
    let today = now - now.rem_euclid(DAY) + i64::from(hour) * HOUR;
    if today <= now { today } else { today - DAY }
}

/// Makes the backup that a job asks for.
///
/// # Errors
/// When it failed: the job comes again.
pub async fn job(app: &App) -> Result<()> {
    let made = run(app, Place::open(&app.config, None), &Progress::silent()).await?;
    made.map(drop).map_err(|error| Error::unexpected(error.context("the daily backup")))
}

/// Makes one and keeps what became of it. The outer error is the database's.
///
/// # Errors
/// As said; the inner one is the backup's own.
pub async fn run(app: &App, place: anyhow::Result<Place>, progress: &Progress) -> Result<anyhow::Result<Made>> {
    let id = store::begin(app).await?;
    let made = match place {
        Ok(place) => make::make(app, &place, progress).await,
        Err(error) => Err(error),
    };
    store::end(app, id, &made).await?;
    log(&made);
    Ok(made)
}

/// Administrators hear of one that failed by `notifications::reminders`.
fn log(made: &anyhow::Result<Made>) {
    match made {
        Ok(made) => {
            tracing::info!(name = %made.name, objects = made.objects, bytes = made.bytes, missing = made.missing.len(), "backup made")
        }
        Err(error) => tracing::error!(error = %format!("{error:#}"), "the backup failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_once_a_day_from_its_hour_on() {
        let midnight = 20_000 * DAY;
        assert_eq!(due(midnight + 22 * HOUR, 22), midnight + 22 * HOUR);
        assert_eq!(due(midnight + 22 * HOUR - 1, 22), midnight - 2 * HOUR);
        assert_eq!(due(midnight, 0), midnight);
    }
}
