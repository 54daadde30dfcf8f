//! Many rows of one table in few statements: a hundred thousand rows one by one take minutes, so they take seconds.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, SqlSafeStr};
use uuid::Uuid;

use super::later::counts;
use super::write::{EngineTx, Tx};
use super::{Arg, arg};
use crate::error::Result;

/// The most arguments of one statement; fewer than either engine takes, and small enough to be planned at once.
const MOST: usize = 2_000;

/// Ids as one argument: the first of a statement that `among!` makes.
pub fn list(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(2 + 35 * ids.len());
    for (n, id) in ids.iter().enumerate() {
        let _ = write!(text, "{}\"{}\"", if n == 0 { "[" } else { "," }, id.simple());
    }
    if text.is_empty() { "[]".into() } else { text + "]" }
}

/// A statement whose column, at the end of its first part, is one of the ids in [`list`], its first argument.
macro_rules! among {
    ($on:expr, $before:literal, $after:literal) => {
        $on.pick(
            concat!($before, " IN (SELECT unhex(value) FROM json_each($1))", $after),
            concat!(
                $before,
                " = ANY (ARRAY(SELECT CAST(value AS UUID) FROM json_array_elements_text(CAST($1 AS JSON))))",
                $after
            ),
        )
    };
}
pub(crate) use among;

impl Tx {
    /// `into` is `INSERT INTO table (columns)`; each row has a value for every column.
    pub async fn insert_many(&mut self, into: &'static str, rows: Vec<Vec<Arg>>) -> Result<()> {
        self.insert_all(into, rows, "").await
    }

    /// As [`Self::insert_many`]; rows that are there already stay as they are.
    pub async fn insert_missing(&mut self, into: &'static str, rows: Vec<Vec<Arg>>) -> Result<()> {
        self.insert_all(into, rows, " ON CONFLICT DO NOTHING").await
    }

    async fn insert_all(&mut self, into: &'static str, rows: Vec<Vec<Arg>>, end: &'static str) -> Result<()> {
        let Some(columns) = rows.first().map(Vec::len) else { return Ok(()) };
        self.flush().await?;
        let mut rows = rows.into_iter();
        loop {
            let some: Vec<Vec<Arg>> = rows.by_ref().take(MOST / columns).collect();
            if some.is_empty() {
                return Ok(());
            }
            let mut sql = format!("{}{into} VALUES ", self.begun());
            for row in 0..some.len() {
                sql.push_str(if row == 0 { "(" } else { ", (" });
                for column in 0..columns {
                    let _ = write!(sql, "{}${}", if column == 0 { "" } else { ", " }, row * columns + column + 1);
                }
                sql.push(')');
            }
            sql.push_str(end);
            let (sql, args) = (AssertSqlSafe(sql).into_sql_str(), some.into_iter().flatten().collect());
            match &mut self.engine {
                EngineTx::Sqlite(c) => drop(counts(c, sql, args).await?),
                EngineTx::Postgres(t) => {
                    sqlx::query_with(sql, arg::postgres(args)?).execute(&mut **t).await?;
                }
            }
        }
    }
}
