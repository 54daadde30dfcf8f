//! Telling people: inbox rows are the truth; pushes, e-mails and text messages are deliveries of them.

pub mod api;
mod confirm;
mod deliver;
mod deliveries;
mod email;
pub mod kinds;
mod outcome;
mod push;
pub(crate) mod quiet;
pub mod reminders;
mod sms;
mod told;
mod unreached;
mod unread;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use deliver::deliver;
pub use email::Mail;
pub use kinds::{Channel, Kind};
pub use outcome::Outcome;
pub use push::{Push, job as push_job};
pub use sms::Sms;
pub use told::addresses;
pub use unread::job as unread_job;

use crate::clock::{Millis, new_id};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::scope;

/// What somebody is told.
pub struct Notice<'a> {
    pub kind: &'static Kind,
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
    /// A key of the registry: docs/told.md
    pub kind: String,
    pub subject_kind: String,
    pub subject: Uuid,
    pub params: Value,
    pub created_at: Millis,
    pub read_at: Option<Millis>,
    pub revision: i64,
}

/// Writes the inbox row and sets its deliveries out. The member's feed must be locked.
pub async fn notify(tx: &mut Tx, now: Millis, feeds: &Locked, notice: Notice<'_>) -> Result<()> {
    write(tx, now, feeds, notice, None).await
}

/// As [`notify`], of an event that is told once however often somebody looks. Answers whether it was told now.
pub async fn once(tx: &mut Tx, now: Millis, feeds: &Locked, notice: Notice<'_>, event: String) -> Result<bool> {
    // Whoever else looks at the same moment waits for the member's feed.
    let told: Option<(Uuid,)> = tx
        .query("SELECT id FROM inbox WHERE org = $1 AND member = $2 AND event = $3")
        .bind(feeds.org)
        .bind(notice.member)
        .bind(event.as_str())
        .optional()
        .await?;
    if told.is_none() {
        write(tx, now, feeds, notice, Some(event)).await?;
    }
    Ok(told.is_none())
}

async fn write(tx: &mut Tx, now: Millis, feeds: &Locked, notice: Notice<'_>, event: Option<String>) -> Result<()> {
    let kind = notice.kind;
    let entry = InboxEntry {
        id: new_id(),
        member: notice.member,
        kind: kind.key.into(),
        subject_kind: notice.subject.0.into(),
        subject: notice.subject.1,
        params: notice.params,
        created_at: now,
        read_at: None,
        revision: feeds.revision(notice.member),
    };
    tx.query(
        "INSERT INTO inbox (org, id, member, kind, subject, subject_kind, event, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(feeds.org)
    .bind(entry.id)
    .bind(entry.member)
    .bind(kind.key)
    .bind(entry.subject)
    .bind(entry.subject_kind.as_str())
    .bind(event)
    .bind(now)
    .later()
    .await?;
    feeds.put(tx, entry.member, "inbox", entry.id, &entry).await?;
    deliveries::begin(tx, now, (feeds.org, entry.member, entry.id), kind).await?;
    unread::watch(tx, now, (feeds.org, entry.id), kind, 0).await
}

/// The page that shows what an entry is about.
fn path(subject_kind: Option<&str>, subject: Uuid) -> String {
    match subject_kind {
        Some(kind @ ("visit" | "enrolment" | "grant" | "group" | "household" | "training")) => format!("/{kind}s/{subject}"),
        Some("queue") => "/queue".into(),
        Some("device") => "/team/devices".into(),
        Some("member") => "/team/unread".into(),
        Some("certificate") => "/certificates".into(),
        Some("backup" | "tls") => "/admin".into(),
        Some("home") => "/home".into(),
        _ => "/inbox".into(),
    }
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
