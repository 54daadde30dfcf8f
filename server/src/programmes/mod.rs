//! Programmes and their cycles: what households may take part in, where, how many, and by which instrument.

pub mod api;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::assessments::instrument;
use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ProgrammeKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Graduation,
    Microfinance,
    Agriculture,
    Education,
    Health,
    Infrastructure,
    Skills,
    Youth,
    Women,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ProgrammeCategory", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Graduation,
    Ppa,
    Request,
    Operations,
}

/// Households apply only while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ProgrammeStatus", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Open,
    Closed,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What is said of a programme. Dates are `YYYY-MM-DD`.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct ProgrammeFacts {
    /// Unique in the organisation, upper case.
    pub code: String,
    pub name: String,
    pub kind: Kind,
    pub category: Category,
    pub status: Status,
    /// The instrument by which households are assessed, and its version.
    pub instrument: String,
    pub version: i64,
    /// The instrument by which households are assessed before they graduate, and its version; none: a person decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub graduation_instrument: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub graduation_version: Option<i64>,
    /// Its area: these places and what lies below; none is everywhere.
    pub places: Vec<Uuid>,
    /// How many households may take part.
    #[serde(default)]
    pub target: Option<i64>,
    #[serde(default)]
    pub budget_minor: Option<i64>,
    #[serde(default)]
    pub starts_on: Option<String>,
    #[serde(default)]
    pub ends_on: Option<String>,
}

/// A programme as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Programme {
    pub id: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: ProgrammeFacts,
    pub updated_at: Millis,
    pub revision: i64,
}

impl std::ops::Deref for Programme {
    type Target = ProgrammeFacts;
    fn deref(&self) -> &ProgrammeFacts {
        &self.facts
    }
}

impl ProgrammeFacts {
    /// Checks every field and brings the code into its kept form.
    pub fn check(&mut self) -> Result<()> {
        self.code = code(&self.code)?;
        self.name = self.name.trim().to_owned();
        check::name("name", &self.name)?;
        instrument::find(&self.instrument, self.version)?;
        match (self.graduation_instrument.as_deref(), self.graduation_version) {
            (None, None) => {}
            (Some(key), Some(version)) => {
                instrument::find(key, version).map_err(|error| error.field("graduation_instrument"))?;
            }
            _ => return Err(Error::invalid("graduation_instrument", "An instrument is named with its version.")),
        }
        check::money("budget_minor", self.budget_minor)?;
        window(self.starts_on.as_deref(), self.ends_on.as_deref())?;
        if self.target.is_some_and(|target| !(1..=10_000_000).contains(&target)) {
            return Err(Error::invalid("target", "A target is at least one household."));
        }
        if self.places.len() > 500 {
            return Err(Error::invalid("places", "At most 500 places."));
        }
        self.places.sort_unstable();
        self.places.dedup();
        Ok(())
    }
}

/// What is said of a cycle: a cohort of a programme, for example FY25C1.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct CycleFacts {
    pub programme: Uuid,
    /// Unique in the programme, upper case.
    pub code: String,
    pub office: String,
    /// The field associate who looks after it.
    #[serde(default)]
    pub associate: Option<Uuid>,
    pub mentors: Vec<Uuid>,
    #[serde(default)]
    pub starts_on: Option<String>,
    #[serde(default)]
    pub ends_on: Option<String>,
}

/// A cycle as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Cycle {
    pub id: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: CycleFacts,
    pub updated_at: Millis,
    pub revision: i64,
}

impl CycleFacts {
    pub fn check(&mut self) -> Result<()> {
        self.code = code(&self.code)?;
        check::text("office", &self.office, 120)?;
        window(self.starts_on.as_deref(), self.ends_on.as_deref())?;
        if self.mentors.len() > 500 {
            return Err(Error::invalid("mentors", "At most 500 mentors."));
        }
        self.mentors.sort_unstable();
        self.mentors.dedup();
        Ok(())
    }
}

fn code(text: &str) -> Result<String> {
    let code = text.trim().to_uppercase();
    if !(2..=20).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Error::invalid("code", "A code has 2 to 20 letters, digits or hyphens."));
    }
    Ok(code)
}

fn window(starts_on: Option<&str>, ends_on: Option<&str>) -> Result<()> {
    check::date("starts_on", starts_on)?;
    check::date("ends_on", ends_on)?;
    if starts_on.zip(ends_on).is_some_and(|(first, last)| last < first) {
        return Err(Error::invalid("ends_on", "It ends before it begins."));
    }
    Ok(())
}
