//! Tries deliveries of inbox rows and settles them: sent, not needed any more, nobody there, refused, or tried again later.
//!
//! Those that are due together are read together, sent side by side, and written down together as they are answered. A
//! delivery and its job change in one transaction; when the server dies between an answer and that, the message goes out
//! once more, and its topic or its id lets it take the place of the first.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::email::Letter;
use super::kinds::{Channel, Kind};
use super::outcome::{Outcome, TRIES, back_off};
use super::push::{self, How, Subscription};
use super::quiet::Quiet;
use super::told;
use crate::app::App;
use crate::clock::{DAY, MINUTE, Millis};
use crate::crypto::{b64, sha256};
use crate::db::{among, list};
use crate::error::{Error, Result};
use crate::orgs::Organisation;
use crate::{jobs, scope};

/// Messages of one claim under way at once.
const AT_ONCE: usize = 64;
/// Answers that are written down together, and how long the first of them waits for others.
const TOGETHER: usize = 64;
const WAIT: Duration = Duration::from_millis(100);

/// What has waited for so long is not waited for by others of its kind.
const LONG: Millis = 2 * DAY;

/// Of the job.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted {
    pub delivery: Uuid,
}

#[derive(sqlx::FromRow)]
struct Due {
    id: Uuid,
    inbox: Uuid,
    member: Uuid,
    channel: String,
    target: String,
    attempts: i64,
    /// When this way was set out on, which may be days after the entry.
    begun_at: Millis,
    kind: String,
    subject: Uuid,
    subject_kind: Option<String>,
    created_at: Millis,
    read_at: Option<Millis>,
    active: bool,
    language: String,
    quiet_from: Option<i64>,
    quiet_until: Option<i64>,
    email: Option<Vec<u8>>,
    phone: Option<Vec<u8>>,
    p256dh: Option<String>,
    auth: Option<String>,
    /// All that this person has not read, and of this kind since yesterday: [`Unread`].
    #[sqlx(default)]
    unread: i64,
    #[sqlx(default)]
    alike: i64,
    /// Of this kind on this way, with itself.
    waiting: i64,
}

/// What becomes of a delivery now.
enum Fate {
    /// With those that it carried.
    Settled(Vec<Uuid>, &'static str, Option<&'static str>),
    /// Not its time, which is no failure.
    PutOff(Millis),
    /// It failed this time.
    Tried(Millis),
    /// Settled with another, or erased.
    Over,
}

/// A delivery that was claimed: its job, itself, and what became of it.
struct Done {
    job: Uuid,
    delivery: Uuid,
    fate: Fate,
}

/// Tries deliveries, each with its organisation, its job and the job's body.
///
/// # Errors
/// When the database does not answer.
pub async fn deliver(app: &App, claimed: Vec<(Uuid, Uuid, String)>) -> Result<()> {
    let mut of: BTreeMap<Uuid, Vec<(Uuid, Uuid)>> = BTreeMap::new();
    for (org, job, body) in claimed {
        let Wanted { delivery } = serde_json::from_str(&body)?;
        of.entry(org).or_default().push((job, delivery));
    }
    for (org, turns) in of {
        of_one(app, org, turns).await?;
    }
    Ok(())
}

async fn of_one(app: &App, org: Uuid, turns: Vec<(Uuid, Uuid)>) -> Result<()> {
    let organisation = scope::of_organisation(&app.db, org, "organisation", org).await?;
    let organisation: Arc<Organisation> = Arc::new(serde_json::from_str(&organisation)?);
    let deliveries: Vec<Uuid> = turns.iter().map(|(_, delivery)| *delivery).collect();
    let mut read = read(app, org, &deliveries).await?;
    let unread = Unread::of(app, org, &read).await?;
    read.iter_mut().for_each(|due| unread.told(due));
    let mut due: BTreeMap<Uuid, Due> = read.into_iter().map(|due| (due.id, due)).collect();
    let (mut turns, mut tasks, mut done) = (turns.into_iter(), JoinSet::new(), Vec::new());
    loop {
        for (job, delivery) in turns.by_ref().take(AT_ONCE - tasks.len()) {
            let (app, organisation, due) = (app.clone(), organisation.clone(), due.remove(&delivery));
            // Each on a thread of its own: sealing a push is work for a processor.
            tasks.spawn(async move {
                let fate = AssertUnwindSafe(fate(&app, org, &organisation, due)).catch_unwind().await;
                Done { job, delivery, fate: fate.unwrap_or(Fate::Settled(vec![delivery], "failed", Some("crashed"))) }
            });
        }
        let next = match done.is_empty() {
            true => tasks.join_next().await,
            false => tokio::time::timeout(WAIT, tasks.join_next()).await.unwrap_or_default(),
        };
        let more = matches!(next, Some(Ok(_)));
        done.extend(next.and_then(std::result::Result::ok));
        if !done.is_empty() && (!more || tasks.is_empty() || done.len() >= TOGETHER) {
            write(app, org, std::mem::take(&mut done)).await?;
        }
        if tasks.is_empty() && turns.len() == 0 && done.is_empty() {
            return Ok(());
        }
    }
}

/// Of the deliveries of a claim, what is still to be done.
///
/// Ten thousand that were written a moment ago are in no statistics yet: PostgreSQL then takes any index for as good as
/// another, and one that begins with the organisation alone costs seconds. `state || ''` and the subquery of one row leave
/// it the keys only, and what is counted for a person is counted once for all of them.
async fn read(app: &App, org: Uuid, deliveries: &[Uuid]) -> Result<Vec<Due>> {
    let now = app.clock.now();
    let sql = among!(
        app.db,
        "SELECT d.id, d.inbox, d.member, d.channel, d.target, d.attempts, d.created_at AS begun_at, i.kind, i.subject,
             i.subject_kind, i.created_at, i.read_at, m.active, COALESCE(t.language, a.locale) AS language, t.quiet_from,
             t.quiet_until, CASE WHEN t.email_confirmed IS NOT NULL THEN t.email END AS email,
             CASE WHEN t.phone_confirmed IS NOT NULL THEN t.phone END AS phone, s.p256dh, s.auth,
             (SELECT count(*) FROM delivery w
              WHERE w.org = d.org AND w.member = d.member AND w.channel = d.channel AND w.target = d.target
                  AND w.state = 'waiting' AND w.created_at > $3
                  AND (SELECT CASE WHEN v.read_at IS NULL THEN v.kind END FROM inbox v WHERE v.org = w.org AND v.id = w.inbox)
                      = i.kind) AS waiting
         FROM delivery d JOIN inbox i ON i.org = d.org AND i.id = d.inbox
         JOIN member m ON m.org = d.org AND m.id = d.member JOIN account a ON a.id = m.account
         LEFT JOIN told t ON t.org = d.org AND t.member = d.member
         LEFT JOIN push_subscription s ON d.channel = 'push' AND s.endpoint = d.target AND s.org = d.org AND s.member = d.member
         WHERE d.org = $2 AND d.state || '' = 'waiting' AND d.id",
        ""
    );
    app.db.query(sql).bind(list(deliveries)).bind(org).bind(now - LONG).all().await
}

/// How many entries each of these people has not read: in all, and of each kind since yesterday.
#[derive(Default)]
struct Unread {
    all: BTreeMap<Uuid, i64>,
    alike: BTreeMap<(Uuid, String), i64>,
}

impl Unread {
    async fn of(app: &App, org: Uuid, due: &[Due]) -> Result<Self> {
        let members: BTreeSet<Uuid> = due.iter().map(|due| due.member).collect();
        let members: Vec<Uuid> = members.into_iter().collect();
        let sql = among!(
            app.db,
            "SELECT member, kind, count(*), count(CASE WHEN created_at > $3 THEN 1 END) FROM inbox
             WHERE org = $2 AND read_at IS NULL AND member",
            " GROUP BY member, kind"
        );
        let since = app.clock.now() - DAY;
        let rows: Vec<(Uuid, String, i64, i64)> = app.db.query(sql).bind(list(&members)).bind(org).bind(since).all().await?;
        let mut unread = Self::default();
        for (member, kind, count, lately) in rows {
            *unread.all.entry(member).or_default() += count;
            unread.alike.insert((member, kind), lately);
        }
        Ok(unread)
    }

    fn told(&self, due: &mut Due) {
        due.unread = self.all.get(&due.member).copied().unwrap_or_default();
        due.alike = self.alike.get(&(due.member, due.kind.clone())).copied().unwrap_or_default();
    }
}

async fn fate(app: &App, org: Uuid, organisation: &Organisation, due: Option<Due>) -> Fate {
    let Some(due) = due else { return Fate::Over };
    let now = app.clock.now();
    match tried(app, org, organisation, &due).await {
        Ok(fate) => fate,
        Err(error) => {
            error.log();
            failed(due.id, due.attempts, now, None)
        }
    }
}

/// A fault, of a service or of our own: tried again, and given up in the end.
fn failed(id: Uuid, attempts: i64, now: Millis, wait: Option<Millis>) -> Fate {
    match attempts + 1 {
        attempts if attempts >= TRIES => Fate::Settled(vec![id], "failed", Some("gave_up")),
        attempts => Fate::Tried(now + wait.unwrap_or_else(|| back_off(attempts))),
    }
}

async fn tried(app: &App, org: Uuid, organisation: &Organisation, due: &Due) -> Result<Fate> {
    let now = app.clock.now();
    let unneeded = |why| Ok(Fate::Settled(vec![due.id], "unneeded", Some(why)));
    let (Some(kind), Some(channel)) = (Kind::of(&due.kind), Channel::parse(&due.channel)) else {
        return unneeded("unknown");
    };
    if due.read_at.is_some() || !due.active {
        return unneeded(if due.active { "read" } else { "left" });
    }
    if now > due.created_at + kind.way.life {
        return unneeded("late");
    }
    if let Some(quiet) = Quiet::of(due.quiet_from, due.quiet_until)
        && let Some(end) = quiet.ends(now, organisation.time_zone.parse().unwrap_or(Tz::UTC))
    {
        return Ok(Fate::PutOff(end));
    }
    let mut group = if kind.way.together && due.waiting > 1 { group(app, org, due, now).await? } else { vec![] };
    if !group.iter().any(|(id, _)| *id == due.id) {
        // Another of its kind has just carried it, or it was read a moment ago: looked at again.
        if due.waiting > 1 && kind.way.together && due.begun_at > now - LONG {
            return Ok(Fate::PutOff(now + 2_000));
        }
        group = vec![(due.id, 0)];
    }
    // The first of those that wait carries the others. Should it be under way, they look again soon.
    if let Some((first, attempts)) = group.first()
        && *first != due.id
    {
        return Ok(Fate::PutOff(now + if *attempts > 0 { 5 * MINUTE } else { 2_000 }));
    }
    let group = group.into_iter().map(|(id, _)| id).collect();
    let outcome = send(app, org, organisation, due, kind, channel).await?;
    app.metrics.attempted(channel, &outcome);
    Ok(match outcome {
        Outcome::Sent => Fate::Settled(group, "sent", None),
        Outcome::Noted => Fate::Settled(group, "noted", None),
        Outcome::Gone => Fate::Settled(group, "gone", None),
        Outcome::Refused(why) => Fate::Settled(group, "failed", Some(why)),
        Outcome::Resting(wait) => Fate::PutOff(now + wait),
        Outcome::Later(wait) => match failed(due.id, due.attempts, now, wait) {
            Fate::Settled(_, state, why) => Fate::Settled(group, state, why),
            fate => fate,
        },
    })
}

/// Those of its kind that wait for the same person on the same way, in order, with their attempts.
async fn group(app: &App, org: Uuid, due: &Due, now: Millis) -> Result<Vec<(Uuid, i64)>> {
    app.db
        .query(
            "SELECT d.id, d.attempts FROM delivery d JOIN inbox i ON i.org = d.org AND i.id = d.inbox
             WHERE d.org = $1 AND d.member = $2 AND d.channel = $3 AND d.target = $4 AND d.state = 'waiting' AND i.kind = $5
                 AND d.created_at > $6 AND i.read_at IS NULL ORDER BY d.id",
        )
        .bind(org)
        .bind(due.member)
        .bind(due.channel.as_str())
        .bind(due.target.as_str())
        .bind(due.kind.as_str())
        .bind(now - LONG)
        .all()
        .await
}

async fn send(
    app: &App,
    org: Uuid,
    organisation: &Organisation,
    due: &Due,
    kind: &Kind,
    channel: Channel,
) -> Result<Outcome> {
    let now = app.clock.now();
    let n = if kind.way.together { due.alike } else { 1 };
    let to = |sealed: &Option<Vec<u8>>| told::address(&app.crypto, sealed.as_deref());
    let path = super::path(due.subject_kind.as_deref(), due.subject);
    match channel {
        Channel::Push => {
            let (Some(p256dh), Some(auth)) = (due.p256dh.clone(), due.auth.clone()) else { return Ok(Outcome::Gone) };
            // A newer one takes the place of an older one: of the same kind, or about the same thing.
            let about = if kind.way.together { kind.key.to_owned() } else { due.subject.to_string() };
            let topic = b64(&sha256(format!("{org} {} {about}", due.member).as_bytes()))[..32].to_owned();
            let life = (due.created_at + kind.way.life - now).max(MINUTE);
            let how = How { ttl: life / 1000, urgency: kind.way.urgency, topic: Some(&topic) };
            let path = if n > 1 { "/inbox".into() } else { path };
            let tag = if kind.way.together { Some(kind.key) } else { None };
            let payload = json!({
                "v": 1, "kind": kind.key, "inbox": due.inbox, "tag": tag, "url": path, "at": due.created_at,
                "unread": due.unread, "text": { "en": kind.en.of(n), "sw": kind.sw.of(n) },
            });
            push::hand_over(app, &due.target, &Subscription { p256dh, auth }, payload, how).await
        }
        Channel::Email => {
            let Some(mail) = &app.mail else { return Ok(Outcome::Refused("not_set_up")) };
            let Some(to) = to(&due.email) else { return Ok(Outcome::Gone) };
            let letter = Letter {
                to: &to,
                id: due.id.to_string(),
                organisation: organisation.display_name.as_deref().unwrap_or(&organisation.name),
                sentence: &kind.words(&due.language).of(n),
                language: &due.language,
                url: &format!("{}{}", app.config.public_url, if n > 1 { "/inbox" } else { &path }),
                why: None,
            };
            Ok(mail.send(letter).await)
        }
        Channel::Sms => {
            let Some(to) = to(&due.phone) else { return Ok(Outcome::Gone) };
            let text = format!("Kilele: {}. {}/inbox", kind.words(&due.language).of(n), app.config.public_url);
            Ok(app.sms.send(due.id, &to, &text, now).await)
        }
    }
}

/// Deliveries and their jobs, in one transaction.
async fn write(app: &App, org: Uuid, done: Vec<Done>) -> Result<()> {
    let now = app.clock.now();
    let mut over = Vec::new();
    let mut settled: BTreeMap<(&'static str, Option<&'static str>), Vec<Uuid>> = BTreeMap::new();
    let (mut again, mut tried): (BTreeMap<Millis, Vec<Uuid>>, Vec<Uuid>) = Default::default();
    for Done { job, delivery, fate } in done {
        match fate {
            Fate::Settled(ids, state, reason) => {
                settled.entry((state, reason)).or_default().extend(ids);
                over.push(job);
            }
            Fate::Over => over.push(job),
            Fate::PutOff(at) => again.entry(at).or_default().push(job),
            Fate::Tried(at) => {
                tried.push(delivery);
                again.entry(at).or_default().push(job);
            }
        }
    }
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for ((state, reason), ids) in settled {
                    let sql = among!(
                        tx,
                        "UPDATE delivery SET state = $3, reason = $4, settled_at = $5
                         WHERE org = $2 AND state || '' = 'waiting' AND id",
                        ""
                    );
                    tx.query(sql).bind(list(&ids)).bind(org).bind(state).bind(reason).bind(now).run().await?;
                }
                if !tried.is_empty() {
                    let sql = among!(tx, "UPDATE delivery SET attempts = attempts + 1 WHERE org = $2 AND id", "");
                    tx.query(sql).bind(list(&tried)).bind(org).run().await?;
                }
                if !over.is_empty() {
                    jobs::done(tx, &over).await?;
                }
                for (at, ids) in again {
                    jobs::again(tx, &ids, at).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}
