//! Devices: what has not arrived from them, how they are doing, and how one ends.

use kilele::clock::{DAY, HOUR, MINUTE};
use kilele_tests::signing::DeviceKey;
use kilele_tests::{NewId, Person, TestApp, Uuid, both, command, id};
use serde_json::{Value, json};

async fn phone(app: &TestApp, login: &str) -> Person {
    Person::sign_in(app, login, Uuid::now_v7_test(), Some(DeviceKey::default())).await
}

async fn devices(person: &Person) -> Vec<Value> {
    person.get("/api/devices").await.ok()["devices"].as_array().unwrap().clone()
}

async fn device(person: &Person, id: Uuid) -> Option<Value> {
    devices(person).await.into_iter().find(|d| d["id"] == json!(id))
}

fn have(visit: &str, capture: &Value) -> Value {
    json!({ "id": capture["id"], "sha256": capture["sha256"], "bytes": capture["bytes"], "slot": capture["slot"],
            "subject_kind": "visit", "subject": visit, "captured_at": capture["captured_at"] })
}

fn note(household: &Value, was: &Value, now: &str, at: i64) -> Value {
    let body = json!({ "id": household["id"], "changes": { "notes": { "was": was, "now": now } } });
    json!({ "id": id(), "kind": "household.update", "at": at, "body": body })
}

both! {
    async fn what_was_taken_and_has_not_arrived_is_named(app: TestApp) {
        let (mentor, supervisor, admin) = (phone(&app, "amina.mentor").await, app.supervisor().await, app.admin().await);
        let other = app.other_mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        // A third picture whose record has not come.
        let unsent = kilele_tests::pictures::capture(&visit.photos[0], "site");
        let holds = [&visit.captures[0], &visit.captures[1], &unsent].map(|c| have(&visit.id, c));
        let stats = json!({ "version": "0.4.0", "records_waiting": 1, "captures_waiting": 3, "storage_bytes": 1_000_000,
                            "storage_used": 50_000_000, "storage_quota": 900_000_000, "persisted": true, "clock_offset": 5_000 });
        mentor.sync_with(json!({ "have": holds, "stats": stats })).await;
        mentor.upload(&visit.captures[0], &visit.photos[0]).await;
        for looks in [&supervisor, &admin, &mentor] {
            let device = device(looks, mentor.device).await.unwrap();
            let missing: Vec<&Value> = device["missing"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
            assert_eq!((device["missing_count"].as_i64(), missing.len()), (Some(2), 2));
            assert!(missing.contains(&&visit.captures[1]["id"]) && missing.contains(&&unsent["id"]));
            assert_eq!(device["missing"][0]["subject"], json!(visit.id));
            assert_eq!(device["member"], json!(mentor.member()));
            assert_eq!((device["stats"]["version"].as_str(), device["stats"]["records_waiting"].as_i64()), (Some("0.4.0"), Some(1)));
            assert_eq!(device["stats"]["storage_used"].as_i64(), Some(48 << 20), "in whole MiB");
            assert!(device["reported_at"].as_i64().is_some() && device["last_seen_at"].as_i64().is_some());
        }
        assert!(device(&other, mentor.device).await.is_none(), "a colleague sees only the own");
        assert!(devices(&other).await.iter().all(|d| d["member"] == json!(other.member())));
        // The phone stops naming one: it will not come by itself.
        mentor.sync_with(json!({ "have": holds[1..2], "stats": stats })).await;
        let after = device(&supervisor, mentor.device).await.unwrap();
        let gone: Vec<&Value> = after["missing"].as_array().unwrap().iter().filter(|c| c["dropped_at"].is_i64()).collect();
        assert_eq!((gone.len(), &gone[0]["id"]), (1, &unsent["id"]));
        mentor.sync_with(json!({ "have": holds[1..], "stats": stats })).await;
        let back = device(&supervisor, mentor.device).await.unwrap();
        assert!(back["missing"].as_array().unwrap().iter().all(|c| c["dropped_at"].is_null()), "it was found again");
    }

    async fn a_heartbeat_with_nothing_new_writes_nothing(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        let beat = |used: i64, offset: i64| json!({ "stats": { "storage_used": used, "clock_offset": offset, "version": "1" } });
        mentor.sync_with(beat(5 << 20, 200)).await;
        let reported = device(&mentor, mentor.device).await.unwrap()["reported_at"].clone();
        app.clock.shift(HOUR / 10);
        mentor.sync_with(beat((5 << 20) + 300, 900)).await;
        assert_eq!(device(&mentor, mentor.device).await.unwrap()["reported_at"], reported);
        mentor.sync_with(beat(9 << 20, 900)).await;
        assert_ne!(device(&mentor, mentor.device).await.unwrap()["reported_at"], reported);
    }

    async fn a_vanished_database_is_reported_once_and_kept_sealed(app: TestApp) {
        let (mentor, supervisor) = (phone(&app, "amina.mentor").await, app.supervisor().await);
        let lost = json!({ "id": id(), "noticed_at": 1_790_000_000_000_i64, "last_sync_at": 1_789_000_000_000_i64, "records": 2, "captures": 1,
            "drafts": 1, "items": [{ "kind": "record", "what": "Visit – \"Mary\" Wanjiru", "at": 1_789_900_000_000_i64 }] });
        for _ in 0..2 {
            mentor.sync_with(json!({ "lost": [lost] })).await;
        }
        let losses = device(&supervisor, mentor.device).await.unwrap()["losses"].clone();
        assert_eq!(losses.as_array().unwrap().len(), 1);
        assert_eq!((losses[0]["records"].as_i64(), losses[0]["items"][0]["what"].as_str()), (Some(2), Some("Visit – \"Mary\" Wanjiru")));
        let (kept,): (String,) = app.app.db.query("SELECT items FROM device_loss").one().await.unwrap();
        assert!(!kept.contains("Mary"));
        let mut nonsense = lost.clone();
        nonsense["items"][0]["kind"] = json!("gossip");
        let body = json!({ "device": mentor.device, "schema": 1, "lost": [nonsense] });
        mentor.post("/api/sync", &body).await.refused(422, "invalid");
    }

    async fn the_names_of_a_loss_come_sealed_and_only_the_own_are_read(app: TestApp) {
        let (mentor, juma, supervisor) = (phone(&app, "amina.mentor").await, phone(&app, "juma.mentor").await, app.supervisor().await);
        let name = |what: &str| json!([{ "kind": "record", "what": what, "at": 1_789_900_000_000_i64 }]);
        // After the loss the phone is another device; the names were sealed by the one it was.
        let (before, mentor) = (mentor, phone(&app, "amina.mentor").await);
        let mut spoilt = before.sealed_names(&name("spoilt"));
        spoilt["sealed"] = json!("AAAA");
        let sealed = [
            before.sealed_names(&name("Visit – Mary Wanjiru")), juma.sealed_names(&name("of a colleague")), spoilt,
            before.sealed_names(&json!([{ "kind": "gossip", "what": "no kind" }])), before.sealed_names(&json!("no list")),
        ];
        let lost = json!({ "id": id(), "device": before.device, "noticed_at": 1_790_000_000_000_i64, "last_sync_at": null,
            "records": 1, "captures": 0, "drafts": 0, "items": [], "sealed": sealed });
        mentor.sync_with(json!({ "lost": [lost] })).await;
        for looks in [&supervisor, &mentor] {
            let losses = device(looks, before.device).await.unwrap()["losses"].clone();
            let named: Vec<&Value> = losses[0]["items"].as_array().unwrap().iter().map(|item| &item["what"]).collect();
            assert_eq!((losses[0]["records"].as_i64(), named), (Some(1), vec![&json!("Visit – Mary Wanjiru")]));
        }
        assert!(device(&juma, before.device).await.is_none());
    }

    async fn a_revoked_device_is_out_at_once_and_still_delivers(app: TestApp) {
        let (mentor, admin) = (phone(&app, "amina.mentor").await, app.admin().await);
        let juma = Person::sign_in(&app, "juma.mentor", mentor.device, Some(DeviceKey::default())).await;
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let before = note(&household, &household["notes"], "made before", app.clock.now() - HOUR);
        let after = note(&household, &json!("made before"), "made after", app.clock.now() + HOUR);
        admin.post(&format!("/api/devices/{}/revoke", mentor.device), &json!({})).await.empty(204);
        for person in [&mentor, &juma] {
            person.get("/api/me").await.refused(401, "device_revoked");
            let body = json!({ "device": person.device, "refresh_token": person.refresh_token });
            app.post("/api/sessions/refresh", &body).await.refused(401, "device_revoked");
            let again = json!({ "login": "amina.mentor", "password": kilele::demo::PASSWORD, "tokens": true,
                                "device": { "id": person.device, "name": "x" } });
            app.post("/api/sessions", &again).await.refused(401, "device_revoked");
        }
        let results = app.post("/api/outbox", &json!({ "items": [mentor.sealed(&before), mentor.sealed(&after)] })).await.ok()["results"].clone();
        assert_eq!((results[0]["status"].as_str(), results[1]["code"].as_str()), (Some("applied"), Some("device_revoked")));
        let (kept,): (String,) = app.app.db.query("SELECT rejected FROM command_log WHERE rejected IS NOT NULL").one().await.unwrap();
        assert!(app.app.crypto.open_text(&kept).contains("made after"), "what came too late is kept, sealed");
        let again = app.post("/api/outbox", &json!({ "items": [mentor.sealed(&after)] })).await.ok()["results"].clone();
        assert_eq!(again[0]["first"]["code"], "device_revoked");
        let (photo, proof) = (mentor.sealed_photo(&visit.captures[0], &visit.photos[0]), mentor.device_proof(&visit.captures[0]));
        assert_eq!(mentor.upload_sealed(&visit.captures[0], &photo, Some(&proof)).await.status, 204);
        let shown = device(&admin, mentor.device).await.unwrap();
        assert!(shown["revoked_at"].is_i64());
        // On another phone the same person works on.
        assert_eq!(phone(&app, "amina.mentor").await.a_household().await["notes"], "made before");
    }

    async fn a_clock_that_is_wrong_does_not_decide_what_was_made_before(app: TestApp) {
        let (mentor, admin) = (phone(&app, "amina.mentor").await, app.admin().await);
        let household = mentor.a_household().await;
        // Two days ahead, and the phone has said so.
        mentor.sync_with(json!({ "stats": { "clock_offset": -2 * DAY } })).await;
        let early = note(&household, &household["notes"], "honest", app.clock.now() + 2 * DAY - HOUR);
        admin.post(&format!("/api/devices/{}/revoke", mentor.device), &json!({})).await.empty(204);
        let results = app.post("/api/outbox", &json!({ "items": [mentor.sealed(&early)] })).await.ok()["results"].clone();
        assert_eq!(results[0]["status"], "applied", "{results}");
    }

    async fn a_member_revokes_only_their_own(app: TestApp) {
        let (lost, mentor) = (phone(&app, "amina.mentor").await, phone(&app, "amina.mentor").await);
        let colleague = Person::sign_in(&app, "juma.mentor", lost.device, Some(DeviceKey::default())).await;
        let strange = phone(&app, "juma.mentor").await;
        assert!(devices(&mentor).await.iter().any(|d| d["id"] == json!(mentor.device) && d["current"] == true));
        for who in [&mentor, &app.supervisor().await] {
            who.post(&format!("/api/devices/{}/revoke", strange.device), &json!({})).await.refused(404, "not_found");
        }
        mentor.post(&format!("/api/devices/{}/revoke", lost.device), &json!({})).await.empty(204);
        lost.get("/api/me").await.refused(401, "device_revoked");
        colleague.get("/api/me").await.ok();
        mentor.get("/api/me").await.ok();
        let chain: Vec<(String,)> = app.app.db.query("SELECT action FROM audit WHERE action = 'device.revoke'").all().await.unwrap();
        assert_eq!(chain.len(), 1);
    }

    async fn a_village_moves_from_one_phone_to_another_and_nothing_unsent_is_lost(app: TestApp) {
        let (amina, juma, admin) = (phone(&app, "amina.mentor").await, phone(&app, "juma.mentor").await, app.admin().await);
        let household = amina.a_household().await;
        let village = household["place"].as_str().unwrap().to_owned();
        let answer = amina.sync(&json!({}), &[]).await;
        let cursors: Value = answer["feeds"].as_object().unwrap().iter().map(|(f, n)| (f.clone(), n["revision"].clone())).collect();
        let visit = amina.visit(&household);
        app.clock.shift(2 * MINUTE);
        move_village(&app, &admin, &village, &amina, &juma).await;
        app.clock.shift(2 * MINUTE);
        let now = app.clock.now();
        assert!(juma.record("household", household["id"].as_str().unwrap()).await.is_some(), "it is on the other phone");
        // Made while nobody had told the phone: before the change of hands and after it.
        let submit = json!({ "id": id(), "kind": "visit.submit", "at": now - 3 * MINUTE, "body": visit.body });
        let unaware = note(&household, &household["notes"], "did not know", now);
        let answer = amina.sync(&cursors, &[submit, unaware]).await;
        let statuses: Vec<&Value> = answer["results"].as_array().unwrap().iter().map(|r| &r["status"]).collect();
        assert_eq!(statuses, ["applied", "applied"], "{answer}");
        assert_eq!(answer["gone"], json!([village]));
        assert!(answer["feeds"].get(&village).is_none());
        let seen = juma.record("visit", &visit.id).await.unwrap();
        assert_eq!(seen["mentor"], json!(amina.member()));
        assert_eq!(amina.upload(&visit.captures[0], &visit.photos[0]).await.status, 204, "its pictures too");
        // A second batch, and the sealed outbox: made before the phone was told, delivered after.
        let late = note(&household, &json!("did not know"), "still before", now);
        assert_eq!(amina.sync(&json!({}), &[late]).await["results"][0]["status"], "applied");
        let sealed = note(&household, &json!("still before"), "sealed before", now);
        let results = app.post("/api/outbox", &json!({ "items": [amina.sealed(&sealed)] })).await.ok()["results"].clone();
        assert_eq!(results[0]["status"], "applied");
        // Made when it knew, by a device that came later, or by REST: no longer theirs.
        app.clock.shift(MINUTE);
        let knew = |was: &str| note(&household, &json!(was), "too late", app.clock.now() + 4 * DAY);
        assert_eq!(amina.sync(&json!({}), &[knew("sealed before")]).await["results"][0]["code"], "not_found");
        let results = app.post("/api/outbox", &json!({ "items": [amina.sealed(&knew("sealed before"))] })).await.ok()["results"].clone();
        assert_eq!(results[0]["code"], "not_found");
        amina.post("/api/commands", &knew("sealed before")).await.refused(422, "not_found");
        let newer = phone(&app, "amina.mentor").await;
        let back_dated = note(&household, &json!("sealed before"), "back-dated", now);
        assert_eq!(newer.sync(&json!({ village.clone(): 1 }), &[back_dated]).await["results"][0]["code"], "not_found");
        assert_eq!(juma.record("household", household["id"].as_str().unwrap()).await.unwrap()["notes"], "sealed before");
        // And back again: everything is as before.
        move_village(&app, &admin, &village, &juma, &amina).await;
        assert_eq!(amina.sync(&json!({}), &[knew("sealed before")]).await["results"][0]["status"], "applied");
    }

    async fn a_cursor_ahead_of_the_server_starts_over(app: TestApp) {
        let mentor = app.mentor().await;
        let village = mentor.a_household().await["place"].as_str().unwrap().to_owned();
        let answer = mentor.sync(&json!({ village.clone(): 1_000_000 }), &[]).await;
        assert_eq!(answer["reset"], json!([village]));
        let fresh = mentor.sync(&json!({}), &[]).await;
        assert_eq!((&answer["feeds"][&village], &fresh["reset"]), (&fresh["feeds"][&village], &json!([])));
    }

    async fn an_older_client_delivers_before_it_updates(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let change = command("household.update", json!({ "id": household["id"], "changes": { "notes": { "was": household["notes"], "now": "old client" } } }));
        let body = json!({ "device": mentor.device, "schema": kilele::sync::MIN_SCHEMA - 1, "cursors": {}, "commands": [change] });
        let answer = mentor.post("/api/sync", &body).await.ok();
        assert_eq!((answer["code"].as_str(), answer["min_schema"].as_i64()), (Some("update_required"), Some(kilele::sync::MIN_SCHEMA)));
        assert_eq!((answer["results"][0]["status"].as_str(), &answer["feeds"], &answer["gone"]), (Some("applied"), &json!({}), &json!([])));
        assert_eq!(mentor.a_household().await["notes"], "old client");
        assert_eq!(mentor.sync(&json!({}), &[]).await["code"], Value::Null);
    }
}

async fn move_village(app: &TestApp, admin: &Person, village: &str, from: &Person, to: &Person) {
    let supervisor = app.supervisor().await.member();
    for (who, gets) in [(from, false), (to, true)] {
        let people = admin.get("/api/members").await.ok();
        let person = people["items"].as_array().unwrap().iter().find(|m| m["id"] == json!(who.member())).unwrap().clone();
        let mut places: Vec<Value> = person["places"].as_array().unwrap().clone();
        places.retain(|p| p != village);
        if gets {
            places.push(json!(village));
        }
        let change = json!({ "role": "mentor", "supervisor": supervisor, "places": places, "active": true });
        admin.put(&format!("/api/members/{}", who.member()), &change).await.ok();
    }
}
