//! Figures of what a member sees: counted from rows at the moment they are asked for, with what is known to be missing.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use crate::app::App;
use crate::auth::{FigureReader, Overseer};
use crate::clock::{DAY, Millis};
use crate::error::Result;

pub struct Api(pub App);

/// A household is overdue when nobody visited it for so long.
const OVERDUE: Millis = 30 * DAY;
/// A phone from which nothing was heard for so long may hold work that is not counted.
const QUIET: Millis = 7 * DAY;

/// Counts of households and visits. Nobody is named.
#[derive(Object, sqlx::FromRow)]
pub struct Counts {
    pub households: i64,
    /// Visited within 30 days.
    pub visited: i64,
    /// Never visited, or longer ago.
    pub overdue: i64,
    pub visits_planned: i64,
    /// Submitted, and nobody has decided yet.
    pub visits_waiting: i64,
    pub visits_returned: i64,
    pub visits_approved: i64,
    /// Approved within 30 days.
    pub approved_lately: i64,
}

/// What is known not to be in the figures yet.
#[derive(Object, sqlx::FromRow)]
pub struct Gaps {
    /// Phones in use from which nothing was heard for a week.
    pub quiet_devices: i64,
    pub devices: i64,
    /// Pictures that were taken and have not arrived.
    pub missing_pictures: i64,
}

#[derive(Object, sqlx::FromRow)]
pub struct PlaceCounts {
    pub place: Uuid,
    pub name: String,
    pub households: i64,
    pub visited: i64,
    pub visits_waiting: i64,
}

#[derive(Object)]
pub struct Figures {
    /// When they were counted.
    pub as_of: Millis,
    pub counts: Counts,
    pub gaps: Gaps,
    /// The villages with most households that were not visited within 30 days; at most 50.
    pub places: Vec<PlaceCounts>,
}

/// Counts of one organisation, for oversight: no person, no household, no place below it is named.
#[derive(Object, sqlx::FromRow)]
pub struct OrganisationCounts {
    pub organisation: Uuid,
    pub code: String,
    pub name: String,
    pub places: i64,
    /// Mentors who may sign in.
    pub mentors: i64,
    pub households: i64,
    /// Visited within 30 days.
    pub visited: i64,
    pub visits_waiting: i64,
    pub visits_approved: i64,
    /// Approved within 30 days.
    pub approved_lately: i64,
    /// When a device of the organisation was last heard of.
    pub heard_at: Option<Millis>,
}

/// What oversight sees.
#[derive(Object)]
pub struct Across {
    /// When they were counted.
    pub as_of: Millis,
    pub organisations: Vec<OrganisationCounts>,
}

#[OpenApi(tag = "crate::api::Tag::Figures")]
impl Api {
    /// Figures of every organisation, for oversight
    ///
    /// Aggregates only: an oversight membership never reads a personal record.
    #[oai(path = "/api/figures/organisations", method = "get", operation_id = "figuresAcross")]
    async fn across(&self, _by: Overseer) -> Result<Json<Across>> {
        let now = self.0.clock.now();
        let organisations = self
            .0
            .db
            .query(
                "SELECT o.id AS organisation, o.code, o.name,
                     (SELECT count(*) FROM place p WHERE p.org = o.id) AS places,
                     (SELECT count(*) FROM member m WHERE m.org = o.id AND m.active AND m.role = 'mentor') AS mentors,
                     (SELECT count(*) FROM household h WHERE h.org = o.id AND h.merged_into IS NULL) AS households,
                     (SELECT count(*) FROM household h WHERE h.org = o.id AND h.merged_into IS NULL AND h.last_visit_at >= $1) AS visited,
                     (SELECT count(*) FROM visit v WHERE v.org = o.id AND v.state = 'submitted') AS visits_waiting,
                     (SELECT count(*) FROM visit v WHERE v.org = o.id AND v.state = 'approved') AS visits_approved,
                     (SELECT count(*) FROM visit v WHERE v.org = o.id AND v.state = 'approved' AND v.decided_at >= $1)
                         AS approved_lately,
                     (SELECT max(d.last_seen_at) FROM device d JOIN member m ON m.account = d.account
                      WHERE m.org = o.id) AS heard_at
                 FROM organisation o ORDER BY o.name, o.id",
            )
            .bind(now - OVERDUE)
            .all()
            .await?;
        Ok(Json(Across { as_of: now, organisations }))
    }

    /// Figures of what the caller sees
    ///
    /// Counted when asked for, within the caller's places.
    #[oai(path = "/api/figures", method = "get", operation_id = "figures")]
    async fn figures(&self, reader: FigureReader) -> Result<Json<Figures>> {
        let (db, now) = (&self.0.db, self.0.clock.now());
        let counts = db
            .query(
                "WITH seen AS (SELECT feed FROM member_feed WHERE org = $1 AND member = $2),
                 h AS (SELECT count(*) AS n, count(CASE WHEN last_visit_at >= $3 THEN 1 END) AS visited
                     FROM household WHERE org = $1 AND merged_into IS NULL AND feed IN (SELECT feed FROM seen)),
                 v AS (SELECT count(CASE WHEN state = 'planned' THEN 1 END) AS planned,
                         count(CASE WHEN state = 'submitted' THEN 1 END) AS waiting,
                         count(CASE WHEN state = 'returned' THEN 1 END) AS returned,
                         count(CASE WHEN state = 'approved' THEN 1 END) AS approved,
                         count(CASE WHEN state = 'approved' AND decided_at >= $3 THEN 1 END) AS lately
                     FROM visit WHERE org = $1 AND feed IN (SELECT feed FROM seen))
                 SELECT h.n AS households, h.visited, h.n - h.visited AS overdue, v.planned AS visits_planned,
                     v.waiting AS visits_waiting, v.returned AS visits_returned, v.approved AS visits_approved,
                     v.lately AS approved_lately FROM h, v",
            )
            .bind(reader.org)
            .bind(reader.id)
            .bind(now - OVERDUE)
            .one()
            .await?;
        let gaps = db
            .query(
                "WITH team AS (SELECT DISTINCT m.id, m.account FROM member m JOIN member_feed f ON f.org = m.org
                     AND f.member = m.id JOIN member_feed own ON own.org = m.org AND own.feed = f.feed AND own.member = $2
                     JOIN feed p ON p.org = f.org AND p.id = f.feed AND p.kind = 'place'
                     WHERE m.org = $1 AND m.active),
                 d AS (SELECT DISTINCT d.id, d.last_seen_at FROM device d JOIN team ON team.account = d.account
                     WHERE d.revoked_at IS NULL)
                 SELECT (SELECT count(*) FROM d WHERE last_seen_at < $3) AS quiet_devices, (SELECT count(*) FROM d) AS devices,
                     (SELECT count(*) FROM capture c JOIN team ON team.id = c.member
                      WHERE c.org = $1 AND c.received_at IS NULL) AS missing_pictures",
            )
            .bind(reader.org)
            .bind(reader.id)
            .bind(now - QUIET)
            .one()
            .await?;
        let places = db
            .query(
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
            .bind(now - OVERDUE)
            .all()
            .await?;
        Ok(Json(Figures { as_of: now, counts, gaps, places }))
    }
}
