//! Business groups: two or three households of one village with a business together, and how it was seen to do.

pub mod api;
mod commands;
pub mod machine;
pub mod store;
mod surveys;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::{change, dissolve, form};
pub use machine::State;
pub use surveys::{Survey, SurveyKind, Take, take};

use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "GroupRole", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Leader,
    Treasurer,
    Secretary,
    Member,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "GroupType", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Crop,
    Retail,
    Service,
    Livestock,
    Skill,
}

/// How the business does; a group begins yellow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "GroupHealth", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Green,
    Yellow,
    Red,
}

impl Health {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Object, Serialize, Deserialize)]
#[oai(rename = "GroupMember")]
pub struct Member {
    pub household: Uuid,
    pub role: Role,
}

/// A group as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Group {
    pub id: Uuid,
    pub number: Option<String>,
    /// The village of its households; also the feed.
    pub place: Uuid,
    pub programme: Uuid,
    pub name: String,
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: Kind,
    pub members: Vec<Member>,
    /// As the latest survey found it.
    pub health: Health,
    pub health_note: String,
    /// The device's time.
    pub health_at: Millis,
    pub health_by: Uuid,
    pub state: State,
    /// Why it was dissolved.
    pub reason: String,
    /// Who formed it.
    pub mentor: Uuid,
    pub formed_on: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

impl Group {
    /// Takes away what was said of it, and a name that tells whose it is: the other households keep theirs.
    pub fn forget(&mut self, names: &[String]) {
        self.health_note.clear();
        self.reason.clear();
        let name = self.name.to_lowercase();
        let mut words = name.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        if words.any(|word| names.iter().any(|one| word.starts_with(one.as_str()))) {
            self.name = self.number.clone().unwrap_or_else(|| "–".into());
        }
    }

    pub fn households(&self) -> Vec<Uuid> {
        self.members.iter().map(|member| member.household).collect()
    }
}

/// `group.form`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "FormGroup")]
pub struct Form {
    pub id: Uuid,
    pub programme: Uuid,
    pub name: String,
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Two or three, one of them the leader.
    pub members: Vec<Member>,
    pub formed_on: String,
}

/// `group.change`: `revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ChangeGroup")]
pub struct Change {
    pub id: Uuid,
    pub revision: i64,
    pub name: String,
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: Kind,
    pub members: Vec<Member>,
}

/// `group.dissolve`: with a reason.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "DissolveGroup")]
pub struct Dissolve {
    pub id: Uuid,
    pub revision: i64,
    pub reason: String,
}

/// What is said of a group, whether it is new or changed.
fn check_facts(name: &str, members: &[Member]) -> Result<()> {
    check::name("name", name)?;
    if !(2..=3).contains(&members.len()) {
        return Err(Error::invalid("members", "A group has two or three households."));
    }
    let twice = |at: usize, same: &dyn Fn(&Member) -> bool| members[..at].iter().any(same);
    for (at, member) in members.iter().enumerate() {
        if twice(at, &|other| other.household == member.household) {
            return Err(Error::invalid("members", "A household is there twice."));
        }
        if member.role != Role::Member && twice(at, &|other| other.role == member.role) {
            return Err(Error::invalid("members", "Two households have the same office."));
        }
    }
    match members.iter().any(|member| member.role == Role::Leader) {
        true => Ok(()),
        false => Err(Error::invalid("members", "A group has a leader.")),
    }
}
