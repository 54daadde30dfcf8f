//! Planned visits: tomorrow's at 17:00, today's at 6:30, and at 8:00 those of a day before that did not take place.

use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::notifications::kinds::{VISIT_OVERDUE, VISIT_TODAY, VISIT_TOMORROW};
use crate::notifications::{Kind, quiet};
use crate::packed;
use crate::visits::Visit;

const EVENING: i64 = 17 * 60;
const MORNING: i64 = 6 * 60 + 30;
const OFFICE: i64 = 8 * 60;
/// What was planned longer ago is nobody's news.
const LONG_AGO: Millis = 14 * DAY;

#[derive(sqlx::FromRow)]
struct Row {
    body: Vec<u8>,
    planned_at: Millis,
    tomorrow: bool,
    today: bool,
    overdue: bool,
}

pub(super) async fn due(app: &App, here: &Here) -> Result<Vec<Due>> {
    let Some(end) = here.at(2, 0) else { return Ok(vec![]) };
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT e.body, v.planned_at,
                 EXISTS (SELECT 1 FROM inbox i WHERE i.org = v.org AND i.subject = v.id AND i.member = v.mentor
                             AND i.kind = 'visit_tomorrow') AS tomorrow,
                 EXISTS (SELECT 1 FROM inbox i WHERE i.org = v.org AND i.subject = v.id AND i.member = v.mentor
                             AND i.kind = 'visit_today') AS today,
                 EXISTS (SELECT 1 FROM inbox i WHERE i.org = v.org AND i.subject = v.id AND i.member = v.mentor
                             AND i.kind = 'visit_overdue') AS overdue
             FROM visit v
             JOIN member m ON m.org = v.org AND m.id = v.mentor AND m.active
             JOIN member_feed f ON f.org = v.org AND f.member = v.mentor AND f.feed = v.feed
             JOIN feed_entry e ON e.org = v.org AND e.feed = v.feed AND e.id = v.id
             WHERE v.org = $1 AND v.state = 'planned' AND v.planned_at >= $2 AND v.planned_at < $3",
        )
        .bind(here.org)
        .bind(here.now - LONG_AGO)
        .bind(end)
        .all()
        .await?;
    let mut due = Vec::new();
    for row in rows {
        let Some(day) = quiet::day(here.zone, row.planned_at) else { continue };
        let days = day.signed_duration_since(here.today).num_days();
        let (kind, told, from): (&'static Kind, bool, Option<Millis>) = match days {
            1 => (&VISIT_TOMORROW, row.tomorrow, here.at(0, EVENING)),
            0 => (&VISIT_TODAY, row.today, here.at(0, MORNING)),
            ..=-1 => (&VISIT_OVERDUE, row.overdue, here.at(days + 1, OFFICE)),
            _ => continue,
        };
        let Some(from) = from.filter(|from| *from <= here.now && !told) else { continue };
        let visit: Visit = serde_json::from_str(&packed::open(&row.body)?)?;
        // Whoever plans it after that knows.
        if visit.created_at > from {
            continue;
        }
        due.push(of(visit, row.planned_at, kind));
    }
    Ok(due)
}

fn of(visit: Visit, planned_at: Millis, kind: &'static Kind) -> Due {
    let id: Uuid = visit.id;
    Due {
        member: visit.mentor,
        kind,
        subject: ("visit", id),
        params: json!({ "visit_number": visit.number, "planned_at": planned_at }),
        event: format!("{}:{id}", kind.key),
        still: "SELECT id FROM visit WHERE org = $1 AND id = $2 AND state = 'planned'",
    }
}
