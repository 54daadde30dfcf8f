//! The work of imports, as jobs: looking at a file, writing it, undoing it. Interrupted, another attempt begins it anew;
//! nothing of the one before is there.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

use super::households::{Before, There};
use super::places::Known;
use super::store::{self, Row};
use super::{Counts, Decisions, Kind, Progress, Report, State, commit, households, places, table, undo};
use crate::app::App;
use crate::clock::DAY;
use crate::error::{Error, Result};
use crate::packed;
use crate::places::{LEVELS, Place};

/// What a look at a file came to.
pub enum Judged {
    Households(households::Judged),
    Places(places::Judged),
}

impl Judged {
    pub fn parts(&self) -> (&Report, Counts) {
        match self {
            Self::Households(judged) => (&judged.report, judged.counts),
            Self::Places(judged) => (&judged.report, judged.counts),
        }
    }
}

/// Does what the import's state asks for.
///
/// # Errors
/// When a part of the server is down: the job is tried again.
pub async fn job(app: &App, org: Uuid, body: &str) -> Result<()> {
    let id: Uuid = serde_json::from_str(body)?;
    let _turn = app.tables.acquire().await.map_err(Error::unexpected)?;
    // Given up meanwhile, or done by an attempt that could not say so.
    let Some(row) = store::row(&app.db, org, id).await?.filter(|row| row.state().is_ok_and(State::running)) else {
        return Ok(());
    };
    let progress = app.imports.begin(id);
    let done = tokio::select! {
        done = step(app, org, &row, &progress) => done,
        never = tell(app, org, id, &progress) => never,
    };
    app.imports.end(id);
    match done {
        Err(error) if !error.is_ours() => store::back(app, org, &row, error.code().to_owned()).await,
        done => done,
    }
}

async fn step(app: &App, org: Uuid, row: &Row, progress: &Progress) -> Result<()> {
    match row.state()? {
        State::Checking => {
            let judged = look(app, org, row, &Decisions::new(), progress).await?;
            let (report, counts) = judged.parts();
            store::found(app, org, row, report, counts, None).await
        }
        State::Committing => {
            let judged = look(app, org, row, &row.decisions()?, progress).await?;
            let (report, counts) = judged.parts();
            // Since a person looked, somebody was registered or a place was added.
            let before = store::report(app, org, row.id).await?.flagged();
            if counts.faults > 0 || !report.flagged().is_subset(&before) {
                return store::found(app, org, row, report, counts, Some("import_stale")).await;
            }
            match judged {
                Judged::Households(judged) => commit::households(app, org, row, judged, progress).await,
                Judged::Places(judged) => commit::places(app, org, row, judged).await,
            }
        }
        State::Undoing => undo::all(app, org, row).await,
        _ => Ok(()),
    }
}

/// Tells the database how far it is, for other copies of the server.
async fn tell<T>(app: &App, org: Uuid, id: Uuid, progress: &Progress) -> T {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if let Err(error) = store::progress(app, org, id, progress.at()).await {
            error.log();
        }
    }
}

/// Reads the file and judges every row.
async fn look(app: &App, org: Uuid, row: &Row, decisions: &Decisions, progress: &Progress) -> Result<Judged> {
    let bytes = store::file(app, org, row.id).await?;
    let fields: Vec<String> = row.columns(app)?.into_iter().map(|column| column.field).collect();
    let places = known(app, org, row.member).await?;
    let (progress, crypto, decisions) = (progress.clone(), app.crypto.clone(), decisions.clone());
    let judged = match row.kind()? {
        Kind::Places => tokio::task::spawn_blocking(move || -> Result<Judged> {
            let table = table::read(&bytes)?;
            Ok(Judged::Places(places::judge(&table, &fields, &places, &progress)))
        }),
        Kind::Households => {
            let kept = kept(app, org, row.member).await?;
            let references: Vec<(Vec<u8>,)> = app
                .db
                .query(
                    "SELECT i.reference FROM import m JOIN import_item i ON i.org = m.org AND i.import = m.id
                     WHERE m.org = $1 AND m.state = 'done' AND i.reference IS NOT NULL",
                )
                .bind(org)
                .all()
                .await?;
            let references: HashSet<Vec<u8>> = references.into_iter().map(|(hash,)| hash).collect();
            let create_places = row.create_places;
            tokio::task::spawn_blocking(move || -> Result<Judged> {
                let table = table::read(&bytes)?;
                drop(bytes);
                let households = kept.into_iter().map(opened).collect::<Result<_>>()?;
                let before = Before { org, places, create_places, households, references };
                Ok(Judged::Households(households::judge(&table, &fields, before, &decisions, &crypto, &progress)))
            })
        }
    };
    // A file that makes its reader panic is one that cannot be read.
    judged.await.map_err(|_| table::unreadable())?
}

/// The organisation's places, and whose households the importer sees.
async fn known(app: &App, org: Uuid, member: Uuid) -> Result<Known> {
    type Row = (Uuid, Option<Uuid>, i64, String, String);
    let rows: Vec<Row> =
        app.db.query("SELECT id, parent, level, code, name FROM place WHERE org = $1 ORDER BY id").bind(org).all().await?;
    let place = |(id, parent, level, code, name): Row| {
        let level_name = LEVELS.get(level as usize).copied().unwrap_or_default().to_owned();
        Place { id, parent, level, level_name, code, name, lat: None, lon: None }
    };
    let seen: Vec<(Uuid,)> =
        app.db.query("SELECT feed FROM member_feed WHERE org = $1 AND member = $2").bind(org).bind(member).all().await?;
    Ok(Known { all: rows.into_iter().map(place).collect(), seen: seen.into_iter().map(|(feed,)| feed).collect() })
}

type Kept = (Uuid, Uuid, Option<Vec<u8>>, Vec<u8>);

/// The households that the importer sees, as they are kept: a page at a time, so that nobody waits for them.
async fn kept(app: &App, org: Uuid, member: Uuid) -> Result<Vec<Kept>> {
    const SOME: i64 = 2_000;
    let (mut all, mut last): (Vec<Kept>, _) = (Vec::new(), Uuid::nil());
    loop {
        let page: Vec<Kept> = app
            .db
            .query(
                "SELECT h.id, h.feed, h.national_id_hash, e.body FROM household h
                 JOIN feed_entry e ON e.org = h.org AND e.id = h.id AND e.feed = h.feed
                 WHERE h.org = $1 AND h.id > $2 AND NOT e.deleted
                   AND h.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $3)
                 ORDER BY h.id LIMIT CAST($4 AS BIGINT)",
            )
            .bind(org)
            .bind(last)
            .bind(member)
            .bind(SOME)
            .all()
            .await?;
        let full = page.len() as i64 == SOME;
        last = page.last().map_or(last, |(id, ..)| *id);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

fn opened((id, village, national_id, body): Kept) -> Result<There> {
    #[derive(Deserialize)]
    struct Head {
        head_name: String,
        #[serde(default)]
        head_birth_date: Option<String>,
    }
    let head: Head = serde_json::from_str(&packed::open(&body)?)?;
    Ok(There { id, village, name: head.head_name, birth: head.head_birth_date, national_id })
}

/// Places of a small file at once, for programs: the same reading and judging, without the steps between.
///
/// # Errors
/// The first fault, with its line in `details`.
pub async fn places_at_once(app: &App, (org, member): (Uuid, Uuid), text: &str, most: usize) -> Result<Vec<Place>> {
    let table = table::read(text.as_bytes())?;
    if table.len() > most {
        return Err(Error::refused("csv_too_long", "At most 5,000 places at once."));
    }
    let fields = super::fields::guess(Kind::Places, &table.head, &HashMap::new());
    let judged = places::judge(&table, &fields, &known(app, org, member).await?, &Progress::default());
    let first = judged.report.faults.iter().min_by_key(|fault| fault.row);
    let Some(fault) = first else { return Ok(judged.places.into_iter().map(|(_, place)| place).collect()) };
    let message = format!("Line {}: {} {}", fault.row, fault.column, fault.message);
    let error = match fault.code.as_str() {
        "parent_unknown" => Error::refused("parent_unknown", message),
        "code_taken" | "code_twice" => Error::conflict("code_taken", message),
        _ => Error::refused("csv_invalid", message),
    };
    Err(error.details(serde_json::json!({ "line": fault.row })))
}

/// Ends what nobody works on any more, and forgets files of which nothing was made for a week.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let lost: Vec<(Uuid, Uuid, Option<String>)> = app
        .db
        .query(
            "SELECT i.org, i.id, i.job FROM import i WHERE i.state IN ('checking', 'committing', 'undoing')
             AND NOT EXISTS (SELECT 1 FROM job j WHERE j.dedupe = i.job AND j.state = 'queued')",
        )
        .all()
        .await?;
    for one in lost {
        app.db.write(move |tx| Box::pin(async move { store::bury(tx, one, now).await })).await?;
    }
    let old: Vec<(Uuid, Uuid)> = app
        .db
        .query("SELECT org, id FROM import WHERE state IN ('uploaded', 'checked', 'failed') AND updated_at < $1")
        .bind(now - 7 * DAY)
        .all()
        .await?;
    for (org, id) in old {
        app.db.write(move |tx| Box::pin(async move { store::remove(tx, org, id).await })).await?;
    }
    Ok(())
}
