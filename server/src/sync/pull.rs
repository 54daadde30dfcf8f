//! What is new for a device: range scans over stored records, the most useful feeds first.

use std::collections::HashMap;
use std::fmt::Write;

use uuid::Uuid;

use crate::app::App;
use crate::auth::{Capabilities, Reader};
use crate::clock::DAY;
use crate::error::Result;
use crate::packed;
use crate::planted::Mistake;
use crate::scope;

use super::entry::{Kept, kept_entry};
use super::first;
use super::restored::is_restored;

/// Records in one answer, and bytes of them before they are packed for the way; a device calls again while there is more. On a slow
/// line a round trip costs two seconds and these bytes, packed, about four.
const PAGE: i64 = 3_000;
const PAGE_BYTES: i64 = 1_500_000;
/// Entries that are read at once.
const SOME: i64 = 400;
/// A device that lacks more revisions than this takes its turn, so that the short requests of others do not wait.
const LONG: i64 = 300;

/// The `feeds`, `gone` and `reset` parts of the answer as JSON, and whether there is more.
#[derive(Default)]
pub struct News {
    pub feeds: String,
    pub gone: Vec<String>,
    pub reset: Vec<String>,
    pub more: bool,
}

#[derive(sqlx::FromRow)]
struct Followed {
    feed: Uuid,
    kind: String,
    revision: i64,
}

pub async fn pull(app: &App, reader: &Reader, cursors: &HashMap<String, i64>) -> Result<News> {
    let followed = followed(app, reader).await?;
    // What a role shows of a feed has changed since this device last asked: it begins anew.
    let view = reader.capabilities.view().map(|view| view.to_string());
    let views: Vec<&String> = cursors.keys().filter(|cursor| Capabilities::is_view(cursor)).collect();
    // So has all of it, when the server was restored from a backup that this device has not heard of.
    let restored = app.restored.map(|restored| restored.to_string());
    let known: Vec<&String> = cursors.keys().filter(|cursor| is_restored(cursor)).collect();
    let changed = view.as_ref() != views.first().copied() || restored.as_ref() != known.first().copied();
    let anew = changed && cursors.len() > views.len() + known.len();
    let held = |f: &Followed| cursors.get(&f.feed.to_string()).copied().map(|c| if anew { i64::MAX } else { c });
    // A cursor beyond the feed is from before a restore: start over.
    let seen = |f: &Followed| match held(f).filter(|c| *c <= f.revision) {
        Some(c) if c > 0 && c < f.revision && app.planted.has(Mistake::SkipCursor) => c + 1,
        known => known.unwrap_or(0),
    };
    let reset = followed.iter().filter(|f| held(f).is_some_and(|c| c > f.revision)).map(|f| f.feed.to_string()).collect();
    let behind: i64 = followed.iter().map(|f| f.revision - seen(f)).sum();
    // The first answer to a phone that begins is short, and what makes it usable.
    let _turn = match behind > LONG {
        true => Some(app.pulls.take(if cursors.is_empty() { 0 } else { behind }).await),
        false => None,
    };
    let mut head = HashMap::new();
    if behind > LONG {
        head = first::entries(app, reader).await?;
        // Whoever has a cursor for a feed has been given this already.
        head.retain(|feed, _| !cursors.contains_key(&feed.to_string()));
    }
    let (begins, mut feeds, mut more) = (!head.is_empty(), String::new(), false);
    for own in view.iter().chain(&restored).filter(|own| !cursors.contains_key(*own)) {
        let comma = if feeds.is_empty() { "" } else { "," };
        let _ = write!(feeds, "{comma}\"{own}\":{{\"entries\":[],\"revision\":1,\"more\":false}}");
    }
    let mut left = Room { records: PAGE, bytes: PAGE_BYTES };
    for f in &followed {
        let (feed, revision, seen) = (f.feed, f.revision, seen(f));
        if begins && f.kind == "place" {
            more = true;
            if let Some(entries) = head.remove(&feed) {
                let mut part = Part { entries: Vec::new(), until: seen, count: 0 };
                for entry in entries.split(',') {
                    let entry = Kept::parse(entry)?;
                    if reader.capabilities.sees(entry.kind) {
                        entry.tell(&mut part.entries)?;
                    }
                }
                part.tell(&mut feeds, app, feed, true)?;
            }
            continue;
        }
        if seen == revision {
            continue;
        }
        if left.records <= 0 || left.bytes <= 0 {
            more = true;
            break;
        }
        let part = entries(app, reader, feed, seen, revision, &left).await?;
        more |= part.until < revision;
        left.records -= part.count;
        left.bytes -= length(&part.entries);
        part.tell(&mut feeds, app, feed, part.until < revision)?;
    }
    let own = |cursor: &String| [&view, &restored].into_iter().any(|own| own.as_ref() == Some(cursor));
    let gone = cursors.keys().filter(|c| !followed.iter().any(|f| f.feed.to_string() == **c) && !own(c));
    let gone: Vec<String> = gone.cloned().collect();
    scope::told(app, reader, &gone).await?;
    Ok(News { feeds, gone, reset, more })
}

/// The member's feeds: the organisation, the own, then villages with visits in this week, then the rest.
async fn followed(app: &App, reader: &Reader) -> Result<Vec<Followed>> {
    let now = app.clock.now();
    app.db
        .query(
            "SELECT m.feed, f.kind, f.revision FROM member_feed m JOIN feed f ON f.org = m.org AND f.id = m.feed
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

/// What still fits into an answer.
struct Room {
    records: i64,
    bytes: i64,
}

struct Part {
    entries: Vec<u8>,
    until: i64,
    count: i64,
}

impl Part {
    /// Takes revision after revision, and answers whether all of them found room. The first always does.
    fn fill(&mut self, joined: &str, room: i64, reader: &Reader) -> Result<bool> {
        // Where the revision began that is being taken.
        let mut whole = (self.entries.len(), self.count, self.until);
        for entry in joined.split(',') {
            let entry = Kept::parse(entry)?;
            if entry.revision != self.until {
                whole = (self.entries.len(), self.count, self.until);
                self.until = entry.revision;
            }
            // What the role does not see counts as told, so that the cursor moves over it.
            if reader.capabilities.sees(entry.kind) {
                entry.tell(&mut self.entries)?;
            }
            self.count += 1;
            if length(&self.entries) > room && whole.1 > 0 {
                self.entries.truncate(whole.0);
                (self.count, self.until) = (whole.1, whole.2);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Appends this part to the `feeds` of an answer.
    fn tell(&self, feeds: &mut String, app: &App, feed: Uuid, more: bool) -> Result<()> {
        let comma = if feeds.is_empty() { "" } else { "," };
        let entries = app.crypto.open_text(std::str::from_utf8(&self.entries).map_err(|_| packed::damaged())?);
        feeds.reserve(entries.len() + 200);
        let _ = write!(feeds, "{comma}\"{feed}\":{{\"entries\":[{entries}],\"revision\":{},\"more\":{more}}}", self.until);
        Ok(())
    }
}

fn length(text: &[u8]) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// Entries after `seen`, whole revisions only, so that the cursor never skips one; at least one revision.
async fn entries(app: &App, reader: &Reader, feed: Uuid, seen: i64, revision: i64, left: &Room) -> Result<Part> {
    let mut part = Part { entries: Vec::new(), until: seen, count: 0 };
    while part.count < left.records {
        let some = SOME.min(left.records - part.count);
        // Where these many entries end is read from the index alone; then each record is read once. They come joined,
        // in the order of the inner query: a row each would cost more than all the rest.
        let (joined, count): (Option<String>, i64) = app
            .db
            .query(concat!(
                "SELECT string_agg(e.entry, ','), count(*)
                 FROM (SELECT ",
                kept_entry!(),
                " AS entry FROM feed_entry e
                       WHERE e.org = $1 AND e.feed = $2 AND e.revision > $3 AND e.revision <= (
                           SELECT MAX(n.revision) FROM (
                               SELECT revision FROM feed_entry WHERE org = $1 AND feed = $2 AND revision > $3
                               ORDER BY revision LIMIT CAST($4 AS BIGINT)) AS n)
                       ORDER BY e.revision) AS e"
            ))
            .bind(reader.org)
            .bind(feed)
            .bind(part.until)
            .bind(some)
            .one()
            .await?;
        if let Some(joined) = joined
            && !part.fill(&joined, left.bytes, reader)?
        {
            return Ok(part);
        }
        if count < some {
            // Nothing lay between the last entry and the feed's revision as it was read before: beyond, the revision
            // moved without leaving an entry (a lock for an audit event, say).
            part.until = part.until.max(revision);
            break;
        }
    }
    Ok(part)
}
