//! Instruments: questions, factors and thresholds as data (`instruments/`). What they mean stands in `counting.rs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// What was answered: whole numbers, yes or no, or lists of options, by the key of the question.
pub type Answers = BTreeMap<String, Value>;

/// Every version that was ever used stays: an assessment keeps the one it was made by.
const SHIPPED: [&str; 3] = [
    include_str!("../../../instruments/weighted-1.json"),
    include_str!("../../../instruments/additive-1.json"),
    include_str!("../../../instruments/graduation-1.json"),
];

static ALL: LazyLock<Vec<Instrument>> = LazyLock::new(|| {
    SHIPPED
        .iter()
        .map(|text| serde_json::from_str(text).expect("instruments/ holds instruments; a test reads them"))
        .collect()
});

/// The instrument of this key and version.
///
/// # Errors
/// 422 when this server does not have it.
pub fn find(key: &str, version: i64) -> Result<&'static Instrument> {
    let found = ALL.iter().find(|one| one.key == key && one.version == version);
    found.ok_or_else(|| Error::invalid("instrument", "This server does not know this version of the instrument."))
}

/// A text in the languages of the app.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub en: String,
    pub sw: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub key: String,
    pub version: i64,
    pub name: Words,
    pub questions: Vec<Question>,
    /// Worked out from answers, to be asked for like them.
    pub values: Vec<Derived>,
    pub factors: Vec<Factor>,
    /// All must hold, whatever the score.
    pub conditions: Vec<Condition>,
    /// The first whose `from` (points) is reached; the last has none.
    pub outcomes: Vec<Outcome>,
    /// What must be known of the household: national_id, phone, signature.
    pub requires: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub key: String,
    pub kind: Kind,
    pub label: Words,
    #[serde(default)]
    pub min: i64,
    #[serde(default)]
    pub max: i64,
    #[serde(default)]
    pub optional: bool,
    /// money or km: what the form writes beside the number.
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub options: Vec<Choice>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Whole,
    Flag,
    Several,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub key: String,
    pub label: Words,
}

/// How many of an answer's options are among `count`, or one number for each of another (at least one).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    pub key: String,
    pub of: String,
    #[serde(default)]
    pub count: Vec<String>,
    #[serde(default)]
    pub per: Option<String>,
}

/// `base` and the points of each term, held between `least` and `most`, times `weight` hundredths.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    pub key: String,
    pub label: Words,
    pub weight: i64,
    #[serde(default)]
    pub base: i64,
    #[serde(default = "lowest")]
    pub least: i64,
    #[serde(default = "highest")]
    pub most: i64,
    pub terms: Vec<Vec<Step>>,
}

fn lowest() -> i64 {
    -1_000
}

fn highest() -> i64 {
    1_000
}

/// The first step of a term of which any test holds gives its points; one without a test always holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[serde(default, rename = "if")]
    pub any: Vec<Test>,
    pub points: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub of: String,
    #[serde(default)]
    pub is: Option<bool>,
    #[serde(default)]
    pub missing: bool,
    /// At most, less than, at least, more than.
    #[serde(default)]
    pub to: Option<f64>,
    #[serde(default)]
    pub below: Option<f64>,
    #[serde(default)]
    pub from: Option<f64>,
    #[serde(default)]
    pub over: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub key: String,
    pub label: Words,
    #[serde(rename = "if")]
    pub test: Test,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub key: String,
    pub label: Words,
    #[serde(default)]
    pub from: Option<i64>,
    pub then: Then,
}

/// What an outcome means for the qualification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    Qualifies,
    Review,
    No,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    #[test]
    fn instruments_name_only_what_they_have_and_say_it_in_both_languages() {
        for one in ALL.iter() {
            let named = |key: &String| {
                one.questions.iter().any(|q| q.key == *key) || one.values.iter().any(|value| value.key == *key)
            };
            let steps = one.factors.iter().flat_map(|f| &f.terms).flatten().flat_map(|step| &step.any);
            assert!(steps.chain(one.conditions.iter().map(|c| &c.test)).all(|test| named(&test.of)), "{}", one.key);
            assert!(one.values.iter().all(|value| named(&value.of) && value.per.as_ref().is_none_or(named)));
            assert!(one.outcomes.last().unwrap().from.is_none());
            let mut words: Vec<&Words> = vec![&one.name];
            words.extend(one.questions.iter().map(|q| &q.label));
            words.extend(one.questions.iter().flat_map(|q| &q.options).map(|option| &option.label));
            words.extend(one.factors.iter().map(|f| &f.label));
            words.extend(one.conditions.iter().map(|c| &c.label));
            words.extend(one.outcomes.iter().map(|o| &o.label));
            assert!(words.iter().all(|text| !text.en.is_empty() && !text.sw.is_empty()));
            assert!(one.questions.iter().all(|q| q.unit.as_deref().is_none_or(|unit| ["money", "km"].contains(&unit))));
        }
    }
}
