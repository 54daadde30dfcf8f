//! Trainings: what is taught in which order, sessions with their seats, rolls from several phones, and who is reminded.

use chrono::DateTime;
use kilele::auth::Role;
use kilele::clock::{HOUR, Millis};
use kilele::members::NewMember;
use kilele::notifications::reminders;
use kilele_tests::cast::{in_role, join};
use kilele_tests::enrolling::programme;
use kilele_tests::grouping::{rung, takes_part, villagers};
use kilele_tests::teaching::{facts, mark, module, plan, seat, there};
use kilele_tests::{Person, TestApp, Uuid, both, command, id};
use serde_json::{Value, json};

/// So many households of one village that take part, with their enrolments.
async fn participants(app: &TestApp, mentor: &Person, count: usize) -> (Vec<Value>, Vec<String>) {
    let graduation = programme(&app.admin().await, json!({})).await;
    let (homes, supervisor) = (villagers(mentor, count).await, app.supervisor().await);
    let mut enrolled = Vec::new();
    for home in &homes {
        enrolled.push(takes_part(mentor, &supervisor, home, &graduation).await);
    }
    (homes, enrolled)
}

fn utc(text: &str) -> Millis {
    DateTime::parse_from_rfc3339(&text.replace('Z', ":00Z")).unwrap().timestamp_millis()
}

/// Sets the clock and looks, twice: whoever looks again tells nothing again.
async fn at(app: &TestApp, when: &str) {
    app.clock.shift(utc(when) - app.clock.now());
    reminders::all(&app.app).await.unwrap();
    reminders::all(&app.app).await.unwrap();
}

/// Who was told of this kind, by login, each as often as they were.
async fn told(app: &TestApp, kind: &'static str) -> Vec<String> {
    let sql =
        "SELECT a.login FROM inbox i JOIN member m ON m.org = i.org AND m.id = i.member JOIN account a ON a.id = m.account
               WHERE i.kind = $1 ORDER BY a.login, i.id";
    let rows: Vec<(String,)> = app.app.db.query(sql).bind(kind).all().await.unwrap();
    rows.into_iter().map(|(login,)| login).collect()
}

both! {
    async fn a_training_is_planned_held_and_counted(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let (homes, enrolled) = participants(&app, &mentor, 3).await;
        let first = module(&admin, json!({})).await;
        assert_eq!((first["number"].as_i64(), mentor.record("training_module", first["id"].as_str().unwrap()).await.unwrap()), (Some(1), first.clone()));
        let now = app.clock.now();
        let body = plan(&mentor, &first, &homes, now - HOUR);
        assert_eq!(mentor.command("training.schedule", body.clone()).await.ok()["status"], "applied");
        let one = body["id"].as_str().unwrap();
        let made = app.supervisor().await.get(&format!("/api/trainings/{one}")).await.ok();
        assert!(made["number"].as_str().unwrap().starts_with("TRN-20"));
        assert_eq!((made["state"].as_str(), made["capacity"].as_i64(), made["seats"].as_array().unwrap().len()), (Some("scheduled"), Some(25), 3));
        assert_eq!(mentor.record("training", one).await.unwrap(), made);

        mentor.command("training.hold", json!({ "id": one })).await.refused(422, "roll_empty");
        let came = json!({ "presence": "partial", "arrived_at": now - HOUR, "left_at": now });
        mentor.command("training.attend", mark(&made, &homes[0], Value::Null, there("full"))).await.ok();
        mentor.command("training.attend", mark(&made, &homes[1], Value::Null, came.clone())).await.ok();
        assert_eq!(rung(&mentor, &enrolled[0], 1).await["state"], "in_progress", "not before it was held");
        mentor.command("training.hold", json!({ "id": one })).await.ok();
        for (at, expected) in ["completed", "completed", "in_progress"].into_iter().enumerate() {
            assert_eq!(rung(&mentor, &enrolled[at], 1).await["state"], expected, "{at}");
        }
        let reached = rung(&mentor, &enrolled[0], 1).await;
        assert_eq!((reached["cause"].as_str(), reached["subject"].as_str()), (Some("training"), Some(one)));
        // A roll that comes late still counts; the plan is over.
        mentor.command("training.attend", mark(&made, &homes[2], Value::Null, there("full"))).await.ok();
        assert_eq!(rung(&mentor, &enrolled[2], 1).await["state"], "completed");
        let held = mentor.record("training", one).await.unwrap();
        assert_eq!((held["state"].as_str(), &seat(&held, &homes[1])["mark"], held["held_by"].as_str()), (Some("held"), &came, Some(&*mentor.member())));
        mentor.command("training.cancel", json!({ "id": one, "reason": "too late for that" })).await.refused(422, "wrong_state");
        let of = mentor.get(&format!("/api/households/{}/trainings", homes[1]["id"].as_str().unwrap())).await.ok();
        assert_eq!(of["items"], json!([held]));
        let listed = mentor.get("/api/trainings?state=held&limit=1").await.ok();
        assert_eq!((&listed["items"], listed["next"].is_null()), (&json!([held]), false));
        let events = admin.get("/api/audit?action=training.attend").await.ok();
        assert_eq!(events["items"].as_array().unwrap().len(), 3);
    }

    async fn seats_and_what_comes_before_are_asked_for(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let (homes, _) = participants(&app, &mentor, 3).await;
        let first = module(&admin, json!({})).await;
        let second = module(&admin, json!({ "prerequisite": first["id"] })).await;
        let now = app.clock.now();
        let refused = async |body: Value, code: &str| mentor.command("training.schedule", body).await.refused(422, code);
        let with = |field: &str, value: Value| { let mut body = plan(&mentor, &first, &homes, now); body[field] = value; body };
        refused(with("capacity", json!(2)), "over_capacity").await;
        refused(with("capacity", json!(0)), "invalid").await;
        refused(with("capacity", json!(201)), "invalid").await;
        refused(with("venue", json!(" ")), "invalid").await;
        refused(with("ends_at", json!(now)), "invalid").await;
        refused(with("starts_at", json!(-1)), "invalid").await;
        refused(with("households", json!([homes[0]["id"], homes[0]["id"]])), "invalid").await;
        refused(with("households", json!([id()])), "other_village").await;
        refused(with("module", json!(id())), "not_found").await;
        refused(with("trainer", json!(id())), "not_their_place").await;
        refused(with("households", json!("all")), "invalid_command").await;
        refused(with("starts_at", json!("tomorrow")), "invalid_command").await;
        // Only who takes part now, and lives there.
        let all = mentor.records("household").await;
        let newcomer = json!({ "id": id(), "place": homes[0]["place"], "head_name": "Newcomer" });
        mentor.command("household.register", json!({ "household": newcomer, "evidence": [] })).await.ok();
        refused(with("households", json!([newcomer["id"]])), "not_enrolled").await;
        let elsewhere = all.iter().find(|home| home["place"] != homes[0]["place"]).unwrap();
        refused(with("households", json!([elsewhere["id"]])), "other_village").await;

        // The second needs the first: said with names, and then listed.
        let mut body = plan(&mentor, &second, &homes, now);
        refused(body.clone(), "prerequisite_missing").await;
        body["despite_prerequisite"] = true.into();
        mentor.command("training.schedule", body.clone()).await.ok();
        let listed = mentor.record("training", body["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(listed["lacking"].as_array().unwrap().len(), 3);
        // Whoever was there is not named any more.
        let before = plan(&mentor, &first, &homes[..1], now);
        mentor.command("training.schedule", before.clone()).await.ok();
        mentor.command("training.attend", mark(&before, &homes[0], Value::Null, there("partial"))).await.ok();
        let alone = plan(&mentor, &second, &homes[..1], now);
        mentor.command("training.schedule", alone.clone()).await.ok();
        assert_eq!(mentor.record("training", alone["id"].as_str().unwrap()).await.unwrap()["lacking"], json!([]));

        // The plan is changed as it was looked at; the roll makes it no other plan.
        let made = mentor.record("training", before["id"].as_str().unwrap()).await.unwrap();
        let mut moved = before.clone();
        (moved["planned_revision"], moved["venue"]) = (made["planned_revision"].clone(), "Church".into());
        moved["households"] = json!([homes[1]["id"]]);
        mentor.command("training.change", moved.clone()).await.refused(422, "attended");
        moved["households"] = json!([homes[1]["id"], homes[0]["id"]]);
        mentor.command("training.change", moved.clone()).await.ok();
        mentor.command("training.change", moved).await.refused(422, "stale");
        let made = mentor.record("training", before["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((made["venue"].as_str(), seat(&made, &homes[0])["mark"]["presence"].as_str()), (Some("Church"), Some("partial")));
        mentor.command("training.cancel", json!({ "id": made["id"], "reason": "x" })).await.refused(422, "invalid");
        mentor.command("training.cancel", json!({ "id": made["id"], "reason": "The trainer is ill" })).await.ok();
        mentor.command("training.attend", mark(&made, &homes[1], Value::Null, there("full"))).await.refused(422, "wrong_state");
        // What was cancelled was attended by nobody.
        refused(plan(&mentor, &second, &homes[..1], now), "prerequisite_missing").await;
    }

    async fn modules_are_kept_by_those_who_manage_programmes(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let manager = in_role(&app, admin.org().parse::<Uuid>().unwrap(), "mgr", Role::ProgrammeManager, vec![]).await;
        let first = module(&manager, json!({})).await;
        let second = module(&manager, json!({ "prerequisite": first["id"] })).await;
        let save = async |by: &Person, of: &Value, facts: Value, revision: Value| {
            by.put(&format!("/api/training/modules/{}", of["id"].as_str().unwrap()), &json!({ "module": facts, "revision": revision })).await
        };
        save(&mentor, &first, facts(1, json!({})), first["revision"].clone()).await.refused(403, "forbidden");
        save(&manager, &first, facts(2, json!({})), first["revision"].clone()).await.refused(409, "number_taken");
        save(&manager, &first, facts(1, json!({ "prerequisite": second["id"] })), first["revision"].clone()).await.refused(422, "invalid");
        save(&manager, &first, facts(1, json!({ "prerequisite": id() })), first["revision"].clone()).await.refused(404, "not_found");
        save(&manager, &first, facts(1000, json!({})), first["revision"].clone()).await.refused(422, "invalid");
        save(&manager, &first, facts(1, json!({ "title": { "en": " ", "sw": "Akiba" } })), first["revision"].clone()).await.refused(422, "invalid");
        let closed = save(&admin, &first, facts(1, json!({ "active": false })), first["revision"].clone()).await.ok();
        save(&manager, &first, facts(1, json!({})), first["revision"].clone()).await.refused(409, "stale");
        assert_eq!(admin.get("/api/training/modules").await.ok()["items"].as_array().unwrap().len(), 2);
        let (homes, _) = participants(&app, &mentor, 1).await;
        mentor.command("training.schedule", plan(&mentor, &closed, &homes, app.clock.now())).await.refused(422, "module_closed");
    }

    async fn rolls_of_two_phones_merge_and_what_differs_is_settled(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let (homes, enrolled) = participants(&app, &mentor, 3).await;
        let body = plan(&mentor, &module(&admin, json!({})).await, &homes, app.clock.now());
        mentor.command("training.schedule", body.clone()).await.ok();
        // Both were away from the network: each saw an empty roll.
        let one = [mark(&body, &homes[0], Value::Null, there("full")), mark(&body, &homes[1], Value::Null, there("absent"))];
        let other = [
            mark(&body, &homes[0], Value::Null, there("full")),
            mark(&body, &homes[1], Value::Null, there("partial")),
            mark(&body, &homes[2], Value::Null, there("full")),
        ];
        let send = |marks: &[Value]| marks.iter().map(|body| command("training.attend", body.clone())).collect::<Vec<_>>();
        let first = mentor.sync(&json!({}), &send(&one)).await;
        let second = supervisor.sync(&json!({}), &send(&other)).await;
        let statuses = |answer: &Value| answer["results"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((statuses(&first), statuses(&second)), (vec!["applied".into(), "applied".into()], vec!["applied".into(), "conflict".into(), "applied".into()]));
        let merged = mentor.record("training", body["id"].as_str().unwrap()).await.unwrap();
        let presences: Vec<String> = homes.iter().map(|home| seat(&merged, home)["mark"]["presence"].as_str().unwrap().to_owned()).collect();
        assert_eq!(presences, ["full", "absent", "full"]);
        mentor.command("training.hold", json!({ "id": body["id"] })).await.ok();
        assert_eq!(rung(&mentor, &enrolled[1], 1).await["state"], "in_progress");
        // Both values stand until somebody who settles conflicts has chosen; a correction shows what the server holds now.
        let open = mentor.records("conflict").await.into_iter().find(|one| one["record"] == body["id"]).unwrap();
        assert_eq!((open["record_kind"].as_str(), &open["field"], open["theirs_by"].as_str()), (Some("training"), &homes[1]["id"], Some(&*mentor.member())));
        assert_eq!((&open["theirs"], &open["mine"]), (&there("absent"), &there("partial")));
        mentor.command("conflict.settle", json!({ "id": open["id"], "choose": "mine" })).await.refused(422, "forbidden");
        mentor.command("training.attend", mark(&body, &homes[1], there("absent"), Value::Null)).await.ok();
        supervisor.command("conflict.settle", json!({ "id": open["id"], "choose": "mine", "theirs": there("absent") })).await.refused(422, "stale");
        supervisor.command("conflict.settle", json!({ "id": open["id"], "choose": "mine", "theirs": null })).await.ok();
        let settled = mentor.record("training", body["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((&seat(&settled, &homes[1])["mark"], &seat(&settled, &homes[1])["by"]), (&there("partial"), &json!(supervisor.member())));
        assert_eq!(rung(&mentor, &enrolled[1], 1).await["state"], "completed");
        // Said twice it is said once; a mark that is no mark goes to its sender.
        let again = mark(&body, &homes[2], Value::Null, there("full"));
        assert_eq!(mentor.command("training.attend", again).await.ok()["status"], "applied");
        let absent = json!({ "presence": "absent", "arrived_at": 1_790_000_000_000_i64, "left_at": null });
        mentor.command("training.attend", mark(&body, &homes[2], there("full"), absent)).await.refused(422, "invalid");
        let backwards = json!({ "presence": "full", "arrived_at": 1_790_000_000_000_i64, "left_at": 1_789_999_999_999_i64 });
        mentor.command("training.attend", mark(&body, &homes[2], there("full"), backwards)).await.refused(422, "invalid");
        mentor.command("training.attend", json!({ "id": body["id"], "marks": [] })).await.refused(422, "invalid");
        mentor.command("training.attend", mark(&body, &json!({ "id": id() }), Value::Null, there("full"))).await.refused(422, "not_invited");
    }

    async fn who_moves_away_is_no_longer_invited(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let (homes, _) = participants(&app, &mentor, 2).await;
        let lesson = module(&admin, json!({})).await;
        let (was, comes) = (plan(&mentor, &lesson, &homes, app.clock.now()), plan(&mentor, &lesson, &homes, app.clock.now() + 24 * HOUR));
        for body in [&was, &comes] {
            mentor.command("training.schedule", body.clone()).await.ok();
        }
        mentor.command("training.attend", mark(&was, &homes[0], Value::Null, there("full"))).await.ok();
        let elsewhere = mentor.records("household").await.into_iter().find(|home| home["place"] != homes[0]["place"]).unwrap();
        let home = mentor.record("household", homes[0]["id"].as_str().unwrap()).await.unwrap();
        let moving = json!({ "id": home["id"], "revision": home["revision"], "place": elsewhere["place"], "reason": "They married there" });
        supervisor.command("household.move", moving).await.ok();
        let record = async |body: &Value| mentor.record("training", body["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(seat(&record(&was).await, &homes[0])["mark"]["presence"], "full", "what was, was");
        assert_eq!(record(&comes).await["seats"].as_array().unwrap().len(), 1);
    }

    async fn reminded_the_day_before_and_on_the_day_once_and_anew_when_it_moves(app: TestApp) {
        // Everything in Nairobi, three hours ahead.
        app.clock.shift(utc("2027-02-01T06:00Z") - app.clock.now());
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let (homes, _) = participants(&app, &mentor, 2).await;
        let lesson = module(&admin, json!({})).await;
        let org: Uuid = admin.org().parse().unwrap();
        let trainer = in_role(&app, org, "trainer", Role::ProgrammeManager, vec![]).await;
        let household = homes[0]["id"].as_str().unwrap().parse().ok();
        join(&app, org, NewMember { login: "zawadi".into(), role: Role::Beneficiary, household, ..NewMember::default() }).await;
        let mut body = plan(&trainer, &lesson, &homes, utc("2027-02-03T07:00Z"));
        trainer.command("training.schedule", body.clone()).await.ok();
        let three = ["amina.mentor", "trainer", "zawadi"];
        at(&app, "2027-02-02T13:59Z").await;
        assert_eq!(told(&app, "training_tomorrow").await, Vec::<String>::new(), "16:59");
        at(&app, "2027-02-02T14:00Z").await;
        assert_eq!(told(&app, "training_tomorrow").await, three, "17:00");
        at(&app, "2027-02-02T20:00Z").await;
        assert_eq!(told(&app, "training_tomorrow").await, three);
        let mentor = app.mentor().await;
        let entry = mentor.records("inbox").await.into_iter().find(|entry| entry["kind"] == "training_tomorrow").unwrap();
        assert_eq!((entry["subject_kind"].as_str(), &entry["subject"], &entry["params"]["module_title"]["sw"]), (Some("training"), &body["id"], &json!("Kuweka akiba pamoja")));

        // Put off by a week, late in the evening: said at once, and reminded of anew.
        let trainer = app.sign_in("trainer").await;
        let made = trainer.get(&format!("/api/trainings/{}", body["id"].as_str().unwrap())).await.ok();
        (body["planned_revision"], body["starts_at"], body["ends_at"]) = (made["planned_revision"].clone(), utc("2027-02-10T07:00Z").into(), utc("2027-02-10T09:00Z").into());
        trainer.command("training.change", body.clone()).await.ok();
        at(&app, "2027-02-02T20:01Z").await;
        assert_eq!(told(&app, "training_moved").await, three);
        at(&app, "2027-02-03T04:00Z").await;
        assert_eq!((told(&app, "training_today").await.len(), told(&app, "training_moved").await.len()), (0, 3), "not on the old day");
        at(&app, "2027-02-09T14:00Z").await;
        assert_eq!(told(&app, "training_tomorrow").await.len(), 6);
        at(&app, "2027-02-10T03:29Z").await;
        assert_eq!(told(&app, "training_today").await.len(), 0, "6:29");
        // A server that was down at 6:30 says it when it is up again.
        at(&app, "2027-02-10T05:10Z").await;
        assert_eq!(told(&app, "training_today").await, three);
        // Cancelled while they are on their way.
        let mentor = app.mentor().await;
        mentor.command("training.cancel", json!({ "id": body["id"], "reason": "The road is closed" })).await.ok();
        at(&app, "2027-02-10T05:20Z").await;
        assert_eq!(told(&app, "training_cancelled").await, three);
        at(&app, "2027-02-10T06:00Z").await;
        assert_eq!((told(&app, "training_cancelled").await.len(), told(&app, "training_moved").await.len()), (3, 3));
        // Nobody had been reminded of this one, and whoever plans it for the same day knows.
        let mentor = app.mentor().await;
        let (silent, today) = (plan(&mentor, &lesson, &homes, utc("2027-02-20T07:00Z")), plan(&mentor, &lesson, &homes, utc("2027-02-10T12:00Z")));
        for body in [&silent, &today] {
            mentor.command("training.schedule", body.clone()).await.ok();
        }
        mentor.command("training.cancel", json!({ "id": silent["id"], "reason": "Planned twice" })).await.ok();
        at(&app, "2027-02-10T06:10Z").await;
        assert_eq!((told(&app, "training_cancelled").await.len(), told(&app, "training_today").await), (3, vec!["amina.mentor".into(), "trainer".into(), "zawadi".into(), "zawadi".into()]));
    }

    async fn clocks_that_are_put_forward_and_an_organisation_that_moves(app: TestApp) {
        let zone = async |zone: &str| _ = app.admin().await.put("/api/organisation", &json!({ "time_zone": zone })).await.ok();
        app.clock.shift(utc("2027-03-26T09:00Z") - app.clock.now());
        zone("Europe/Berlin").await;
        let mentor = app.mentor().await;
        let (homes, _) = participants(&app, &mentor, 1).await;
        let lesson = module(&app.admin().await, json!({})).await;
        // Sunday 28 March, 10:00 in summer time, which begins that night.
        mentor.command("training.schedule", plan(&mentor, &lesson, &homes, utc("2027-03-28T08:00Z"))).await.ok();
        at(&app, "2027-03-27T15:59Z").await;
        assert_eq!(told(&app, "training_tomorrow").await.len(), 0);
        at(&app, "2027-03-27T16:00Z").await;
        assert_eq!(told(&app, "training_tomorrow").await.len(), 1, "17:00 in winter time");
        at(&app, "2027-03-28T04:29Z").await;
        assert_eq!(told(&app, "training_today").await.len(), 0);
        at(&app, "2027-03-28T04:30Z").await;
        assert_eq!(told(&app, "training_today").await.len(), 1, "6:30 in summer time");
        for elsewhere in ["Asia/Manila", "Pacific/Honolulu"] {
            zone(elsewhere).await;
            at(&app, "2027-03-28T04:50Z").await;
        }
        assert_eq!((told(&app, "training_tomorrow").await.len(), told(&app, "training_today").await.len(), told(&app, "training_moved").await.len()), (1, 1, 0));
    }
}
