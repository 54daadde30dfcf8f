//! `single` or `multi`: the same code and the same data. Going multi first proves that every row has its organisation.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex};

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::feed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One organisation, no selector.
    Single,
    Multi,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Multi => "multi",
        }
    }
}

/// How the installation runs now.
pub async fn now(db: &Db) -> Result<Mode> {
    let row: Option<(String,)> = db.query("SELECT value FROM setting WHERE name = 'mode'").optional().await?;
    Ok(if row.is_some_and(|(mode,)| mode == "multi") { Mode::Multi } else { Mode::Single })
}

/// A table, and how many of its rows have an organisation that exists.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "TableCoverage")]
pub struct Table {
    pub table: String,
    pub with: i64,
    pub without: i64,
}

/// Every table of the database.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Coverage {
    pub tables: Vec<Table>,
    pub rows: i64,
    pub without: i64,
}

impl Coverage {
    pub fn complete(&self) -> bool {
        self.without == 0
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:>12} {:>12}", "table", "with", "without")?;
        for table in &self.tables {
            writeln!(f, "{:<24} {:>12} {:>12}", table.table, table.with, table.without)?;
        }
        let share = if self.rows == 0 { 100.0 } else { (self.rows - self.without) as f64 * 100.0 / self.rows as f64 };
        // Never rounded up to what it is not.
        let share = if self.complete() { 100.0 } else { (share * 100.0).floor().min(9_999.0) / 100.0 };
        writeln!(f, "{} rows, {} without an organisation: {share} %", self.rows, self.without)
    }
}

/// Tables without a column `org`, and what says that one of their rows belongs somewhere. Any other table without that
/// column counts as rows without an organisation: whoever adds one decides.
const OTHERS: &[(&str, &str)] = &[
    // The installation's own.
    ("setting", "1 = 1"),
    ("_sqlx_migrations", "1 = 1"),
    ("organisation", "1 = 1"),
    ("data_key", "1 = 1"),
    ("backup_run", "1 = 1"),
    ("tls_certificate", "1 = 1"),
    ("oidc_attempt", "1 = 1"),
    // A person's: belongs where the person is a member.
    ("account", "EXISTS (SELECT 1 FROM member m JOIN organisation o ON o.id = m.org WHERE m.account = t.id)"),
    ("device", "EXISTS (SELECT 1 FROM member m JOIN organisation o ON o.id = m.org WHERE m.account = t.account)"),
    ("recovery_code", "EXISTS (SELECT 1 FROM member m JOIN organisation o ON o.id = m.org WHERE m.account = t.account)"),
    ("oidc_identity", "EXISTS (SELECT 1 FROM member m JOIN organisation o ON o.id = m.org WHERE m.account = t.account)"),
];
/// The set-up link is the installation's.
const INVITATION: &str = "t.org IS NULL OR EXISTS (SELECT 1 FROM organisation o WHERE o.id = t.org)";
const BY_ORG: &str = "EXISTS (SELECT 1 FROM organisation o WHERE o.id = t.org)";

/// Counts every row of every table that the database has.
pub async fn coverage(db: &Db) -> Result<Coverage> {
    let names: Vec<(String, i64)> = db
        .query(db.pick(
            "SELECT m.name, (SELECT count(*) FROM pragma_table_info(m.name) c WHERE c.name = 'org') FROM sqlite_master m
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name",
            "SELECT CAST(t.table_name AS TEXT), (SELECT count(*) FROM information_schema.columns c
                 WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.column_name = 'org')
             FROM information_schema.tables t WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
             ORDER BY 1",
        ))
        .all()
        .await?;
    let mut tables = Vec::with_capacity(names.len());
    for (table, by_org) in names {
        let rule = match OTHERS.iter().find(|(name, _)| *name == table) {
            Some((_, rule)) => rule,
            None if table == "invitation" => INVITATION,
            None if by_org > 0 => BY_ORG,
            None => "1 = 0",
        };
        let (with, all): (i64, i64) = db.query(counting(&table, rule)).one().await?;
        tables.push(Table { table, with, without: all - with });
    }
    let without = tables.iter().map(|t| t.without).sum();
    Ok(Coverage { rows: tables.iter().map(|t| t.with + t.without).sum(), without, tables })
}

/// Statements are `&'static str`; there is one for each table, kept for good.
fn counting(table: &str, rule: &str) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().expect("no panic while held");
    // Names come from the database's own catalogue.
    texts.entry(table.to_owned()).or_insert_with(|| {
        format!("SELECT count(CASE WHEN {rule} THEN 1 END), count(*) FROM \"{}\" t", table.replace('"', "\"\"")).leak()
    })
}

/// Changes the mode, by somebody or (`actor` without a member) by the command line.
///
/// # Errors
/// 409 `coverage_incomplete` when a row has no organisation.
pub async fn set(app: &App, actor: Actor, mode: Mode) -> Result<Coverage> {
    let coverage = coverage(&app.db).await?;
    if mode == Mode::Multi && !coverage.complete() {
        let gaps: Vec<&Table> = coverage.tables.iter().filter(|t| t.without > 0).collect();
        let details = serde_json::json!({ "tables": gaps });
        let message = "Some rows have no organisation; the report names their tables.";
        return Err(Error::conflict("coverage_incomplete", message).details(details));
    }
    app.db.write(move |tx| Box::pin(async move { keep(tx, &actor, mode).await })).await?;
    Ok(coverage)
}

async fn keep(tx: &mut Tx, actor: &Actor, mode: Mode) -> Result<()> {
    let before: Option<(String,)> = tx.query("SELECT value FROM setting WHERE name = 'mode'").optional().await?;
    let before = before.map_or_else(|| "single".to_owned(), |(mode,)| mode);
    if before == mode.as_str() {
        return Ok(());
    }
    tx.query(
        "INSERT INTO setting (name, value) VALUES ('mode', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(mode.as_str())
    .run()
    .await?;
    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
    let action = if mode == Mode::Multi { "mode.activate" } else { "mode.rollback" };
    let said = |mode: &str| serde_json::json!({ "mode": mode });
    let change = (Some(&said(&before)), Some(&said(mode.as_str())));
    audit::append(tx, &mut feeds, actor.org, actor, action, ("organisation", actor.org), change).await
}

/// The organisation that was there first: in its chain stands what the command line does.
pub async fn default_organisation(db: &Db) -> Result<Uuid> {
    let row: Option<(Uuid,)> = db.query("SELECT id FROM organisation ORDER BY created_at, id LIMIT 1").optional().await?;
    row.map(|(id,)| id).ok_or_else(|| Error::conflict("not_set_up", "Nobody has set this installation up yet."))
}
