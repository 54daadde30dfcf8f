//! Signatures are proved, and a changed byte shows.

use kilele_tests::signing::{DeviceKey, content, signed};
use kilele_tests::{NewId, Person, TestApp, Uuid, both};
use serde_json::json;

both! {
    async fn a_signature_is_drawn_and_proved(app: TestApp) {
        let mentor = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let household = mentor.a_household().await;
        for _ in 0..3 {
            mentor.submit(&household).await;
        }
        let signatures = mentor.records("signature").await;
        assert_eq!(signatures.len(), 3);
        for signature in signatures {
            let path = format!("/api/signatures/{}", signature["id"].as_str().unwrap());
            let proof = mentor.get(&format!("{path}/verify")).await.ok();
            assert_eq!(proof["valid"], true, "{proof}");
            assert_eq!(proof["checks"].as_array().unwrap().len(), 6);
            let picture = mentor.get(&format!("{path}/picture")).await;
            assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/png"));
            assert!(picture.bytes.starts_with(b"\x89PNG"));
            let page = mentor.get(&format!("{path}/picture.pdf")).await;
            assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "application/pdf"));
            assert!(page.bytes.starts_with(b"%PDF") && page.bytes.len() < 20_000, "{} bytes", page.bytes.len());
            app.other_mentor().await.get(&format!("{path}/picture.pdf")).await.refused(404, "not_found");
            assert_eq!(mentor.get(&path).await.ok()["statement"], signature["statement"]);
        }
    }

    async fn a_changed_byte_and_a_missing_link_show(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        for _ in 0..3 {
            mentor.submit(&household).await;
        }
        let mut ids: Vec<(Uuid, i64)> = app.app.db.query("SELECT id, sequence FROM signature ORDER BY sequence").all().await.unwrap();
        let failing = async |id: Uuid| {
            let proof = mentor.get(&format!("/api/signatures/{id}/verify")).await.ok();
            let checks = proof["checks"].as_array().unwrap().clone();
            checks.into_iter().filter(|c| c["ok"] == false).map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert!(failing(ids[1].0).await.is_empty());
        let second = ids[1].0;
        let db = &app.app.db;
        let tamper = move |sql: &'static str| {
            async move { db.write(move |tx| Box::pin(tx.query(sql).bind(second).run())).await.unwrap() }
        };
        let (record,): (Vec<u8>,) = app.app.db.query("SELECT record FROM signature WHERE id = $1").bind(second).one().await.unwrap();
        let signed = kilele::signatures::kept::open(&record).unwrap();
        let rewrite = async |record: Vec<u8>| {
            let sql = "UPDATE signature SET record = $2 WHERE id = $1";
            app.app.db.write(move |tx| Box::pin(tx.query(sql).bind(second).bind(record).run())).await.unwrap()
        };
        rewrite(signed.replace("confirm", "contest").into_bytes()).await;
        assert_eq!(failing(second).await, ["hash"]);
        let middle = record.len() / 2;
        rewrite([&record[..middle], &[!record[middle]], &record[middle + 1..]].concat()).await;
        assert!(failing(second).await.contains(&"hash".to_owned()));
        // As an earlier release kept it: a text.
        rewrite(signed.into_bytes()).await;
        assert!(failing(second).await.is_empty());
        tamper("UPDATE signature SET received_at = received_at + 1 WHERE id = $1").await;
        assert_eq!(failing(second).await, ["server", "chain"]);
        tamper("DELETE FROM signature WHERE id = $1").await;
        ids.remove(1);
        for (id, _) in ids {
            assert_eq!(failing(id).await, ["chain"]);
        }
    }

    async fn empty_foreign_and_unsigned_records_are_refused(app: TestApp) {
        let mentor = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let household = mentor.a_household().await;
        let attempt = async |signature: serde_json::Value, visit: &mut serde_json::Value| {
            visit["signature"] = signature;
            mentor.command("visit.submit", visit.clone()).await
        };
        let mut visit = mentor.visit(&household).body;
        let own = visit["id"].as_str().unwrap().to_owned();
        let name = household["head_name"].clone();
        let ink = json!([[[0, 0, 0, 128], [900, 0, 10, 128], [900, 500, 20, 128], [0, 500, 30, 128], [0, 0, 40, 128], [50, 50, 50, 1], [60, 60, 60, 1], [70, 70, 70, 1]]]);
        let good = content(&mentor, &own, &name, ink.clone());
        attempt(signed(&mentor, content(&mentor, &own, &name, json!([]))), &mut visit).await.refused(422, "signature_empty");
        let dot = json!([[[5, 5, 0, 128], [6, 6, 9, 128]]]);
        attempt(signed(&mentor, content(&mentor, &own, &name, dot)), &mut visit).await.refused(422, "signature_empty");
        let foreign = content(&mentor, &kilele_tests::id(), &name, ink);
        attempt(signed(&mentor, foreign), &mut visit).await.refused(422, "signature_invalid");
        let mut hash = signed(&mentor, good.clone());
        hash["sha256"] = json!("0".repeat(64));
        attempt(hash, &mut visit).await.refused(422, "signature_invalid");
        let mut unsigned = signed(&mentor, good.clone());
        unsigned["device_signature"] = json!(null);
        attempt(unsigned, &mut visit).await.refused(422, "signature_invalid");
        let stranger = Person { key: Some(DeviceKey::default()), ..Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), None).await };
        let mut wrong_key = signed(&stranger, good.clone());
        wrong_key["sha256"] = signed(&mentor, good.clone())["sha256"].clone();
        attempt(wrong_key, &mut visit).await.refused(422, "signature_invalid");
        assert_eq!(attempt(signed(&mentor, good), &mut visit).await.ok()["status"], "applied");
    }
}
