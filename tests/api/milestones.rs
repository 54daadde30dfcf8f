//! The ladder: it begins with the activation, climbs by what happens elsewhere, by hand only with a reason, and ends in
//! graduation.

use kilele::auth::Role;
use kilele::enrolments;
use kilele::milestones::{Event, State};
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{application, go, later, moving, poor, programme};
use kilele_tests::grouping::{nearly, ready, rung, step, takes_part};
use kilele_tests::{Dice, Person, TestApp, Uuid, both, command, id};
use serde_json::{Value, json};

async fn state(by: &Person, enrolment: &str, number: i64) -> String {
    rung(by, enrolment, number).await["state"].as_str().unwrap().to_owned()
}

/// A visit that somebody approves.
async fn approved(mentor: &Person, supervisor: &Person, household: &Value, topic: &str, business: Value) -> String {
    let mut visit = mentor.visit(household);
    (visit.body["topics"], visit.body["business_status"]) = (json!([topic]), business);
    mentor.command("visit.submit", visit.body.clone()).await.ok();
    let seen = supervisor.get(&format!("/api/visits/{}", visit.id)).await.ok()["revision"].clone();
    supervisor.command("visit.approve", json!({ "id": visit.id, "revision": seen })).await.ok();
    visit.id
}

fn graduating() -> Value {
    json!({ "graduation_instrument": "graduation", "graduation_version": 1 })
}

both! {
    async fn the_ladder_begins_with_the_activation_and_climbs_by_what_happens(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, graduating()).await;
        let home = mentor.a_household().await;
        // Before it takes part there is no ladder, and nothing moves one.
        approved(&mentor, &supervisor, &home, "training", json!("stable")).await;
        let early = later(&home, &graduation, "midterm", poor());
        mentor.command("assessment.record", early).await.refused(422, "not_enrolled");
        let one = takes_part(&mentor, &supervisor, &home, &graduation).await;
        let record = mentor.record("enrolment", &one).await.unwrap();
        let numbers: Vec<i64> = record["milestones"].as_array().unwrap().iter().map(|r| r["number"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
        let first = rung(&mentor, &one, 1).await;
        assert_eq!((first["state"].as_str(), first["cause"].as_str()), (Some("in_progress"), Some("assessment")));
        assert_eq!(first["subject"], record["assessment"]);
        assert_eq!(state(&mentor, &one, 2).await, "not_started");

        // A visit counts once it is approved.
        approved(&mentor, &supervisor, &home, "savings", json!("struggling")).await;
        assert_eq!((state(&mentor, &one, 1).await.as_str(), state(&mentor, &one, 6).await.as_str()), ("in_progress", "not_started"));
        let visit = approved(&mentor, &supervisor, &home, "training", json!("thriving")).await;
        for number in [1, 6] {
            let reached = rung(&mentor, &one, number).await;
            assert_eq!((reached["state"].as_str(), reached["cause"].as_str()), (Some("completed"), Some("visit")));
            assert_eq!((reached["subject"].as_str(), reached["by"].as_str()), (Some(&*visit), Some(&*supervisor.member())));
        }
        let noted = admin.get("/api/audit?action=milestone.reach").await.ok();
        assert_eq!(noted["items"].as_array().unwrap().len(), 2);
        // Again, and nothing is written: who was first stays.
        approved(&mentor, &supervisor, &home, "training", json!("stable")).await;
        assert_eq!(rung(&mentor, &one, 1).await["subject"], visit.as_str());

        // Half-way and at the end, by the instruments that the programme names.
        let mut other = later(&home, &graduation, "midterm", ready());
        (other["instrument"], other["version"]) = ("graduation".into(), 1.into());
        mentor.command("assessment.record", other).await.refused(422, "other_instrument");
        let mid = later(&home, &graduation, "midterm", poor());
        mentor.command("assessment.record", mid.clone()).await.ok();
        assert_eq!(rung(&mentor, &one, 7).await["subject"], mid["id"]);
        let made = mentor.record("assessment", mid["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((made["stage"].as_str(), &made["blocks"]), (Some("midterm"), &json!([])));
        mentor.command("enrolment.apply", application(&mid)).await.refused(422, "not_baseline");
        mentor.command("assessment.record", later(&home, &graduation, "graduation", nearly())).await.ok();
        assert_eq!(state(&mentor, &one, 12).await, "not_started");
        mentor.command("assessment.record", later(&home, &graduation, "graduation", ready())).await.ok();
        assert_eq!(state(&mentor, &one, 12).await, "completed");
        // A programme that names no instrument for it assesses nobody so.
        let plain = programme(&admin, json!({})).await;
        let second = takes_part(&mentor, &supervisor, &mentor.records("household").await[3], &plain).await;
        let home = mentor.record("enrolment", &second).await.unwrap()["household"].clone();
        let never = later(&json!({ "id": home }), &plain, "graduation", ready());
        mentor.command("assessment.record", never).await.refused(422, "other_instrument");
        let halves = json!({ "graduation_instrument": "graduation" });
        kilele_tests::enrolling::save_programme(&admin, &id(), halves, None).await.refused(422, "invalid");
    }

    async fn by_hand_only_with_a_reason_and_decisions_only_by_those_who_decide(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let home = mentor.a_household().await;
        let village: Uuid = home["place"].as_str().unwrap().parse().unwrap();
        let colleague = in_role(&app, org, "colleague", Role::Mentor, vec![village]).await;
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        let graduation = programme(&admin, json!({})).await;
        let one = takes_part(&mentor, &supervisor, &home, &graduation).await;
        let mut wordless = step(&one, 8, "complete");
        wordless["reason"] = " ".into();
        mentor.command("milestone.move", wordless).await.refused(422, "invalid");
        mentor.command("milestone.move", step(&one, 8, "complete")).await.ok();
        let done = rung(&mentor, &one, 8).await;
        assert_eq!((done["state"].as_str(), done["reason"].as_str()), (Some("completed"), Some("as the test says")));
        assert_eq!((done["by"].as_str(), &done["cause"], &done["subject"]), (Some(&*mentor.member()), &Value::Null, &Value::Null));
        mentor.command("milestone.move", step(&one, 8, "complete")).await.refused(422, "wrong_state");
        for (number, event) in [(8, "reopen"), (3, "skip")] {
            mentor.command("milestone.move", step(&one, number, event)).await.refused(422, "forbidden");
            supervisor.command("milestone.move", step(&one, number, event)).await.ok();
        }
        assert_eq!((state(&mentor, &one, 8).await.as_str(), state(&mentor, &one, 3).await.as_str()), ("in_progress", "skipped"));
        colleague.command("milestone.move", step(&one, 5, "start")).await.refused(422, "forbidden");
        for who in [&approver, &admin] {
            who.command("milestone.move", step(&one, 5, "start")).await.refused(422, "forbidden");
        }
        app.other_mentor().await.command("milestone.move", step(&one, 5, "start")).await.refused(422, "not_found");
        for unfit in [0, 13, -1] {
            supervisor.command("milestone.move", step(&one, unfit, "start")).await.refused(422, "invalid");
        }
        supervisor.command("milestone.move", step(&one, 5, "climb")).await.refused(422, "invalid_command");
        supervisor.command("milestone.move", step(&id(), 5, "start")).await.refused(422, "not_found");
        let mut long = step(&one, 5, "start");
        long["reason"] = "x".repeat(2001).into();
        supervisor.command("milestone.move", long).await.refused(422, "invalid");
        // By the other door, and twice: once.
        let sent = command("milestone.move", step(&one, 5, "start"));
        let answers = mentor.sync(&json!({}), &[sent.clone(), sent]).await;
        assert_eq!((&answers["results"][0]["status"], &answers["results"][1]["status"]), (&json!("applied"), &json!("duplicate")));
        // What happens to a household that pauses is not lost; by hand nothing moves meanwhile.
        go(&supervisor, &one, "suspend").await.ok();
        mentor.command("milestone.move", step(&one, 5, "complete")).await.refused(422, "wrong_state");
        approved(&mentor, &supervisor, &home, "training", json!(null)).await;
        assert_eq!(state(&mentor, &one, 1).await, "completed");
        // Nor does an event open what somebody skipped.
        supervisor.command("milestone.move", step(&one, 6, "skip")).await.refused(422, "wrong_state");
        go(&supervisor, &one, "resume").await.ok();
        supervisor.command("milestone.move", step(&one, 6, "skip")).await.ok();
        approved(&mentor, &supervisor, &home, "business", json!("thriving")).await;
        assert_eq!(state(&mentor, &one, 6).await, "skipped");
    }

    async fn nobody_graduates_with_open_milestones_or_unready(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let graduation = programme(&admin, graduating()).await;
        let home = mentor.a_household().await;
        let one = takes_part(&mentor, &supervisor, &home, &graduation).await;
        mentor.command("milestone.move", step(&one, 8, "complete")).await.ok();
        supervisor.command("milestone.move", step(&one, 5, "skip")).await.ok();
        let refused = go(&supervisor, &one, "graduate").await;
        refused.refused(422, "milestones_open");
        assert!(refused.body["message"].as_str().unwrap().contains("1, 2, 3, 4, 6"), "{}", refused.body);
        for number in [1, 2, 3, 4, 6, 7, 9, 10, 11, 12] {
            supervisor.command("milestone.move", step(&one, number, "complete")).await.ok();
        }
        go(&supervisor, &one, "graduate").await.refused(422, "not_ready");
        mentor.command("assessment.record", later(&home, &graduation, "graduation", ready())).await.ok();
        app.clock.shift(1000);
        evaluator.command("assessment.record", later(&home, &graduation, "graduation", nearly())).await.ok();
        go(&supervisor, &one, "graduate").await.refused(422, "not_ready");
        app.clock.shift(1000);
        mentor.command("assessment.record", later(&home, &graduation, "graduation", ready())).await.ok();
        go(&mentor, &one, "graduate").await.refused(422, "forbidden");
        go(&evaluator, &one, "graduate").await.refused(422, "own_assessment");
        supervisor.command("milestone.move", step(&one, 4, "reopen")).await.ok();
        go(&supervisor, &one, "graduate").await.refused(422, "milestones_open");
        supervisor.command("milestone.move", step(&one, 4, "complete")).await.ok();
        let now = supervisor.get(&format!("/api/enrolments/{one}")).await.ok()["revision"].as_i64().unwrap();
        let mut wordless = moving(&one, now, "graduate");
        wordless["reason"] = "".into();
        supervisor.command("enrolment.move", wordless).await.refused(422, "invalid");
        go(&supervisor, &one, "graduate").await.ok();
        supervisor.command("milestone.move", step(&one, 4, "reopen")).await.refused(422, "wrong_state");
        // Where the programme names no instrument, a person decides.
        let plain = programme(&admin, json!({})).await;
        let second = takes_part(&mentor, &supervisor, &mentor.records("household").await[2], &plain).await;
        for number in 1..=12 {
            supervisor.command("milestone.move", step(&second, number, "complete")).await.ok();
        }
        go(&supervisor, &second, "graduate").await.ok();
    }

    async fn an_enrolment_of_an_older_server_has_its_ladder_when_it_is_first_moved(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let home = mentor.a_household().await;
        let one = takes_part(&mentor, &supervisor, &home, &graduation).await;
        let parsed = |text: &str| -> Uuid { text.parse().unwrap() };
        let (org, feed, enrolment) = (parsed(&admin.org()), parsed(home["place"].as_str().unwrap()), parsed(&one));
        let work = app.app.db.write(move |tx| {
            Box::pin(async move {
                let feeds = kilele::feed::lock(tx, org, [feed]).await?;
                let mut record = enrolments::store::current(tx, org, feed, enrolment).await?;
                (record.milestones, record.revision) = (vec![], feeds.revision(feed));
                enrolments::store::put(tx, &feeds, &record).await
            })
        });
        work.await.unwrap();
        assert_eq!(mentor.record("enrolment", &one).await.unwrap()["milestones"], json!([]));
        go(&supervisor, &one, "graduate").await.refused(422, "milestones_open");
        approved(&mentor, &supervisor, &home, "training", json!(null)).await;
        assert_eq!((state(&mentor, &one, 1).await.as_str(), state(&mentor, &one, 2).await.as_str()), ("completed", "not_started"));
    }

    async fn the_people_it_concerns_are_told_of_an_enrolments_steps(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let home = mentor.a_household().await;
        let village: Uuid = home["place"].as_str().unwrap().parse().unwrap();
        let successor = in_role(&app, org, "successor", Role::Mentor, vec![village]).await;
        let graduation = programme(&admin, json!({})).await;
        let one = kilele_tests::enrolling::enrol(&mentor, &home, &graduation).await;
        for event in ["screen", "send_to_verify", "verify", "approve", "activate"] {
            let by = if event == "send_to_verify" || event == "approve" { &evaluator } else { &supervisor };
            go(by, &one, event).await.ok();
        }
        let now = supervisor.get(&format!("/api/enrolments/{one}")).await.ok()["revision"].as_i64().unwrap();
        let mut body = moving(&one, now, "transfer");
        body["mentor"] = id().into();
        supervisor.command("enrolment.move", body.clone()).await.refused(422, "not_their_place");
        body["mentor"] = successor.member().into();
        supervisor.command("enrolment.move", body).await.ok();
        let told = async |who: &Person| {
            let entries = who.records("inbox").await;
            entries.into_iter().filter(|e| e["subject"] == one.as_str()).collect::<Vec<_>>()
        };
        let kinds = |entries: &[Value]| entries.iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(kinds(&told(&mentor).await), ["enrolment_approved"]);
        assert_eq!(kinds(&told(&supervisor).await), ["enrolment_to_verify"]);
        let handed = told(&successor).await;
        assert_eq!(kinds(&handed), ["enrolment_handed_over"]);
        assert_eq!((&handed[0]["params"]["household_name"], &handed[0]["params"]["note"]), (&home["head_name"], &json!("as the test says")));
        assert!(told(&evaluator).await.is_empty());
        let two = kilele_tests::enrolling::enrol(&mentor, &mentor.records("household").await[5], &graduation).await;
        go(&supervisor, &two, "reject").await.ok();
        let last = mentor.records("inbox").await.into_iter().find(|e| e["subject"] == two.as_str()).unwrap();
        assert_eq!((last["kind"].as_str(), last["params"]["note"].as_str()), (Some("enrolment_rejected"), Some("as the test says")));
    }

    async fn random_moves_by_random_people_follow_the_machine(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        let home = mentor.a_household().await;
        let village: Uuid = home["place"].as_str().unwrap().parse().unwrap();
        let second = in_role(&app, org, "second", Role::Mentor, vec![village]).await;
        let graduation = programme(&admin, json!({})).await;
        let one = takes_part(&mentor, &supervisor, &home, &graduation).await;
        let crowd = [&mentor, &second, &supervisor, &evaluator, &approver, &admin];
        let states = |record: &Value| -> Vec<State> {
            let rungs = record["milestones"].as_array().unwrap().iter();
            rungs.map(|r| serde_json::from_value(r["state"].clone()).unwrap()).collect()
        };
        let mut dice = Dice::new();
        let mut moved = 0;
        for _ in 0..200 {
            let by = crowd[dice.below(crowd.len() as u64) as usize];
            let before = supervisor.get(&format!("/api/enrolments/{one}")).await.ok();
            let active = before["state"] == "active";
            if dice.below(12) == 0 {
                go(&supervisor, &one, if active { "suspend" } else { "resume" }).await.ok();
                continue;
            }
            let (number, event) = (1 + dice.below(12) as i64, Event::ALL[dice.below(4) as usize]);
            let sent = command("milestone.move", step(&one, number, event.as_str()));
            let answer = by.post("/api/commands", &sent).await;
            let repeated = by.sync(&json!({}), std::slice::from_ref(&sent)).await;
            assert_eq!(repeated["results"][0]["status"], "duplicate");
            let after = supervisor.get(&format!("/api/enrolments/{one}")).await.ok();
            let was = states(&before)[number as usize - 1];
            let decides = [supervisor.member(), evaluator.member()].contains(&by.member());
            let may = decides || (by.member() == mentor.member() && !event.is_a_decision());
            let fits = active && was.transition(event).is_ok();
            assert_eq!(answer.status == 200, may && fits, "{event:?} of {number}: {}", answer.body);
            if answer.status == 200 {
                moved += 1;
                let mut expected = states(&before);
                expected[number as usize - 1] = was.transition(event).unwrap();
                assert_eq!(states(&after), expected, "one rung for one move");
                assert_eq!(before["history"], after["history"]);
            } else {
                assert_eq!(before, after, "what is refused changes nothing");
            }
        }
        assert!(moved >= 10, "only {moved} moves");
        let noted = admin.get("/api/audit?action=milestone.move&limit=200").await.ok();
        assert_eq!(noted["items"].as_array().unwrap().len(), moved, "each is noted once");
    }
}
