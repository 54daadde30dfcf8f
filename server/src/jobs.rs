//! Work that outlives its request: enqueued in the caller's transaction, claimed with a lease, retried with
//! back-off, dead after eight tries (an administrator sees those).
//!
//! Deliveries are many and small: they are claimed by the hundred, beside all other work, and settled together. One that
//! was lost with its process is done alone, so that none can take others down with it a second time.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::app::App;
use crate::clock::{MINUTE, Millis, new_id};
use crate::db::{Arg, Tx, among, list};
use crate::error::{Error, Result};
use crate::{audit, duplicates, grants, imports, media, notifications, ops, privacy};

const LEASE: Millis = 2 * MINUTE;
const TRIES: i64 = 8;
/// Jobs that run at once in one process.
const WORKERS: usize = 4;
/// Deliveries that are claimed at once, and claims under way at once.
const BATCH: i64 = 256;
const BATCHES: usize = 4;

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

/// As [`enqueue`], for as many as there are.
pub async fn enqueue_many(tx: &mut Tx, org: Uuid, new: impl Iterator<Item = (New, String)>) -> Result<()> {
    let row = |(New { kind, dedupe, run_at }, body): (New, String)| -> Vec<Arg> {
        let (id, none) = (new_id(), 0_i64);
        vec![
            id.into(),
            org.into(),
            kind.into(),
            dedupe.into(),
            body.into(),
            "queued".into(),
            run_at.into(),
            none.into(),
            none.into(),
        ]
    };
    const INTO: &str = "INSERT INTO job (id, org, kind, dedupe, body, state, run_at, lease_until, attempts)";
    tx.insert_missing(INTO, new.map(row).collect()).await?;
    tx.jobs = true;
    Ok(())
}

/// Jobs that are done.
pub async fn done(tx: &mut Tx, ids: &[Uuid]) -> Result<()> {
    let sql = among!(tx, "DELETE FROM job WHERE id", "");
    tx.query(sql).bind(list(ids)).run().await.map(drop)
}

/// Jobs that have their time later, as if nobody had begun them.
pub async fn again(tx: &mut Tx, ids: &[Uuid], run_at: Millis) -> Result<()> {
    let sql = among!(tx, "UPDATE job SET run_at = $2, lease_until = 0, attempts = 0 WHERE state = 'queued' AND id", "");
    tx.query(sql).bind(list(ids)).bind(run_at).run().await.map(drop)
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
    let (mut workers, mut batches) = (tokio::task::JoinSet::new(), tokio::task::JoinSet::new());
    let (mut swept, mut read, mut reminded): (Millis, Millis, Millis) = (0, 0, 0);
    let mut reminding = tokio::task::JoinSet::new();
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
        // Beside the work: ten thousand people who are reminded keep nobody else waiting.
        if app.clock.now() - reminded >= MINUTE && reminding.is_empty() {
            reminded = app.clock.now();
            reminding.spawn(remind(app.clone()));
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
        while batches.len() < BATCHES {
            match claim_deliveries(&app).await {
                Ok(jobs) if jobs.is_empty() => break,
                Ok(jobs) => drop(batches.spawn(deliver(app.clone(), jobs))),
                Err(error) => {
                    error.log();
                    break;
                }
            }
        }
        tokio::select! {
            _ = workers.join_next(), if !workers.is_empty() => {}
            _ = batches.join_next(), if !batches.is_empty() => {}
            _ = reminding.join_next(), if !reminding.is_empty() => {}
            () = app.jobs.notified(), if workers.len() < WORKERS || batches.len() < BATCHES => {}
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            _ = stop.changed() => {}
        }
    }
    workers.join_all().await;
    batches.join_all().await;
    reminding.join_all().await;
}

async fn remind(app: App) {
    if let Err(error) = notifications::reminders::all(&app).await {
        error.log();
    }
}

/// A job that ended its process every time has no one left to settle it.
async fn bury(app: &App) -> Result<()> {
    let now = app.clock.now();
    let update = "UPDATE job SET state = 'dead', error = 'crashed' WHERE state = 'queued' AND lease_until > 0
                  AND lease_until <= $1 AND attempts >= $2";
    app.db.write(move |tx| Box::pin(tx.query(update).bind(now).bind(TRIES).run())).await.map(drop)
}

/// One of all but the deliveries that nobody has begun.
async fn claim(app: &App) -> Result<Option<Job>> {
    let now = app.clock.now();
    // A glance first: an idle server must not write.
    let due: Option<(Uuid,)> = app
        .db
        .query(
            "SELECT id FROM job WHERE state = 'queued' AND NOT (kind = 'deliver' AND attempts = 0)
             AND run_at <= $1 AND lease_until <= $1 AND (lease_until = 0 OR attempts < $2) LIMIT 1",
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
             SELECT id FROM job WHERE state = 'queued' AND NOT (kind = 'deliver' AND attempts = 0)
                 AND run_at <= $1 AND lease_until <= $1 AND (lease_until = 0 OR attempts < $3) ORDER BY run_at LIMIT 1)
         RETURNING id, org, kind, body, attempts",
        "UPDATE job SET lease_until = $2, attempts = attempts + 1 WHERE id = (
             SELECT id FROM job WHERE state = 'queued' AND NOT (kind = 'deliver' AND attempts = 0)
                 AND run_at <= $1 AND lease_until <= $1 AND (lease_until = 0 OR attempts < $3) ORDER BY run_at LIMIT 1
             FOR UPDATE SKIP LOCKED)
         RETURNING id, org, kind, body, attempts",
    );
    app.db.write(move |tx| Box::pin(tx.query(sql).bind(now).bind(now + LEASE).bind(TRIES).optional())).await
}

/// Deliveries that nobody has begun, in the order of their time.
async fn claim_deliveries(app: &App) -> Result<Vec<Job>> {
    let now = app.clock.now();
    let due: Option<(Uuid,)> = app
        .db
        .query("SELECT id FROM job WHERE state = 'queued' AND kind = 'deliver' AND attempts = 0 AND run_at <= $1 LIMIT 1")
        .bind(now)
        .optional()
        .await?;
    if due.is_none() {
        return Ok(vec![]);
    }
    let sql = app.db.pick(
        "UPDATE job SET lease_until = $2, attempts = 1 WHERE id IN (
             SELECT id FROM job WHERE state = 'queued' AND kind = 'deliver' AND attempts = 0 AND run_at <= $1
             ORDER BY run_at LIMIT CAST($3 AS BIGINT))
         RETURNING id, org, kind, body, attempts",
        "UPDATE job SET lease_until = $2, attempts = 1 WHERE id = ANY (ARRAY(
             SELECT id FROM job WHERE state = 'queued' AND kind = 'deliver' AND attempts = 0 AND run_at <= $1
             ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED))
         RETURNING id, org, kind, body, attempts",
    );
    app.db.write(move |tx| Box::pin(tx.query(sql).bind(now).bind(now + LEASE).bind(BATCH).all())).await
}

async fn work(app: &App, job: &Job) -> Result<Option<Later>> {
    match job.kind.as_str() {
        "media.derive" => media::derive_job(app, job.org, &job.body).await.map(|()| None),
        "media.forget" => privacy::erase::forget_picture(app, job.org, &job.body).await.map(|()| None),
        "push" => notifications::push_job(app, job.org, &job.body).await,
        "unread" => notifications::unread_job(app, job.org, &job.body).await.map(|()| None),
        "import" => imports::job(app, job.org, &job.body).await.map(|()| None),
        "duplicates" => duplicates::job(app, job.org).await.map(|()| None),
        "backup" => ops::backup::schedule::job(app).await.map(|()| None),
        "tls" => ops::certificate::job(app).await.map(|()| None),
        other => Err(Error::unexpected(anyhow::anyhow!("no such job: {other}"))),
    }
}

/// Keeps the leases of jobs that take longer.
async fn hold<T>(app: &App, ids: &[Uuid]) -> T {
    loop {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let (ids, until) = (list(ids), app.clock.now() + LEASE);
        let sql = among!(app.db, "UPDATE job SET lease_until = $2 WHERE state = 'queued' AND lease_until > 0 AND id", "");
        if let Err(error) = app.db.write(move |tx| Box::pin(tx.query(sql).bind(ids).bind(until).run())).await {
            error.log();
        }
    }
}

/// Delivers what was claimed together. What a fault of the database keeps from being settled is done alone when its
/// lease has run out.
async fn deliver(app: App, jobs: Vec<Job>) {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
    let begun = (app.clock.now(), Instant::now());
    let turns = jobs.into_iter().map(|job| (job.org, job.id, job.body)).collect();
    let done = tokio::select! {
        done = notifications::deliver(&app, turns) => done,
        never = hold(&app, &ids) => never,
    };
    app.traces.job("deliver", begun, ids.len(), if done.is_ok() { "done" } else { "failed" });
    if let Err(error) = done {
        error.log();
    }
}

async fn perform(app: App, job: Job) {
    if job.kind == "deliver" {
        return deliver(app, vec![job]).await;
    }
    let (id, begun) = ([job.id], (app.clock.now(), Instant::now()));
    let done = tokio::select! {
        done = work(&app, &job) => done,
        never = hold(&app, &id) => never,
    };
    let outcome = match &done {
        Ok(None) => "done",
        Ok(Some(_)) if job.attempts < TRIES => "later",
        Err(error) if error.retry_after.is_some() || job.attempts < TRIES => "failed",
        _ => "dead",
    };
    app.traces.job(&job.kind, begun, 1, outcome);
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
