//! Data quality (DOMAIN §2): 100 − Σ(count × weight) / total × 100 over what is not known of households, with the rows behind.

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::auth::{FigureReader, HouseholdReader};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::households::{Card, Facts};
use crate::wire::{Page, Stored, page};

/// Something that should be known of every household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "QualityGap", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    NationalId,
    Phone,
    Members,
    /// Where the home is.
    Position,
    /// Sex or birth date of its head.
    Head,
}

impl Gap {
    pub const ALL: [Self; 5] = [Self::NationalId, Self::Phone, Self::Members, Self::Position, Self::Head];

    fn bit(self) -> i64 {
        1 << self as i64
    }

    /// 3 high, 2 medium.
    pub fn weight(self) -> i64 {
        match self {
            Self::NationalId | Self::Members => 3,
            Self::Phone | Self::Position | Self::Head => 2,
        }
    }
}

/// What is not known, as the column keeps it.
pub fn gaps(facts: &Facts) -> i64 {
    let missing = |gap: &Gap| match gap {
        Gap::NationalId => facts.national_id.is_none(),
        Gap::Phone => facts.phone.is_none(),
        Gap::Members => facts.members.is_empty(),
        Gap::Position => facts.lat.is_none(),
        Gap::Head => facts.head_sex.is_none() || facts.head_birth_date.is_none(),
    };
    Gap::ALL.into_iter().filter(missing).map(Gap::bit).sum()
}

/// How many households lack something.
#[derive(Object)]
#[oai(rename = "QualityCount")]
pub struct Count {
    pub gap: Gap,
    pub households: i64,
}

/// The quality of one village's, one mentor's or all households.
#[derive(Object)]
#[oai(rename = "Quality")]
pub struct Quality {
    /// The village or the mentor; none for all.
    #[oai(skip_serializing_if_is_none)]
    pub id: Option<Uuid>,
    pub name: String,
    pub households: i64,
    /// 0 to 100.
    pub score: i64,
    /// excellent from 90 on, good from 75, attention from 50, else critical.
    pub level: String,
    pub gaps: Vec<Count>,
}

#[derive(Object)]
#[oai(rename = "QualityFigures")]
pub struct Figures {
    /// When they were counted.
    pub as_of: Millis,
    pub all: Quality,
    /// The worst first; at most 200.
    pub villages: Vec<Quality>,
    /// By the villages in which they work; the worst first.
    pub mentors: Vec<Quality>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    households: i64,
    national_id: i64,
    phone: i64,
    members: i64,
    position: i64,
    head: i64,
}

/// 100 − Σ(count × weight) / total × 100, and never below 0. Nobody to know of is nothing unknown.
fn score(total: i64, counts: &[Count]) -> i64 {
    let lost: i64 = counts.iter().map(|one| one.households * one.gap.weight()).sum();
    if total == 0 { 100 } else { (100 - (100 * lost + total / 2) / total).max(0) }
}

impl Row {
    fn quality(self) -> Quality {
        let counts = [self.national_id, self.phone, self.members, self.position, self.head];
        let gaps: Vec<Count> = Gap::ALL.into_iter().zip(counts).map(|(gap, households)| Count { gap, households }).collect();
        let score = score(self.households, &gaps);
        let level = match score {
            90.. => "excellent",
            75.. => "good",
            50.. => "attention",
            _ => "critical",
        };
        Quality { id: Some(self.id), name: self.name, households: self.households, score, level: level.into(), gaps }
    }
}

macro_rules! counts {
    () => {
        "count(*) AS households, count(CASE WHEN (h.gaps & 1) > 0 THEN 1 END) AS national_id,
         count(CASE WHEN (h.gaps & 2) > 0 THEN 1 END) AS phone, count(CASE WHEN (h.gaps & 4) > 0 THEN 1 END) AS members,
         count(CASE WHEN (h.gaps & 8) > 0 THEN 1 END) AS position, count(CASE WHEN (h.gaps & 16) > 0 THEN 1 END) AS head "
    };
}

const VILLAGES: &str = concat!(
    "SELECT p.id, p.name, ",
    counts!(),
    "FROM household h JOIN member_feed s ON s.org = h.org AND s.feed = h.feed AND s.member = $2
     JOIN place p ON p.org = h.org AND p.id = h.feed
     WHERE h.org = $1 AND h.merged_into IS NULL GROUP BY p.id, p.name"
);

const MENTORS: &str = concat!(
    "SELECT m.id, a.name, ",
    counts!(),
    "FROM household h JOIN member_feed s ON s.org = h.org AND s.feed = h.feed AND s.member = $2
     JOIN member_feed f ON f.org = h.org AND f.feed = h.feed
     JOIN member m ON m.org = f.org AND m.id = f.member AND m.role = 'mentor' AND m.active
     JOIN account a ON a.id = m.account
     WHERE h.org = $1 AND h.merged_into IS NULL GROUP BY m.id, a.name"
);

/// Households that lack something, by name.
const ROWS: &str = "SELECT string_agg(p.card, ','), count(*), max(p.name_key || '\u{1}' || p.number)
     FROM (SELECT h.card, h.name_key, h.number FROM household h
           WHERE h.org = $1 AND (h.name_key, h.number) > ($3, $4) AND h.merged_into IS NULL
             AND h.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
             AND ($5 IS NULL OR h.feed = $5) AND (h.gaps & $6) > 0
             AND ($8 IS NULL OR h.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $8))
           ORDER BY h.name_key, h.number LIMIT CAST($7 AS BIGINT)) AS p";

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Figures")]
impl Api {
    /// How complete the register is
    ///
    /// 100 − Σ(count × weight) / total × 100: no national id or no members weigh 3; no phone, no position, or a head of
    /// unknown sex or age weigh 2. Within the caller's places.
    #[oai(path = "/api/figures/quality", method = "get", operation_id = "quality")]
    async fn quality(&self, reader: FigureReader) -> Result<Json<Figures>> {
        let db = &self.0.db;
        let rows: Vec<Row> = db.query(VILLAGES).bind(reader.org).bind(reader.id).all().await?;
        let sum = |of: fn(&Row) -> i64| rows.iter().map(of).sum();
        let all = Row {
            id: reader.org,
            name: String::new(),
            households: sum(|row| row.households),
            national_id: sum(|row| row.national_id),
            phone: sum(|row| row.phone),
            members: sum(|row| row.members),
            position: sum(|row| row.position),
            head: sum(|row| row.head),
        };
        let all = Quality { id: None, ..all.quality() };
        let mentors: Vec<Row> = db.query(MENTORS).bind(reader.org).bind(reader.id).all().await?;
        let mut villages = worst_first(rows);
        villages.truncate(200);
        Ok(Json(Figures { as_of: self.0.clock.now(), all, villages, mentors: worst_first(mentors) }))
    }

    /// Households of which something is not known
    ///
    /// The rows behind the figure, by name.
    #[oai(path = "/api/figures/quality/households", method = "get", operation_id = "listGaps")]
    async fn rows(
        &self,
        reader: HouseholdReader,
        gap: Query<Option<Gap>>,
        place: Query<Option<Uuid>>,
        mentor: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Card>>> {
        let after = after.0.unwrap_or_default();
        if after.contains('\0') {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        let (name, number) = after.split_once('\u{1}').unwrap_or_default();
        let limit = limit.0.unwrap_or(50);
        let wanted = gap.0.map_or_else(|| Gap::ALL.into_iter().map(Gap::bit).sum(), Gap::bit);
        let query = self.0.db.query(ROWS).bind(reader.org).bind(reader.id).bind(name).bind(number).bind(place.0);
        let (items, count, last): (Option<String>, i64, Option<String>) =
            query.bind(wanted).bind(limit).bind(mentor.0).one().await?;
        Ok(page(items, last.filter(|_| count == limit)))
    }
}

fn worst_first(rows: Vec<Row>) -> Vec<Quality> {
    let mut all: Vec<Quality> = rows.into_iter().map(Row::quality).collect();
    all.sort_by(|one, other| (one.score, &one.name).cmp(&(other.score, &other.name)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_rules() {
        let counts = |all: [i64; 5]| -> Vec<Count> {
            Gap::ALL.into_iter().zip(all).map(|(gap, households)| Count { gap, households }).collect()
        };
        assert_eq!(score(0, &counts([0; 5])), 100);
        assert_eq!(score(100, &counts([0; 5])), 100);
        // 100 − (3 + 2 + 3 + 2 + 2) = 88
        assert_eq!(score(100, &counts([1; 5])), 88);
        assert_eq!(score(10, &counts([1, 0, 0, 0, 0])), 70);
        assert_eq!(score(10, &counts([10; 5])), 0);
    }
}
