//! What must be acted on and stays unread: the next channel is tried, and when there is none left, the supervisor is told.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::kinds::{self, Channel, Kind};
use super::{Notice, deliveries, once};
use crate::app::App;
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::Result;
use crate::{feed, jobs};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Wanted {
    inbox: Uuid,
    round: i64,
}

/// Looks again when the time of this kind is over, if it has one.
pub async fn watch(tx: &mut Tx, now: Millis, (org, inbox): (Uuid, Uuid), kind: &Kind, round: i64) -> Result<()> {
    let Some(wait) = kind.way.unread else { return Ok(()) };
    let job = jobs::New { kind: "unread", dedupe: format!("unread:{inbox}:{round}"), run_at: now + wait };
    jobs::enqueue(tx, org, job, &Wanted { inbox, round }).await
}

#[derive(sqlx::FromRow)]
struct Left {
    member: Uuid,
    kind: String,
    name: String,
    supervisor: Option<Uuid>,
}

/// # Errors
/// When the database does not answer.
pub async fn job(app: &App, org: Uuid, body: &str) -> Result<()> {
    let wanted: Wanted = serde_json::from_str(body)?;
    let now = app.clock.now();
    app.db.write(move |tx| Box::pin(escalate(tx, now, org, wanted))).await
}

async fn escalate(tx: &mut Tx, now: Millis, org: Uuid, Wanted { inbox, round }: Wanted) -> Result<()> {
    let left: Option<Left> = tx
        .query(
            "SELECT i.member, i.kind, a.name, s.id AS supervisor
             FROM inbox i JOIN member m ON m.org = i.org AND m.id = i.member JOIN account a ON a.id = m.account
             LEFT JOIN member s ON s.org = m.org AND s.id = m.supervisor AND s.active AND s.id <> m.id
             WHERE i.org = $1 AND i.id = $2 AND i.read_at IS NULL AND m.active",
        )
        .bind(org)
        .bind(inbox)
        .optional()
        .await?;
    let Some(left) = left else { return Ok(()) };
    let Some(kind) = Kind::of(&left.kind) else { return Ok(()) };
    let tried: Vec<(String,)> =
        tx.query("SELECT DISTINCT channel FROM delivery WHERE org = $1 AND inbox = $2").bind(org).bind(inbox).all().await?;
    let reach = deliveries::reach(tx, org, left.member, kind).await?;
    let fresh =
        |channel: &Channel| !tried.iter().any(|(name,)| name == channel.as_str()) && !deliveries::unwanted(&reach, *channel);
    match deliveries::open(&reach).into_iter().find(fresh) {
        Some(next) => {
            deliveries::add(tx, now, (org, left.member, inbox), kind, next, &reach).await?;
            watch(tx, now, (org, inbox), kind, round + 1).await
        }
        None => match left.supervisor {
            Some(supervisor) => tell_supervisor(tx, now, org, inbox, left, supervisor).await,
            None => Ok(()),
        },
    }
}

async fn tell_supervisor(tx: &mut Tx, now: Millis, org: Uuid, inbox: Uuid, left: Left, supervisor: Uuid) -> Result<()> {
    let feeds = feed::lock(tx, org, [supervisor]).await?;
    let notice = Notice {
        kind: &kinds::COLLEAGUE_UNREAD,
        member: supervisor,
        subject: ("member", left.member),
        params: json!({ "who": left.name, "kind": left.kind }),
    };
    once(tx, now, &feeds, notice, format!("unread:{inbox}")).await.map(drop)
}
