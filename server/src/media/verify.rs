//! Proving that every stored byte is still the one that was stored, and making derivatives anew where it is not.

use std::collections::BTreeMap;
use std::fmt;

use kilele_media::{StoreError, Variant};
use serde::Serialize;
use uuid::Uuid;

use super::again;
use super::derive::{self, Written};
use crate::app::App;
use crate::error::Result;
use crate::ops::progress::Progress;

/// What is wrong with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Missing,
    Corrupt,
    /// Derived before hashes of derivatives were kept.
    Unrecorded,
}

#[derive(Debug, Serialize)]
pub struct Finding {
    pub org: Uuid,
    pub sha256: String,
    pub variant: &'static str,
    pub fault: Fault,
    pub repaired: bool,
}

/// What was looked at, and what was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub originals: u64,
    pub derivatives: u64,
    pub bytes: u64,
    pub findings: Vec<Finding>,
    /// Set aside by a server that could not read them; this one makes their sizes when it runs.
    pub taken_up: u64,
}

impl Report {
    /// How much is wrong and stays so.
    pub fn broken(&self) -> usize {
        self.findings.iter().filter(|finding| !finding.repaired).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { org, sha256, variant, fault, repaired } in &self.findings {
            let fate = if *repaired { "made anew" } else { "NOT REPAIRED" };
            writeln!(f, "{org} {sha256} {variant}: {fault:?}, {fate}")?;
        }
        let (found, broken) = (self.findings.len(), self.broken());
        let (originals, derivatives, mb) = (self.originals, self.derivatives, self.bytes as f64 / 1e6);
        writeln!(
            f,
            "{originals} originals and {derivatives} derivatives read ({mb:.1} MB): {found} faults, {broken} not repaired"
        )?;
        match self.taken_up {
            0 => Ok(()),
            count => writeln!(f, "{count} pictures that could not be read before are examined again"),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Blob {
    org: Uuid,
    sha256: String,
    bytes: i64,
    ready: i64,
}

/// Reads and hashes everything. Derivatives that are missing or wrong are made from the original, or from the full
/// size when the original is lost, if `repair` says so; and what an earlier server could not read is taken up again.
///
/// # Errors
/// When the storage or the database does not answer; what was repaired until then stays repaired.
pub async fn verify(app: &App, repair: bool, progress: &Progress) -> Result<Report> {
    let mut report = Report::default();
    let (all,): (i64,) = app.db.query("SELECT count(*) FROM blob").one().await?;
    let mut after = (Uuid::nil(), String::new());
    loop {
        let blobs: Vec<Blob> = app
            .db
            .query(
                "SELECT b.org, b.sha256, b.bytes, (SELECT count(*) FROM evidence e
                     WHERE e.org = b.org AND e.sha256 = b.sha256 AND e.state = 'ready') AS ready
                 FROM blob b WHERE b.org > $1 OR (b.org = $1 AND b.sha256 > $2) ORDER BY b.org, b.sha256 LIMIT 200",
            )
            .bind(after.0)
            .bind(after.1)
            .all()
            .await?;
        let Some(last) = blobs.last() else { break };
        after = (last.org, last.sha256.clone());
        for blob in blobs {
            one(app, &blob, repair, &mut report).await?;
            progress.say("pictures", report.originals, Some(all.unsigned_abs()));
        }
    }
    if repair {
        report.taken_up = again::take_up(app, again::READABLE).await?;
    }
    Ok(report)
}

async fn one(app: &App, blob: &Blob, repair: bool, report: &mut Report) -> Result<()> {
    let fault = look(app, blob, Variant::Original, Some((blob.bytes, &blob.sha256)), report).await?;
    report.originals += 1;
    let original_fine = fault.is_none();
    let mut faults: Vec<(Variant, Fault)> = fault.map(|f| (Variant::Original, f)).into_iter().collect();
    if blob.ready > 0 {
        let written = derive::written(app, blob.org, &blob.sha256).await?;
        for variant in Variant::DERIVED {
            let should = written.get(variant.as_str()).map(|(bytes, hash)| (*bytes, hash.as_str()));
            let fault = look(app, blob, variant, should, report).await?;
            report.derivatives += 1;
            faults.extend(fault.map(|f| (variant, f)));
        }
    }
    let full_fine = blob.ready > 0 && !faults.iter().any(|(v, _)| *v == Variant::Full);
    let source = match (original_fine, full_fine) {
        (true, _) => Some(Variant::Original),
        (false, true) => Some(Variant::Full),
        (false, false) => None,
    };
    let wanted: Vec<Variant> = faults.iter().map(|(v, _)| *v).filter(|v| *v != Variant::Original).collect();
    let mended = match source {
        Some(source) if repair && !wanted.is_empty() => remake(app, blob, source, &wanted).await?,
        _ => false,
    };
    report.findings.extend(faults.into_iter().map(|(variant, fault)| Finding {
        org: blob.org,
        sha256: blob.sha256.clone(),
        variant: variant.as_str(),
        fault,
        repaired: mended && variant != Variant::Original,
    }));
    Ok(())
}

/// Reads one object to its end; `should` is its length and hash, if they were kept.
async fn look(
    app: &App,
    blob: &Blob,
    variant: Variant,
    should: Option<(i64, &str)>,
    report: &mut Report,
) -> Result<Option<Fault>> {
    match app.store.hash(&blob.org.to_string(), &blob.sha256, variant).await {
        Ok((length, hash)) => {
            report.bytes += length;
            Ok(match should {
                None => Some(Fault::Unrecorded),
                Some(should) if should == (length as i64, &*hash) => None,
                Some(_) => Some(Fault::Corrupt),
            })
        }
        Err(StoreError::NotFound) => Ok(Some(Fault::Missing)),
        Err(error) => Err(error.into()),
    }
}

/// Whether the sizes could be made again.
async fn remake(app: &App, blob: &Blob, source: Variant, wanted: &[Variant]) -> Result<bool> {
    let bytes = app.store.get(&blob.org.to_string(), &blob.sha256, source).await?;
    let Ok(derived) = derive::within_memory(app, bytes).await? else { return Ok(false) };
    let written: BTreeMap<_, Written> = derive::write(app, blob.org, &blob.sha256, &derived, wanted).await?;
    let (org, sha256) = (blob.org, blob.sha256.clone());
    app.db.write(move |tx| Box::pin(async move { derive::remember(tx, org, &sha256, &written).await })).await?;
    Ok(true)
}
