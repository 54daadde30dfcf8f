//! How members are kept, with the feeds that follow from their places.

use std::collections::HashMap;

use uuid::Uuid;

use super::{MemberChange, NewMember, Person};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Capabilities, Capability, MemberManager, Role};
use crate::check;
use crate::clock::{Millis, new_id};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::{feed, scope};

/// Adds an account without a password and its membership; an invitation link lets its owner choose one.
///
/// # Errors
/// 409 `login_taken`; 404 for places and supervisors that are not of this organisation.
pub async fn add(tx: &mut Tx, actor: &Actor, new: NewMember) -> Result<Person> {
    let login = new.login.trim().to_lowercase();
    check::name("name", &new.name)?;
    check::one_of("locale", &new.locale, &["en", "sw"])?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if !(3..=80).contains(&login.len()) || !login.chars().all(fits) {
        return Err(Error::invalid("login", "A login has 3 to 80 letters, digits or . _ - @ +"));
    }
    let (existing, id) = (new.existing.unwrap_or(false), new_id());
    let account = match existing {
        true => account_elsewhere(tx, actor.org, login).await?,
        false => new_account(tx, actor, login, &new).await?,
    };
    tx.query(
        "INSERT INTO member (org, id, account, role, active, created_at, main, joined)
         VALUES ($1, $2, $3, $4, TRUE, $5, $6, $6)",
    )
    .bind(actor.org)
    .bind(id)
    .bind(account)
    .bind(new.role.as_str())
    .bind(actor.at)
    .bind(!existing)
    .run()
    .await?;
    feed::create(tx, actor.org, id, "person").await?;
    let NewMember { role, supervisor, places, custom_role, household, .. } = new;
    let change = MemberChange { role, supervisor, places, active: true, custom_role, household };
    set(tx, actor, id, change, "member.add").await
}

async fn new_account(tx: &mut Tx, actor: &Actor, login: String, new: &NewMember) -> Result<Uuid> {
    let account = new_id();
    let added = tx
        .query("INSERT INTO account (id, login, name, locale, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (login) DO NOTHING")
        .bind(account)
        .bind(login)
        .bind(new.name.trim())
        .bind(new.locale.clone())
        .bind(actor.at)
        .run()
        .await?;
    match added {
        0 => Err(Error::conflict("login_taken", "Somebody has this login already.").field("login")),
        _ => Ok(account),
    }
}

/// The account of somebody who works in another organisation; they join here with the password they have.
///
/// # Errors
/// 404 in single mode and for a login that nobody has; 409 `login_taken` for a colleague.
async fn account_elsewhere(tx: &mut Tx, org: Uuid, login: String) -> Result<Uuid> {
    let row: Option<(Uuid, i64)> = tx
        .query(
            "SELECT a.id, (SELECT count(*) FROM member m WHERE m.org = $1 AND m.account = a.id) FROM account a
             WHERE a.login = $2 AND EXISTS (SELECT 1 FROM setting WHERE name = 'mode' AND value = 'multi')",
        )
        .bind(org)
        .bind(login)
        .optional()
        .await?;
    match row {
        None => Err(Error::not_found("account").field("login")),
        Some((account, 0)) => Ok(account),
        Some(_) => Err(Error::conflict("login_taken", "Somebody has this login already.").field("login")),
    }
}

/// After members were added or let in again: there are not more than the organisation may have.
///
/// # Errors
/// 409 `member_limit`; what was done is undone with it.
pub async fn demand_room(tx: &mut Tx, org: Uuid, most: i64) -> Result<()> {
    let (members, limit): (i64, i64) = tx
        .query(
            "SELECT (SELECT count(*) FROM member m WHERE m.org = o.id AND m.active), COALESCE(o.member_limit, $2)
             FROM organisation o WHERE o.id = $1",
        )
        .bind(org)
        .bind(most)
        .one()
        .await?;
    if members <= limit {
        return Ok(());
    }
    let message = format!("This organisation may have {limit} active members.");
    Err(Error::conflict("member_limit", message).details(serde_json::json!({ "limit": limit })))
}

/// Sets role, supervisor, places and whether the member is active; feeds follow.
pub async fn set(tx: &mut Tx, actor: &Actor, id: Uuid, change: MemberChange, action: &str) -> Result<Person> {
    let row: Option<(String,)> = tx
        .query(
            "SELECT CASE WHEN m.joined THEN a.name ELSE a.login END FROM member m JOIN account a ON a.id = m.account
                WHERE m.org = $1 AND m.id = $2",
        )
        .bind(actor.org)
        .bind(id)
        .optional()
        .await?;
    let (name,) = row.ok_or_else(|| Error::not_found("member"))?;
    if let Some(supervisor) = change.supervisor {
        let boss: Option<(String,)> = tx
            .query("SELECT role FROM member WHERE org = $1 AND id = $2")
            .bind(actor.org)
            .bind(supervisor)
            .optional()
            .await?;
        if boss.is_none_or(|(role,)| !leads(&role)) || supervisor == id {
            return Err(Error::invalid("supervisor", "This is not one of the organisation's supervisors."));
        }
    }
    fits_role(tx, actor.org, &change).await?;
    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
    let (led_before,): (Option<Uuid>,) =
        tx.query("SELECT supervisor FROM member WHERE org = $1 AND id = $2").bind(actor.org).bind(id).one().await?;
    tx.query(
        "UPDATE member SET role = $3, supervisor = $4, active = $5, custom_role = $6, household = $7,
             ended_at = CASE WHEN $5 THEN NULL ELSE COALESCE(ended_at, $8) END
         WHERE org = $1 AND id = $2",
    )
    .bind(actor.org)
    .bind(id)
    .bind(change.role.as_str())
    .bind(change.supervisor)
    .bind(change.active)
    .bind(change.custom_role)
    .bind(change.household)
    .bind(actor.at)
    .run()
    .await?;
    tx.query("DELETE FROM member_place WHERE org = $1 AND member = $2").bind(actor.org).bind(id).run().await?;
    for place in &change.places {
        let known: Option<(Uuid,)> =
            tx.query("SELECT id FROM place WHERE org = $1 AND id = $2").bind(actor.org).bind(*place).optional().await?;
        known.ok_or_else(|| Error::not_found("place").field("places"))?;
        tx.query("INSERT INTO member_place (org, member, place) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(actor.org)
            .bind(id)
            .bind(*place)
            .run()
            .await?;
    }
    for member in [Some(id), led_before, change.supervisor].into_iter().flatten() {
        scope::spell_out(tx, actor.org, member, actor.at).await?;
    }
    if !change.active {
        tx.query("UPDATE session SET ended_at = $3, ended_reason = 'deactivated' WHERE org = $1 AND member = $2 AND ended_at IS NULL")
            .bind(actor.org)
            .bind(id)
            .bind(actor.at)
            .run()
            .await?;
    }
    let MemberChange { role, supervisor, places, active, custom_role, household } = change;
    let person = Person { id, name, role, supervisor, places, active, custom_role, household };
    let before: Option<Person> = match scope::current(tx, actor.org, actor.org, id, "person").await {
        Ok(body) => Some(serde_json::from_str(&body)?),
        Err(_) => None,
    };
    feeds.put(tx, actor.org, "person", id, &person).await?;
    audit::append(tx, &mut feeds, actor.org, actor, action, ("person", id), (before.as_ref(), Some(&person))).await?;
    Ok(person)
}

/// Whom members can answer to: whoever decides on visits, and an organisation's own roles.
fn leads(role: &str) -> bool {
    let Some(role) = Role::parse(role) else { return false };
    role == Role::Custom || Capabilities::built_in(role).has(Capability::DecideVisits)
}

/// A custom role is one of the organisation's, and a beneficiary has a household there; others have neither.
async fn fits_role(tx: &mut Tx, org: Uuid, change: &MemberChange) -> Result<()> {
    if change.custom_role.is_some() != (change.role == Role::Custom) {
        return Err(Error::invalid("custom_role", "Which of the organisation's own roles?"));
    }
    if change.household.is_some() != (change.role == Role::Beneficiary) {
        return Err(Error::invalid("household", "A beneficiary, and only one, belongs to a household."));
    }
    if let Some(role) = change.custom_role {
        let known: Option<(Uuid,)> =
            tx.query("SELECT id FROM custom_role WHERE org = $1 AND id = $2").bind(org).bind(role).optional().await?;
        known.ok_or_else(|| Error::not_found("role").field("custom_role"))?;
    }
    if let Some(household) = change.household {
        let known: Option<(Uuid,)> =
            tx.query("SELECT id FROM household WHERE org = $1 AND id = $2").bind(org).bind(household).optional().await?;
        known.ok_or_else(|| Error::not_found("household").field("household"))?;
    }
    Ok(())
}

/// Roles that manage others are given and taken by those who manage roles.
///
/// # Errors
/// 403 when `by` may not give this role, or may not take the one that the member has.
pub async fn demand_may_give(
    tx: &mut Tx,
    by: &MemberManager,
    member: Option<Uuid>,
    change: (Role, Option<Uuid>),
) -> Result<()> {
    if by.capabilities.has(Capability::ManageRoles) {
        return Ok(());
    }
    let mut roles = vec![change];
    if let Some(member) = member {
        let held: Option<(String, Option<Uuid>)> = tx
            .query("SELECT role, custom_role FROM member WHERE org = $1 AND id = $2")
            .bind(by.org)
            .bind(member)
            .optional()
            .await?;
        roles.extend(held.and_then(|(role, custom)| Some((Role::parse(&role)?, custom))));
    }
    for (role, custom) in roles {
        let levels: Option<(String,)> = tx
            .query("SELECT levels FROM custom_role WHERE org = $1 AND id = $2")
            .bind(by.org)
            .bind(custom)
            .optional()
            .await?;
        let given = match levels {
            Some((levels,)) => Capabilities::granted(&serde_json::from_str(&levels)?),
            None => Capabilities::built_in(role),
        };
        let strong =
            [Capability::ManageMembers, Capability::ManageRoles, Capability::ManageOrganisation, Capability::ReadAcross];
        if strong.into_iter().any(|one| given.has(one)) {
            return Err(Error::forbidden("Only those who manage roles give or take this one."));
        }
    }
    Ok(())
}

/// When each member signed in last, and until when an unused invitation of theirs works.
pub async fn joined(app: &App, by: &MemberManager) -> Result<HashMap<Uuid, (Option<Millis>, Option<Millis>)>> {
    let rows: Vec<(Uuid, Option<Millis>, Option<Millis>)> = app
        .db
        .query(
            "SELECT m.id, (SELECT max(s.created_at) FROM session s WHERE s.org = m.org AND s.member = m.id),
                 (SELECT max(i.expires_at) FROM invitation i WHERE i.org = m.org AND i.member = m.id
                      AND i.used_at IS NULL AND i.expires_at > $2)
             FROM member m WHERE m.org = $1",
        )
        .bind(by.org)
        .bind(app.clock.now())
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id, signed_in, invited)| (id, (signed_in, invited))).collect())
}

/// The member exists, is active and sees this feed.
pub async fn demand_sees(tx: &mut Tx, org: Uuid, member: Uuid, feed: Uuid) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT feed FROM member_feed WHERE org = $1 AND member = $2 AND feed = $3")
        .bind(org)
        .bind(member)
        .bind(feed)
        .optional()
        .await?;
    row.map(drop)
        .ok_or_else(|| Error::refused("not_their_place", "This member does not work in that village.").field("mentor"))
}

/// Who decides on this member's visits.
pub async fn supervisor_of(tx: &mut Tx, org: Uuid, member: Uuid) -> Result<Option<Uuid>> {
    let row: Option<(Option<Uuid>,)> =
        tx.query("SELECT supervisor FROM member WHERE org = $1 AND id = $2").bind(org).bind(member).optional().await?;
    Ok(row.and_then(|(supervisor,)| supervisor))
}
