//! What waits for somebody: visits for a decision, conflicts to be settled, grants to be approved, reports that are due.

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::auth::roles::Kept;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::grants::Grant;
use crate::notifications::kinds::{APPROVALS_WAITING, CONFLICT_OPENED, GRANT_TO_DECIDE, GRANT_USE_DUE};
use crate::packed;

const OFFICE: i64 = 8 * 60;
/// A report is asked for so many days before.
const REPORT_BEFORE: i64 = 7;

/// Once a day for each supervisor whose mentors' visits have waited for a day: one row, however many there are.
pub(super) async fn approvals(app: &App, here: &Here) -> Result<Vec<Due>> {
    let Some(morning) = here.at(0, OFFICE).filter(|at| *at <= here.now) else { return Ok(vec![]) };
    let rows: Vec<(Uuid, i64, Millis)> = app
        .db
        .query(
            "SELECT s.id, count(*), min(v.submitted_at)
             FROM visit v JOIN member m ON m.org = v.org AND m.id = v.mentor
             JOIN member s ON s.org = m.org AND s.id = m.supervisor AND s.active
             JOIN member_feed f ON f.org = v.org AND f.member = s.id AND f.feed = v.feed
             WHERE v.org = $1 AND v.state = 'submitted' AND v.submitted_at <= $2
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = v.org AND i.subject = s.id AND i.member = s.id
                                     AND i.kind = 'approvals_waiting' AND i.created_at >= $3)
             GROUP BY s.id",
        )
        .bind(here.org)
        .bind(morning - DAY)
        .bind(morning)
        .all()
        .await?;
    let due = rows.into_iter().map(|(member, count, oldest)| Due {
        member,
        kind: &APPROVALS_WAITING,
        subject: ("queue", member),
        params: json!({ "count": count, "since": oldest }),
        event: format!("approvals_waiting:{}", here.today),
        still: "SELECT id FROM member WHERE org = $1 AND id = $2 AND active",
    });
    Ok(due.collect())
}

/// Each household with an open conflict, to the supervisors who work in that village.
pub(super) async fn conflicts(app: &App, here: &Here) -> Result<Vec<Due>> {
    let rows: Vec<(Uuid, Uuid, Millis)> = app
        .db
        .query(
            "SELECT c.record, m.id, max(c.opened_at) FROM conflict c
             JOIN member_feed f ON f.org = c.org AND f.feed = c.feed
             JOIN member m ON m.org = f.org AND m.id = f.member AND m.active AND m.role = 'supervisor'
             WHERE c.org = $1 AND c.state = 'open'
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = c.org AND i.member = m.id AND i.subject = c.record
                                     AND i.kind = 'conflict_opened' AND i.created_at >= c.opened_at)
             GROUP BY c.record, m.id",
        )
        .bind(here.org)
        .all()
        .await?;
    let due = rows.into_iter().map(|(record, member, opened_at)| Due {
        member,
        kind: &CONFLICT_OPENED,
        subject: ("household", record),
        params: json!({}),
        event: format!("conflict_opened:{record}:{opened_at}"),
        still: "SELECT id FROM conflict WHERE org = $1 AND record = $2 AND state = 'open' LIMIT 1",
    });
    Ok(due.collect())
}

#[derive(sqlx::FromRow)]
struct Recommended {
    id: Uuid,
    number: String,
    state_at: Millis,
    member: Uuid,
    body: Vec<u8>,
    #[sqlx(flatten)]
    kept: Kept,
}

/// Each recommended grant, to those who may approve it in that village and had no part in it.
pub(super) async fn grants(app: &App, here: &Here) -> Result<Vec<Due>> {
    let rows: Vec<Recommended> = app
        .db
        .query(
            "SELECT g.id, g.number, g.state_at, m.id AS member, e.body, m.role, a.platform, r.scope AS reach, r.levels,
                 o.modules
             FROM grant_file g JOIN member_feed f ON f.org = g.org AND f.feed = g.feed
             JOIN member m ON m.org = f.org AND m.id = f.member AND m.active
                 AND m.role IN ('approver', 'programme_manager', 'custom')
             JOIN account a ON a.id = m.account JOIN organisation o ON o.id = m.org
             JOIN feed_entry e ON e.org = g.org AND e.feed = g.feed AND e.id = g.id
             LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
             WHERE g.org = $1 AND g.state = 'recommended' AND m.id <> g.submitted_by
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = g.org AND i.member = m.id AND i.subject = g.id
                                     AND i.kind = 'grant_to_decide' AND i.created_at >= g.state_at)",
        )
        .bind(here.org)
        .all()
        .await?;
    let mut due = Vec::new();
    for row in rows {
        let grant: Grant = serde_json::from_str(&packed::open(&row.body)?)?;
        let Some(read) = row.kept.read() else { continue };
        if !grant.may_be_approved_by(row.member, read.capabilities) {
            continue;
        }
        due.push(Due {
            member: row.member,
            kind: &GRANT_TO_DECIDE,
            subject: ("grant", row.id),
            params: json!({ "grant_number": row.number }),
            event: format!("grant_to_decide:{}:{}", row.id, row.state_at),
            still: "SELECT id FROM grant_file WHERE org = $1 AND id = $2 AND state = 'recommended'",
        });
    }
    Ok(due)
}

#[derive(sqlx::FromRow)]
struct Report {
    id: Uuid,
    number: String,
    submitted_by: Uuid,
    due_on: String,
    told_at: Option<Millis>,
}

/// The report on the use of a grant: a week before its day, and on the day after it.
pub(super) async fn reports(app: &App, here: &Here) -> Result<Vec<Due>> {
    if !here.past(OFFICE) {
        return Ok(vec![]);
    }
    let rows: Vec<Report> = app
        .db
        .query(
            "SELECT g.id, g.number, g.submitted_by, g.utilisation_due AS due_on,
                 (SELECT max(i.created_at) FROM inbox i WHERE i.org = g.org AND i.member = g.submitted_by
                      AND i.subject = g.id AND i.kind = 'grant_use_due') AS told_at
             FROM grant_file g JOIN member m ON m.org = g.org AND m.id = g.submitted_by AND m.active
             JOIN member_feed f ON f.org = g.org AND f.member = m.id AND f.feed = g.feed
             WHERE g.org = $1 AND g.utilisation = 'due' AND g.utilisation_due <= $2",
        )
        .bind(here.org)
        .bind((here.today + chrono::Duration::days(REPORT_BEFORE)).to_string())
        .all()
        .await?;
    let due = rows.into_iter().filter_map(|row| {
        let day: NaiveDate = row.due_on.parse().ok()?;
        let late = here.today > day;
        // Once before the day, once after it.
        let from = if late { crate::notifications::quiet::at(here.zone, day.succ_opt()?, 0)? } else { 0 };
        row.told_at.is_none_or(|told| told < from).then(|| Due {
            member: row.submitted_by,
            kind: &GRANT_USE_DUE,
            subject: ("grant", row.id),
            params: json!({ "grant_number": row.number, "due_on": row.due_on }),
            event: format!("grant_use_due:{}:{}:{}", row.id, row.due_on, if late { "late" } else { "soon" }),
            still: "SELECT id FROM grant_file WHERE org = $1 AND id = $2 AND utilisation = 'due'",
        })
    });
    Ok(due.collect())
}
