//! Who may do what: roles, scope, and no token at all.

use kilele_tests::{TestApp, both, id};
use serde_json::json;

both! {
    async fn what_is_out_of_scope_is_not_there(app: TestApp) {
        let (mentor, other) = (app.mentor().await, app.other_mentor().await);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let signature = mentor.records("signature").await[0]["id"].as_str().unwrap().to_owned();
        let household = household["id"].as_str().unwrap();
        let paths = [
            format!("/api/households/{household}"), format!("/api/households/{household}/timeline"),
            format!("/api/visits/{}", visit.id), format!("/api/signatures/{signature}"),
            format!("/api/signatures/{signature}/picture"), format!("/api/signatures/{signature}/verify"),
            format!("/api/media/{}/thumb", visit.captures[0]["id"].as_str().unwrap()),
        ];
        for path in paths {
            other.get(&path).await.refused(404, "not_found");
            app.get(&path).await.refused(401, "not_signed_in");
        }
        let lists = ["/api/households?q=", "/api/visits?limit=100"];
        for path in lists {
            let items = other.get(path).await.ok()["items"].to_string();
            assert!(!items.contains(household) && !items.contains(&visit.id));
        }
        let update = json!({ "id": household, "changes": { "notes": { "was": null, "now": "x" } } });
        other.command("household.update", update).await.refused(422, "not_found");
        other.command("visit.submit", other.visit(&json!({ "id": household, "head_name": "X" })).body).await.refused(422, "not_found");
        other.command("visit.start", json!({ "id": visit.id, "started_at": 1_790_000_000_000_i64 })).await.refused(422, "not_found");
        other.command("visit.cancel", json!({ "id": visit.id, "reason": "because" })).await.refused(422, "not_found");
    }

    async fn another_person_s_command_id_gives_nothing_away(app: TestApp) {
        let (mentor, other) = (app.mentor().await, app.other_mentor().await);
        let visit = mentor.visit(&mentor.a_household().await).body;
        let command = json!({ "id": id(), "kind": "visit.submit", "at": 1, "body": visit });
        mentor.post("/api/commands", &command).await.ok();
        let answer = other.post("/api/commands", &command).await;
        answer.refused(422, "command_id_taken");
        assert!(!answer.body.to_string().contains("VIS-"));
    }

    async fn administrators_read_and_do_not_record(app: TestApp) {
        let admin = app.admin().await;
        let household = admin.a_household().await;
        admin.command("visit.submit", admin.visit(&household).body).await.refused(422, "forbidden");
        admin.command("household.update", json!({ "id": household["id"], "changes": {} })).await.refused(422, "forbidden");
        let capture = kilele_tests::pictures::capture(&[1, 2, 3], "front");
        admin.create_upload(&capture).await.refused(403, "forbidden");
    }
}
