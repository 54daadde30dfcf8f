//! Telling people: inbox rows are the truth, web push is a delivery of them.

pub mod api;
mod push;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub use push::{Push, job as push_job};

use crate::clock::{Millis, new_id};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::{jobs, scope};

/// What somebody is told.
pub struct Notice<'a> {
    pub kind: &'static str,
    pub member: Uuid,
    pub subject: (&'a str, Uuid),
    /// Values for the text; names are shown in the app only, never in a push.
    pub params: Value,
}

/// An inbox entry as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct InboxEntry {
    pub id: Uuid,
    pub member: Uuid,
    /// visit_submitted, visit_returned, visit_approved, visit_planned, evidence_quarantined, conflict_opened,
    /// enrolment_approved, enrolment_rejected, enrolment_waitlisted, enrolment_to_verify, enrolment_handed_over
    pub kind: String,
    pub subject_kind: String,
    pub subject: Uuid,
    pub params: Value,
    pub created_at: Millis,
    pub read_at: Option<Millis>,
    pub revision: i64,
}

/// Writes the inbox row and queues a push to each of the member's devices. The member's feed must be locked.
pub async fn notify(tx: &mut Tx, now: Millis, feeds: &Locked, notice: Notice<'_>) -> Result<()> {
    let entry = InboxEntry {
        id: new_id(),
        member: notice.member,
        kind: notice.kind.into(),
        subject_kind: notice.subject.0.into(),
        subject: notice.subject.1,
        params: notice.params,
        created_at: now,
        read_at: None,
        revision: feeds.revision(notice.member),
    };
    tx.query("INSERT INTO inbox (org, id, member, kind, subject, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(feeds.org)
        .bind(entry.id)
        .bind(entry.member)
        .bind(entry.kind.clone())
        .bind(entry.subject)
        .bind(now)
        .later()
        .await?;
    feeds.put(tx, entry.member, "inbox", entry.id, &entry).await?;
    let subscriptions: Vec<(String,)> = tx
        .query("SELECT endpoint FROM push_subscription WHERE org = $1 AND member = $2")
        .bind(feeds.org)
        .bind(entry.member)
        .all()
        .await?;
    let path = match entry.subject_kind.as_str() {
        "visit" => "visits",
        "enrolment" => "enrolments",
        "grant" => "grants",
        "group" => "groups",
        _ => "households",
    };
    let payload = json!({
        "v": 1, "kind": entry.kind, "inbox": entry.id, "url": format!("/{path}/{}", entry.subject), "at": now,
    });
    for (endpoint,) in subscriptions {
        let job = jobs::New { kind: "push", dedupe: format!("push:{}:{endpoint}", entry.id), run_at: now };
        jobs::enqueue(tx, feeds.org, job, &json!({ "endpoint": endpoint, "payload": payload })).await?;
    }
    Ok(())
}

/// `inbox.read`.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ReadInbox")]
pub struct Read {
    pub ids: Vec<Uuid>,
}

/// Marks own entries as read; reading twice changes nothing.
pub async fn read(tx: &mut Tx, context: &Context, body: Read) -> Result<Applied> {
    let by = &context.reader;
    if body.ids.len() > 500 {
        return Err(Error::invalid("ids", "At most 500 entries at once."));
    }
    let feeds = feed::lock(tx, by.org, [by.id]).await?;
    for id in body.ids {
        let mut entry: InboxEntry = serde_json::from_str(&scope::current(tx, by.org, by.id, id, "inbox").await?)?;
        if entry.read_at.is_none() {
            entry.read_at = Some(context.now);
            entry.revision = feeds.revision(by.id);
            tx.query("UPDATE inbox SET read_at = $3 WHERE org = $1 AND id = $2")
                .bind(by.org)
                .bind(id)
                .bind(context.now)
                .run()
                .await?;
            feeds.put(tx, by.id, "inbox", id, &entry).await?;
        }
    }
    Applied::to(by.id, feeds.revision(by.id))
}
