//! A graduation programme: a cycle, forty households on their way, ladders at different heights, eight business groups.

use serde_json::{Value, json};
use uuid::Uuid;

use super::pictures::{self, Pictures};
use super::visits::unsent;
use super::{Field, Home, apply, set_clock};
use crate::app::App;
use crate::assessments::{Answers, instrument};
use crate::audit::Actor;
use crate::auth::Reader;
use crate::clock::{DAY, HOUR, Millis, new_id};
use crate::enrolments::Enrolment;
use crate::error::Result;
use crate::programmes::{self, Category, CycleFacts, ProgrammeFacts, Status};
use crate::scope;

/// Villages are twelve, and so lie the households: the first of each, then the second …
const VILLAGES: usize = 12;
/// How far the sixteen households get that are in no group.
const ON_THE_WAY: [&[&str]; 16] = [
    &[],
    &[],
    &[],
    &["screen"],
    &["screen"],
    &["screen", "send_to_verify"],
    &["screen", "send_to_verify"],
    &["screen", "send_to_verify", "verify"],
    &["screen", "send_to_verify", "verify"],
    &["screen", "send_to_verify", "verify", "approve"],
    &["screen", "send_to_verify", "verify", "approve"],
    &["screen", "waitlist"],
    &["screen", "reject"],
    &["withdraw"],
    &["screen", "send_to_verify", "verify", "approve", "activate", "suspend"],
    &["screen", "send_to_verify", "verify", "approve", "activate", "drop_out"],
];
const ACTIVE: &[&str] = &["screen", "send_to_verify", "verify", "approve", "activate"];
/// Name, business, village, households, and how high they have climbed: 0 just formed … 5 about to graduate.
const GROUPS: [(&str, &str, usize, usize, usize); 8] = [
    ("Tumaini", "crop", 0, 3, 1),
    ("Umoja ni Nguvu", "livestock", 1, 3, 2),
    ("Jitegemee", "retail", 2, 2, 0),
    ("Kuku Bora", "livestock", 4, 3, 3),
    ("Mboga Safi", "crop", 5, 3, 4),
    ("Fundi Stadi", "skill", 6, 2, 1),
    ("Neema", "retail", 8, 3, 5),
    ("Maziwa Bora", "livestock", 9, 3, 2),
];

struct Made<'m> {
    app: &'m App,
    crew: &'m [Reader],
    pictures: Option<&'m Pictures>,
    programme: Uuid,
    cycle: Uuid,
}

pub async fn make(app: &App, Field { crew, homes, pictures }: Field<'_>, now: Millis) -> Result<()> {
    set_clock(app, now - 60 * DAY);
    let (programme, cycle) = programme(app, crew, now).await?;
    let made = Made { app, crew, pictures, programme, cycle };
    let others = [3, 7, 10, 11].into_iter().flat_map(|village| (0..4).map(move |turn| village + VILLAGES * turn));
    for (days, (index, steps)) in others.zip(ON_THE_WAY).enumerate() {
        made.enrol(&homes[index], steps, now - (30 - days as Millis) * DAY).await?;
    }
    for (turn, (name, kind, village, size, height)) in GROUPS.into_iter().enumerate() {
        let at = now - (58 - turn as Millis) * DAY;
        let all: Vec<&Home> = (0..3).map(|turn| &homes[village + VILLAGES * turn]).collect();
        let mut enrolled = Vec::with_capacity(all.len());
        for home in &all {
            enrolled.push(made.enrol(home, ACTIVE, at).await?);
        }
        made.group((name, kind), &all[..size], &enrolled[..size], height, at + 8 * DAY).await?;
    }
    Ok(())
}

async fn programme(app: &App, crew: &[Reader], now: Millis) -> Result<(Uuid, Uuid)> {
    let (org, supervisor) = (crew[3].org, crew[3].id);
    let actor = Actor { org, member: None, device: None, at: app.clock.now() };
    let day = |at: Millis| chrono::DateTime::from_timestamp_millis(at).map(|time| time.format("%Y-%m-%d").to_string());
    let facts = ProgrammeFacts {
        code: "KILIMA".into(),
        name: "Kilima graduation".into(),
        kind: programmes::Kind::Graduation,
        category: Category::Graduation,
        status: Status::Open,
        instrument: "weighted".into(),
        version: 1,
        graduation_instrument: Some("graduation".into()),
        graduation_version: Some(1),
        places: vec![],
        target: Some(60),
        budget_minor: Some(180_000_000),
        starts_on: day(now - 150 * DAY),
        ends_on: day(now + 400 * DAY),
    };
    let cycle = CycleFacts {
        programme: new_id(),
        code: "C1".into(),
        office: "Kilima".into(),
        associate: Some(supervisor),
        mentors: crew[..3].iter().map(|mentor| mentor.id).collect(),
        starts_on: day(now - 120 * DAY),
        ends_on: day(now + 240 * DAY),
    };
    let (programme, id) = (cycle.programme, new_id());
    let work = app.db.write(move |tx| {
        Box::pin(async move {
            programmes::store::put(tx, &actor, programme, facts, None).await?;
            programmes::store::put_cycle(tx, &actor, id, cycle, None).await
        })
    });
    work.await?;
    Ok((programme, id))
}

impl Made<'_> {
    /// Assesses a household, applies for it and takes it through these steps. Answers the enrolment.
    async fn enrol(&self, home: &Home, steps: &[&str], at: Millis) -> Result<Uuid> {
        let (mentor, supervisor) = (&self.crew[home.mentor], &self.crew[3]);
        set_clock(self.app, at);
        let assessment = self.assess(mentor, home, ("baseline", "weighted"), poor(home.index), at).await?;
        let id = new_id();
        let body = json!({
            "id": id, "household": home.id, "programme": self.programme, "assessment": assessment, "cycle": self.cycle,
        });
        let mut revision = apply(self.app, mentor, "enrolment.apply", at, body).await?;
        for (turn, event) in steps.iter().enumerate() {
            let at = at + (turn as Millis + 1) * DAY;
            set_clock(self.app, at);
            let reason = match *event {
                "waitlist" => "There are more in this village than this cycle takes.",
                "reject" => "The household moved to another county.",
                "withdraw" => "The head found work in town.",
                "suspend" => "In hospital until next month.",
                "drop_out" => "Does not wish to go on.",
                _ => "",
            };
            let mut body = json!({ "id": id, "revision": revision, "event": event, "reason": reason });
            if *event == "verify" {
                let evidence = self.picture(home, at);
                body["position"] = json!({ "lat": home.lat, "lon": home.lon, "accuracy_m": 9.0 });
                body["evidence"] = json!([evidence]);
                revision = apply(self.app, supervisor, "enrolment.move", at, body).await?;
                self.deliver(supervisor, home, &evidence).await?;
                continue;
            }
            let by = if *event == "withdraw" { mentor } else { supervisor };
            revision = apply(self.app, by, "enrolment.move", at, body).await?;
        }
        Ok(id)
    }

    async fn assess(
        &self,
        by: &Reader,
        home: &Home,
        (stage, key): (&str, &str),
        answers: Value,
        at: Millis,
    ) -> Result<Uuid> {
        let given: Answers = serde_json::from_value(answers.clone())?;
        let counted = instrument::find(key, 1)?.count(&given)?;
        let id = new_id();
        let body = json!({
            "id": id, "household": home.id, "programme": self.programme, "stage": stage, "instrument": key, "version": 1,
            "answers": answers, "consent": true, "note": "", "score": counted.score, "outcome": counted.outcome,
        });
        apply(self.app, by, "assessment.record", at, body).await?;
        Ok(id)
    }

    /// Forms a group, and lets its households climb.
    async fn group(
        &self,
        (name, kind): (&str, &str),
        homes: &[&Home],
        enrolled: &[Uuid],
        height: usize,
        at: Millis,
    ) -> Result<()> {
        let (id, mentor) = (new_id(), &self.crew[homes[0].mentor]);
        set_clock(self.app, at);
        let roles = ["leader", "treasurer", "secretary"];
        let members: Vec<Value> =
            homes.iter().zip(roles).map(|(home, role)| json!({ "household": home.id, "role": role })).collect();
        let formed_on = chrono::DateTime::from_timestamp_millis(at).map(|time| time.format("%Y-%m-%d").to_string());
        let body = json!({
            "id": id, "programme": self.programme, "name": name, "type": kind, "members": members, "formed_on": formed_on,
        });
        apply(self.app, mentor, "group.form", at, body).await?;
        if height >= 1 {
            let health = if height == 1 { "yellow" } else { "green" };
            self.survey(homes[0], id, ("progress", health, None), height > 1, at + 10 * DAY).await?;
        }
        if height >= 2 {
            self.by_hand(mentor, enrolled, &[8], "Savings group Akiba Yetu", at + 12 * DAY).await?;
        }
        if height >= 3 {
            self.by_hand(mentor, enrolled, &[3], "The plan was written on paper", at + 14 * DAY).await?;
            for home in homes {
                let at = at + 20 * DAY;
                set_clock(self.app, at);
                self.assess(mentor, home, ("midterm", "weighted"), poor(home.index + 1), at).await?;
            }
        }
        if height >= 4 {
            self.survey(homes[0], id, ("performance", "green", Some(84)), true, at + 26 * DAY).await?;
        }
        if height >= 5 {
            self.graduate(homes, enrolled, id, at + 30 * DAY).await?;
        }
        Ok(())
    }

    /// To the last rung; the first of the households graduates.
    async fn graduate(&self, homes: &[&Home], enrolled: &[Uuid], group: Uuid, at: Millis) -> Result<()> {
        let (mentor, supervisor) = (&self.crew[homes[0].mentor], &self.crew[3]);
        self.survey(homes[0], group, ("final", "green", Some(91)), true, at).await?;
        self.by_hand(supervisor, enrolled, &[1, 4, 5, 10], "Taken over from the paper register", at + DAY).await?;
        let at = at + 2 * DAY;
        set_clock(self.app, at);
        self.assess(mentor, homes[0], ("graduation", "graduation"), well(), at).await?;
        let record = scope::record(&self.app.db, supervisor, "enrolment", enrolled[0]).await?;
        let Enrolment { id, revision, .. } = serde_json::from_str(&record)?;
        let reason = "Ready by the assessment and by what was seen at the business.";
        let body = json!({ "id": id, "revision": revision, "event": "graduate", "reason": reason });
        apply(self.app, supervisor, "enrolment.move", at, body).await.map(drop)
    }

    async fn by_hand(&self, by: &Reader, enrolled: &[Uuid], numbers: &[i64], reason: &str, at: Millis) -> Result<()> {
        set_clock(self.app, at);
        for enrolment in enrolled {
            for number in numbers {
                let body = json!({ "enrolment": enrolment, "number": number, "event": "complete", "reason": reason });
                apply(self.app, by, "milestone.move", at, body).await?;
            }
        }
        Ok(())
    }

    async fn survey(
        &self,
        home: &Home,
        group: Uuid,
        (kind, health, score): (&str, &str, Option<i64>),
        operating: bool,
        at: Millis,
    ) -> Result<()> {
        set_clock(self.app, at + HOUR);
        let (mentor, evidence) = (&self.crew[home.mentor], self.picture(home, at));
        let (income, expenses) = if operating { (900_000, 520_000) } else { (150_000, 310_000) };
        let challenges =
            if operating { "Feed became dearer after the rains." } else { "The stall opens on market days only." };
        let body = json!({
            "id": new_id(), "group": group, "kind": kind, "operating": operating, "income_minor": income,
            "expenses_minor": expenses, "savings_minor": 240_000, "health": health, "score": score,
            "challenges": challenges, "next_steps": "Write down every sale on the day it is made.",
            "position": { "lat": home.lat, "lon": home.lon, "accuracy_m": 8.0 }, "evidence": [evidence],
        });
        apply(self.app, mentor, "group.survey", at, body).await?;
        self.deliver(mentor, home, &evidence).await
    }

    /// The announcement of a picture of the place.
    fn picture(&self, home: &Home, at: Millis) -> Value {
        self.pictures.map_or_else(|| unsent("site", at), |pictures| pictures.scene(home.index).capture("site", at))
    }

    async fn deliver(&self, by: &Reader, home: &Home, capture: &Value) -> Result<()> {
        match self.pictures {
            Some(pictures) => pictures::deliver(self.app, by, pictures.scene(home.index), capture).await,
            None => Ok(()),
        }
    }
}

/// Answers that make a household eligible, not quite the same for each.
fn poor(index: usize) -> Value {
    json!({
        "ppi": 5 + index % 30, "income": 1_500 + 100 * (index % 20), "assets": ["radio"], "female_head": !index.is_multiple_of(3),
        "head_age": 25 + index % 45, "disability": index.is_multiple_of(7), "single_parent": index.is_multiple_of(4), "dependents": 3 + index % 4,
        "adults": 2, "remote": true, "market_km": 4 + index % 15, "electricity": false, "clean_water": index.is_multiple_of(2),
        "household_size": 5 + index % 4, "under_fives": index % 3, "head_schooled": index % 2 == 1,
    })
}

/// Answers that make a household ready to graduate.
fn well() -> Value {
    json!({
        "meals": 3, "food_months": 11, "income": 14_000, "expenses": 9_500, "savings": 12_500,
        "assets": ["poultry", "land", "stock"], "children": 3, "in_school": 3, "business": true, "emergency": true,
    })
}
