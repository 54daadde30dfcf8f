//! One SQL text, two engines: reads on a pool, writes only on a [`Tx`], committed in groups on SQLite.

mod arg;
mod later;
mod many;
mod others;
pub mod wall;
mod write;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, FromRow};
use tokio::sync::broadcast;
use uuid::Uuid;

pub use arg::Arg;
pub(crate) use many::among;
pub use many::list;
pub use write::{Tx, Work};

use crate::config::Config;
use crate::crypto::Crypto;
use crate::error::Result;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// The migrations of one engine: those for both, and those whose file names end in `.sqlite.sql` or `.postgres.sql`.
pub(crate) fn migrations(other: &str) -> sqlx::migrate::Migrator {
    let own = MIGRATIONS.iter().filter(|m| !m.description.ends_with(other)).cloned();
    let mut migrator = sqlx::migrate::Migrator::with_migrations(own.collect());
    // Those of a newer version, from which somebody went back to this one. They only ever add to what is there.
    migrator.set_ignore_missing(true);
    migrator
}

/// The newest migration that this version knows.
pub(crate) fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// How a SQLite database of ours is opened.
pub(crate) fn sqlite_options(url: &str) -> sqlx::Result<SqliteConnectOptions> {
    Ok(SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .pragma("cache_size", "-4000")
        .collation("C", |a, b| a.cmp(b))
        // What a savepoint would need to go back stays in memory: it is gone with the group.
        .pragma("temp_store", "MEMORY")
        // 16 MB between two moves of the log into the file: each of them waits for the disk twice.
        .pragma("wal_autocheckpoint", "4000")
        .statement_cache_capacity(256))
}

/// Threads that read from SQLite: more than a few to each core only wait for one another.
fn readers() -> u32 {
    std::thread::available_parallelism().map_or(4, |cores| (2 * cores.get() as u32).clamp(4, 16))
}

/// A row that both engines can fill.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// "This feed is now at this revision": what other devices are told, never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    pub org: Uuid,
    pub feed: Uuid,
    pub revision: i64,
}

impl Hint {
    /// "Something may have changed": another copy of the server was not heard for a while.
    pub const MISSED: Self = Self { org: Uuid::nil(), feed: Uuid::nil(), revision: 0 };

    /// "This member follows other feeds from now on": in the member's own feed, at a revision that none ever has.
    pub fn of_other_feeds(org: Uuid, member: Uuid) -> Self {
        Self { org, feed: member, revision: 0 }
    }

    pub fn is_of_other_feeds(&self, org: Uuid, member: Uuid) -> bool {
        (self.org, self.feed, self.revision) == (org, member, 0)
    }
}

#[derive(Clone)]
pub struct Db {
    engine: Engine,
    writer: write::Writer,
    hints: broadcast::Sender<Hint>,
    /// Whether the last write found the disk full.
    full: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(SqlitePool),
    /// With the wall, where it stands: what is read for a caller is read behind it.
    Postgres(PgPool, Option<Arc<wall::Wall>>),
}

impl Db {
    /// Opens the database of the settings and brings it up to date.
    ///
    /// # Errors
    /// When it cannot be reached or a migration fails.
    pub async fn open(config: &Config, crypto: Arc<Crypto>) -> anyhow::Result<Self> {
        let (hints, _) = broadcast::channel(1024);
        if let Some(path) = config.database_url.strip_prefix("sqlite://") {
            if let Some(folder) = std::path::Path::new(path).parent() {
                crate::config::make_folder(folder)?;
            }
            let options = sqlite_options(&config.database_url)?;
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect_with(options.clone())
                .await
                .with_context(|| format!("opening {path}"))?;
            migrations(".postgres").run(&write).await.context("migrations")?;
            let read = SqlitePoolOptions::new()
                .max_connections(readers())
                .test_before_acquire(false)
                .connect_with(options.pragma("query_only", "ON"))
                .await?;
            let writer = write::Writer::sqlite(write.acquire().await?, crypto, hints.clone());
            Self { engine: Engine::Sqlite(read), writer, hints, full: Arc::default() }.fitting().await
        } else {
            let options = PgConnectOptions::from_str(&config.database_url).context("KILELE_DATABASE_URL")?;
            let pool = PgPoolOptions::new()
                .max_connections(24)
                .acquire_timeout(Duration::from_secs(10))
                .test_before_acquire(false)
                .connect_with(options.clone())
                .await
                .context("connecting to PostgreSQL")?;
            migrations(".sqlite").run(&pool).await.context("migrations")?;
            let wall = wall::Wall::raise(&pool, options).await?.map(Arc::new);
            let told = others::join(pool.clone(), hints.clone()).await.context("listening to PostgreSQL")?;
            let writer = write::Writer::postgres(pool.clone(), crypto, wall.is_some(), (hints.clone(), told));
            Self { engine: Engine::Postgres(pool, wall), writer, hints, full: Arc::default() }.fitting().await
        }
    }

    /// A migration that takes something away says with it which versions can no longer serve: those that do not know
    /// `needs_migration`.
    async fn fitting(self) -> anyhow::Result<Self> {
        let needs = self.query("SELECT value FROM setting WHERE name = 'needs_migration'").optional::<(String,)>().await?;
        let needs = needs.and_then(|(needs,)| needs.parse::<i64>().ok()).unwrap_or_default();
        anyhow::ensure!(
            needs <= newest_migration(),
            "this database needs a newer version of Kilele, one that knows migration {needs}; this one ends at {}",
            newest_migration()
        );
        Ok(self)
    }

    /// A read. Writes exist only on [`Tx`].
    ///
    /// SQLite plans a statement anew, each time, when it has `LIKE $1` or `LIMIT $1`: the plan may hang on the value.
    /// `LIMIT CAST($1 AS BIGINT)` is planned once.
    pub fn query(&self, sql: &'static str) -> Query<&Self> {
        Query { on: self, sql, args: Vec::new() }
    }

    /// Runs `work` in one transaction; what it returns as an error is undone. On SQLite several waiting
    /// transactions share one commit, each in its savepoint.
    ///
    /// # Errors
    /// Those of `work`, and of the commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        let written = self.writer.run(work).await;
        // Said once, and not for each of hundreds a second: the log may lie on the same disk.
        match &written {
            Ok(_) if self.full.load(Ordering::Relaxed) && self.full.swap(false, Ordering::Relaxed) => {
                tracing::info!("the database takes changes again");
            }
            Err(error) if error.is_database_full() && !self.full.swap(true, Ordering::Relaxed) => {
                tracing::error!("the disk of the database is full: changes are refused until there is room");
            }
            _ => {}
        }
        written
    }

    /// Whether it takes changes. It is tried only after a write has found the disk full: an idle server writes nothing.
    pub async fn takes(&self) -> bool {
        if !self.full.load(Ordering::Relaxed) {
            return true;
        }
        let tried = self.write(|tx| {
            Box::pin(async move {
                tx.query("INSERT INTO setting (name, value) VALUES ('canary', 'sings') ON CONFLICT (name) DO NOTHING")
                    .run()
                    .await?;
                tx.query("DELETE FROM setting WHERE name = 'canary'").run().await
            })
        });
        tried.await.is_ok()
    }

    /// Gives back what it holds of the database, for whoever opens it next.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(pool) => pool.close().await,
            Engine::Postgres(pool, wall) => {
                pool.close().await;
                if let Some(wall) = wall {
                    wall.close().await;
                }
            }
        }
    }

    /// How many connections are open, how many of them idle, and how many there may be.
    pub fn connections(&self) -> (u32, u32, u32) {
        let of = |open: u32, idle: usize, most: u32| (open, idle as u32, most);
        match &self.engine {
            Engine::Sqlite(pool) => of(pool.size(), pool.num_idle(), pool.options().get_max_connections()),
            Engine::Postgres(pool, _) => of(pool.size(), pool.num_idle(), pool.options().get_max_connections()),
        }
    }

    /// Every committed change of a feed, as it happens.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    /// Marks the few places where the engines need different words.
    pub fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self.engine {
            Engine::Sqlite(_) => sqlite,
            Engine::Postgres(..) => postgres,
        }
    }
}

/// A statement and its arguments, waiting to be run on `E`.
pub struct Query<E> {
    on: E,
    sql: &'static str,
    args: Vec<Arg>,
}

impl<E> Query<E> {
    #[must_use]
    pub fn bind(mut self, value: impl Into<Arg>) -> Self {
        self.args.push(value.into());
        self
    }
}

impl Query<&Db> {
    pub async fn all<T: Row>(self) -> Result<Vec<T>> {
        match &self.on.engine {
            Engine::Sqlite(pool) => {
                let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(self.sql), arg::sqlite(self.args)?);
                Ok(query.fetch_all(pool).await?)
            }
            Engine::Postgres(pool, wall) => {
                let wall = wall.as_ref().zip(wall::standing());
                let mut rows = read(pool, wall, self.sql, self.args.clone()).await;
                // The database restarted: each connection that lies idle would fail once. A read may be asked again.
                for _ in 0..pool.options().get_max_connections() {
                    match rows {
                        Err(error) if lost(&error) => {
                            if let Some((wall, _)) = wall {
                                wall.clear();
                            }
                            rows = read(pool, wall, self.sql, self.args.clone()).await;
                        }
                        rows => return Ok(rows?),
                    }
                }
                Ok(rows?)
            }
        }
    }

    pub async fn optional<T: Row>(self) -> Result<Option<T>> {
        Ok(self.all().await?.into_iter().next())
    }

    pub async fn one<T: Row>(self) -> Result<T> {
        self.optional().await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }
}

/// A read, behind the wall where the caller stands behind it.
async fn read<T: Row>(
    pool: &PgPool,
    wall: Option<(&Arc<wall::Wall>, Uuid)>,
    sql: &'static str,
    args: Vec<Arg>,
) -> sqlx::Result<Vec<T>> {
    let args = arg::postgres(args).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let query = sqlx::query_as_with::<_, T, _>(AssertSqlSafe(sql), args);
    let Some((wall, org)) = wall else { return query.fetch_all(pool).await };
    let mut held = wall.take(org).await?;
    let rows = query.fetch_all(&mut *held.connection).await?;
    held.park();
    Ok(rows)
}

/// Whether the connection is gone, not only the statement refused: cut off, or ended by the database's own stopping.
pub(crate) fn lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(db) => matches!(db.code().as_deref(), Some("57P01" | "57P02" | "57P03")),
        _ => false,
    }
}

/// Whether the disk under the database is full: SQLite says so itself, PostgreSQL by `disk_full`.
pub(crate) fn full(error: &dyn DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("13" | "53100"))
}

/// Whether the database cannot write for now: SQLite's disk fails (its codes of I/O carry more above the lowest byte), or a file
/// beside it cannot be made; PostgreSQL is out of memory or connections, its disk fails, or it is the copy of another.
pub(crate) fn ailing(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    match code.as_ref() {
        "53200" | "53300" | "58030" | "25006" => true,
        // PostgreSQL's all have five letters, SQLite's fewer.
        code => code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 10 | 14)),
    }
}

/// An address as it may stand on a screen.
pub fn without_password(url: &str) -> String {
    let Some((head, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((who, rest)) => format!("{head}://{}@{rest}", who.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        assert_eq!(without_password("postgres://kilele:geheim@db/kilele"), "postgres://kilele@db/kilele");
        assert_eq!(without_password("sqlite:///var/lib/kilele.db"), "sqlite:///var/lib/kilele.db");
    }
}
