//! The enrolment's states, and the only way from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "EnrolmentState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Applied,
    Screening,
    Verification,
    Qualified,
    Approved,
    Active,
    Graduated,
    Waitlisted,
    Rejected,
    Withdrawn,
    Suspended,
    DroppedOut,
    /// Handed to another mentor who has not taken over yet.
    Transferred,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "EnrolmentMove", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Screen,
    SendToVerify,
    /// Somebody was there: photo and position.
    Verify,
    Approve,
    Activate,
    Graduate,
    Waitlist,
    Recall,
    Reject,
    Withdraw,
    Suspend,
    Resume,
    DropOut,
    Transfer,
    TakeOver,
}

/// Every way there is. The phone has a copy (`pwa/src/assess/ways.json`), and `docs/states.md` draws it.
const WAYS: &[(Event, &[State], State)] = {
    use State::*;
    &[
        (Event::Screen, &[Applied], Screening),
        (Event::SendToVerify, &[Screening], Verification),
        (Event::Verify, &[Verification], Qualified),
        (Event::Approve, &[Qualified], Approved),
        (Event::Activate, &[Approved], Active),
        (Event::Graduate, &[Active], Graduated),
        (Event::Waitlist, &[Screening, Verification, Qualified], Waitlisted),
        (Event::Recall, &[Waitlisted], Screening),
        (Event::Reject, &[Applied, Screening, Verification, Qualified, Waitlisted], Rejected),
        (Event::Withdraw, &[Applied, Screening, Verification, Qualified, Waitlisted, Approved], Withdrawn),
        (Event::Suspend, &[Active], Suspended),
        (Event::Resume, &[Suspended], Active),
        (Event::DropOut, &[Active, Suspended], DroppedOut),
        (Event::Transfer, &[Active], Transferred),
        (Event::TakeOver, &[Transferred], Active),
    ]
};

impl State {
    pub const ALL: [Self; 13] = [
        Self::Applied,
        Self::Screening,
        Self::Verification,
        Self::Qualified,
        Self::Approved,
        Self::Active,
        Self::Graduated,
        Self::Waitlisted,
        Self::Rejected,
        Self::Withdrawn,
        Self::Suspended,
        Self::DroppedOut,
        Self::Transferred,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Screening => "screening",
            Self::Verification => "verification",
            Self::Qualified => "qualified",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Graduated => "graduated",
            Self::Waitlisted => "waitlisted",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Suspended => "suspended",
            Self::DroppedOut => "dropped_out",
            Self::Transferred => "transferred",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Where the event leads.
    ///
    /// # Errors
    /// 422 `wrong_state` when it does not fit.
    pub fn transition(self, event: Event) -> Result<Self> {
        let way = WAYS.iter().find(|(by, from, _)| *by == event && from.contains(&self));
        way.map(|(.., to)| *to)
            .ok_or_else(|| Error::refused("wrong_state", format!("Not possible while the enrolment is {}.", self.as_str())))
    }

    /// Whether it takes one of the programme's places.
    pub fn holds_a_place(self) -> bool {
        matches!(self, Self::Approved | Self::Active | Self::Suspended | Self::Transferred | Self::Graduated)
    }

    /// Whether the household has taken part, for however long.
    pub fn took_part(self) -> bool {
        matches!(self, Self::Active | Self::Suspended | Self::Transferred | Self::Graduated | Self::DroppedOut)
    }

    /// Whether what happens to the household moves its milestones.
    pub fn climbs(self) -> bool {
        matches!(self, Self::Active | Self::Suspended | Self::Transferred)
    }

    /// Whether nothing leads out of it.
    pub fn is_closed(self) -> bool {
        WAYS.iter().all(|(_, from, _)| !from.contains(&self))
    }
}

impl Event {
    pub const ALL: [Self; 15] = [
        Self::Screen,
        Self::SendToVerify,
        Self::Verify,
        Self::Approve,
        Self::Activate,
        Self::Graduate,
        Self::Waitlist,
        Self::Recall,
        Self::Reject,
        Self::Withdraw,
        Self::Suspend,
        Self::Resume,
        Self::DropOut,
        Self::Transfer,
        Self::TakeOver,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::SendToVerify => "send_to_verify",
            Self::Verify => "verify",
            Self::Approve => "approve",
            Self::Activate => "activate",
            Self::Graduate => "graduate",
            Self::Waitlist => "waitlist",
            Self::Recall => "recall",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::DropOut => "drop_out",
            Self::Transfer => "transfer",
            Self::TakeOver => "take_over",
        }
    }

    /// Whoever does it must say why.
    pub fn needs_reason(self) -> bool {
        matches!(
            self,
            Self::Waitlist | Self::Reject | Self::Withdraw | Self::Suspend | Self::DropOut | Self::Transfer | Self::Graduate
        )
    }

    /// Not for whoever assessed the household or is its mentor.
    pub fn is_a_second_look(self) -> bool {
        matches!(self, Self::Verify | Self::Approve | Self::Graduate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_stays_ended() {
        for state in [State::Graduated, State::Rejected, State::Withdrawn, State::DroppedOut] {
            assert!(state.is_closed() && Event::ALL.iter().all(|event| state.transition(*event).is_err()));
        }
        assert_eq!(State::ALL.iter().filter(|state| state.is_closed()).count(), 4);
    }

    #[test]
    fn nobody_becomes_active_without_being_verified_and_approved() {
        let into = |to: State| WAYS.iter().filter(move |way| way.2 == to).map(|way| way.0).collect::<Vec<_>>();
        assert_eq!(into(State::Qualified), [Event::Verify]);
        assert_eq!(into(State::Approved), [Event::Approve]);
        assert_eq!(into(State::Active), [Event::Activate, Event::Resume, Event::TakeOver]);
        assert!(State::ALL.iter().all(|s| State::parse(s.as_str()) == Some(*s)));
    }
}
