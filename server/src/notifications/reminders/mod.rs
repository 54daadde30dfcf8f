//! Reminders: what the clock brings about. Every copy of the server looks each minute; whoever is first writes the inbox
//! row, and nobody writes it again: a row is of one event, and the events follow from the records and the calendar of the
//! organisation alone. So a restart, a second copy or a clock that is put forward neither doubles nor skips any.

mod applicants;
mod backups;
mod certificates;
mod devices;
mod trainings;
mod visits;
mod waiting;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;
use uuid::Uuid;

use super::{Kind, Notice, once};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::orgs::Organisation;
use crate::{feed, packed};

/// Members who are told at once.
const AT_ONCE: usize = 16;

/// An organisation at this moment.
struct Here {
    org: Uuid,
    zone: Tz,
    now: Millis,
    today: NaiveDate,
}

/// Something that one member is to be told, if it still is so.
struct Due {
    member: Uuid,
    kind: &'static Kind,
    subject: (&'static str, Uuid),
    params: Value,
    event: String,
    /// Finds the subject $2 of the organisation $1 while it is as it was.
    still: &'static str,
}

/// Looks once at every organisation.
///
/// # Errors
/// When the database does not answer. An organisation's own trouble keeps no other waiting.
pub async fn all(app: &App) -> Result<()> {
    let now = app.clock.now();
    let rows: Vec<(Uuid, Vec<u8>)> = app
        .db
        .query("SELECT o.id, e.body FROM organisation o JOIN feed_entry e ON e.org = o.id AND e.id = o.id AND e.feed = o.id")
        .all()
        .await?;
    for (org, body) in rows {
        let organisation: Organisation = serde_json::from_str(&packed::open(&body)?)?;
        let zone: Tz = organisation.time_zone.parse().unwrap_or(Tz::UTC);
        let Some(today) = super::quiet::day(zone, now) else { continue };
        if let Err(error) = look(app, &Here { org, zone, now, today }).await {
            error.log();
        }
    }
    Ok(())
}

async fn look(app: &App, here: &Here) -> Result<()> {
    let mut due = visits::due(app, here).await?;
    due.extend(waiting::approvals(app, here).await?);
    due.extend(waiting::conflicts(app, here).await?);
    due.extend(waiting::grants(app, here).await?);
    due.extend(waiting::reports(app, here).await?);
    due.extend(applicants::steps(app, here).await?);
    due.extend(devices::silent(app, here).await?);
    due.extend(backups::failed(app, here).await?);
    due.extend(trainings::due(app, here).await?);
    due.extend(certificates::of_staff(app, here).await?);
    due.extend(certificates::of_server(app, here).await?);
    // All of one person together: what is grouped then leaves as one message.
    let mut of: BTreeMap<Uuid, Vec<Due>> = BTreeMap::new();
    for one in due {
        of.entry(one.member).or_default().push(one);
    }
    // Side by side: on SQLite several share a commit.
    let told = of.into_iter().map(|(member, due)| tell(app, here, member, due));
    let told = futures_util::stream::iter(told).buffer_unordered(AT_ONCE);
    told.try_for_each(|()| std::future::ready(Ok(()))).await?;
    app.jobs.notify_one();
    Ok(())
}

async fn tell(app: &App, here: &Here, member: Uuid, due: Vec<Due>) -> Result<()> {
    let (org, now) = (here.org, here.now);
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let feeds = feed::lock(tx, org, [member]).await?;
                for Due { kind, subject, params, event, still, .. } in due {
                    let found: Option<(Uuid,)> = tx.query(still).bind(org).bind(subject.1).optional().await?;
                    if found.is_some() {
                        once(tx, now, &feeds, Notice { kind, member, subject, params }, event).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

impl Here {
    /// The instant of a time of day, so many days from today.
    fn at(&self, days: i64, minutes: i64) -> Option<Millis> {
        super::quiet::at(self.zone, self.today + chrono::Duration::days(days), minutes)
    }

    /// Whether it is past this time of day.
    fn past(&self, minutes: i64) -> bool {
        self.at(0, minutes).is_some_and(|at| at <= self.now)
    }
}
