//! Statements whose answers nobody waits for: put off, and sent together in one trip to the database.
//!
//! A trip costs more than most statements. A command says what it writes as it goes; all of it leaves with the next
//! statement that must be answered, or when the work ends. On SQLite the statements follow each other in one text; on
//! PostgreSQL they are parts of one `WITH`, which see none of each other's rows: those that might meet go separately.

use std::fmt::Write;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr, SqlStr, SqliteConnection};

use super::write::{EngineTx, Tx};
use super::{Arg, arg};
use crate::error::{Error, Result};

/// A statement that waits. It must not have a `RETURNING` of its own.
pub(super) struct Later {
    pub sql: &'static str,
    pub args: Vec<Arg>,
    /// What it means when no row was changed.
    pub otherwise: Option<fn() -> Error>,
}

/// The most arguments that go together.
const MOST: usize = 400;

impl Later {
    /// Whether both may change one row: then they need their order, which parts of a `WITH` do not have.
    fn meets(&self, other: &Self) -> bool {
        let plain = |sql: &str| sql.starts_with("INSERT") && !sql.contains("ON CONFLICT");
        table(self.sql) == table(other.sql) && !(plain(self.sql) && plain(other.sql))
    }
}

/// `household` of `INSERT INTO household (…`, `feed` of `UPDATE feed SET …`.
fn table(sql: &'static str) -> &'static str {
    let mut words = sql.split_ascii_whitespace();
    match words.next() {
        Some("INSERT" | "DELETE") => words.nth(1).unwrap_or_default(),
        _ => words.next().unwrap_or_default(),
    }
}

impl Tx {
    pub(super) async fn put_off(&mut self, later: Later) -> Result<()> {
        let many = self.later.iter().map(|l| l.args.len()).sum::<usize>() + later.args.len() > MOST;
        let apart = matches!(self.engine, EngineTx::Postgres(_)) && self.later.iter().any(|l| l.meets(&later));
        if many || apart {
            self.flush().await?;
        }
        self.later.push(later);
        Ok(())
    }

    /// As [`Self::put_off`], in place of one that waits with the same text and the same two first arguments: of several
    /// the last one counts.
    pub(super) async fn put_off_last(&mut self, later: Later) -> Result<()> {
        let same = |l: &&mut Later| l.sql == later.sql && l.args[..2] == later.args[..2];
        match self.later.iter_mut().find(same) {
            Some(waiting) => {
                *waiting = later;
                Ok(())
            }
            None => self.put_off(later).await,
        }
    }

    /// Sends all that waits.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.later.is_empty() {
            return Ok(());
        }
        let later = std::mem::take(&mut self.later);
        let mut sql = self.begun().to_owned();
        let skip = sql.matches(';').count();
        let mut changed = Vec::with_capacity(later.len());
        match &mut self.engine {
            EngineTx::Sqlite(c) => {
                let mut args = Vec::new();
                for part in &later {
                    renumber(&mut sql, part.sql, args.len());
                    sql.push(';');
                    args.extend_from_slice(&part.args);
                }
                changed = counts(c, AssertSqlSafe(sql).into_sql_str(), args).await?;
                changed.drain(..skip);
            }
            EngineTx::Postgres(t) => {
                let mut args = Vec::new();
                let mut counts = String::new();
                for (n, part) in later.iter().enumerate() {
                    let _ = write!(sql, "{}p{n} AS (", if n == 0 { "WITH " } else { ", " });
                    renumber(&mut sql, part.sql, args.len());
                    sql.push_str(" RETURNING 1)");
                    let _ = write!(counts, "{}(SELECT count(*) FROM p{n})", if n == 0 { "" } else { ", " });
                    args.extend_from_slice(&part.args);
                }
                let _ = write!(sql, " SELECT {counts}");
                let row = sqlx::query_with(AssertSqlSafe(sql), arg::postgres(args)?).fetch_one(&mut **t).await?;
                for n in 0..later.len() {
                    changed.push(row.try_get::<i64, _>(n)?.unsigned_abs());
                }
            }
        }
        for (part, changed) in later.iter().zip(changed) {
            if let Some(otherwise) = part.otherwise
                && changed == 0
            {
                return Err(otherwise());
            }
        }
        Ok(())
    }
}

/// Runs a text of several statements on SQLite; how many rows each of them changed.
pub(super) async fn counts(connection: &mut SqliteConnection, sql: SqlStr, args: Vec<Arg>) -> Result<Vec<u64>> {
    let query = sqlx::query_with(sql, arg::sqlite(args)?);
    #[expect(deprecated, reason = "each statement's own count is wanted")]
    let done = query.execute_many(connection).await;
    Ok(done.map_ok(|one| one.rows_affected()).try_collect().await?)
}

/// Appends a statement to a text whose other statements have `taken` arguments before its own.
fn renumber(text: &mut String, sql: &str, taken: usize) {
    let mut parts = sql.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap_or_default();
        let _ = write!(text, "${}{}", number + taken, &part[digits..]);
    }
}
