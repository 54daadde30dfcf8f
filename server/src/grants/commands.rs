//! What commands of grants carry.

use poem_openapi::{Enum, Object};
use serde::Deserialize;
use uuid::Uuid;

use super::machine::TrancheEvent;
use super::{BusinessPlan, Event, Method, SpentItem};
use crate::enrolments::Position;
use crate::media::Capture;
use crate::policies::amount::Answers;
use crate::signatures::SignedRecord;

/// `grant.submit`: new, or again after it was returned (then with the revision that was looked at). Every household signs.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "SubmitGrant")]
pub struct Submit {
    pub id: Uuid,
    #[serde(default)]
    pub revision: Option<i64>,
    pub policy: Uuid,
    pub version: i64,
    #[serde(default)]
    pub household: Option<Uuid>,
    #[serde(default)]
    pub group: Option<Uuid>,
    pub plan: BusinessPlan,
    pub answers: Answers,
    /// What the phone counted; the items come to it.
    pub amount_minor: i64,
    #[serde(default)]
    pub note: String,
    pub signatures: Vec<SignedRecord>,
    #[serde(default)]
    pub evidence: Vec<Capture>,
}

/// What people decide of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[oai(rename = "GrantDecision", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Review,
    Recommend,
    Return,
    Approve,
    Reject,
    Cancel,
    Close,
}

impl Decision {
    pub fn event(self) -> Event {
        match self {
            Self::Review => Event::Review,
            Self::Recommend => Event::Recommend,
            Self::Return => Event::Return,
            Self::Approve => Event::Approve,
            Self::Reject => Event::Reject,
            Self::Cancel => Event::Cancel,
            Self::Close => Event::Close,
        }
    }
}

/// `grant.move`: `revision` is the one that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MoveGrant")]
pub struct Move {
    pub id: Uuid,
    pub revision: i64,
    pub event: Decision,
    #[serde(default)]
    pub reason: String,
    /// Of a recommendation: 0 to 100.
    #[serde(default)]
    pub score: Option<i64>,
    /// Of an approval: the amount that was looked at.
    #[serde(default)]
    pub amount_minor: Option<i64>,
}

/// `grant.release`: a part of the money is on its way.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ReleaseGrant")]
pub struct Release {
    pub id: Uuid,
    pub revision: i64,
    pub tranche: Uuid,
    pub method: Method,
    /// Of the bank or the provider; once in a programme. Cash may have none.
    #[serde(default)]
    pub reference: String,
    /// `YYYY-MM-DD`
    pub released_on: String,
}

/// `grant.acknowledge`: the recipient has the money, and signs for it. Needs a picture of the recipient (slot `front`).
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "AcknowledgeGrant")]
pub struct Acknowledge {
    pub id: Uuid,
    pub grant: Uuid,
    pub tranche: Uuid,
    pub amount_minor: i64,
    #[serde(default)]
    pub note: String,
    pub position: Position,
    pub evidence: Vec<Capture>,
    pub signature: SignedRecord,
}

/// What becomes of a part that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[oai(rename = "TrancheDecision", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TrancheDecision {
    Dispute,
    Uphold,
    Fail,
    Reverse,
}

impl TrancheDecision {
    pub fn event(self) -> TrancheEvent {
        match self {
            Self::Dispute => TrancheEvent::Dispute,
            Self::Uphold => TrancheEvent::Uphold,
            Self::Fail => TrancheEvent::Fail,
            Self::Reverse => TrancheEvent::Reverse,
        }
    }
}

/// `grant.tranche`: `revision` is the one of the grant that was looked at.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "MoveTranche")]
pub struct ChangeTranche {
    pub id: Uuid,
    pub revision: i64,
    pub tranche: Uuid,
    pub event: TrancheDecision,
    pub reason: String,
}

/// `grant.utilise`: how the money was used, with a picture of each receipt (slot `receipt`, subject `utilisation`, `id`).
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "UtiliseGrant")]
pub struct Utilise {
    pub id: Uuid,
    pub grant: Uuid,
    pub items: Vec<SpentItem>,
    #[serde(default)]
    pub note: String,
    pub evidence: Vec<Capture>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[oai(rename = "UtilisationVerdict", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Verify,
    Return,
}

/// `grant.verify`: whether the report holds.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "VerifyGrant")]
pub struct Verify {
    pub id: Uuid,
    pub revision: i64,
    pub verdict: Verdict,
    #[serde(default)]
    pub reason: String,
}
