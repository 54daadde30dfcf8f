//! How devices are kept: listed within the caller's reach, revoked, and what they report of themselves.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Device, Loss, Lost, LostItem, Missing};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Capability, Reader};
use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::feed;

/// At most this many devices and missing captures in one answer.
const MOST: i64 = 1_000;
const MOST_MISSING_EACH: usize = 200;
/// Names in one report of a loss.
const MOST_NAMES: usize = 100;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    member: Uuid,
    name: String,
    created_at: Millis,
    last_seen_at: Millis,
    revoked_at: Option<Millis>,
    stats: Option<String>,
    reported_at: Option<Millis>,
    missing: i64,
}

/// All for an administrator, the team's for a supervisor, the own for everybody.
pub async fn list(app: &App, reader: &Reader) -> Result<Vec<Device>> {
    let (org, member, all) = (reader.org, reader.id, reader.capabilities.has(Capability::ManageDevices));
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT d.id, m.id AS member, d.name, d.created_at, d.last_seen_at, d.revoked_at, d.stats, d.reported_at,
                 (SELECT count(*) FROM capture c WHERE c.org = m.org AND c.device = d.id AND c.member = m.id
                      AND c.received_at IS NULL) AS missing
             FROM member m JOIN device d ON d.account = m.account
             WHERE m.org = $1 AND ($3 OR m.id = $2 OR m.supervisor = $2)
             ORDER BY d.last_seen_at DESC, d.id LIMIT CAST($4 AS BIGINT)",
        )
        .bind(org)
        .bind(member)
        .bind(all)
        .bind(MOST)
        .all()
        .await?;
    let mut missing = missing(app, reader, all).await?;
    let mut losses = losses(app, reader, all).await?;
    rows.into_iter()
        .map(|row| {
            let key = (row.id, row.member);
            Ok(Device {
                id: row.id,
                member: row.member,
                name: row.name,
                current: key == (reader.device, reader.id),
                first_seen_at: row.created_at,
                last_seen_at: row.last_seen_at,
                revoked_at: row.revoked_at,
                stats: row.stats.as_deref().map(serde_json::from_str).transpose()?,
                reported_at: row.reported_at,
                missing: missing.remove(&key).unwrap_or_default(),
                missing_count: row.missing,
                losses: losses.remove(&key).unwrap_or_default(),
            })
        })
        .collect()
}

/// By device and member.
type By<T> = HashMap<(Uuid, Uuid), Vec<T>>;

async fn missing(app: &App, reader: &Reader, all: bool) -> Result<By<Missing>> {
    let rows: Vec<Missing> = app
        .db
        .query(
            "SELECT c.id, c.device, c.member, c.slot, c.subject, c.bytes, c.captured_at, c.announced_at, c.dropped_at
             FROM capture c JOIN member m ON m.org = c.org AND m.id = c.member
             WHERE c.org = $1 AND c.received_at IS NULL AND ($3 OR m.id = $2 OR m.supervisor = $2)
             ORDER BY c.captured_at, c.id LIMIT CAST($4 AS BIGINT)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(all)
        .bind(MOST)
        .all()
        .await?;
    let mut by: By<Missing> = HashMap::new();
    for row in rows {
        let list = by.entry((row.device, row.member)).or_default();
        if list.len() < MOST_MISSING_EACH {
            list.push(row);
        }
    }
    Ok(by)
}

#[derive(sqlx::FromRow)]
struct LossRow {
    id: Uuid,
    device: Uuid,
    member: Uuid,
    noticed_at: Millis,
    last_sync_at: Option<Millis>,
    records: i64,
    captures: i64,
    drafts: i64,
    items: String,
}

async fn losses(app: &App, reader: &Reader, all: bool) -> Result<By<Loss>> {
    let rows: Vec<LossRow> = app
        .db
        .query(
            "SELECT l.id, l.device, l.member, l.noticed_at, l.last_sync_at, l.records, l.captures, l.drafts, l.items
             FROM device_loss l JOIN member m ON m.org = l.org AND m.id = l.member
             WHERE l.org = $1 AND ($3 OR m.id = $2 OR m.supervisor = $2)
             ORDER BY l.reported_at DESC LIMIT CAST($4 AS BIGINT)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(all)
        .bind(MOST)
        .all()
        .await?;
    let mut by: By<Loss> = HashMap::new();
    for row in rows {
        // Sealed as one JSON string.
        let quoted = format!("\"{}\"", row.items);
        let text: String = serde_json::from_str(&app.crypto.open_text(&quoted))?;
        by.entry((row.device, row.member)).or_default().push(Loss {
            id: row.id,
            noticed_at: row.noticed_at,
            last_sync_at: row.last_sync_at,
            records: row.records,
            captures: row.captures,
            drafts: row.drafts,
            items: serde_json::from_str(&text)?,
        });
    }
    Ok(by)
}

/// Ends a device: for everybody of the organisation on it when an administrator asks, else for the caller.
///
/// # Errors
/// 404 when nobody within the caller's reach works on it.
pub async fn revoke(app: &App, reader: &Reader, device: Uuid) -> Result<()> {
    let now = app.clock.now();
    let actor = Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at: now };
    let (own, all) = (reader.id, reader.capabilities.has(Capability::ManageDevices));
    let sessions = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let people: Vec<(Uuid, Uuid)> = tx
                    .query(
                        "SELECT m.id, m.account FROM member m JOIN device d ON d.account = m.account AND d.id = $2
                         WHERE m.org = $1 AND ($4 OR m.id = $3)",
                    )
                    .bind(actor.org)
                    .bind(device)
                    .bind(own)
                    .bind(all)
                    .all()
                    .await?;
                if people.is_empty() {
                    return Err(Error::not_found("device"));
                }
                let mut feeds = feed::lock(tx, actor.org, people.iter().map(|(member, _)| *member)).await?;
                let mut ended: Vec<(Uuid,)> = Vec::new();
                for (member, account) in people {
                    let revoke = "UPDATE device SET revoked_at = $3, revoked_by = $4
                                  WHERE id = $1 AND account = $2 AND revoked_at IS NULL";
                    if tx.query(revoke).bind(device).bind(account).bind(now).bind(own).run().await? == 0 {
                        continue;
                    }
                    let end = "UPDATE session SET ended_at = $3, ended_reason = 'device revoked'
                               WHERE device = $1 AND account = $2 AND ended_at IS NULL RETURNING id";
                    ended.extend(tx.query(end).bind(device).bind(account).bind(now).all::<(Uuid,)>().await?);
                    let silence = "DELETE FROM push_subscription WHERE org = $1 AND member = $2 AND device = $3";
                    tx.query(silence).bind(actor.org).bind(member).bind(device).run().await?;
                    let nothing = (None::<&()>, None::<&()>);
                    audit::append(tx, &mut feeds, member, &actor, "device.revoke", ("device", device), nothing).await?;
                }
                Ok(ended)
            })
        })
        .await?;
    sessions.into_iter().for_each(|(session,)| app.sessions.forget(session));
    Ok(())
}

/// Keeps what a device says it lost; the same report again changes nothing.
pub async fn note_losses(app: &App, reader: &Reader, lost: Vec<Lost>) -> Result<()> {
    let mut rows = Vec::new();
    for mut report in lost {
        check::time("noticed_at", Some(report.noticed_at))?;
        check::time("last_sync_at", report.last_sync_at)?;
        if report.items.len() > MOST_NAMES
            || report.sealed.len() > MOST_NAMES
            || [report.records, report.captures, report.drafts].iter().any(|n| *n < 0)
        {
            return Err(Error::invalid("lost", "This is not a report of a loss."));
        }
        for item in &report.items {
            item.check()?;
        }
        let named = report.sealed.iter().flat_map(|names| names.open(app, reader.org, reader.id));
        let mut named: Vec<LostItem> = named.filter(|item| item.check().is_ok()).collect();
        report.items.append(&mut named);
        report.items.truncate(MOST_NAMES);
        let items = app.crypto.seal(&serde_json::to_string(&report.items)?);
        rows.push((report, items));
    }
    let (org, member, device, now) = (reader.org, reader.id, reader.device, app.clock.now());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for (report, items) in rows {
                    tx.query(
                        "INSERT INTO device_loss (org, id, device, member, noticed_at, last_sync_at, records, captures, drafts,
                             items, reported_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (org, id) DO NOTHING",
                    )
                    .bind(org)
                    .bind(report.id)
                    .bind(report.device.unwrap_or(device))
                    .bind(member)
                    .bind(report.noticed_at)
                    .bind(report.last_sync_at)
                    .bind(report.records)
                    .bind(report.captures)
                    .bind(report.drafts)
                    .bind(items)
                    .bind(now)
                    .run()
                    .await?;
                }
                Ok(())
            })
        })
        .await
}
