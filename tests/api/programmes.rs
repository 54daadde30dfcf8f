//! Programmes and cycles, and whether a household qualifies for one: counted by the server, with what stands in the way.

use kilele::auth::Role;
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{application, assessment, poor, programme, rich, save_programme};
use kilele_tests::{Person, TestApp, Uuid, both, id};
use serde_json::{Value, json};

/// The assessment as everybody sees it.
async fn assessed(by: &Person, body: Value) -> Value {
    assert_eq!(by.command("assessment.record", body.clone()).await.ok()["status"], "applied");
    by.get(&format!("/api/assessments/{}", body["id"].as_str().unwrap())).await.ok()
}

fn verdict(assessment: &Value) -> (&str, Vec<&str>) {
    let blocks = assessment["blocks"].as_array().unwrap().iter().map(|b| b.as_str().unwrap()).collect();
    (assessment["qualification"].as_str().unwrap(), blocks)
}

both! {
    async fn a_manager_makes_programmes_and_cycles_and_phones_have_them(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let manager = in_role(&app, org, "mgr", Role::ProgrammeManager, vec![]).await;
        let made = programme(&manager, json!({ "code": "fy25", "target": 40, "budget_minor": 1_000_000 })).await;
        let made_id = made["id"].as_str().unwrap();
        assert_eq!((made["code"].as_str(), made["target"].as_i64()), (Some("FY25"), Some(40)));
        let cycle = json!({ "programme": made_id, "code": "fy25c1", "office": "Kilima", "mentors": [mentor.member()] });
        let path = format!("/api/cycles/{}", id());
        let cycle = manager.put(&path, &json!({ "cycle": cycle })).await.ok();
        assert_eq!(cycle["code"], "FY25C1");
        let all = mentor.get("/api/programmes").await.ok();
        assert_eq!((&all["items"][0]["id"], &all["cycles"][0]["id"]), (&made["id"], &cycle["id"]));
        assert_eq!(mentor.records("programme").await, std::slice::from_ref(&made));
        assert_eq!(mentor.records("cycle").await, std::slice::from_ref(&cycle));

        // Changed by whoever saw it as it is; mentors change nothing.
        let seen = made["revision"].as_i64();
        let changed = save_programme(&admin, made_id, json!({ "code": "FY25", "status": "closed" }), seen).await.ok();
        assert_eq!(changed["status"], "closed");
        save_programme(&admin, made_id, json!({ "code": "FY25" }), seen).await.refused(409, "stale");
        save_programme(&admin, &id(), json!({ "code": "fy25 " }), None).await.refused(409, "code_taken");
        save_programme(&mentor, &id(), json!({}), None).await.refused(403, "forbidden");
        for wrong in [
            json!({ "code": "x" }), json!({ "name": " " }), json!({ "instrument": "gut feeling" }), json!({ "version": 99 }),
            json!({ "target": 0 }), json!({ "starts_on": "2026-05-01", "ends_on": "2026-04-01" }), json!({ "starts_on": "soon" }),
        ] {
            save_programme(&admin, &id(), wrong, None).await.refused(422, "invalid");
        }
        save_programme(&admin, &id(), json!({ "places": [id()] }), None).await.refused(404, "not_found");
        let moved = json!({ "programme": id(), "code": "FY25C1", "office": "", "mentors": [] });
        let revision = cycle["revision"].clone();
        manager.put(&path, &json!({ "cycle": moved, "revision": revision })).await.refused(422, "invalid");
        let stranger = json!({ "programme": made_id, "code": "FY25C2", "office": "", "mentors": [id()] });
        manager.put(&format!("/api/cycles/{}", id()), &json!({ "cycle": stranger })).await.refused(404, "not_found");
        let twin = json!({ "programme": made_id, "code": "FY25C1", "office": "", "mentors": [] });
        manager.put(&format!("/api/cycles/{}", id()), &json!({ "cycle": twin })).await.refused(409, "code_taken");
    }

    async fn the_server_counts_again_and_shows_how_each_factor_counted(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let household = mentor.a_household().await;
        let graduation = programme(&admin, json!({})).await;
        let mut body = assessment(&household, &graduation, poor());
        body["score"] = 10_000.into();
        let found = assessed(&mentor, body.clone()).await;
        assert_eq!((found["score"].as_i64(), found["outcome"].as_str()), (Some(10_000), Some("highly_eligible")));
        assert_eq!(found["factors"][0], json!({ "key": "ppi", "points": 100, "weight": 30 }));
        assert_eq!((found["factors"].as_array().unwrap().len(), &found["phone_score"]), (6, &Value::Null));
        assert_eq!(verdict(&found), ("qualified", vec![]));
        // The same by sync, and once: the phone's own count stands beside the server's where they differ.
        let mut again = assessment(&household, &graduation, rich());
        again["score"] = 77.into();
        let command = kilele_tests::command("assessment.record", again.clone());
        for status in ["applied", "duplicate"] {
            assert_eq!(mentor.sync(&json!({}), std::slice::from_ref(&command)).await["results"][0]["status"], status);
        }
        let found = mentor.record("assessment", again["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((verdict(&found).0, found["phone_score"].as_i64()), ("not_qualified", Some(77)));
        mentor.command("enrolment.apply", application(&again)).await.refused(422, "not_qualified");

        let mut wrong = assessment(&household, &graduation, poor());
        wrong["answers"]["income"] = (-1).into();
        mentor.command("assessment.record", wrong).await.refused(422, "invalid");
        let mut unknown = assessment(&household, &graduation, poor());
        unknown["version"] = 99.into();
        mentor.command("assessment.record", unknown).await.refused(422, "invalid");
        let other = app.other_mentor().await;
        other.command("assessment.record", assessment(&household, &graduation, poor())).await.refused(422, "not_found");
        other.get(&format!("/api/assessments/{}", body["id"].as_str().unwrap())).await.refused(404, "not_found");
        let mut second = body.clone();
        second["note"] = "another".into();
        mentor.command("assessment.record", second).await.refused(422, "exists");
        admin.command("assessment.record", assessment(&household, &graduation, poor())).await.refused(422, "forbidden");
    }

    async fn qualification_lists_what_stands_in_the_way(app: TestApp) {
        let (admin, mentor, other) = (app.admin().await, app.mentor().await, app.other_mentor().await);
        let household = mentor.a_household().await;
        let elsewhere = other.a_household().await["place"].clone();
        let graduation = programme(&admin, json!({})).await;
        let mut silent = assessment(&household, &graduation, poor());
        silent["consent"] = false.into();
        assert_eq!(verdict(&assessed(&mentor, silent).await), ("needs_review", vec!["consent"]));
        let mut between = assessment(&household, &graduation, rich());
        between["answers"]["ppi"] = 20.into();
        assert_eq!(verdict(&assessed(&mentor, between).await), ("needs_review", vec!["marginal"]));

        let away = programme(&admin, json!({ "places": [elsewhere], "status": "closed" })).await;
        let found = assessed(&mentor, assessment(&household, &away, poor())).await;
        assert_eq!(verdict(&found), ("needs_review", vec!["closed", "area"]));
        let refused = mentor.command("enrolment.apply", application(&found_body(&found))).await;
        refused.refused(422, "programme_closed");
        // The village lies in the county.
        let county = mentor.get("/api/places").await.ok()["items"].as_array().unwrap().iter().find(|p| p["level"] == 0).unwrap()["id"].clone();
        let around = programme(&admin, json!({ "places": [county] })).await;
        assert_eq!(verdict(&assessed(&mentor, assessment(&household, &around, poor())).await).0, "qualified");

        // The other instrument also asks who it is, and for a signature.
        let additive = programme(&admin, json!({ "instrument": "additive" })).await;
        let answers = json!({
            "disability": true, "disabled_relative": false, "orphans": true, "chronic_illness": false, "chronic_relative": false,
            "savings": 2000, "income": 4000, "meals": 2, "skipped_meals": false, "worried": false, "other_programme": false, "willing": true,
        });
        let change = json!({ "id": household["id"], "changes": { "phone": { "was": household["phone"], "now": null } } });
        mentor.command("household.update", change).await.ok();
        let found = assessed(&mentor, assessment(&household, &additive, answers.clone())).await;
        assert_eq!((found["score"].as_i64(), verdict(&found)), (Some(4000), ("needs_review", vec!["phone", "signature"])));
        mentor.submit(&household).await;
        let mut elsewhere = answers;
        elsewhere["other_programme"] = true.into();
        let found = assessed(&mentor, assessment(&household, &additive, elsewhere)).await;
        assert_eq!(verdict(&found), ("not_qualified", vec!["other_programme", "phone"]));
        // A phone that had the programme before its instrument was changed.
        let mut before = assessment(&household, &additive, poor());
        before["instrument"] = "weighted".into();
        assert_eq!(verdict(&assessed(&mentor, before).await), ("needs_review", vec!["instrument"]));
    }

    async fn erasing_a_household_leaves_the_score_and_no_answers(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let household = mentor.a_household().await;
        let graduation = programme(&admin, json!({})).await;
        let mut body = assessment(&household, &graduation, poor());
        body["note"] = "She told of her brother.".into();
        assessed(&mentor, body.clone()).await;
        mentor.command("enrolment.apply", application(&body)).await.ok();
        let home = format!("/api/households/{}", household["id"].as_str().unwrap());
        let out = admin.get(&format!("{home}/export")).await.ok();
        assert_eq!((out["assessments"][0]["id"].clone(), out["enrolments"][0]["state"].as_str()), (body["id"].clone(), Some("applied")));
        admin.post(&format!("{home}/erase"), &json!({ "reason": "asked for it" })).await.ok();
        let left = mentor.record("assessment", body["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((&left["answers"], &left["note"], &left["factors"]), (&json!({}), &json!(""), &json!([])));
        assert_eq!(left["score"], 10_000);
    }
}

/// The body that an assessment's record came from, as far as an application needs it.
fn found_body(found: &Value) -> Value {
    json!({ "id": found["id"], "household": found["household"], "programme": found["programme"] })
}
