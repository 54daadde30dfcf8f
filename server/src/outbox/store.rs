//! Items of sealed outboxes that were not applied: nobody vouches for their device, or their maker had left. They wait,
//! still sealed, for somebody to look at them.

use std::collections::HashSet;

use poem_openapi::Object;
use uuid::Uuid;

use super::{Maker, OutboxItem, deliver};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Capability, Reader};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// Made after the membership had ended, by a device that is known.
pub const AFTER: &str = "membership_ended";
/// Of devices that nobody knows: more than a few of these is not a phone but somebody playing.
const MOST: i64 = 1_000;
/// Of one known device: years of work.
const MOST_KNOWN: i64 = 50_000;

/// An item of a sealed outbox that was not applied.
#[derive(Object, sqlx::FromRow)]
pub struct Kept {
    pub id: Uuid,
    pub member: String,
    pub device: String,
    /// unknown_device, or membership_ended
    pub code: String,
    pub at: Millis,
}

pub(super) async fn keep(app: &App, maker: &Maker, item: &OutboxItem, why: &Error) -> Result<()> {
    let Ok(id) = Uuid::parse_str(&item.id) else { return Ok(()) };
    let (org, now, code) = (maker.org, app.clock.now(), why.code().to_owned());
    let (member, device) = (maker.member.to_string(), maker.device.to_string());
    let known = code == AFTER;
    let item = serde_json::to_string(item)?;
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "INSERT INTO outbox_kept (org, id, member, device, code, item, at)
                     SELECT o.id, $2, $3, $4, $5, $6, $7 FROM organisation o
                     WHERE o.id = $1 AND (SELECT count(*) FROM outbox_kept k
                                          WHERE k.org = $1 AND k.code = $5 AND ($9 = FALSE OR k.device = $4)) < $8
                     ON CONFLICT (org, id) DO UPDATE SET member = excluded.member, device = excluded.device,
                         code = excluded.code, item = excluded.item, at = excluded.at
                     WHERE $9 AND outbox_kept.code <> excluded.code",
                )
                .bind(org)
                .bind(id)
                .bind(member)
                .bind(device)
                .bind(code)
                .bind(item)
                .bind(now)
                .bind(if known { MOST_KNOWN } else { MOST })
                .bind(known)
                .run(),
            )
        })
        .await
        .map(drop)
}

/// What waits to be looked at, newest first: all for an administrator, for a supervisor what their team made after
/// leaving, for others nothing.
pub async fn kept(app: &App, by: &Reader) -> Result<Vec<Kept>> {
    let all: Vec<Kept> = app
        .db
        .query(
            "SELECT id, member, device, code, at FROM outbox_kept k WHERE org = $1 AND settled_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM command_log c WHERE c.org = k.org AND c.id = k.id)
             ORDER BY at DESC, id LIMIT 500",
        )
        .bind(by.org)
        .all()
        .await?;
    if all.is_empty() || by.admin().is_ok() {
        return Ok(all);
    }
    let team = team(app, by).await?;
    Ok(all.into_iter().filter(|one| one.code == AFTER && team.contains(&one.member)).collect())
}

/// Whose work this person decides on, as texts.
async fn team(app: &App, by: &Reader) -> Result<HashSet<String>> {
    if !by.capabilities.has(Capability::DecideVisits) {
        return Ok(HashSet::new());
    }
    let rows: Vec<(Uuid,)> =
        app.db.query("SELECT id FROM member WHERE org = $1 AND supervisor = $2").bind(by.org).bind(by.id).all().await?;
    Ok(rows.into_iter().map(|(id,)| id.to_string()).collect())
}

/// Takes what was put aside after all, by the same handler as ever, or leaves it. The item itself stays.
///
/// # Errors
/// 404 when there is no such item within the caller's reach; 422 with the handler's own code when it cannot be applied.
pub async fn settle(app: &App, by: &Reader, id: Uuid, take: bool) -> Result<()> {
    kept(app, by).await?.into_iter().find(|one| one.id == id).ok_or_else(|| Error::not_found("item"))?;
    if take {
        let row: Option<(String,)> =
            app.db.query("SELECT item FROM outbox_kept WHERE org = $1 AND id = $2").bind(by.org).bind(id).optional().await?;
        let (item,) = row.ok_or_else(|| Error::not_found("item"))?;
        let outcome = deliver::attempt(app, &serde_json::from_str(&item)?, true).await?;
        if outcome.status == "rejected" {
            return Err(Error::refused(&outcome.code.unwrap_or_default(), outcome.message.unwrap_or_default()));
        }
    }
    let actor = Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: app.clock.now() };
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let settle =
                    "UPDATE outbox_kept SET settled_at = $3, settled_by = $4, taken = $5 WHERE org = $1 AND id = $2";
                tx.query(settle).bind(actor.org).bind(id).bind(actor.at).bind(actor.member).bind(take).run().await?;
                let action = if take { "outbox.take" } else { "outbox.leave" };
                audit::note(tx, &actor, actor.org, action, ("outbox", id)).await
            })
        })
        .await
}
