//! Figures of what a member sees: counted from rows at the moment they are asked for, with what is known to be missing.

mod across;
mod day;
mod field;
mod money;
mod work;

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use crate::app::App;
use crate::auth::{FigureReader, Overseer};
use crate::check;
use crate::clock::{DAY, Millis, day_of};
use crate::config::Tiles;
use crate::error::Result;
use day::{DayCounts, DayMap, HourCount};

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
    /// Records handed in of which a picture has not arrived, or was set aside.
    pub unproven: i64,
}

#[derive(Object, sqlx::FromRow)]
pub struct PlaceCounts {
    pub place: Uuid,
    pub name: String,
    pub households: i64,
    pub visited: i64,
    pub visits_waiting: i64,
}

/// How many enrolments are in a state.
#[derive(Object, sqlx::FromRow)]
pub struct EnrolmentCount {
    pub state: String,
    pub count: i64,
}

/// How many households are behind at a milestone: it is the open one that is due first, and its day is over.
#[derive(Object)]
pub struct LateCount {
    /// 1 … 12.
    pub number: i64,
    pub count: i64,
}

/// How far households are on the ladder, rung by rung.
#[derive(Object)]
pub struct RungCount {
    /// 1 … 12.
    pub number: i64,
    /// Active enrolments that have it behind them: completed, or skipped.
    pub done: i64,
    /// Those for whom it is the open one that is due first, and its day is over.
    pub late: i64,
}

/// How many grants are in a state, and what they come to.
#[derive(Object, sqlx::FromRow)]
pub struct GrantCount {
    pub state: String,
    pub count: i64,
    pub amount_minor: i64,
}

/// What grants took from a programme's budget, as the ledger says.
#[derive(Object, sqlx::FromRow)]
#[oai(skip_serializing_if_is_none)]
pub struct BudgetUse {
    pub programme: Uuid,
    pub code: String,
    /// Of the whole programme.
    pub budget_minor: Option<i64>,
    /// Promised to grants within the caller's places, what was paid of it included.
    pub committed_minor: i64,
    pub released_minor: i64,
}

/// Something that waits for somebody's word.
#[derive(Object, sqlx::FromRow)]
pub struct Waiting {
    /// visit, enrolment, grant, release or utilisation.
    pub what: String,
    /// The state in which they wait.
    pub state: String,
    pub count: i64,
    /// For a day or longer.
    pub day: i64,
    /// For three days or longer.
    pub three_days: i64,
    /// For a week or longer.
    pub week: i64,
    pub oldest_at: Millis,
}

#[derive(Object)]
pub struct Figures {
    /// When they were counted.
    pub as_of: Millis,
    pub counts: Counts,
    pub gaps: Gaps,
    /// The villages with most households that were not visited within 30 days; at most 50.
    pub places: Vec<PlaceCounts>,
    pub enrolments: Vec<EnrolmentCount>,
    /// Of enrolments that are active; the sum is how many households are behind.
    pub late: Vec<LateCount>,
    pub grants: Vec<GrantCount>,
    pub budgets: Vec<BudgetUse>,
    pub waiting: Vec<Waiting>,
    /// Reports on the use of grants that are past their day, or came back and were not mended.
    pub use_due: i64,
    /// Receipts that did not fit what was released: kept, and not counted.
    pub flagged_receipts: i64,
}

/// Where pictures of the land come from, when the installation says so.
#[derive(Object)]
pub struct MapTiles {
    /// With `{z}`, `{x}` and `{y}`.
    pub url: String,
    /// Whose they are, as their owner wants it said.
    pub attribution: String,
}

impl From<&Tiles> for MapTiles {
    fn from(tiles: &Tiles) -> Self {
        Self { url: tiles.url.clone(), attribution: tiles.attribution.clone() }
    }
}

/// A day in the field, and what stands open at this moment.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Dashboard {
    /// When it was counted.
    pub as_of: Millis,
    /// The day, by the organisation's clock: 2026-11-29.
    pub date: String,
    pub time_zone: String,
    /// The day's hours one after the other: 24, or 23 or 25 where clocks are moved.
    pub hours: Vec<HourCount>,
    pub day: DayCounts,
    /// Nothing for roles that read no visits.
    pub map: Option<DayMap>,
    pub tiles: Option<MapTiles>,
    pub waiting: Vec<Waiting>,
    pub gaps: Gaps,
    /// Enrolments that are active.
    pub active: i64,
    /// Late by the day asked for.
    pub rungs: Vec<RungCount>,
    pub grants: Vec<GrantCount>,
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
        let organisations = across::organisations(&self.0.db, now - OVERDUE).await?;
        Ok(Json(Across { as_of: now, organisations }))
    }

    /// Figures of what the caller sees
    ///
    /// Counted when asked for, within the caller's places.
    #[oai(path = "/api/figures", method = "get", operation_id = "figures")]
    async fn figures(
        &self,
        reader: FigureReader,
        /// The day by the organisation's clock, as 2026-11-29: what is late is late by it. Else the server's, in UTC.
        today: Query<Option<String>>,
    ) -> Result<Json<Figures>> {
        check::date("today", today.as_deref())?;
        let (db, now) = (&self.0.db, self.0.clock.now());
        let day = today.as_deref().and_then(day_of).unwrap_or(now / DAY);
        Ok(Json(Figures {
            as_of: now,
            counts: field::counts(db, &reader, now - OVERDUE).await?,
            gaps: field::gaps(db, &reader, now - QUIET).await?,
            places: field::places(db, &reader, now - OVERDUE).await?,
            enrolments: work::enrolments(db, &reader).await?,
            late: work::late(&work::alike(db, &reader).await?, day),
            grants: money::grants(db, &reader).await?,
            budgets: money::budgets(db, &reader).await?,
            waiting: work::waiting(db, &reader, now).await?,
            use_due: money::use_due(db, &reader, day).await?,
            flagged_receipts: money::flagged(db, &reader).await?,
        }))
    }

    /// A day in the field
    ///
    /// Visits by the hour they began, by the organisation's clock, and where they took place; what waits, what is missing,
    /// milestones and grants as they stand now. Counted when asked for, within the caller's places.
    #[oai(path = "/api/figures/day", method = "get", operation_id = "dashboard")]
    async fn dashboard(
        &self,
        reader: FigureReader,
        /// The day, as 2026-11-29. Else today, by the organisation's clock.
        date: Query<Option<String>>,
    ) -> Result<Json<Dashboard>> {
        check::date("date", date.as_deref())?;
        let (db, now) = (&self.0.db, self.0.clock.now());
        let day = day::Day::of(db, &reader, date.as_deref(), now).await?;
        let hours = day::hours(db, &reader, &day).await?;
        let map = match reader.again().visit_reader() {
            Ok(visits) => Some(day::map(db, &visits, &day, day::made(&hours)).await?),
            Err(_) => None,
        };
        let alike = work::alike(db, &reader).await?;
        Ok(Json(Dashboard {
            as_of: now,
            date: day.date.format("%Y-%m-%d").to_string(),
            time_zone: day.zone.name().to_owned(),
            day: day::counts(db, &reader, &day).await?,
            hours,
            map,
            tiles: self.0.config.tiles.as_ref().map(Into::into),
            waiting: work::waiting(db, &reader, now).await?,
            gaps: field::gaps(db, &reader, now - QUIET).await?,
            active: alike.iter().map(|group| group.count).sum(),
            rungs: work::rungs(&alike, day.number()),
            grants: money::grants(db, &reader).await?,
        }))
    }
}
