//! What becomes of a household's application, to its own account: each step within a minute, as the grant's history says.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::grants::{Event, Grant, UseState};
use crate::notifications::Kind;
use crate::notifications::kinds::{
    OWN_GRANT_APPROVED, OWN_GRANT_CANCELLED, OWN_GRANT_EXPIRED, OWN_GRANT_RECEIVED, OWN_GRANT_RECOMMENDED,
    OWN_GRANT_REJECTED, OWN_GRANT_RELEASED, OWN_GRANT_RETURNED, OWN_GRANT_SUBMITTED, OWN_GRANT_USE_DUE, OWN_GRANT_VERIFIED,
};
use crate::packed;

/// What happened longer ago is nobody's news.
const LONG_AGO: Millis = 3 * DAY;
/// A report is spoken of so many days before.
const REPORT_BEFORE: i64 = 7;
const OFFICE: i64 = 8 * 60;

pub(super) async fn steps(app: &App, here: &Here) -> Result<Vec<Due>> {
    let since = here.now - LONG_AGO;
    let soon = (here.today + chrono::Duration::days(REPORT_BEFORE)).to_string();
    let rows: Vec<(Uuid, Millis, Vec<u8>)> = app
        .db
        .query(
            "SELECT m.id, m.created_at, e.body
             FROM member m JOIN grant_household h ON h.org = m.org AND h.household = m.household
             JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
             JOIN feed_entry e ON e.org = g.org AND e.feed = g.feed AND e.id = g.id
             WHERE m.org = $1 AND m.role = 'beneficiary' AND m.active
                 AND (g.state_at >= $2 OR (g.utilisation = 'due' AND g.utilisation_due <= $3)
                      OR EXISTS (SELECT 1 FROM acknowledgement a WHERE a.org = g.org AND a.grant_id = g.id AND a.created_at >= $2))",
        )
        .bind(here.org)
        .bind(since)
        .bind(soon)
        .all()
        .await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let told: Vec<(Uuid, String)> = app
        .db
        .query(
            "SELECT i.member, i.event FROM inbox i
             JOIN member m ON m.org = i.org AND m.id = i.member AND m.role = 'beneficiary'
             WHERE i.org = $1 AND i.event IS NOT NULL",
        )
        .bind(here.org)
        .all()
        .await?;
    let told: HashSet<(Uuid, String)> = told.into_iter().collect();
    let mut due = Vec::new();
    for (member, joined, body) in rows {
        let grant: Grant = serde_json::from_str(&packed::open(&body)?)?;
        for (kind, what, at) in happened(&grant, here) {
            let event = format!("{}:{}:{what}", kind.key, grant.id);
            // Whoever joined later knows what was before.
            if at < since.max(joined) || told.contains(&(member, event.clone())) {
                continue;
            }
            due.push(Due {
                member,
                kind,
                subject: ("home", grant.id),
                params: json!({ "grant_number": grant.number, "amount_minor": grant.amount.amount_minor }),
                event,
                still: "SELECT id FROM grant_file WHERE org = $1 AND id = $2",
            });
        }
    }
    Ok(due)
}

/// Each step with what tells it from others of its kind, and when it was.
fn happened(grant: &Grant, here: &Here) -> Vec<(&'static Kind, String, Millis)> {
    let mut all = Vec::new();
    for (n, step) in grant.history.iter().enumerate() {
        let kind = match step.event {
            Event::Submit => &OWN_GRANT_SUBMITTED,
            Event::Return => &OWN_GRANT_RETURNED,
            Event::Recommend => &OWN_GRANT_RECOMMENDED,
            Event::Approve => &OWN_GRANT_APPROVED,
            Event::Reject => &OWN_GRANT_REJECTED,
            Event::Cancel => &OWN_GRANT_CANCELLED,
            Event::Expire => &OWN_GRANT_EXPIRED,
            Event::Release => &OWN_GRANT_RELEASED,
            // Parts are told of one by one, the report when it is verified; the rest is office work.
            Event::Review | Event::Receive | Event::Undo | Event::Utilise | Event::Close => continue,
        };
        all.push((kind, n.to_string(), step.at));
    }
    for part in &grant.tranches {
        if let (Some(receipt), Some(at)) = (part.acknowledgement, part.acknowledged_at) {
            all.push((&OWN_GRANT_RECEIVED, receipt.to_string(), at));
        }
    }
    if let Some(report) = &grant.utilisation {
        if let (UseState::Verified, Some(at)) = (report.state, report.decided_at) {
            all.push((&OWN_GRANT_VERIFIED, at.to_string(), at));
        }
        let soon = report.due_on.parse::<NaiveDate>().is_ok_and(|day| {
            let days = day.signed_duration_since(here.today).num_days();
            report.state == UseState::Due && (0..=REPORT_BEFORE).contains(&days)
        });
        if soon && here.past(OFFICE) {
            all.push((&OWN_GRANT_USE_DUE, report.due_on.clone(), here.now));
        }
    }
    all
}
