//! The visit's states, and the only way from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "VisitState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Planned,
    InProgress,
    Submitted,
    Approved,
    Returned,
    Cancelled,
    Missed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Submit,
    Approve,
    Return,
    Cancel,
    Miss,
}

impl Event {
    pub const ALL: [Self; 6] = [Self::Start, Self::Submit, Self::Approve, Self::Return, Self::Cancel, Self::Miss];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Cancel => "cancel",
            Self::Miss => "miss",
        }
    }
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Planned, Self::InProgress, Self::Submitted, Self::Approved, Self::Returned, Self::Cancelled, Self::Missed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::InProgress => "in_progress",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
        }
    }

    /// planned → in_progress → submitted → approved | returned → submitted; cancelled; missed.
    /// A visit that was called off or missed by somebody while its mentor, without a network, was there counts all the
    /// same: what was captured arrives, and the supervisor decides.
    ///
    /// # Errors
    /// 422 `wrong_state` when the event does not fit.
    pub fn transition(self, event: Event) -> Result<Self> {
        match (self, event) {
            (Self::Planned, Event::Start) => Ok(Self::InProgress),
            (Self::Planned | Self::InProgress | Self::Returned | Self::Missed | Self::Cancelled, Event::Submit) => {
                Ok(Self::Submitted)
            }
            (Self::Submitted, Event::Approve) => Ok(Self::Approved),
            (Self::Submitted, Event::Return) => Ok(Self::Returned),
            (Self::Planned | Self::InProgress, Event::Cancel) => Ok(Self::Cancelled),
            (Self::Planned | Self::InProgress, Event::Miss) => Ok(Self::Missed),
            _ => Err(Error::refused("wrong_state", format!("Not possible while the visit is {}.", self.as_str()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documented_ways_are_open() {
        let events = Event::ALL;
        let ways: usize = State::ALL.iter().map(|s| events.iter().filter(|e| s.transition(**e).is_ok()).count()).sum();
        assert_eq!(ways, 12);
        assert!(events.iter().all(|e| State::Approved.transition(*e).is_err()), "approved is final");
        let on = events.iter().filter(|e| State::Cancelled.transition(**e).is_ok());
        assert!(on.eq([&Event::Submit]), "of what was called off only a visit that was made all the same counts");
    }
}
