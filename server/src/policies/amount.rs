//! The amount of a grant by its policy: base × each factor, rounded once, held between least and most. Whole numbers all the
//! way: the phone (`pwa/src/grants/amount.ts`) comes to the same to the cent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use num_bigint::BigUint;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rules::GROUP_SIZE;
use super::{Factor, PolicyFacts, QuestionKind};
use crate::error::{Error, Result};

/// Whole numbers, or the key of an option, by the key of the question.
pub type Answers = BTreeMap<String, Value>;

/// How many ten-thousandths make a whole.
static WHOLE: LazyLock<BigUint> = LazyLock::new(|| BigUint::from(10_000_u32));
/// What JavaScript counts exactly, and more than any money here.
const CEILING: i64 = (1 << 53) - 1;

#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "CountedGrantFactor")]
pub struct CountedFactor {
    pub key: String,
    /// Ten-thousandths.
    pub by: i64,
}

/// By which limit an amount is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Clamp {
    Least,
    Most,
}

/// How an amount came about.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
#[oai(rename = "GrantAmount")]
pub struct Amount {
    pub base_minor: i64,
    pub factors: Vec<CountedFactor>,
    /// Before it was held between least and most.
    pub raw_minor: i64,
    pub amount_minor: i64,
    pub clamped: Option<Clamp>,
}

impl PolicyFacts {
    /// Every question has an answer that fits it, and nothing else is answered.
    ///
    /// # Errors
    /// 422 `invalid`, field `answers`.
    pub fn demand_answers(&self, answers: &Answers) -> Result<()> {
        if let Some(key) = answers.keys().find(|key| self.questions.iter().all(|question| question.key != **key)) {
            let key: String = key.chars().take(40).collect();
            return Err(Error::invalid("answers", format!("Nobody asks for `{key}`.")));
        }
        for question in &self.questions {
            let answer = answers.get(&question.key);
            let fits = match question.kind {
                QuestionKind::Whole => answer.and_then(Value::as_i64).is_some_and(|number| {
                    (question.min.unwrap_or(i64::MIN)..=question.max.unwrap_or(i64::MAX)).contains(&number)
                }),
                QuestionKind::Choice => answer
                    .and_then(Value::as_str)
                    .is_some_and(|chosen| question.options.iter().any(|option| option.key == chosen)),
            };
            if !fits {
                return Err(Error::invalid("answers", format!("`{}` is missing or does not fit.", question.key)));
            }
        }
        Ok(())
    }

    /// What `households` that apply together would get. Answers that do not fit count as not given.
    pub fn amount(&self, answers: &Answers, households: usize) -> Amount {
        let size = Value::from(households);
        let factors: Vec<CountedFactor> = self
            .factors
            .iter()
            .map(|factor| {
                let input = if factor.input == GROUP_SIZE { Some(&size) } else { answers.get(&factor.input) };
                CountedFactor { key: factor.key.clone(), by: factor.of(input) }
            })
            .collect();
        // Kept as one fraction, so that it is rounded once. Ten factors outgrow every machine word.
        let step = BigUint::from(self.step_minor.max(1) as u64);
        let top = factors.iter().fold(BigUint::from(self.base_minor as u64), |top, factor| top * factor.by as u64);
        let bottom = WHOLE.pow(factors.len() as u32) * &step;
        let steps = (top * 2u8 + &bottom) / (bottom * 2u8);
        let raw = i64::try_from(steps * step).unwrap_or(CEILING).min(CEILING);
        let (amount, clamped) = match (self.least_minor, self.most_minor) {
            (Some(least), _) if raw < least => (least, Some(Clamp::Least)),
            (_, Some(most)) if raw > most => (most, Some(Clamp::Most)),
            _ => (raw, None),
        };
        Amount { base_minor: self.base_minor, factors, raw_minor: raw, amount_minor: amount, clamped }
    }

    /// The parts of an amount: each rounded down to whole steps, the last takes what is left.
    pub fn parts(&self, amount_minor: i64) -> Vec<i64> {
        let step = self.step_minor.max(1);
        let mut left = amount_minor;
        let mut parts: Vec<i64> = Vec::with_capacity(self.tranches.len());
        for (at, percent) in self.tranches.iter().enumerate() {
            let part = if at + 1 == self.tranches.len() { left } else { amount_minor * percent / 100 / step * step };
            left -= part;
            parts.push(part);
        }
        // Of very little, small parts would be nothing.
        parts.retain(|part| *part > 0);
        parts
    }
}

impl Factor {
    fn of(&self, input: Option<&Value>) -> i64 {
        let fits = |band: &super::Band| match input {
            Some(Value::String(chosen)) => band.one_of.contains(chosen),
            Some(Value::Number(number)) => number.as_i64().is_some_and(|number| {
                band.one_of.is_empty()
                    && band.at_least.is_none_or(|from| number >= from)
                    && band.below.is_none_or(|to| number < to)
            }),
            _ => false,
        };
        self.bands.iter().find(|band| fits(band)).map_or(self.otherwise, |band| band.by)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::super::tests::shipped;
    use super::*;

    #[test]
    fn every_case_of_the_table_comes_out() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../../tests/fixtures/grants/amounts.json")).unwrap();
        assert!(cases.len() >= 40);
        for case in cases {
            let policy = match case["policy"].as_str() {
                Some("SB") => shipped(include_str!("../../../instruments/policy-SB-1.json")),
                Some("PR") => shipped(include_str!("../../../instruments/policy-PR-1.json")),
                _ => shipped(&case["policy"].to_string()),
            };
            let answers: Answers = serde_json::from_value(case["answers"].clone()).unwrap();
            let counted = policy.amount(&answers, case["households"].as_u64().unwrap() as usize);
            assert_eq!(serde_json::to_value(&counted).unwrap(), case["amount"], "{case}");
            let parts: i64 = policy.parts(counted.amount_minor).iter().sum();
            assert_eq!(parts, counted.amount_minor, "nothing is lost between the parts");
        }
    }
}
