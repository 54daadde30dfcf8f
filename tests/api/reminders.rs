//! What the clock brings about: told at its time where the organisation is, once, whichever copy of the server looks.

use chrono::DateTime;
use kilele::auth::Role;
use kilele::clock::{DAY, MINUTE, Millis};
use kilele::members::NewMember;
use kilele::notifications::reminders;
use kilele::ops::backup::{Place, schedule};
use kilele::ops::progress::Progress;
use kilele_tests::cast::join;
use kilele_tests::granting::{self, Office};
use kilele_tests::{Person, TestApp, Uuid, both, command, id};
use serde_json::{Value, json};

/// `2027-03-15T07:00Z` and the like.
fn utc(text: &str) -> Millis {
    DateTime::parse_from_rfc3339(&text.replace('Z', ":00Z")).unwrap().timestamp_millis()
}

/// Two copies that look at every moment.
struct Copies {
    app: TestApp,
    twin: TestApp,
}

impl Copies {
    async fn of(app: TestApp) -> Self {
        let twin = app.twin().await;
        Self { app, twin }
    }

    /// Sets the clock and looks, on both copies at once and then once more. Answers how many rows there are of the kind.
    async fn at(&self, when: Millis, kind: &'static str) -> usize {
        self.app.clock.shift(when - self.app.clock.now());
        let (one, other) = tokio::join!(reminders::all(&self.app.app), reminders::all(&self.twin.app));
        one.and(other).unwrap();
        reminders::all(&self.twin.app).await.unwrap();
        self.count(kind).await
    }

    async fn count(&self, kind: &'static str) -> usize {
        let sql = "SELECT count(*) FROM inbox WHERE kind = $1";
        let (count,): (i64,) = self.app.app.db.query(sql).bind(kind).one().await.unwrap();
        count as usize
    }

    async fn told(&self, person: &Person, kind: &str) -> Vec<Value> {
        person.records("inbox").await.into_iter().filter(|entry| entry["kind"] == kind).collect()
    }
}

async fn plan(mentor: &Person, household: &Value, at: Millis) -> String {
    let visit = id();
    let body = json!({ "id": visit, "household": household["id"], "mentor": mentor.member(), "kind": "scheduled", "planned_at": at });
    mentor.command("visit.plan", body).await.ok();
    visit
}

async fn zone(app: &TestApp, zone: &str) {
    app.admin().await.put("/api/organisation", &json!({ "time_zone": zone })).await.ok();
}

both! {
    async fn a_visit_is_told_of_the_evening_before_in_the_morning_and_when_it_did_not_take_place(app: TestApp) {
        let copies = Copies::of(app).await;
        // Everything in Nairobi, three hours ahead.
        copies.at(utc("2027-02-01T06:00Z"), "visit_today").await;
        let mentor = copies.app.mentor().await;
        let household = mentor.a_household().await;
        let visit = plan(&mentor, &household, utc("2027-02-03T07:00Z")).await;
        let done = plan(&mentor, &household, utc("2027-02-03T09:00Z")).await;
        assert_eq!(copies.at(utc("2027-02-02T13:59Z"), "visit_tomorrow").await, 0, "16:59");
        assert_eq!(copies.at(utc("2027-02-02T14:00Z"), "visit_tomorrow").await, 2, "17:00");
        assert_eq!(copies.at(utc("2027-02-02T20:00Z"), "visit_tomorrow").await, 2);
        // Planned later in the evening, by the mentor: known.
        let mentor = copies.app.mentor().await;
        plan(&mentor, &household, utc("2027-02-03T15:00Z")).await;
        assert_eq!(copies.at(utc("2027-02-02T20:30Z"), "visit_tomorrow").await, 2);
        assert_eq!(copies.at(utc("2027-02-03T03:29Z"), "visit_today").await, 0, "6:29");
        // A server that was down at 6:30 says it when it is up again.
        assert_eq!(copies.at(utc("2027-02-03T05:10Z"), "visit_today").await, 3);
        let mentor = copies.app.mentor().await;
        let reason = json!({ "id": done, "reason": "They are away" });
        mentor.command("visit.cancel", reason).await.ok();
        assert_eq!(copies.at(utc("2027-02-04T04:59Z"), "visit_overdue").await, 0, "7:59 of the day after");
        assert_eq!(copies.at(utc("2027-02-04T05:00Z"), "visit_overdue").await, 2, "without the one that was cancelled");
        assert_eq!(copies.at(utc("2027-02-06T05:00Z"), "visit_overdue").await, 2, "and not again");
        assert_eq!((copies.count("visit_tomorrow").await, copies.count("visit_today").await), (2, 3));
        let mentor = copies.app.mentor().await;
        let told = copies.told(&mentor, "visit_tomorrow").await;
        assert!(told.iter().any(|entry| entry["subject"] == json!(visit) && entry["params"]["planned_at"] == utc("2027-02-03T07:00Z")));
    }

    async fn clocks_that_are_put_forward_and_an_organisation_that_moves(app: TestApp) {
        zone(&app, "Europe/Berlin").await;
        let copies = Copies::of(app).await;
        copies.at(utc("2027-03-26T09:00Z"), "visit_today").await;
        let mentor = copies.app.mentor().await;
        // Sunday 28 March, 10:00 in summer time, which begins that night.
        plan(&mentor, &mentor.a_household().await, utc("2027-03-28T08:00Z")).await;
        assert_eq!(copies.at(utc("2027-03-27T15:59Z"), "visit_tomorrow").await, 0);
        assert_eq!(copies.at(utc("2027-03-27T16:00Z"), "visit_tomorrow").await, 1, "17:00 in winter time");
        assert_eq!(copies.at(utc("2027-03-28T04:29Z"), "visit_today").await, 0);
        assert_eq!(copies.at(utc("2027-03-28T04:30Z"), "visit_today").await, 1, "6:30 in summer time");
        // In Manila it is the afternoon of the same day, and in Honolulu the evening before: nothing is told again.
        zone(&copies.app, "Asia/Manila").await;
        assert_eq!(copies.at(utc("2027-03-28T04:40Z"), "visit_today").await, 1);
        zone(&copies.app, "Pacific/Honolulu").await;
        assert_eq!(copies.at(utc("2027-03-28T04:50Z"), "visit_tomorrow").await, 1);
        zone(&copies.app, "Europe/Berlin").await;
        assert_eq!(copies.at(utc("2027-03-29T05:59Z"), "visit_overdue").await, 0);
        assert_eq!(copies.at(utc("2027-03-29T06:00Z"), "visit_overdue").await, 1, "8:00 in summer time");
        assert_eq!((copies.count("visit_tomorrow").await, copies.count("visit_today").await), (1, 1));
    }

    async fn twelve_visits_that_wait_are_one_line_a_day(app: TestApp) {
        let copies = Copies::of(app).await;
        copies.at(utc("2027-02-01T09:00Z"), "approvals_waiting").await;
        let mentor = copies.app.mentor().await;
        let household = mentor.a_household().await;
        let mut first = None;
        for _ in 0..12 {
            let visit = mentor.submit(&household).await;
            first.get_or_insert(visit.id);
        }
        assert_eq!(copies.at(utc("2027-02-02T05:00Z"), "approvals_waiting").await, 0, "since yesterday noon: not a day yet");
        assert_eq!(copies.at(utc("2027-02-03T04:59Z"), "approvals_waiting").await, 0, "7:59");
        assert_eq!(copies.at(utc("2027-02-03T05:00Z"), "approvals_waiting").await, 1);
        assert_eq!(copies.at(utc("2027-02-03T12:00Z"), "approvals_waiting").await, 1);
        let supervisor = copies.app.supervisor().await;
        let told = copies.told(&supervisor, "approvals_waiting").await;
        assert_eq!((told.len(), &told[0]["params"]["count"]), (1, &json!(12)));
        // Looked at, it is no longer counted; the rest is told of the next day.
        let first = first.unwrap();
        let revision = supervisor.record("visit", &first).await.unwrap()["revision"].clone();
        supervisor.command("visit.approve", json!({ "id": first, "revision": revision })).await.ok();
        assert_eq!(copies.at(utc("2027-02-04T06:00Z"), "approvals_waiting").await, 2);
        let supervisor = copies.app.supervisor().await;
        let counts: Vec<i64> = copies.told(&supervisor, "approvals_waiting").await.iter().map(|entry| entry["params"]["count"].as_i64().unwrap()).collect();
        assert!(counts.contains(&12) && counts.contains(&11), "{counts:?}");
    }

    async fn a_phone_that_fell_silent_with_photos_is_told_once_for_each_silence(app: TestApp) {
        let copies = Copies::of(app).await;
        let mentor = copies.app.mentor().await;
        mentor.submit(&mentor.a_household().await).await;
        let silent = copies.app.other_mentor().await;
        let heard = copies.app.clock.now();
        assert_eq!(copies.at(heard + 3 * DAY - MINUTE, "device_silent").await, 0);
        assert_eq!(copies.at(heard + 3 * DAY + MINUTE, "device_silent").await, 1, "not the one that has nothing to send");
        assert_eq!(copies.at(heard + 5 * DAY, "device_silent").await, 1);
        let supervisor = copies.app.supervisor().await;
        let told = copies.told(&supervisor, "device_silent").await;
        assert_eq!((&told[0]["params"]["who"], &told[0]["params"]["count"], &told[0]["subject"]), (&json!("Amina Hassan"), &json!(2), &json!(mentor.device)));
        drop(silent);
        // Heard again, and silent again.
        let again = Person::sign_in(&copies.app, "amina.mentor", mentor.device, None).await;
        again.sync(&json!({}), &[]).await;
        assert_eq!(copies.at(heard + 6 * DAY, "device_silent").await, 1);
        assert_eq!(copies.at(heard + 9 * DAY, "device_silent").await, 2);
    }

    async fn a_conflict_waits_for_the_supervisors_of_its_village(app: TestApp) {
        let copies = Copies::of(app).await;
        let (mentor, supervisor) = (copies.app.mentor().await, copies.app.supervisor().await);
        let household = mentor.a_household().await;
        let note = |now: &str| command("household.update", json!({ "id": household["id"], "changes": { "notes": { "was": household["notes"], "now": now } } }));
        mentor.post("/api/commands", &note("From the phone")).await.ok();
        assert_eq!(supervisor.post("/api/commands", &note("From the tablet")).await.ok()["status"], "conflict");
        assert_eq!(copies.at(copies.app.clock.now() + 1, "conflict_opened").await, 1);
        let told = copies.told(&supervisor, "conflict_opened").await;
        assert_eq!((told.len(), &told[0]["subject"]), (1, &household["id"]));
    }

    async fn a_grant_waits_for_who_approves_and_its_report_for_who_asked(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let grant = office.recommended(&household).await;
        let copies = Copies::of(app).await;
        let now = copies.app.clock.now();
        assert_eq!(copies.at(now + 1, "grant_to_decide").await, 2, "the executive, and the manager within their limit");
        let told = copies.told(&office.executive, "grant_to_decide").await;
        assert_eq!((told.len(), &told[0]["subject"]), (1, &json!(grant)));
        granting::decide(&office.executive, &grant, "approve").await.ok();
        granting::release(&office.manager, &grant).await.ok();
        granting::receive(&office.mentor, &household, &grant).await.ok();
        let due = office.mentor.record("grant", &grant).await.unwrap()["utilisation"]["due_on"].as_str().unwrap().to_owned();
        let morning = utc(&format!("{due}T05:00Z"));
        assert_eq!(copies.at(morning - 7 * DAY - MINUTE, "grant_use_due").await, 0);
        assert_eq!(copies.at(morning - 7 * DAY, "grant_use_due").await, 1, "a week before, at 8:00");
        assert_eq!(copies.at(morning, "grant_use_due").await, 1);
        assert_eq!(copies.at(morning + DAY - MINUTE, "grant_use_due").await, 1);
        assert_eq!(copies.at(morning + DAY, "grant_use_due").await, 2, "the day after");
        assert_eq!(copies.at(morning + 9 * DAY, "grant_use_due").await, 2);
    }

    async fn a_manager_is_told_of_what_they_may_approve_themselves(app: TestApp) {
        let office = Office::open(&app).await;
        let copies = Copies::of(app).await;
        let kinds = office.manager.get("/api/me/told").await.ok()["words"].clone();
        assert!(kinds.as_array().unwrap().iter().any(|one| one["kind"] == "grant_to_decide"), "a manager chooses how to hear of it");
        let mut policy = office.seed.clone();
        // What is asked for is just within the limit, and just above it.
        for (n, limit, told) in [(0, 1_559_300, 1), (1, 1_559_299, 0)] {
            let facts = granting::facts(&office.programme, "SB", json!({ "manager_limit_minor": limit }));
            let id = policy["id"].as_str().unwrap().to_owned();
            policy = granting::save_policy(&office.manager, &id, facts, policy["revision"].as_i64()).await.ok();
            let body = granting::application(&office.mentor, &office.household(n).await, &policy);
            office.mentor.command("grant.submit", body.clone()).await.ok();
            let grant = body["id"].as_str().unwrap().to_owned();
            for event in ["review", "recommend"] {
                granting::decide(&office.supervisor, &grant, event).await.ok();
            }
            copies.at(copies.app.clock.now() + 1, "grant_to_decide").await;
            for (who, told) in [(&office.manager, told), (&office.executive, 1), (&office.supervisor, 0)] {
                let heard = copies.told(who, "grant_to_decide").await;
                assert_eq!(heard.iter().filter(|one| one["subject"] == json!(grant)).count(), told, "{limit}");
            }
        }
    }

    async fn a_household_s_account_hears_of_each_step_of_its_grant(app: TestApp) {
        let office = Office::open(&app).await;
        let (household, neighbour) = (office.household(0).await, office.household(1).await);
        let account = async |login: &str, household: &Value| {
            let org: Uuid = office.admin.org().parse().unwrap();
            let household = household["id"].as_str().unwrap().parse().ok();
            join(&app, org, NewMember { login: login.into(), role: Role::Beneficiary, household, ..NewMember::default() }).await
        };
        let (mary, halima) = (account("mary", &household).await, account("halima", &neighbour).await);
        let twin = app.twin().await;
        let heard = async |who: &Person| {
            let (one, other) = tokio::join!(reminders::all(&app.app), reminders::all(&twin.app));
            one.and(other).unwrap();
            let mut all = who.records("inbox").await;
            all.sort_by_key(|one| one["id"].as_str().unwrap().to_owned());
            let mut kinds: Vec<String> = all.iter().map(|one| one["kind"].as_str().unwrap().trim_start_matches("own_grant_").to_owned()).collect();
            kinds.sort();
            (kinds, all)
        };
        let grant = office.recommended(&household).await;
        assert_eq!(heard(&mary).await.0, ["recommended", "submitted"]);
        granting::decide(&office.executive, &grant, "approve").await.ok();
        assert_eq!(heard(&mary).await.0, ["approved", "recommended", "submitted"]);
        granting::release(&office.manager, &grant).await.ok();
        granting::receive(&office.mentor, &household, &grant).await.ok();
        let (kinds, all) = heard(&mary).await;
        assert_eq!(kinds, ["approved", "received", "recommended", "released", "submitted"]);
        for one in &all {
            assert_eq!((&one["subject_kind"], &one["subject"]), (&json!("home"), &json!(grant)));
            for name in household["head_name"].as_str().unwrap().split(' ').chain(["Amina", "Grace", "as the test says"]) {
                assert!(!one["params"].to_string().contains(name), "{name}: {one}");
            }
        }
        // Looked at again and again, nothing moves.
        let feed = "SELECT revision FROM feed WHERE id = $1";
        let member: Uuid = mary.member().parse().unwrap();
        let (before,): (i64,) = app.app.db.query(feed).bind(member).one().await.unwrap();
        assert_eq!(heard(&mary).await.0.len(), 5);
        let (after,): (i64,) = app.app.db.query(feed).bind(member).one().await.unwrap();
        assert_eq!(before, after);
        assert_eq!(heard(&halima).await.0, Vec::<String>::new(), "only one's own");
        // What a household hears of is what it chooses from, and nothing else; and colleagues have none of it.
        let kinds = mary.get("/api/me/told").await.ok()["words"].clone();
        assert!(kinds.as_array().unwrap().iter().all(|one| one["group"] == "own") && kinds.as_array().unwrap().len() == 11, "{kinds}");
        let kinds = office.mentor.get("/api/me/told").await.ok()["words"].clone();
        assert!(kinds.as_array().unwrap().iter().all(|one| one["group"] != "own"));
        // The report: asked for a week before its day, and confirmed.
        let due = office.mentor.record("grant", &grant).await.unwrap()["utilisation"]["due_on"].as_str().unwrap().to_owned();
        app.clock.shift(utc(&format!("{due}T05:00Z")) - 7 * DAY - app.clock.now());
        let mary = app.sign_in("mary").await;
        assert!(heard(&mary).await.0.contains(&"use_due".to_owned()));
        let mentor = app.mentor().await;
        mentor.command("grant.utilise", granting::report(&grant)).await.ok();
        let supervisor = app.supervisor().await;
        granting::verify(&supervisor, &grant, "verify").await.ok();
        let (kinds, _) = heard(&mary).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "verified" || *kind == "use_due").count(), 2, "{kinds:?}");
        // Whoever joins later is not told of what was before.
        let late = account("late", &household).await;
        assert_eq!(heard(&late).await.0, Vec::<String>::new());
    }

    async fn a_backup_that_failed_is_told_each_day_until_one_is_made(app: TestApp) {
        let copies = Copies::of(app).await;
        let morning = utc("2027-03-15T06:00Z");
        assert_eq!(copies.at(morning, "backup_failed").await, 0);
        let fails = async || {
            let nowhere = Err(anyhow::anyhow!("no place"));
            schedule::run(&copies.app.app, nowhere, &Progress::silent()).await.unwrap().map(drop).unwrap_err()
        };
        fails().await;
        assert_eq!(copies.at(morning + MINUTE, "backup_failed").await, 1);
        let admin = copies.app.admin().await;
        let told = copies.told(&admin, "backup_failed").await;
        assert_eq!((told.len(), &told[0]["subject_kind"]), (1, &json!("backup")), "the administrator, and nobody else");
        // It is tried again and fails again: one row a day.
        fails().await;
        assert_eq!(copies.at(morning + 5 * MINUTE, "backup_failed").await, 1);
        assert_eq!(copies.at(morning + DAY, "backup_failed").await, 2);
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(&copies.app.app.config, folder.path().to_str()).unwrap();
        schedule::run(&copies.app.app, Ok(place), &Progress::silent()).await.unwrap().unwrap();
        assert_eq!(copies.at(morning + 2 * DAY, "backup_failed").await, 2);
    }
}
