//! One-time links: the first set-up of an installation, and invitations of members.

use uuid::Uuid;

use crate::app::App;
use crate::clock::{DAY, Millis, random};
use crate::crypto::{b64, sha256, unb64};
use crate::db::Tx;
use crate::error::{Error, Result};

/// What a link is for: a member to join, or (none) the first set-up.
#[derive(sqlx::FromRow)]
pub struct Invitation {
    pub org: Option<Uuid>,
    pub member: Option<Uuid>,
}

/// A new link's token; older unused ones for the same member stop working.
pub async fn create(tx: &mut Tx, whom: Option<(Uuid, Uuid)>, now: Millis) -> Result<String> {
    let secret: [u8; 24] = random();
    let (org, member) = whom.unzip();
    match whom {
        Some((org, member)) => {
            let delete = "DELETE FROM invitation WHERE org = $1 AND member = $2 AND used_at IS NULL";
            tx.query(delete).bind(org).bind(member).run().await?;
        }
        None => drop(tx.query("DELETE FROM invitation WHERE org IS NULL AND used_at IS NULL").run().await?),
    }
    tx.query("INSERT INTO invitation (token_hash, org, member, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(sha256(&secret))
        .bind(org)
        .bind(member)
        .bind(now + 7 * DAY)
        .run()
        .await?;
    Ok(b64(&secret))
}

fn invalid() -> Error {
    Error::refused(
        "invitation_invalid",
        "This link does not work: it was used, has expired, or was replaced by a newer one.",
    )
}

fn hash(token: &str) -> Result<[u8; 32]> {
    unb64(token).map(|t| sha256(&t)).ok_or_else(invalid)
}

/// What an unused link is for.
pub async fn look(app: &App, token: &str) -> Result<Invitation> {
    app.db
        .query("SELECT org, member FROM invitation WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(hash(token)?)
        .bind(app.clock.now())
        .optional()
        .await?
        .ok_or_else(invalid)
}

/// Uses a link up: of two who try at once, one succeeds.
pub async fn consume(tx: &mut Tx, token: &str, now: Millis) -> Result<Invitation> {
    let sql = "UPDATE invitation SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING org, member";
    tx.query(sql).bind(hash(token)?).bind(now).optional().await?.ok_or_else(invalid)
}
