//! Roles that an organisation makes itself: a level in each module, and whose rows they see.

use poem_openapi::param::Path;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::roles::{GRANTABLE, Level, Levels, Module};
use crate::auth::{MemberManager, Reach, RoleManager};
use crate::check;
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::{feed, scope};

/// More than anybody can tell apart.
const MOST: i64 = 50;

/// One of the organisation's own roles.
#[derive(Clone, Object, Serialize)]
pub struct CustomRole {
    pub id: Uuid,
    pub name: String,
    pub scope: Reach,
    /// A module that is not named is `none`.
    pub levels: BTreeMap<String, Level>,
    /// Who has it.
    pub members: i64,
}

/// A role to be, or what becomes of one.
#[derive(Clone, Object)]
pub struct NewRole {
    pub name: String,
    pub scope: Reach,
    /// By module: households, visits, programmes, figures, places, members, organisation.
    pub levels: BTreeMap<String, Level>,
}

#[derive(Object)]
pub struct CustomRoles {
    pub items: Vec<CustomRole>,
}

#[derive(ApiResponse)]
enum Removed {
    /// The role is gone.
    #[oai(status = 204)]
    Done,
}

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Members")]
impl Api {
    /// The organisation's own roles
    #[oai(path = "/api/roles", method = "get", operation_id = "listRoles")]
    async fn list(&self, by: MemberManager) -> Result<Json<CustomRoles>> {
        let rows: Vec<(Uuid, String, String, String, i64)> = self
            .0
            .db
            .query(
                "SELECT r.id, r.name, r.scope, r.levels,
                     (SELECT count(*) FROM member m WHERE m.org = r.org AND m.custom_role = r.id)
                 FROM custom_role r WHERE r.org = $1 ORDER BY r.name, r.id",
            )
            .bind(by.org)
            .all()
            .await?;
        let mut items = Vec::new();
        for (id, name, scope, levels, members) in rows {
            let scope = Reach::parse(&scope).ok_or_else(|| anyhow::anyhow!("a role's scope is {scope}"))?;
            items.push(CustomRole { id, name, scope, levels: serde_json::from_str(&levels)?, members });
        }
        Ok(Json(CustomRoles { items }))
    }

    /// Make a role
    #[oai(path = "/api/roles", method = "post", operation_id = "addRole")]
    async fn add(&self, by: RoleManager, new: Json<NewRole>) -> Result<Json<CustomRole>> {
        self.keep(by, new_id(), new.0, true).await
    }

    /// Change a role
    ///
    /// Whoever has it sees and may do what it says from now on.
    #[oai(path = "/api/roles/:id", method = "put", operation_id = "changeRole")]
    async fn change(&self, by: RoleManager, id: Path<Uuid>, new: Json<NewRole>) -> Result<Json<CustomRole>> {
        self.keep(by, id.0, new.0, false).await
    }

    /// Remove a role that nobody has
    #[oai(path = "/api/roles/:id", method = "delete", operation_id = "removeRole")]
    async fn remove(&self, by: RoleManager, id: Path<Uuid>) -> Result<Response<Removed>> {
        let actor = self.actor(&by);
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let before = read(tx, actor.org, id.0).await?;
                    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
                    let sql = "DELETE FROM custom_role WHERE org = $1 AND id = $2
                               AND NOT EXISTS (SELECT 1 FROM member m WHERE m.org = $1 AND m.custom_role = $2)";
                    if tx.query(sql).bind(actor.org).bind(id.0).run().await? == 0 {
                        return Err(Error::conflict("role_in_use", "Members have this role; give them another first."));
                    }
                    let rule = "DELETE FROM sign_in_rule WHERE org = $1 AND custom_role = $2";
                    tx.query(rule).bind(actor.org).bind(id.0).run().await?;
                    let change = (Some(&before), None::<&CustomRole>);
                    audit::append(tx, &mut feeds, actor.org, &actor, "role.remove", ("role", id.0), change).await
                })
            })
            .await?;
        Ok(Response::new(Removed::Done))
    }
}

impl Api {
    fn actor(&self, by: &RoleManager) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }

    async fn keep(&self, by: RoleManager, id: Uuid, new: NewRole, fresh: bool) -> Result<Json<CustomRole>> {
        let actor = self.actor(&by);
        let role = self.0.db.write(move |tx| Box::pin(async move { keep(tx, &actor, id, new, fresh).await })).await?;
        self.0.sessions.forget_all();
        Ok(Json(role))
    }
}

async fn keep(tx: &mut Tx, actor: &Actor, id: Uuid, new: NewRole, fresh: bool) -> Result<CustomRole> {
    let org = actor.org;
    let name = new.name.trim().to_owned();
    check::name("name", &name)?;
    let levels = levels(&new.levels)?;
    let before = if fresh { None } else { Some(read(tx, org, id).await?) };
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let (count,): (i64,) = tx.query("SELECT count(*) FROM custom_role WHERE org = $1").bind(org).one().await?;
    if fresh && count >= MOST {
        return Err(Error::conflict("too_many_roles", "There are 50 roles already."));
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM custom_role WHERE org = $1 AND name = $2 AND id <> $3")
        .bind(org)
        .bind(name.clone())
        .bind(id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("name_taken", "There is a role with this name already.").field("name"));
    }
    tx.query(
        "INSERT INTO custom_role (org, id, name, scope, levels) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (org, id) DO UPDATE SET name = excluded.name, scope = excluded.scope, levels = excluded.levels",
    )
    .bind(org)
    .bind(id)
    .bind(name.clone())
    .bind(new.scope.as_str())
    .bind(serde_json::to_string(&levels)?)
    .run()
    .await?;
    let holders: Vec<(Uuid,)> =
        tx.query("SELECT id FROM member WHERE org = $1 AND custom_role = $2").bind(org).bind(id).all().await?;
    for (member,) in &holders {
        scope::spell_out(tx, org, *member, actor.at).await?;
    }
    let levels = levels.into_iter().map(|(module, level)| (module.as_str().to_owned(), level)).collect();
    let role = CustomRole { id, name, scope: new.scope, levels, members: holders.len() as i64 };
    let action = if fresh { "role.add" } else { "role.change" };
    audit::append(tx, &mut feeds, org, actor, action, ("role", id), (before.as_ref(), Some(&role))).await?;
    Ok(role)
}

async fn read(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<CustomRole> {
    let row: Option<(String, String, String)> = tx
        .query("SELECT name, scope, levels FROM custom_role WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(id)
        .optional()
        .await?;
    let (name, scope, levels) = row.ok_or_else(|| Error::not_found("role"))?;
    let scope = Reach::parse(&scope).ok_or_else(|| anyhow::anyhow!("a role's scope is {scope}"))?;
    Ok(CustomRole { id, name, scope, levels: serde_json::from_str(&levels)?, members: 0 })
}

/// The levels by module, without those that are none.
fn levels(wanted: &BTreeMap<String, Level>) -> Result<Levels> {
    let mut levels = Levels::new();
    for (name, level) in wanted {
        let module = GRANTABLE.into_iter().find(|module: &Module| module.as_str() == name);
        let module =
            module.ok_or_else(|| Error::invalid("levels", "A role has levels only in modules it may reach into."))?;
        if *level != Level::None {
            levels.insert(module, *level);
        }
    }
    Ok(levels)
}
