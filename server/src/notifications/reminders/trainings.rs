//! Trainings: tomorrow's at 17:00, today's at 6:30; whoever was reminded hears when it is moved or cancelled. An event names
//! the time of its training, so that one that is moved reminds anew.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Due, Here};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::notifications::kinds::{TRAINING_CANCELLED, TRAINING_MOVED, TRAINING_TODAY, TRAINING_TOMORROW};
use crate::notifications::{Kind, quiet};
use crate::packed;
use crate::trainings::{Module, State, Training};

const EVENING: i64 = 17 * 60;
const MORNING: i64 = 6 * 60 + 30;

#[derive(sqlx::FromRow)]
struct Row {
    body: Vec<u8>,
    module: Vec<u8>,
}

struct Planned {
    training: Training,
    params: Value,
}

/// Of a session whose end lies behind there is no news any more.
pub(super) async fn due(app: &App, here: &Here) -> Result<Vec<Due>> {
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT e.body, n.body AS module FROM training t
             JOIN feed_entry e ON e.org = t.org AND e.feed = t.feed AND e.id = t.id
             JOIN feed_entry n ON n.org = t.org AND n.feed = t.org AND n.id = t.module
             WHERE t.org = $1 AND t.ends_at > $2 AND t.state <> 'held' ORDER BY t.starts_at, t.id",
        )
        .bind(here.org)
        .bind(here.now)
        .all()
        .await?;
    let mut due = Vec::new();
    for row in rows {
        let training: Training = serde_json::from_str(&packed::open(&row.body)?)?;
        let module: Module = serde_json::from_str(&packed::open(&row.module)?)?;
        let params = json!({
            "training_number": training.number,
            "module_number": module.facts.number,
            "module_title": module.facts.title,
            "venue": training.venue,
            "starts_at": training.starts_at,
        });
        let planned = Planned { training, params };
        let mut fresh = reminded(app, here, &planned).await?;
        let told = told(app, here, planned.training.id).await?;
        // Whoever is reminded of the new time needs no second word of it.
        let changed = planned.changed(told).into_iter().filter(|one| fresh.iter().all(|other| other.member != one.member));
        let changed: Vec<Due> = changed.collect();
        due.append(&mut fresh);
        due.extend(changed);
    }
    Ok(due)
}

/// The trainer, the mentors of those invited, and those invited who have an account.
async fn reminded(app: &App, here: &Here, planned: &Planned) -> Result<Vec<Due>> {
    let training = &planned.training;
    let Some(day) = quiet::day(here.zone, training.starts_at) else { return Ok(vec![]) };
    let (kind, from): (&'static Kind, Option<Millis>) = match day.signed_duration_since(here.today).num_days() {
        1 => (&TRAINING_TOMORROW, here.at(0, EVENING)),
        0 => (&TRAINING_TODAY, here.at(0, MORNING)),
        _ => return Ok(vec![]),
    };
    let Some(from) = from.filter(|from| *from <= here.now && training.state == State::Scheduled) else { return Ok(vec![]) };
    let event = format!("{}:{}:{}", kind.key, training.id, training.starts_at);
    let audience: Vec<(Uuid,)> = app
        .db
        .query(
            "SELECT m.id FROM member m WHERE m.org = $1 AND m.active
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.org = m.org AND i.member = m.id AND i.event = $4)
                 AND (m.household IN (SELECT s.household FROM training_seat s WHERE s.org = $1 AND s.training = $2)
                      OR (EXISTS (SELECT 1 FROM member_feed f WHERE f.org = m.org AND f.member = m.id AND f.feed = $3)
                          AND m.id IN (SELECT t.trainer FROM training t WHERE t.org = $1 AND t.id = $2
                              UNION SELECT n.mentor FROM training_seat s
                                  JOIN enrolment n ON n.org = s.org AND n.household = s.household AND n.state = 'active'
                                  WHERE s.org = $1 AND s.training = $2)))",
        )
        .bind(here.org)
        .bind(training.id)
        .bind(training.place)
        .bind(event.as_str())
        .all()
        .await?;
    // Whoever planned it after that knows.
    let knows = (training.planned_at > from).then_some(training.planned_by);
    let others = audience.into_iter().filter(|(member,)| Some(*member) != knows);
    Ok(others.map(|(member,)| planned.tell(member, kind, event.clone())).collect())
}

/// Who was told of this session, and what they were told last.
async fn told(app: &App, here: &Here, training: Uuid) -> Result<BTreeMap<Uuid, String>> {
    let rows: Vec<(Uuid, String)> = app
        .db
        .query(
            "SELECT i.member, i.event FROM inbox i JOIN member m ON m.org = i.org AND m.id = i.member AND m.active
             WHERE i.org = $1 AND i.subject = $2 AND i.event IS NOT NULL
                 AND i.kind IN ('training_tomorrow', 'training_today', 'training_moved', 'training_cancelled')
             ORDER BY i.created_at, i.id",
        )
        .bind(here.org)
        .bind(training)
        .all()
        .await?;
    Ok(rows.into_iter().collect())
}

impl Planned {
    /// What those who were told of it have to hear since.
    fn changed(&self, told: BTreeMap<Uuid, String>) -> Vec<Due> {
        let Training { id, state, starts_at, planned_revision, .. } = &self.training;
        let known = |event: &String| match state {
            State::Cancelled => event.starts_with(TRAINING_CANCELLED.key),
            _ => event.ends_with(&format!(":{starts_at}")),
        };
        let news = told.into_iter().filter(|(_, last)| !known(last));
        let due = news.map(|(member, _)| match state {
            State::Cancelled => self.tell(member, &TRAINING_CANCELLED, format!("{}:{id}", TRAINING_CANCELLED.key)),
            // Moved there and back again, it is another plan at the same time.
            _ => self.tell(member, &TRAINING_MOVED, format!("{}:{planned_revision}:{id}:{starts_at}", TRAINING_MOVED.key)),
        });
        due.collect()
    }

    fn tell(&self, member: Uuid, kind: &'static Kind, event: String) -> Due {
        Due {
            member,
            kind,
            subject: ("training", self.training.id),
            params: self.params.clone(),
            event,
            still: match self.training.state {
                State::Cancelled => "SELECT id FROM training WHERE org = $1 AND id = $2 AND state = 'cancelled'",
                _ => "SELECT id FROM training WHERE org = $1 AND id = $2 AND state = 'scheduled'",
            },
        }
    }
}
