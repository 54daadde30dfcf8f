//! Households: who is visited. Registered on the phone, also without a network.

pub mod api;
mod commands;
mod merge;
mod relocate;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

pub use commands::{parse, register, same, update};
pub use merge::{Merge, Merged, Unmerge, merge, unmerge};
pub use relocate::{Move, relocate};

use crate::check;
use crate::clock::Millis;
use crate::consents::ConsentStep;
use crate::error::{Error, Result};
use crate::media::Capture;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    Female,
    Male,
}

/// A person of a household. Dates are `YYYY-MM-DD`.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "HouseholdMember")]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    #[serde(default)]
    pub sex: Option<Sex>,
    #[serde(default)]
    pub birth_date: Option<String>,
    /// head, spouse, child, parent, sibling or other.
    pub relationship: String,
    #[serde(default)]
    pub participant: bool,
}

const RELATIONSHIPS: &[&str] = &["head", "spouse", "child", "parent", "sibling", "other"];

/// What a mentor knows of a household; every field can be corrected later.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Facts {
    pub head_name: String,
    #[serde(default)]
    pub head_sex: Option<Sex>,
    #[serde(default)]
    pub head_birth_date: Option<String>,
    /// Eight digits; sealed at rest.
    #[serde(default)]
    pub national_id: Option<String>,
    /// Normalised to +254…; sealed at rest.
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub members: Vec<Person>,
    #[serde(default)]
    pub lat: Option<f64>,
    #[serde(default)]
    pub lon: Option<f64>,
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    #[serde(default)]
    pub monthly_income_minor: Option<i64>,
    #[serde(default)]
    pub electricity: Option<bool>,
    #[serde(default)]
    pub clean_water: Option<bool>,
    #[serde(default)]
    pub disability: Option<bool>,
    #[serde(default)]
    pub notes: Option<String>,
}

impl Facts {
    /// What is left when a household's data is erased: its number in place of a name.
    pub fn of_nobody(number: String) -> Self {
        Self {
            head_name: number,
            head_sex: None,
            head_birth_date: None,
            national_id: None,
            phone: None,
            members: Vec::new(),
            lat: None,
            lon: None,
            accuracy_m: None,
            monthly_income_minor: None,
            electricity: None,
            clean_water: None,
            disability: None,
            notes: None,
        }
    }

    /// Checks every field and brings phone and names into their kept form.
    pub fn check(&mut self) -> Result<()> {
        self.head_name = self.head_name.trim().to_owned();
        check::name("head_name", &self.head_name)?;
        check::date("head_birth_date", self.head_birth_date.as_deref())?;
        self.national_id = self.national_id.take().filter(|v| !v.is_empty());
        self.phone = self.phone.take().filter(|v| !v.trim().is_empty());
        self.national_id.as_deref().map(check::national_id).transpose()?;
        self.phone = self.phone.as_deref().map(check::phone).transpose()?;
        check::place(self.lat, self.lon, self.accuracy_m)?;
        check::money("monthly_income_minor", self.monthly_income_minor)?;
        check::text("notes", self.notes.as_deref().unwrap_or_default(), 4000)?;
        if self.members.len() > 60 {
            return Err(Error::invalid("members", "At most 60 members."));
        }
        for person in &self.members {
            check::name("members", &person.name)?;
            check::date("members", person.birth_date.as_deref())?;
            check::one_of("members", &person.relationship, RELATIONSHIPS)?;
        }
        Ok(())
    }
}

/// A household as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Household {
    pub id: Uuid,
    pub number: Option<String>,
    /// The village; also the feed.
    pub place: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: Facts,
    /// Evidence id of the picture of its head.
    pub photo: Option<Uuid>,
    /// ThumbHash of that picture, base64.
    pub photo_placeholder: Option<String>,
    /// Since when it agrees; none when it never signed, or withdrew.
    pub consent_at: Option<Millis>,
    /// What it agreed to and withdrew, oldest first; appended, never changed.
    #[oai(default, skip_serializing_if_is_empty)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentStep>,
    /// The household that this one is, after all. Its records stay where they are and are shown there.
    #[oai(default, skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Uuid>,
    /// Households that were found to be this one.
    #[oai(default, skip_serializing_if_is_empty)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merges: Vec<Merged>,
    pub last_visit_at: Option<Millis>,
    pub registered_by: Uuid,
    pub registered_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

/// A household in a list: enough to find and recognise it. Reading the whole file is another request, and is noted.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "HouseholdCard", skip_serializing_if_is_none)]
pub struct Card {
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The village; also the feed.
    pub place: Uuid,
    pub head_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_sex: Option<Sex>,
    /// People who belong to it, the head not counted.
    pub members: i64,
    /// Evidence id of the picture of its head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<Uuid>,
    /// ThumbHash of that picture, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_placeholder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_visit_at: Option<Millis>,
    pub updated_at: Millis,
    pub revision: i64,
}

impl Card {
    pub fn of(household: &Household) -> Self {
        let facts = &household.facts;
        Self {
            id: household.id,
            number: household.number.clone(),
            place: household.place,
            head_name: facts.head_name.clone(),
            head_sex: facts.head_sex,
            members: facts.members.len() as i64,
            photo: household.photo,
            photo_placeholder: household.photo_placeholder.clone(),
            last_visit_at: household.last_visit_at,
            updated_at: household.updated_at,
            revision: household.revision,
        }
    }
}

/// `household.register`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "RegisterHousehold")]
pub struct Register {
    pub household: NewHousehold,
    #[serde(default)]
    pub evidence: Vec<Capture>,
}

#[derive(Clone, Object, Deserialize)]
pub struct NewHousehold {
    pub id: Uuid,
    pub place: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: Facts,
}

/// What a person saw in a field, and what they set.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Change {
    #[serde(default)]
    pub was: Option<Value>,
    #[serde(default)]
    pub now: Option<Value>,
}

/// `household.update`: a field merges while the server still has `was`; else a conflict opens.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "UpdateHousehold")]
pub struct Update {
    pub id: Uuid,
    pub changes: BTreeMap<String, Change>,
}
