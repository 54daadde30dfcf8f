//! A visit's way: recorded, returned, corrected, approved; and every way that is closed.

use kilele_tests::signing::signature;
use kilele_tests::{TestApp, both, id};
use serde_json::json;

both! {
    async fn a_visit_is_recorded_returned_corrected_and_approved(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let waiting = supervisor.get("/api/visits?state=submitted").await.ok();
        let shown = &waiting["items"][0];
        assert_eq!((shown["id"].as_str(), shown["mentor"].as_str()), (Some(&*visit.id), Some(&*mentor.member())));
        assert!(shown["number"].as_str().unwrap().starts_with("VIS-20"));
        assert_eq!(supervisor.records("inbox").await[0]["kind"], "visit_submitted");

        let body = json!({ "id": visit.id, "revision": shown["revision"], "note": "  " });
        supervisor.command("visit.return", body).await.refused(422, "invalid");
        let body = json!({ "id": visit.id, "revision": shown["revision"], "note": "The stall is not in the picture." });
        supervisor.command("visit.return", body).await.ok();
        let told = mentor.records("inbox").await.remove(0);
        assert_eq!((told["kind"].as_str(), told["subject"].as_str()), (Some("visit_returned"), Some(&*visit.id)));
        assert_eq!(told["params"]["note"], "The stall is not in the picture.");
        assert_eq!(told["params"]["household_name"], household["head_name"]);

        let mut again = visit.body.clone();
        again["observations"] = "The stall, seen from the road.".into();
        mentor.command("visit.submit", again).await.ok();
        let path = format!("/api/visits/{}", visit.id);
        let record = supervisor.get(&path).await.ok();
        assert_eq!((record["state"].as_str(), record["round"].as_i64()), (Some("submitted"), Some(2)));
        let body = json!({ "id": visit.id, "revision": record["revision"] });
        supervisor.command("visit.approve", body.clone()).await.ok();
        let record = mentor.get(&path).await.ok();
        assert_eq!((record["state"].as_str(), record["decided_by"].as_str()), (Some("approved"), Some(&*supervisor.member())));
        assert!(mentor.records("inbox").await.iter().any(|i| i["kind"] == "visit_approved"));
        supervisor.command("visit.approve", body).await.refused(422, "stale");

        let timeline = mentor.get(&format!("/api/households/{}/timeline", household["id"].as_str().unwrap())).await.ok();
        assert_eq!(timeline["visits"][0]["id"], visit.id.as_str());
        assert_eq!((timeline["evidence"].as_array().unwrap().len(), timeline["signatures"].as_array().unwrap().len()), (2, 1));
        assert_eq!(timeline["household"]["last_visit_at"], 1_790_000_000_000_i64.min(app.clock.now()));
    }

    async fn inbox_entries_are_read_once(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        mentor.submit(&mentor.a_household().await).await;
        let entry = supervisor.records("inbox").await.remove(0);
        supervisor.command("inbox.read", json!({ "ids": [entry["id"]] })).await.ok();
        let read = supervisor.records("inbox").await.remove(0);
        assert!(read["read_at"].is_i64());
        supervisor.command("inbox.read", json!({ "ids": [entry["id"]] })).await.ok();
        assert_eq!(supervisor.records("inbox").await.remove(0)["read_at"], read["read_at"]);
        mentor.command("inbox.read", json!({ "ids": [entry["id"]] })).await.refused(422, "not_found");
    }

    async fn a_decision_on_something_that_changed_is_refused(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let visit = mentor.submit(&mentor.a_household().await).await;
        let seen = supervisor.get(&format!("/api/visits/{}", visit.id)).await.ok();
        let stale = json!({ "id": visit.id, "revision": seen["revision"].as_i64().unwrap() - 1 });
        supervisor.command("visit.approve", stale).await.refused(422, "stale");
    }

    async fn nobody_decides_on_their_own_visit_and_mentors_decide_on_none(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let visit = supervisor.submit(&supervisor.a_household().await).await;
        let seen = supervisor.get(&format!("/api/visits/{}", visit.id)).await.ok();
        let body = json!({ "id": visit.id, "revision": seen["revision"] });
        supervisor.command("visit.approve", body).await.refused(422, "own_visit");
        let visit = mentor.submit(&mentor.a_household().await).await;
        let seen = mentor.get(&format!("/api/visits/{}", visit.id)).await.ok();
        mentor.command("visit.approve", json!({ "id": visit.id, "revision": seen["revision"] })).await.refused(422, "forbidden");
        let admin = app.admin().await;
        admin.command("visit.approve", json!({ "id": visit.id, "revision": seen["revision"] })).await.refused(422, "forbidden");
    }

    async fn what_a_visit_needs_is_demanded(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let mut visit = mentor.visit(&household).body;
        visit["evidence"] = json!([visit["evidence"][0]]);
        mentor.command("visit.submit", visit).await.refused(422, "evidence_missing");
        let mut visit = mentor.visit(&household).body;
        visit["signature"] = json!(null);
        mentor.command("visit.submit", visit.clone()).await.refused(422, "evidence_missing");
        let path = format!("/api/visits/{}", visit["id"].as_str().unwrap());
        mentor.get(&path).await.refused(404, "not_found");
        for (field, value) in [("no_gps_reason", json!(null)), ("topics", json!(["gossip"])), ("business_status", json!("x")), ("started_at", json!(5))] {
            let mut visit = mentor.visit(&household).body;
            visit[field] = value;
            let refused = mentor.command("visit.submit", visit).await;
            refused.refused(422, "invalid");
            assert_eq!(refused.body["field"], field);
        }
    }

    async fn a_visit_is_planned_started_cancelled_or_missed(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let household = mentor.a_household().await;
        let plan = |mentor: &str| json!({ "id": id(), "household": household["id"], "mentor": mentor, "kind": "follow_up", "planned_at": 1_800_000_000_000_i64 });
        let planned = plan(&mentor.member());
        supervisor.command("visit.plan", planned.clone()).await.ok();
        assert_eq!(mentor.records("inbox").await[0]["kind"], "visit_planned");
        mentor.command("visit.start", json!({ "id": planned["id"], "started_at": 1_790_000_000_000_i64 })).await.ok();
        mentor.command("visit.cancel", json!({ "id": planned["id"], "reason": "Nobody at home" })).await.ok();
        mentor.command("visit.miss", json!({ "id": planned["id"], "reason": "Nobody at home" })).await.refused(422, "wrong_state");
        // Called off by the office, and made all the same by a mentor who had no network.
        let mut made = mentor.visit(&household).body;
        made["id"] = planned["id"].clone();
        made["signature"] = signature(&mentor, planned["id"].as_str().unwrap(), &household["head_name"]);
        mentor.command("visit.submit", made).await.ok();
        let record = mentor.get(&format!("/api/visits/{}", planned["id"].as_str().unwrap())).await.ok();
        assert_eq!((record["state"].as_str(), record["evidence"].is_null()), (Some("submitted"), true));
        let missed = plan(&mentor.member());
        mentor.command("visit.plan", missed.clone()).await.ok();
        mentor.command("visit.miss", json!({ "id": missed["id"], "reason": "The road was flooded" })).await.ok();
        let record = mentor.get(&format!("/api/visits/{}", missed["id"].as_str().unwrap())).await.ok();
        assert_eq!((record["state"].as_str(), record["note"].as_str()), (Some("missed"), Some("The road was flooded")));
        let other = app.other_mentor().await;
        mentor.command("visit.plan", plan(&other.member())).await.refused(422, "forbidden");
        supervisor.command("visit.plan", plan(&other.member())).await.refused(422, "not_their_place");
    }

    async fn numbers_are_given_once_under_concurrency(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let work = (0..40).map(|_| mentor.submit(&household));
        futures_util::future::join_all(work).await;
        let mut numbers: Vec<String> = mentor.records("visit").await.iter().map(|v| v["number"].to_string()).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 40);
    }
}
