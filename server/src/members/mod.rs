//! Members: who works in the organisation, in which role, and at which places.

pub mod api;
pub mod handover;
pub mod store;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::Role;

/// A member as devices and the API show them to colleagues.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub supervisor: Option<Uuid>,
    /// Places assigned; what lies below belongs to them too.
    pub places: Vec<Uuid>,
    pub active: bool,
    /// Which of the organisation's own roles, when `role` is `custom`.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_role: Option<Uuid>,
    /// Whose account it is, when `role` is `beneficiary`.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Uuid>,
}

/// A member to be.
#[derive(Clone, Default, Object)]
pub struct NewMember {
    pub name: String,
    /// What they sign in with: a user name or an e-mail address.
    pub login: String,
    pub role: Role,
    pub supervisor: Option<Uuid>,
    pub places: Vec<Uuid>,
    /// en or sw
    pub locale: String,
    /// For the role `custom`.
    pub custom_role: Option<Uuid>,
    /// For the role `beneficiary`.
    pub household: Option<Uuid>,
    /// The person has an account in this installation already, with this login: they join with their own password.
    pub existing: Option<bool>,
}

/// What an administrator may change of a member.
#[derive(Clone, Default, Object)]
pub struct MemberChange {
    pub role: Role,
    pub supervisor: Option<Uuid>,
    pub places: Vec<Uuid>,
    pub active: bool,
    /// For the role `custom`.
    pub custom_role: Option<Uuid>,
    /// For the role `beneficiary`.
    pub household: Option<Uuid>,
}
