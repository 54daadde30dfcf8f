//! A group's states, and the only way from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "GroupState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Active,
    Dissolved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its name, its business or who is in it; a survey too is of a group that works.
    Change,
    Survey,
    Dissolve,
}

impl State {
    pub const ALL: [Self; 2] = [Self::Active, Self::Dissolved];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Dissolved => "dissolved",
        }
    }

    /// active → dissolved; what is dissolved stays as it is.
    ///
    /// # Errors
    /// 422 `wrong_state` when the event does not fit.
    pub fn transition(self, event: Event) -> Result<Self> {
        match (self, event) {
            (Self::Active, Event::Change | Event::Survey) => Ok(Self::Active),
            (Self::Active, Event::Dissolve) => Ok(Self::Dissolved),
            (Self::Dissolved, _) => Err(Error::refused("wrong_state", "Not possible: the group is dissolved.")),
        }
    }
}

impl Event {
    pub const ALL: [Self; 3] = [Self::Change, Self::Survey, Self::Dissolve];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Survey => "survey",
            Self::Dissolve => "dissolve",
        }
    }
}
