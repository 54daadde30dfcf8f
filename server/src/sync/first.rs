//! What a phone that begins is given before all else: this week's visits, their households and what belongs to them.

use std::collections::HashMap;

use uuid::Uuid;

use super::entry::kept_entry;
use crate::app::App;
use crate::auth::Reader;
use crate::clock::DAY;
use crate::error::Result;

/// More visits than anyone makes in a week.
const MOST: i64 = 150;

/// By feed, as the database joins entries (see `entry`). Their feeds' cursors do not move: the same records come again in their turn, so
/// that nothing is skipped, and what changes meanwhile has a later revision.
pub async fn entries(app: &App, reader: &Reader) -> Result<HashMap<Uuid, String>> {
    let now = app.clock.now();
    let rows: Vec<(Uuid, String)> = app
        .db
        .query(concat!(
            "WITH due AS (
                 SELECT v.feed, v.id, v.household FROM visit v
                 JOIN member_feed m ON m.org = v.org AND m.member = $2 AND m.feed = v.feed
                 WHERE v.org = $1 AND v.mentor = $2 AND (v.state IN ('in_progress', 'returned')
                     OR v.state = 'planned' AND v.planned_at BETWEEN $3 AND $4)
                 ORDER BY COALESCE(v.planned_at, 0), v.id LIMIT CAST($5 AS BIGINT)),
             wanted AS (
                 SELECT feed, id FROM due
                 UNION SELECT feed, household FROM due
                 UNION SELECT p.feed, p.id FROM due d JOIN evidence p ON p.org = $1 AND p.subject = d.id
                 UNION SELECT d.feed, s.id FROM due d JOIN signature s ON s.org = $1 AND s.subject = d.id)
             SELECT e.feed, string_agg(",
            kept_entry!(),
            ", ',') FROM wanted w JOIN feed_entry e ON e.org = $1 AND e.id = w.id AND e.feed = w.feed
             WHERE NOT e.deleted GROUP BY e.feed"
        ))
        .bind(reader.org)
        .bind(reader.id)
        .bind(now - 7 * DAY)
        .bind(now + 7 * DAY)
        .bind(MOST)
        .all()
        .await?;
    Ok(rows.into_iter().collect())
}
