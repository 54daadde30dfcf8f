//! The states of a grant, of its parts and of the report on its use, and the only ways from one to another.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

macro_rules! machine {
    (
        $(#[$doc:meta])* $state:ident as $state_name:literal { $($s:ident $s_text:literal),* $(,)? }
        $(#[$event_doc:meta])* $event:ident as $event_name:literal { $($e:ident $e_text:literal),* $(,)? }
        $ways:ident [$(($by:ident, [$($from:ident),*], $to:ident)),* $(,)?] $what:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
        #[oai(rename = $state_name, rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $state { $($s),* }

        $(#[$event_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
        #[oai(rename = $event_name, rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $event { $($e),* }

        const $ways: &[($event, &[$state], $state)] = &[$(($event::$by, &[$($state::$from),*], $state::$to)),*];

        impl $state {
            pub const ALL: &[Self] = &[$(Self::$s),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$s => $s_text),* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == text)
            }

            /// Where the event leads.
            ///
            /// # Errors
            /// 422 `wrong_state` when it does not fit.
            pub fn transition(self, event: $event) -> Result<Self> {
                let way = $ways.iter().find(|(by, from, _)| *by == event && from.contains(&self));
                let refusal = || Error::refused("wrong_state", format!(concat!("Not possible while the ", $what, " is {}."), self.as_str()));
                way.map(|(.., to)| *to).ok_or_else(refusal)
            }
        }

        impl $event {
            pub const ALL: &[Self] = &[$(Self::$e),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$e => $e_text),* }
            }
        }
    };
}

machine! {
    State as "GrantState" {
        Draft "draft", Submitted "submitted", InReview "in_review", Recommended "recommended", Approved "approved",
        Disbursing "disbursing", Disbursed "disbursed", Utilised "utilised", Closed "closed", Returned "returned",
        Rejected "rejected", Cancelled "cancelled", Expired "expired",
    }
    /// `release`, `receive`, `undo`, `utilise` and `expire` follow from other commands and from time.
    Event as "GrantMove" {
        Submit "submit", Review "review", Recommend "recommend", Return "return", Approve "approve", Reject "reject",
        Cancel "cancel", Expire "expire", Release "release", Receive "receive", Undo "undo", Utilise "utilise", Close "close",
    }
    WAYS [
        (Submit, [Draft, Returned], Submitted),
        (Review, [Submitted], InReview),
        (Recommend, [InReview], Recommended),
        (Return, [Submitted, InReview, Recommended], Returned),
        (Reject, [Submitted, InReview, Recommended], Rejected),
        (Approve, [Recommended], Approved),
        (Cancel, [Returned, Submitted, InReview, Recommended, Approved, Disbursing], Cancelled),
        (Expire, [Approved], Expired),
        (Release, [Approved, Disbursing], Disbursing),
        (Receive, [Disbursing], Disbursed),
        // A part was disputed or taken back.
        (Undo, [Disbursed, Utilised], Disbursing),
        (Utilise, [Disbursed], Utilised),
        (Close, [Utilised], Closed),
    ] "grant"
}

machine! {
    /// A part of a grant's money.
    TrancheState as "TrancheState" {
        Scheduled "scheduled", Released "released", Acknowledged "acknowledged", Disputed "disputed", Failed "failed",
        Reversed "reversed",
    }
    TrancheEvent as "TrancheMove" {
        Release "release", Acknowledge "acknowledge", Dispute "dispute", Uphold "uphold", Fail "fail", Reverse "reverse",
    }
    TRANCHE_WAYS [
        (Release, [Scheduled], Released),
        (Acknowledge, [Released], Acknowledged),
        (Dispute, [Released, Acknowledged], Disputed),
        (Uphold, [Disputed], Acknowledged),
        (Fail, [Released, Disputed], Failed),
        (Reverse, [Released, Acknowledged, Disputed, Failed], Reversed),
    ] "payment"
}

machine! {
    /// The report on how a grant was used.
    UseState as "UtilisationState" { Due "due", Submitted "submitted", Returned "returned", Verified "verified" }
    UseEvent as "UtilisationMove" { Submit "submit", Return "return", Verify "verify" }
    USE_WAYS [
        (Submit, [Due, Returned], Submitted),
        (Return, [Submitted], Returned),
        (Verify, [Submitted], Verified),
    ] "report"
}

impl State {
    /// Nothing more comes of it, and the household may apply again.
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled | Self::Expired)
    }

    /// Whether money of the programme is committed to it.
    pub fn holds_money(self) -> bool {
        matches!(self, Self::Approved | Self::Disbursing | Self::Disbursed | Self::Utilised | Self::Closed)
    }
}

impl TrancheState {
    /// Whether money has left the programme for it and has not come back.
    pub fn is_out(self) -> bool {
        matches!(self, Self::Released | Self::Acknowledged | Self::Disputed | Self::Failed)
    }
}
