//! How imports are kept: the file and what was found in it sealed, the rest as it is.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Column, Counts, Decisions, Import, Kind, Report, State};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{Importer, Role};
use crate::clock::Millis;
use crate::db::{Arg, Db, Tx};
use crate::error::{Error, Result};
use crate::jobs;

/// The purpose of the key that seals files and reports.
const SEAL: &str = "imports";
/// Bytes of a piece.
const PIECE: usize = 1 << 20;

#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub file: String,
    pub state: String,
    pub member: Uuid,
    pub device: Uuid,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub rows_total: i64,
    pub done: i64,
    pub total: i64,
    pub create_places: bool,
    pub columns: Vec<u8>,
    pub decisions: String,
    pub counts: Option<String>,
    pub fault: Option<String>,
    pub job: Option<String>,
}

macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, file, state, member, device, created_at, updated_at, rows_total, done, total, create_places,
                 columns, decisions, counts, fault, job FROM import WHERE org = $1 ",
            $rest
        )
    };
}

impl Row {
    pub fn kind(&self) -> Result<Kind> {
        Kind::parse(&self.kind).ok_or_else(crate::packed::damaged)
    }

    pub fn state(&self) -> Result<State> {
        State::parse(&self.state).ok_or_else(crate::packed::damaged)
    }

    pub fn columns(&self, app: &App) -> Result<Vec<Column>> {
        let clear = app.crypto.open_bytes(SEAL, &self.columns).ok_or_else(crate::packed::damaged)?;
        Ok(serde_json::from_slice(&clear)?)
    }

    pub fn decisions(&self) -> Result<Decisions> {
        Ok(serde_json::from_str(&self.decisions)?)
    }

    pub fn counts(&self) -> Result<Option<Counts>> {
        Ok(self.counts.as_deref().map(serde_json::from_str).transpose()?)
    }

    pub fn actor(&self, org: Uuid, at: Millis) -> Actor {
        Actor { org, member: Some(self.member), device: Some(self.device), at }
    }

    /// As it is shown; `whole` with its columns.
    pub fn shown(&self, app: &App, whole: bool) -> Result<Import> {
        let (done, total) = app.imports.at(self.id).unwrap_or((self.done, self.total));
        Ok(Import {
            id: self.id,
            kind: self.kind()?,
            file: self.file.clone(),
            state: self.state()?,
            member: self.member,
            created_at: self.created_at,
            updated_at: self.updated_at,
            rows: self.rows_total,
            done,
            total,
            create_places: self.create_places,
            columns: if whole { self.columns(app)? } else { Vec::new() },
            counts: self.counts()?,
            fault: self.fault.clone(),
        })
    }

    /// Whether this importer may see it: one who sees only some places sees only their own.
    fn seen_by(&self, by: &Importer) -> bool {
        let kind = Kind::parse(&self.kind).is_some_and(|kind| kind.demand(by).is_ok());
        kind && (by.role != Role::Custom || self.member == by.id)
    }
}

/// # Errors
/// 404 when it is not there or not for this caller.
pub async fn get(db: &Db, by: &Importer, id: Uuid) -> Result<Row> {
    let row = row(db, by.org, id).await?;
    row.filter(|row| row.seen_by(by)).ok_or_else(|| Error::not_found("import"))
}

pub async fn row(db: &Db, org: Uuid, id: Uuid) -> Result<Option<Row>> {
    db.query(rows!("AND id = $2")).bind(org).bind(id).optional().await
}

/// The same inside a transaction, with its row locked against others who move it on.
///
/// # Errors
/// As [`get`].
pub async fn lock(tx: &mut Tx, by: &Importer, id: Uuid) -> Result<Row> {
    tx.query("UPDATE import SET updated_at = updated_at WHERE org = $1 AND id = $2").bind(by.org).bind(id).run().await?;
    let row: Option<Row> = tx.query(rows!("AND id = $2")).bind(by.org).bind(id).optional().await?;
    row.filter(|row| row.seen_by(by)).ok_or_else(|| Error::not_found("import"))
}

/// The latest ones first.
pub async fn list(db: &Db, by: &Importer) -> Result<Vec<Row>> {
    let all: Vec<Row> = db.query(rows!("ORDER BY created_at DESC, id LIMIT 100")).bind(by.org).all().await?;
    Ok(all.into_iter().filter(|row| row.seen_by(by)).collect())
}

/// Whether somebody still works on it; when nobody does, it was interrupted for good, which is said from then on.
pub async fn alive(app: &App, org: Uuid, row: Row) -> Result<Row> {
    if !row.state()?.running() || app.imports.at(row.id).is_some() {
        return Ok(row);
    }
    let (id, job) = (row.id, row.job.clone());
    let queued: Option<(Uuid,)> = app
        .db
        .query("SELECT id FROM job WHERE org = $1 AND dedupe = $2 AND state = 'queued'")
        .bind(org)
        .bind(job.clone())
        .optional()
        .await?;
    if queued.is_some() {
        return Ok(row);
    }
    let now = app.clock.now();
    app.db.write(move |tx| Box::pin(async move { bury(tx, (org, id, job), now).await })).await?;
    self::row(&app.db, org, id).await?.ok_or_else(|| Error::not_found("import"))
}

/// What was being looked at has failed; what was being written or undone is as it was before.
pub async fn bury(tx: &mut Tx, (org, id, job): (Uuid, Uuid, Option<String>), now: Millis) -> Result<()> {
    tx.query(
        "UPDATE import SET fault = 'crashed', updated_at = $4, state = CASE state
             WHEN 'checking' THEN 'failed' WHEN 'committing' THEN 'checked' ELSE 'done' END
         WHERE org = $1 AND id = $2 AND job = $3 AND state IN ('checking', 'committing', 'undoing')
           AND NOT EXISTS (SELECT 1 FROM job j WHERE j.dedupe = $3 AND j.state = 'queued')",
    )
    .bind(org)
    .bind(id)
    .bind(job)
    .bind(now)
    .run()
    .await
    .map(drop)
}

pub struct New {
    pub id: Uuid,
    pub kind: Kind,
    pub file: String,
    pub rows: i64,
    pub columns: Vec<Column>,
    pub bytes: bytes::Bytes,
}

pub async fn add(tx: &mut Tx, actor: &Actor, new: New) -> Result<()> {
    let columns = tx.crypto.seal_bytes(SEAL, &serde_json::to_vec(&new.columns)?);
    tx.query(
        "INSERT INTO import (org, id, kind, file, state, member, device, created_at, updated_at, rows_total, columns)
         VALUES ($1, $2, $3, $4, 'uploaded', $5, $6, $7, $7, $8, $9)",
    )
    .bind(actor.org)
    .bind(new.id)
    .bind(new.kind.as_str())
    .bind(new.file)
    .bind(actor.member)
    .bind(actor.device)
    .bind(actor.at)
    .bind(new.rows)
    .bind(columns)
    .run()
    .await?;
    for (n, piece) in new.bytes.chunks(PIECE).enumerate() {
        let body = tx.crypto.seal_bytes(SEAL, piece);
        tx.query("INSERT INTO import_piece (org, import, n, body) VALUES ($1, $2, $3, $4)")
            .bind(actor.org)
            .bind(new.id)
            .bind(n as i64)
            .bind(body)
            .run()
            .await?;
    }
    Ok(())
}

/// The file as it was sent.
pub async fn file(app: &App, org: Uuid, id: Uuid) -> Result<Vec<u8>> {
    let pieces: Vec<(Vec<u8>,)> = app
        .db
        .query("SELECT body FROM import_piece WHERE org = $1 AND import = $2 ORDER BY n")
        .bind(org)
        .bind(id)
        .all()
        .await?;
    let mut bytes = Vec::with_capacity(pieces.len() * PIECE);
    for (piece,) in pieces {
        bytes.extend(app.crypto.open_bytes(SEAL, &piece).ok_or_else(crate::packed::damaged)?);
    }
    Ok(bytes)
}

/// What this organisation said that headers mean.
pub async fn aliases(db: &Db, org: Uuid, kind: Kind) -> Result<HashMap<String, String>> {
    let rows: Vec<(String, String)> = db
        .query("SELECT header, field FROM import_alias WHERE org = $1 AND kind = $2")
        .bind(org)
        .bind(kind.as_str())
        .all()
        .await?;
    Ok(rows.into_iter().collect())
}

/// Remembers a mapping, and begins to look at the file with it.
pub async fn map(tx: &mut Tx, org: Uuid, row: &Row, columns: &[Column], create_places: bool) -> Result<()> {
    for column in columns {
        let header = super::fields::plain(&column.header);
        if header.is_empty() {
            continue;
        }
        tx.query(
            "INSERT INTO import_alias (org, kind, header, field) VALUES ($1, $2, $3, $4)
             ON CONFLICT (org, kind, header) DO UPDATE SET field = excluded.field",
        )
        .bind(org)
        .bind(row.kind.as_str())
        .bind(header)
        .bind(column.field.as_str())
        .run()
        .await?;
    }
    let sealed = tx.crypto.seal_bytes(SEAL, &serde_json::to_vec(columns)?);
    tx.query("UPDATE import SET columns = $3, create_places = $4, decisions = '{}', counts = NULL, report = NULL WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(row.id)
        .bind(sealed)
        .bind(create_places)
        .run()
        .await
        .map(drop)
}

/// Moves on to a state in which a job works.
pub async fn begin(tx: &mut Tx, org: Uuid, row: &Row, to: State, now: Millis) -> Result<()> {
    row.state()?.transition(to)?;
    let job = format!("import {} {}", row.id, crate::clock::new_id());
    tx.query("UPDATE import SET state = $3, job = $4, fault = NULL, done = 0, total = 0, updated_at = $5 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(row.id)
        .bind(to.as_str())
        .bind(job.as_str())
        .bind(now)
        .run()
        .await?;
    jobs::enqueue(tx, org, jobs::New { kind: "import", dedupe: job, run_at: now }, &row.id).await
}

/// What a look found; the state goes to `checked` with `fault`, unless somebody was faster.
pub async fn found(
    app: &App,
    org: Uuid,
    row: &Row,
    report: &Report,
    counts: Counts,
    fault: Option<&'static str>,
) -> Result<()> {
    let sealed = app.crypto.seal_bytes(SEAL, &deflated(&serde_json::to_vec(report)?)?);
    let (id, from, now) = (row.id, row.state.clone(), app.clock.now());
    let counts = serde_json::to_string(&counts)?;
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "UPDATE import SET state = 'checked', report = $4, counts = $5, fault = $6, updated_at = $7
                     WHERE org = $1 AND id = $2 AND state = $3",
                )
                .bind(org)
                .bind(id)
                .bind(from)
                .bind(sealed)
                .bind(counts)
                .bind(fault)
                .bind(now)
                .run(),
            )
        })
        .await
        .map(drop)
}

/// Back to where it came from, with the reason.
pub async fn back(app: &App, org: Uuid, row: &Row, fault: String) -> Result<()> {
    let to = match row.state()? {
        State::Committing => State::Checked,
        State::Undoing => State::Done,
        _ => State::Failed,
    };
    let (id, from, now) = (row.id, row.state.clone(), app.clock.now());
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "UPDATE import SET state = $4, fault = $5, updated_at = $6 WHERE org = $1 AND id = $2 AND state = $3",
                )
                .bind(org)
                .bind(id)
                .bind(from)
                .bind(to.as_str())
                .bind(fault)
                .bind(now)
                .run(),
            )
        })
        .await
        .map(drop)
}

pub async fn progress(app: &App, org: Uuid, id: Uuid, (done, total): (i64, i64)) -> Result<()> {
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query("UPDATE import SET done = $3, total = $4 WHERE org = $1 AND id = $2")
                    .bind(org)
                    .bind(id)
                    .bind(done)
                    .bind(total)
                    .run(),
            )
        })
        .await
        .map(drop)
}

/// What the last look found; nothing when there was none.
pub async fn report(app: &App, org: Uuid, id: Uuid) -> Result<Report> {
    let row: Option<(Option<Vec<u8>>,)> =
        app.db.query("SELECT report FROM import WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    let Some(sealed) = row.and_then(|(report,)| report) else { return Ok(Report::default()) };
    let packed = app.crypto.open_bytes(SEAL, &sealed).ok_or_else(crate::packed::damaged)?;
    Ok(serde_json::from_slice(&inflated(&packed)?)?)
}

pub async fn decide(tx: &mut Tx, org: Uuid, id: Uuid, decisions: &Decisions, counts: Counts) -> Result<()> {
    tx.query("UPDATE import SET decisions = $3, counts = $4 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(id)
        .bind(serde_json::to_string(decisions)?)
        .bind(serde_json::to_string(&counts)?)
        .run()
        .await
        .map(drop)
}

/// Removes the file and what was found in it.
pub async fn forget(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<()> {
    tx.query("DELETE FROM import_piece WHERE org = $1 AND import = $2").bind(org).bind(id).run().await?;
    let nothing = tx.crypto.seal_bytes(SEAL, b"[]");
    tx.query("UPDATE import SET report = NULL, decisions = '{}', columns = $3 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(id)
        .bind(nothing)
        .run()
        .await
        .map(drop)
}

/// Removes an import of which nothing was made.
pub async fn remove(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<()> {
    tx.query("DELETE FROM import_piece WHERE org = $1 AND import = $2").bind(org).bind(id).run().await?;
    tx.query("DELETE FROM import WHERE org = $1 AND id = $2").bind(org).bind(id).run().await.map(drop)
}

/// What an import made.
pub const ITEMS: &str = "INSERT INTO import_item (org, import, id, kind, feed, revision, reference)";

pub fn item(
    org: Uuid,
    import: Uuid,
    (kind, id): (&str, Uuid),
    feed: Uuid,
    revision: i64,
    reference: Option<Vec<u8>>,
) -> Vec<Arg> {
    vec![org.into(), import.into(), id.into(), kind.into(), feed.into(), revision.into(), reference.into()]
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write;
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(3));
    packer.write_all(bytes).map_err(Error::unexpected)?;
    packer.finish().map_err(Error::unexpected)
}

fn inflated(bytes: &[u8]) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut clear = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut clear).map_err(Error::unexpected)?;
    Ok(clear)
}
