//! Counts of every organisation, for oversight.

use super::OrganisationCounts;
use crate::clock::Millis;
use crate::db::Db;
use crate::error::Result;

/// `since`: a household is up to date when it was visited after that.
pub async fn organisations(db: &Db, since: Millis) -> Result<Vec<OrganisationCounts>> {
    db.query(
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
    .bind(since)
    .all()
    .await
}
