//! Who did what, when, before and after: appended in the command's transaction and chained by hash in its feed.
//!
//! The feed's row is locked anyway, so its chain costs no further wait, and its head in that row shows a cut tail as
//! well as a removed row. Every few minutes the heads of an organisation's feeds are sealed into the organisation's own
//! chain, which the server signs ([`seal`]): whoever rewrites a feed's chain to its end is found out there.

pub mod api;
pub mod seal;
mod store;
mod verify;

pub use store::{Wanted, list};
pub use verify::{Report, forget, organisation, reseals, verify};

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Millis;
use crate::crypto::{hex, sha256};
use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::feed::Locked;

/// Who acts: a member on a device, or the server itself.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub org: Uuid,
    pub member: Option<Uuid>,
    pub device: Option<Uuid>,
    pub at: Millis,
}

/// Appends one event. `before`/`after` are shown as they stand in the tables: sealed fields stay sealed.
pub async fn append(
    tx: &mut Tx,
    feeds: &mut Locked,
    feed: Uuid,
    actor: &Actor,
    action: &str,
    subject: (&str, Uuid),
    change: (Option<&impl Serialize>, Option<&impl Serialize>),
) -> Result<()> {
    let (before, after) = (to_value(change.0)?, to_value(change.1)?);
    let change = difference(&before, &after)?.to_string();
    let org = feeds.org;
    let head = feeds.head(feed);
    let sequence = head.audit.0 + 1;
    let previous = head.audit.1.take();
    let digest = hex(&tx.crypto.audit(&change));
    let hash = sha256(&material(org, feed, sequence, actor, action, subject, &digest, previous.as_deref()));
    head.audit = (sequence, Some(hash.to_vec()));
    tx.query(
        "INSERT INTO audit (org, feed, sequence, at, member, device, action, subject_kind, subject, change, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(org)
    .bind(feed)
    .bind(sequence)
    .bind(actor.at)
    .bind(actor.member)
    .bind(actor.device)
    .bind(action)
    .bind(subject.0)
    .bind(subject.1)
    .bind(change)
    .bind(hash)
    .later()
    .await?;
    // The head of the chain, as it is after the last event of this work.
    tx.query("UPDATE feed SET audit_sequence = $3, audit_head = $4 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(feed)
        .bind(sequence)
        .bind(hash)
        .later_once()
        .await
}

/// An event of many that are written together: the feed, the subject, and the change as a text.
pub struct Entry {
    pub feed: Uuid,
    pub subject: Uuid,
    pub change: String,
}

/// The change of an event that makes a record; `record` as it is kept.
///
/// # Errors
/// When the record cannot be written as JSON.
pub fn created(record: &impl Serialize) -> Result<String> {
    Ok(difference(&Value::Null, &serde_json::to_value(record)?)?.to_string())
}

/// As [`append`], for as many events of one kind as there are, in a few trips.
pub async fn append_many(
    tx: &mut Tx,
    feeds: &mut Locked,
    actor: &Actor,
    action: &str,
    kind: &str,
    entries: Vec<Entry>,
) -> Result<()> {
    let org = feeds.org;
    let mut rows = Vec::with_capacity(entries.len());
    let mut touched = std::collections::BTreeSet::new();
    for Entry { feed, subject, change } in entries {
        let head = feeds.head(feed);
        let sequence = head.audit.0 + 1;
        let previous = head.audit.1.take();
        let digest = hex(&tx.crypto.audit(&change));
        let hash = sha256(&material(org, feed, sequence, actor, action, (kind, subject), &digest, previous.as_deref()));
        head.audit = (sequence, Some(hash.to_vec()));
        touched.insert(feed);
        let place: [Arg; 3] = [org.into(), feed.into(), sequence.into()];
        let who: [Arg; 3] = [actor.at.into(), actor.member.into(), actor.device.into()];
        let what: [Arg; 5] = [action.into(), kind.into(), subject.into(), change.into(), hash.into()];
        rows.push(place.into_iter().chain(who).chain(what).collect());
    }
    const INTO: &str =
        "INSERT INTO audit (org, feed, sequence, at, member, device, action, subject_kind, subject, change, hash)";
    tx.insert_many(INTO, rows).await?;
    for feed in touched {
        let (sequence, hash) = feeds.head(feed).audit.clone();
        tx.query("UPDATE feed SET audit_sequence = $3, audit_head = $4 WHERE org = $1 AND id = $2")
            .bind(org)
            .bind(feed)
            .bind(sequence)
            .bind(hash)
            .later()
            .await?;
    }
    Ok(())
}

/// An event without a change, in a feed that is not locked yet.
pub async fn note(tx: &mut Tx, actor: &Actor, feed: Uuid, action: &str, subject: (&str, Uuid)) -> Result<()> {
    let mut feeds = crate::feed::lock(tx, actor.org, [feed]).await?;
    append(tx, &mut feeds, feed, actor, action, subject, (None::<&()>, None::<&()>)).await
}

fn to_value(record: Option<&impl Serialize>) -> Result<Value> {
    Ok(record.map(serde_json::to_value).transpose()?.unwrap_or(Value::Null))
}

/// What changes with every change, and stands in the event itself: its place and its time.
const SAID: &[&str] = &["revision", "updated_at"];

/// Only the fields that differ, each as `[before, after]`; of a new record its hash: later events, read backwards
/// from the record as it is, tell the rest.
fn difference(before: &Value, after: &Value) -> Result<Value> {
    Ok(match (before.as_object(), after.as_object()) {
        (Some(old), Some(new)) => {
            let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value) && !SAID.contains(&key.as_str()));
            changed.map(|(key, value)| (key.clone(), json!([old.get(key), value]))).collect::<serde_json::Map<_, _>>().into()
        }
        (None, Some(_)) => json!({ "created": hex(&sha256(serde_json::to_string(after)?.as_bytes())) }),
        _ => Value::Null,
    })
}

/// What an event's hash covers. Of its change a digest: so the change itself can be erased when a person asks for it,
/// and the chain still holds. Events of the first version cover the text of their change.
#[expect(clippy::too_many_arguments, reason = "the hash covers every column")]
fn material(
    org: Uuid,
    feed: Uuid,
    sequence: i64,
    actor: &Actor,
    action: &str,
    subject: (&str, Uuid),
    change: &str,
    previous: Option<&[u8]>,
) -> Vec<u8> {
    let previous = previous.map(hex);
    json!([org, feed, sequence, actor.at, actor.member, actor.device, action, subject.0, subject.1, change, previous])
        .to_string()
        .into_bytes()
}
