//! Work that outlives its request: enqueued in the caller's transaction, claimed with a lease, retried with
//! back-off, dead after eight tries (an administrator sees those).

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::app::App;
use crate::clock::{MINUTE, Millis, new_id};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::{audit, duplicates, grants, imports, media, notifications, ops, privacy};

const LEASE: Millis = 2 * MINUTE;
const TRIES: i64 = 8;
/// Jobs that run at once in one process.
const WORKERS: usize = 4;

/// A job to be done at or after `run_at`; `dedupe` names the effect, which happens once.
pub struct New {
    pub kind: &'static str,
    pub dedupe: String,
    pub run_at: Millis,
}

/// Enqueues in the caller's transaction: the job exists if and only if the change does.
pub async fn enqueue(tx: &mut Tx, org: Uuid, new: New, body: &impl Serialize) -> Result<()> {
    tx.query(
        "INSERT INTO job (id, org, kind, dedupe, body, state, run_at, lease_until, attempts)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, 0, 0) ON CONFLICT (dedupe) DO NOTHING",
    )
    .bind(new_id())
    .bind(org)
    .bind(new.kind)
    .bind(new.dedupe)
    .bind(serde_json::to_string(body)?)
    .bind(new.run_at)
    .later()
    .await?;
    tx.jobs = true;
    Ok(())
}

/// Not a failure of the job but of the moment: try again after this many milliseconds.
pub struct Later(pub Millis);

#[derive(sqlx::FromRow)]
struct Job {
    id: Uuid,
    org: Uuid,
    kind: String,
    body: String,
    attempts: i64,
}

/// Runs jobs until told to stop.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut workers = tokio::task::JoinSet::new();
    let (mut swept, mut read, mut reminded): (Millis, Millis, Millis) = (0, 0, 0);
    while !*stop.borrow() {
        if app.clock.now() - swept > 10 * MINUTE {
            swept = app.clock.now();
            let sealed = audit::seal::all(&app).await.map(drop);
            let kept = privacy::retention::all(&app).await.map(drop);
            let buried = bury(&app).await;
            let alike = duplicates::sweep(&app).await;
            let ended = grants::sweep::all(&app).await.map(drop);
            let copied = ops::backup::schedule::sweep(&app).await;
            let begun = imports::sweep(&app).await;
            let looked = ops::certificate::sweep(&app).await;
            for swept in [media::tus::sweep(&app).await, buried, begun, looked, sealed, kept, alike, ended, copied] {
                if let Err(error) = swept {
                    error.log();
                }
            }
        }
        if app.clock.now() - read > privacy::keys::READ_AGAIN {
            read = app.clock.now();
            if let Err(error) = privacy::keys::read(&app).await {
                error.log();
            }
        }
        if app.clock.now() - reminded >= MINUTE {
            reminded = app.clock.now();
            if let Err(error) = notifications::reminders::all(&app).await {
                error.log();
            }
        }
        while workers.len() < WORKERS {
            match claim(&app).await {
                Ok(Some(job)) => drop(workers.spawn(perform(app.clone(), job))),
                Ok(None) => break,
                Err(error) => {
                    error.log();
                    break;
                }
            }
        }
        tokio::select! {
            _ = workers.join_next(), if !workers.is_empty() => {}
            () = app.jobs.notified(), if workers.len() < WORKERS => {}
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            _ = stop.changed() => {}
        }
    }
    workers.join_all().await;
}

/// A job that ended its process every time has no one left to settle it.
async fn bury(app: &App) -> Result<()> {
    let now = app.clock.now();
    let update = "UPDATE job SET state = 'dead', error = 'crashed' WHERE state = 'queued' AND lease_until > 0
                  AND lease_until <= $1 AND attempts >= $2";
    app.db.write(move |tx| Box::pin(tx.query(update).bind(now).bind(TRIES).run())).await.map(drop)
}

async fn claim(app: &App) -> Result<Option<Job>> {
    let now = app.clock.now();
    // A glance first: an idle server must not write.
    let due: Option<(Uuid,)> = app
        .db
        .query(
            "SELECT id FROM job WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1
             AND (lease_until = 0 OR attempts < $2) LIMIT 1",
        )
        .bind(now)
        .bind(TRIES)
        .optional()
        .await?;
    if due.is_none() {
        return Ok(None);
    }
    let sql = app.db.pick(
        "UPDATE job SET lease_until = $2, attempts = attempts + 1 WHERE id = (
             SELECT id FROM job WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1
                 AND (lease_until = 0 OR attempts < $3) ORDER BY run_at LIMIT 1)
         RETURNING id, org, kind, body, attempts",
        "UPDATE job SET lease_until = $2, attempts = attempts + 1 WHERE id = (
             SELECT id FROM job WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1
                 AND (lease_until = 0 OR attempts < $3) ORDER BY run_at LIMIT 1
             FOR UPDATE SKIP LOCKED)
         RETURNING id, org, kind, body, attempts",
    );
    app.db.write(move |tx| Box::pin(tx.query(sql).bind(now).bind(now + LEASE).bind(TRIES).optional())).await
}

async fn work(app: &App, job: &Job) -> Result<Option<Later>> {
    match job.kind.as_str() {
        "media.derive" => media::derive_job(app, job.org, &job.body).await.map(|()| None),
        "media.forget" => privacy::erase::forget_picture(app, job.org, &job.body).await.map(|()| None),
        "push" => notifications::push_job(app, job.org, &job.body).await,
        "deliver" => notifications::delivery_job(app, job.org, &job.body).await,
        "unread" => notifications::unread_job(app, job.org, &job.body).await.map(|()| None),
        "import" => imports::job(app, job.org, &job.body).await.map(|()| None),
        "duplicates" => duplicates::job(app, job.org).await.map(|()| None),
        "backup" => ops::backup::schedule::job(app).await.map(|()| None),
        "tls" => ops::certificate::job(app).await.map(|()| None),
        other => Err(Error::unexpected(anyhow::anyhow!("no such job: {other}"))),
    }
}

/// Keeps the lease of a job that takes longer.
async fn hold<T>(app: &App, id: Uuid) -> T {
    loop {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let until = app.clock.now() + LEASE;
        let sql = "UPDATE job SET lease_until = $2 WHERE id = $1 AND state = 'queued' AND lease_until > 0";
        if let Err(error) = app.db.write(move |tx| Box::pin(tx.query(sql).bind(id).bind(until).run())).await {
            error.log();
        }
    }
}

async fn perform(app: App, job: Job) {
    let done = tokio::select! {
        done = work(&app, &job) => done,
        never = hold(&app, job.id) => never,
    };
    let settled = match done {
        Ok(None) => settle(&app, job.id, "done", 0, None).await,
        Ok(Some(Later(wait))) if job.attempts < TRIES => settle(&app, job.id, "queued", wait, None).await,
        Ok(Some(_)) => settle(&app, job.id, "dead", 0, Some("gave up".into())).await,
        Err(error) => {
            error.log();
            // A part that is down for a while is no reason to give up; the job's own fault is, in the end.
            let passing = error.retry_after.is_some();
            let state = if passing || job.attempts < TRIES { "queued" } else { "dead" };
            settle(&app, job.id, state, 1000 << job.attempts.min(11), Some(error.code().to_owned())).await
        }
    };
    if let Err(error) = settled {
        // The lease runs out and the job is done again: it is idempotent.
        error.log();
    }
}

async fn settle(app: &App, id: Uuid, state: &'static str, wait: Millis, error: Option<String>) -> Result<()> {
    if state == "done" {
        return app.db.write(move |tx| Box::pin(tx.query("DELETE FROM job WHERE id = $1").bind(id).run())).await.map(drop);
    }
    let at = app.clock.now() + wait;
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query("UPDATE job SET state = $2, run_at = $3, lease_until = 0, error = $4 WHERE id = $1")
                    .bind(id)
                    .bind(state)
                    .bind(at)
                    .bind(error)
                    .run(),
            )
        })
        .await
        .map(drop)
}
