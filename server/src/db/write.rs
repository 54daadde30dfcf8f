//! Write transactions. SQLite has one writer task that commits all waiting work at once (one fsync for many);
//! PostgreSQL gives each piece of work a transaction of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgPool, Postgres, SqlSafeStr, SqlStr, Sqlite, Transaction};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::later::{Later, counts};
use super::{Hint, Query, Row, arg, wall};
use crate::crypto::Crypto;
use crate::error::{Error, Result};

/// What runs inside a transaction.
pub type Work<'t, T> = BoxFuture<'t, Result<T>>;

/// The most pieces of work that share one commit.
const GROUP: usize = 256;

/// An open write transaction: the only thing that can change a row.
pub struct Tx {
    /// What seals and opens, for whoever writes.
    pub(crate) crypto: Arc<Crypto>,
    pub(super) engine: EngineTx,
    /// Told to others once this is committed.
    pub(crate) hints: Vec<Hint>,
    /// Whether there is work for the job runner once this is committed.
    pub(crate) jobs: bool,
    pub(super) later: Vec<Later>,
    /// Begins this work's savepoint on SQLite; goes with its first statement.
    begin: &'static str,
}

pub(super) enum EngineTx {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub fn query(&mut self, sql: &'static str) -> Query<&mut Self> {
        Query { on: self, sql, args: Vec::new() }
    }

    /// Marks the few places where the engines need different words.
    pub fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self.engine {
            EngineTx::Sqlite(_) => sqlite,
            EngineTx::Postgres(_) => postgres,
        }
    }

    fn new(engine: EngineTx, crypto: Arc<Crypto>) -> Self {
        Self { crypto, engine, hints: Vec::new(), jobs: false, later: Vec::new(), begin: "" }
    }

    /// What goes before this work's first statement; nothing before the others.
    pub(super) fn begun(&mut self) -> &'static str {
        std::mem::take(&mut self.begin)
    }

    async fn raw(&mut self, sql: &'static str) -> Result<()> {
        self.query(sql).run().await.map(drop)
    }
}

impl Query<&mut Tx> {
    pub async fn all<T: Row>(self) -> Result<Vec<T>> {
        let Self { on, sql, args } = self;
        on.flush().await?;
        let sql = begin_with(on.begun(), sql);
        match &mut on.engine {
            EngineTx::Sqlite(c) => {
                let query = sqlx::query_as_with::<_, T, _>(sql, arg::sqlite(args)?);
                Ok(query.fetch_all(&mut **c).await?)
            }
            EngineTx::Postgres(t) => {
                let query = sqlx::query_as_with::<_, T, _>(sql, arg::postgres(args)?);
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
        on.flush().await?;
        let sql = begin_with(on.begun(), sql);
        match &mut on.engine {
            // The savepoint repeats the count of the statement before it: only the last one's is meant.
            EngineTx::Sqlite(c) => Ok(counts(c, sql, args).await?.pop().unwrap_or_default()),
            EngineTx::Postgres(t) => {
                let query = sqlx::query_with(sql, arg::postgres(args)?);
                Ok(query.execute(&mut **t).await?.rows_affected())
            }
        }
    }

    /// A write whose answer nobody waits for: it goes with the next statement, or when the work ends.
    pub async fn later(self) -> Result<()> {
        self.on.put_off(Later { sql: self.sql, args: self.args, otherwise: None }).await
    }

    /// As [`Self::later`], and `otherwise` is the work's error when no row was changed.
    pub async fn later_or(self, otherwise: fn() -> Error) -> Result<()> {
        self.on.put_off(Later { sql: self.sql, args: self.args, otherwise: Some(otherwise) }).await
    }

    /// As [`Self::later`]; of several with the same first two arguments only the last counts.
    pub async fn later_once(self) -> Result<()> {
        self.on.put_off_last(Later { sql: self.sql, args: self.args, otherwise: None }).await
    }
}

/// One text for the savepoint and the statement: both in one trip.
fn begin_with(begin: &'static str, sql: &'static str) -> SqlStr {
    if begin.is_empty() { AssertSqlSafe(sql).into_sql_str() } else { AssertSqlSafe([begin, sql].concat()).into_sql_str() }
}

#[derive(Clone)]
pub(super) enum Writer {
    Sqlite(mpsc::Sender<Job>),
    /// Whether the second wall stands; and who hears of what was written: the sockets here, and other copies.
    Postgres(PgPool, Arc<Crypto>, bool, (broadcast::Sender<Hint>, mpsc::Sender<Hint>)),
}

/// Work without its result type, and how to answer its caller once the group is committed.
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Done> + Send>;

pub(super) struct Done {
    keep: bool,
    answer: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Writer {
    pub fn sqlite(connection: PoolConnection<Sqlite>, crypto: Arc<Crypto>, hints: broadcast::Sender<Hint>) -> Self {
        let (jobs, queue) = mpsc::channel(4 * GROUP);
        tokio::spawn(write_groups(connection, crypto, queue, hints));
        Self::Sqlite(jobs)
    }

    pub fn postgres(
        pool: PgPool,
        crypto: Arc<Crypto>,
        walled: bool,
        told: (broadcast::Sender<Hint>, mpsc::Sender<Hint>),
    ) -> Self {
        Self::Postgres(pool, crypto, walled, told)
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
                        let result = guarded(whole(tx, work)).await;
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
            Self::Postgres(pool, crypto, walled, (here, elsewhere)) => {
                let begun = match begin(pool, *walled).await {
                    // Nothing was done yet: a connection from before the database restarted makes room for a new one.
                    Err(error) if super::lost(&error) => begin_fresh(pool, *walled).await?,
                    begun => begun?,
                };
                let mut tx = Tx::new(EngineTx::Postgres(begun), crypto.clone());
                let result = guarded(whole(&mut tx, work)).await?;
                if let EngineTx::Postgres(transaction) = tx.engine {
                    transaction.commit().await?;
                }
                for hint in tx.hints {
                    drop(here.send(hint));
                    // Nobody waits for them: when too many wait already, these are missed.
                    let _ = elsewhere.try_send(hint);
                }
                Ok(result)
            }
        }
    }
}

async fn begin(pool: &PgPool, walled: bool) -> sqlx::Result<Transaction<'static, Postgres>> {
    match wall::standing().filter(|_| walled) {
        Some(org) => pool.begin_with(AssertSqlSafe(wall::begin(org))).await,
        None => pool.begin().await,
    }
}

/// As many times as connections may lie idle; then the database itself is down.
async fn begin_fresh(pool: &PgPool, walled: bool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut begun = begin(pool, walled).await;
    for _ in 0..pool.options().get_max_connections() {
        match begun {
            Err(error) if super::lost(&error) => begun = begin(pool, walled).await,
            begun => return begun,
        }
    }
    begun
}

/// The work with all that it put off.
fn whole<'t, T: Send + 'static>(
    tx: &'t mut Tx,
    work: impl for<'a> FnOnce(&'a mut Tx) -> Work<'a, T> + Send + 't,
) -> Work<'t, T> {
    Box::pin(async move {
        let result = work(tx).await?;
        tx.flush().await?;
        Ok(result)
    })
}

/// A panic in one piece of work must not end the writer of all others.
async fn guarded<T>(work: Work<'_, T>) -> Result<T> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|_| Err(Error::unexpected(anyhow::anyhow!("a write panicked"))))
}

/// Each piece of work ends the savepoint of the one before and begins its own, in one trip with its first statement. Two
/// names take turns: when the beginning itself went wrong, going back to it fails, and with it the whole group, instead
/// of undoing somebody else's work. The last savepoint needs no release: the commit ends it.
const SAVEPOINTS: [(&str, &str); 2] =
    [("RELEASE odd; SAVEPOINT even;", "ROLLBACK TO even"), ("RELEASE even; SAVEPOINT odd;", "ROLLBACK TO odd")];

async fn write_groups(
    connection: PoolConnection<Sqlite>,
    crypto: Arc<Crypto>,
    mut queue: mpsc::Receiver<Job>,
    hints: broadcast::Sender<Hint>,
) {
    let mut tx = Tx::new(EngineTx::Sqlite(connection), crypto);
    let mut answers = Vec::new();
    while let Some(first) = queue.recv().await {
        let mut committed = tx.raw("BEGIN IMMEDIATE; SAVEPOINT odd").await;
        let mut next = committed.is_ok().then_some(first);
        let mut kept = Vec::new();
        let mut turn = 0;
        while let Some(job) = next.take() {
            let (begin, back) = SAVEPOINTS[turn % 2];
            tx.begin = begin;
            let (answer, whole) = one(&mut tx, job, back, &mut kept).await;
            answers.push(answer);
            if whole.is_err() {
                committed = whole;
                break;
            }
            // Work without a statement has left the savepoint as it was.
            turn += usize::from(tx.begun().is_empty());
            if answers.len() < GROUP {
                next = queue.try_recv().ok();
            }
        }
        if committed.is_ok() {
            committed = tx.raw("COMMIT").await;
        }
        if let Err(error) = &committed {
            (tx.begin, tx.later) = ("", Vec::new());
            if !error.is_database_full() {
                tracing::error!(%error, "a group of writes was not committed");
            }
            drop(tx.raw("ROLLBACK").await);
            kept.clear();
        }
        for answer in answers.drain(..) {
            answer(match &committed {
                Ok(()) => Ok(()),
                Err(error) if error.is_database_full() => Err(Error::database_full()),
                Err(_) => Err(Error::unavailable("The database did not take the change. Try again.")),
            });
        }
        kept.into_iter().for_each(|hint| drop(hints.send(hint)));
    }
}

type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// Runs one piece of work in a savepoint of its own, and undoes it when it failed. A full disk may have ended the whole
/// transaction by then: there is nothing to go back to, and the group is lost.
async fn one(tx: &mut Tx, job: Job, back: &'static str, kept: &mut Vec<Hint>) -> (Answer, Result<()>) {
    tx.hints.clear();
    tx.jobs = false;
    let done = job(tx).await;
    let mut whole = Ok(());
    if done.keep {
        kept.append(&mut tx.hints);
    } else {
        tx.later.clear();
        // Nothing to undo when nothing was begun.
        if tx.begin.is_empty() {
            whole = tx.raw(back).await;
        }
    }
    (done.answer, whole)
}
