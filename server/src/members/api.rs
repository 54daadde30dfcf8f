//! Administration of members.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{MemberChange, NewMember, Person, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{Admin, Reader, invitations};
use crate::error::{Error, Result};
use crate::places;
use crate::wire::{Page, Stored, page};

pub struct Api(pub App);

/// A new member and the link with which they choose a password; it works once, for seven days.
#[derive(Object)]
pub struct Invited {
    pub member: Person,
    pub invitation_url: String,
}

#[derive(Object)]
pub struct Invitation {
    pub invitation_url: String,
}

#[OpenApi(tag = "crate::api::Tag::Members")]
impl Api {
    /// All members of the organisation
    #[oai(path = "/api/members", method = "get", operation_id = "listMembers")]
    async fn list(&self, reader: Reader) -> Result<Stored<Page<Person>>> {
        Ok(page(places::stored(&self.0.db, reader.org, "person").await?, None))
    }

    /// Add a member
    #[oai(path = "/api/members", method = "post", operation_id = "addMember")]
    async fn add(&self, admin: Admin, new: Json<NewMember>) -> Result<Json<Invited>> {
        let actor = self.actor(&admin);
        let (member, token) = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let member = store::add(tx, &actor, new.0).await?;
                    let token = invitations::create(tx, Some((actor.org, member.id)), actor.at).await?;
                    Ok((member, token))
                })
            })
            .await?;
        Ok(Json(Invited { member, invitation_url: format!("{}/join#{token}", self.0.config.public_url) }))
    }

    /// Change a member
    #[oai(path = "/api/members/:id", method = "put", operation_id = "changeMember")]
    async fn change(&self, admin: Admin, id: Path<Uuid>, change: Json<MemberChange>) -> Result<Json<Person>> {
        if id.0 == admin.id && (!change.active || change.role != admin.role) {
            return Err(Error::conflict("own_role", "Nobody takes away their own administration."));
        }
        let actor = self.actor(&admin);
        let person = self
            .0
            .db
            .write(move |tx| Box::pin(async move { store::set(tx, &actor, id.0, change.0, "member.change").await }))
            .await?;
        Ok(Json(person))
    }

    /// A new link for a member who lost theirs or forgot the password
    #[oai(path = "/api/members/:id/invitation", method = "post", operation_id = "inviteMember")]
    async fn invite(&self, admin: Admin, id: Path<Uuid>) -> Result<Json<Invitation>> {
        let known: Option<(Uuid,)> = self
            .0
            .db
            .query("SELECT id FROM member WHERE org = $1 AND id = $2")
            .bind(admin.org)
            .bind(id.0)
            .optional()
            .await?;
        known.ok_or_else(|| Error::not_found("member"))?;
        let actor = self.actor(&admin);
        let token = self
            .0
            .db
            .write(move |tx| Box::pin(async move { invitations::create(tx, Some((actor.org, id.0)), actor.at).await }))
            .await?;
        Ok(Json(Invitation { invitation_url: format!("{}/join#{token}", self.0.config.public_url) }))
    }
}

impl Api {
    fn actor(&self, admin: &Admin) -> Actor {
        Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() }
    }
}
