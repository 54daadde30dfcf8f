//! Who was not reached: members with messages that they must act on and have not read for a day.

use std::collections::BTreeMap;

use poem_openapi::Object;
use uuid::Uuid;

use super::Kind;
use super::kinds::Channel;
use crate::app::App;
use crate::auth::{Capability, Reader};
use crate::clock::{DAY, Millis};
use crate::error::Result;

/// So long unread.
const UNREAD: Millis = DAY;
/// Lines of the database in one answer; more is a trouble of another kind.
const MOST: i64 = 5_000;

/// A member who was not reached.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Unreached {
    pub member: Uuid,
    pub name: String,
    /// Messages to act on that have not been read for a day.
    pub unread: i64,
    /// The oldest of them.
    pub since: Millis,
    /// How many of them nothing carried to the person: no way was open, or each was refused.
    pub undelivered: i64,
    /// Ways that are open to this person; none: only the app itself.
    pub ways: Vec<Channel>,
    /// When any of their devices was last heard of.
    pub last_seen_at: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct Row {
    member: Uuid,
    name: String,
    kind: String,
    unread: i64,
    since: Millis,
    delivered: i64,
    last_seen_at: Option<Millis>,
    push: bool,
    email: bool,
    phone: bool,
}

/// Of the team for a supervisor, of all for whoever manages members; whoever waits longest first.
pub async fn list(app: &App, reader: &Reader) -> Result<Vec<Unreached>> {
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT g.member, a.name, g.kind, g.unread, g.since, g.delivered,
                 (SELECT max(d.last_seen_at) FROM device d WHERE d.account = m.account) AS last_seen_at,
                 EXISTS (SELECT 1 FROM push_subscription p WHERE p.org = m.org AND p.member = m.id) AS push,
                 t.email_confirmed IS NOT NULL AS email, t.phone_confirmed IS NOT NULL AS phone
             FROM (SELECT i.member, i.kind, count(*) AS unread, min(i.created_at) AS since,
                       count((SELECT min(x.channel) FROM delivery x WHERE x.org = i.org AND x.inbox = i.id AND x.state = 'sent'))
                           AS delivered
                   FROM inbox i WHERE i.org = $1 AND i.read_at IS NULL AND i.created_at <= $4 GROUP BY i.member, i.kind) AS g
             JOIN member m ON m.org = $1 AND m.id = g.member AND m.active AND ($3 OR m.supervisor = $2)
             JOIN account a ON a.id = m.account LEFT JOIN told t ON t.org = m.org AND t.member = m.id
             LIMIT CAST($5 AS BIGINT)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(reader.capabilities.has(Capability::ManageMembers))
        .bind(app.clock.now() - UNREAD)
        .bind(MOST)
        .all()
        .await?;
    let mut found: BTreeMap<Uuid, Unreached> = BTreeMap::new();
    // What is only good to know may stay unread; households are no colleagues.
    let act = |kind: &Kind| kind.way.unread.is_some() && kind.way.of != Some(Capability::ReadHome);
    for row in rows.into_iter().filter(|row| Kind::of(&row.kind).is_some_and(act)) {
        let ways = [(Channel::Push, row.push), (Channel::Email, row.email), (Channel::Sms, row.phone)];
        let one = found.entry(row.member).or_insert_with(|| Unreached {
            member: row.member,
            name: row.name,
            unread: 0,
            since: row.since,
            undelivered: 0,
            ways: ways.into_iter().filter_map(|(way, open)| open.then_some(way)).collect(),
            last_seen_at: row.last_seen_at,
        });
        one.unread += row.unread;
        one.undelivered += row.unread - row.delivered;
        one.since = one.since.min(row.since);
    }
    let mut found: Vec<Unreached> = found.into_values().collect();
    found.sort_by_key(|one| one.since);
    Ok(found)
}
