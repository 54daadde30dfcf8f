//! Milestones: the twelve rungs that a household climbs from the activation of its enrolment to graduation.

mod commands;
mod happened;
pub mod machine;

use std::sync::LazyLock;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use commands::change;
pub use happened::{Happening, happened, reached};
pub use machine::{Event, State};

use crate::clock::Millis;
use crate::enrolments::{self, Enrolment};
use crate::error::{Error, Result};

/// What the rungs are called, when each is due and what completes it: data that server and phone share.
const SHIPPED: &str = include_str!("../../../instruments/milestones-1.json");

static PLAN: LazyLock<Vec<Planned>> = LazyLock::new(|| {
    let plan: Plan = serde_json::from_str(SHIPPED).expect("instruments/milestones-1.json is a plan; a test reads it");
    plan.milestones
});

#[derive(Deserialize)]
struct Plan {
    milestones: Vec<Planned>,
}

/// A rung as the plan names it.
#[derive(Deserialize)]
pub struct Planned {
    pub number: i64,
    pub key: String,
    /// Days after the cycle's start.
    pub day: i64,
    /// The kind of record that completes it; none: only a person does.
    pub cause: Option<String>,
}

pub fn plan() -> &'static [Planned] {
    &PLAN
}

/// One rung of a household's ladder; part of its enrolment.
#[derive(Clone, Debug, PartialEq, Object, Serialize, Deserialize)]
pub struct Milestone {
    /// 1 … 12.
    pub number: i64,
    pub state: State,
    pub at: Option<Millis>,
    pub by: Option<Uuid>,
    /// Why, when a person moved it by hand.
    pub reason: String,
    /// Which kind of record moved it; none by hand.
    pub cause: Option<String>,
    pub subject: Option<Uuid>,
}

/// `milestone.move`: by hand, with a reason.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MoveMilestone")]
pub struct Move {
    pub enrolment: Uuid,
    pub number: i64,
    pub event: Event,
    pub reason: String,
}

/// The ladder on the day of the activation: the household was assessed, so the first rung has begun.
pub fn begin(enrolment: &Enrolment, at: Millis, by: Uuid) -> Vec<Milestone> {
    let blank = |number| Milestone {
        number,
        state: State::NotStarted,
        at: None,
        by: None,
        reason: String::new(),
        cause: None,
        subject: None,
    };
    let mut ladder: Vec<Milestone> = plan().iter().map(|rung| blank(rung.number)).collect();
    if let Some(first) = ladder.first_mut() {
        let (cause, subject) = (Some("assessment".to_owned()), Some(enrolment.assessment));
        *first = Milestone { state: State::InProgress, at: Some(at), by: Some(by), cause, subject, ..first.clone() };
    }
    ladder
}

/// The ladder as it stands; of an enrolment that an older server activated, as it was on that day.
pub fn ladder(enrolment: &Enrolment) -> Vec<Milestone> {
    if !enrolment.milestones.is_empty() {
        return enrolment.milestones.clone();
    }
    let activated = enrolment.history.iter().find(|step| step.event == Some(enrolments::Event::Activate));
    activated.map(|step| begin(enrolment, step.at, step.by)).unwrap_or_default()
}

/// Which rungs are completed or skipped: bit n-1 of rung n.
pub fn done(enrolment: &Enrolment) -> i64 {
    ladder(enrolment).iter().filter(|rung| rung.state.is_done()).fold(0, |done, rung| done | bit(rung.number))
}

pub fn bit(number: i64) -> i64 {
    1 << (number - 1)
}

/// The open rung that is due first, when its day is over: `from` and `today` are days since 1970.
pub fn late(done: i64, from: i64, today: i64) -> Option<i64> {
    let open = plan().iter().filter(|rung| done & bit(rung.number) == 0);
    let next = open.min_by_key(|rung| (rung.day, rung.number))?;
    (from + next.day < today).then_some(next.number)
}

/// Every rung is completed or skipped.
///
/// # Errors
/// 422 `milestones_open`, with the numbers of those that are not.
pub fn demand_done(enrolment: &Enrolment) -> Result<()> {
    let open: Vec<i64> = ladder(enrolment).iter().filter(|rung| !rung.state.is_done()).map(|rung| rung.number).collect();
    if open.is_empty() {
        return Ok(());
    }
    let said = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("Milestones are open: {said}.");
    Err(Error::refused("milestones_open", message).details(serde_json::json!({ "numbers": open })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_twelve_rungs_in_order() {
        let numbers: Vec<i64> = plan().iter().map(|rung| rung.number).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
        assert!(plan().iter().all(|rung| rung.day > 0 && !rung.key.is_empty()));
        let by_hand: Vec<i64> = plan().iter().filter(|rung| rung.cause.is_none()).map(|rung| rung.number).collect();
        assert_eq!(by_hand, [8], "until savings groups are there");
    }

    #[test]
    fn late_is_the_open_rung_that_is_due_first_from_the_day_after_on() {
        assert_eq!([late(0, 100, 130), late(0, 100, 131)], [None, Some(1)]);
        // The eighth is due before the seventh.
        assert_eq!(
            [late(0b11_1111, 0, 151), late(0b1011_1111, 0, 180), late(0b1011_1111, 0, 181)],
            [Some(8), None, Some(7)]
        );
        assert_eq!(late(0xfff, 0, 9_999), None);
    }
}
