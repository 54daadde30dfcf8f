//! What time does to grants: an approved one of which nothing was released in its time expires, and its money is free again.

use uuid::Uuid;

use super::budget::{self, Kind, Movement};
use super::{Event, Grant, State, people, store};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::Result;
use crate::feed;
use crate::notifications::kinds;

/// Grants that one look takes up; what is left has its turn at the next.
const SOME: i64 = 200;

/// Ends what is past its time. Answers how many.
///
/// # Errors
/// When the database does not answer.
pub async fn all(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let due: Vec<(Uuid, Uuid, Uuid)> = app
        .db
        .query(
            "SELECT org, feed, id FROM grant_file WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT CAST($2 AS BIGINT)",
        )
        .bind(now)
        .bind(SOME)
        .all()
        .await?;
    let mut ended = 0;
    for (org, place, id) in due {
        let over = app.db.write(move |tx| Box::pin(expire(tx, org, place, id, now))).await?;
        ended += usize::from(over);
    }
    Ok(ended)
}

async fn expire(tx: &mut Tx, org: Uuid, place: Uuid, id: Uuid, now: Millis) -> Result<bool> {
    let whose = store::whose(tx, org, id).await?;
    let mut feeds = feed::lock(tx, org, [place, whose]).await?;
    let before = store::current(tx, org, place, id).await?;
    // Another copy may have been here, or the money has left meanwhile.
    if before.state != State::Approved {
        return Ok(false);
    }
    let actor = Actor { org, member: None, device: None, at: now };
    let mut grant: Grant = before.clone();
    grant.step(Event::Expire, None, now, "")?;
    let amount_minor = grant.amount.amount_minor;
    let movement = Movement { kind: Kind::Uncommit, amount_minor, tranche: None, reference: "", reason: "expired" };
    budget::moved(tx, &actor, &grant, movement).await?;
    people::say(tx, (now, ""), &feeds, &grant, &kinds::GRANT_EXPIRED, whose, "").await?;
    (grant.updated_at, grant.revision) = (now, feeds.revision(place));
    store::put(tx, &feeds, &grant).await?;
    audit::append(tx, &mut feeds, place, &actor, "grant.expire", ("grant", id), (Some(&before), Some(&grant))).await?;
    Ok(true)
}
