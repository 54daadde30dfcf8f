//! The sealed outbox: whoever carries it delivers it, once, and nobody on the way changes it.

use kilele_tests::sealing::{SealedPhoto, saved_copy};
use kilele_tests::signing::DeviceKey;
use kilele_tests::{NewId, Person, TestApp, Uuid, both, command, id};
use serde_json::{Value, json};

async fn phone(app: &TestApp, login: &str) -> Person {
    Person::sign_in(app, login, Uuid::now_v7_test(), Some(DeviceKey::default())).await
}

async fn deliver(app: &TestApp, items: &[Value]) -> Vec<Value> {
    app.post("/api/outbox", &json!({ "items": items })).await.ok()["results"].as_array().unwrap().clone()
}

fn note(household: &Value, now: &str) -> Value {
    let changes = json!({ "notes": { "was": household["notes"], "now": now } });
    command("household.update", json!({ "id": household["id"], "changes": changes }))
}

fn codes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|r| r["code"].as_str().or(r["status"].as_str()).unwrap()).collect()
}

both! {
    async fn a_locked_phone_delivers_without_a_session(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        assert_eq!(mentor.sync(&json!({}), &[]).await["outbox_key"], mentor.session["outbox_key"], "sync says it too");
        let household = mentor.a_household().await;
        let visit = mentor.visit(&household);
        let first = command("visit.submit", visit.body.clone());
        let sealed = mentor.sealed(&first);
        assert!(!sealed.to_string().contains("All well"));
        let results = deliver(&app, std::slice::from_ref(&sealed)).await;
        assert_eq!((results[0]["status"].as_str(), &results[0]["id"]), (Some("applied"), &first["id"]));
        // Once, whichever door it comes by.
        assert_eq!(deliver(&app, &[sealed]).await[0]["first"], results[0]);
        assert_eq!(mentor.sync(&json!({}), &[first]).await["results"][0]["first"], results[0]);
        let record = mentor.record("visit", &visit.id).await.unwrap();
        assert_eq!((record["mentor"].as_str(), record["round"].as_i64()), (Some(mentor.member().as_str()), Some(1)));
        let evidence = mentor.record("evidence", visit.captures[0]["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(evidence["device"], json!(mentor.device));
    }

    async fn what_does_not_fit_rejects_only_itself(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        let other = phone(&app, "juma.mentor").await;
        let household = mentor.a_household().await;
        let change = |text: &str| note(&household, text);
        let good = mentor.sealed(&change("arrived"));
        let with = |name: &str, value: Value| { let mut item = mentor.sealed(&change("no")); item[name] = value; item };
        let forged = mentor.sealed_with(&change("no"), &DeviceKey::default().sign(b"anything"));
        let mut renamed = mentor.sealed(&change("no"));
        // Another's name on the outside does not open; another's proof inside does not count.
        renamed["member"] = json!(other.member());
        let swapped = Person { key: Some(DeviceKey::default()), ..phone(&app, "amina.mentor").await }.sealed(&change("no"));
        let mut broken = mentor.sealed(&change("no"));
        broken["sealed"] = json!(format!("{}AAAA", &broken["sealed"].as_str().unwrap()[4..]));
        let items = [
            with("key", json!("0123456789abcdef")), with("id", json!(id())), with("v", json!(2)), with("what", json!("gossip")),
            with("org", json!("no id")), renamed, forged, swapped, broken, good,
        ];
        let results = deliver(&app, &items).await;
        assert_eq!(codes(&results), [
            "outbox_key_unknown", "outbox_seal_invalid", "outbox_invalid", "outbox_invalid", "outbox_invalid",
            "outbox_seal_invalid", "proof_invalid", "proof_invalid", "outbox_seal_invalid", "applied",
        ]);
        assert_eq!(mentor.a_household().await["notes"], "arrived");
        let too_many: Vec<Value> = (0..51).map(|_| items[9].clone()).collect();
        app.post("/api/outbox", &json!({ "items": too_many })).await.refused(400, "batch_too_large");
    }

    async fn a_device_nobody_knows_is_refused_and_its_item_kept(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        let household = mentor.a_household().await;
        let stranger = Person { device: Uuid::now_v7_test(), ..phone(&app, "amina.mentor").await };
        let item = stranger.sealed(&note(&household, "from nowhere"));
        for _ in 0..2 {
            assert_eq!(codes(&deliver(&app, std::slice::from_ref(&item)).await), ["unknown_device"]);
        }
        let kept: Vec<(Uuid, String, String)> = app.app.db.query("SELECT id, code, item FROM outbox_kept").all().await.unwrap();
        assert_eq!((kept.len(), kept[0].0.to_string().as_str(), kept[0].1.as_str()), (1, item["id"].as_str().unwrap(), "unknown_device"));
        assert!(!kept[0].2.contains("from nowhere"), "still sealed");
        // The id is not taken by what nobody vouches for.
        let mut honest = note(&household, "honest");
        honest["id"] = item["id"].clone();
        assert_eq!(codes(&deliver(&app, &[mentor.sealed(&honest)]).await), ["applied"]);
    }

    async fn a_sealed_picture_is_opened_and_compared(app: TestApp) {
        let (mentor, other) = (phone(&app, "amina.mentor").await, phone(&app, "juma.mentor").await);
        let visit = mentor.submit(&mentor.a_household().await).await;
        let [front, back] = [&visit.captures[0], &visit.captures[1]];
        let photo = mentor.sealed_photo(front, &visit.photos[0]);
        assert_eq!(mentor.upload_sealed(front, &photo, None).await.status, 204);
        let record = mentor.settled(front["id"].as_str().unwrap()).await;
        assert_eq!((record["state"].as_str(), &record["bytes"]), (Some("ready"), &front["bytes"]));
        assert_eq!(mentor.upload_sealed(front, &photo, None).await.status, 201, "known by its hash: nothing is sent again");
        let blob: (i64,) = app.app.db.query("SELECT bytes FROM blob WHERE sha256 = $1").bind(front["sha256"].as_str().unwrap().to_owned()).one().await.unwrap();
        assert_eq!(json!(blob.0), front["bytes"]);
        // Under the seal of another picture, or with another picture's bytes: refused, and the picture is still awaited.
        let wrong = SealedPhoto { data: mentor.sealed_photo(back, &visit.photos[1]).data, ..mentor.sealed_photo(front, &visit.photos[0]) };
        let cut = SealedPhoto { data: photo.data[1..].to_vec(), ..mentor.sealed_photo(back, &visit.photos[1]) };
        mentor.upload_sealed(back, &wrong, None).await.refused(460, "checksum_mismatch");
        mentor.upload_sealed(back, &cut, None).await.refused(400, "length_mismatch");
        let mut mine = mentor.sealed_photo(back, &visit.photos[1]);
        mine.data[0] ^= 1;
        mentor.upload_sealed(back, &mine, None).await.refused(460, "checksum_mismatch");
        mine.data[0] ^= 1;
        // A colleague's phone may carry it: it cannot be read there, nor changed.
        assert_eq!(other.upload_sealed(back, &mine, None).await.status, 204);
        assert_eq!(mentor.settled(back["id"].as_str().unwrap()).await["state"], "ready");
        other.create_upload(back).await.refused(404, "evidence_unknown");
        let left: (i64,) = app.app.db.query("SELECT count(*) FROM upload_sealed").one().await.unwrap();
        assert_eq!(left.0, 0);
    }

    async fn a_device_proves_its_own_pictures_without_a_session(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let [front, back] = [&visit.captures[0], &visit.captures[1]];
        let out = kilele_tests::Answer::of(mentor.request(reqwest::Method::DELETE, "/api/sessions/current")).await;
        assert_eq!(out.status, 204);
        let (photo, proof) = (mentor.sealed_photo(front, &visit.photos[0]), mentor.device_proof(front));
        mentor.upload_sealed(front, &photo, None).await.refused(401, "session_ended");
        mentor.upload_sealed(front, &photo, Some(&mentor.device_proof(back))).await.refused(401, "proof_invalid");
        for nonsense in ["", "a.b.c", &format!("{}.1.AAAA", mentor.device), &format!("{}.1.AAAA", Uuid::now_v7_test())] {
            mentor.upload_sealed(front, &photo, Some(nonsense)).await.refused(401, "proof_invalid");
        }
        assert_eq!(mentor.upload_sealed(front, &photo, Some(&proof)).await.status, 204);
        let supervisor = app.supervisor().await;
        assert_eq!(supervisor.settled(front["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn a_saved_copy_is_imported_and_doing_it_twice_is_harmless(app: TestApp) {
        let mentor = phone(&app, "amina.mentor").await;
        let household = mentor.a_household().await;
        let visit = mentor.visit(&household);
        let items = [mentor.sealed(&note(&household, "from the copy")), mentor.sealed(&command("visit.submit", visit.body.clone()))];
        let photos: Vec<SealedPhoto> = visit.captures.iter().zip(&visit.photos).map(|(c, p)| mentor.sealed_photo(c, p)).collect();
        let text = saved_copy(&mentor, &items, &[(&visit.captures[0], &photos[0]), (&visit.captures[1], &photos[1])]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kilele-outbox.kilele");
        let import = async |text: &str| {
            std::fs::write(&file, text).unwrap();
            kilele::outbox::import::import(&app.app, &file, &mut std::io::sink()).await
        };
        for _ in 0..2 {
            let report = import(&text).await.unwrap();
            assert_eq!((report.arrived, report.refused.len()), (4, 0));
            assert_eq!(mentor.record("visit", &visit.id).await.unwrap()["round"], 1);
        }
        for capture in &visit.captures {
            assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
        }
        let cut = text.lines().take(3).collect::<Vec<_>>().join("\n");
        let error = import(&cut).await.err().unwrap().to_string();
        assert!(error.contains("cut"), "{error}");
        assert!(import("hello").await.is_err() && import("").await.is_err());
        let spoilt = text.replacen(&photos[0].sealed, &photos[1].sealed, 1);
        let report = import(&spoilt).await.unwrap();
        assert_eq!(report.refused.values().collect::<Vec<_>>(), ["outbox_seal_invalid"]);
    }

    async fn what_is_made_after_leaving_is_put_aside_and_not_lost(app: TestApp) {
        let (mentor, admin) = (phone(&app, "amina.mentor").await, app.admin().await);
        let (household, other) = (mentor.a_household().await, app.other_mentor().await);
        let with = |at: i64, now: &str| { let mut one = note(&household, now); one["at"] = at.into(); one };
        // Its clock goes an hour ahead, and it has said so.
        let offset = json!({ "stats": { "clock_offset": -3_600_000 } });
        mentor.sync_with(offset).await;
        let before = mentor.sealed(&with(app.clock.now() + 3_600_000 - 1_000, "made before"));
        app.clock.shift(60_000);
        let over = json!({ "to": other.member(), "leaves": true });
        admin.post(&format!("/api/members/{}/hand-over", mentor.member()), &over).await.ok();
        mentor.get("/api/me").await.refused(401, "session_ended");
        app.clock.shift(60_000);
        let now = app.clock.now() + 3_600_000;
        let was = |text: &str, now: &str, at: i64| {
            let changes = json!({ "notes": { "was": text, "now": now } });
            let mut one = command("household.update", json!({ "id": household["id"], "changes": changes }));
            one["at"] = at.into();
            one
        };
        let after = mentor.sealed(&was("made before", "made after", now));
        let left = mentor.sealed(&was("made before", "never mind", now));
        // A time that is set back in the command alone: the photo's own time shows it.
        let mut visit = command("visit.submit", mentor.visit(&household).body);
        visit["at"] = (app.clock.now() - 600_000).into();
        visit["body"]["evidence"][0]["captured_at"] = now.into();
        let visit = mentor.sealed(&visit);
        let items = [after.clone(), before, visit, left.clone()];
        for _ in 0..2 {
            let results = deliver(&app, &items).await;
            let codes = codes(&results);
            assert!(matches!(codes[1], "applied" | "duplicate"), "{codes:?}");
            assert_eq!((codes[0], codes[2], codes[3]), ("membership_ended", "membership_ended", "membership_ended"));
        }
        let notes = async || other.record("household", household["id"].as_str().unwrap()).await.unwrap()["notes"].clone();
        assert_eq!(notes().await, "made before");
        // Seen by the administrator and by whose team it was, still sealed; nobody else sees or settles it.
        let supervisor = app.supervisor().await;
        let waiting = async |who: &Person| who.get("/api/devices").await.ok()["kept"].as_array().unwrap().clone();
        for who in [&admin, &supervisor] {
            let kept = waiting(who).await;
            assert_eq!(kept.len(), 3, "{kept:?}");
            assert!(kept.iter().all(|one| one["code"] == "membership_ended" && one["member"] == json!(mentor.member())));
        }
        assert!(waiting(&other).await.is_empty());
        let path = |item: &Value| format!("/api/outbox/{}/settle", item["id"].as_str().unwrap());
        other.post(&path(&after), &json!({ "take": true })).await.refused(404, "not_found");
        supervisor.post(&path(&after), &json!({ "take": true })).await.empty(204);
        assert_eq!(notes().await, "made after");
        admin.post(&path(&left), &json!({ "take": false })).await.empty(204);
        supervisor.post(&path(&after), &json!({ "take": true })).await.refused(404, "not_found");
        assert_eq!((notes().await, waiting(&admin).await.len()), (json!("made after"), 1));
        let again = deliver(&app, &[after, left]).await;
        assert_eq!(codes(&again), ["duplicate", "membership_ended"]);
        let all: (i64,) = app.app.db.query("SELECT count(*) FROM outbox_kept WHERE item LIKE '%sealed%'").one().await.unwrap();
        assert_eq!(all.0, 3, "what was left is still there");
        for action in ["outbox.take", "outbox.leave"] {
            assert_eq!(admin.get(&format!("/api/audit?action={action}")).await.ok()["items"].as_array().unwrap().len(), 1);
        }
    }
}
