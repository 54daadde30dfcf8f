//! Putting a backup back: into the database and the storage of the settings, after a copy of what it replaces.
//!
//! Everything is brought here and compared before anything changes. Pictures are only added. Then the database is
//! replaced at once: on SQLite the file, on PostgreSQL all tables in one transaction.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use kilele_media::{Store, StoreError, Variant};
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use super::age::Identity;
use super::place::Place;
use super::spool::{self, Scratch};
use super::target::Target;
use super::{Manifest, Object, make};
use crate::app::App;
use crate::clock::{Clock, Millis};
use crate::config::Config;
use crate::crypto::{Crypto, hex, sha256};
use crate::ops::progress::Progress;

/// Pictures that are brought back at once.
const AT_ONCE: usize = 4;

/// What was put back.
#[derive(Debug, Serialize)]
pub struct Restored {
    pub name: String,
    pub made_at: Millis,
    pub rows: u64,
    pub objects: u64,
    /// Pictures that the storage did not have any more.
    pub added: u64,
    /// Pictures that neither the backup nor the storage has.
    pub lost: Vec<String>,
    /// Where what was there before lies now.
    pub replaced: Option<String>,
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rows, objects, added, lost, replaced, .. } = self;
        writeln!(f, "{name} is back: {rows} rows, {objects} pictures, of which {added} had to be copied")?;
        lost.iter().try_for_each(|title| writeln!(f, "not in the backup either: {title}"))?;
        match replaced {
            Some(at) => writeln!(f, "What was there before is in {at}; remove it when nobody misses anything.")?,
            None => writeln!(f, "There was no database before.")?,
        }
        writeln!(
            f,
            "Start the server. Phones bring again what they delivered since the backup, once their people have signed in."
        )
    }
}

/// Puts a backup back, the newest unless it is named.
///
/// # Errors
/// When anything of it is damaged, when a server still has the database open, and when something does not answer. Then
/// the database is as it was before.
pub async fn restore(
    config: &Config,
    clock: &Clock,
    place: &Place,
    name: Option<&str>,
    identities: &[Identity],
    progress: &Progress,
) -> Result<Restored> {
    let key = config.data_dir.join("secret.key");
    ensure!(
        config.secret.is_some() || key.exists(),
        "first put the installation's secret back: {} or KILELE_SECRET. Without it nothing that is sealed opens",
        key.display()
    );
    let crypto = Crypto::open(config)?;
    let manifest = place.find(&crypto, name).await?;
    ensure!(
        manifest.migration <= crate::db::newest_migration(),
        "{} was made by Kilele {}, which is newer than this one",
        manifest.name,
        manifest.version
    );
    alone(config).await?;
    let scratch = Scratch::make(&config.data_dir)?;
    let rows = scratch.path("rows");
    spool::fetch(&place.shelf, &format!("{}/database", manifest.name), &manifest.database, &rows).await?;
    let objects = place.list(&manifest, &scratch.path("objects")).await?.collect::<Result<Vec<_>>>()?;
    let mut done = Restored {
        name: manifest.name.clone(),
        made_at: manifest.made_at,
        rows: 0,
        objects: objects.len() as u64,
        added: 0,
        lost: Vec::new(),
        replaced: None,
    };
    let from = spool::open(&rows, manifest.sealed, identities)?;
    match config.database_url.strip_prefix("sqlite://") {
        Some(path) => {
            let path = Path::new(path);
            let fresh = path.with_extension("restoring");
            remove(&fresh)?;
            let mut target = Target::file(&fresh, manifest.migration).await?;
            done.rows = fill(&mut target, from, &manifest, progress).await?;
            target.mark(clock.now()).await?;
            let faults = target.finish().await?;
            ensure!(faults.is_empty(), "the backup does not hold: {}", faults.join("; "));
            pictures(config, place, &manifest, objects, identities, &mut done, progress).await?;
            done.replaced = aside(path, clock)?;
            std::fs::File::open(&fresh)?.sync_all()?;
            std::fs::rename(&fresh, path)?;
            if let Some(folder) = path.parent() {
                std::fs::File::open(folder)?.sync_all()?;
            }
        }
        None => {
            done.replaced = copy_of_rows(config, clock, progress).await?;
            let mut target = Target::postgres(config, manifest.migration).await?;
            done.rows = fill(&mut target, from, &manifest, progress).await?;
            target.mark(clock.now()).await?;
            pictures(config, place, &manifest, objects, identities, &mut done, progress).await?;
            target.finish().await?;
        }
    }
    // Later migrations, the wall, and whether it opens at all.
    let app = App::open(config.clone(), clock.clone()).await.context("opening what was put back")?;
    app.db.close().await;
    Ok(done)
}

async fn fill(
    target: &mut Target,
    from: Box<dyn std::io::Read + Send>,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<u64> {
    let rows = target.fill(from, |rows| progress.say("rows", rows, Some(manifest.rows))).await?;
    ensure!(rows == manifest.rows, "{rows} rows instead of {}", manifest.rows);
    Ok(rows)
}

/// Adds pictures that the storage has not, or not in their length.
async fn pictures(
    config: &Config,
    place: &Place,
    manifest: &Manifest,
    objects: Vec<Object>,
    identities: &[Identity],
    done: &mut Restored,
    progress: &Progress,
) -> Result<()> {
    let store = Store::open(&config.media_url, &config.media_options).context("KILELE_MEDIA_URL")?;
    let count = objects.len() as u64;
    let mut looked = 0;
    let mut brought = stream::iter(objects)
        .map(|object| bring(&store, place, object, manifest.sealed, identities))
        .buffer_unordered(AT_ONCE);
    while let Some(brought) = brought.try_next().await? {
        looked += 1;
        match brought {
            Brought::There => {}
            Brought::Added => done.added += 1,
            Brought::Lost(title) => done.lost.push(title),
        }
        progress.say("pictures", looked, Some(count));
    }
    done.lost.sort();
    Ok(())
}

enum Brought {
    There,
    Added,
    Lost(String),
}

async fn bring(store: &Store, place: &Place, object: Object, sealed: bool, identities: &[Identity]) -> Result<Brought> {
    let org = object.org.to_string();
    let Some(variant) = Variant::named(&object.variant) else { bail!("a picture has no size {}", object.variant) };
    match store.head(&org, &object.sha256, variant).await {
        Ok(length) if length == object.bytes.unsigned_abs() => return Ok(Brought::There),
        Ok(_) | Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let bytes = match place.object(&object, sealed, identities).await {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::NotFound)) => {
            return Ok(Brought::Lost(object.title()));
        }
        Err(error) => return Err(error),
    };
    // A damaged copy is as good as none: nothing is stored under a hash that it does not have.
    if hex(&sha256(&bytes)) != object.hash {
        return Ok(Brought::Lost(object.title()));
    }
    store.put(&org, &object.sha256, variant, bytes).await?;
    Ok(Brought::Added)
}

/// Moves the database file away, as it is, readable or not.
fn aside(path: &Path, clock: &Clock) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let folder = replaced(path.parent().unwrap_or(Path::new(".")), clock)?;
    crate::config::make_folder(&folder)?;
    // Its log of writes belongs to it.
    for end in ["", "-wal", "-shm"] {
        let from = PathBuf::from(format!("{}{end}", path.display()));
        if from.exists() {
            std::fs::rename(&from, folder.join(from.file_name().context("a database without a name")?))?;
        }
    }
    Ok(Some(folder.display().to_string()))
}

/// A backup of the rows that are there, in the data folder: put back in the same way.
pub(super) async fn copy_of_rows(config: &Config, clock: &Clock, progress: &Progress) -> Result<Option<String>> {
    let mut connection = PgConnection::connect(&config.database_url).await.context("connecting to PostgreSQL")?;
    let known: (bool,) = sqlx::query_as("SELECT to_regclass('organisation') IS NOT NULL").fetch_one(&mut connection).await?;
    connection.close().await?;
    if !known.0 {
        return Ok(None);
    }
    let folder = replaced(&config.data_dir, clock)?;
    crate::config::make_folder(&folder)?;
    let place =
        Place::open(&Config { backup_recipients: Vec::new(), ..config.clone() }, Some(&folder.display().to_string()))?;
    let app = App::open(config.clone(), clock.clone()).await.context("opening what is to be replaced")?;
    make::make_rows(&app, config, &place, progress).await.context("copying what is to be replaced")?;
    app.db.close().await;
    Ok(Some(folder.display().to_string()))
}

fn replaced(within: &Path, clock: &Clock) -> Result<PathBuf> {
    Ok(within.join(format!("replaced-{}", super::place::name(clock.now())?)))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context(path.display().to_string()),
        _ => Ok(()),
    }
}

/// Nobody else has the database open: a server that went on would write into what was moved away.
pub(super) async fn alone(config: &Config) -> Result<()> {
    let mut others = others(config).await?;
    // PostgreSQL still counts for a moment who has just left.
    for _ in 0..20 {
        if others == 0 || config.database_url.starts_with("sqlite://") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        others = self::others(config).await?;
    }
    ensure!(others == 0, "the database is open elsewhere ({others}): stop every server that uses it first");
    Ok(())
}

async fn others(config: &Config) -> Result<usize> {
    if let Some(path) = config.database_url.strip_prefix("sqlite://") {
        return Ok(others_with(Path::new(path)));
    }
    let mut connection = PgConnection::connect(&config.database_url).await.context("connecting to PostgreSQL")?;
    connection.execute("SET statement_timeout = '10s'").await?;
    let others: (i64,) = sqlx::query_as(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND backend_type = 'client backend'",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(others.0 as usize)
}

/// Processes of this machine that have the file open, as far as this user may see.
fn others_with(path: &Path) -> usize {
    let Ok(path) = path.canonicalize() else { return 0 };
    let own = std::process::id().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let holds = |process: &Path| {
        let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|open| open == path)
    };
    let processes = processes.flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name != own && name.bytes().all(|b| b.is_ascii_digit()))
    });
    processes.filter(|entry| holds(&entry.path())).count()
}
