//! Two households that are one: merged field by field, shown together, taken apart again as they were.

use kilele::auth::Role;
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{application, assessment, enrol, go, poor, programme};
use kilele_tests::{Person, TestApp, Uuid, both, id};
use serde_json::{Value, json};

async fn register(by: &Person, place: &Value, over: Value) -> Value {
    let mut household = json!({ "id": id(), "place": place, "head_name": "Zawadi Chebet", "phone": "0712345678" });
    for (field, value) in over.as_object().unwrap() {
        household[field] = value.clone();
    }
    by.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
    by.record("household", household["id"].as_str().unwrap()).await.unwrap()
}

fn merging(keep: &Value, drop: &Value, choose: Value) -> Value {
    json!({ "keep": keep["id"], "drop": drop["id"], "revision_keep": keep["revision"], "revision_drop": drop["revision"], "choose": choose })
}

/// A record without what changes with every write.
fn facts(record: &Value) -> Value {
    let mut record = record.clone();
    for name in ["revision", "updated_at"] {
        record.as_object_mut().unwrap().remove(name);
    }
    record
}

async fn read(by: &Person, household: &Value) -> Value {
    by.record("household", household["id"].as_str().unwrap()).await.unwrap()
}

both! {
    async fn two_records_become_one_and_two_again(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let keep = register(&mentor, &village, json!({ "national_id": "11112222" })).await;
        let drop = register(&mentor, &village, json!({ "head_name": "Zawadi C. Chebet", "phone": "0798765432", "notes": "by the mill" })).await;
        let visit = mentor.submit(&drop).await;
        let drop = read(&mentor, &drop).await;
        mentor.command("household.merge", merging(&keep, &drop, json!({}))).await.refused(422, "forbidden");
        let mut old = merging(&keep, &drop, json!({}));
        old["revision_drop"] = 0.into();
        supervisor.command("household.merge", old).await.refused(422, "stale");
        supervisor.command("household.merge", merging(&keep, &keep, json!({}))).await.refused(422, "invalid");
        supervisor.command("household.merge", merging(&keep, &drop, json!({ "place": "drop" }))).await.refused(422, "invalid");
        let choose = json!({ "phone": "drop", "notes": "drop", "head_name": "keep" });
        supervisor.command("household.merge", merging(&keep, &drop, choose)).await.ok();

        let (one, gone) = (read(&mentor, &keep).await, read(&mentor, &drop).await);
        assert_eq!((one["phone"].as_str(), one["notes"].as_str(), one["national_id"].as_str()), (Some("+254798765432"), Some("by the mill"), Some("11112222")));
        assert_eq!((&gone["merged_into"], gone["head_name"].as_str()), (&keep["id"], Some("Zawadi C. Chebet")));
        assert_eq!(one["last_visit_at"], drop["last_visit_at"]);
        assert_eq!(one["merges"][0]["household"], drop["id"]);
        // In the list once, with the visits of both.
        let list = mentor.get("/api/households?q=zawadi").await.ok();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let timeline = mentor.get(&format!("/api/households/{}/timeline", keep["id"].as_str().unwrap())).await.ok();
        assert_eq!((timeline["visits"][0]["id"].as_str(), timeline["evidence"].as_array().unwrap().len()), (Some(&*visit.id), 2));
        assert_eq!(timeline["signatures"].as_array().unwrap().len(), 1);
        // Nothing private in clear.
        let stored: Vec<(Vec<u8>,)> = app.app.db.query("SELECT body FROM feed_entry WHERE kind = 'household'").all().await.unwrap();
        let stored: String = stored.iter().map(|(body,)| kilele::packed::open(body).unwrap()).collect();
        assert!(!stored.contains("798765432") && !stored.contains("11112222"));

        // Somebody changes a chosen field meanwhile: it stays; all else is as before.
        mentor.command("household.update", json!({ "id": keep["id"], "changes": { "notes": { "was": "by the mill", "now": "behind the mill" } } })).await.ok();
        mentor.command("household.unmerge", json!({ "id": drop["id"] })).await.refused(422, "forbidden");
        supervisor.command("household.unmerge", json!({ "id": keep["id"] })).await.refused(422, "not_merged");
        supervisor.command("household.unmerge", json!({ "id": drop["id"] })).await.ok();
        let (again, back) = (read(&mentor, &keep).await, read(&mentor, &drop).await);
        assert_eq!(facts(&back), facts(&drop));
        let mut expected = facts(&keep);
        expected["notes"] = "behind the mill".into();
        assert_eq!(facts(&again), expected);
        supervisor.command("household.unmerge", json!({ "id": drop["id"] })).await.refused(422, "not_merged");
        let events = app.admin().await.get(&format!("/api/audit?subject={}", drop["id"].as_str().unwrap())).await.ok().to_string();
        assert!(events.contains("household.merge") && events.contains("household.unmerge"), "{events}");
    }

    async fn what_comes_later_for_the_dropped_one_still_arrives(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let (keep, drop) = (register(&mentor, &village, json!({})).await, register(&mentor, &village, json!({})).await);
        supervisor.command("household.merge", merging(&keep, &drop, json!({}))).await.ok();
        let visit = mentor.submit(&drop).await;
        mentor.command("household.update", json!({ "id": drop["id"], "changes": { "notes": { "was": null, "now": "from afar" } } })).await.ok();
        assert_eq!(read(&mentor, &drop).await["notes"], "from afar");
        let timeline = mentor.get(&format!("/api/households/{}/timeline", keep["id"].as_str().unwrap())).await.ok();
        assert_eq!(timeline["visits"][0]["id"].as_str(), Some(&*visit.id));
        let kept = read(&mentor, &keep).await;
        assert!(kept["last_visit_at"].is_i64(), "the kept one was visited");
        // One is not merged twice, nor does one with others in it go.
        let third = register(&mentor, &village, json!({})).await;
        supervisor.command("household.merge", merging(&third, &read(&mentor, &drop).await, json!({}))).await.refused(422, "merged");
        supervisor.command("household.merge", merging(&third, &kept, json!({}))).await.refused(422, "has_merges");
        let ids = json!({ "id": drop["id"], "revision": read(&mentor, &drop).await["revision"], "place": village, "reason": "moved" });
        supervisor.command("household.move", ids).await.refused(422, "same_place");
    }

    async fn whoever_registered_both_does_not_decide(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let org: Uuid = mentor.org().parse().unwrap();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let village = mentor.a_household().await["place"].clone();
        let (keep, drop) = (register(&supervisor, &village, json!({})).await, register(&supervisor, &village, json!({})).await);
        supervisor.command("household.merge", merging(&keep, &drop, json!({}))).await.refused(422, "own_households");
        evaluator.command("household.merge", merging(&keep, &drop, json!({}))).await.ok();
    }

    async fn two_on_their_way_in_one_programme_are_not_merged(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let (keep, drop) = (register(&mentor, &village, json!({})).await, register(&mentor, &village, json!({})).await);
        let graduation = programme(&admin, json!({})).await;
        enrol(&mentor, &keep, &graduation).await;
        let second = enrol(&mentor, &drop, &graduation).await;
        let refused = supervisor.command("household.merge", merging(&keep, &drop, json!({}))).await;
        refused.refused(422, "both_enrolled");
        go(&mentor, &second, "withdraw").await.ok();
        supervisor.command("household.merge", merging(&keep, &drop, json!({}))).await.ok();
        // They are one now: a second application is one too many, and what was taken part in counts.
        let again = assessment(&drop, &graduation, poor());
        mentor.command("assessment.record", again.clone()).await.ok();
        let record = mentor.record("assessment", again["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(record["blocks"], json!(["earlier"]));
        mentor.command("enrolment.apply", application(&again)).await.refused(422, "enrolled");
    }

    async fn across_villages_only_those_who_see_both_merge_and_read(app: TestApp) {
        let (mentor, other, supervisor) = (app.mentor().await, app.other_mentor().await, app.supervisor().await);
        let (here, there) = (mentor.a_household().await["place"].clone(), other.a_household().await["place"].clone());
        let (keep, drop) = (register(&mentor, &here, json!({})).await, register(&other, &there, json!({})).await);
        let visit = other.submit(&drop).await;
        let drop = read(&other, &drop).await;
        let limited = in_role(&app, mentor.org().parse().unwrap(), "narrow", Role::Supervisor, vec![here.as_str().unwrap().parse().unwrap()]).await;
        limited.command("household.merge", merging(&keep, &drop, json!({}))).await.refused(422, "not_found");
        supervisor.command("household.merge", merging(&keep, &drop, json!({}))).await.ok();
        let path = format!("/api/households/{}/timeline", keep["id"].as_str().unwrap());
        assert!(supervisor.get(&path).await.ok().to_string().contains(&visit.id));
        assert!(!mentor.get(&path).await.ok().to_string().contains(&visit.id), "what lies in another village stays there");
    }
}
