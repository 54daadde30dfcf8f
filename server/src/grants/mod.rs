//! Grants: from the application that households sign, by review, approval and release, to the receipt they sign and the
//! report on the use.

pub mod api;
mod apply;
mod budget;
mod commands;
mod decide;
pub mod machine;
mod money;
mod needs;
pub mod paper;
mod people;
mod printed;
pub mod store;
pub mod sweep;
mod usage;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use apply::submit;
pub use commands::*;
pub use decide::change;
pub use machine::{Event, State, TrancheEvent, TrancheState, UseEvent, UseState};
pub use money::{acknowledge, dispute_by_household, release, tranche};
pub use usage::{utilise, verify};

use crate::clock::Millis;
use crate::enrolments::Position;
use crate::policies::KeptPolicy;
use crate::policies::amount::{Amount, Answers};

#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct PlanItem {
    pub what: String,
    pub quantity: i64,
    pub unit_minor: i64,
}

/// What the money is for.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct BusinessPlan {
    pub description: String,
    /// A month.
    pub projected_income_minor: i64,
    pub monthly_expenses_minor: i64,
    pub startup_minor: i64,
    /// Together the amount asked for.
    pub items: Vec<PlanItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "PaymentMethod", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Bank,
    MobileMoney,
    Cash,
    Cheque,
}

/// A part of the money, and how it went.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Tranche {
    pub id: Uuid,
    pub number: i64,
    pub amount_minor: i64,
    pub state: TrancheState,
    pub method: Option<Method>,
    pub reference: String,
    pub released_by: Option<Uuid>,
    pub released_on: Option<String>,
    pub released_at: Option<Millis>,
    /// The acknowledgement that counted.
    pub acknowledgement: Option<Uuid>,
    pub acknowledged_by: Option<Uuid>,
    pub acknowledged_at: Option<Millis>,
    /// The latest word on it.
    pub note: String,
}

#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct SpentItem {
    pub what: String,
    pub amount_minor: i64,
    /// `YYYY-MM-DD`
    pub on: String,
}

/// How the money was used.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Utilisation {
    /// What pictures of receipts are about; none until it was submitted.
    pub id: Option<Uuid>,
    pub state: UseState,
    pub due_on: String,
    pub items: Vec<SpentItem>,
    pub spent_minor: i64,
    pub note: String,
    pub submitted_by: Option<Uuid>,
    pub submitted_at: Option<Millis>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<Millis>,
    pub decision_note: String,
}

/// One step of a grant's way: appended, never changed. `by` is none when time did it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "GrantStep")]
pub struct Step {
    pub event: Event,
    pub state: State,
    pub by: Option<Uuid>,
    pub at: Millis,
    pub reason: String,
    /// Of a recommendation.
    pub score: Option<i64>,
}

/// A grant as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Grant {
    pub id: Uuid,
    pub number: Option<String>,
    /// The applicant's village; also the feed.
    pub place: Uuid,
    pub programme: Uuid,
    pub policy: KeptPolicy,
    /// Exactly one of these three is there.
    pub household: Option<Uuid>,
    pub group: Option<Uuid>,
    pub savings_group: Option<Uuid>,
    /// The households that apply: one, or the group's members at that time.
    pub households: Vec<Uuid>,
    pub plan: BusinessPlan,
    pub answers: Answers,
    pub amount: Amount,
    /// What the phone had counted, when it was another.
    pub phone_amount_minor: Option<i64>,
    pub note: String,
    pub state: State,
    pub submitted_by: Uuid,
    pub submitted_at: Millis,
    pub reviewed_by: Option<Uuid>,
    pub review_score: Option<i64>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<Millis>,
    /// None before the approval.
    pub tranches: Vec<Tranche>,
    /// None before anything was acknowledged.
    pub utilisation: Option<Utilisation>,
    pub history: Vec<Step>,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub revision: i64,
}

/// Why an acknowledgement does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "AcknowledgementFlag", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    NotReleased,
    Cancelled,
    Reversed,
    OtherAmount,
    /// The part was acknowledged before.
    Twice,
    Disputed,
    Failed,
}

/// That money was received. One that came too late or does not fit is kept, flagged and not counted.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub id: Uuid,
    pub grant: Uuid,
    pub tranche: Uuid,
    pub place: Uuid,
    pub amount_minor: i64,
    pub counted: bool,
    pub flag: Option<Flag>,
    pub note: String,
    pub position: Position,
    pub recorded_by: Uuid,
    /// The device's time.
    pub received_at: Millis,
    pub created_at: Millis,
    pub revision: i64,
}

/// Whose grant names its policy so opens and ends milestones.
pub const SEED: &str = "SB";
pub const PERFORMANCE: &str = "PR";

impl Grant {
    /// Parts whose money is out or still to go.
    pub fn live_parts(&self) -> impl Iterator<Item = &Tranche> {
        self.tranches.iter().filter(|part| part.state != TrancheState::Reversed)
    }

    /// Takes away what was said; what was paid, to which reference and when stays for the programme's accounts.
    pub fn forget(&mut self) {
        self.plan.description.clear();
        self.plan.items.iter_mut().for_each(|item| item.what.clear());
        self.note.clear();
        self.history.iter_mut().for_each(|step| step.reason.clear());
        self.tranches.iter_mut().for_each(|part| part.note.clear());
        if let Some(report) = &mut self.utilisation {
            report.items.iter_mut().for_each(|item| item.what.clear());
            report.note.clear();
            report.decision_note.clear();
        }
    }

    /// Moves it, and says so in its history.
    ///
    /// # Errors
    /// 422 `wrong_state`.
    fn step(&mut self, event: Event, by: Option<Uuid>, at: Millis, reason: &str) -> crate::error::Result<()> {
        self.state = self.state.transition(event)?;
        let reason = reason.trim().to_owned();
        self.history.push(Step { event, state: self.state, by, at, reason, score: None });
        Ok(())
    }

    /// Goes on as far as what has happened to its parts and its report allows, without anybody saying so.
    fn settle(&mut self, by: Option<Uuid>, at: Millis) -> crate::error::Result<()> {
        let received = self.live_parts().all(|part| part.state == TrancheState::Acknowledged);
        let used = self.utilisation.as_ref().is_some_and(|report| report.state == UseState::Verified);
        if self.state == State::Disbursing && received && self.live_parts().next().is_some() {
            self.step(Event::Receive, by, at, "")?;
        }
        if matches!(self.state, State::Disbursed | State::Utilised) && !received {
            self.step(Event::Undo, by, at, "")?;
        }
        if self.state == State::Disbursed && used {
            self.step(Event::Utilise, by, at, "")?;
        }
        Ok(())
    }
}
