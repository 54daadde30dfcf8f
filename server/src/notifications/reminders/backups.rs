//! A backup that failed: each day, to the administrators, until there is a good one.

use serde_json::json;
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::notifications::kinds::BACKUP_FAILED;

pub(super) async fn failed(app: &App, here: &Here) -> Result<Vec<Due>> {
    let event = format!("backup_failed:{}", here.today);
    let rows: Vec<(Uuid, Uuid, Option<Millis>)> = app
        .db
        .query(
            "SELECT m.id, r.id, r.ended_at FROM member m
             JOIN backup_run r ON r.state = 'failed' AND r.id =
                 (SELECT id FROM backup_run WHERE state <> 'running' ORDER BY started_at DESC, id DESC LIMIT 1)
             WHERE m.org = $1 AND m.role = 'org_admin' AND m.active
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = m.org AND i.member = m.id AND i.event = $2)",
        )
        .bind(here.org)
        .bind(event.as_str())
        .all()
        .await?;
    let due = rows.into_iter().map(|(member, run, at)| Due {
        member,
        kind: &BACKUP_FAILED,
        subject: ("backup", run),
        params: json!({ "since": at }),
        event: event.clone(),
        // Backups are the installation's: any organisation's administrators may mend them.
        still: "SELECT id FROM backup_run WHERE id = $2 AND state = 'failed' AND CAST($1 AS UUID) IS NOT NULL",
    });
    Ok(due.collect())
}
