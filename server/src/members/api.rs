//! Administration of members.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::handover::{self, HandOver, HandedOver};
use super::{MemberChange, NewMember, Person, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{Colleague, MemberManager, Role, invitations};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::places;
use crate::wire::Page;

pub struct Api(pub App);

/// A member in the list; administrators also see who has not signed in yet.
#[derive(Object)]
#[oai(rename = "ListedMember", skip_serializing_if_is_none)]
pub struct Listed {
    #[oai(flatten)]
    pub person: Person,
    /// When they signed in last.
    pub signed_in_at: Option<Millis>,
    /// Until when an unused invitation works.
    pub invited_until: Option<Millis>,
}

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
    async fn list(&self, reader: Colleague) -> Result<Json<Page<Listed>>> {
        let people = places::stored(&self.0.db, reader.org, "person").await?.unwrap_or_default();
        let people: Vec<Person> = serde_json::from_str(&format!("[{people}]"))?;
        // Who has not come yet is the administrators' business.
        let joined = match reader.again().member_manager() {
            Ok(admin) => store::joined(&self.0, &admin).await?,
            Err(_) => Default::default(),
        };
        let listed = |person: Person| {
            let (signed_in_at, invited_until) = joined.get(&person.id).copied().unwrap_or_default();
            Listed { person, signed_in_at, invited_until }
        };
        Ok(Json(Page { items: people.into_iter().map(listed).collect(), next: None }))
    }

    /// Add a member
    #[oai(path = "/api/members", method = "post", operation_id = "addMember")]
    async fn add(&self, admin: MemberManager, new: Json<NewMember>) -> Result<Json<Invited>> {
        let (actor, most) = (self.actor(&admin), i64::from(self.0.config.members));
        let (member, token) = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::demand_may_give(tx, &admin, None, (new.role, new.custom_role)).await?;
                    let member = store::add(tx, &actor, new.0).await?;
                    store::demand_room(tx, actor.org, most).await?;
                    let token = invitations::create(tx, Some((actor.org, member.id)), actor.at).await?;
                    Ok((member, token))
                })
            })
            .await?;
        Ok(Json(Invited { member, invitation_url: format!("{}/join#{token}", self.0.config.public_url) }))
    }

    /// Change a member
    #[oai(path = "/api/members/:id", method = "put", operation_id = "changeMember")]
    async fn change(&self, admin: MemberManager, id: Path<Uuid>, change: Json<MemberChange>) -> Result<Json<Person>> {
        if id.0 == admin.id && (!change.active || change.role != admin.role || change.custom_role.is_some()) {
            return Err(Error::conflict("own_role", "Nobody takes away their own administration."));
        }
        let (actor, most) = (self.actor(&admin), i64::from(self.0.config.members));
        let person = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::demand_may_give(tx, &admin, Some(id.0), (change.role, change.custom_role)).await?;
                    let active = change.active;
                    let person = store::set(tx, &actor, id.0, change.0, "member.change").await?;
                    if active {
                        store::demand_room(tx, actor.org, most).await?;
                    }
                    Ok(person)
                })
            })
            .await?;
        // Who is out is out at once.
        self.0.sessions.forget_all();
        Ok(Json(person))
    }

    /// Hand a member's places and open visits to another
    ///
    /// In one step. What the first still holds on the phone arrives all the same; with `leaves` their sessions end.
    #[oai(path = "/api/members/:id/hand-over", method = "post", operation_id = "handOver")]
    async fn hand_over(&self, admin: MemberManager, id: Path<Uuid>, over: Json<HandOver>) -> Result<Json<HandedOver>> {
        if id.0 == admin.id && over.leaves {
            return Err(Error::conflict("own_role", "Nobody takes away their own administration."));
        }
        let actor = self.actor(&admin);
        let done = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::demand_may_give(tx, &admin, Some(id.0), (Role::Mentor, None)).await?;
                    handover::hand_over(tx, &actor, id.0, over.0).await
                })
            })
            .await?;
        self.0.sessions.forget_all();
        Ok(Json(done))
    }

    /// A new link for a member who lost theirs or forgot the password
    #[oai(path = "/api/members/:id/invitation", method = "post", operation_id = "inviteMember")]
    async fn invite(&self, admin: MemberManager, id: Path<Uuid>) -> Result<Json<Invitation>> {
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
            .write(move |tx| {
                Box::pin(async move {
                    store::demand_may_give(tx, &admin, Some(id.0), (Role::Mentor, None)).await?;
                    invitations::create(tx, Some((actor.org, id.0)), actor.at).await
                })
            })
            .await?;
        Ok(Json(Invitation { invitation_url: format!("{}/join#{token}", self.0.config.public_url) }))
    }
}

impl Api {
    fn actor(&self, admin: &MemberManager) -> Actor {
        Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() }
    }
}
