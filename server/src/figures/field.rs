//! Households and visits within the caller's places, and what is known not to be in the figures.

use super::{Counts, Gaps, PlaceCounts};
use crate::auth::FigureReader;
use crate::clock::Millis;
use crate::db::Db;
use crate::error::Result;

/// `since`: a household is up to date when it was visited after that. Place by place and state by state: each is a stretch
/// of one index, where looking at every visit once and telling its state takes more than twice as long.
pub async fn counts(db: &Db, reader: &FigureReader, since: Millis) -> Result<Counts> {
    db.query(
        "WITH seen AS (SELECT feed FROM member_feed WHERE org = $1 AND member = $2),
         h AS (SELECT count(*) AS n, count(CASE WHEN last_visit_at >= $3 THEN 1 END) AS visited
             FROM household WHERE org = $1 AND merged_into IS NULL AND feed IN (SELECT feed FROM seen)),
         v AS (SELECT
                 (SELECT count(*) FROM visit v WHERE v.org = $1 AND v.feed = seen.feed AND v.state = 'planned') AS planned,
                 (SELECT count(*) FROM visit v WHERE v.org = $1 AND v.feed = seen.feed AND v.state = 'submitted') AS waiting,
                 (SELECT count(*) FROM visit v WHERE v.org = $1 AND v.feed = seen.feed AND v.state = 'returned') AS returned,
                 (SELECT count(*) FROM visit v WHERE v.org = $1 AND v.feed = seen.feed AND v.state = 'approved') AS approved,
                 (SELECT count(*) FROM visit v WHERE v.org = $1 AND v.feed = seen.feed AND v.state = 'approved'
                      AND v.decided_at >= $3) AS lately
             FROM seen),
         s AS (SELECT CAST(COALESCE(SUM(planned), 0) AS BIGINT) AS planned, CAST(COALESCE(SUM(waiting), 0) AS BIGINT) AS waiting,
                 CAST(COALESCE(SUM(returned), 0) AS BIGINT) AS returned, CAST(COALESCE(SUM(approved), 0) AS BIGINT) AS approved,
                 CAST(COALESCE(SUM(lately), 0) AS BIGINT) AS lately FROM v)
         SELECT h.n AS households, h.visited, h.n - h.visited AS overdue, s.planned AS visits_planned,
             s.waiting AS visits_waiting, s.returned AS visits_returned, s.approved AS visits_approved,
             s.lately AS approved_lately FROM h, s",
    )
    .bind(reader.org)
    .bind(reader.id)
    .bind(since)
    .one()
    .await
}

/// `since`: a phone that was not heard of after that is quiet. From the places to what is missed there: the cross join
/// keeps SQLite from walking through all evidence.
pub async fn gaps(db: &Db, reader: &FigureReader, since: Millis) -> Result<Gaps> {
    db.query(
        "WITH team AS (SELECT DISTINCT m.id, m.account FROM member m JOIN member_feed f ON f.org = m.org
             AND f.member = m.id JOIN member_feed own ON own.org = m.org AND own.feed = f.feed AND own.member = $2
             JOIN feed p ON p.org = f.org AND p.id = f.feed AND p.kind = 'place'
             WHERE m.org = $1 AND m.active),
         d AS (SELECT DISTINCT d.id, d.last_seen_at FROM device d JOIN team ON team.account = d.account
             WHERE d.revoked_at IS NULL)
         SELECT (SELECT count(*) FROM d WHERE last_seen_at < $3) AS quiet_devices, (SELECT count(*) FROM d) AS devices,
             (SELECT count(*) FROM capture c JOIN team ON team.id = c.member
              WHERE c.org = $1 AND c.received_at IS NULL) AS missing_pictures,
             (SELECT count(DISTINCT e.subject) FROM member_feed f CROSS JOIN evidence e
              WHERE f.org = $1 AND f.member = $2 AND e.org = $1 AND e.feed = f.feed
                  AND e.state IN ('announced', 'quarantined') AND e.superseded_by IS NULL) AS unproven",
    )
    .bind(reader.org)
    .bind(reader.id)
    .bind(since)
    .one()
    .await
}

pub async fn places(db: &Db, reader: &FigureReader, since: Millis) -> Result<Vec<PlaceCounts>> {
    db.query(
        "SELECT p.id AS place, p.name, count(h.id) AS households,
             count(CASE WHEN h.last_visit_at >= $3 THEN 1 END) AS visited,
             (SELECT count(*) FROM visit v WHERE v.org = p.org AND v.feed = p.id AND v.state = 'submitted') AS visits_waiting
         FROM member_feed m JOIN place p ON p.org = m.org AND p.id = m.feed
         JOIN household h ON h.org = p.org AND h.feed = p.id AND h.merged_into IS NULL
         WHERE m.org = $1 AND m.member = $2 GROUP BY p.org, p.id, p.name
         ORDER BY count(h.id) - count(CASE WHEN h.last_visit_at >= $3 THEN 1 END) DESC, p.id LIMIT 50",
    )
    .bind(reader.org)
    .bind(reader.id)
    .bind(since)
    .all()
    .await
}
