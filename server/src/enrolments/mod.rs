//! Enrolments: a household's way through a programme, from the application to graduation.

pub mod api;
mod commands;
pub mod machine;
mod notices;
pub mod store;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::{apply, change};
pub use machine::{Event, State};

use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::media::Capture;
use crate::milestones::Milestone;

/// What has to be there when somebody says that they were at the home: a picture of the place.
pub const VERIFICATION_SLOT: &str = "site";

/// One step of an enrolment's way: appended, never changed.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "EnrolmentStep")]
pub struct Step {
    /// None for the application itself.
    pub event: Option<Event>,
    pub state: State,
    pub by: Uuid,
    pub at: Millis,
    pub reason: String,
}

/// Where somebody stood when they verified.
#[derive(Clone, Debug, Default, PartialEq, Object, Serialize, Deserialize)]
pub struct Position {
    #[serde(default)]
    pub lat: Option<f64>,
    #[serde(default)]
    pub lon: Option<f64>,
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// Why there is no position.
    #[serde(default)]
    pub no_gps_reason: Option<String>,
}

impl Position {
    pub fn check(&self) -> Result<()> {
        check::place(self.lat, self.lon, self.accuracy_m)?;
        check::text("no_gps_reason", self.no_gps_reason.as_deref().unwrap_or_default(), 200)?;
        if self.lat.is_none() && self.no_gps_reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Error::invalid("no_gps_reason", "Give a place, or say why there is none."));
        }
        Ok(())
    }
}

/// An enrolment as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Enrolment {
    pub id: Uuid,
    pub number: Option<String>,
    pub household: Uuid,
    /// The household's village; also the feed.
    pub place: Uuid,
    pub programme: Uuid,
    pub cycle: Option<Uuid>,
    pub mentor: Uuid,
    pub assessment: Uuid,
    pub assessed_by: Uuid,
    pub state: State,
    /// Who verified at the home, and where they stood.
    pub verified_by: Option<Uuid>,
    pub verified_at: Option<Millis>,
    pub position: Option<Position>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<Millis>,
    /// The mentor who is to take over.
    pub to_mentor: Option<Uuid>,
    pub history: Vec<Step>,
    /// The ladder, from the activation on.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

/// `enrolment.apply`: a household asks to take part, on the ground of an assessment.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ApplyForProgramme")]
pub struct Apply {
    pub id: Uuid,
    pub household: Uuid,
    pub programme: Uuid,
    pub assessment: Uuid,
    #[serde(default)]
    pub cycle: Option<Uuid>,
}

/// `enrolment.move`: `revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MoveEnrolment")]
pub struct Move {
    pub id: Uuid,
    pub revision: i64,
    pub event: Event,
    #[serde(default)]
    pub reason: String,
    /// Of a transfer: who is to take over.
    #[serde(default)]
    pub mentor: Option<Uuid>,
    /// Of a verification: where, and the picture.
    #[serde(default)]
    pub position: Option<Position>,
    #[serde(default)]
    pub evidence: Vec<Capture>,
}
