//! What a member with a session and bad intentions may try: every attempt is refused and nothing is damaged.

use kilele_tests::signing::DeviceKey;
use kilele_tests::{Answer, NewId, Person, TestApp, Uuid, both, pictures};
use serde_json::{Value, json};

fn register(id: &Value, place: &Value) -> Value {
    json!({ "household": { "id": id, "place": place, "head_name": "Mallory", "members": [] }, "evidence": [] })
}

both! {
    async fn no_id_hits_a_record_of_another_kind(app: TestApp) {
        let mentor = app.mentor().await;
        let village = mentor.session["member"]["places"][0].clone();
        let household = mentor.a_household().await;
        let theirs = mentor.submit(&household).await;
        let org = json!(mentor.org());
        // The organisation's own record, an inbox, a county: none is a village.
        for place in [&org, &json!(mentor.member())] {
            mentor.command("household.register", register(place, place)).await.refused(422, "not_found");
        }
        mentor.command("household.register", register(&json!(theirs.id), &household["place"])).await.refused(422, "exists");
        let mut visit = mentor.visit(&household);
        visit.body["evidence"][0]["id"] = json!(theirs.id);
        mentor.command("visit.submit", visit.body).await.refused(422, "exists");
        let mut visit = mentor.visit(&household);
        visit.body["id"] = household["id"].clone();
        visit.body["signature"] = json!(null);
        assert_eq!(mentor.command("visit.submit", visit.body).await.status, 422);
        let mut visit = mentor.visit(&household);
        visit.body["evidence"][0]["supersedes"] = household["id"].clone();
        mentor.command("visit.submit", visit.body).await.refused(422, "not_found");
        let admin = app.admin().await;
        let place = json!({ "id": org, "code": "X1", "name": "X", "parent": null });
        admin.post("/api/places", &place).await.refused(409, "code_taken");
        mentor.get("/api/me").await.ok();
        assert_eq!(mentor.get(&format!("/api/visits/{}", theirs.id)).await.ok()["state"], "submitted");
        assert_eq!(mentor.records("household").await.len(), 8);
        assert!(village.is_string());
    }

    async fn the_mark_of_sealed_texts_cannot_be_typed(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let change = json!({ "id": household["id"], "changes": { "notes": { "was": null, "now": "~sealed~" } } });
        mentor.command("household.update", change).await.refused(422, "invalid_text");
        // Should one stand there all the same, what follows it still opens.
        let crypto = &app.app.crypto;
        let stored = format!("~sealed~ not ours {} ~sealed~AAAA~ {}", crypto.seal("12345678"), crypto.seal("say \"no\""));
        let opened = crypto.open_text(&stored);
        assert_eq!(opened, "~sealed~ not ours 12345678 ~sealed~AAAA~ say \\\"no\\\"");
    }

    async fn a_device_s_word_cannot_be_taken_away_later(app: TestApp) {
        let mentor = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        mentor.submit(&mentor.a_household().await).await;
        let id = mentor.records("signature").await[0]["id"].as_str().unwrap().to_owned();
        let wipe = "UPDATE signature SET device_key = NULL, device_signature = NULL";
        app.app.db.write(move |tx| Box::pin(tx.query(wipe).run())).await.unwrap();
        assert_eq!(mentor.get(&format!("/api/signatures/{id}/verify")).await.ok()["valid"], false);
    }

    async fn small_doors_take_small_requests(app: TestApp) {
        let body = json!({ "login": "x".repeat(70_000), "password": "x", "device": { "id": Uuid::now_v7_test(), "name": "x" } });
        app.post("/api/sessions", &body).await.refused(413, "too_large");
    }

    async fn answers_do_not_repeat_private_values(app: TestApp) {
        let mentor = app.mentor().await;
        let place = mentor.session["member"]["places"][0].clone();
        let mut body = register(&json!(kilele_tests::id()), &place);
        body["household"]["national_id"] = json!(87_654_321);
        let refused = mentor.command("household.register", body).await;
        refused.refused(422, "invalid_command");
        assert!(!refused.body.to_string().contains("87654321"));
        let kept: Vec<(String,)> = app.app.db.query("SELECT answer FROM command_log").all().await.unwrap();
        assert!(kept.iter().all(|(answer,)| !answer.contains("87654321")));
    }

    async fn nobody_is_told_of_a_village_they_do_not_see(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let elsewhere = app.other_mentor().await.session["member"]["places"].clone();
        let change = json!({ "role": "supervisor", "supervisor": null, "places": elsewhere, "active": true });
        admin.put(&format!("/api/members/{}", supervisor.member()), &change).await.ok();
        mentor.submit(&mentor.a_household().await).await;
        assert!(supervisor.records("inbox").await.is_empty());
    }

    async fn a_late_shorter_piece_does_not_undo_a_longer_one(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (photo, capture) = (&visit.photos[0], &visit.captures[0]);
        let location = mentor.create_upload(capture).await.header("location").to_owned();
        let half = photo.len() / 2;
        assert_eq!(mentor.patch(&location, 0, photo[..half].to_vec()).await.status, 204);
        // What a request that was cut long ago writes at last.
        let upload = location.rsplit('/').next().unwrap();
        app.app.store.put_piece(upload, 0, vec![photo[..10].to_vec().into()]).await.unwrap();
        assert_eq!(mentor.patch(&location, half, photo[half..].to_vec()).await.status, 204);
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn a_lost_piece_is_sent_again_and_blocks_nothing(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (photo, capture) = (&visit.photos[0], &visit.captures[0]);
        let location = mentor.create_upload(capture).await.header("location").to_owned();
        mentor.patch(&location, 0, photo[..100].to_vec()).await;
        app.app.store.drop_upload(location.rsplit('/').next().unwrap()).await.unwrap();
        mentor.patch(&location, 100, photo[100..].to_vec()).await.refused(460, "checksum_mismatch");
        assert_eq!(mentor.upload(capture, photo).await.status, 204);
        assert_eq!(pictures::photo(1).len(), photo.len());
    }

    async fn whole_numbers_are_the_numbers_they_are(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let set = |was: Value, now: Value| json!({ "id": household["id"], "changes": {
            "lat": { "was": household["lat"], "now": -1 }, "lon": { "was": household["lon"], "now": 36 },
            "accuracy_m": { "was": was, "now": now } } });
        // As JavaScript writes them: 12, not 12.0.
        let accuracy = json!(household["accuracy_m"].as_f64().unwrap() as i64);
        assert_eq!(mentor.command("household.update", set(accuracy, json!(8))).await.ok()["status"], "applied");
        assert_eq!(mentor.a_household().await["accuracy_m"].as_f64(), Some(8.0));
        assert!(mentor.records("conflict").await.is_empty());
    }

    async fn nobody_settles_on_a_value_that_has_changed_since(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let seen = mentor.a_household().await;
        let change = |was: &Value, now: &str| json!({ "id": seen["id"], "changes": { "notes": { "was": was, "now": now } } });
        mentor.command("household.update", change(&seen["notes"], "A")).await.ok();
        supervisor.command("household.update", change(&seen["notes"], "B")).await.ok();
        let shown = supervisor.records("conflict").await.remove(0);
        mentor.command("household.update", change(&json!("A"), "C")).await.ok();
        let settle = |theirs: &Value| json!({ "id": shown["id"], "choose": "mine", "theirs": theirs });
        supervisor.command("conflict.settle", settle(&shown["theirs"])).await.refused(422, "stale");
        let now = supervisor.records("conflict").await.remove(0);
        assert_eq!((&now["theirs"], &now["mine"]), (&json!("C"), &json!("B")));
        supervisor.command("conflict.settle", settle(&now["theirs"])).await.ok();
        assert_eq!(mentor.a_household().await["notes"], "B");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_does_not_leave_the_clock_behind() {
    let app = TestApp::spawn(kilele_tests::Engine::Sqlite).await;
    let mentor = app.mentor().await;
    let told = Answer::of(mentor.request(reqwest::Method::GET, "/api/me")).await.ok()["server_time"].as_i64().unwrap();
    let real = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    assert!((told - real).abs() < 2_000, "{} ms", told - real);
}
