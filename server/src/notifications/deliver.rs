//! Tries one delivery of an inbox row, and settles it: sent, not needed any more, nobody there, refused, or tried again later.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::email::Letter;
use super::kinds::{Channel, Kind};
use super::outcome::{Outcome, TRIES, back_off};
use super::push::{self, How};
use super::quiet::Quiet;
use super::told;
use crate::app::App;
use crate::clock::{DAY, MINUTE, Millis};
use crate::crypto::{b64, sha256};
use crate::error::Result;
use crate::jobs::{self, Later};
use crate::orgs::Organisation;
use crate::scope;

/// Of the job.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted {
    pub delivery: Uuid,
}

#[derive(sqlx::FromRow)]
struct Due {
    inbox: Uuid,
    member: Uuid,
    channel: String,
    target: String,
    attempts: i64,
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
    /// All that this person has not read, and of this kind since yesterday.
    unread: i64,
    alike: i64,
}

/// Tries one delivery.
///
/// # Errors
/// When the database does not answer.
pub async fn job(app: &App, org: Uuid, body: &str) -> Result<Option<Later>> {
    let Wanted { delivery } = serde_json::from_str(body)?;
    let now = app.clock.now();
    let due: Option<Due> = app
        .db
        .query(
            "SELECT d.inbox, d.member, d.channel, d.target, d.attempts, i.kind, i.subject, i.subject_kind, i.created_at,
                 i.read_at, m.active, COALESCE(t.language, a.locale) AS language, t.quiet_from, t.quiet_until, t.email, t.phone,
                 (SELECT count(*) FROM inbox u WHERE u.org = d.org AND u.member = d.member AND u.read_at IS NULL) AS unread,
                 (SELECT count(*) FROM inbox u WHERE u.org = d.org AND u.member = d.member AND u.read_at IS NULL
                      AND u.kind = i.kind AND u.created_at > $3) AS alike
             FROM delivery d JOIN inbox i ON i.org = d.org AND i.id = d.inbox
             JOIN member m ON m.org = d.org AND m.id = d.member JOIN account a ON a.id = m.account
             LEFT JOIN told t ON t.org = d.org AND t.member = d.member
             WHERE d.org = $1 AND d.id = $2 AND d.state = 'waiting'",
        )
        .bind(org)
        .bind(delivery)
        .bind(now - DAY)
        .optional()
        .await?;
    // Settled with another of its kind, or erased.
    let Some(due) = due else { return Ok(None) };
    let (Some(kind), Some(channel)) = (Kind::of(&due.kind), Channel::parse(&due.channel)) else {
        return settle(app, org, vec![delivery], "unneeded", Some("unknown")).await;
    };
    if due.read_at.is_some() || !due.active {
        return settle(app, org, vec![delivery], "unneeded", Some(if due.active { "read" } else { "left" })).await;
    }
    if now > due.created_at + kind.way.life {
        return settle(app, org, vec![delivery], "unneeded", Some("late")).await;
    }
    if let Some(quiet) = Quiet::of(due.quiet_from, due.quiet_until) {
        let organisation = organisation(app, org).await?;
        if let Some(end) = quiet.ends(now, organisation.time_zone.parse().unwrap_or(Tz::UTC)) {
            return put_off(app, org, delivery, end).await;
        }
    }
    let mut group = if kind.way.together { group(app, org, &due, now).await? } else { vec![] };
    if !group.iter().any(|(id, _)| *id == delivery) {
        group = vec![(delivery, 0)];
    }
    // The first of those that wait carries the others. Should it be under way, they look again soon.
    if let Some((first, attempts)) = group.first()
        && *first != delivery
    {
        let wait = if *attempts > 0 { 5 * MINUTE } else { 2_000 };
        return put_off(app, org, delivery, now + wait).await;
    }
    let group = group.into_iter().map(|(id, _)| id).collect();
    let outcome = send(app, org, delivery, &due, kind, channel).await?;
    app.metrics.attempted(channel, &outcome);
    match outcome {
        Outcome::Sent => settle(app, org, group, "sent", None).await,
        Outcome::Noted => settle(app, org, group, "noted", None).await,
        Outcome::Gone => settle(app, org, group, "gone", None).await,
        Outcome::Refused(why) => settle(app, org, group, "failed", Some(why)).await,
        Outcome::Later(_) if due.attempts + 1 >= TRIES => settle(app, org, group, "failed", Some("gave_up")).await,
        Outcome::Later(wait) => {
            let tried = "UPDATE delivery SET attempts = attempts + 1 WHERE org = $1 AND id = $2";
            app.db.write(move |tx| Box::pin(tx.query(tried).bind(org).bind(delivery).run())).await?;
            Ok(Some(Later(wait.unwrap_or_else(|| back_off(due.attempts + 1)))))
        }
    }
}

/// Those of its kind that wait for the same person on the same way, in order, with their attempts. What has waited for
/// days is not waited for.
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
        .bind(now - 2 * DAY)
        .all()
        .await
}

async fn send(app: &App, org: Uuid, id: Uuid, due: &Due, kind: &Kind, channel: Channel) -> Result<Outcome> {
    let now = app.clock.now();
    let n = if kind.way.together { due.alike } else { 1 };
    let to = |sealed: &Option<Vec<u8>>| told::address(&app.crypto, sealed.as_deref());
    let path = super::path(due.subject_kind.as_deref(), due.subject);
    match channel {
        Channel::Push => {
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
            push::send(app, org, &due.target, payload, how).await
        }
        Channel::Email => {
            let Some(mail) = &app.mail else { return Ok(Outcome::Refused("not_set_up")) };
            let Some(to) = to(&due.email) else { return Ok(Outcome::Gone) };
            let organisation = organisation(app, org).await?;
            let letter = Letter {
                to: &to,
                id: id.to_string(),
                organisation: organisation.display_name.as_deref().unwrap_or(&organisation.name),
                sentence: &kind.words(&due.language).of(n),
                language: &due.language,
                url: &format!("{}{}", app.config.public_url, if n > 1 { "/inbox" } else { &path }),
            };
            Ok(mail.send(letter).await)
        }
        Channel::Sms => {
            let Some(to) = to(&due.phone) else { return Ok(Outcome::Gone) };
            let text = format!("Kilele: {}. {}/inbox", kind.words(&due.language).of(n), app.config.public_url);
            Ok(app.sms.send(id, &to, &text, now).await)
        }
    }
}

async fn organisation(app: &App, org: Uuid) -> Result<Organisation> {
    Ok(serde_json::from_str(&scope::of_organisation(&app.db, org, "organisation", org).await?)?)
}

/// Until quiet hours end: another job, as this is no failure.
async fn put_off(app: &App, org: Uuid, delivery: Uuid, run_at: Millis) -> Result<Option<Later>> {
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let job = jobs::New { kind: "deliver", dedupe: format!("deliver:{delivery}:{run_at}"), run_at };
                jobs::enqueue(tx, org, job, &Wanted { delivery }).await
            })
        })
        .await?;
    Ok(None)
}

async fn settle(
    app: &App,
    org: Uuid,
    deliveries: Vec<Uuid>,
    state: &'static str,
    reason: Option<&'static str>,
) -> Result<Option<Later>> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for id in deliveries {
                    let settled = "UPDATE delivery SET state = $3, reason = $4, settled_at = $5
                                   WHERE org = $1 AND id = $2 AND state = 'waiting'";
                    tx.query(settled).bind(org).bind(id).bind(state).bind(reason).bind(now).later().await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(None)
}
