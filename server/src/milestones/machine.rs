//! A milestone's states, and the only way from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "MilestoneState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    NotStarted,
    InProgress,
    Completed,
    Skipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "MilestoneMove", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Start,
    Complete,
    Skip,
    Reopen,
}

/// Every way there is. The phone has a copy (`pwa/src/ladder/ways.json`), and `docs/states.md` draws it.
const WAYS: &[(Event, &[State], State)] = {
    use State::*;
    &[
        (Event::Start, &[NotStarted], InProgress),
        (Event::Complete, &[NotStarted, InProgress], Completed),
        (Event::Skip, &[NotStarted, InProgress], Skipped),
        (Event::Reopen, &[Completed, Skipped], InProgress),
    ]
};

impl State {
    pub const ALL: [Self; 4] = [Self::NotStarted, Self::InProgress, Self::Completed, Self::Skipped];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Skipped => "skipped",
        }
    }

    /// Where the event leads.
    ///
    /// # Errors
    /// 422 `wrong_state` when it does not fit.
    pub fn transition(self, event: Event) -> Result<Self> {
        let way = WAYS.iter().find(|(by, from, _)| *by == event && from.contains(&self));
        way.map(|(.., to)| *to)
            .ok_or_else(|| Error::refused("wrong_state", format!("Not possible while the milestone is {}.", self.as_str())))
    }

    /// Whether it no longer stands in the way of graduation.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Completed | Self::Skipped)
    }
}

impl Event {
    pub const ALL: [Self; 4] = [Self::Start, Self::Complete, Self::Skip, Self::Reopen];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Complete => "complete",
            Self::Skip => "skip",
            Self::Reopen => "reopen",
        }
    }

    /// Only those who decide on enrolments do it by hand.
    pub fn is_a_decision(self) -> bool {
        matches!(self, Self::Skip | Self::Reopen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_is_opened_again() {
        for state in State::ALL {
            assert_eq!(state.transition(Event::Reopen).is_ok(), state.is_done());
            assert_eq!(state.transition(Event::Complete).is_ok(), !state.is_done());
        }
        let ways = State::ALL.iter().flat_map(|s| Event::ALL.iter().filter(|e| s.transition(**e).is_ok())).count();
        assert_eq!(ways, 7);
    }
}
