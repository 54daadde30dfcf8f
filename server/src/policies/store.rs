//! How policies are kept: in the organisation's feed, with what is asked for in columns.

use uuid::Uuid;

use super::{KeptPolicy, Policy, PolicyFacts};
use crate::audit::{self, Actor};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::programmes;
use crate::{feed, scope};

/// Makes a policy or its next version. `seen`: the revision that was looked at, none for a new one.
///
/// # Errors
/// 409 `stale` or `key_taken`; 404 for a programme of nobody; 422 when it would move to another programme.
pub async fn put(tx: &mut Tx, actor: &Actor, id: Uuid, facts: PolicyFacts, seen: Option<i64>) -> Result<Policy> {
    let org = actor.org;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    programmes::store::current(tx, org, facts.programme).await?;
    let before = find(tx, org, id).await?;
    if before.as_ref().map(|policy| policy.revision) != seen {
        return Err(Error::conflict("stale", "It has changed since you looked at it; look again."));
    }
    if before.as_ref().is_some_and(|before| before.facts.programme != facts.programme) {
        return Err(Error::invalid("programme", "A policy stays in its programme."));
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM policy WHERE org = $1 AND programme = $2 AND key = $3 AND id <> $4")
        .bind(org)
        .bind(facts.programme)
        .bind(facts.key.clone())
        .bind(id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("key_taken", "This programme has a policy with this key already.").field("key"));
    }
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    let policy = Policy { id, version, facts, updated_at: actor.at, revision: feeds.revision(org) };
    tx.query(
        "INSERT INTO policy (org, id, programme, key, version, active) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (org, id) DO UPDATE SET key = excluded.key, version = excluded.version, active = excluded.active",
    )
    .bind(org)
    .bind(id)
    .bind(policy.facts.programme)
    .bind(policy.facts.key.clone())
    .bind(version)
    .bind(policy.facts.active)
    .run()
    .await?;
    tx.query("INSERT INTO policy_version (org, id, version, facts) VALUES ($1, $2, $3, $4)")
        .bind(org)
        .bind(id)
        .bind(version)
        .bind(serde_json::to_string(&policy.facts)?)
        .later()
        .await?;
    feeds.put(tx, org, "policy", id, &policy).await?;
    let change = (before.as_ref(), Some(&policy));
    audit::append(tx, &mut feeds, org, actor, "policy.save", ("policy", id), change).await?;
    Ok(policy)
}

/// The policy as it is now.
///
/// # Errors
/// 404.
pub async fn current(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Policy> {
    Ok(serde_json::from_str(&scope::current(tx, org, org, id, "policy").await?)?)
}

/// A version that was ever in force, as long as grants are given by the policy at all.
///
/// # Errors
/// 404 when there is no such version; 422 `policy_closed`.
pub async fn version(tx: &mut Tx, org: Uuid, id: Uuid, version: i64) -> Result<KeptPolicy> {
    let row: Option<(String, bool)> = tx
        .query(
            "SELECT v.facts, p.active FROM policy_version v JOIN policy p ON p.org = v.org AND p.id = v.id
             WHERE v.org = $1 AND v.id = $2 AND v.version = $3",
        )
        .bind(org)
        .bind(id)
        .bind(version)
        .optional()
        .await?;
    let (facts, active) = row.ok_or_else(|| Error::not_found("policy").field("policy"))?;
    match active {
        true => Ok(KeptPolicy { id, version, facts: serde_json::from_str(&facts)? }),
        false => Err(Error::refused("policy_closed", "No grants are given by this policy any more.")),
    }
}

async fn find(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Option<Policy>> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT id FROM policy WHERE org = $1 AND id = $2").bind(org).bind(id).optional().await?;
    match row {
        Some(_) => current(tx, org, id).await.map(Some),
        None => Ok(None),
    }
}
