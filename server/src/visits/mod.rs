//! Visits: what a mentor records at a household, and what a supervisor decides on it.

pub mod api;
mod commands;
pub mod machine;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::{approve, cancel, miss, plan, send_back, start, submit};
pub use machine::State;

use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::media::Capture;
use crate::signatures::SignedRecord;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "VisitKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Scheduled,
    FollowUp,
    Emergency,
    OnSite,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::FollowUp => "follow_up",
            Self::Emergency => "emergency",
            Self::OnSite => "on_site",
        }
    }
}

/// Topics of the organisation's list; texts in the PWA's catalogue.
pub const TOPICS: &[&str] = &["business", "savings", "health", "education", "nutrition", "group", "training", "other"];
/// Evidence a visit needs before it can be submitted.
pub const REQUIRED_SLOTS: &[&str] = &["front", "back", "signature"];
const BUSINESS: &[&str] = &["thriving", "stable", "struggling", "closed", "not_started"];

/// What was found and said during a visit. Texts are at most 4,000 characters.
#[derive(Clone, Debug, Default, Object, Serialize, Deserialize)]
#[oai(rename = "VisitFindings")]
pub struct Findings {
    #[serde(default)]
    pub started_at: Option<Millis>,
    #[serde(default)]
    pub ended_at: Option<Millis>,
    #[serde(default)]
    pub topics: Vec<String>,
    #[serde(default)]
    pub observations: String,
    #[serde(default)]
    pub recommendations: String,
    #[serde(default)]
    pub action_items: String,
    /// thriving, stable, struggling, closed or not_started
    #[serde(default)]
    pub business_status: Option<String>,
    #[serde(default)]
    pub income_minor: Option<i64>,
    #[serde(default)]
    pub support_needed: String,
    #[serde(default)]
    pub lat: Option<f64>,
    #[serde(default)]
    pub lon: Option<f64>,
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// Why there is no fix: no_fix, refused, unavailable, or other words.
    #[serde(default)]
    pub no_gps_reason: Option<String>,
}

impl Findings {
    /// Takes away what was said and where; when it was, its topics and its figures stay for the programme's own count.
    pub fn forget(&mut self) {
        for text in [&mut self.observations, &mut self.recommendations, &mut self.action_items, &mut self.support_needed] {
            text.clear();
        }
        (self.lat, self.lon, self.accuracy_m) = (None, None, None);
        self.no_gps_reason = None;
    }

    pub fn check(&self) -> Result<()> {
        check::time("started_at", self.started_at)?;
        check::time("ended_at", self.ended_at)?;
        if self.started_at.is_none() {
            return Err(Error::invalid("started_at", "When did the visit begin?"));
        }
        if self.topics.len() > TOPICS.len() {
            return Err(Error::invalid("topics", "A topic is there twice."));
        }
        for topic in &self.topics {
            check::one_of("topics", topic, TOPICS)?;
        }
        check::text("observations", &self.observations, 4000)?;
        check::text("recommendations", &self.recommendations, 4000)?;
        check::text("action_items", &self.action_items, 4000)?;
        check::text("support_needed", &self.support_needed, 4000)?;
        check::money("income_minor", self.income_minor)?;
        if let Some(status) = &self.business_status {
            check::one_of("business_status", status, BUSINESS)?;
        }
        check::place(self.lat, self.lon, self.accuracy_m)?;
        check::text("no_gps_reason", self.no_gps_reason.as_deref().unwrap_or_default(), 200)?;
        if self.lat.is_none() && self.no_gps_reason.as_deref().is_none_or(str::is_empty) {
            return Err(Error::invalid("no_gps_reason", "Give a place, or say why there is none."));
        }
        Ok(())
    }
}

/// A visit as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Visit {
    pub id: Uuid,
    pub number: Option<String>,
    pub household: Uuid,
    /// The household's village; also the feed.
    pub place: Uuid,
    pub mentor: Uuid,
    pub state: State,
    pub kind: Kind,
    pub planned_at: Option<Millis>,
    #[oai(flatten)]
    #[serde(flatten)]
    pub findings: Findings,
    /// The latest word of whoever returned, cancelled or missed it.
    pub note: Option<String>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<Millis>,
    /// How often it was submitted.
    pub round: i64,
    pub submitted_at: Option<Millis>,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

/// `visit.plan`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "PlanVisit")]
pub struct Plan {
    pub id: Uuid,
    pub household: Uuid,
    pub mentor: Uuid,
    pub kind: Kind,
    pub planned_at: Millis,
}

/// `visit.start`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "StartVisit")]
pub struct Start {
    pub id: Uuid,
    pub started_at: Millis,
}

/// `visit.submit`: creates the visit when it is new.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "SubmitVisit")]
pub struct Submit {
    pub id: Uuid,
    pub household: Uuid,
    pub kind: Kind,
    #[serde(default)]
    pub planned_at: Option<Millis>,
    #[oai(flatten)]
    #[serde(flatten)]
    pub findings: Findings,
    #[serde(default)]
    pub evidence: Vec<Capture>,
    #[serde(default)]
    pub signature: Option<SignedRecord>,
}

/// `visit.cancel`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "CancelVisit")]
pub struct Cancel {
    pub id: Uuid,
    pub reason: String,
}

/// `visit.miss`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MissVisit")]
pub struct Miss {
    pub id: Uuid,
    pub reason: String,
}

/// `visit.approve`: `revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ApproveVisit")]
pub struct Approve {
    pub id: Uuid,
    pub revision: i64,
}

/// `visit.return`: the note says what to correct.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ReturnVisit")]
pub struct Return {
    pub id: Uuid,
    pub revision: i64,
    pub note: String,
}
