//! Enrolments by their state, who is behind on the ladder, and what waits for a decision, by its age.

use std::collections::BTreeMap;

use super::{EnrolmentCount, LateCount, RungCount, Waiting};
use crate::auth::FigureReader;
use crate::clock::{DAY, Millis};
use crate::db::Db;
use crate::error::Result;
use crate::milestones;

pub async fn enrolments(db: &Db, reader: &FigureReader) -> Result<Vec<EnrolmentCount>> {
    db.query(
        "SELECT state, count(*) AS count FROM enrolment
         WHERE org = $1 AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
         GROUP BY state ORDER BY state",
    )
    .bind(reader.org)
    .bind(reader.id)
    .all()
    .await
}

/// Active enrolments that stand alike on the ladder.
#[derive(sqlx::FromRow)]
pub struct Alike {
    /// A bit for each rung that is completed or skipped.
    done: i64,
    /// From which day on it is counted, in days since 1970.
    since: i64,
    pub count: i64,
}

/// The database counts those that stand alike; what is due when says the plan, in one place.
pub async fn alike(db: &Db, reader: &FigureReader) -> Result<Vec<Alike>> {
    db.query(
        "SELECT done, since, count(*) AS count FROM (
             SELECT e.rungs_done AS done, COALESCE(c.starts_day, e.climbs_from, e.created_at / 86400000) AS since
             FROM enrolment e LEFT JOIN cycle c ON c.org = e.org AND c.id = e.cycle
             WHERE e.org = $1 AND e.state = 'active'
                 AND e.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)) alike
         GROUP BY done, since",
    )
    .bind(reader.org)
    .bind(reader.id)
    .all()
    .await
}

/// `today`: days since 1970.
pub fn late(alike: &[Alike], today: i64) -> Vec<LateCount> {
    let mut behind = BTreeMap::new();
    for group in alike {
        if let Some(number) = milestones::late(group.done, group.since, today) {
            *behind.entry(number).or_insert(0) += group.count;
        }
    }
    behind.into_iter().map(|(number, count)| LateCount { number, count }).collect()
}

/// Every rung of the plan, those that nobody has reached too.
pub fn rungs(alike: &[Alike], today: i64) -> Vec<RungCount> {
    let behind = late(alike, today);
    let rung = |number| RungCount {
        number,
        done: alike.iter().filter(|group| group.done & milestones::bit(number) != 0).map(|group| group.count).sum(),
        late: behind.iter().filter(|one| one.number == number).map(|one| one.count).sum(),
    };
    milestones::plan().iter().map(|planned| rung(planned.number)).collect()
}

pub async fn waiting(db: &Db, reader: &FigureReader, now: Millis) -> Result<Vec<Waiting>> {
    db.query(
        "WITH seen AS (SELECT feed FROM member_feed WHERE org = $1 AND member = $2),
         w AS (
             SELECT 'visit' AS what, state, submitted_at AS since FROM visit
             WHERE org = $1 AND state = 'submitted' AND feed IN (SELECT feed FROM seen)
             UNION ALL
             SELECT 'enrolment', state, COALESCE(state_at, created_at) FROM enrolment
             WHERE org = $1 AND state IN ('applied', 'screening', 'verification', 'qualified', 'approved')
                 AND feed IN (SELECT feed FROM seen)
             UNION ALL
             SELECT CASE WHEN state = 'approved' THEN 'release' ELSE 'grant' END, state, state_at FROM grant_file
             WHERE org = $1 AND state IN ('submitted', 'in_review', 'recommended', 'approved')
                 AND feed IN (SELECT feed FROM seen)
             UNION ALL
             SELECT 'utilisation', utilisation, acknowledged_at FROM grant_file
             WHERE org = $1 AND utilisation = 'submitted' AND feed IN (SELECT feed FROM seen))
         SELECT what, state, count(*) AS count, count(CASE WHEN since <= $5 THEN 1 END) AS day,
             count(CASE WHEN since <= $3 THEN 1 END) AS three_days,
             count(CASE WHEN since <= $4 THEN 1 END) AS week, COALESCE(min(since), 0) AS oldest_at
         FROM w GROUP BY what, state ORDER BY what, state",
    )
    .bind(reader.org)
    .bind(reader.id)
    .bind(now - 3 * DAY)
    .bind(now - 7 * DAY)
    .bind(now - DAY)
    .all()
    .await
}
