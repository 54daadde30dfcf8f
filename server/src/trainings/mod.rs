//! Trainings: what is taught in which order, the sessions in the villages, and who was there.

pub mod api;
mod commands;
pub mod machine;
mod roll;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::{cancel, change, hold, leave, schedule};
pub use machine::State;
pub use roll::{attend, settle};

use crate::check;
use crate::clock::{DAY, Millis};
use crate::error::{Error, Result};
use crate::policies::Words;

/// Seats, unless somebody says otherwise.
const CAPACITY: i64 = 25;
/// More is no training any more, and no roll that anybody calls.
const MOST: i64 = 200;
/// A session may go over several days, but not for ever.
const LONGEST: Millis = 31 * DAY;

/// What is said of a module.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "TrainingModuleFacts")]
pub struct ModuleFacts {
    /// 1 … 999; each once in the organisation.
    pub number: i64,
    pub title: Words,
    /// The module that comes before it.
    #[serde(default)]
    pub prerequisite: Option<Uuid>,
    /// Sessions are planned of it.
    pub active: bool,
}

/// A module as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "TrainingModule")]
pub struct Module {
    pub id: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: ModuleFacts,
    pub updated_at: Millis,
    pub revision: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "TrainingPresence", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Full,
    Partial,
    Absent,
}

impl Presence {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Absent => "absent",
        }
    }
}

/// What the roll says of one household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object, Serialize, Deserialize)]
#[oai(rename = "TrainingMark")]
pub struct Mark {
    pub presence: Presence,
    #[serde(default)]
    pub arrived_at: Option<Millis>,
    #[serde(default)]
    pub left_at: Option<Millis>,
}

impl Mark {
    pub fn was_there(self) -> bool {
        self.presence != Presence::Absent
    }

    fn check(self) -> Result<()> {
        check::time("arrived_at", self.arrived_at)?;
        check::time("left_at", self.left_at)?;
        if !self.was_there() && (self.arrived_at, self.left_at) != (None, None) {
            return Err(Error::invalid("presence", "Whoever was absent neither came nor left."));
        }
        if self.arrived_at.zip(self.left_at).is_some_and(|(came, left)| left < came) {
            return Err(Error::invalid("left_at", "Nobody leaves before they come."));
        }
        Ok(())
    }
}

/// An invited household, and what the roll says of it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "TrainingSeat")]
pub struct Seat {
    pub household: Uuid,
    /// None before somebody recorded it.
    pub mark: Option<Mark>,
    /// Who recorded it, and when.
    pub by: Option<Uuid>,
    pub at: Option<Millis>,
}

impl Seat {
    fn of(household: Uuid) -> Self {
        Self { household, mark: None, by: None, at: None }
    }
}

/// A session as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Training {
    pub id: Uuid,
    pub number: Option<String>,
    /// The village; also the feed.
    pub place: Uuid,
    pub module: Uuid,
    /// Where in the village.
    pub venue: String,
    pub starts_at: Millis,
    pub ends_at: Millis,
    pub capacity: i64,
    /// The member who teaches.
    pub trainer: Uuid,
    pub seats: Vec<Seat>,
    /// Of those invited: who had not attended the module's prerequisite when it was planned.
    pub lacking: Vec<Uuid>,
    pub state: State,
    /// Why it was cancelled.
    pub reason: String,
    pub planned_by: Uuid,
    pub planned_at: Millis,
    /// Which plan this is: `training.change` says which one was looked at. The roll does not change it.
    pub planned_revision: i64,
    pub held_by: Option<Uuid>,
    pub held_at: Option<Millis>,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

impl Training {
    pub fn present(&self) -> Vec<Uuid> {
        let there = self.seats.iter().filter(|seat| seat.mark.is_some_and(Mark::was_there));
        there.map(|seat| seat.household).collect()
    }
}

/// When, where, and for whom.
#[derive(Clone, Debug, Object, Deserialize)]
#[oai(rename = "TrainingPlan")]
pub struct Plan {
    pub venue: String,
    pub starts_at: Millis,
    pub ends_at: Millis,
    /// 25 unless said otherwise.
    #[serde(default)]
    pub capacity: Option<i64>,
    pub trainer: Uuid,
    /// Of the village, each on its way in a programme.
    pub households: Vec<Uuid>,
    /// Somebody was shown who lacks the prerequisite, and invites them all the same.
    #[serde(default)]
    pub despite_prerequisite: bool,
}

/// `training.schedule`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ScheduleTraining")]
pub struct Schedule {
    pub id: Uuid,
    pub module: Uuid,
    pub place: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub plan: Plan,
}

/// `training.change`: `planned_revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ChangeTraining")]
pub struct Change {
    pub id: Uuid,
    pub planned_revision: i64,
    #[oai(flatten)]
    #[serde(flatten)]
    pub plan: Plan,
}

/// `training.cancel`: with a reason.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "CancelTraining")]
pub struct Cancel {
    pub id: Uuid,
    pub reason: String,
}

/// `training.hold`: it took place; what the roll says counts from now on.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "HoldTraining")]
pub struct Hold {
    pub id: Uuid,
}

/// What somebody saw in the roll, and what they set.
#[derive(Clone, Debug, Object, Deserialize)]
#[oai(rename = "TrainingMarkChange")]
pub struct MarkChange {
    pub household: Uuid,
    #[serde(default)]
    pub was: Option<Mark>,
    #[serde(default)]
    pub now: Option<Mark>,
}

/// `training.attend`: merges household by household; two who recorded differently open a conflict.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "AttendTraining")]
pub struct Attend {
    pub id: Uuid,
    pub marks: Vec<MarkChange>,
}

impl ModuleFacts {
    pub fn check(&self) -> Result<()> {
        if !(1..=999).contains(&self.number) {
            return Err(Error::invalid("number", "A number from 1 to 999."));
        }
        check::name("title", &self.title.en)?;
        check::name("title", &self.title.sw)
    }
}

impl Plan {
    fn seats(&self) -> i64 {
        self.capacity.unwrap_or(CAPACITY)
    }

    fn check(&self) -> Result<()> {
        check::name("venue", &self.venue)?;
        check::time("starts_at", Some(self.starts_at))?;
        check::time("ends_at", Some(self.ends_at))?;
        if self.ends_at <= self.starts_at || self.ends_at - self.starts_at > LONGEST {
            return Err(Error::invalid("ends_at", "A training ends after it began, within a month."));
        }
        if !(1..=MOST).contains(&self.seats()) {
            return Err(Error::invalid("capacity", format!("Between 1 and {MOST} seats.")));
        }
        let mut known = std::collections::BTreeSet::new();
        if !self.households.iter().all(|one| known.insert(*one)) {
            return Err(Error::invalid("households", "A household is there twice."));
        }
        let invited = self.households.len() as i64;
        if invited > self.seats() {
            let message = format!("{invited} households are invited, and there are {} seats.", self.seats());
            return Err(Error::refused("over_capacity", message).field("households"));
        }
        Ok(())
    }
}
