//! Assessments: whether a household is eligible for a programme, by an instrument's version, with how each factor counted.

pub mod api;
mod commands;
pub mod counting;
pub mod instrument;
mod qualify;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::record;
pub use counting::Counted;
pub use instrument::Answers;

use crate::clock::Millis;

/// Score, programme's area, capacity, no earlier participation and consent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Qualification {
    Qualified,
    /// `blocks` says why.
    NeedsReview,
    NotQualified,
}

impl Qualification {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qualified => "qualified",
            Self::NeedsReview => "needs_review",
            Self::NotQualified => "not_qualified",
        }
    }
}

/// When in a household's way it was assessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "AssessmentStage", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before it applies: the ground of an enrolment.
    #[default]
    Baseline,
    /// Half-way, by the programme's instrument again.
    Midterm,
    /// Before it graduates, by the programme's instrument for that.
    Graduation,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Midterm => "midterm",
            Self::Graduation => "graduation",
        }
    }
}

/// An assessment as devices and the API show it. It is never changed; a later one stands beside it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Assessment {
    pub id: Uuid,
    pub household: Uuid,
    /// The household's village; also the feed.
    pub place: Uuid,
    pub programme: Uuid,
    #[serde(default)]
    pub stage: Stage,
    pub instrument: String,
    pub version: i64,
    pub answers: Answers,
    /// Whether the household agreed to be assessed and to its data being kept.
    pub consent: bool,
    pub note: String,
    /// Hundredths of a point.
    pub score: i64,
    /// Of the instrument: eligible, marginal …
    pub outcome: String,
    /// Conditions of the instrument that do not hold.
    pub failed: Vec<String>,
    pub factors: Vec<Counted>,
    /// Of a baseline whether it may apply; later what the outcome says.
    pub qualification: Qualification,
    /// What stands in the way: marginal, instrument, area, capacity, closed, earlier, consent, national_id, phone,
    /// signature, or a condition of the instrument.
    pub blocks: Vec<String>,
    /// The phone's score, when it was another than the server's.
    pub phone_score: Option<i64>,
    pub assessed_by: Uuid,
    /// The device's time.
    pub assessed_at: Millis,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

/// `assessment.record`: the server counts again; `score` and `outcome` are what the phone has shown.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "RecordAssessment")]
pub struct Record {
    pub id: Uuid,
    pub household: Uuid,
    pub programme: Uuid,
    #[serde(default)]
    pub stage: Stage,
    pub instrument: String,
    pub version: i64,
    pub answers: Answers,
    pub consent: bool,
    #[serde(default)]
    pub note: String,
    pub score: i64,
    pub outcome: String,
}
