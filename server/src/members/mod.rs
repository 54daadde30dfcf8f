//! Members: who works in the organisation, in which role, and at which places.

pub mod api;
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
}

/// A member to be.
#[derive(Clone, Object)]
pub struct NewMember {
    pub name: String,
    /// What they sign in with: a user name or an e-mail address.
    pub login: String,
    pub role: Role,
    pub supervisor: Option<Uuid>,
    pub places: Vec<Uuid>,
    /// en or sw
    pub locale: String,
}

/// What an administrator may change of a member.
#[derive(Clone, Object)]
pub struct MemberChange {
    pub role: Role,
    pub supervisor: Option<Uuid>,
    pub places: Vec<Uuid>,
    pub active: bool,
}
