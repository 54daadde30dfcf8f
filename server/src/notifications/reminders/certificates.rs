//! What is about to expire: certificates of staff at 8:00, 30 and 7 days before and on the day; the server's own, 21 and 7
//! days before. A renewed one has another day, and so says nothing before that is near.

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::notifications::kinds::{CERTIFICATE_EXPIRING, TLS_EXPIRING};

const OFFICE: i64 = 8 * 60;
/// Days before.
const STEPS: [i64; 3] = [30, 7, 0];
/// A server that was down on the day says it within so many after it.
const LATE: i64 = 7;
const SERVER_STEPS: [i64; 2] = [21, 7];

/// The last step that has come.
fn step(steps: &[i64], left: i64) -> Option<i64> {
    steps.iter().copied().filter(|step| left <= *step).min()
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    expires_on: String,
    whose: String,
    owner: Uuid,
    member: Uuid,
}

pub(super) async fn of_staff(app: &App, here: &Here) -> Result<Vec<Due>> {
    if !here.past(OFFICE) {
        return Ok(vec![]);
    }
    let day = |days| (here.today + chrono::Duration::days(days)).to_string();
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT c.id, c.name, c.expires_on, a.name AS whose, m.id AS owner, t.id AS member FROM certificate c
             JOIN member m ON m.org = c.org AND m.id = c.member AND m.active JOIN account a ON a.id = m.account
             JOIN member t ON t.org = m.org AND (t.id = m.id OR t.id = m.supervisor) AND t.active
             WHERE c.org = $1 AND c.state = 'valid' AND c.expires_on >= $2 AND c.expires_on <= $3",
        )
        .bind(here.org)
        .bind(day(-LATE))
        .bind(day(STEPS[0]))
        .all()
        .await?;
    let mut due = Vec::new();
    for row in rows {
        let Ok(end) = row.expires_on.parse::<NaiveDate>() else { continue };
        let Some(step) = step(&STEPS, end.signed_duration_since(here.today).num_days()) else { continue };
        let event = format!("certificate_expiring:{}:{}:{step}", row.id, row.expires_on);
        if told(app, here.org, row.member, &event).await? {
            continue;
        }
        // Of one's own there is no need to say whose it is.
        let whose = (row.member != row.owner).then_some(row.whose);
        due.push(Due {
            member: row.member,
            kind: &CERTIFICATE_EXPIRING,
            subject: ("certificate", row.id),
            params: json!({ "certificate": row.name, "expires_on": row.expires_on, "who": whose }),
            event,
            still: "SELECT id FROM certificate WHERE org = $1 AND id = $2 AND state = 'valid'",
        });
    }
    Ok(due)
}

/// As it was last seen at the public address (`ops::certificate`).
pub(super) async fn of_server(app: &App, here: &Here) -> Result<Vec<Due>> {
    let rows: Vec<(Uuid, Millis)> = app
        .db
        .query(
            "SELECT m.id, c.expires_at FROM member m JOIN tls_certificate c ON c.url = $2 AND c.expires_at <= $3
             WHERE m.org = $1 AND m.role = 'org_admin' AND m.active",
        )
        .bind(here.org)
        .bind(app.config.public_url.as_str())
        .bind(here.now + SERVER_STEPS[0] * DAY)
        .all()
        .await?;
    let mut due = Vec::new();
    for (member, expires_at) in rows {
        // Begun days count: six and a half before, it is the seventh.
        let Some(step) = step(&SERVER_STEPS, (expires_at - here.now + DAY - 1).div_euclid(DAY)) else { continue };
        let event = format!("tls_expiring:{expires_at}:{step}");
        if told(app, here.org, member, &event).await? {
            continue;
        }
        due.push(Due {
            member,
            kind: &TLS_EXPIRING,
            subject: ("tls", here.org),
            params: json!({ "expires_at": expires_at }),
            event,
            still: "SELECT id FROM organisation WHERE id = $1 AND id = $2",
        });
    }
    Ok(due)
}

async fn told(app: &App, org: Uuid, member: Uuid, event: &str) -> Result<bool> {
    let row: Option<(Uuid,)> = app
        .db
        .query("SELECT id FROM inbox WHERE org = $1 AND member = $2 AND event = $3")
        .bind(org)
        .bind(member)
        .bind(event)
        .optional()
        .await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_that_has_come() {
        let of = |left| step(&STEPS, left);
        assert_eq!(
            [of(31), of(30), of(8), of(7), of(1), of(0), of(-3)],
            [None, Some(30), Some(30), Some(7), Some(7), Some(0), Some(0)]
        );
    }
}
