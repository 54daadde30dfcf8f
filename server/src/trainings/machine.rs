//! A training session's states, and the only way from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "TrainingState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Scheduled,
    Held,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// When and where it is, and who is invited.
    Change,
    /// Who was there: also after it was held, when a roll comes late.
    Attend,
    Hold,
    Cancel,
}

impl State {
    pub const ALL: [Self; 3] = [Self::Scheduled, Self::Held, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
        }
    }

    /// scheduled → held | cancelled; the roll of one that was held can still be corrected.
    ///
    /// # Errors
    /// 422 `wrong_state` when the event does not fit.
    pub fn transition(self, event: Event) -> Result<Self> {
        match (self, event) {
            (Self::Scheduled, Event::Change | Event::Attend) => Ok(Self::Scheduled),
            (Self::Scheduled, Event::Hold) => Ok(Self::Held),
            (Self::Scheduled, Event::Cancel) => Ok(Self::Cancelled),
            (Self::Held, Event::Attend) => Ok(Self::Held),
            _ => Err(Error::refused("wrong_state", format!("Not possible: the training is {}.", self.as_str()))),
        }
    }
}

impl Event {
    pub const ALL: [Self; 4] = [Self::Change, Self::Attend, Self::Hold, Self::Cancel];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Attend => "attend",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
        }
    }
}
