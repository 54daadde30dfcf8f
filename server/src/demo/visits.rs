//! Four weeks of visits in every state, and what is planned for this week.

use kilele_media::drawn;
use serde_json::{Value, json};
use uuid::Uuid;

use super::names::Dice;
use super::pictures::{self, Pictures};
use super::{Field, Home, apply};
use crate::app::App;
use crate::auth::Reader;
use crate::clock::{DAY, HOUR, MINUTE, Millis, new_id};
use crate::crypto::{hex, sha256};
use crate::error::Result;
use crate::ops::progress::Progress;
use crate::scope;
use crate::visits::{TOPICS, Visit};

const OBSERVATIONS: [&str; 8] = [
    "The vegetable stall opened on four days this week; tomatoes sell best in the morning.",
    "Six new chicks hatched. The shelter keeps dry, but needs wire against the mongoose.",
    "Savings book is up to date; the household put aside KES 350 since the last visit.",
    "The kitchen garden has sukuma and onions. Water is fetched from the spring, 400 m.",
    "Two goats were vaccinated. The youngest child is back at school after a week at home.",
    "Maize was sold too early at a low price; we compared what storing it would bring.",
    "The tailoring machine is repaired. Three school uniforms are ordered for next month.",
    "The group met without quarrel and wrote down who brings what to the market.",
];
const ADVICE: [&str; 6] = [
    "Write down every sale on the day it is made.",
    "Keep the seed money apart from the household's money.",
    "Ask the group for help with the fence before the rains.",
    "Visit the clinic with the youngest this week.",
    "Compare prices at both markets before selling.",
    "Plant the second bed two weeks after the first.",
];
const NOTES: [&str; 3] = [
    "The picture of the surroundings does not show the stall you write about. Please take it again, from the road.",
    "Please check the income: last month it was twice as much. What happened?",
    "What did you agree on for the next weeks? Please write the action items.",
];
const STATUS: [&str; 5] = ["thriving", "stable", "stable", "struggling", "not_started"];

/// How far back they go.
const DAYS: Millis = 28;

pub async fn make(
    app: &App,
    Field { crew, homes, pictures }: Field<'_>,
    a_day: usize,
    today: Millis,
    dice: &mut Dice,
    progress: &Progress,
) -> Result<()> {
    if a_day == 0 {
        return Ok(());
    }
    let mut turns = [0; 3];
    for days_ago in (1..=DAYS).rev() {
        progress.say("days of visits", (DAYS - days_ago) as u64, Some(DAYS as u64));
        if days_ago % 7 == 0 {
            continue;
        }
        for mentor in 0..3 {
            let own: Vec<&Home> = homes.iter().filter(|home| home.mentor == mentor).collect();
            for turn in 0..a_day {
                // Every seventh household is left out: it is the one that was not visited for a month.
                turns[mentor] += if turns[mentor] % 7 == 5 { 2 } else { 1 };
                let home = own[turns[mentor] % own.len()];
                let at = today - days_ago * DAY + (2 + 2 * turn as Millis) * HOUR;
                visit(app, crew, home, pictures, at.min(today - HOUR), days_ago, dice).await?;
            }
        }
    }
    super::set_clock(app, today);
    for mentor in 0..3 {
        let own: Vec<&Home> = homes.iter().filter(|home| home.mentor == mentor).collect();
        for (index, days) in [(3, 0), (11, 0), (17, 0), (6, 1), (23, 2), (29, 3), (9, -2)] {
            // The supervisor plans some of them, which shows in the mentor's inbox.
            let by = if index % 3 == 0 { &crew[3] } else { &crew[mentor] };
            let body = json!({
                "id": new_id(), "household": own[index % own.len()].id, "mentor": crew[mentor].id, "kind": "scheduled",
                "planned_at": today + days * DAY + HOUR,
            });
            apply(app, by, "visit.plan", today, body).await?;
        }
    }
    for person in crew {
        read_inbox(app, person, today - 2 * DAY).await?;
    }
    Ok(())
}

/// What is older than the last days has been read.
async fn read_inbox(app: &App, person: &Reader, until: Millis) -> Result<()> {
    let rows: Vec<(Uuid,)> = app
        .db
        .query("SELECT id FROM inbox WHERE org = $1 AND member = $2 AND created_at < $3")
        .bind(person.org)
        .bind(person.id)
        .bind(until)
        .all()
        .await?;
    let ids: Vec<Uuid> = rows.into_iter().map(|(id,)| id).collect();
    apply(app, person, "inbox.read", until, json!({ "ids": ids })).await.map(drop)
}

async fn visit(
    app: &App,
    crew: &[Reader],
    home: &Home,
    pictures: Option<&Pictures>,
    at: Millis,
    days_ago: i64,
    dice: &mut Dice,
) -> Result<()> {
    super::set_clock(app, at + 2 * HOUR);
    let (mentor, supervisor) = (&crew[home.mentor], &crew[3]);
    let id = new_id();
    let shots: Vec<_> =
        pictures.iter().flat_map(|p| [("front", p.face(home.index)), ("back", p.scene(home.index))]).collect();
    let evidence: Vec<Value> = match pictures {
        Some(_) => shots.iter().map(|(slot, picture)| picture.capture(slot, at + 20 * MINUTE)).collect(),
        // Announced, never sent: enough for tests that need no pictures.
        None => ["front", "back"].map(|slot| unsent(slot, at)).into(),
    };
    let topic = dice.below(TOPICS.len());
    let body = json!({
        "id": id, "household": home.id, "kind": "scheduled", "started_at": at, "ended_at": at + (25 + dice.below(40) as i64) * MINUTE,
        "topics": [TOPICS[topic], TOPICS[(topic + 2) % TOPICS.len()]],
        "observations": dice.pick(&OBSERVATIONS), "recommendations": dice.pick(&ADVICE), "action_items": "",
        "business_status": dice.pick(&STATUS), "income_minor": (2_000 + dice.below(60) * 100) * 100,
        "support_needed": "", "lat": home.lat, "lon": home.lon, "accuracy_m": 4 + dice.below(40),
        "evidence": evidence, "signature": signature(app, mentor, home, id, at + 40 * MINUTE).await?,
    });
    apply(app, mentor, "visit.submit", at, body).await?;
    for ((_, picture), capture) in shots.iter().zip(&evidence) {
        pictures::deliver(app, mentor, picture, capture).await?;
    }
    // The last days still wait for the supervisor; of the others she sent one in fourteen back.
    if days_ago > 2 {
        super::set_clock(app, at + 26 * HOUR);
        let record: Visit = serde_json::from_str(&scope::record(&app.db, supervisor, "visit", id).await?)?;
        let returned = dice.below(24) == 0;
        let kind = if returned { "visit.return" } else { "visit.approve" };
        let body = json!({ "id": id, "revision": record.revision, "note": dice.pick(&NOTES) });
        apply(app, supervisor, kind, at, body).await?;
    }
    Ok(())
}

pub fn unsent(slot: &str, at: Millis) -> Value {
    json!({
        "id": new_id(), "slot": slot, "mime": "image/jpeg", "bytes": 1000, "sha256": hex(&sha256(new_id().as_bytes())),
        "width": 1200, "height": 1600, "captured_at": at,
    })
}

/// A drawn signature under the statement that ships.
async fn signature(app: &App, mentor: &Reader, home: &Home, visit: Uuid, at: Millis) -> Result<Value> {
    let ink = drawn::scribble(home.index as u64);
    let date = chrono::DateTime::from_timestamp_millis(at).map(|t| t.format("%d/%m/%Y").to_string()).unwrap_or_default();
    let statement = crate::orgs::STATEMENTS[0]
        .2
        .replace("{household}", &home.head)
        .replace("{mentor}", &mentor.name)
        .replace("{organisation}", "Maendeleo ya Vijiji")
        .replace("{date}", &date);
    let content = crate::signatures::Content {
        v: 1,
        id: new_id(),
        subject_kind: "visit".into(),
        subject: visit,
        template: "visit".into(),
        version: 1,
        language: "en".into(),
        statement,
        signer_name: home.head.clone(),
        signer_role: "beneficiary".into(),
        household: None,
        witness: None,
        signed_at: at,
        width: ink.width,
        height: ink.height,
        strokes: ink.strokes,
        device: mentor.device,
    };
    let record = serde_json::to_string(&content)?;
    let sha256 = hex(&sha256(record.as_bytes()));
    debug_assert!(app.clock.now() >= at, "the clock stands after the signing");
    Ok(json!({ "record": record, "sha256": sha256 }))
}
