//! Reading every table of a database as it was at one moment, whichever engine it is.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Connection, Executor, Row, TypeInfo, ValueRef};
use tokio::sync::mpsc;

use super::Object;
use super::rows::{Cell, Part};
use super::spool::Spool;
use super::target::Kinds;
use crate::config::Config;
use crate::db;

/// Uploads that were under way: their pieces are in no backup, and phones begin them again.
pub const LEFT_OUT: [&str; 2] = ["upload", "upload_sealed"];

/// Names of tables with names of theirs.
type Pairs = Vec<(String, String)>;

/// A connection of its own in one transaction: what is written meanwhile is not seen, and nobody waits.
pub enum Source {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A table and its columns, in an order of their own.
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
}

impl Source {
    pub async fn open(config: &Config) -> Result<Self> {
        if config.database_url.starts_with("sqlite://") {
            let options = db::sqlite_options(&config.database_url)?.create_if_missing(false).pragma("query_only", "ON");
            let mut connection = SqliteConnection::connect_with(&options).await.context("opening the database")?;
            // In a log of writes, a reader sees to its end what was committed when it first looked.
            connection.execute("BEGIN").await?;
            Ok(Self::Sqlite(connection))
        } else {
            let mut connection = PgConnection::connect(&config.database_url).await.context("opening the database")?;
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            Ok(Self::Postgres(connection))
        }
    }

    /// The newest migration that was applied.
    pub async fn migration(&mut self) -> Result<i64> {
        let sql = "SELECT max(version) FROM _sqlx_migrations";
        let newest: (i64,) = match self {
            Self::Sqlite(connection) => sqlx::query_as(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_one(connection).await?,
        };
        Ok(newest.0)
    }

    /// All tables but those of the migrations; whatever a table refers to comes before it.
    pub async fn tables(&mut self) -> Result<Vec<Table>> {
        let (columns, refers): (Pairs, Pairs) = match self {
            Self::Sqlite(connection) => (
                sqlx::query_as(
                    "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '%sqlx%' ORDER BY t.name, c.cid",
                )
                .fetch_all(&mut *connection)
                .await?,
                sqlx::query_as(
                    "SELECT t.name, f.\"table\" FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
                )
                .fetch_all(&mut *connection)
                .await?,
            ),
            Self::Postgres(connection) => (
                sqlx::query_as(
                    "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                         AND NOT a.attisdropped AND c.relname NOT LIKE '%sqlx%' ORDER BY c.relname, a.attnum",
                )
                .fetch_all(&mut *connection)
                .await?,
                sqlx::query_as(
                    "SELECT c.relname::text, f.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                     JOIN pg_class f ON f.oid = k.confrelid
                     WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace",
                )
                .fetch_all(&mut *connection)
                .await?,
            ),
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in columns {
            tables.entry(table).or_default().push(column);
        }
        Ok(in_order(tables, &refers))
    }

    /// Every row of a table, handed on one by one. Answers how many there are.
    pub async fn rows(&mut self, table: &Table, to: &mpsc::Sender<Part>) -> Result<u64> {
        let sql = table.all();
        let mut count = 0;
        match self {
            Self::Sqlite(connection) => {
                let mut rows = sqlx::query(sql).fetch(connection);
                while let Some(row) = rows.try_next().await? {
                    to.send(Part::Row(from_sqlite(&row)?)).await?;
                    count += 1;
                }
            }
            Self::Postgres(connection) => {
                let mut rows = sqlx::query(sql).fetch(connection);
                while let Some(row) = rows.try_next().await? {
                    to.send(Part::Row(from_postgres(&row)?)).await?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// What the columns of a table keep.
    pub async fn kinds(&mut self, table: &Table) -> Result<Kinds> {
        match self {
            Self::Sqlite(_) => anyhow::bail!("SQLite keeps in any column what it is given"),
            Self::Postgres(connection) => Kinds::of_postgres(connection, table).await,
        }
    }

    /// Every row of a table, shown one by one.
    pub async fn each(&mut self, table: &Table, show: impl FnMut(Vec<Cell>) -> Result<()>) -> Result<()> {
        match self {
            Self::Sqlite(connection) => each_sqlite(connection, table, show).await,
            Self::Postgres(connection) => each_postgres(connection, table, show).await,
        }
    }

    /// Whatever the tables say of stored pictures, a line each. Answers how many there are, and their bytes.
    pub async fn objects(&mut self, to: &mut Spool) -> Result<(u64, u64)> {
        type Found = (uuid::Uuid, String, String, i64, String);
        let sql = "SELECT org, sha256, 'original' AS variant, bytes, sha256 AS hash FROM blob
                   UNION ALL SELECT org, sha256, variant, bytes, hash FROM derivative ORDER BY 1, 2, 3";
        let mut found = match self {
            Self::Sqlite(connection) => sqlx::query_as::<_, Found>(sql).fetch(connection),
            Self::Postgres(connection) => sqlx::query_as::<_, Found>(sql).fetch(connection),
        };
        let (mut count, mut length) = (0, 0);
        while let Some((org, sha256, variant, bytes, hash)) = found.try_next().await? {
            let object = Object { org, sha256, variant, bytes, hash };
            to.write_all(object.line().as_bytes())?;
            (count, length) = (count + 1, length + bytes.unsigned_abs());
        }
        Ok((count, length))
    }
}

impl Table {
    fn all(&self) -> AssertSqlSafe<String> {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("\"{column}\"")).collect();
        AssertSqlSafe(format!("SELECT {} FROM \"{}\"", columns.join(", "), self.name))
    }
}

async fn each_sqlite(
    connection: &mut SqliteConnection,
    table: &Table,
    mut show: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let mut rows = sqlx::query(table.all()).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        show(from_sqlite(&row)?)?;
    }
    Ok(())
}

/// Also within the transaction that fills the table.
pub async fn each_postgres(
    connection: &mut PgConnection,
    table: &Table,
    mut show: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let mut rows = sqlx::query(table.all()).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        show(from_postgres(&row)?)?;
    }
    Ok(())
}

/// Tables that refer to no table that is not there yet, again and again.
fn in_order(mut left: BTreeMap<String, Vec<String>>, refers: &[(String, String)]) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let waits = |name: &str| refers.iter().any(|(from, to)| from == name && to != name && left.contains_key(to));
        let mut ready: Vec<String> = left.keys().filter(|name| !waits(name)).cloned().collect();
        if ready.is_empty() {
            // A ring: their own order is as good as any. There is none today.
            ready = left.keys().cloned().collect();
        }
        for name in ready {
            let columns = left.remove(&name).unwrap_or_default();
            ordered.push(Table { name, columns });
        }
    }
    ordered
}

fn from_sqlite(row: &SqliteRow) -> Result<Vec<Cell>> {
    (0..row.len())
        .map(|at| {
            let value = row.try_get_raw(at)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let kind = value.type_info().name().to_owned();
            Ok(match kind.as_str() {
                "INTEGER" => Cell::Int(row.try_get_unchecked(at)?),
                "REAL" => Cell::Float(row.try_get_unchecked(at)?),
                "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
                "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
                other => anyhow::bail!("{} holds a {other}", row.column(at).name()),
            })
        })
        .collect()
}

fn from_postgres(row: &PgRow) -> Result<Vec<Cell>> {
    fn or_null<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
        value.map_or(Cell::Null, cell)
    }
    (0..row.len())
        .map(|at| {
            Ok(match row.column(at).type_info().name() {
                "INT8" => or_null(row.try_get(at)?, Cell::Int),
                "BOOL" => or_null(row.try_get(at)?, |value: bool| Cell::Int(value.into())),
                "FLOAT8" => or_null(row.try_get(at)?, Cell::Float),
                "TEXT" => or_null(row.try_get(at)?, Cell::Text),
                "BYTEA" => or_null(row.try_get(at)?, Cell::Bytes),
                "UUID" => or_null(row.try_get(at)?, |value: uuid::Uuid| Cell::Bytes(value.as_bytes().to_vec())),
                other => anyhow::bail!("{} is a {other}, which no backup knows", row.column(at).name()),
            })
        })
        .collect()
}
