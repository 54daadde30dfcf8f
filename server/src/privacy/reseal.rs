//! Sealing again, by the key in use, all that older keys sealed, and making every look-up hash anew.

use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::db::{Db, Query, Row, Tx, Work};
use crate::error::Result;
use crate::ops::progress::Progress;
use crate::packed;

/// Rows that are sealed again in one transaction.
const SOME: i64 = 200;

/// What was sealed again.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    pub records: u64,
    pub households: u64,
    pub events: u64,
    pub others: u64,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { records, households, events, others } = self;
        writeln!(
            f,
            "sealed again: {records} records, {events} audit events, {others} others; {households} households' look-up hashes"
        )
    }
}

/// Seals all that older keys sealed by the one in use. Interrupted or repeated, it only does what is left.
///
/// # Errors
/// When the database does not answer.
pub async fn reseal(app: &App, progress: &Progress) -> Result<Report> {
    let mut report = Report {
        records: records(app, progress).await?,
        events: events(app, progress).await?,
        households: households(app, progress).await?,
        others: 0,
    };
    for (select, update) in TEXTS {
        report.others += texts(app, progress, select, update).await?;
    }
    Ok(report)
}

/// Walks a table in the order of its key, some rows at a time, each page's work in one transaction. `page` asks for the
/// rows past a key; its last argument, how many, is bound here. Answers how much `work` changed.
async fn walk<K, R>(
    app: &App,
    (progress, what): (&Progress, &str),
    mut at: K,
    page: impl for<'d> Fn(&'d Db, &K) -> Query<&'d Db>,
    key: fn(&R) -> K,
    work: impl for<'t> Fn(&'t mut Tx, R) -> Work<'t, u64> + Copy + Send + Sync + 'static,
) -> Result<u64>
where
    R: Row + 'static,
{
    let (mut changed, mut read) = (0, 0);
    loop {
        let rows: Vec<R> = page(&app.db, &at).bind(SOME).all().await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        read += rows.len() as u64;
        progress.say(what, read, None);
        at = key(last);
        changed += app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut changed = 0;
                    for row in rows {
                        changed += work(tx, row).await?;
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
}

async fn records(app: &App, progress: &Progress) -> Result<u64> {
    type Entry = (Uuid, Uuid, Uuid, i64, Vec<u8>);
    walk(
        app,
        (progress, "records"),
        (Uuid::nil(), Uuid::nil(), Uuid::nil()),
        |db, at| {
            db.query(
                "SELECT org, id, feed, revision, body FROM feed_entry WHERE (org, id, feed) > ($1, $2, $3)
                 ORDER BY org, id, feed LIMIT CAST($4 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
            .bind(at.2)
        },
        |entry: &Entry| (entry.0, entry.1, entry.2),
        |tx, (org, id, feed, revision, body): Entry| {
            Box::pin(async move {
                let Some(text) = tx.crypto.reseal_text(&packed::open(&body)?) else { return Ok(0) };
                // Whoever changed it meanwhile has sealed it by the new key.
                tx.query("UPDATE feed_entry SET body = $5 WHERE org = $1 AND feed = $2 AND id = $3 AND revision = $4")
                    .bind(org)
                    .bind(feed)
                    .bind(id)
                    .bind(revision)
                    .bind(packed::pack(text))
                    .run()
                    .await
            })
        },
    )
    .await
}

/// Hashes by which ids and numbers are found, from the records themselves.
async fn households(app: &App, progress: &Progress) -> Result<u64> {
    type Entry = (Uuid, Uuid, i64, Vec<u8>);
    walk(
        app,
        (progress, "households"),
        (Uuid::nil(), Uuid::nil()),
        |db, at| {
            db.query(
                "SELECT h.org, h.id, e.revision, e.body FROM household h
                 JOIN feed_entry e ON e.org = h.org AND e.feed = h.feed AND e.id = h.id
                 WHERE (h.org, h.id) > ($1, $2) AND (h.national_id_hash IS NOT NULL OR h.phone_hash IS NOT NULL)
                 ORDER BY h.org, h.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
        },
        |entry: &Entry| (entry.0, entry.1),
        |tx, (org, id, revision, body): Entry| {
            Box::pin(async move {
                let crypto = tx.crypto.clone();
                let record: Value = serde_json::from_str(&crypto.open_text(&packed::open(&body)?))?;
                let hash = |kind: &str| record[kind].as_str().map(|value| crypto.lookup(org, kind, value));
                tx.query(
                    "UPDATE household SET national_id_hash = $3, phone_hash = $4 WHERE org = $1 AND id = $2
                     AND EXISTS (SELECT 1 FROM feed_entry e WHERE e.org = $1 AND e.id = $2 AND e.revision = $5)",
                )
                .bind(org)
                .bind(id)
                .bind(hash("national_id"))
                .bind(hash("phone"))
                .bind(revision)
                .run()
                .await
            })
        },
    )
    .await
}

/// The hash of an event covers what its change says when opened: its seal may change, and the chain holds. Events of the
/// first version cover the sealed text itself: those stay as they are, and their key with them.
async fn events(app: &App, progress: &Progress) -> Result<u64> {
    type Entry = (Uuid, Uuid, i64, String);
    walk(
        app,
        (progress, "audit events"),
        (Uuid::nil(), Uuid::nil(), 0_i64),
        |db, at| {
            db.query(
                "SELECT org, feed, sequence, change FROM audit WHERE (org, feed, sequence) > ($1, $2, $3)
                 AND change LIKE '%~sealed~%' ORDER BY org, feed, sequence LIMIT CAST($4 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
            .bind(at.2)
        },
        |entry: &Entry| (entry.0, entry.1, entry.2),
        |tx, (org, feed, sequence, change): Entry| {
            Box::pin(async move {
                let Some(text) = tx.crypto.reseal_text(&change) else { return Ok(0) };
                if !crate::audit::reseals(tx, org, feed, sequence).await? {
                    return Ok(0);
                }
                tx.query("UPDATE audit SET change = $4 WHERE org = $1 AND feed = $2 AND sequence = $3 AND change = $5")
                    .bind(org)
                    .bind(feed)
                    .bind(sequence)
                    .bind(text)
                    .bind(change)
                    .run()
                    .await
            })
        },
    )
    .await
}

/// Sealed texts in columns of their own: the text and what finds its row again.
const TEXTS: [(&str, &str); 5] = [
    (
        "SELECT id, rejected FROM command_log WHERE rejected LIKE '%~sealed~%' AND id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
        "UPDATE command_log SET rejected = $2 WHERE id = $1 AND rejected = $3",
    ),
    (
        "SELECT id, items FROM device_loss WHERE items LIKE '%~sealed~%' AND id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
        "UPDATE device_loss SET items = $2 WHERE id = $1 AND items = $3",
    ),
    (
        "SELECT id, totp_secret FROM account WHERE totp_secret IS NOT NULL AND id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
        "UPDATE account SET totp_secret = $2 WHERE id = $1 AND totp_secret = $3",
    ),
    (
        "SELECT id, exif FROM evidence WHERE exif LIKE '%~sealed~%' AND id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
        "UPDATE evidence SET exif = $2 WHERE id = $1 AND exif = $3",
    ),
    // A subject is erased for a reason once.
    (
        "SELECT subject, reason FROM erased WHERE reason IS NOT NULL AND subject > $1 ORDER BY subject LIMIT CAST($2 AS BIGINT)",
        "UPDATE erased SET reason = $2 WHERE subject = $1 AND reason = $3",
    ),
];

async fn texts(app: &App, progress: &Progress, select: &'static str, update: &'static str) -> Result<u64> {
    walk(
        app,
        (progress, "others"),
        Uuid::nil(),
        |db, at| db.query(select).bind(*at),
        |row: &(Uuid, String)| row.0,
        move |tx, (id, text): (Uuid, String)| {
            Box::pin(async move {
                let Some(sealed) = tx.crypto.reseal_text(&text) else { return Ok(0) };
                tx.query(update).bind(id).bind(sealed).bind(text).run().await
            })
        },
    )
    .await
}
