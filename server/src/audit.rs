//! Who did what, when, before and after: appended in the command's transaction and chained by hash in its feed.
//!
//! One chain a feed rather than one an organisation: the feed's row is locked anyway, so the chain costs no
//! further wait, and its head in that row shows a cut tail as well as a removed row.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Millis;
use crate::crypto::{hex, sha256};
use crate::db::Tx;
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
    let hash = sha256(&material(org, feed, sequence, actor, action, subject, &change, previous.as_deref()));
    head.audit = (sequence, Some(hash.to_vec()));
    tx.query(
        "INSERT INTO audit (org, feed, sequence, at, member, device, action, subject_kind, subject, change, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
    .bind(previous)
    .bind(hash)
    .run()
    .await?;
    tx.query("UPDATE feed SET audit_sequence = $3, audit_head = $4 WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(feed)
        .bind(sequence)
        .bind(hash)
        .run()
        .await?;
    Ok(())
}

fn to_value(record: Option<&impl Serialize>) -> Result<Value> {
    Ok(record.map(serde_json::to_value).transpose()?.unwrap_or(Value::Null))
}

/// Only the fields that differ, each as `[before, after]`; of a new record its hash: later events, read backwards
/// from the record as it is, tell the rest.
fn difference(before: &Value, after: &Value) -> Result<Value> {
    Ok(match (before.as_object(), after.as_object()) {
        (Some(old), Some(new)) => {
            let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value) && *key != "revision");
            changed.map(|(key, value)| (key.clone(), json!([old.get(key), value]))).collect::<serde_json::Map<_, _>>().into()
        }
        (None, Some(_)) => json!({ "created": hex(&sha256(serde_json::to_string(after)?.as_bytes())) }),
        _ => Value::Null,
    })
}

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

#[derive(sqlx::FromRow)]
struct Event {
    sequence: i64,
    at: Millis,
    member: Option<Uuid>,
    device: Option<Uuid>,
    action: String,
    subject_kind: String,
    subject: Uuid,
    change: String,
    previous: Option<Vec<u8>>,
    hash: Vec<u8>,
}

/// Walks one feed's chain from its first event to the head in the feed's row.
///
/// Answers how many events were checked, or the first sequence that does not fit.
pub async fn verify(db: &crate::db::Db, org: Uuid, feed: Uuid) -> Result<Result<i64, i64>> {
    let (length, head): (i64, Option<Vec<u8>>) = db
        .query("SELECT audit_sequence, audit_head FROM feed WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(feed)
        .one()
        .await?;
    let events: Vec<Event> = db
        .query(
            "SELECT sequence, at, member, device, action, subject_kind, subject, change, previous, hash
             FROM audit WHERE org = $1 AND feed = $2 ORDER BY sequence",
        )
        .bind(org)
        .bind(feed)
        .all()
        .await?;
    let mut before: Option<Vec<u8>> = None;
    for (expected, event) in (1..).zip(&events) {
        let actor = Actor { org, member: event.member, device: event.device, at: event.at };
        let subject = (event.subject_kind.as_str(), event.subject);
        let material = material(org, feed, event.sequence, &actor, &event.action, subject, &event.change, before.as_deref());
        if event.sequence != expected || event.previous != before || event.hash != sha256(&material) {
            return Ok(Err(expected));
        }
        before = Some(event.hash.clone());
    }
    Ok(if events.len() as i64 == length && before == head { Ok(length) } else { Err(events.len() as i64 + 1) })
}
