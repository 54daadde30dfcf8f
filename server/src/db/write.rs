//! Write transactions. SQLite has one writer task that commits all waiting work at once (one fsync for many);
//! PostgreSQL gives each piece of work a transaction of its own.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, Transaction};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{Hint, Query, Row, arg};
use crate::error::{Error, Result};

/// What runs inside a transaction.
pub type Work<'t, T> = BoxFuture<'t, Result<T>>;

/// The most pieces of work that share one commit.
const GROUP: usize = 256;

/// An open write transaction: the only thing that can change a row.
pub struct Tx {
    engine: EngineTx,
    /// Told to others once this is committed.
    pub(crate) hints: Vec<Hint>,
}

enum EngineTx {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub fn query(&mut self, sql: &'static str) -> Query<&mut Self> {
        Query { on: self, sql, args: Vec::new() }
    }

    async fn raw(&mut self, sql: &'static str) -> Result<()> {
        self.query(sql).run().await.map(drop)
    }
}

impl Query<&mut Tx> {
    pub async fn all<T: Row>(self) -> Result<Vec<T>> {
        let Self { on, sql, args } = self;
        match &mut on.engine {
            EngineTx::Sqlite(c) => {
                let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), arg::sqlite(args)?);
                Ok(query.fetch_all(&mut **c).await?)
            }
            EngineTx::Postgres(t) => {
                let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), arg::postgres(args)?);
                Ok(query.fetch_all(&mut **t).await?)
            }
        }
    }

    pub async fn optional<T: Row>(self) -> Result<Option<T>> {
        Ok(self.all().await?.into_iter().next())
    }

    pub async fn one<T: Row>(self) -> Result<T> {
        self.optional().await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Runs a statement without rows; answers how many it changed.
    pub async fn run(self) -> Result<u64> {
        let Self { on, sql, args } = self;
        match &mut on.engine {
            EngineTx::Sqlite(c) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), arg::sqlite(args)?);
                Ok(query.execute(&mut **c).await?.rows_affected())
            }
            EngineTx::Postgres(t) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), arg::postgres(args)?);
                Ok(query.execute(&mut **t).await?.rows_affected())
            }
        }
    }
}

#[derive(Clone)]
pub(super) enum Writer {
    Sqlite(mpsc::Sender<Job>),
    Postgres(PgPool, broadcast::Sender<Hint>),
}

/// Work without its result type, and how to answer its caller once the group is committed.
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Done> + Send>;

pub(super) struct Done {
    keep: bool,
    answer: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Writer {
    pub fn sqlite(connection: PoolConnection<Sqlite>, hints: broadcast::Sender<Hint>) -> Self {
        let (jobs, queue) = mpsc::channel(4 * GROUP);
        tokio::spawn(write_groups(connection, queue, hints));
        Self::Sqlite(jobs)
    }

    pub fn postgres(pool: PgPool, hints: broadcast::Sender<Hint>) -> Self {
        Self::Postgres(pool, hints)
    }

    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        match self {
            Self::Sqlite(jobs) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |tx| {
                    Box::pin(async move {
                        let result = guarded(work(tx)).await;
                        let keep = result.is_ok();
                        let answer =
                            move |committed: Result<()>| drop(answer.send(result.and_then(|r| committed.map(|()| r))));
                        Done { keep, answer: Box::new(answer) }
                    })
                });
                let stopped = || Error::unavailable("The server is stopping.");
                jobs.send(job).await.map_err(|_| stopped())?;
                answered.await.map_err(|_| stopped())?
            }
            Self::Postgres(pool, hints) => {
                let mut tx = Tx { engine: EngineTx::Postgres(pool.begin().await?), hints: Vec::new() };
                let result = guarded(work(&mut tx)).await?;
                if let EngineTx::Postgres(transaction) = tx.engine {
                    transaction.commit().await?;
                }
                tx.hints.into_iter().for_each(|hint| drop(hints.send(hint)));
                Ok(result)
            }
        }
    }
}

/// A panic in one piece of work must not end the writer of all others.
async fn guarded<T>(work: Work<'_, T>) -> Result<T> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|_| Err(Error::unexpected(anyhow::anyhow!("a write panicked"))))
}

async fn write_groups(connection: PoolConnection<Sqlite>, mut queue: mpsc::Receiver<Job>, hints: broadcast::Sender<Hint>) {
    let mut tx = Tx { engine: EngineTx::Sqlite(connection), hints: Vec::new() };
    let mut answers = Vec::new();
    while let Some(first) = queue.recv().await {
        let mut committed = tx.raw("BEGIN IMMEDIATE").await;
        let mut next = committed.is_ok().then_some(first);
        let mut kept = Vec::new();
        while let Some(job) = next.take() {
            match one(&mut tx, job, &mut kept).await {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    committed = Err(error);
                    break;
                }
            }
            if answers.len() < GROUP {
                next = queue.try_recv().ok();
            }
        }
        if committed.is_ok() {
            committed = tx.raw("COMMIT").await;
        }
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of writes was not committed");
            drop(tx.raw("ROLLBACK").await);
            kept.clear();
        }
        for answer in answers.drain(..) {
            answer(match &committed {
                Ok(()) => Ok(()),
                Err(_) => Err(Error::unavailable("The database did not take the change. Try again.")),
            });
        }
        kept.into_iter().for_each(|hint| drop(hints.send(hint)));
    }
}

type Answer = Box<dyn FnOnce(Result<()>) + Send>;

async fn one(tx: &mut Tx, job: Job, kept: &mut Vec<Hint>) -> Result<Answer> {
    tx.raw("SAVEPOINT work").await?;
    tx.hints.clear();
    let done = job(tx).await;
    if done.keep {
        kept.append(&mut tx.hints);
    } else {
        tx.raw("ROLLBACK TO work").await?;
    }
    tx.raw("RELEASE work").await?;
    Ok(done.answer)
}
