//! Two people changed the same field: both values are kept until a supervisor settles which one counts.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::{Millis, new_id};
use crate::commands::{Applied, Context};
use crate::crypto::Crypto;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::{audit, households, scope, trainings};

/// A field that was changed on two sides.
pub struct Clash {
    pub field: String,
    pub base: Value,
    pub theirs: Value,
    pub mine: Value,
    /// Who set `theirs` and when, where the record says so itself; else its history is asked.
    pub author: Option<(Uuid, Millis)>,
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
    /// Who typed `mine`, when it arrived, and on which phone it was typed.
    pub by: Uuid,
    pub at: Millis,
    pub device: Uuid,
    #[serde(default)]
    pub device_name: Option<String>,
    /// Who set `theirs`, when, and on which phone; none when it stands since the registration.
    #[serde(default)]
    pub theirs_by: Option<Uuid>,
    #[serde(default)]
    pub theirs_at: Option<Millis>,
    #[serde(default)]
    pub theirs_device_name: Option<String>,
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
    /// The server's value as it was shown; when it has changed since, the choice is refused as stale.
    #[serde(default)]
    pub theirs: Option<Value>,
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
    let by = &context.reader;
    let device_name = device_name(tx, feeds.org, by.id, by.device).await?;
    let theirs = match clash.author {
        Some((member, at)) => Some((member, None, at)),
        None => author(tx, feeds.org, record.1, &clash.field).await?,
    };
    let theirs_device_name = match theirs {
        Some((member, Some(device), _)) => self::device_name(tx, feeds.org, member, device).await?,
        _ => None,
    };
    let seal = |value: Value| seal(&context.app.crypto, &clash.field, value);
    let conflict = Conflict {
        id: new_id(),
        record_kind: record.0.into(),
        record: record.1,
        base: Some(seal(clash.base)),
        theirs: Some(seal(clash.theirs)),
        mine: Some(seal(clash.mine)),
        field: clash.field,
        by: by.id,
        at: context.now,
        device: by.device,
        device_name,
        theirs_by: theirs.map(|(member, ..)| member),
        theirs_at: theirs.map(|(.., at)| at),
        theirs_device_name,
        state: "open".into(),
        settled_by: None,
        revision: feeds.revision(feed),
    };
    tx.query("INSERT INTO conflict (org, id, feed, record, state, opened_at) VALUES ($1, $2, $3, $4, 'open', $5)")
        .bind(feeds.org)
        .bind(conflict.id)
        .bind(feed)
        .bind(conflict.record)
        .bind(context.now)
        .run()
        .await?;
    feeds.put(tx, feed, "conflict", conflict.id, &conflict).await?;
    let change = (None::<&Conflict>, Some(&conflict));
    audit::append(tx, feeds, feed, &context.actor(), "conflict.open", ("conflict", conflict.id), change).await
}

/// After a household has changed, its open conflicts show what the server holds now: nobody settles on an older value.
pub async fn refresh(
    tx: &mut Tx,
    context: &Context,
    feeds: &Locked,
    feed: Uuid,
    household: &households::Household,
) -> Result<()> {
    refresh_held(tx, context, feeds, feed, household.id, &serde_json::to_value(household)?).await
}

/// As [`refresh`], of any record: `held` is what it holds now, by field.
pub async fn refresh_held(
    tx: &mut Tx,
    context: &Context,
    feeds: &Locked,
    feed: Uuid,
    record: Uuid,
    held: &Value,
) -> Result<()> {
    let crypto = &context.app.crypto;
    let open: Vec<(Uuid,)> = tx
        .query("SELECT id FROM conflict WHERE org = $1 AND record = $2 AND state = 'open'")
        .bind(feeds.org)
        .bind(record)
        .all()
        .await?;
    for (id,) in open {
        let stored = scope::current(tx, feeds.org, feed, id, "conflict").await?;
        let shown: Conflict = serde_json::from_str(&crypto.open_text(&stored))?;
        let now = &held[&shown.field];
        if !households::same(now, shown.theirs.as_ref().unwrap_or(&Value::Null)) {
            let mut conflict: Conflict = serde_json::from_str(&stored)?;
            let by = &context.reader;
            conflict.theirs = Some(seal(crypto, &shown.field, now.clone()));
            conflict.theirs_by = Some(by.id);
            conflict.theirs_at = Some(context.now);
            conflict.theirs_device_name = device_name(tx, feeds.org, by.id, by.device).await?;
            conflict.revision = feeds.revision(feed);
            feeds.put(tx, feed, "conflict", id, &conflict).await?;
        }
    }
    Ok(())
}

/// The name a member gave the device, for people to recognise it by.
async fn device_name(tx: &mut Tx, org: Uuid, member: Uuid, device: Uuid) -> Result<Option<String>> {
    let row: Option<(String,)> = tx
        .query(
            "SELECT d.name FROM member m JOIN device d ON d.account = m.account AND d.id = $3
             WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(member)
        .bind(device)
        .optional()
        .await?;
    Ok(row.map(|(name,)| name))
}

/// Who last set a field of a record: member, device and time, from its history.
async fn author(tx: &mut Tx, org: Uuid, record: Uuid, field: &str) -> Result<Option<(Uuid, Option<Uuid>, Millis)>> {
    let history: Vec<(Option<Uuid>, Option<Uuid>, Millis, String)> = tx
        .query(
            // Of a household that moved, part of the history stands in another feed.
            "SELECT member, device, at, change FROM audit WHERE org = $1 AND subject = $2
             ORDER BY at DESC, sequence DESC LIMIT 200",
        )
        .bind(org)
        .bind(record)
        .all()
        .await?;
    let set = |change: &str| serde_json::from_str::<Value>(change).is_ok_and(|c| c.get(field).is_some());
    let found = history.into_iter().find(|(.., change)| set(change));
    Ok(found.and_then(|(member, device, at, _)| Some((member?, device, at))))
}

/// An id or a phone number is as private here as in its household.
fn seal(crypto: &Crypto, field: &str, value: Value) -> Value {
    match (field, value) {
        ("national_id" | "phone", Value::String(text)) => Value::from(crypto.seal(&text)),
        (_, value) => value,
    }
}

pub async fn settle(tx: &mut Tx, context: &Context, body: Settle) -> Result<Applied> {
    let by = context.reader.settler()?;
    let crypto = &context.app.crypto;
    let row: Option<(Uuid, Uuid)> = tx
        .query("SELECT feed, record FROM conflict WHERE org = $1 AND id = $2")
        .bind(by.org)
        .bind(body.id)
        .optional()
        .await?;
    let (place, household) = row.ok_or_else(|| Error::not_found("conflict"))?;
    scope::demand_household(tx, context, household, place, "conflict").await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let stored = scope::current(tx, by.org, place, body.id, "conflict").await?;
    let mut conflict: Conflict = serde_json::from_str(&crypto.open_text(&stored))?;
    if conflict.state != "open" {
        return Err(Error::refused("stale", "This conflict is settled already."));
    }
    let revision = feeds.revision(place);
    let held = conflict.theirs.clone().unwrap_or_default();
    if body.theirs.is_some_and(|seen| !households::same(&seen, &held)) {
        return Err(Error::refused("stale", "The value has changed since you looked at it; look again."));
    }
    if body.choose == Side::Mine && conflict.record_kind == "training" {
        let mine = conflict.mine.clone().unwrap_or_default();
        trainings::settle(tx, context, &mut feeds, conflict.record, &conflict.field, mine).await?;
    } else if body.choose == Side::Mine {
        let before = households::store::current(tx, crypto, by.org, place, conflict.record).await?;
        let mut record = serde_json::to_value(&before)?;
        record[&conflict.field] = conflict.mine.clone().unwrap_or_default();
        let mut after = households::parse(record)?;
        after.facts.check()?;
        after.updated_at = context.now;
        after.revision = revision;
        households::store::put(tx, crypto, &feeds, &after).await?;
        let (was, now) = (households::store::sealed(crypto, &before), households::store::sealed(crypto, &after));
        let subject = ("household", after.id);
        audit::append(tx, &mut feeds, place, &context.actor(), "household.update", subject, (Some(&was), Some(&now)))
            .await?;
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
