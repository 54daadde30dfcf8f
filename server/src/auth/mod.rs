//! Who is calling, and what that lets them do.

pub mod access;
pub mod api;
pub mod invitations;
mod limiter;
mod password;
pub mod store;
pub mod tokens;

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use access::{Admin, Approver, Planner, Reader, Recorder};
pub use limiter::Limiter;
pub use password::hash as hash_password;
pub use tokens::Sessions;

/// What a member is in the organisation. More roles come with their features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Mentor,
    Supervisor,
    OrgAdmin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Supervisor => "supervisor",
            Self::OrgAdmin => "org_admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mentor, Self::Supervisor, Self::OrgAdmin].into_iter().find(|role| role.as_str() == text)
    }

    /// The capabilities of DOMAIN's table that exist so far, by the names the PWA shows doors for.
    pub fn capabilities(self) -> &'static [&'static str] {
        match self {
            Self::Mentor => &["households.read", "households.write", "visits.record", "visits.plan_own"],
            Self::Supervisor => {
                &["households.read", "households.write", "visits.record", "visits.plan", "visits.decide", "conflicts.settle"]
            }
            Self::OrgAdmin => &["households.read", "members.manage", "places.manage"],
        }
    }
}

/// A signed-in person in one organisation, on one device.
#[derive(Clone, Debug)]
pub struct Member {
    pub org: Uuid,
    pub id: Uuid,
    pub account: Uuid,
    pub session: Uuid,
    pub device: Uuid,
    pub role: Role,
    pub name: String,
}
