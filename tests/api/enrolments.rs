//! An enrolment's way: applied, looked at, verified at the home, approved by somebody else; and every way that is closed.

use std::collections::BTreeMap;

use kilele::auth::Role;
use kilele::enrolments::{Event, State};
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{application, assessment, enrol, go, moving, poor, programme};
use kilele_tests::{Person, TestApp, Uuid, both, command, pictures};
use serde_json::{Value, json};

async fn state(by: &Person, enrolment: &str) -> String {
    by.get(&format!("/api/enrolments/{enrolment}")).await.ok()["state"].as_str().unwrap().to_owned()
}

both! {
    async fn a_household_is_verified_and_approved_by_others_than_its_mentor(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let graduation = programme(&admin, json!({})).await;
        let one = enrol(&mentor, &mentor.a_household().await, &graduation).await;
        let waiting = supervisor.get("/api/enrolments?state=applied").await.ok();
        assert_eq!(waiting["items"][0]["id"], one.as_str());
        assert!(waiting["items"][0]["number"].as_str().unwrap().starts_with("ENR-20"));
        go(&mentor, &one, "screen").await.refused(422, "forbidden");
        go(&supervisor, &one, "screen").await.ok();
        go(&supervisor, &one, "approve").await.refused(422, "wrong_state");
        go(&supervisor, &one, "send_to_verify").await.ok();

        // At the home: a picture of the place and the position, or why there is none.
        let seen = supervisor.get(&format!("/api/enrolments/{one}")).await.ok()["revision"].as_i64().unwrap();
        let mut blind = moving(&one, seen, "verify");
        blind["evidence"] = json!([pictures::capture(&pictures::photo(3), "front")]);
        supervisor.command("enrolment.move", blind).await.refused(422, "evidence_missing");
        let mut nowhere = moving(&one, seen, "verify");
        nowhere["position"] = json!({});
        supervisor.command("enrolment.move", nowhere).await.refused(422, "invalid");
        let photo = pictures::photo(3);
        let mut there = moving(&one, seen, "verify");
        there["evidence"] = json!([pictures::capture(&photo, "site")]);
        supervisor.command("enrolment.move", there.clone()).await.ok();
        assert_eq!(supervisor.upload(&there["evidence"][0], &photo).await.status, 204);
        let picture = supervisor.settled(there["evidence"][0]["id"].as_str().unwrap()).await;
        assert_eq!((picture["subject_kind"].as_str(), picture["subject"].as_str()), (Some("enrolment"), Some(&*one)));

        // Approved on what was looked at, once.
        let old = moving(&one, seen, "approve");
        evaluator.command("enrolment.move", old).await.refused(422, "stale");
        go(&evaluator, &one, "approve").await.ok();
        go(&evaluator, &one, "approve").await.refused(422, "wrong_state");
        go(&supervisor, &one, "activate").await.ok();
        let record = mentor.record("enrolment", &one).await.unwrap();
        assert_eq!((record["state"].as_str(), record["approved_by"].as_str()), (Some("active"), Some(&*evaluator.member())));
        assert_eq!((record["verified_by"].as_str(), record["position"]["accuracy_m"].as_f64()), (Some(&*supervisor.member()), Some(8.0)));
        let steps: Vec<&str> = record["history"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
        assert_eq!(steps, ["applied", "screening", "verification", "qualified", "approved", "active"]);
        let later = assessment(&mentor.a_household().await, &programme(&admin, json!({})).await, poor());
        mentor.command("assessment.record", later.clone()).await.ok();
        let later = mentor.record("assessment", later["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(later["blocks"], json!(["earlier"]), "who takes part does not begin again without a look");
    }

    async fn whoever_assessed_does_not_decide_whatever_else_they_are(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let manager = in_role(&app, org, "mgr", Role::ProgrammeManager, vec![]).await;
        let graduation = programme(&admin, json!({})).await;
        let household = mentor.a_household().await;
        // The supervisor assessed and applied: all but the second look is theirs.
        let own = enrol(&supervisor, &household, &graduation).await;
        for event in ["screen", "send_to_verify"] {
            go(&supervisor, &own, event).await.ok();
        }
        go(&supervisor, &own, "verify").await.refused(422, "own_assessment");
        go(&manager, &own, "verify").await.ok();
        go(&supervisor, &own, "approve").await.refused(422, "own_assessment");
        // Nor by sync; nor one who assessed it a second time, though another's assessment was the ground.
        let now = supervisor.get(&format!("/api/enrolments/{own}")).await.ok()["revision"].as_i64().unwrap();
        let by_sync = command("enrolment.move", moving(&own, now, "approve"));
        assert_eq!(supervisor.sync(&json!({}), &[by_sync]).await["results"][0]["code"], "own_assessment");
        manager.command("assessment.record", assessment(&household, &graduation, poor())).await.ok();
        go(&manager, &own, "approve").await.refused(422, "own_assessment");
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        go(&evaluator, &own, "approve").await.ok();
        // Out of scope it is not there at all.
        let other = app.other_mentor().await;
        let body = moving(&own, now, "withdraw");
        other.command("enrolment.move", body).await.refused(422, "not_found");
        other.get(&format!("/api/enrolments/{own}")).await.refused(404, "not_found");
        assert!(other.get("/api/enrolments").await.ok()["items"].as_array().unwrap().is_empty());
    }

    async fn a_household_applies_once_and_may_withdraw(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let household = mentor.a_household().await;
        let assessed = assessment(&household, &graduation, poor());
        mentor.command("assessment.record", assessed.clone()).await.ok();
        let work = (0..8).map(|_| mentor.command("enrolment.apply", application(&assessed)));
        let answers = futures_util::future::join_all(work).await;
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
        answers.iter().filter(|a| a.status != 200).for_each(|a| a.refused(422, "enrolled"));
        let one = mentor.records("enrolment").await[0]["id"].as_str().unwrap().to_owned();
        let now = mentor.records("enrolment").await[0]["revision"].as_i64().unwrap();
        let mut wordless = moving(&one, now, "withdraw");
        wordless["reason"] = " ".into();
        mentor.command("enrolment.move", wordless).await.refused(422, "invalid");
        go(&mentor, &one, "withdraw").await.ok();
        go(&supervisor, &one, "screen").await.refused(422, "wrong_state");
        // And may think again.
        mentor.command("enrolment.apply", application(&assessed)).await.ok();
        let elsewhere = programme(&admin, json!({})).await;
        let mut crossed = application(&assessed);
        crossed["programme"] = elsewhere["id"].clone();
        mentor.command("enrolment.apply", crossed).await.refused(422, "other_household");
        let mut cycle = application(&assessed);
        cycle["cycle"] = kilele_tests::id().into();
        mentor.command("enrolment.apply", cycle).await.refused(422, "not_found");
    }

    async fn waiting_suspending_and_handing_to_another_mentor(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let graduation = programme(&admin, json!({})).await;
        let household = mentor.a_household().await;
        let village: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        let successor = in_role(&app, org, "successor", Role::Mentor, vec![village]).await;
        let one = enrol(&mentor, &household, &graduation).await;
        for event in ["screen", "waitlist", "recall", "send_to_verify", "verify", "approve", "activate", "suspend", "resume"] {
            go(&supervisor, &one, event).await.ok();
        }
        let now = supervisor.get(&format!("/api/enrolments/{one}")).await.ok()["revision"].as_i64().unwrap();
        let to = |member: &str| { let mut body = moving(&one, now, "transfer"); body["mentor"] = member.into(); body };
        supervisor.command("enrolment.move", to(&mentor.member())).await.refused(422, "invalid");
        supervisor.command("enrolment.move", to(&app.other_mentor().await.member())).await.refused(422, "not_their_place");
        supervisor.command("enrolment.move", to(&successor.member())).await.ok();
        assert_eq!(state(&mentor, &one).await, "transferred");
        go(&mentor, &one, "take_over").await.refused(422, "forbidden");
        go(&supervisor, &one, "take_over").await.refused(422, "forbidden");
        go(&successor, &one, "take_over").await.ok();
        let record = successor.record("enrolment", &one).await.unwrap();
        assert_eq!((record["state"].as_str(), record["mentor"].as_str()), (Some("active"), Some(&*successor.member())));
        go(&supervisor, &one, "drop_out").await.ok();
        assert_eq!(state(&successor, &one).await, "dropped_out");
    }

    async fn places_are_not_given_twice_when_many_approve_at_once(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({ "target": 3 })).await;
        let mut ready = Vec::new();
        for household in mentor.records("household").await.iter().take(7) {
            let one = enrol(&mentor, household, &graduation).await;
            for event in ["screen", "send_to_verify", "verify"] {
                go(&supervisor, &one, event).await.ok();
            }
            ready.push(one);
        }
        let all = futures_util::future::join_all(ready.iter().map(|one| go(&supervisor, one, "approve"))).await;
        let approved = supervisor.get("/api/enrolments?state=approved").await.ok()["items"].as_array().unwrap().len();
        assert_eq!((approved, all.iter().filter(|a| a.status == 200).count()), (3, 3));
        all.iter().filter(|a| a.status != 200).for_each(|a| a.refused(422, "programme_full"));
        let late = assessment(&mentor.records("household").await[7], &graduation, poor());
        mentor.command("assessment.record", late.clone()).await.ok();
        assert_eq!(mentor.record("assessment", late["id"].as_str().unwrap()).await.unwrap()["blocks"], json!(["capacity"]));
        // One place is given back, and one more may have it.
        let given = supervisor.get("/api/enrolments?state=approved").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        go(&supervisor, &given, "withdraw").await.ok();
        let waiting = supervisor.get("/api/enrolments?state=qualified").await.ok();
        go(&supervisor, waiting["items"][0]["id"].as_str().unwrap(), "approve").await.ok();
        go(&supervisor, waiting["items"][1]["id"].as_str().unwrap(), "approve").await.refused(422, "programme_full");
    }

    async fn random_moves_by_random_people_reach_no_illegal_state(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let manager = in_role(&app, org, "mgr", Role::ProgrammeManager, vec![]).await;
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        let household = mentor.a_household().await;
        let village: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        let second = in_role(&app, org, "second", Role::Mentor, vec![village]).await;
        let crowd = [&mentor, &second, &supervisor, &evaluator, &manager, &approver, &admin];
        let graduation = programme(&admin, json!({ "target": 2 })).await;
        let homes = mentor.records("household").await;
        // Three at a time; whoever has ended makes room for the next household.
        let mut next = homes.iter().cycle();
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(enrol(&mentor, next.next().unwrap(), &graduation).await);
        }
        let mut dice = 20_261_121_u64;
        let mut throw = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        let (mut moved, mut taken_before) = (0, BTreeMap::new());
        for _ in 0..300 {
            let at = throw(ids.len());
            let one = ids[at].clone();
            let by = crowd[throw(crowd.len())];
            let before = supervisor.get(&format!("/api/enrolments/{one}")).await.ok();
            let was = State::parse(before["state"].as_str().unwrap()).unwrap();
            // Half of them fit the state.
            let open: Vec<Event> = Event::ALL.into_iter().filter(|event| was.transition(*event).is_ok()).collect();
            let some = if throw(2) == 0 && !open.is_empty() { &open[..] } else { &Event::ALL[..] };
            let event = some[throw(some.len())];
            let revision = before["revision"].as_i64().unwrap() - i64::from(throw(8) == 0);
            let mut body = moving(&one, revision, event.as_str());
            if event == Event::Transfer {
                body["mentor"] = second.member().into();
            }
            let sent = command("enrolment.move", body);
            // Now and then it comes twice, and by the other door.
            let first = by.post("/api/commands", &sent).await;
            let repeated = (throw(3) == 0).then_some(by.sync(&json!({}), std::slice::from_ref(&sent)).await);
            let after = supervisor.get(&format!("/api/enrolments/{one}")).await.ok();
            let is = State::parse(after["state"].as_str().unwrap()).unwrap();
            let steps = |record: &Value| record["history"].as_array().unwrap().len();
            if first.status == 200 {
                moved += 1;
                assert_eq!(was.transition(event).unwrap(), is, "{event:?}");
                assert_eq!(steps(&after), steps(&before) + 1, "one step for one move");
                assert_eq!(revision, before["revision"].as_i64().unwrap(), "what was stale is refused");
                let mentor_now = before["mentor"].as_str() == Some(&by.member());
                assert!(!(event.is_a_second_look() && (mentor_now || by.member() == mentor.member())), "no own second look");
                assert!(by.member() != approver.member() && by.member() != admin.member(), "who may not, does not");
            } else {
                assert_eq!(before, after, "what is refused changes nothing");
            }
            if let Some(repeated) = repeated {
                let answer = &repeated["results"][0];
                assert_eq!(answer["status"], "duplicate");
                assert_eq!(answer["first"]["status"], if first.status == 200 { "applied" } else { "rejected" });
            }
            taken_before.insert(one.clone(), is.holds_a_place());
            let (taken,): (i64,) = app.app.db.query("SELECT taken FROM programme WHERE org = $1").bind(org).one().await.unwrap();
            assert_eq!(taken, taken_before.values().filter(|holds| **holds).count() as i64, "places are counted once");
            assert!(taken <= 2);
            if is.is_closed() {
                let assessed = assessment(next.next().unwrap(), &graduation, poor());
                mentor.command("assessment.record", assessed.clone()).await.ok();
                let again = application(&assessed);
                if mentor.command("enrolment.apply", again.clone()).await.status == 200 {
                    ids[at] = again["id"].as_str().unwrap().to_owned();
                }
            }
        }
        assert!(moved >= 30, "only {moved} moves");
    }
}
