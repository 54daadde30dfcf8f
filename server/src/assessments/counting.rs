//! Counts answers by an instrument. The phone does the same in `assess/instrument.ts`; both meet the tables in
//! `tests/fixtures/eligibility` to the digit, for all that is counted is whole numbers.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instrument::{Answers, Instrument, Kind, Test, Then};
use crate::error::{Error, Result};

/// How one factor counted.
#[derive(Clone, Debug, PartialEq, Eq, Object, Serialize, Deserialize)]
pub struct Counted {
    pub key: String,
    pub points: i64,
    /// Hundredths of a point that each point gives.
    pub weight: i64,
}

pub struct Counting {
    /// Hundredths of a point.
    pub score: i64,
    pub factors: Vec<Counted>,
    /// Conditions that do not hold.
    pub failed: Vec<String>,
    pub outcome: String,
    pub then: Then,
}

enum Known<'a> {
    Nothing,
    Number(f64),
    Flag(bool),
    List(Vec<&'a str>),
}

impl Instrument {
    /// Counts answers that fit the questions.
    ///
    /// # Errors
    /// 422 `invalid` when an answer is missing, unasked for, or of another form than its question.
    pub fn count(&self, answers: &Answers) -> Result<Counting> {
        self.check(answers)?;
        let factors: Vec<Counted> = self
            .factors
            .iter()
            .map(|factor| {
                let terms = factor.terms.iter().map(|term| {
                    term.iter().find(|step| step.any.is_empty() || step.any.iter().any(|test| self.holds(test, answers)))
                });
                let points = factor.base + terms.flatten().map(|step| step.points).sum::<i64>();
                Counted { key: factor.key.clone(), points: points.clamp(factor.least, factor.most), weight: factor.weight }
            })
            .collect();
        let score = factors.iter().map(|factor| factor.points * factor.weight).sum();
        let broken = self.conditions.iter().filter(|condition| !self.holds(&condition.test, answers));
        let failed: Vec<String> = broken.map(|condition| condition.key.clone()).collect();
        let reached = self.outcomes.iter().find(|o| failed.is_empty() && o.from.is_none_or(|from| score >= from * 100));
        let outcome = reached.or(self.outcomes.last()).ok_or_else(|| Error::not_found("outcome"))?;
        Ok(Counting { score, factors, failed, outcome: outcome.key.clone(), then: outcome.then })
    }

    fn check(&self, answers: &Answers) -> Result<()> {
        let wrong = |key: &str| Err(Error::invalid("answers", format!("The answer to `{key}` is missing or does not fit.")));
        if answers.keys().any(|key| !self.questions.iter().any(|question| question.key == *key)) {
            return Err(Error::invalid("answers", "There is an answer to no question of this instrument."));
        }
        for question in &self.questions {
            let fits = match (answers.get(&question.key), question.kind) {
                (None | Some(Value::Null), _) => question.optional,
                (Some(answer), Kind::Whole) => {
                    answer.as_i64().is_some_and(|number| (question.min..=question.max).contains(&number))
                }
                (Some(answer), Kind::Flag) => answer.is_boolean(),
                (Some(Value::Array(chosen)), Kind::Several) => {
                    let known = |one: &Value| question.options.iter().any(|option| one.as_str() == Some(&*option.key));
                    let twice = chosen.iter().enumerate().any(|(at, one)| chosen[..at].contains(one));
                    chosen.iter().all(known) && !twice
                }
                _ => false,
            };
            if !fits {
                return wrong(&question.key);
            }
        }
        Ok(())
    }

    fn known<'a>(&self, key: &str, answers: &'a Answers) -> Known<'a> {
        let Some(derived) = self.values.iter().find(|value| value.key == key) else {
            return match answers.get(key) {
                Some(Value::Bool(flag)) => Known::Flag(*flag),
                Some(Value::Number(number)) => number.as_f64().map_or(Known::Nothing, Known::Number),
                Some(Value::Array(list)) => Known::List(list.iter().filter_map(Value::as_str).collect()),
                _ => Known::Nothing,
            };
        };
        match (self.known(&derived.of, answers), &derived.per) {
            (Known::List(chosen), None) => {
                Known::Number(chosen.iter().filter(|one| derived.count.iter().any(|key| key == *one)).count() as f64)
            }
            (Known::Number(of), Some(per)) => match self.known(per, answers) {
                Known::Number(per) => Known::Number(of / per.max(1.0)),
                _ => Known::Nothing,
            },
            _ => Known::Nothing,
        }
    }

    fn holds(&self, test: &Test, answers: &Answers) -> bool {
        match self.known(&test.of, answers) {
            Known::Nothing => test.missing,
            Known::Flag(flag) => test.is == Some(flag),
            Known::List(_) => false,
            Known::Number(number) => {
                !test.missing
                    && test.is.is_none()
                    && test.to.is_none_or(|to| number <= to)
                    && test.below.is_none_or(|below| number < below)
                    && test.from.is_none_or(|from| number >= from)
                    && test.over.is_none_or(|over| number > over)
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use std::collections::BTreeMap;

    use super::super::instrument::find;
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        answers: Answers,
        factors: BTreeMap<String, i64>,
        score: i64,
        outcome: String,
        failed: Vec<String>,
    }

    fn meets(key: &str, table: &str) {
        let instrument = find(key, 1).unwrap();
        let cases: Vec<Case> = serde_json::from_str(table).unwrap();
        assert!(cases.len() >= 40);
        for case in cases {
            let counted = instrument.count(&case.answers).unwrap();
            let factors: BTreeMap<String, i64> = counted.factors.into_iter().map(|f| (f.key, f.points)).collect();
            assert_eq!(
                (factors, counted.score, counted.outcome, counted.failed),
                (case.factors, case.score, case.outcome, case.failed),
                "{key}: {}",
                case.name
            );
        }
    }

    #[test]
    fn the_weighted_instrument_meets_its_table() {
        meets("weighted", include_str!("../../../tests/fixtures/eligibility/weighted-1.json"));
    }

    #[test]
    fn the_additive_instrument_meets_its_table() {
        meets("additive", include_str!("../../../tests/fixtures/eligibility/additive-1.json"));
    }

    #[test]
    fn the_readiness_to_graduate_meets_its_table() {
        meets("graduation", include_str!("../../../tests/fixtures/eligibility/graduation-1.json"));
    }

    #[test]
    fn answers_that_do_not_fit_are_refused() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/fixtures/eligibility/weighted-1.json")).unwrap();
        let good: Answers = serde_json::from_value(cases[0]["answers"].clone()).unwrap();
        let weighted = find("weighted", 1).unwrap();
        let with = |key: &str, value: Value| {
            let mut answers = good.clone();
            answers.insert(key.into(), value);
            weighted.count(&answers).is_ok()
        };
        assert!(with("income", 0.into()) && with("ppi", Value::Null));
        for (key, value) in [
            ("income", Value::Null),
            ("income", (-1).into()),
            ("income", 2500.5.into()),
            ("income", "2500".into()),
            ("ppi", 101.into()),
            ("disability", 1.into()),
            ("assets", serde_json::json!(["yacht"])),
            ("assets", serde_json::json!(["car", "car"])),
            ("shoe_size", 42.into()),
        ] {
            assert!(!with(key, value.clone()), "{key} {value}");
        }
        assert!(find("weighted", 99).is_err());
    }
}
