//! Moving an installation up: a SQLite database becomes one on PostgreSQL, and pictures go along if another storage is
//! named. Rows, feeds and sessions stay what they are, so that phones notice nothing.
//!
//! Unlike a restoration, nothing is lost between the two: the old database is held still all the while, uploads under way
//! go along, and no phone is told to begin anew. What was copied is read back and compared before it counts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use kilele_media::{Found, Store, StoreError, Variant};
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::sync::mpsc;

use super::Object;
use super::compare::{Sum, differences, sum};
use super::place;
use super::restore::{alone, copy_of_rows};
use super::rows::Part;
use super::source::{Source, Table};
use super::spool::{Scratch, Spool};
use super::target::{Kinds, Target};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::{hex, sha256};
use crate::db;
use crate::ops::progress::Progress;

/// Pictures that are copied at once.
const AT_ONCE: usize = 4;

/// What was moved, or only compared.
#[derive(Debug, Serialize)]
pub struct Moved {
    /// Where it is now, without the password.
    pub database: String,
    /// The storage of its pictures from now on.
    pub media: String,
    pub tables: u64,
    pub rows: u64,
    pub feeds: u64,
    /// Pictures in all sizes, and pieces of uploads under way, that were copied or were there already.
    pub objects: u64,
    /// Pictures that the old storage did not have, or not as they were stored.
    pub lost: Vec<String>,
    /// Where what the target held before lies now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// What is not the same on both sides, in words. Nothing was kept of a move that has any.
    pub faults: Vec<String>,
    /// Nothing was copied.
    pub only_compared: bool,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, media, tables, rows, feeds, objects, lost, replaced, faults, only_compared } = self;
        let done = if *only_compared { "compared with" } else { "copied to, and read back from" };
        writeln!(f, "{rows} rows of {tables} tables, {feeds} feeds among them, {done} {database}")?;
        if *objects > 0 {
            writeln!(f, "{objects} pictures {done} {media}")?;
        }
        lost.iter().try_for_each(|title| writeln!(f, "not in the old storage: {title} (kilele media verify)"))?;
        if let Some(at) = replaced {
            writeln!(f, "What was there before is in {at}; remove it when nobody misses anything.")?;
        }
        faults.iter().try_for_each(|fault| writeln!(f, "FAULT: {fault}"))?;
        if *only_compared {
            return writeln!(f, "{}", if faults.is_empty() { "They are the same." } else { "They are not the same." });
        }
        writeln!(
            f,
            "\nNow set, on each copy of the server, the same secret (KILELE_SECRET, or secret.key in the data folder), and\n\n    \
             KILELE_DATABASE_URL={database}  (with its password)\n    KILELE_MEDIA_URL={media}\n\n\
             and start it. Do not start the old one again: what it took in would be missing here."
        )
    }
}

/// The settings of the installation after the move.
pub fn settings(config: &Config, database: &str, media: Option<&str>) -> Result<Config> {
    ensure!(
        config.database_url.starts_with("sqlite://"),
        "only a SQLite installation moves up; this one is on {}",
        db::without_password(&config.database_url)
    );
    ensure!(
        database.starts_with("postgres://") || database.starts_with("postgresql://"),
        "say where it goes, such as postgres://kilele@host/kilele"
    );
    let media = media.unwrap_or(&config.media_url);
    ensure!(media != "memory:", "pictures in memory are gone with the process: name a folder or s3://bucket/prefix");
    Ok(Config { database_url: database.into(), media_url: media.into(), ..config.clone() })
}

/// What the target holds already, in words; nothing when it has no tables.
///
/// # Errors
/// When it does not answer.
pub async fn occupied(to: &Config) -> Result<Option<String>> {
    let mut connection = PgConnection::connect(&to.database_url).await.context("connecting to PostgreSQL")?;
    let tables: (i64,) = sqlx::query_as(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok((tables.0 > 0).then(|| format!("{} holds {} tables", db::without_password(&to.database_url), tables.0)))
}

/// Copies everything, and compares it before it counts.
///
/// # Errors
/// When a server has either database open, when anything differs, and when something does not answer. Then the target is
/// as it was before, but for pictures, which are only added.
pub async fn move_up(config: &Config, to: &Config, clock: &Clock, progress: &Progress) -> Result<Moved> {
    let held = Held::open(config, clock).await?;
    alone(to).await?;
    let mut source = Source::open(config).await?;
    let replaced = match occupied(to).await? {
        Some(_) => copy_of_rows(to, clock, progress).await?,
        None => None,
    };
    let mut target = Target::postgres(to, db::newest_migration()).await?;
    let tables = source.tables().await?;
    copy(&mut source, &mut target, &tables, progress).await?;
    let mut moved = Moved {
        database: db::without_password(&to.database_url),
        media: to.media_url.clone(),
        tables: tables.len() as u64,
        rows: 0,
        feeds: 0,
        objects: 0,
        lost: Vec::new(),
        replaced,
        faults: Vec::new(),
        only_compared: false,
    };
    for table in &tables {
        let mut there = Sum::default();
        let kinds = target.each(table, |row| there.add(&row)).await?;
        look(&mut source, table, &kinds, &there, &mut moved, progress).await?;
    }
    ensure!(moved.faults.is_empty(), "nothing was moved, the copy is not the same: {}", moved.faults.join("; "));
    if to.media_url != config.media_url {
        pictures(config, to, &mut source, &mut moved, progress).await?;
    }
    target.finish().await?;
    held.release().await?;
    // The second wall, and whether it opens at all.
    let app = App::open(to.clone(), clock.clone()).await.context("opening what was moved")?;
    app.db.close().await;
    Ok(moved)
}

/// Compares both as they are now, row by row, and copies nothing. After a server has begun to use the new one they differ.
///
/// # Errors
/// When a server has either open, and when something does not answer. What differs stands in the report.
pub async fn compare(config: &Config, to: &Config, clock: &Clock, progress: &Progress) -> Result<Moved> {
    let held = Held::open(config, clock).await?;
    alone(to).await?;
    ensure!(occupied(to).await?.is_some(), "{} holds nothing", db::without_password(&to.database_url));
    let (mut source, mut other) = (Source::open(config).await?, Source::open(to).await?);
    let mut moved = Moved {
        database: db::without_password(&to.database_url),
        media: to.media_url.clone(),
        tables: 0,
        rows: 0,
        feeds: 0,
        objects: 0,
        lost: Vec::new(),
        replaced: None,
        faults: Vec::new(),
        only_compared: true,
    };
    let theirs: BTreeMap<String, Table> =
        other.tables().await?.into_iter().map(|table| (table.name.clone(), table)).collect();
    for table in source.tables().await? {
        moved.tables += 1;
        if !theirs.contains_key(&table.name) {
            moved.faults.push(format!("{} is not there", table.name));
            continue;
        }
        let kinds = other.kinds(&table).await?;
        let there = sum(&mut other, &table, &kinds).await?;
        let faults = moved.faults.len();
        look(&mut source, &table, &kinds, &there, &mut moved, progress).await?;
        if moved.faults.len() > faults {
            let (lacking, other) = differences(&mut source, &mut other, &table, &kinds).await?;
            moved.faults.pop();
            moved
                .faults
                .push(format!("{}: {lacking} rows are not there as they are here, {other} are there only", table.name));
        }
    }
    if to.media_url != config.media_url {
        pictures_are_there(to, &mut source, &mut moved, progress).await?;
    }
    held.release().await?;
    Ok(moved)
}

/// The old database, which nobody else writes meanwhile: a server that is started by mistake waits, and gives up.
struct Held(SqliteConnection);

impl Held {
    async fn open(config: &Config, clock: &Clock) -> Result<Self> {
        let path = config.database_url.strip_prefix("sqlite://").unwrap_or_default();
        ensure!(Path::new(path).exists(), "there is no database {path}");
        let key = config.data_dir.join("secret.key");
        ensure!(
            config.secret.is_some() || key.exists(),
            "{} is missing: without it nothing that is sealed opens",
            key.display()
        );
        alone(config).await?;
        // Both have the same tables then.
        let app = App::open(config.clone(), clock.clone()).await.context("bringing the old database up to date")?;
        app.db.close().await;
        drop(app);
        let mut connection = SqliteConnection::connect_with(&db::sqlite_options(&config.database_url)?).await?;
        connection.execute("BEGIN IMMEDIATE").await.context("holding the old database")?;
        Ok(Self(connection))
    }

    async fn release(mut self) -> Result<()> {
        self.0.execute("ROLLBACK").await?;
        Ok(self.0.close().await?)
    }
}

/// All rows of all tables, also of uploads under way.
async fn copy(source: &mut Source, target: &mut Target, tables: &[Table], progress: &Progress) -> Result<()> {
    let (send, mut sent) = mpsc::channel::<Part>(4_096);
    let (pass, parts) = mpsc::channel(4_096);
    let reading = async move {
        for table in tables {
            send.send(Part::Table { name: table.name.clone(), columns: table.columns.clone() }).await?;
            let count = source.rows(table, &send).await?;
            send.send(Part::End(count)).await?;
        }
        anyhow::Ok(())
    };
    let passing = async move {
        while let Some(part) = sent.recv().await {
            pass.send(Ok(Some(part))).await?;
        }
        // Should the reading have failed, its own error ends this before the end is taken for one.
        pass.send(Ok(None)).await?;
        anyhow::Ok(())
    };
    let filling = target.take(parts, |rows| progress.say("rows", rows, None));
    let (read, passed, filled) = tokio::join!(reading, passing, filling);
    // Whoever could not go on because the other had ended says less.
    filled?;
    read?;
    passed
}

/// Adds one table to the report: the source's rows against what was found in the target.
async fn look(
    source: &mut Source,
    table: &Table,
    kinds: &Kinds,
    there: &Sum,
    moved: &mut Moved,
    progress: &Progress,
) -> Result<()> {
    let here = sum(source, table, kinds).await?;
    moved.rows += here.rows;
    if table.name == "feed" {
        moved.feeds = here.rows;
    }
    if here != *there {
        moved.faults.push(match here.rows == there.rows {
            true => format!("rows of {} are not the same", table.name),
            false => format!("{} has {} rows instead of {}", table.name, there.rows, here.rows),
        });
    }
    progress.say("rows compared", moved.rows, None);
    Ok(())
}

/// Whatever the database names, a picture in one size at a time.
async fn objects(
    config: &Config,
    source: &mut Source,
) -> Result<(Scratch, u64, impl Iterator<Item = Result<Object>> + use<>)> {
    let scratch = Scratch::make(&config.data_dir)?;
    let path = scratch.path("objects");
    let mut list = Spool::create(&path, &[])?;
    let (count, _) = source.objects(&mut list).await?;
    list.finish()?;
    let lines = place::lines(&path)?;
    Ok((scratch, count, lines))
}

/// Copies every picture, and reads it back; then the pieces of uploads under way.
async fn pictures(config: &Config, to: &Config, source: &mut Source, moved: &mut Moved, progress: &Progress) -> Result<()> {
    let from = Store::open(&config.media_url, &config.media_options).context("KILELE_MEDIA_URL")?;
    let into = Store::open(&to.media_url, &to.media_options).context("the new storage")?;
    into.canary().await.context("the new storage")?;
    let (_scratch, count, list) = objects(config, source).await?;
    let mut carried =
        stream::iter(list).map(|object| async { carry(&from, &into, &object?).await }).buffer_unordered(AT_ONCE);
    while let Some(carried) = carried.try_next().await? {
        match carried {
            None => moved.objects += 1,
            Some(title) => moved.lost.push(title),
        }
        progress.say("pictures", moved.objects, Some(count));
    }
    drop(carried);
    moved.lost.sort();
    let mut inventory = from.inventory();
    while let Some(object) = inventory.try_next().await? {
        if matches!(object.what, Found::Piece { .. }) {
            ensure!(from.carry(&object, &into).await?, "a piece of an upload comes back otherwise from the new storage");
            moved.objects += 1;
        }
    }
    Ok(())
}

/// A picture in one size; its title when the old storage has it not, or not as it was stored.
async fn carry(from: &Store, into: &Store, object: &Object) -> Result<Option<String>> {
    let org = object.org.to_string();
    let Some(variant) = Variant::named(&object.variant) else { bail!("a picture has no size {}", object.variant) };
    if holds(into, object, &org, variant).await? {
        return Ok(None);
    }
    let bytes = match from.get(&org, &object.sha256, variant).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound) => return Ok(Some(object.title())),
        Err(error) => return Err(error.into()),
    };
    if hex(&sha256(&bytes)) != object.hash {
        return Ok(Some(object.title()));
    }
    into.put(&org, &object.sha256, variant, bytes).await?;
    ensure!(holds(into, object, &org, variant).await?, "{} comes back otherwise from the new storage", object.title());
    Ok(None)
}

/// Whether the storage has it, to the byte.
async fn holds(store: &Store, object: &Object, org: &str, variant: Variant) -> Result<bool> {
    match store.get(org, &object.sha256, variant).await {
        Ok(bytes) => Ok(hex(&sha256(&bytes)) == object.hash),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn pictures_are_there(to: &Config, source: &mut Source, moved: &mut Moved, progress: &Progress) -> Result<()> {
    let store = Store::open(&to.media_url, &to.media_options).context("the new storage")?;
    let (_scratch, count, list) = objects(to, source).await?;
    let mut titles = Vec::new();
    let mut looked = stream::iter(list)
        .map(|object| async {
            let object = object?;
            let Some(variant) = Variant::named(&object.variant) else { bail!("a picture has no size {}", object.variant) };
            let there = holds(&store, &object, &object.org.to_string(), variant).await?;
            anyhow::Ok((!there).then(|| object.title()))
        })
        .buffer_unordered(AT_ONCE);
    while let Some(fault) = looked.try_next().await? {
        moved.objects += 1;
        if let Some(title) = fault {
            titles.push(title);
        }
        progress.say("pictures compared", moved.objects, Some(count));
    }
    drop(looked);
    titles.sort();
    moved.faults.extend(titles.into_iter().map(|title| format!("the picture {title} is not there as it was stored")));
    Ok(())
}
