//! Clearing away what nobody needs: pieces of uploads that are gone, derivatives of nothing, traces of probes.
//! Originals are never removed: after a restore from a backup the storage may hold the only copy.

use std::fmt;

use futures_util::TryStreamExt;
use kilele_media::{Found, Object, Variant};
use serde::Serialize;
use uuid::Uuid;

use super::tus;
use crate::app::App;
use crate::clock::HOUR;
use crate::error::Result;
use crate::ops::progress::Progress;

/// What was found, and removed unless it was a dry run.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub removed: bool,
    /// Uploads that nobody continued, and finished ones that need not be remembered any more.
    pub uploads: u64,
    /// Pieces without an upload.
    pub pieces: u64,
    /// Derivatives of what no evidence names.
    pub derivatives: u64,
    /// Left by probes that were interrupted.
    pub canaries: u64,
    /// Files that a crash left half written in a folder.
    pub half_written: u64,
    /// Bytes of the four above.
    pub bytes: u64,
    /// Originals that no evidence names: kept, for a person to look at.
    pub kept_originals: u64,
    /// Objects that are not of this program: never touched.
    pub foreign: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.removed { "removed" } else { "would be removed" };
        writeln!(f, "{verb}: {} uploads past their time", self.uploads)?;
        writeln!(f, "{verb}: {} pieces without an upload", self.pieces)?;
        writeln!(f, "{verb}: {} derivatives of nothing", self.derivatives)?;
        writeln!(f, "{verb}: {} traces of probes", self.canaries)?;
        writeln!(f, "{verb}: {} half-written files", self.half_written)?;
        writeln!(f, "{:.1} MB in all", self.bytes as f64 / 1e6)?;
        writeln!(f, "kept: {} originals that no record names, {} objects of others", self.kept_originals, self.foreign)?;
        if !self.removed {
            writeln!(f, "Nothing was changed. `kilele media gc --yes` removes it.")?;
        }
        Ok(())
    }
}

/// Looks at every stored object; removes what is not needed when told to. Nothing younger than an hour is touched:
/// its record may be on its way.
///
/// # Errors
/// When the storage or the database does not answer.
pub async fn collect(app: &App, remove: bool, progress: &Progress) -> Result<Report> {
    let old = app.clock.now() - HOUR;
    let mut report = Report { removed: remove, ..Report::default() };
    let mut known = Known { app, last: None };
    let mut objects = app.store.inventory();
    let mut read = 0;
    while let Some(object) = objects.try_next().await? {
        read += 1;
        progress.say("objects", read, None);
        if object.modified > old || !known.is_waste(&object, &mut report).await? {
            continue;
        }
        report.bytes += object.length;
        if remove {
            app.store.remove_object(&object).await?;
        }
    }
    for leftover in app.store.leftovers().await? {
        if leftover.modified > old {
            continue;
        }
        report.half_written += 1;
        report.bytes += leftover.length;
        if remove {
            app.store.remove_leftover(leftover).await?;
        }
    }
    let past: (i64,) =
        app.db.query("SELECT count(*) FROM upload WHERE expires_at <= $1").bind(app.clock.now()).one().await?;
    report.uploads = past.0 as u64;
    if remove {
        tus::sweep(app).await?;
    }
    Ok(report)
}

/// Asks the database once for objects that stand together.
struct Known<'a> {
    app: &'a App,
    last: Option<(Found, bool)>,
}

impl Known<'_> {
    /// Whether nobody needs it; counted by what it is.
    async fn is_waste(&mut self, object: &Object, report: &mut Report) -> Result<bool> {
        let (count, waste) = match &object.what {
            Found::Canary => (&mut report.canaries, true),
            Found::Foreign => (&mut report.foreign, false),
            Found::Piece { upload } => match Uuid::parse_str(upload) {
                Ok(id) if self.has_upload(id, &object.what).await? => return Ok(false),
                _ => (&mut report.pieces, true),
            },
            Found::Picture { org, sha256, variant } => {
                let Ok(org) = Uuid::parse_str(org) else {
                    report.foreign += 1;
                    return Ok(false);
                };
                if self.is_named(org, sha256).await? {
                    return Ok(false);
                }
                match variant {
                    Variant::Original => (&mut report.kept_originals, false),
                    _ => (&mut report.derivatives, true),
                }
            }
        };
        *count += 1;
        Ok(waste)
    }

    async fn has_upload(&mut self, id: Uuid, what: &Found) -> Result<bool> {
        if let Some((last, there)) = &self.last
            && last == what
        {
            return Ok(*there);
        }
        let row: Option<(Uuid,)> = self.app.db.query("SELECT id FROM upload WHERE id = $1").bind(id).optional().await?;
        self.last = Some((what.clone(), row.is_some()));
        Ok(row.is_some())
    }

    async fn is_named(&mut self, org: Uuid, sha256: &str) -> Result<bool> {
        let key = Found::Picture { org: org.to_string(), sha256: sha256.to_owned(), variant: Variant::Original };
        if let Some((last, there)) = &self.last
            && *last == key
        {
            return Ok(*there);
        }
        let row: Option<(Uuid,)> = self
            .app
            .db
            .query("SELECT id FROM evidence WHERE org = $1 AND sha256 = $2 LIMIT 1")
            .bind(org)
            .bind(sha256)
            .optional()
            .await?;
        self.last = Some((key, row.is_some()));
        Ok(row.is_some())
    }
}
