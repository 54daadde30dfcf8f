//! How long what is not needed any more is kept, by class, and its end: every ten minutes, with proof of what went.

use poem_openapi::Object;
use uuid::Uuid;

use super::Counts;
use super::erase::{self, Why};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::clock::{DAY, Millis};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;

/// A class of what is kept for a time only.
struct Class {
    name: &'static str,
    /// Days, unless the organisation says otherwise; 0 keeps it until somebody erases it.
    default: i64,
    /// Removes what is older than $2 in organisation $1.
    sql: &'static str,
}

const CLASSES: &[Class] = &[
    // What somebody typed and the server refused.
    Class {
        name: "refused_commands",
        default: 365,
        sql: "UPDATE command_log SET rejected = NULL WHERE org = $1 AND at < $2 AND rejected IS NOT NULL",
    },
    Class {
        name: "ended_sessions",
        default: 365,
        sql: "DELETE FROM session WHERE org = $1 AND COALESCE(ended_at, expires_at) < $2",
    },
    Class { name: "device_losses", default: 365, sql: "DELETE FROM device_loss WHERE org = $1 AND reported_at < $2" },
    Class {
        name: "used_invitations",
        default: 90,
        sql: "DELETE FROM invitation WHERE org = $1 AND COALESCE(used_at, expires_at) < $2",
    },
];

/// Households without a visit, nor a registration, for so long; never, unless an organisation says so.
const HOUSEHOLDS: &str = "households_without_visits";
/// Households that are erased in one round; the next round takes the rest.
const SOME: i64 = 20;
/// At least this long, whatever somebody types.
const SHORTEST: i64 = 7;
const LONGEST: i64 = 36_500;

/// How long one class is kept.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RetentionRule")]
pub struct Rule {
    /// refused_commands, ended_sessions, device_losses, used_invitations or households_without_visits
    pub class: String,
    /// 0: until somebody erases it.
    pub days: i64,
}

/// The rules of one organisation, its own or the defaults.
pub async fn rules(app: &App, org: Uuid) -> Result<Vec<Rule>> {
    let own: Vec<(String, i64)> = app.db.query("SELECT class, days FROM retention WHERE org = $1").bind(org).all().await?;
    let known = CLASSES.iter().map(|class| (class.name, class.default)).chain([(HOUSEHOLDS, 0)]);
    let rule = |(class, default): (&str, i64)| {
        let days = own.iter().find(|(name, _)| name == class).map_or(default, |(_, days)| *days);
        Rule { class: class.to_owned(), days }
    };
    Ok(known.map(rule).collect())
}

/// # Errors
/// 422 for a class that is none, or a time that is too short or too long.
pub async fn set(tx: &mut Tx, actor: &Actor, rules: &[Rule]) -> Result<()> {
    for Rule { class, days } in rules {
        let known = class == HOUSEHOLDS || CLASSES.iter().any(|one| one.name == class);
        if !known || (*days != 0 && !(SHORTEST..=LONGEST).contains(days)) {
            return Err(Error::invalid(
                "rules",
                "A class that is kept 7 to 36,500 days, or 0 for as long as nobody erases it.",
            ));
        }
        tx.query("INSERT INTO retention (org, class, days) VALUES ($1, $2, $3) ON CONFLICT (org, class) DO UPDATE SET days = excluded.days")
            .bind(actor.org)
            .bind(class.as_str())
            .bind(*days)
            .run()
            .await?;
    }
    audit::note(tx, actor, actor.org, "organisation.retention", ("organisation", actor.org)).await
}

/// Ends what is past its time, everywhere. Answers how much that was.
///
/// # Errors
/// When the database does not answer.
pub async fn all(app: &App) -> Result<i64> {
    let orgs: Vec<(Uuid,)> = app.db.query("SELECT id FROM organisation").all().await?;
    let mut gone = 0;
    for (org,) in orgs {
        for rule in rules(app, org).await?.into_iter().filter(|rule| rule.days > 0) {
            gone += one(app, org, rule).await?;
        }
    }
    Ok(gone)
}

async fn one(app: &App, org: Uuid, rule: Rule) -> Result<i64> {
    let now = app.clock.now();
    let before = now - rule.days * DAY;
    let actor = Actor { org, member: None, device: None, at: now };
    let Some(class) = CLASSES.iter().find(|class| class.name == rule.class) else {
        return households(app, actor, before).await;
    };
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let records = tx.query(class.sql).bind(org).bind(before).run().await? as i64;
                if records > 0 {
                    let mut feeds = feed::lock(tx, org, [org]).await?;
                    let counts = Counts { records, ..Counts::default() };
                    erase::prove(tx, &actor, "retention", Why::past(class.name), crate::clock::new_id(), &counts).await?;
                    let after = serde_json::json!({ "class": class.name, "records": records });
                    let change = (Some(&serde_json::json!({})), Some(&after));
                    audit::append(tx, &mut feeds, org, &actor, "retention.run", ("organisation", org), change).await?;
                }
                Ok(records)
            })
        })
        .await
}

async fn households(app: &App, actor: Actor, before: Millis) -> Result<i64> {
    let past: Vec<(Uuid,)> = app
        .db
        .query(
            "SELECT h.id FROM household h WHERE h.org = $1 AND COALESCE(h.last_visit_at, h.registered_at) < $2
                 AND h.registered_at < $2
                 AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.org = h.org AND v.household = h.id AND v.state IN ('planned', 'started', 'submitted', 'returned'))
                 AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.org = h.org AND e.subject = h.id)
             ORDER BY h.id LIMIT CAST($3 AS BIGINT)",
        )
        .bind(actor.org)
        .bind(before)
        .bind(SOME)
        .all()
        .await?;
    let mut gone = 0;
    for (id,) in past {
        let counts = app
            .db
            .write(move |tx| Box::pin(async move { erase::household(tx, &actor, id, Why::past(HOUSEHOLDS)).await }))
            .await?;
        gone += counts.records;
        app.jobs.notify_one();
    }
    Ok(gone)
}
