//! Households of the whole register that may be the same people: found by a job, decided by a person.

pub mod api;
mod look;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

pub use look::{job, look_now, look_soon, sweep};

use crate::clock::Millis;
use crate::households::Card;
use crate::imports::{FLAG, LIKELY};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum, Serialize)]
#[oai(rename = "DuplicateState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    #[default]
    Open,
    /// They are two; remembered, and can be taken back.
    Distinct,
    Merged,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Distinct => "distinct",
            Self::Merged => "merged",
        }
    }
}

/// By the score: from 90 on a flag, from 75 on likely, from 60 on possible. The same national id is always a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[oai(rename = "DuplicateLevel", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Flag,
    Likely,
    Possible,
}

impl Level {
    pub fn of(rank: i64) -> Self {
        match rank {
            FLAG.. => Self::Flag,
            LIKELY.. => Self::Likely,
            _ => Self::Possible,
        }
    }
}

/// Two households that may be one, and what counted: name of 40, sound of 30, birth date of 20, place of 10.
#[derive(Object, Serialize)]
#[oai(rename = "DuplicatePair", skip_serializing_if_is_none)]
pub struct Pair {
    pub one: Card,
    pub other: Card,
    pub level: Level,
    pub score: i64,
    pub name_score: i64,
    pub sound_score: i64,
    pub birth_score: i64,
    pub place_score: i64,
    pub same_id: bool,
    pub state: State,
    pub found_at: Millis,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<Millis>,
}
