//! Which feeds a member may see, and how that list is kept.

use uuid::Uuid;

use crate::auth::{Member, Role};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};

/// The member's feeds include this one.
///
/// # Errors
/// 404 otherwise: nobody learns whether it exists.
pub async fn demand(tx: &mut Tx, member: &Member, feed: Uuid, what: &str) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT feed FROM member_feed WHERE org = $1 AND member = $2 AND feed = $3")
        .bind(member.org)
        .bind(member.id)
        .bind(feed)
        .optional()
        .await?;
    row.map(drop).ok_or_else(|| Error::not_found(what))
}

/// The body of one record that the member may see, as stored.
pub async fn record(db: &Db, member: &Member, kind: &str, id: Uuid) -> Result<String> {
    let row: Option<(String,)> = db
        .query(
            "SELECT e.body FROM member_feed m JOIN feed_entry e ON e.org = m.org AND e.feed = m.feed
             WHERE m.org = $1 AND m.member = $2 AND e.kind = $3 AND e.id = $4 AND NOT e.deleted",
        )
        .bind(member.org)
        .bind(member.id)
        .bind(kind)
        .bind(id)
        .optional()
        .await?;
    row.map(|(body,)| body).ok_or_else(|| Error::not_found(kind))
}

/// A record's body inside a transaction that has locked its feed.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid, kind: &str) -> Result<String> {
    let row: Option<(String,)> = tx
        .query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $2 AND id = $3 AND kind = $4 AND NOT deleted")
        .bind(org)
        .bind(feed)
        .bind(id)
        .bind(kind)
        .optional()
        .await?;
    row.map(|(body,)| body).ok_or_else(|| Error::not_found(kind))
}

/// Spells out a member's feeds again: the organisation's, the own, and the places below those assigned
/// (all places for an administrator).
pub async fn spell_out(tx: &mut Tx, org: Uuid, member: Uuid, role: Role, active: bool) -> Result<()> {
    tx.query("DELETE FROM member_feed WHERE org = $1 AND member = $2").bind(org).bind(member).run().await?;
    if !active {
        return Ok(());
    }
    let places = match role {
        Role::OrgAdmin => {
            "INSERT INTO member_feed (org, member, feed)
             SELECT f.org, m.id, f.id FROM feed f JOIN member m ON m.org = f.org AND m.id = $2
             WHERE f.org = $1 AND f.kind = 'place'"
        }
        Role::Mentor | Role::Supervisor => {
            "INSERT INTO member_feed (org, member, feed)
             WITH RECURSIVE below (id) AS (
                 SELECT place FROM member_place WHERE org = $1 AND member = $2
                 UNION
                 SELECT p.id FROM place p JOIN below b ON p.parent = b.id WHERE p.org = $1
             )
             SELECT f.org, m.id, f.id FROM feed f JOIN below b ON b.id = f.id
             JOIN member m ON m.org = f.org AND m.id = $2 WHERE f.org = $1 AND f.kind = 'place'"
        }
    };
    tx.query(places).bind(org).bind(member).run().await?;
    tx.query("INSERT INTO member_feed (org, member, feed) VALUES ($1, $2, $1), ($1, $2, $2)")
        .bind(org)
        .bind(member)
        .run()
        .await?;
    Ok(())
}

/// After a place was added: whoever is assigned above it, and every administrator, sees it.
pub async fn spell_out_all(tx: &mut Tx, org: Uuid) -> Result<()> {
    let members: Vec<(Uuid, String, bool)> =
        tx.query("SELECT id, role, active FROM member WHERE org = $1").bind(org).all().await?;
    for (id, role, active) in members {
        if let Some(role) = Role::parse(&role) {
            spell_out(tx, org, id, role, active).await?;
        }
    }
    Ok(())
}
