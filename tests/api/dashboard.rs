//! A day in the field, counted by the server and once more from the rows: by hours of several clocks, by state, on the map.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use chrono_tz::Tz;
use kilele::auth::Role;
use kilele::clock::{DAY, HOUR, MINUTE, Millis};
use kilele::config::Config;
use kilele::visits::{self, Findings, Kind, State, Visit};
use kilele_tests::cast::{in_role, neighbours};
use kilele_tests::enrolling::{enrol, go, programme};
use kilele_tests::{Engine, Person, TestApp, Uuid, both, id};
use serde_json::{Value, json};

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides).unwrap()
    }

    /// Within two days of `around`, and sometimes at its very beginning or end.
    fn time(&mut self, around: Millis) -> Millis {
        match self.throw(12) {
            0 => around,
            1 => around + DAY,
            2 => around - 1,
            _ => around + (self.throw(96) - 36) * HOUR + self.throw(60) * MINUTE,
        }
    }
}

/// A visit of any state around a day, as its history may have left it.
fn visit(dice: &mut Dice, place: Uuid, household: Uuid, mentor: Uuid, around: Millis) -> Visit {
    let state = State::ALL[usize::try_from(dice.throw(7)).unwrap()];
    let begun = !matches!(state, State::Planned | State::Missed);
    let handed_in = matches!(state, State::Submitted | State::Approved | State::Returned);
    let decided = matches!(state, State::Approved | State::Returned);
    let at = |dice: &mut Dice, is: bool| is.then(|| dice.time(around));
    let placed = begun && dice.throw(4) > 0;
    Visit {
        id: id().parse().unwrap(),
        number: Some(format!("VIS-{}", dice.throw(1 << 30))),
        household,
        place,
        mentor,
        state,
        kind: Kind::Scheduled,
        planned_at: Some(dice.time(around)),
        findings: Findings {
            started_at: at(dice, begun),
            // In steps that texts of numbers carry to the last bit.
            lat: placed.then(|| -0.25 + dice.throw(256) as f64 / 1024.0),
            lon: placed.then(|| 36.0 + dice.throw(256) as f64 / 1024.0),
            accuracy_m: (placed && dice.throw(3) > 0).then(|| dice.throw(90) as f64),
            ..Findings::default()
        },
        note: None,
        decided_by: None,
        decided_at: at(dice, decided),
        round: 1,
        submitted_at: at(dice, handed_in),
        created_at: around,
        updated_at: around,
        revision: 1,
    }
}

async fn keep(app: &TestApp, org: Uuid, visits: Vec<Visit>) {
    let work = app.app.db.write(move |tx| {
        Box::pin(async move {
            let feeds = kilele::feed::lock(tx, org, visits.iter().map(|one| one.place)).await?;
            for one in &visits {
                visits::store::put(tx, &feeds, one).await?;
            }
            Ok(())
        })
    });
    work.await.unwrap();
}

/// The first moment of which a clock there says this date: found by looking at it each quarter of an hour.
fn begins(zone: Tz, date: NaiveDate) -> Millis {
    let noon = date.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_millis();
    (0..).map(|n| noon - 2 * DAY + n * 15 * MINUTE).find(|at| on(zone, *at) >= date).unwrap()
}

fn on(zone: Tz, at: Millis) -> NaiveDate {
    DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone).date_naive()
}

/// What a dashboard says of `date`, counted from the rows that this person may see.
fn check(seen: &Value, rows: &[&Visit], zone: Tz, date: NaiveDate, hours: usize) {
    assert_eq!((&seen["date"], &seen["time_zone"]), (&json!(date.to_string()), &json!(zone.name())));
    let from = begins(zone, date);
    let that_day = |at: Option<Millis>| at.is_some_and(|at| on(zone, at) == date);
    let said = seen["hours"].as_array().unwrap();
    assert_eq!(said.len(), hours, "{date} in {zone}");
    for (n, hour) in said.iter().enumerate() {
        let at = from + i64::try_from(n).unwrap() * HOUR;
        assert_eq!(hour["at"], at);
        for state in ["in_progress", "submitted", "returned", "approved"] {
            let within = |one: &&&Visit| {
                one.state.as_str() == state && one.findings.started_at.is_some_and(|begun| (at..at + HOUR).contains(&begun))
            };
            assert_eq!(hour[state], rows.iter().filter(within).count(), "{state} in hour {n} of {date} in {zone}");
        }
    }
    let made: Vec<&&Visit> = rows
        .iter()
        .filter(|one| {
            !matches!(one.state, State::Planned | State::Missed | State::Cancelled) && that_day(one.findings.started_at)
        })
        .collect();
    let in_hours: i64 = said
        .iter()
        .flat_map(|hour| ["in_progress", "submitted", "returned", "approved"].map(|state| hour[state].as_i64().unwrap()))
        .sum();
    assert_eq!(usize::try_from(in_hours).unwrap(), made.len(), "every visit of the day has its hour");

    let count = |fits: &dyn Fn(&Visit) -> bool| rows.iter().filter(|one| fits(one)).count();
    assert_eq!(
        seen["day"],
        json!({
            "handed_in": count(&|one| that_day(one.submitted_at)),
            "approved": count(&|one| one.state == State::Approved && that_day(one.decided_at)),
            "returned": count(&|one| one.state == State::Returned && that_day(one.decided_at)),
            "planned": count(&|one| one.state == State::Planned && that_day(one.planned_at)),
        })
    );

    let mut points: BTreeMap<String, Value> = BTreeMap::new();
    for one in made.iter().filter(|one| one.findings.lat.is_some()) {
        let mut point = json!({
            "visit": one.id, "household": one.household, "place": one.place, "mentor": one.mentor, "state": one.state,
            "at": one.findings.started_at, "lat": one.findings.lat, "lon": one.findings.lon });
        if let Some(metres) = one.findings.accuracy_m {
            point["accuracy_m"] = json!(metres);
        }
        points.insert(one.id.to_string(), point);
    }
    let drawn: BTreeMap<String, Value> = seen["map"]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (point["visit"].as_str().unwrap().to_owned(), point.clone()))
        .collect();
    assert_eq!(drawn, points);
    assert_eq!((&seen["map"]["without_place"], &seen["map"]["left_off"]), (&json!(made.len() - points.len()), &json!(0)));
}

async fn look(by: &Person, date: NaiveDate) -> Value {
    by.get(&format!("/api/figures/day?date={date}")).await.ok()
}

async fn village(by: &Person) -> (Uuid, Uuid) {
    let home = by.a_household().await;
    let id = |field: &str| home[field].as_str().unwrap().parse().unwrap();
    (id("place"), id("id"))
}

both! {
    async fn a_day_is_what_its_rows_come_to_by_any_clock(app: TestApp) {
        let (admin, mentor, other) = (app.admin().await, app.mentor().await, app.other_mentor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let ((here, home), (there, away)) = (village(&mentor).await, village(&other).await);
        let supervisor = in_role(&app, org, "sup", Role::Supervisor, vec![here]).await;
        let officer = in_role(&app, org, "mel", Role::Evaluator, vec![]).await;
        neighbours(&app).await;
        let theirs = app.sign_in("b.supervisor").await;
        let mut dice = Dice(20_261_130);
        // A day that is an hour short, one that is an hour long, one like most, one that is half an hour short, one that a
        // country left out, each with its neighbours.
        let days = [
            ("Europe/Berlin", "2025-03-30", 23),
            ("Europe/Berlin", "2025-10-26", 25),
            ("Africa/Nairobi", "2026-11-20", 24),
            ("Asia/Kathmandu", "2026-11-20", 24),
            ("Australia/Lord_Howe", "2025-10-05", 24),
            ("Pacific/Apia", "2011-12-30", 0),
        ];
        for (name, day, length) in days {
            let (zone, date): (Tz, NaiveDate) = (name.parse().unwrap(), day.parse().unwrap());
            admin.put("/api/organisation", &json!({ "time_zone": name })).await.ok();
            let mentors: [Uuid; 2] = [mentor.member().parse().unwrap(), other.member().parse().unwrap()];
            let around = begins(zone, date);
            let rows: Vec<Visit> = (0..150)
                .map(|n| if n % 2 == 0 { visit(&mut dice, here, home, mentors[0], around) } else { visit(&mut dice, there, away, mentors[1], around) })
                .collect();
            keep(&app, org, rows.clone()).await;
            let all: Vec<&Visit> = rows.iter().collect();
            let own: Vec<&Visit> = rows.iter().filter(|one| one.place == here).collect();
            for by in [&admin, &officer] {
                check(&look(by, date).await, &all, zone, date, length);
            }
            let seen = look(&supervisor, date).await;
            check(&seen, &own, zone, date, length);
            if length > 0 {
                for next in [date + Days::new(1), date - Days::new(1)] {
                    check(&look(&supervisor, next).await, &own, zone, next, 24);
                }
            }
            // What waits and what is missing is what the other figures say.
            let figures = supervisor.get("/api/figures").await.ok();
            for same in ["waiting", "gaps", "grants"] {
                assert_eq!(seen[same], figures[same], "{same}");
            }
            // Next door it was a quiet day.
            let quiet = look(&theirs, date).await;
            assert_eq!(quiet["day"], json!({ "handed_in": 0, "approved": 0, "returned": 0, "planned": 0 }));
            assert_eq!(quiet["map"], json!({ "points": [], "without_place": 0, "left_off": 0 }));
            keep(&app, org, rows.into_iter().map(|one| Visit { state: State::Cancelled, submitted_at: None, decided_at: None, ..one }).collect()).await;
            check(&look(&admin, date).await, &[], zone, date, length);
        }
        // Those who see aggregates only see no day of anybody's.
        let oversight = in_role(&app, org, "over", Role::Oversight, vec![]).await;
        oversight.get("/api/figures/day").await.refused(403, "forbidden");
        mentor.get("/api/figures/day").await.refused(403, "forbidden");
        for wrong in ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-20T00:00"] {
            admin.get(&format!("/api/figures/day?date={wrong}")).await.refused(422, "invalid");
        }
        for edge in ["1900-01-01", "2100-12-31"] {
            assert_eq!(admin.get(&format!("/api/figures/day?date={edge}")).await.ok()["hours"].as_array().unwrap().len(), 24);
        }
    }

    async fn today_is_the_organisations_and_moves_with_what_is_accepted(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Nairobi"] {
            admin.put("/api/organisation", &json!({ "time_zone": name })).await.ok();
            let zone: Tz = name.parse().unwrap();
            let before = on(zone, app.clock.now()).to_string();
            let seen = supervisor.get("/api/figures/day").await.ok();
            assert!([before, on(zone, app.clock.now()).to_string()].contains(&seen["date"].as_str().unwrap().to_owned()));
        }
        let household = mentor.a_household().await;
        let now = app.clock.now();
        let mut made = mentor.visit(&household);
        made.body["started_at"] = (now - 1).into();
        made.body["ended_at"] = now.into();
        mentor.command("visit.submit", made.body.clone()).await.ok();
        let today = |seen: &Value, state: &str| -> i64 { seen["hours"].as_array().unwrap().iter().map(|hour| hour[state].as_i64().unwrap()).sum() };
        let seen = look(&supervisor, on(Tz::Africa__Nairobi, now - 1)).await;
        assert_eq!((today(&seen, "submitted"), &seen["map"]["without_place"]), (1, &json!(1)));
        assert_eq!(seen["gaps"]["unproven"], 1);
        let revision = mentor.record("visit", &made.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.return", json!({ "id": made.id, "revision": revision, "note": "Where was it?" })).await.ok();
        let seen = look(&supervisor, on(Tz::Africa__Nairobi, now - 1)).await;
        assert_eq!((today(&seen, "submitted"), today(&seen, "returned")), (0, 1));
        let seen = supervisor.get("/api/figures/day").await.ok();
        assert_eq!(seen["day"]["returned"], 1);
    }

    async fn what_waits_is_parted_by_its_age(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let (here, home) = village(&mentor).await;
        let (now, mut dice) = (app.clock.now(), Dice(7));
        let rows: Vec<Visit> = (0..80)
            .map(|_| Visit {
                state: State::Submitted,
                submitted_at: Some(now - dice.throw(24 * 12) * HOUR - MINUTE),
                ..visit(&mut dice, here, home, mentor.member().parse().unwrap(), now)
            })
            .collect();
        keep(&app, org, rows.clone()).await;
        let seen = admin.get("/api/figures/day").await.ok();
        let visits = seen["waiting"].as_array().unwrap().iter().find(|one| one["what"] == "visit").unwrap();
        let older = |days: i64| rows.iter().filter(|one| one.submitted_at.unwrap() <= now - days * DAY).count();
        assert_eq!([&visits["count"], &visits["day"], &visits["three_days"], &visits["week"]], [&json!(80), &json!(older(1)), &json!(older(3)), &json!(older(7))]);
        assert_eq!(visits["oldest_at"], json!(rows.iter().map(|one| one.submitted_at.unwrap()).min()));
    }

    async fn a_full_map_says_what_it_left_off(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let (here, home) = village(&mentor).await;
        let noon = begins(Tz::Africa__Nairobi, "2026-11-20".parse().unwrap()) + 12 * HOUR;
        let mut dice = Dice(3);
        let rows: Vec<Visit> = (0..530)
            .map(|n| {
                let mut one = visit(&mut dice, here, home, mentor.member().parse().unwrap(), noon);
                let placed = n % 10 != 0;
                one.state = State::Approved;
                one.findings.started_at = Some(noon + n * 1000);
                (one.findings.lat, one.findings.lon) = (placed.then_some(-0.3), placed.then_some(36.0));
                one
            })
            .collect();
        keep(&app, org, rows).await;
        let map = look(&admin, "2026-11-20".parse().unwrap()).await["map"].clone();
        assert_eq!((map["points"].as_array().unwrap().len(), &map["without_place"], &map["left_off"]), (450, &json!(50), &json!(30)));
        assert_eq!(map["points"][0]["at"], noon + 529 * 1000, "the latest are drawn");
    }

    async fn milestones_are_counted_rung_by_rung(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        for (n, home) in mentor.records("household").await.iter().take(4).enumerate() {
            let one = enrol(&mentor, home, &graduation).await;
            for event in ["screen", "send_to_verify", "verify", "approve", "activate"].iter().take(if n == 3 { 3 } else { 5 }) {
                go(&supervisor, &one, event).await.ok();
            }
            for number in 1..=n.min(2) {
                let done = json!({ "enrolment": one, "number": number, "event": "complete", "reason": "seen by me" });
                if n < 3 {
                    supervisor.command("milestone.move", done).await.ok();
                }
            }
        }
        let now = app.clock.now() / DAY;
        for ahead in [0, 1, 60, 900] {
            let date = NaiveDate::default() + Days::new(u64::try_from(now + ahead).unwrap());
            let (seen, figures) = (look(&supervisor, date).await, supervisor.get(&format!("/api/figures?today={date}")).await.ok());
            let active: Vec<Value> = supervisor.records("enrolment").await.into_iter().filter(|one| one["state"] == "active").collect();
            assert_eq!((&seen["active"], active.len()), (&json!(3), 3));
            let rungs = seen["rungs"].as_array().unwrap();
            assert_eq!(rungs.len(), 12);
            for rung in rungs {
                let done = |one: &&Value| one["milestones"].as_array().unwrap().iter().any(|m| m["number"] == rung["number"] && (m["state"] == "completed" || m["state"] == "skipped"));
                assert_eq!(rung["done"], active.iter().filter(done).count(), "{rung}");
                let late = figures["late"].as_array().unwrap().iter().find(|one| one["number"] == rung["number"]).map_or(0, |one| one["count"].as_i64().unwrap());
                assert_eq!(rung["late"], late, "{rung}");
            }
        }
    }

    async fn a_role_that_reads_no_visits_gets_no_map(app: TestApp) {
        let admin = app.admin().await;
        let role = json!({ "name": "Statistics", "scope": "organisation", "levels": { "figures": "read" } });
        let role = admin.post("/api/roles", &role).await.ok()["id"].as_str().unwrap().to_owned();
        let new = kilele::members::NewMember { login: "stats".into(), role: Role::Custom, custom_role: role.parse().ok(), ..Default::default() };
        let person = kilele_tests::cast::join(&app, admin.org().parse().unwrap(), new).await;
        let seen = person.get("/api/figures/day").await.ok();
        assert_eq!((seen.get("map"), seen["hours"].as_array().unwrap().len()), (None, 24));
    }
}

/// Only where the installation says so is another server asked, and then it alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_land_is_drawn_by_nobody_else_unless_said_so() {
    let pictures = |answer: &kilele_tests::Answer| -> String {
        let policy = answer.header("content-security-policy");
        policy.split(';').map(str::trim).find(|part| part.starts_with("img-src")).unwrap().to_owned()
    };
    let app = TestApp::spawn(Engine::Sqlite).await;
    assert_eq!(pictures(&app.get("/").await), "img-src 'self' blob: data:");
    assert_eq!(app.supervisor().await.get("/api/figures/day").await.ok().get("tiles"), None);

    const TILES: &str = "https://tiles.example.org:8443/land/{z}/{x}/{y}.png?key=1";
    let set = |name: &str| match name {
        "KILELE_TILES_URL" => Some(TILES.to_owned()),
        "KILELE_TILES_ATTRIBUTION" => Some("© the surveyors".to_owned()),
        _ => None,
    };
    let app = TestApp::spawn_with(Engine::Sqlite, set).await;
    assert_eq!(pictures(&app.get("/").await), "img-src 'self' blob: data: https://tiles.example.org:8443");
    let tiles = app.supervisor().await.get("/api/figures/day").await.ok()["tiles"].clone();
    assert_eq!(tiles, json!({ "url": TILES, "attribution": "© the surveyors" }));

    for (wrong, why) in [
        ("https://tiles.example.org/land.png", "{z}"),
        ("tiles.example.org/{z}/{x}/{y}", "KILELE_TILES_URL"),
        ("ftp://tiles.example.org/{z}/{x}/{y}", "https://"),
        ("https://{s}.example.org/{z}/{x}/{y}", "KILELE_TILES_URL"),
        ("https://tiles.example.org;script-src/{z}/{x}/{y}", "KILELE_TILES_URL"),
    ] {
        let refused = Config::from(|name| if name == "KILELE_TILES_URL" { Some(wrong.to_owned()) } else { set(name) });
        assert!(format!("{:#}", refused.unwrap_err()).contains(why), "{wrong}");
    }
    let unsaid = Config::from(|name| set(name).filter(|_| name == "KILELE_TILES_URL"));
    assert!(unsaid.unwrap_err().to_string().contains("KILELE_TILES_ATTRIBUTION"));
}
