//! One day in the field: visits by the hour they began, what was handed in and decided, and where they took place.

use chrono::NaiveDate;
use chrono_tz::Tz;
use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use crate::auth::{FigureReader, VisitReader};
use crate::clock::{HOUR, Millis};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::notifications::quiet;
use crate::orgs::Organisation;
use crate::packed;
use crate::visits::State;

/// More points than this say nothing more, and cost a phone its patience.
const POINTS: i64 = 500;

/// A day of the organisation's clock: 24 hours, or 23 or 25 where clocks are moved.
pub struct Day {
    pub date: NaiveDate,
    pub zone: Tz,
    pub from: Millis,
    pub until: Millis,
}

impl Day {
    /// `wanted`, as 2026-11-29, or the day that it is there now.
    ///
    /// # Errors
    /// 422 when it is no date.
    pub async fn of(db: &Db, reader: &FigureReader, wanted: Option<&str>, now: Millis) -> Result<Self> {
        let body: (Vec<u8>,) =
            db.query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $1 AND id = $1").bind(reader.org).one().await?;
        let organisation: Organisation = serde_json::from_str(&packed::open(&body.0)?)?;
        let zone: Tz = organisation.time_zone.parse().unwrap_or(Tz::UTC);
        let invalid = || Error::invalid("date", "A date looks like 1987-04-21.");
        let date = match wanted {
            Some(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| invalid())?,
            None => quiet::day(zone, now).ok_or_else(invalid)?,
        };
        let next = date.succ_opt().ok_or_else(invalid)?;
        let midnight = |day| quiet::at(zone, day, 0).ok_or_else(invalid);
        Ok(Self { date, zone, from: midnight(date)?, until: midnight(next)? })
    }

    /// Days since 1970.
    pub fn number(&self) -> i64 {
        self.date.signed_duration_since(NaiveDate::default()).num_days()
    }
}

/// Visits that began within an hour, by what has become of them.
#[derive(Clone, Debug, Object)]
pub struct HourCount {
    /// When the hour begins.
    pub at: Millis,
    /// Begun, and not handed in yet.
    pub in_progress: i64,
    /// Handed in, and nobody has decided.
    pub submitted: i64,
    pub returned: i64,
    pub approved: i64,
}

/// What happened to visits on the day, whenever they were made.
#[derive(Debug, Object, sqlx::FromRow)]
pub struct DayCounts {
    pub handed_in: i64,
    pub approved: i64,
    pub returned: i64,
    /// Planned for the day, and not begun.
    pub planned: i64,
}

/// Where a visit of the day took place, as the phone measured it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct VisitPoint {
    pub visit: Uuid,
    pub household: Uuid,
    pub place: Uuid,
    pub mentor: Uuid,
    pub state: State,
    /// When it began.
    pub at: Millis,
    pub lat: f64,
    pub lon: f64,
    /// Metres.
    pub accuracy_m: Option<f64>,
}

/// The day's visits on the map: the latest 500.
#[derive(Default, Object)]
pub struct DayMap {
    pub points: Vec<VisitPoint>,
    /// Of those looked at, visits whose place is not known.
    pub without_place: i64,
    /// Earlier visits of the day that were not looked at.
    pub left_off: i64,
}

/// Each hour of the day, those without a visit too.
pub async fn hours(db: &Db, reader: &FigureReader, day: &Day) -> Result<Vec<HourCount>> {
    let rows: Vec<(i64, String, i64)> = db
        .query(
            "SELECT (started_at - $3) / $5, state, count(*) FROM visit
             WHERE org = $1 AND started_at >= $3 AND started_at < $4
                 AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
             GROUP BY (started_at - $3) / $5, state",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(day.from)
        .bind(day.until)
        .bind(HOUR)
        .all()
        .await?;
    let empty = |at| HourCount { at, in_progress: 0, submitted: 0, returned: 0, approved: 0 };
    let mut hours: Vec<HourCount> =
        std::iter::successors(Some(day.from), |at| Some(at + HOUR)).take_while(|at| *at < day.until).map(empty).collect();
    for (nth, state, count) in rows {
        let Some(hour) = usize::try_from(nth).ok().and_then(|nth| hours.get_mut(nth)) else { continue };
        match state.as_str() {
            "in_progress" => hour.in_progress += count,
            "submitted" => hour.submitted += count,
            "returned" => hour.returned += count,
            "approved" => hour.approved += count,
            // Called off: no visit.
            _ => {}
        }
    }
    Ok(hours)
}

/// From the day's visits to their places, not the other way around: the cross join keeps SQLite to that order.
pub async fn counts(db: &Db, reader: &FigureReader, day: &Day) -> Result<DayCounts> {
    db.query(
        "WITH seen AS (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
         SELECT (SELECT count(*) FROM visit v CROSS JOIN seen WHERE v.org = $1
                     AND v.state IN ('submitted', 'returned', 'approved') AND v.submitted_at >= $3 AND v.submitted_at < $4
                     AND seen.feed = v.feed) AS handed_in,
             (SELECT count(*) FROM visit WHERE org = $1 AND feed IN (SELECT feed FROM seen) AND state = 'approved'
                     AND decided_at >= $3 AND decided_at < $4) AS approved,
             (SELECT count(*) FROM visit WHERE org = $1 AND feed IN (SELECT feed FROM seen) AND state = 'returned'
                     AND decided_at >= $3 AND decided_at < $4) AS returned,
             (SELECT count(*) FROM visit WHERE org = $1 AND state = 'planned' AND planned_at >= $3 AND planned_at < $4
                     AND feed IN (SELECT feed FROM seen)) AS planned",
    )
    .bind(reader.org)
    .bind(reader.id)
    .bind(day.from)
    .bind(day.until)
    .one()
    .await
}

/// What a point needs of a visit's record.
#[derive(Deserialize)]
struct Place {
    id: Uuid,
    household: Uuid,
    place: Uuid,
    mentor: Uuid,
    state: State,
    started_at: Option<Millis>,
    lat: Option<f64>,
    lon: Option<f64>,
    accuracy_m: Option<f64>,
}

/// From the records themselves: a place that was erased from a visit stands in no column either.
pub async fn map(db: &Db, reader: &VisitReader, day: &Day, made: i64) -> Result<DayMap> {
    let (joined, looked_at): (Option<String>, i64) = db
        .query(
            "SELECT string_agg(hex(e.body), ',' ORDER BY p.started_at DESC, p.id), count(*)
             FROM (SELECT id, feed, started_at FROM visit
                   WHERE org = $1 AND started_at >= $3 AND started_at < $4
                       AND state IN ('in_progress', 'submitted', 'returned', 'approved')
                       AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
                   ORDER BY started_at DESC, id LIMIT CAST($5 AS BIGINT)) AS p
             JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(day.from)
        .bind(day.until)
        .bind(POINTS)
        .one()
        .await?;
    let Some(joined) = joined else { return Ok(DayMap::default()) };
    let visits: Vec<Place> = serde_json::from_str(&format!("[{}]", packed::open_list(&joined)?))?;
    let points: Vec<VisitPoint> = visits.iter().filter_map(point).collect();
    let without_place = looked_at - i64::try_from(points.len()).unwrap_or(looked_at);
    // A visit may have come between two looks.
    Ok(DayMap { points, without_place, left_off: (made - looked_at).max(0) })
}

fn point(visit: &Place) -> Option<VisitPoint> {
    Some(VisitPoint {
        visit: visit.id,
        household: visit.household,
        place: visit.place,
        mentor: visit.mentor,
        state: visit.state,
        at: visit.started_at?,
        lat: visit.lat?,
        lon: visit.lon?,
        accuracy_m: visit.accuracy_m,
    })
}

/// All of the day's visits, whatever their hour and state.
pub fn made(hours: &[HourCount]) -> i64 {
    hours.iter().map(|hour| hour.in_progress + hour.submitted + hour.returned + hour.approved).sum()
}
