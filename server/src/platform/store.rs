//! How organisations come to be and what they may have.

use uuid::Uuid;

use super::api::{NewOrganisation, Tenant};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Role, invitations};
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::members::{self, NewMember};
use crate::{feed, orgs};

pub async fn list(app: &App) -> Result<Vec<Tenant>> {
    app.db
        .query(
            "SELECT o.id, o.code, o.name, o.created_at, COALESCE(o.member_limit, $1) AS member_limit,
                 (SELECT count(*) FROM member m WHERE m.org = o.id AND m.active) AS members
             FROM organisation o ORDER BY o.name, o.id",
        )
        .bind(i64::from(app.config.members))
        .all()
        .await
}

/// A new organisation and the token of its first administrator's invitation.
///
/// # Errors
/// 409 `organisation_limit`, `code_taken`, `login_taken` or `login_elsewhere`.
pub async fn create(tx: &mut Tx, by: &Actor, most: i64, new: NewOrganisation) -> Result<(Uuid, String)> {
    // The lock on the platform administrator's own feed orders two who create at once.
    let mut own = feed::lock(tx, by.org, [by.org]).await?;
    let (count,): (i64,) = tx.query("SELECT count(*) FROM organisation").one().await?;
    if count >= most {
        let message = format!("This installation has {count} organisations; more are not allowed.");
        return Err(Error::conflict("organisation_limit", message).details(serde_json::json!({ "limit": most })));
    }
    let NewOrganisation { code, name, admin_name, admin_login, admin_existing, locale, currency, time_zone } = new;
    // A member of one organisation says nothing in the chain of another.
    let actor = Actor { org: new_id(), member: None, device: None, at: by.at };
    let mut made = orgs::create(tx, &actor, &code, &name, false).await?;
    let wanted = orgs::OrganisationChange { locale: Some(locale), currency, time_zone, ..Default::default() };
    if (&wanted.locale, &wanted.currency, &wanted.time_zone) != (&Some(made.locale.clone()), &None, &None) {
        made = orgs::change(tx, &actor, wanted).await?;
    }
    let token = invite(tx, &actor, (admin_name, admin_login, admin_existing.unwrap_or(false)), made.locale).await?;
    let what = serde_json::json!({ "id": actor.org, "code": made.code });
    audit::append(
        tx,
        &mut own,
        by.org,
        by,
        "organisation.create",
        ("organisation", actor.org),
        (None::<&serde_json::Value>, Some(&what)),
    )
    .await?;
    Ok((actor.org, token))
}

/// An administrator for an organisation. `existing`: the person has an account here already.
pub async fn invite(tx: &mut Tx, actor: &Actor, who: (String, String, bool), locale: String) -> Result<String> {
    let (name, login, existing) = who;
    let new = NewMember { name, login, role: Role::OrgAdmin, locale, existing: Some(existing), ..NewMember::default() };
    let person = members::store::add(tx, actor, new).await?;
    invitations::create(tx, Some((actor.org, person.id)), actor.at).await
}

/// How many active members an organisation may have.
pub async fn set_limit(tx: &mut Tx, by: &Actor, org: Uuid, limit: i64) -> Result<()> {
    let changed = tx.query("UPDATE organisation SET member_limit = $2 WHERE id = $1").bind(org).bind(limit).run().await?;
    if changed == 0 {
        return Err(Error::not_found("organisation"));
    }
    let mut own = feed::lock(tx, by.org, [by.org]).await?;
    let what = serde_json::json!({ "member_limit": limit });
    let change = (None::<&serde_json::Value>, Some(&what));
    audit::append(tx, &mut own, by.org, by, "organisation.limit", ("organisation", org), change).await
}
