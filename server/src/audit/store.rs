//! How the events are read: a page at a time, latest first, with the names that people know.

use std::borrow::Cow;

use serde_json::Value;
use uuid::Uuid;

use super::api::{Change, Event};
use crate::app::App;
use crate::auth::Admin;
use crate::clock::Millis;
use crate::crypto::MARK;
use crate::error::{Error, Result};

/// Which events are asked for.
#[derive(Clone, Default)]
pub struct Wanted {
    pub from: Option<Millis>,
    pub until: Option<Millis>,
    pub member: Option<Uuid>,
    pub subject: Option<Uuid>,
    /// `visit` for all of its kind, or `visit.approve`.
    pub action: Option<String>,
    pub after: Option<Cursor>,
    pub limit: i64,
}

/// The place of an event in the list.
#[derive(Clone, Copy)]
pub struct Cursor(Millis, Uuid, i64);

impl Cursor {
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().unwrap_or_default();
        let parsed = (next().parse(), next().parse(), next().parse());
        match parsed {
            (Ok(at), Ok(feed), Ok(sequence)) => Ok(Self(at, feed, sequence)),
            _ => Err(Error::bad_request("invalid_cursor", "This is not a `next` of a page before.").field("after")),
        }
    }

    pub fn text(event: &Event) -> String {
        format!("{}.{}.{}", event.at, event.feed, event.sequence)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    feed: Uuid,
    sequence: i64,
    at: Millis,
    member: Option<Uuid>,
    member_name: Option<String>,
    device_name: Option<String>,
    action: String,
    subject_kind: String,
    subject: Uuid,
    subject_name: Option<String>,
    change: String,
    erased: bool,
}

/// Events of the administrator's organisation, latest first.
pub async fn list(app: &App, admin: &Admin, wanted: &Wanted) -> Result<Vec<Event>> {
    let Cursor(at, feed, sequence) = wanted.after.unwrap_or(Cursor(Millis::MAX, Uuid::max(), i64::MAX));
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT a.feed, a.sequence, a.at, a.member, c.name AS member_name, COALESCE(d.name, k.name) AS device_name, a.action,
                 a.subject_kind, a.subject, COALESCE(h.number, v.number, p.name, n.name, y.name) AS subject_name, a.change,
                 a.digest IS NOT NULL AS erased
             FROM (SELECT * FROM audit
                   WHERE org = $1 AND (at, feed, sequence) < ($2, $3, $4) AND at >= $5 AND at < $6
                     AND ($7 IS NULL OR member = $7) AND ($8 IS NULL OR subject = $8)
                     AND ($9 IS NULL OR action = $9 OR substr(action, 1, CAST($10 AS INTEGER)) = $11)
                   ORDER BY at DESC, feed DESC, sequence DESC LIMIT CAST($12 AS BIGINT)) AS a
             LEFT JOIN member m ON m.org = a.org AND m.id = a.member LEFT JOIN account c ON c.id = m.account
             LEFT JOIN device d ON d.id = a.device AND d.account = m.account
             LEFT JOIN api_key k ON k.org = a.org AND k.id = a.device
             LEFT JOIN api_key y ON y.org = a.org AND y.id = a.subject
             LEFT JOIN household h ON h.org = a.org AND h.id = a.subject
             LEFT JOIN visit v ON v.org = a.org AND v.id = a.subject
             LEFT JOIN place p ON p.org = a.org AND p.id = a.subject
             LEFT JOIN member s ON s.org = a.org AND s.id = a.subject LEFT JOIN account n ON n.id = s.account
             ORDER BY a.at DESC, a.feed DESC, a.sequence DESC",
        )
        .bind(admin.org)
        .bind(at)
        .bind(feed)
        .bind(sequence)
        .bind(wanted.from.unwrap_or(Millis::MIN))
        .bind(wanted.until.unwrap_or(Millis::MAX))
        .bind(wanted.member)
        .bind(wanted.subject)
        .bind(wanted.action.clone())
        .bind(wanted.action.as_ref().map_or(0, |action| action.len() as i64 + 1))
        .bind(wanted.action.as_ref().map(|action| format!("{action}.")))
        .bind(wanted.limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(shown).collect())
}

fn shown(row: Row) -> Event {
    let changes = serde_json::from_str(&row.change).map(changes).unwrap_or_default();
    Event {
        feed: row.feed,
        sequence: row.sequence,
        at: row.at,
        member: row.member,
        member_name: row.member_name,
        device_name: row.device_name,
        action: row.action,
        subject_kind: row.subject_kind,
        subject: row.subject,
        subject_name: row.subject_name,
        changes,
        erased: row.erased,
    }
}

/// `{field: [before, after]}` as lines; what is sealed at rest is not opened for a list.
fn changes(change: Value) -> Vec<Change> {
    let Value::Object(fields) = change else { return Vec::new() };
    let pairs = fields.into_iter().filter_map(|(field, pair)| match pair {
        Value::Array(mut pair) if pair.len() == 2 => {
            let after = text(pair.pop()?);
            Some(Change { field, before: text(pair.pop()?), after })
        }
        _ => None,
    });
    pairs.collect()
}

/// The longest text of a value that is shown; the rest is in the record's own file.
const LONGEST: usize = 500;

fn text(value: Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    let hidden: Cow<'_, str> = if text.contains(MARK) { Cow::Borrowed("•••") } else { Cow::Owned(text) };
    Some(hidden.chars().take(LONGEST).collect())
}
