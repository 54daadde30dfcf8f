//! Changing the keys that seal personal data: a new one is made, every copy of the server learns of it, then all that the
//! ones before sealed is sealed again and every look-up hash made anew, while the server goes on serving.

use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::packed;

/// How often a server looks for new keys, in milliseconds.
pub const READ_AGAIN: Millis = 30_000;
/// From making a key to its use.
pub const LEARN: Millis = 90_000;
/// Rows that are sealed again in one transaction.
const SOME: i64 = 200;

/// Learns the keys as they are kept.
///
/// # Errors
/// When the database does not answer, or a key was not wrapped by this installation's secret.
pub async fn read(app: &App) -> Result<()> {
    let kept: Vec<(i64, String, Millis)> =
        app.db.query("SELECT id, wrapped, use_from FROM data_key ORDER BY id").all().await?;
    let now = app.clock.now();
    let current = kept.iter().filter(|(.., from)| *from <= now).map(|(id, ..)| *id).max().unwrap_or(0);
    let kept: Vec<(i64, String)> = kept.into_iter().map(|(id, wrapped, _)| (id, wrapped)).collect();
    app.crypto.set_ring(&kept, current).map_err(crate::error::Error::unexpected)
}

/// Makes a new key that is used from `LEARN` on, or at once when no other copy of the server runs. Answers from when.
pub async fn make(app: &App, at_once: bool) -> Result<Millis> {
    let now = app.clock.now();
    let from = if at_once { now } else { now + LEARN };
    let wrapped = app.crypto.new_data_key();
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query("INSERT INTO data_key (id, wrapped, made_at, use_from) SELECT COALESCE(max(id), 0) + 1, $1, $2, $3 FROM data_key")
                    .bind(wrapped)
                    .bind(now)
                    .bind(from)
                    .run(),
            )
        })
        .await?;
    read(app).await?;
    Ok(from)
}

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
pub async fn reseal(app: &App) -> Result<Report> {
    let mut report = Report { records: records(app).await?, events: events(app).await?, ..Report::default() };
    report.households = households(app).await?;
    for (select, update) in TEXTS {
        report.others += texts(app, select, update).await?;
    }
    Ok(report)
}

type Entry = (Uuid, Uuid, Uuid, i64, Vec<u8>);

async fn records(app: &App) -> Result<u64> {
    let (mut at, mut changed) = ((Uuid::nil(), Uuid::nil(), Uuid::nil()), 0);
    loop {
        let rows: Vec<Entry> = app
            .db
            .query(
                "SELECT org, id, feed, revision, body FROM feed_entry WHERE (org, id, feed) > ($1, $2, $3)
                 ORDER BY org, id, feed LIMIT CAST($4 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
            .bind(at.2)
            .bind(SOME)
            .all()
            .await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        at = (last.0, last.1, last.2);
        let crypto = app.crypto.clone();
        changed += app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut changed = 0;
                    for (org, id, feed, revision, body) in rows {
                        let Some(text) = crypto.reseal_text(&packed::open(&body)?) else { continue };
                        // Whoever changed it meanwhile has sealed it by the new key.
                        changed += tx
                            .query(
                                "UPDATE feed_entry SET body = $5 WHERE org = $1 AND feed = $2 AND id = $3 AND revision = $4",
                            )
                            .bind(org)
                            .bind(feed)
                            .bind(id)
                            .bind(revision)
                            .bind(packed::pack(text))
                            .run()
                            .await?;
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
}

/// Hashes by which ids and numbers are found, from the records themselves.
async fn households(app: &App) -> Result<u64> {
    let (mut at, mut changed) = ((Uuid::nil(), Uuid::nil()), 0);
    loop {
        let rows: Vec<(Uuid, Uuid, i64, Vec<u8>)> = app
            .db
            .query(
                "SELECT h.org, h.id, e.revision, e.body FROM household h
                 JOIN feed_entry e ON e.org = h.org AND e.feed = h.feed AND e.id = h.id
                 WHERE (h.org, h.id) > ($1, $2) AND (h.national_id_hash IS NOT NULL OR h.phone_hash IS NOT NULL)
                 ORDER BY h.org, h.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
            .bind(SOME)
            .all()
            .await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        at = (last.0, last.1);
        let crypto = app.crypto.clone();
        changed += app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut changed = 0;
                    for (org, id, revision, body) in rows {
                        let text = packed::open(&body)?;
                        let record: Value = serde_json::from_str(&crypto.open_text(&text))?;
                        let hash = |kind: &str| record[kind].as_str().map(|value| crypto.lookup(org, kind, value));
                        changed += tx
                            .query(
                                "UPDATE household SET national_id_hash = $3, phone_hash = $4 WHERE org = $1 AND id = $2
                                 AND EXISTS (SELECT 1 FROM feed_entry e WHERE e.org = $1 AND e.id = $2 AND e.revision = $5)",
                            )
                            .bind(org)
                            .bind(id)
                            .bind(hash("national_id"))
                            .bind(hash("phone"))
                            .bind(revision)
                            .run()
                            .await?;
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
}

/// The hash of an event covers what its change says when opened: its seal may change, and the chain holds. Events of the
/// first version cover the sealed text itself: those stay as they are, and their key with them.
async fn events(app: &App) -> Result<u64> {
    let (mut at, mut changed) = ((Uuid::nil(), Uuid::nil(), 0_i64), 0);
    loop {
        let rows: Vec<(Uuid, Uuid, i64, String)> = app
            .db
            .query(
                "SELECT org, feed, sequence, change FROM audit WHERE (org, feed, sequence) > ($1, $2, $3)
                 AND change LIKE '%~sealed~%' ORDER BY org, feed, sequence LIMIT CAST($4 AS BIGINT)",
            )
            .bind(at.0)
            .bind(at.1)
            .bind(at.2)
            .bind(SOME)
            .all()
            .await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        at = (last.0, last.1, last.2);
        changed += app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut changed = 0;
                    for (org, feed, sequence, change) in rows {
                        let Some(text) = tx.crypto.reseal_text(&change) else { continue };
                        if crate::audit::reseals(tx, org, feed, sequence).await? {
                            let update = "UPDATE audit SET change = $4 WHERE org = $1 AND feed = $2 AND sequence = $3 AND change = $5";
                            changed += tx.query(update).bind(org).bind(feed).bind(sequence).bind(text).bind(change).run().await?;
                        }
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
}

/// Sealed texts in columns of their own: the text and what finds its row again.
const TEXTS: [(&str, &str); 4] = [
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
];

async fn texts(app: &App, select: &'static str, update: &'static str) -> Result<u64> {
    let (mut at, mut changed) = (Uuid::nil(), 0);
    loop {
        let rows: Vec<(Uuid, String)> = app.db.query(select).bind(at).bind(SOME).all().await?;
        let Some((last, _)) = rows.last() else { return Ok(changed) };
        at = *last;
        changed += app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut changed = 0;
                    for (id, text) in rows {
                        if let Some(sealed) = tx.crypto.reseal_text(&text) {
                            changed += tx.query(update).bind(id).bind(sealed).bind(text).run().await?;
                        }
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
}
