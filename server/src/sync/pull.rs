//! What is new for a device: index range scans over stored texts, the most useful feeds first.

use std::collections::HashMap;

use uuid::Uuid;

use crate::app::App;
use crate::auth::Reader;
use crate::clock::DAY;
use crate::error::Result;

/// Records in one answer; a device calls again while there is more.
const PAGE: i64 = 600;

/// The `feeds` and `gone` parts of the answer as JSON, and whether there is more.
pub struct News {
    pub feeds: String,
    pub gone: Vec<String>,
    pub more: bool,
}

#[derive(sqlx::FromRow)]
struct Followed {
    feed: Uuid,
    revision: i64,
}

pub async fn pull(app: &App, reader: &Reader, cursors: &HashMap<String, i64>) -> Result<News> {
    let followed = followed(app, reader).await?;
    let mut feeds = Vec::new();
    let mut left = PAGE;
    let mut more = false;
    for Followed { feed, revision } in &followed {
        // A cursor beyond the feed is from before a restore: start over.
        let seen = cursors.get(&feed.to_string()).copied().filter(|c| c <= revision).unwrap_or(0);
        if seen == *revision {
            continue;
        }
        if left <= 0 {
            more = true;
            break;
        }
        let part = entries(app, reader.org, *feed, seen, *revision, left).await?;
        more |= part.until < *revision;
        left -= part.count;
        feeds.push(format!(
            "\"{feed}\":{{\"entries\":[{}],\"revision\":{},\"more\":{}}}",
            app.crypto.open_text(&part.entries),
            part.until,
            part.until < *revision
        ));
    }
    let gone = cursors.keys().filter(|c| !followed.iter().any(|f| f.feed.to_string() == **c)).cloned().collect();
    Ok(News { feeds: feeds.join(","), gone, more })
}

/// The member's feeds: the organisation, the own, then villages with visits in this week, then the rest.
async fn followed(app: &App, reader: &Reader) -> Result<Vec<Followed>> {
    let now = app.clock.now();
    app.db
        .query(
            "SELECT m.feed, f.revision FROM member_feed m JOIN feed f ON f.org = m.org AND f.id = m.feed
             WHERE m.org = $1 AND m.member = $2
             ORDER BY CASE WHEN f.kind = 'organisation' THEN 0 WHEN f.kind = 'person' THEN 1
                 WHEN EXISTS (SELECT 1 FROM visit v WHERE v.org = m.org AND v.mentor = m.member AND v.feed = m.feed
                     AND v.state IN ('planned', 'in_progress', 'returned') AND v.planned_at BETWEEN $3 AND $4) THEN 2
                 ELSE 3 END, m.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(now - 7 * DAY)
        .bind(now + 7 * DAY)
        .all()
        .await
}

struct Part {
    entries: String,
    until: i64,
    count: i64,
}

/// Entries after `seen`, whole revisions only, so that the cursor never skips one.
async fn entries(app: &App, org: Uuid, feed: Uuid, seen: i64, revision: i64, limit: i64) -> Result<Part> {
    let (until, found): (Option<i64>, i64) = app
        .db
        .query(
            "SELECT MAX(revision), COUNT(*) FROM (SELECT revision FROM feed_entry WHERE org = $1 AND feed = $2 AND revision > $3
             ORDER BY revision LIMIT $4) AS first",
        )
        .bind(org)
        .bind(feed)
        .bind(seen)
        .bind(limit)
        .one()
        .await?;
    // Beyond the last entry the revision moved without leaving one (a lock for an audit event, say).
    let Some(until) = until else { return Ok(Part { entries: String::new(), until: revision, count: 0 }) };
    let (entries, count): (Option<String>, i64) = app
        .db
        .query(
            // Every body begins with {\"id\":\"…\": the id is cut from there.
            "SELECT string_agg('{\"kind\":\"' || kind || '\",' || substr(body, 2, 43)
                 || CASE WHEN deleted THEN ',\"deleted\":true}' ELSE ',\"body\":' || body || '}' END, ',' ORDER BY revision), count(*)
             FROM feed_entry WHERE org = $1 AND feed = $2 AND revision > $3 AND revision <= $4",
        )
        .bind(org)
        .bind(feed)
        .bind(seen)
        .bind(until)
        .one()
        .await?;
    // Less than a full page: nothing lay between the last entry and the feed's revision as it was read.
    let until = if found < limit { until.max(revision) } else { until };
    Ok(Part { entries: entries.unwrap_or_default(), until, count })
}
