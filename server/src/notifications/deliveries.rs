//! Deliveries of an inbox row: one row for each way to the person, and a job that tries it.

use uuid::Uuid;

use super::deliver::Wanted;
use super::kinds::{Channel, Kind};
use super::quiet::Quiet;
use super::told;
use crate::clock::{HOUR, MINUTE, Millis, new_id};
use crate::db::{Arg, Tx};
use crate::error::{Error, Result};
use crate::jobs;

/// So long e-mails and text messages of one kind gather.
const GATHER: Millis = 5 * MINUTE;

/// One of a person's devices, or none, and what else is known of how to reach them.
#[derive(sqlx::FromRow)]
pub struct Reach {
    endpoint: Option<String>,
    quiet_from: Option<i64>,
    quiet_until: Option<i64>,
    email: bool,
    phone: bool,
    chosen: Option<String>,
}

/// A row for each device, at least one.
pub async fn reach(tx: &mut Tx, org: Uuid, member: Uuid, kind: &Kind) -> Result<Vec<Reach>> {
    tx.query(
        "SELECT s.endpoint, t.quiet_from, t.quiet_until, t.email_confirmed IS NOT NULL AS email,
             t.phone_confirmed IS NOT NULL AS phone,
             k.channels AS chosen
         FROM member m LEFT JOIN push_subscription s ON s.org = m.org AND s.member = m.id
         LEFT JOIN told t ON t.org = m.org AND t.member = m.id
         LEFT JOIN told_kind k ON k.org = m.org AND k.member = m.id AND k.kind = $3
         WHERE m.org = $1 AND m.id = $2",
    )
    .bind(org)
    .bind(member)
    .bind(kind.key)
    .all()
    .await
}

/// The ways that lead somewhere.
pub fn open(reach: &[Reach]) -> Vec<Channel> {
    let Some(first) = reach.first() else { return vec![] };
    let there = |channel: &Channel| match channel {
        Channel::Push => first.endpoint.is_some(),
        Channel::Email => first.email,
        Channel::Sms => first.phone,
    };
    Channel::ALL.into_iter().filter(there).collect()
}

/// Whether the person said that a kind is not to come this way.
pub fn unwanted(reach: &[Reach], channel: Channel) -> bool {
    let chosen = reach.first().and_then(|reach| reach.chosen.as_deref());
    chosen.is_some_and(|chosen| !chosen.split_ascii_whitespace().any(|one| one == channel.as_str()))
}

/// What an inbox row sets out with: the channels of its kind, and for what must be acted on, where none of them leads
/// anywhere, the first that does.
pub async fn begin(tx: &mut Tx, now: Millis, (org, member, inbox): (Uuid, Uuid, Uuid), kind: &Kind) -> Result<()> {
    let reach = reach(tx, org, member, kind).await?;
    let open = open(&reach);
    let chosen = reach.first().and_then(|reach| reach.chosen.as_deref());
    let mut by: Vec<Channel> = told::channels(kind, chosen).into_iter().filter(|one| open.contains(one)).collect();
    if by.is_empty() && chosen.is_none() && kind.way.unread.is_some() {
        by.extend(open.first());
    }
    for channel in by {
        add(tx, now, (org, member, inbox), kind, channel, &reach).await?;
    }
    Ok(())
}

/// Adds the deliveries of one channel, and their jobs.
pub async fn add(
    tx: &mut Tx,
    now: Millis,
    (org, member, inbox): (Uuid, Uuid, Uuid),
    kind: &Kind,
    channel: Channel,
    reach: &[Reach],
) -> Result<()> {
    let targets: Vec<String> = match channel {
        Channel::Push => reach.iter().filter_map(|reach| reach.endpoint.clone()).collect(),
        _ => vec![String::new()],
    };
    let run_at = match reach.first().and_then(|reach| Quiet::of(reach.quiet_from, reach.quiet_until)) {
        Some(quiet) => quiet.ends(now, told::zone(tx, org).await?),
        None => None,
    };
    let gathers = kind.way.together && channel != Channel::Push;
    let run_at = run_at.unwrap_or(if gathers { now + GATHER } else { now });
    let (channel, state) = (channel.as_str(), "waiting");
    let rows: Vec<(Uuid, String)> = targets.into_iter().map(|target| (new_id(), target)).collect();
    let job = |id: &Uuid| (jobs::New { kind: "deliver", dedupe: format!("deliver:{id}"), run_at }, Wanted { delivery: *id });
    // One way or two, as most people have, go with the inbox row in one trip.
    if rows.len() <= 2 {
        for (id, target) in rows {
            tx.query(
                "INSERT INTO delivery (org, id, inbox, member, channel, target, state, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org, inbox, channel, target) DO NOTHING",
            )
            .bind(org)
            .bind(id)
            .bind(inbox)
            .bind(member)
            .bind(channel)
            .bind(target)
            .bind(state)
            .bind(now)
            .later()
            .await?;
            let (job, wanted) = job(&id);
            jobs::enqueue(tx, org, job, &wanted).await?;
        }
        return Ok(());
    }
    let mut wanted = Vec::with_capacity(rows.len());
    for (id, _) in &rows {
        let (job, body) = job(id);
        wanted.push((job, serde_json::to_string(&body)?));
    }
    let row = |(id, target): (Uuid, String)| -> Vec<Arg> {
        let whose: [Arg; 4] = [org.into(), id.into(), inbox.into(), member.into()];
        let what: [Arg; 4] = [channel.into(), target.into(), state.into(), now.into()];
        whose.into_iter().chain(what).collect()
    };
    const INTO: &str = "INSERT INTO delivery (org, id, inbox, member, channel, target, state, created_at)";
    tx.insert_missing(INTO, rows.into_iter().map(row).collect()).await?;
    jobs::enqueue_many(tx, org, wanted.into_iter()).await
}

/// Puts an entry's pushes off: they come again in an hour, or when quiet hours end after that.
///
/// # Errors
/// 404 for an entry that is not the member's own.
pub async fn again(tx: &mut Tx, now: Millis, (org, member): (Uuid, Uuid), inbox: Uuid) -> Result<()> {
    let own: Option<(Uuid,)> = tx
        .query("SELECT id FROM inbox WHERE org = $1 AND id = $2 AND member = $3")
        .bind(org)
        .bind(inbox)
        .bind(member)
        .optional()
        .await?;
    own.ok_or_else(|| Error::not_found("inbox entry"))?;
    let pushes: Vec<(Uuid,)> = tx
        .query(
            "UPDATE delivery SET state = 'waiting', settled_at = NULL, attempts = 0
             WHERE org = $1 AND inbox = $2 AND channel = 'push' AND state = 'sent' RETURNING id",
        )
        .bind(org)
        .bind(inbox)
        .all()
        .await?;
    let run_at = now + HOUR;
    for (delivery,) in pushes {
        let job = jobs::New { kind: "deliver", dedupe: format!("deliver:{delivery}:{run_at}"), run_at };
        jobs::enqueue(tx, org, job, &Wanted { delivery }).await?;
    }
    Ok(())
}
