//! Two people changed the same field: both values are kept until a supervisor settles which one counts.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::{Millis, new_id};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::{audit, households, scope};

/// A field that was changed on two sides.
pub struct Clash {
    pub field: String,
    pub base: Value,
    pub theirs: Value,
    pub mine: Value,
}

/// An open (or settled) conflict. `theirs` is what the server held, `mine` what came later.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Conflict {
    pub id: Uuid,
    pub record_kind: String,
    pub record: Uuid,
    pub field: String,
    pub base: Option<Value>,
    pub theirs: Option<Value>,
    pub mine: Option<Value>,
    pub by: Uuid,
    pub at: Millis,
    pub device: Uuid,
    /// open or settled
    pub state: String,
    pub settled_by: Option<Uuid>,
    pub revision: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Theirs,
    Mine,
}

/// `conflict.settle`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "SettleConflict")]
pub struct Settle {
    pub id: Uuid,
    pub choose: Side,
}

/// Keeps both values and shows the conflict to everybody who sees the record.
pub async fn open(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    feed: Uuid,
    record: (&str, Uuid),
    clash: Clash,
) -> Result<()> {
    // An id or a phone number is as private here as in its household.
    let seal = |value: Value| match (&*clash.field, value) {
        ("national_id" | "phone", Value::String(text)) => Value::from(context.app.crypto.seal(&text)),
        (_, value) => value,
    };
    let conflict = Conflict {
        id: new_id(),
        record_kind: record.0.into(),
        record: record.1,
        base: Some(seal(clash.base)),
        theirs: Some(seal(clash.theirs)),
        mine: Some(seal(clash.mine)),
        field: clash.field,
        by: context.reader.id,
        at: context.now,
        device: context.reader.device,
        state: "open".into(),
        settled_by: None,
        revision: feeds.revision(feed),
    };
    tx.query("INSERT INTO conflict (org, id, feed, record, state) VALUES ($1, $2, $3, $4, 'open')")
        .bind(feeds.org)
        .bind(conflict.id)
        .bind(feed)
        .bind(conflict.record)
        .run()
        .await?;
    feeds.put(tx, feed, "conflict", conflict.id, &conflict).await?;
    let change = (None::<&Conflict>, Some(&conflict));
    audit::append(tx, feeds, feed, &context.actor(), "conflict.open", ("conflict", conflict.id), change).await
}

pub async fn settle(tx: &mut Tx, context: &Context, body: Settle) -> Result<Applied> {
    let by = context.reader.approver()?;
    let crypto = &context.app.crypto;
    let row: Option<(Uuid,)> =
        tx.query("SELECT feed FROM conflict WHERE org = $1 AND id = $2").bind(by.org).bind(body.id).optional().await?;
    let (place,) = row.ok_or_else(|| Error::not_found("conflict"))?;
    scope::demand(tx, &by, place, "conflict").await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let stored = scope::current(tx, by.org, place, body.id, "conflict").await?;
    let mut conflict: Conflict = serde_json::from_str(&crypto.open_text(&stored))?;
    if conflict.state != "open" {
        return Err(Error::refused("stale", "This conflict is settled already."));
    }
    let revision = feeds.revision(place);
    let before = households::store::current(tx, crypto, by.org, place, conflict.record).await?;
    if body.choose == Side::Mine {
        let mut record = serde_json::to_value(&before)?;
        record[&conflict.field] = conflict.mine.clone().unwrap_or_default();
        let mut after: households::Household =
            serde_json::from_value(record).map_err(|e| Error::refused("invalid", e.to_string()))?;
        after.facts.check()?;
        after.updated_at = context.now;
        after.revision = revision;
        households::store::put(tx, crypto, &feeds, &after).await?;
    }
    // Back to the stored form, in which private values are sealed.
    conflict = serde_json::from_str(&stored)?;
    let open = conflict.clone();
    conflict.state = "settled".into();
    conflict.settled_by = Some(by.id);
    conflict.revision = revision;
    tx.query("UPDATE conflict SET state = 'settled' WHERE org = $1 AND id = $2").bind(by.org).bind(body.id).run().await?;
    feeds.put(tx, place, "conflict", conflict.id, &conflict).await?;
    let action = if body.choose == Side::Mine { "conflict.settle_mine" } else { "conflict.settle_theirs" };
    let change = (Some(&open), Some(&conflict));
    audit::append(tx, &mut feeds, place, &context.actor(), action, ("conflict", body.id), change).await?;
    Applied::to(body.id, revision)
}
