//! `kilele import outbox FILE`: delivers a copy that a phone saved, by the same doors. Doing it twice is harmless.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{OutboxItem, captures, deliver};
use crate::app::App;
use crate::crypto::unb64;
use crate::error::Error;
use crate::media::tus;

/// The first line of a saved copy.
#[derive(Deserialize)]
struct Head {
    kilele_outbox: i64,
    org: Uuid,
    member: Uuid,
    items: usize,
    captures: usize,
}

/// A picture in a saved copy: `data` is its ciphertext, `enc` and `sealed` the key to it.
#[derive(Deserialize)]
struct SealedCapture {
    key: String,
    org: Uuid,
    id: Uuid,
    enc: String,
    sealed: String,
    data: String,
}

/// How many lines came to what: `applied`, `duplicate`, `conflict`, a picture's `received`, or a refusal's code.
#[derive(Default, Serialize)]
pub struct Report {
    pub arrived: usize,
    /// By the number of their line.
    pub refused: BTreeMap<usize, String>,
}

/// Reads the file line by line, so that a month of pictures needs no more memory than the largest of them.
///
/// # Errors
/// When the file cannot be read or is none of ours, or the server itself fails; what was delivered until then stays.
pub async fn import(app: &App, path: &Path, progress: &mut dyn Write) -> Result<Report> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut lines = std::io::BufReader::new(file).lines();
    let head = lines.next().context("the file is empty")??;
    let head: Head = serde_json::from_str(&head).context("this is not a saved copy of an outbox")?;
    if head.kilele_outbox != 1 {
        bail!("this copy was made by a newer version (form {}); update the server first", head.kilele_outbox);
    }
    let known: Option<(String,)> =
        app.db.query("SELECT name FROM organisation WHERE id = $1").bind(head.org).optional().await?;
    let (name,) = known.context("this copy is from an organisation that this server does not have")?;
    let total = head.items + head.captures;
    writeln!(progress, "{} records and {} pictures for {name}, member {}", head.items, head.captures, head.member)?;
    let mut report = Report::default();
    for (number, line) in (2..).zip(lines) {
        let line = line.with_context(|| format!("line {number}"))?;
        if line.trim().is_empty() {
            continue;
        }
        match one(app, &line).await {
            Ok(()) => report.arrived += 1,
            Err(error) if error.is_ours() => return Err(anyhow::Error::from(error).context(format!("line {number}"))),
            Err(error) => {
                writeln!(progress, "line {number}: {} ({})", error.problem.message, error.code())?;
                report.refused.insert(number, error.code().to_owned());
            }
        }
        let done = report.arrived + report.refused.len();
        if done % 25 == 0 || done == total {
            writeln!(progress, "{done} of {total}")?;
        }
    }
    let done = report.arrived + report.refused.len();
    if done < total {
        bail!("the file ends after {done} of {total} lines: it was cut; what it held was delivered");
    }
    Ok(report)
}

async fn one(app: &App, line: &str) -> Result<(), Error> {
    let broken = |_| Error::refused("outbox_invalid", "This line is not an item of an outbox.");
    let value: serde_json::Value = serde_json::from_str(line).map_err(broken)?;
    if value["what"] == "capture" {
        return capture(app, serde_json::from_value(value).map_err(broken)?).await;
    }
    let item: OutboxItem = serde_json::from_value(value).map_err(broken)?;
    let outcome = deliver(app, &item).await?;
    let last = outcome.first.as_deref().unwrap_or(&outcome);
    match last.status.as_str() {
        "rejected" => {
            Err(Error::refused(last.code.as_deref().unwrap_or("rejected"), last.message.clone().unwrap_or_default()))
        }
        _ => Ok(()),
    }
}

async fn capture(app: &App, item: SealedCapture) -> Result<(), Error> {
    let broken = || Error::refused("outbox_seal_invalid", "The seal of this picture is broken.");
    let data = unb64(&item.data).ok_or_else(broken)?;
    let sealed = format!("{}.{}.{}", item.key, item.enc, item.sealed);
    let known: Option<(Uuid,)> =
        app.db.query("SELECT id FROM evidence WHERE org = $1 AND id = $2").bind(item.org).bind(item.id).optional().await?;
    if known.is_none() {
        return Err(Error::refused("evidence_unknown", "The record that announces this picture has not arrived."));
    }
    let whole = captures::open(app, item.org, item.id, &sealed, BytesMut::from(&data[..])).await?.ok_or_else(broken)?;
    tus::take(app, item.org, item.id, whole).await
}
