//! Two organisations in one database: nothing of one is there for the other.

use kilele_tests::cast::neighbours;
use kilele_tests::{TestApp, both};
use serde_json::json;

both! {
    async fn nothing_of_one_organisation_is_there_for_another(app: TestApp) {
        neighbours(&app).await;
        let (mentor, admin) = (app.mentor().await, app.admin().await);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        mentor.upload(&visit.captures[0], &visit.photos[0]).await;
        let signature = mentor.records("signature").await[0]["id"].as_str().unwrap().to_owned();
        let household_id = household["id"].as_str().unwrap();
        for login in ["b.admin", "b.supervisor", "b.mentor"] {
            let probe = app.sign_in(login).await;
            for path in [
                format!("/api/households/{household_id}"), format!("/api/households/{household_id}/timeline"),
                format!("/api/visits/{}", visit.id), format!("/api/signatures/{signature}/verify"),
                format!("/api/signatures/{signature}/picture"), format!("/api/media/{}/full", visit.captures[0]["id"].as_str().unwrap()),
            ] {
                probe.get(&path).await.refused(404, "not_found");
            }
            for path in ["/api/households", "/api/visits"] {
                assert_eq!(probe.get(path).await.ok()["items"], json!([]), "{login} {path}");
            }
            for path in ["/api/places", "/api/members"] {
                let text = probe.get(path).await.ok().to_string();
                assert!(!text.contains("Kilima") && !text.contains("Amina"), "{login} {path}");
            }
            let synced = probe.sync(&json!({ household["place"].as_str().unwrap(): 0 }), &[]).await;
            let text = synced["feeds"].to_string();
            assert!(!text.contains(household_id) && !text.contains("MAENDELEO"));
            assert_eq!(synced["gone"], json!([household["place"]]));
            let have = json!([{ "id": visit.captures[0]["id"], "sha256": visit.captures[0]["sha256"], "bytes": 1, "slot": "front",
                                "subject_kind": "visit", "subject": visit.id, "captured_at": 1 }]);
            assert_eq!(probe.sync_with(json!({ "have": have })).await["acknowledged"], json!([]));
        }
        let probe = app.sign_in("b.admin").await;
        let change = json!({ "role": "mentor", "supervisor": null, "places": [], "active": false });
        probe.put(&format!("/api/members/{}", mentor.member()), &change).await.refused(404, "not_found");
        probe.post(&format!("/api/members/{}/invitation", mentor.member()), &json!({})).await.refused(404, "not_found");
        let theirs = json!({ "role": "mentor", "supervisor": app.supervisor().await.member(), "places": [household["place"]], "active": true });
        let own = probe.get("/api/members").await.ok();
        let own = own["items"].as_array().unwrap().iter().find(|m| m["role"] == "mentor").unwrap()["id"].as_str().unwrap().to_owned();
        probe.put(&format!("/api/members/{own}"), &theirs).await.refused(422, "invalid");
        let theirs = json!({ "role": "mentor", "supervisor": null, "places": [household["place"]], "active": true });
        probe.put(&format!("/api/members/{own}"), &theirs).await.refused(404, "not_found");
        assert!(admin.records("household").await.len() == 24);
        let recorder = app.sign_in("b.mentor").await;
        recorder.create_upload(&visit.captures[0]).await.refused(404, "evidence_unknown");
        recorder.command("visit.submit", recorder.visit(&household).body).await.refused(422, "not_found");
    }
}
