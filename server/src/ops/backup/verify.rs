//! Proving a backup: every byte is as it was written, and out of it comes an installation whose rows, feeds, audit and
//! signatures fit. It is put into a database of its own, which is thrown away.

use std::fmt;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use kilele_media::StoreError;
use serde::Serialize;
use uuid::Uuid;

use super::age::Identity;
use super::place::Place;
use super::spool::{self, Scratch};
use super::target::Target;
use super::{Manifest, Object};
use crate::app::App;
use crate::clock::{Clock, DAY, HOUR, Millis};
use crate::config::Config;
use crate::crypto::{Crypto, hex, sha256};
use crate::ops::progress::Progress;
use crate::{audit, packed, signatures};

/// Pictures that are read at once.
const AT_ONCE: usize = 4;
/// Faults that a person is shown; a disk that is gone has thousands.
const SHOWN: usize = 20;
/// Daily backups further apart than this have a gap between them.
const GAP: Millis = 26 * HOUR;

/// What was looked at, and what does not hold.
#[derive(Debug, Serialize)]
pub struct Report {
    pub name: String,
    pub made_at: Millis,
    /// Milliseconds since the moment that it shows.
    pub age: Millis,
    pub rows: u64,
    pub feeds: u64,
    pub events: u64,
    pub signatures: u64,
    pub objects: u64,
    pub bytes: u64,
    /// What the storage did not have already when the backup was made.
    pub missing: Vec<String>,
    /// Times without a backup in the last 30 days: from when to when.
    pub gaps: Vec<(Millis, Millis)>,
    /// What does not hold, in words.
    pub faults: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: Millis| {
            chrono::DateTime::from_timestamp_millis(at).map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
        };
        writeln!(f, "{}: of {} UTC, {:.1} hours ago", self.name, day(self.made_at), self.age as f64 / HOUR as f64)?;
        writeln!(
            f,
            "{} rows, {} feeds, {} events of the audit, {} signatures, {} pictures ({:.1} MB)",
            self.rows,
            self.feeds,
            self.events,
            self.signatures,
            self.objects,
            self.bytes as f64 / 1e6
        )?;
        self.gaps.iter().try_for_each(|(from, to)| writeln!(f, "no backup between {} and {}", day(*from), day(*to)))?;
        self.missing.iter().try_for_each(|title| writeln!(f, "not in the storage when it was made: {title}"))?;
        self.faults.iter().take(SHOWN).try_for_each(|fault| writeln!(f, "FAULT: {fault}"))?;
        if self.faults.len() > SHOWN {
            writeln!(f, "… and {} more (--json shows all)", self.faults.len() - SHOWN)?;
        }
        match self.faults.len() {
            0 => writeln!(f, "All of it holds."),
            some => writeln!(f, "{some} faults: this backup is damaged."),
        }
    }
}

/// Reads all of a backup, the newest unless it is named.
///
/// # Errors
/// When there is none, or the place does not answer. What is wrong with it stands in the report.
pub async fn verify(
    config: &Config,
    clock: &Clock,
    place: &Place,
    name: Option<&str>,
    identities: &[Identity],
    progress: &Progress,
) -> Result<Report> {
    let crypto = Crypto::open(config)?;
    let manifest = place.find(&crypto, name).await?;
    if manifest.sealed && identities.is_empty() {
        anyhow::bail!("{} is sealed: name the file with the secret of age (--identity FILE)", manifest.name);
    }
    let mut report = Report {
        made_at: manifest.made_at,
        age: clock.now() - manifest.made_at,
        rows: 0,
        feeds: 0,
        events: 0,
        signatures: 0,
        objects: 0,
        bytes: manifest.database.bytes + manifest.objects.bytes,
        missing: manifest.missing.clone(),
        gaps: gaps(place.whole(&crypto).await?, clock.now()),
        faults: Vec::new(),
        name: manifest.name.clone(),
    };
    let scratch = Scratch::make(&config.data_dir)?;
    let (file, here) = (format!("{}/database", manifest.name), scratch.path("rows"));
    if let Err(error) = spool::fetch(&place.shelf, &file, &manifest.database, &here).await {
        report.faults.push(format!("{error:#}"));
    }
    if !manifest.rows_only
        && let Err(error) = pictures(place, &manifest, &scratch, identities, &mut report, progress).await
    {
        report.faults.push(format!("{error:#}"));
    }
    // What is damaged is not unpacked.
    if report.faults.is_empty()
        && let Err(error) = rows(config, &manifest, &scratch, identities, &mut report, progress).await
    {
        report.faults.push(format!("{error:#}"));
    }
    Ok(report)
}

/// Every picture is read and hashed.
async fn pictures(
    place: &Place,
    manifest: &Manifest,
    scratch: &Scratch,
    identities: &[Identity],
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let objects = place.list(manifest, &scratch.path("objects")).await?;
    let missing: std::collections::HashSet<&String> = manifest.missing.iter().collect();
    let objects = objects.filter(|object| !object.as_ref().is_ok_and(|object| missing.contains(&object.title())));
    let mut looked = stream::iter(objects)
        .map(|object| async move {
            let object = object?;
            anyhow::Ok((look(place, &object, manifest.sealed, identities).await?, object))
        })
        .buffer_unordered(AT_ONCE);
    while let Some((fault, object)) = looked.try_next().await? {
        report.objects += 1;
        report.bytes += object.bytes.unsigned_abs();
        report.faults.extend(fault);
        progress.say("pictures", report.objects, Some(manifest.object_count));
    }
    Ok(())
}

async fn look(place: &Place, object: &Object, sealed: bool, identities: &[Identity]) -> Result<Option<String>> {
    let bytes = match place.object(object, sealed, identities).await {
        Ok(bytes) => bytes,
        Err(error) => {
            return match error.downcast_ref::<StoreError>() {
                Some(StoreError::NotFound) => Ok(Some(format!("the picture {} is not there", object.title()))),
                Some(_) => Err(error),
                None => Ok(Some(format!("the picture {} cannot be opened: {error:#}", object.title()))),
            };
        }
    };
    let fits = bytes.len() as i64 == object.bytes && hex(&sha256(&bytes)) == object.hash;
    Ok((!fits).then(|| format!("the picture {} is not as it was stored", object.title())))
}

/// Unpacks the rows into a database and looks at what they say together.
async fn rows(
    config: &Config,
    manifest: &Manifest,
    scratch: &Scratch,
    identities: &[Identity],
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let path = scratch.path("kilele.db");
    let mut target = Target::file(&path, manifest.migration).await?;
    let from = spool::open(&scratch.path("rows"), manifest.sealed, identities)?;
    report.rows = target.fill(from, |rows| progress.say("rows", rows, Some(manifest.rows))).await?;
    if report.rows != manifest.rows {
        report.faults.push(format!("{} rows instead of {}", report.rows, manifest.rows));
    }
    report.faults.extend(target.finish().await?);
    let config = Config {
        database_url: format!("sqlite://{}", path.display()),
        media_url: "memory:".into(),
        media_redirect_seconds: 0,
        ..config.clone()
    };
    let app = App::open(config, Clock::default()).await?;
    feeds(&app, report).await?;
    let orgs: Vec<(Uuid, String)> = app.db.query("SELECT id, code FROM organisation ORDER BY code").all().await?;
    for (org, code) in orgs {
        let said = audit::organisation(&app, org, &code).await?;
        report.events += said.events.unsigned_abs();
        report.faults.extend(said.broken.into_iter().map(|what| format!("audit of {code}: {what}")));
        let signed: Vec<(Uuid,)> =
            app.db.query("SELECT id FROM signature WHERE org = $1 ORDER BY id").bind(org).all().await?;
        for (id,) in signed {
            report.signatures += 1;
            let proved = signatures::verify::verify(&app, org, id).await?;
            let broken = proved.checks.iter().filter(|check| !check.ok);
            report.faults.extend(broken.map(|check| format!("signature {id}: not so: {}", check.detail)));
            progress.say("signatures", report.signatures, None);
        }
    }
    app.db.close().await;
    Ok(())
}

/// No record stands before the beginning or behind the end of its feed, and each can be read.
async fn feeds(app: &App, report: &mut Report) -> Result<()> {
    let feeds: Vec<(Uuid, Uuid, i64)> = app.db.query("SELECT org, id, revision FROM feed ORDER BY org, id").all().await?;
    for (org, feed, revision) in feeds {
        report.feeds += 1;
        let mut after = 0;
        loop {
            let entries: Vec<(Uuid, i64, Vec<u8>)> = app
                .db
                .query(
                    "SELECT id, revision, body FROM feed_entry WHERE org = $1 AND feed = $2 AND revision > $3
                     AND revision <= (SELECT max(revision) FROM (SELECT revision FROM feed_entry
                         WHERE org = $1 AND feed = $2 AND revision > $3 ORDER BY revision LIMIT 500) AS n)
                     ORDER BY revision",
                )
                .bind(org)
                .bind(feed)
                .bind(after)
                .all()
                .await?;
            let Some((_, last, _)) = entries.last() else { break };
            after = *last;
            for (id, at, body) in entries {
                let whole = packed::open(&body).is_ok_and(|body| body.starts_with(&format!("{{\"id\":\"{id}\"")));
                if !whole {
                    report.faults.push(format!("the record {id} of feed {feed} cannot be read"));
                }
                if at > revision {
                    report
                        .faults
                        .push(format!("the record {id} stands at revision {at} of feed {feed}, which ends at {revision}"));
                }
            }
        }
        let early: (i64,) = app
            .db
            .query("SELECT count(*) FROM feed_entry WHERE org = $1 AND feed = $2 AND revision < 1")
            .bind(org)
            .bind(feed)
            .one()
            .await?;
        if early.0 > 0 {
            report.faults.push(format!("{} records stand before the beginning of feed {feed}", early.0));
        }
    }
    Ok(())
}

/// Between the oldest backup of the last 30 days and now.
fn gaps(made: Vec<Millis>, now: Millis) -> Vec<(Millis, Millis)> {
    let times: Vec<Millis> = made.into_iter().filter(|at| *at > now - 30 * DAY).chain([now]).collect();
    times.windows(2).filter(|pair| pair[1] - pair[0] > GAP).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_a_backup_are_gaps() {
        let now = 100 * DAY;
        assert_eq!(gaps(vec![now - 3 * DAY, now - 2 * DAY, now - DAY], now), []);
        assert_eq!(gaps(vec![now - 4 * DAY, now - 2 * DAY, now - DAY], now), [(now - 4 * DAY, now - 2 * DAY)]);
        assert_eq!(gaps(vec![now - 40 * DAY, now - 5 * DAY], now), [(now - 5 * DAY, now)]);
    }
}
