//! Phones that have been silent for days while photos that were taken on them have not arrived.

use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::notifications::kinds::DEVICE_SILENT;

const SILENT: Millis = 3 * DAY;

#[derive(sqlx::FromRow)]
struct Row {
    device: Uuid,
    supervisor: Uuid,
    who: String,
    last_seen_at: Millis,
    missing: i64,
}

pub(super) async fn silent(app: &App, here: &Here) -> Result<Vec<Due>> {
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT d.id AS device, s.id AS supervisor, a.name AS who, d.last_seen_at, count(*) AS missing
             FROM capture c
             JOIN member m ON m.org = c.org AND m.id = c.member AND m.active
             JOIN account a ON a.id = m.account
             JOIN device d ON d.id = c.device AND d.account = m.account AND d.revoked_at IS NULL AND d.last_seen_at <= $2
             JOIN member s ON s.org = m.org AND s.id = m.supervisor AND s.active
             WHERE c.org = $1 AND c.received_at IS NULL AND c.dropped_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = c.org AND i.member = s.id AND i.subject = d.id
                                     AND i.kind = 'device_silent' AND i.created_at > d.last_seen_at)
             GROUP BY d.id, s.id, a.name, d.last_seen_at",
        )
        .bind(here.org)
        .bind(here.now - SILENT)
        .all()
        .await?;
    let due = rows.into_iter().map(|row| Due {
        member: row.supervisor,
        kind: &DEVICE_SILENT,
        subject: ("device", row.device),
        params: json!({ "who": row.who, "count": row.missing, "since": row.last_seen_at }),
        // Each silence once: whoever was heard meanwhile may fall silent again.
        event: format!("device_silent:{}:{}", row.device, row.last_seen_at),
        still: "SELECT c.device FROM capture c WHERE c.org = $1 AND c.device = $2 AND c.received_at IS NULL LIMIT 1",
    });
    Ok(due.collect())
}
