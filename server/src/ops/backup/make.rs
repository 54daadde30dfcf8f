//! Making a backup while the installation serves: every table as it is at one moment, then each picture that is not there yet.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use anyhow::{Context, Result};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use kilele_media::{StoreError, Variant};
use serde::Serialize;
use tokio::sync::mpsc;

use super::age::{Recipient, Sealer};
use super::place::{self, Place, name, when};
use super::rows::{Part, Writer};
use super::source::{LEFT_OUT, Source};
use super::spool::{Scratch, Spool};
use super::{File, Manifest, Object};
use crate::app::App;
use crate::clock::DAY;
use crate::config::Config;
use crate::crypto::{hex, sha256};
use crate::ops::progress::Progress;

/// Pictures that are copied at once.
const AT_ONCE: usize = 4;

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    pub name: String,
    pub place: String,
    pub rows: u64,
    /// Pictures in all sizes, and how many of them were not there before.
    pub objects: u64,
    pub added: u64,
    /// Bytes that were written now, and of all that it holds.
    pub written: u64,
    pub bytes: u64,
    /// Pictures that the storage has not, or not as they were stored.
    pub missing: Vec<String>,
    /// Older backups that were removed.
    pub removed: u64,
    pub sealed: bool,
}

/// Copies everything. What another backup has of the pictures is not copied again.
///
/// # Errors
/// When database, storage or place do not answer; what was written until then is no backup, and goes in a day.
pub async fn make(app: &App, place: &Place, progress: &Progress) -> Result<Made> {
    let scratch = Scratch::make(&app.config.data_dir)?;
    let mut manifest = rows(app, &app.config, place, &scratch, progress).await?;
    let mut written = manifest.database.bytes + manifest.objects.bytes;
    let added = objects(app, place, &scratch, &mut manifest, &mut written, progress).await?;
    written += place.finish(&app.crypto, &manifest).await?;
    let removed = retain(app, place).await?;
    Ok(Made {
        place: place.url.clone(),
        rows: manifest.rows,
        objects: manifest.object_count,
        added,
        written,
        bytes: manifest.database.bytes + manifest.objects.bytes + manifest.object_bytes,
        missing: manifest.missing,
        removed,
        sealed: manifest.sealed,
        name: manifest.name,
    })
}

/// Of a database alone: what a restoration keeps of the one that it replaces.
pub async fn make_rows(app: &App, config: &Config, place: &Place, progress: &Progress) -> Result<String> {
    let scratch = Scratch::make(&config.data_dir)?;
    let mut manifest = rows(app, config, place, &scratch, progress).await?;
    manifest.rows_only = true;
    place.finish(&app.crypto, &manifest).await?;
    Ok(manifest.name)
}

/// The tables and the list of pictures, both of the same moment.
async fn rows(app: &App, config: &Config, place: &Place, scratch: &Scratch, progress: &Progress) -> Result<Manifest> {
    let mut source = Source::open(config).await?;
    let migration = source.migration().await?;
    let made_at = app.clock.now();
    let name = name(made_at)?;
    let (send, receive) = mpsc::channel(4_096);
    let (path, recipients) = (scratch.path("database"), place.recipients.clone());
    let writer = tokio::task::spawn_blocking(move || write_rows(receive, &path, &recipients));
    let (mut rows, mut organisations) = (0, 0);
    let sent = async {
        for table in source.tables().await? {
            if LEFT_OUT.contains(&table.name.as_str()) {
                continue;
            }
            send.send(Part::Table { name: table.name.clone(), columns: table.columns.clone() }).await?;
            let count = source.rows(&table, &send).await?;
            send.send(Part::End(count)).await?;
            rows += count;
            if table.name == "organisation" {
                organisations = count;
            }
            progress.say("rows", rows, None);
        }
        anyhow::Ok(())
    };
    let sent = sent.await;
    // A writer that failed says more than that nobody takes the rows.
    drop(send);
    let database = writer.await?.context("writing the rows")?;
    sent?;
    // Never sealed: hashes tell nothing, and whoever holds no secret must know which pictures are still named.
    let mut list = Spool::create(&scratch.path("objects"), &[])?;
    let (object_count, object_bytes) = source.objects(&mut list).await?;
    let objects = list.finish()?;
    place.shelf.put_file(&format!("{name}/database"), &scratch.path("database")).await?;
    place.shelf.put_file(&format!("{name}/objects"), &scratch.path("objects")).await?;
    Ok(Manifest {
        form: 1,
        name,
        made_at,
        version: env!("CARGO_PKG_VERSION").into(),
        migration,
        engine: if config.database_url.starts_with("sqlite") { "sqlite" } else { "postgres" }.into(),
        sealed: !place.recipients.is_empty(),
        organisations,
        rows,
        database,
        objects,
        object_count,
        object_bytes,
        missing: Vec::new(),
        rows_only: false,
    })
}

fn write_rows(mut parts: mpsc::Receiver<Part>, path: &std::path::Path, recipients: &[Recipient]) -> Result<File> {
    let mut writer = Writer::new(Spool::create(path, recipients)?)?;
    while let Some(part) = parts.blocking_recv() {
        writer.write(&part)?;
    }
    writer.finish()?.finish()
}

/// Copies what is not there; answers how many those were. They come in the order of the folders in which they lie: each
/// is listed once, and little is held in memory.
async fn objects(
    app: &App,
    place: &Place,
    scratch: &Scratch,
    manifest: &mut Manifest,
    written: &mut u64,
    progress: &Progress,
) -> Result<u64> {
    let mut list = place::lines(&scratch.path("objects"))?.peekable();
    let (mut added, mut done) = (0, 0);
    while let Some(first) = list.next() {
        let mut objects = vec![first?];
        let folder = objects[0].folder();
        while let Some(next) = list.next_if(|next| next.as_ref().is_ok_and(|object| object.folder() == folder)) {
            objects.push(next?);
        }
        let there: HashMap<String, u64> = place.shelf.list(&folder).await?.into_iter().collect();
        let lacks = |object: &Object| match there.get(&object.key(manifest.sealed)) {
            // Sealed, it is longer; how much hangs on how many recipients there were.
            Some(length) => !manifest.sealed && *length != object.bytes.unsigned_abs(),
            None => true,
        };
        done += objects.len() as u64;
        objects.retain(lacks);
        let mut copied = stream::iter(objects).map(|object| copy(app, place, object).boxed()).buffer_unordered(AT_ONCE);
        while let Some(copied) = copied.try_next().await? {
            match copied {
                Ok(bytes) => (added, *written) = (added + 1, *written + bytes),
                Err(title) => manifest.missing.push(title),
            }
        }
        progress.say("pictures", done, Some(manifest.object_count));
    }
    manifest.missing.sort();
    Ok(added)
}

/// Answers how many bytes were written, or what is not in the storage as it was stored.
async fn copy(app: &App, place: &Place, object: Object) -> Result<Result<u64, String>> {
    let Some(variant) = Variant::named(&object.variant) else { return Ok(Err(object.title())) };
    let bytes = match app.store.get(&object.org.to_string(), &object.sha256, variant).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound) => return Ok(Err(object.title())),
        Err(error) => return Err(error.into()),
    };
    if hex(&sha256(&bytes)) != object.hash {
        return Ok(Err(object.title()));
    }
    let sealed = !place.recipients.is_empty();
    let bytes = if sealed {
        let mut sealer = Sealer::new(Vec::with_capacity(bytes.len() + 1_024), &place.recipients)?;
        sealer.write_all(&bytes)?;
        sealer.finish()?.into()
    } else {
        bytes
    };
    let length = bytes.len() as u64;
    place.shelf.put(&object.key(sealed), bytes).await?;
    Ok(Ok(length))
}

/// Removes backups past their time, what was never finished, and pictures that no backup names any more: a person who was
/// erased is gone from here too, when the last backup that knew them is. The newest whole backup always stays.
async fn retain(app: &App, place: &Place) -> Result<u64> {
    let now = app.clock.now();
    let (mut kept, mut removed, mut whole) = (Vec::new(), 0, true);
    let names = place.names().await?;
    for name in names.iter().rev() {
        let age = now - when(name).unwrap_or(now);
        let keep = match place.manifest(&app.crypto, name).await {
            Ok(Some(manifest)) => {
                let keep = kept.is_empty() || age < i64::from(app.config.backup_days) * DAY;
                if keep {
                    kept.push(manifest);
                }
                keep
            }
            // It may be being made: what it has copied is named by nobody yet.
            Ok(None) if age < DAY => {
                whole = false;
                true
            }
            Ok(None) => false,
            // What cannot be read is for a person to look at, and whatever it names stays.
            Err(_) => {
                whole = false;
                true
            }
        };
        if !keep {
            for (file, _) in place.shelf.list(name).await? {
                place.shelf.remove(&file).await?;
            }
            removed += 1;
        }
    }
    if removed > 0 && whole {
        forget(app, place, &kept).await?;
    }
    Ok(removed)
}

/// Removes pictures that none of these backups names.
async fn forget(app: &App, place: &Place, kept: &[Manifest]) -> Result<()> {
    let scratch = Scratch::make(&app.config.data_dir)?;
    let mut named = HashSet::new();
    for manifest in kept {
        for object in place.list(manifest, &scratch.path("objects")).await? {
            named.insert(object?.key(manifest.sealed));
        }
    }
    for (file, _) in place.shelf.list("objects").await? {
        if !named.contains(&file) {
            place.shelf.remove(&file).await?;
        }
    }
    Ok(())
}
