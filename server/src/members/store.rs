//! How members are kept, with the feeds that follow from their places.

use uuid::Uuid;

use super::{MemberChange, NewMember, Person};
use crate::audit::{self, Actor};
use crate::auth::Role;
use crate::check;
use crate::clock::new_id;
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
    let (account, id) = (new_id(), new_id());
    let added = tx
        .query("INSERT INTO account (id, login, name, locale, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (login) DO NOTHING")
        .bind(account)
        .bind(login)
        .bind(new.name.trim())
        .bind(new.locale)
        .bind(actor.at)
        .run()
        .await?;
    if added == 0 {
        return Err(Error::conflict("login_taken", "Somebody has this login already.").field("login"));
    }
    tx.query("INSERT INTO member (org, id, account, role, active, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(actor.org)
        .bind(id)
        .bind(account)
        .bind(new.role.as_str())
        .bind(true)
        .bind(actor.at)
        .run()
        .await?;
    feed::create(tx, actor.org, id, "person").await?;
    let change = MemberChange { role: new.role, supervisor: new.supervisor, places: new.places, active: true };
    set(tx, actor, id, change, "member.add").await
}

/// Sets role, supervisor, places and whether the member is active; feeds follow.
pub async fn set(tx: &mut Tx, actor: &Actor, id: Uuid, change: MemberChange, action: &str) -> Result<Person> {
    let row: Option<(String,)> = tx
        .query("SELECT a.name FROM member m JOIN account a ON a.id = m.account WHERE m.org = $1 AND m.id = $2")
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
        if boss.is_none_or(|(role,)| Role::parse(&role) != Some(Role::Supervisor)) || supervisor == id {
            return Err(Error::invalid("supervisor", "This is not one of the organisation's supervisors."));
        }
    }
    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
    tx.query("UPDATE member SET role = $3, supervisor = $4, active = $5 WHERE org = $1 AND id = $2")
        .bind(actor.org)
        .bind(id)
        .bind(change.role.as_str())
        .bind(change.supervisor)
        .bind(change.active)
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
    scope::spell_out(tx, actor.org, id, change.role, change.active).await?;
    if !change.active {
        tx.query("UPDATE session SET ended_at = $3, ended_reason = 'deactivated' WHERE org = $1 AND member = $2 AND ended_at IS NULL")
            .bind(actor.org)
            .bind(id)
            .bind(actor.at)
            .run()
            .await?;
    }
    let MemberChange { role, supervisor, places, active } = change;
    let person = Person { id, name, role, supervisor, places, active };
    let before: Option<Person> = match scope::current(tx, actor.org, actor.org, id, "person").await {
        Ok(body) => Some(serde_json::from_str(&body)?),
        Err(_) => None,
    };
    feeds.put(tx, actor.org, "person", id, &person).await?;
    audit::append(tx, &mut feeds, actor.org, actor, action, ("person", id), (before.as_ref(), Some(&person))).await?;
    Ok(person)
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
