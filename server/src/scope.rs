//! Which feeds a member may see, and how that list is kept.

use uuid::Uuid;

use crate::app::App;
use crate::auth::roles::{Kept, Read};
use crate::auth::{Capability, Member, Reach, Reader};
use crate::clock::{DAY, Millis};
use crate::commands::{Context, Door};
use crate::db::{Db, Hint, Tx};
use crate::error::{Error, Result};
use crate::packed;

/// How far a phone's clock may be from what it last said of it.
const CLOCKS: Millis = 3 * DAY;

/// The member's feeds include this one.
///
/// # Errors
/// 404 otherwise: nobody learns whether it exists.
pub async fn demand(tx: &mut Tx, member: &Member, feed: Uuid, what: &str) -> Result<()> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT feed FROM member_feed WHERE org = $1 AND member = $2 AND feed = $3")
        .bind(member.org)
        .bind(member.id)
        .bind(feed)
        .optional()
        .await?;
    row.map(drop).ok_or_else(|| Error::not_found(what))
}

/// As [`demand`], and also for what was made before its device heard that the feed went to somebody else: then it was
/// right to make it, and it must not be lost.
pub async fn demand_then(tx: &mut Tx, context: &Context, feed: Uuid, what: &str) -> Result<()> {
    let by = &context.reader;
    let now = demand(tx, by, feed, what).await;
    if now.is_ok() {
        return now;
    }
    let past: Option<(Millis, Option<Millis>, Option<Millis>)> = tx
        .query(
            "SELECT p.ended_at, d.clock_offset, g.told_at
             FROM member_feed_past p JOIN device d ON d.id = $4 AND d.account = $5 AND d.created_at <= p.ended_at
             LEFT JOIN feed_gone g ON g.org = p.org AND g.member = p.member AND g.device = d.id AND g.feed = p.feed
                 AND g.told_at >= p.ended_at
             WHERE p.org = $1 AND p.member = $2 AND p.feed = $3",
        )
        .bind(by.org)
        .bind(by.id)
        .bind(feed)
        .bind(by.device)
        .bind(by.account)
        .optional()
        .await?;
    let Some((ended_at, clock_offset, told_at)) = past else { return now };
    let made = context.at.saturating_add(clock_offset.unwrap_or_default());
    // A saved copy carries no cursors, and its phone's clock may have been set since it last told.
    let made = if matches!(context.door, Door::Outbox) { made.saturating_sub(CLOCKS) } else { made };
    let unaware = match &context.door {
        // The cursor shows that the device still follows the feed.
        Door::Sync(followed) => followed.contains_key(&feed),
        Door::Outbox => told_at.is_none(),
        Door::Rest => false,
    };
    if made <= ended_at || told_at.is_some_and(|told| made <= told) || unaware { Ok(()) } else { now }
}

/// As [`demand_then`], of a record of a household that lives in `feed` now: also for those who saw it where it lived
/// before, with what they made before their device heard that it moved.
pub async fn demand_household(tx: &mut Tx, context: &Context, household: Uuid, feed: Uuid, what: &str) -> Result<()> {
    let by = &context.reader;
    let now = demand_then(tx, context, feed, what).await;
    if now.is_ok() {
        return now;
    }
    let former: Vec<(Uuid, i64, Millis, Option<Millis>)> = tx
        .query(
            "SELECT h.feed, h.revision, h.at, d.clock_offset FROM household_moved h
             LEFT JOIN device d ON d.id = $3 AND d.account = $4
             WHERE h.org = $1 AND h.household = $2 ORDER BY h.at DESC LIMIT 20",
        )
        .bind(by.org)
        .bind(household)
        .bind(by.device)
        .bind(by.account)
        .all()
        .await?;
    for (left, revision, at, clock_offset) in former {
        let made = context.at.saturating_add(clock_offset.unwrap_or_default());
        let unaware = match &context.door {
            // It has not heard so far. Whoever had a form open when it did may still finish it.
            Door::Sync(cursors) => cursors.get(&left).is_some_and(|seen| *seen < revision) || made <= at + CLOCKS,
            Door::Outbox => made <= at + CLOCKS,
            Door::Rest => made <= at,
        };
        if unaware && demand_then(tx, context, left, what).await.is_ok() {
            return Ok(());
        }
    }
    now
}

/// Notes that this device is being told which feeds are gone.
pub async fn told(app: &App, reader: &Reader, gone: &[String]) -> Result<()> {
    let feeds: Vec<Uuid> = gone.iter().filter_map(|feed| feed.parse().ok()).collect();
    if feeds.is_empty() {
        return Ok(());
    }
    let (org, member, device, now) = (reader.org, reader.id, reader.device, app.clock.now());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for feed in feeds {
                    tx.query(
                        "INSERT INTO feed_gone (org, member, device, feed, told_at)
                         SELECT org, member, $3, feed, $5 FROM member_feed_past WHERE org = $1 AND member = $2 AND feed = $4
                         ON CONFLICT (org, member, device, feed) DO UPDATE SET told_at = excluded.told_at",
                    )
                    .bind(org)
                    .bind(member)
                    .bind(device)
                    .bind(feed)
                    .bind(now)
                    .run()
                    .await?;
                }
                Ok(())
            })
        })
        .await
}

/// The body of one record that the member may see; sealed fields are sealed.
pub async fn record(db: &Db, member: &Member, kind: &str, id: Uuid) -> Result<String> {
    if !member.capabilities.sees(kind) {
        return Err(Error::not_found(kind));
    }
    let row: Option<(Vec<u8>,)> = db
        .query(
            "SELECT e.body FROM member_feed m JOIN feed_entry e ON e.org = m.org AND e.feed = m.feed
             WHERE m.org = $1 AND m.member = $2 AND e.kind = $3 AND e.id = $4 AND NOT e.deleted",
        )
        .bind(member.org)
        .bind(member.id)
        .bind(kind)
        .bind(id)
        .optional()
        .await?;
    packed::open(&row.ok_or_else(|| Error::not_found(kind))?.0)
}

/// A record's body inside a transaction that has locked its feed.
pub async fn current(tx: &mut Tx, org: Uuid, feed: Uuid, id: Uuid, kind: &str) -> Result<String> {
    let row: Option<(Vec<u8>,)> = tx
        .query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $2 AND id = $3 AND kind = $4 AND NOT deleted")
        .bind(org)
        .bind(feed)
        .bind(id)
        .bind(kind)
        .optional()
        .await?;
    match row {
        Some((body,)) => packed::open(&body),
        None => Err(elsewhere(tx, (org, feed), id, kind).await?),
    }
}

/// Between the look where a record lives and the lock of that feed it may have moved: then the same work is asked anew. A
/// tombstone shows that it was here; a record that never was is not there, however often somebody asks.
async fn elsewhere(tx: &mut Tx, (org, feed): (Uuid, Uuid), id: Uuid, kind: &str) -> Result<Error> {
    let row: Option<(Uuid,)> = tx
        .query(
            "SELECT now.feed FROM feed_entry here
             JOIN feed_entry now ON now.org = here.org AND now.id = here.id AND now.kind = here.kind AND NOT now.deleted
             WHERE here.org = $1 AND here.feed = $2 AND here.id = $3 AND here.kind = $4 AND here.deleted LIMIT 1",
        )
        .bind(org)
        .bind(feed)
        .bind(id)
        .bind(kind)
        .optional()
        .await?;
    Ok(match row {
        Some(_) => Error::unavailable("The record has just moved to another place. Try again."),
        None => Error::not_found(kind),
    })
}

/// Of the organisation's own feed, whoever asks: the caller knows that they may have it.
pub async fn of_organisation(db: &Db, org: Uuid, kind: &str, id: Uuid) -> Result<String> {
    let row: Option<(Vec<u8>,)> = db
        .query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $1 AND id = $2 AND kind = $3 AND NOT deleted")
        .bind(org)
        .bind(id)
        .bind(kind)
        .optional()
        .await?;
    packed::open(&row.ok_or_else(|| Error::not_found(kind))?.0)
}

/// Spells out a member's feeds again: the own, the organisation's for its staff, and the places that the role reaches.
///
/// What is no longer among them is remembered with the time, see [`demand_then`].
pub async fn spell_out(tx: &mut Tx, org: Uuid, member: Uuid, now: Millis) -> Result<()> {
    tx.query(
        "INSERT INTO member_feed_past (org, member, feed, ended_at)
         SELECT org, member, feed, $3 FROM member_feed WHERE org = $1 AND member = $2
         ON CONFLICT (org, member, feed) DO UPDATE SET ended_at = excluded.ended_at",
    )
    .bind(org)
    .bind(member)
    .bind(now)
    .run()
    .await?;
    follow(tx, org, member).await?;
    tx.query(
        "DELETE FROM member_feed_past WHERE org = $1 AND member = $2
         AND feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)",
    )
    .bind(org)
    .bind(member)
    .run()
    .await?;
    tx.hints.push(Hint::of_other_feeds(org, member));
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    active: bool,
    #[sqlx(flatten)]
    kept: Kept,
}

async fn follow(tx: &mut Tx, org: Uuid, member: Uuid) -> Result<()> {
    tx.query("DELETE FROM member_feed WHERE org = $1 AND member = $2").bind(org).bind(member).run().await?;
    let row: Option<Row> = tx
        .query(
            "SELECT m.active, m.role, a.platform, r.scope AS reach, r.levels, o.modules
             FROM member m JOIN organisation o ON o.id = m.org JOIN account a ON a.id = m.account
             LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    let Some(Read { role, reach, capabilities, .. }) = row.filter(|row| row.active).and_then(|row| row.kept.read()) else {
        return Ok(());
    };
    let in_places = [Capability::ReadHouseholds, Capability::ReadVisits, Capability::ReadFigures];
    let reach = if in_places.into_iter().any(|one| capabilities.has(one)) { reach } else { Reach::Own };
    let places = match reach {
        Reach::Own => None,
        Reach::Organisation => Some(
            "INSERT INTO member_feed (org, member, feed)
             SELECT f.org, m.id, f.id FROM feed f JOIN member m ON m.org = f.org AND m.id = $2
             WHERE f.org = $1 AND f.kind = 'place'",
        ),
        Reach::Places => Some(
            "INSERT INTO member_feed (org, member, feed)
             WITH RECURSIVE below (id) AS (
                 SELECT place FROM member_place WHERE org = $1 AND member = $2
                 UNION
                 SELECT p.id FROM place p JOIN below b ON p.parent = b.id WHERE p.org = $1
             )
             SELECT f.org, m.id, f.id FROM feed f JOIN below b ON b.id = f.id
             JOIN member m ON m.org = f.org AND m.id = $2 WHERE f.org = $1 AND f.kind = 'place'",
        ),
        Reach::Team => Some(
            "INSERT INTO member_feed (org, member, feed)
             WITH RECURSIVE below (id) AS (
                 SELECT place FROM member_place WHERE org = $1 AND (member = $2 OR member IN (
                     SELECT id FROM member WHERE org = $1 AND supervisor = $2 AND active))
                 UNION
                 SELECT p.id FROM place p JOIN below b ON p.parent = b.id WHERE p.org = $1
             )
             SELECT f.org, m.id, f.id FROM feed f JOIN below b ON b.id = f.id
             JOIN member m ON m.org = f.org AND m.id = $2 WHERE f.org = $1 AND f.kind = 'place'",
        ),
    };
    if let Some(places) = places {
        tx.query(places).bind(org).bind(member).run().await?;
    }
    if role.staff() {
        tx.query("INSERT INTO member_feed (org, member, feed) VALUES ($1, $2, $1)").bind(org).bind(member).run().await?;
    }
    tx.query("INSERT INTO member_feed (org, member, feed) VALUES ($1, $2, $2)").bind(org).bind(member).run().await?;
    Ok(())
}

/// A place came under others, or beside all of them: the feeds of whoever has something to do with it. Nobody was given the
/// place itself yet, and all other members, a hundred thousand of whom may be beneficiaries, have what they had.
///
/// Who reads a whole organisation stands in [`Role::reach`]; tests hold the two together.
pub async fn spell_out_around(tx: &mut Tx, org: Uuid, place: Uuid, now: Millis) -> Result<()> {
    const WHO: &str = "
        WITH RECURSIVE above (id, parent) AS (
            SELECT id, parent FROM place WHERE org = $1 AND id = $2
            UNION
            SELECT p.id, p.parent FROM above a JOIN place p ON p.org = $1 AND p.id = a.parent
        ),
        near (id, supervisor) AS (
            SELECT m.id, m.supervisor FROM above a JOIN member_place at ON at.org = $1 AND at.place = a.id
            JOIN member m ON m.org = $1 AND m.id = at.member
        )
        SELECT id FROM near
        UNION SELECT supervisor FROM near WHERE supervisor IS NOT NULL
        UNION SELECT m.id FROM member m LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
            WHERE m.org = $1 AND (r.scope = 'organisation' OR m.role IN ('evaluator', 'programme_manager', 'approver', 'org_admin'))";
    let members: Vec<(Uuid,)> = tx.query(WHO).bind(org).bind(place).all().await?;
    for (id,) in members {
        spell_out(tx, org, id, now).await?;
    }
    Ok(())
}

/// After places or modules changed: the feeds of all staff anew. Others have their own and never more ([`Role::staff`]).
pub async fn spell_out_all(tx: &mut Tx, org: Uuid, now: Millis) -> Result<()> {
    const STAFF: &str = "SELECT id FROM member WHERE org = $1 AND role NOT IN ('oversight', 'beneficiary')";
    let members: Vec<(Uuid,)> = tx.query(STAFF).bind(org).all().await?;
    for (id,) in members {
        spell_out(tx, org, id, now).await?;
    }
    Ok(())
}
