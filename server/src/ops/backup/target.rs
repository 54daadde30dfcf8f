//! Filling a database with the rows of a backup: a new file, or a PostgreSQL database whose tables are made anew. Either
//! all of it is there in the end, or nothing has changed.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool, Postgres, Transaction};
use tokio::sync::mpsc;

use super::rows::{Cell, Part, Reader};
use super::source::{Table, each_postgres};
use crate::clock::Millis;
use crate::config::Config;
use crate::db;

/// The most arguments of one statement of SQLite.
const MOST: usize = 2_000;
/// Bytes of rows that PostgreSQL is given in one `COPY`. Each waits a twentieth of a second at its end for a small packet to
/// be acknowledged: of a gigabyte in pieces as small as SQLite's it was ten minutes of waiting.
const LOT: usize = 8 << 20;
/// Text that is sent to PostgreSQL at once.
const PIECE: usize = 1 << 20;

pub enum Target {
    Sqlite(SqliteConnection),
    Postgres(PgPool, Transaction<'static, Postgres>),
}

/// A table that is being filled.
struct Filling {
    name: String,
    columns: Vec<String>,
    kinds: Kinds,
    rows: u64,
    waiting: Vec<Vec<Cell>>,
    /// What those hold, and what it takes to hold them.
    bytes: usize,
}

/// What each column of a table keeps, by PostgreSQL's words; SQLite's own are not looked at.
pub struct Kinds(Vec<String>);

impl Kinds {
    fn of(table: &str, columns: &[String], known: &[(String, String)]) -> Result<Self> {
        let kind = |column: &String| known.iter().find(|(name, _)| name == column).map(|(_, kind)| kind.clone());
        let kinds: Option<Vec<String>> = columns.iter().map(kind).collect();
        Ok(Self(kinds.with_context(|| format!("{table} has other columns in this version"))?))
    }

    pub async fn of_postgres(connection: &mut PgConnection, table: &Table) -> Result<Self> {
        Self::of(&table.name, &table.columns, &columns(connection, &table.name).await?)
    }

    /// The values of a row as such columns keep them.
    pub fn fit(&self, row: Vec<Cell>) -> Vec<Cell> {
        let fit = |(cell, kind): (Cell, &String)| match (kind.as_str(), cell) {
            ("bool", Cell::Int(value)) => Cell::Int((value != 0).into()),
            ("float8", Cell::Int(value)) => Cell::Float(value as f64),
            // SQLite keeps what was a text before in a column of bytes.
            ("bytea", Cell::Text(value)) => Cell::Bytes(value.into_bytes()),
            (_, cell) => cell,
        };
        row.into_iter().zip(&self.0).map(fit).collect()
    }
}

/// Names and kinds.
async fn columns(connection: &mut PgConnection, table: &str) -> Result<Vec<(String, String)>> {
    let found = sqlx::query_as(
        "SELECT column_name::text, udt_name::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1",
    );
    Ok(found.bind(table).fetch_all(connection).await?)
}

impl Target {
    /// A new database file with the tables as they were at `migration`.
    pub async fn file(path: &Path, migration: i64) -> Result<Self> {
        let options = db::sqlite_options(&format!("sqlite://{}", path.display()))?
            // It is thrown away when this fails, and on the disk before it is used.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false);
        let mut connection = SqliteConnection::connect_with(&options).await.context("making a database")?;
        db::migrations(".postgres").run_to(migration, &mut connection).await.context("migrations")?;
        connection.execute("BEGIN").await?;
        Ok(Self::Sqlite(connection))
    }

    /// The database of the settings, emptied within the transaction that fills it.
    pub async fn postgres(config: &Config, migration: i64) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(1).connect(&config.database_url).await?;
        let mut tx = pool.begin().await?;
        tx.execute(EMPTY).await.context("emptying the database")?;
        let mut migrations = db::migrations(".sqlite");
        // Nobody else is at work, and the lock would outlive the transaction.
        migrations.set_locking(false);
        migrations.run_direct(Some(migration), &mut *tx, false).await.context("migrations")?;
        Ok(Self::Postgres(pool, tx))
    }

    /// Puts all rows of a backup in. Answers how many there are.
    pub async fn fill(&mut self, from: impl Read + Send + 'static, said: impl FnMut(u64)) -> Result<u64> {
        self.take(parts(from), said).await
    }

    /// Puts rows in as they come, until the end is said.
    pub async fn take(
        &mut self,
        mut parts: mpsc::Receiver<std::io::Result<Option<Part>>>,
        mut said: impl FnMut(u64),
    ) -> Result<u64> {
        let (mut filling, mut rows) = (None::<Filling>, 0);
        while let Some(part) = parts.recv().await {
            match part? {
                Some(Part::Table { name, columns }) => filling = Some(self.begin(name, columns).await?),
                Some(Part::Row(cells)) => {
                    let table = filling.as_mut().context("a row before its table")?;
                    table.bytes += cells.iter().map(Cell::held).sum::<usize>();
                    table.waiting.push(cells);
                    (table.rows, rows) = (table.rows + 1, rows + 1);
                    let full = match self {
                        Self::Sqlite(_) => (table.waiting.len() + 1) * table.columns.len() >= MOST,
                        Self::Postgres(..) => table.bytes >= LOT,
                    };
                    if full {
                        self.flush(table).await?;
                        said(rows);
                    }
                }
                Some(Part::End(count)) => {
                    let mut table = filling.take().context("an end before its table")?;
                    self.flush(&mut table).await?;
                    ensure!(table.rows == count, "{} has {} rows instead of {count}", table.name, table.rows);
                }
                None => return Ok(rows),
            }
        }
        bail!("the rows break off")
    }

    async fn begin(&mut self, name: String, columns: Vec<String>) -> Result<Filling> {
        // Names go into statements: only those that the migrations made.
        let known: Vec<(String, String)> = match self {
            Self::Sqlite(connection) => {
                sqlx::query_as("SELECT name, type FROM pragma_table_info($1)").bind(&name).fetch_all(connection).await?
            }
            Self::Postgres(_, tx) => self::columns(tx, &name).await?,
        };
        let kinds = Kinds::of(&name, &columns, &known)?;
        Ok(Filling { name, columns, kinds, rows: 0, waiting: Vec::new(), bytes: 0 })
    }

    async fn flush(&mut self, table: &mut Filling) -> Result<()> {
        let rows = std::mem::take(&mut table.waiting);
        table.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{column}\"")).collect();
        let into = format!("\"{}\" ({})", table.name, columns.join(", "));
        match self {
            Self::Sqlite(connection) => {
                let row = format!("({})", vec!["?"; columns.len()].join(", "));
                let sql = AssertSqlSafe(format!("INSERT INTO {into} VALUES {}", vec![row; rows.len()].join(", ")));
                let mut query = sqlx::query(sql);
                for cell in rows.into_iter().flatten() {
                    query = match cell {
                        Cell::Null => query.bind(None::<i64>),
                        Cell::Int(value) => query.bind(value),
                        Cell::Float(value) => query.bind(value),
                        Cell::Text(value) => query.bind(value),
                        Cell::Bytes(value) => query.bind(value),
                    };
                }
                query.execute(connection).await.with_context(|| table.name.clone())?;
            }
            Self::Postgres(_, tx) => {
                let mut copy = tx.copy_in_raw(&format!("COPY {into} FROM STDIN")).await?;
                let mut text = String::with_capacity(PIECE + 4096);
                for row in rows {
                    if let Err(error) = line(&row, &table.kinds.0, &mut text) {
                        copy.abort("a value does not fit").await?;
                        return Err(error.context(table.name.clone()));
                    }
                    if text.len() >= PIECE {
                        copy.send(std::mem::take(&mut text).into_bytes()).await?;
                    }
                }
                copy.send(text.into_bytes()).await?;
                copy.finish().await.with_context(|| table.name.clone())?;
            }
        }
        Ok(())
    }

    /// Every row that was put into a table, as it is kept there, shown one by one; and what its columns keep.
    pub async fn each(&mut self, table: &Table, show: impl FnMut(Vec<Cell>) -> Result<()>) -> Result<Kinds> {
        match self {
            Self::Sqlite(_) => bail!("a file is looked at when it is finished"),
            Self::Postgres(_, tx) => {
                each_postgres(tx, table, show).await?;
                Kinds::of_postgres(tx, table).await
            }
        }
    }

    /// Marks when this was put back, so that phones begin their feeds anew and bring again what they delivered since.
    pub async fn mark(&mut self, at: Millis) -> Result<()> {
        let sql = "INSERT INTO setting (name, value) VALUES ('restored_at', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
        match self {
            Self::Sqlite(connection) => sqlx::query(sql).bind(at.to_string()).execute(connection).await.map(drop)?,
            Self::Postgres(_, tx) => sqlx::query(sql).bind(at.to_string()).execute(&mut **tx).await.map(drop)?,
        }
        Ok(())
    }

    /// Ends the transaction; answers what the database itself finds wrong.
    pub async fn finish(self) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(mut connection) => {
                connection.execute("COMMIT").await?;
                let mut faults = Vec::new();
                let checked: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check").fetch_all(&mut connection).await?;
                faults.extend(
                    checked
                        .into_iter()
                        .map(|(said,)| said)
                        .filter(|said| said != "ok")
                        .map(|said| format!("integrity: {said}")),
                );
                let dangling: Vec<(String, i64)> = sqlx::query_as(
                    "SELECT \"table\" || ' refers to ' || parent, count(*) FROM pragma_foreign_key_check() GROUP BY 1 ORDER BY 1",
                )
                .fetch_all(&mut connection)
                .await?;
                faults.extend(dangling.into_iter().map(|(what, rows)| format!("{rows} rows of {what} that is not there")));
                connection.close().await?;
                Ok(faults)
            }
            // Its keys were checked row by row.
            Self::Postgres(pool, tx) => {
                tx.commit().await?;
                // It would be minutes until PostgreSQL looks by itself, and until then it plans for empty tables. What is
                // there is there, whether this succeeds or not.
                if let Err(error) = pool.execute("VACUUM (ANALYZE)").await {
                    tracing::warn!(%error, "the new rows were not analysed");
                }
                pool.close().await;
                Ok(Vec::new())
            }
        }
    }
}

/// Read by a thread of its own; a `None` is the end.
fn parts(from: impl Read + Send + 'static) -> mpsc::Receiver<std::io::Result<Option<Part>>> {
    let (send, receive) = mpsc::channel(4_096);
    tokio::task::spawn_blocking(move || {
        let mut reader = match Reader::new(from) {
            Ok(reader) => reader,
            Err(error) => return drop(send.blocking_send(Err(error))),
        };
        loop {
            let part = reader.next();
            let end = !matches!(part, Ok(Some(_)));
            if send.blocking_send(part).is_err() || end {
                return;
            }
        }
    });
    receive
}

/// A row as `COPY` takes it.
fn line(row: &[Cell], kinds: &[String], text: &mut String) -> Result<()> {
    for (at, (cell, kind)) in row.iter().zip(kinds).enumerate() {
        if at > 0 {
            text.push('\t');
        }
        match (kind.as_str(), cell) {
            (_, Cell::Null) => text.push_str("\\N"),
            ("uuid", Cell::Bytes(bytes)) => write!(text, "{}", uuid::Uuid::from_slice(bytes)?)?,
            ("bool", Cell::Int(value)) => text.push(if *value == 0 { 'f' } else { 't' }),
            ("int8", Cell::Int(value)) => write!(text, "{value}")?,
            ("float8", Cell::Float(value)) => write!(text, "{value}")?,
            ("float8", Cell::Int(value)) => write!(text, "{value}")?,
            ("bytea", Cell::Bytes(bytes)) => binary(bytes, text),
            // SQLite keeps what was a text before in a column of bytes.
            ("bytea", Cell::Text(value)) => binary(value.as_bytes(), text),
            ("text", Cell::Text(value)) => {
                for letter in value.chars() {
                    match letter {
                        '\\' => text.push_str("\\\\"),
                        '\n' => text.push_str("\\n"),
                        '\r' => text.push_str("\\r"),
                        '\t' => text.push_str("\\t"),
                        other => text.push(other),
                    }
                }
            }
            (kind, _) => bail!("a value is no {kind}"),
        }
    }
    text.push('\n');
    Ok(())
}

fn binary(bytes: &[u8], text: &mut String) {
    text.push_str("\\\\x");
    text.push_str(&crate::crypto::hex(bytes));
}

/// Takes away all tables and functions of the schema: the migrations make them anew.
const EMPTY: &str = "
DO $$
DECLARE found RECORD;
BEGIN
    FOR found IN SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('DROP TABLE %I CASCADE', found.relname);
    END LOOP;
    FOR found IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
        EXECUTE format('DROP FUNCTION %s', found.name);
    END LOOP;
END $$";
