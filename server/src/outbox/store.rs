//! Items that nobody can vouch for are kept for the administrator, within bounds.

use poem_openapi::Object;
use uuid::Uuid;

use super::{Maker, OutboxItem};
use crate::app::App;
use crate::auth::Admin;
use crate::clock::Millis;
use crate::error::{Error, Result};

/// More than a few of these is not a phone but somebody playing.
const MOST: i64 = 1_000;

/// An item of a sealed outbox that was kept because nobody vouches for its device.
#[derive(Object, sqlx::FromRow)]
pub struct Kept {
    pub id: Uuid,
    pub member: String,
    pub device: String,
    pub code: String,
    pub at: Millis,
}

pub(super) async fn keep(app: &App, maker: &Maker, item: &OutboxItem, why: &Error) -> Result<()> {
    let Ok(id) = Uuid::parse_str(&item.id) else { return Ok(()) };
    let (org, now, code) = (maker.org, app.clock.now(), why.code().to_owned());
    let (member, device) = (maker.member.to_string(), maker.device.to_string());
    let item = serde_json::to_string(item)?;
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "INSERT INTO outbox_kept (org, id, member, device, code, item, at)
                     SELECT o.id, $2, $3, $4, $5, $6, $7 FROM organisation o
                     WHERE o.id = $1 AND (SELECT count(*) FROM outbox_kept k WHERE k.org = $1) < $8
                     ON CONFLICT (org, id) DO NOTHING",
                )
                .bind(org)
                .bind(id)
                .bind(member)
                .bind(device)
                .bind(code)
                .bind(item)
                .bind(now)
                .bind(MOST)
                .run(),
            )
        })
        .await
        .map(drop)
}

/// What was kept, newest first.
pub async fn kept(app: &App, by: &Admin) -> Result<Vec<Kept>> {
    app.db
        .query("SELECT id, member, device, code, at FROM outbox_kept WHERE org = $1 ORDER BY at DESC, id LIMIT 100")
        .bind(by.org)
        .all()
        .await
}
