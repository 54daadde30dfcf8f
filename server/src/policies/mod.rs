//! Grant policies: a programme's rule for one kind of grant, as data that administrators change without code.

pub mod amount;
pub mod api;
mod rules;
pub mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;

/// A text in the languages of the app.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "Words")]
pub struct Words {
    pub en: String,
    pub sw: String,
}

/// Who may apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "PolicyUnit", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Household,
    Group,
    Either,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "PolicyQuestionKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    Whole,
    Choice,
}

#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "PolicyOption")]
pub struct Choice {
    pub key: String,
    pub label: Words,
}

/// What is asked beside the size of the group, for the amount to be counted.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "PolicyQuestion")]
pub struct Question {
    pub key: String,
    pub kind: QuestionKind,
    pub label: Words,
    /// Of a whole number.
    #[serde(default)]
    pub min: Option<i64>,
    #[serde(default)]
    pub max: Option<i64>,
    /// percent, money or km: what the form writes beside the number.
    #[serde(default)]
    pub unit: Option<String>,
    /// Of a choice.
    #[oai(default)]
    #[serde(default)]
    pub options: Vec<Choice>,
}

/// Of a number: from `at_least` to before `below`; of a choice: one of `one_of`. The first band that fits counts.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "PolicyBand")]
pub struct Band {
    #[serde(default)]
    pub at_least: Option<i64>,
    #[serde(default)]
    pub below: Option<i64>,
    #[oai(default)]
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Ten-thousandths: 10,000 changes nothing.
    pub by: i64,
}

#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "PolicyFactor")]
pub struct Factor {
    pub key: String,
    pub label: Words,
    /// `group_size` or the key of a question.
    pub input: String,
    pub bands: Vec<Band>,
    /// When no band fits, or the input is not there.
    pub otherwise: i64,
}

/// What must have happened before.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "PolicyNeeds")]
pub struct Needs {
    /// Key of the policy whose grant all applicants have had and acknowledged.
    #[serde(default)]
    pub grant: Option<String>,
    /// And its use verified.
    pub utilised: bool,
    /// And acknowledged so many days ago.
    #[serde(default)]
    pub days_since: Option<i64>,
    /// One of green, yellow, red; empty asks nothing.
    pub health: Vec<String>,
    /// Numbers of milestones that every household of the applicant has completed or skipped.
    pub milestones: Vec<i64>,
    /// The score of the latest performance survey.
    #[serde(default)]
    pub rating_least: Option<i64>,
}

/// What is said of a policy.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
pub struct PolicyFacts {
    pub programme: Uuid,
    /// SB, PR …; unique in the programme, upper case.
    pub key: String,
    pub name: Words,
    pub unit: Unit,
    pub base_minor: i64,
    pub questions: Vec<Question>,
    pub factors: Vec<Factor>,
    #[serde(default)]
    pub least_minor: Option<i64>,
    #[serde(default)]
    pub most_minor: Option<i64>,
    /// Amounts are rounded to the nearest of these, half up.
    pub step_minor: i64,
    /// Projected income must cover the monthly expenses.
    pub covers_expenses: bool,
    /// Start-up costs at most so many ten-thousandths of the amount; none asks nothing.
    #[serde(default)]
    pub startup_most: Option<i64>,
    pub needs: Needs,
    /// Parts in per cent, together 100.
    pub tranches: Vec<i64>,
    /// The report on the use is due so many days after the first part was acknowledged.
    pub utilisation_days: i64,
    /// An approved grant of which nothing was released ends after so many days.
    pub expires_days: i64,
    /// What a programme manager may approve; none: nothing.
    #[serde(default)]
    pub manager_limit_minor: Option<i64>,
    /// The review's score, 0 to 100, from which a grant can be recommended.
    pub score_least: i64,
    pub active: bool,
}

/// A policy as devices and the API show it. Each change is a new version.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Policy {
    pub id: Uuid,
    pub version: i64,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: PolicyFacts,
    pub updated_at: Millis,
    pub revision: i64,
}

/// What a policy was when a grant was made.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct KeptPolicy {
    pub id: Uuid,
    pub version: i64,
    #[oai(flatten)]
    #[serde(flatten)]
    pub facts: PolicyFacts,
}

impl From<Policy> for KeptPolicy {
    fn from(Policy { id, version, facts, .. }: Policy) -> Self {
        Self { id, version, facts }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    /// A policy that ships, in a programme.
    pub fn shipped(text: &str) -> PolicyFacts {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        value["programme"] = Uuid::nil().to_string().into();
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_ships_keeps_the_rules() {
        for text in
            [include_str!("../../../instruments/policy-SB-1.json"), include_str!("../../../instruments/policy-PR-1.json")]
        {
            let facts = shipped(text);
            let mut checked = facts.clone();
            checked.check().unwrap();
            assert_eq!(facts, checked, "nothing had to be put right");
        }
    }
}
