//! What a policy must be to be one: checked when it is saved, so that every grant can be counted by it.

use std::collections::BTreeSet;

use super::{Factor, PolicyFacts, Question, QuestionKind, Words};
use crate::check;
use crate::error::{Error, Result};

/// The one input that is known without asking.
pub const GROUP_SIZE: &str = "group_size";
/// A factor changes an amount at most tenfold: a slip of the decimal point shows here.
const LARGEST_FACTOR: i64 = 100_000;

impl PolicyFacts {
    /// Checks every field and brings the key into its kept form.
    ///
    /// # Errors
    /// 422 `invalid` with the field.
    pub fn check(&mut self) -> Result<()> {
        self.key = self.key.trim().to_uppercase();
        if !(2..=10).contains(&self.key.len()) || !self.key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Error::invalid("key", "A key has 2 to 10 letters or digits."));
        }
        words("name", &self.name)?;
        for (field, money) in [
            ("base_minor", Some(self.base_minor)),
            ("least_minor", self.least_minor),
            ("most_minor", self.most_minor),
            ("manager_limit_minor", self.manager_limit_minor),
        ] {
            check::money(field, money)?;
        }
        if self.base_minor == 0 {
            return Err(Error::invalid("base_minor", "A grant is more than nothing."));
        }
        if self.least_minor.zip(self.most_minor).is_some_and(|(least, most)| least > most) {
            return Err(Error::invalid("most_minor", "The most is less than the least."));
        }
        between("step_minor", self.step_minor, 1, 1_000_000)?;
        between("startup_most", self.startup_most.unwrap_or(1), 1, 1_000_000)?;
        between("utilisation_days", self.utilisation_days, 1, 730)?;
        between("expires_days", self.expires_days, 1, 730)?;
        between("score_least", self.score_least, 0, 100)?;
        self.check_parts()?;
        self.check_questions()?;
        self.check_factors()?;
        self.check_needs()
    }

    fn check_parts(&self) -> Result<()> {
        let fits = (1..=12).contains(&self.tranches.len()) && self.tranches.iter().all(|part| (1..=100).contains(part));
        if !fits || self.tranches.iter().sum::<i64>() != 100 {
            return Err(Error::invalid("tranches", "One to twelve parts, together 100 per cent."));
        }
        Ok(())
    }

    fn check_questions(&self) -> Result<()> {
        distinct("questions", self.questions.iter().map(|question| question.key.as_str()).chain([GROUP_SIZE]))?;
        if self.questions.len() > 20 {
            return Err(Error::invalid("questions", "At most 20 questions."));
        }
        self.questions.iter().try_for_each(question)
    }

    fn check_factors(&self) -> Result<()> {
        distinct("factors", self.factors.iter().map(|factor| factor.key.as_str()))?;
        if self.factors.len() > 10 {
            return Err(Error::invalid("factors", "At most 10 factors."));
        }
        self.factors.iter().try_for_each(|factor| self.check_factor(factor))
    }

    fn check_factor(&self, factor: &Factor) -> Result<()> {
        words("factors", &factor.label)?;
        let asked = self.questions.iter().find(|question| question.key == factor.input);
        if asked.is_none() && factor.input != GROUP_SIZE {
            return Err(Error::invalid("factors", format!("Nobody asks for `{}`.", shown(&factor.input))));
        }
        if factor.bands.is_empty() || factor.bands.len() > 20 {
            return Err(Error::invalid("factors", "A factor has one to 20 bands."));
        }
        let options: Vec<&str> = asked.map_or(vec![], |question| question.options.iter().map(|o| o.key.as_str()).collect());
        let chosen = asked.is_some_and(|question| question.kind == QuestionKind::Choice);
        for band in &factor.bands {
            between("factors", band.by, 1, LARGEST_FACTOR)?;
            let fits = match chosen {
                true => {
                    (band.at_least, band.below) == (None, None)
                        && !band.one_of.is_empty()
                        && band.one_of.iter().all(|option| options.contains(&option.as_str()))
                }
                false => {
                    band.one_of.is_empty()
                        && (band.at_least.is_some() || band.below.is_some())
                        && band.at_least.zip(band.below).is_none_or(|(from, to)| from < to)
                }
            };
            if !fits {
                return Err(Error::invalid("factors", format!("A band of `{}` fits nothing.", shown(&factor.key))));
            }
        }
        between("factors", factor.otherwise, 1, LARGEST_FACTOR)
    }

    fn check_needs(&mut self) -> Result<()> {
        let needs = &mut self.needs;
        needs.grant = needs.grant.take().map(|key| key.trim().to_uppercase()).filter(|key| !key.is_empty());
        if needs.grant.as_ref() == Some(&self.key) {
            return Err(Error::invalid("needs", "A grant cannot need itself."));
        }
        if needs.grant.as_ref().is_some_and(|key| key.len() > 10) {
            return Err(Error::invalid("needs", "This is no key of a policy."));
        }
        if needs.grant.is_none() && (needs.utilised || needs.days_since.is_some()) {
            return Err(Error::invalid("needs", "Say which grant must have been used, or how long ago."));
        }
        between("needs", needs.days_since.unwrap_or_default(), 0, 3650)?;
        between("needs", needs.rating_least.unwrap_or_default(), 0, 100)?;
        for health in &needs.health {
            check::one_of("needs", health, &["green", "yellow", "red"])?;
        }
        for number in &needs.milestones {
            between("needs", *number, 1, 12)?;
        }
        distinct("needs", needs.health.iter().map(String::as_str))?;
        needs.milestones.sort_unstable();
        needs.milestones.dedup();
        Ok(())
    }
}

fn question(question: &Question) -> Result<()> {
    words("questions", &question.label)?;
    if let Some(unit) = &question.unit {
        check::one_of("questions", unit, &["percent", "money", "km"])?;
    }
    match question.kind {
        QuestionKind::Choice => {
            if !(2..=30).contains(&question.options.len()) {
                return Err(Error::invalid("questions", "A choice has 2 to 30 options."));
            }
            distinct("questions", question.options.iter().map(|option| option.key.as_str()))?;
            question.options.iter().try_for_each(|option| words("questions", &option.label))
        }
        QuestionKind::Whole => match question.min.unwrap_or_default() <= question.max.unwrap_or(i64::MAX) {
            true => Ok(()),
            false => Err(Error::invalid("questions", "The least is more than the most.")),
        },
    }
}

fn words(field: &str, words: &Words) -> Result<()> {
    check::name(field, &words.en)?;
    check::name(field, &words.sw)
}

fn between(field: &str, value: i64, least: i64, most: i64) -> Result<()> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid(field, format!("Between {least} and {most}."))),
    }
}

/// Keys are short, of one form, and each there once.
fn distinct<'k>(field: &str, keys: impl Iterator<Item = &'k str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for key in keys {
        let fits =
            (1..=40).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            return Err(Error::invalid(field, format!("`{}` is no key: small letters, digits and _.", shown(key))));
        }
        if !seen.insert(key) {
            return Err(Error::invalid(field, format!("`{key}` is there twice.")));
        }
    }
    Ok(())
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
