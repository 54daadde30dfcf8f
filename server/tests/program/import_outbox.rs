//! `kilele import outbox FILE` as a program: what it says and how it ends, beside a server that goes on running.

use std::path::Path;
use std::process::{Command, Output};

use kilele_tests::sealing::{SealedPhoto, saved_copy};
use kilele_tests::signing::DeviceKey;
use kilele_tests::{NewId, Person, TestApp, Uuid, both, command};
use serde_json::{Value, json};

fn import(app: &TestApp, file: &Path) -> (Option<i32>, String) {
    import_with(app, file, &[])
}

fn import_with(app: &TestApp, file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let config = &app.app.config;
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_kilele"))
        .args(["import", "outbox"])
        .arg(file)
        .args(more)
        .env("KILELE_DATA_DIR", &config.data_dir)
        .env("KILELE_DATABASE_URL", &config.database_url)
        .env("KILELE_MEDIA_URL", &config.media_url)
        .env("KILELE_LOG", "error")
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

both! {
    async fn the_exit_code_says_how_it_went(app: TestApp) {
        let mentor = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let household = mentor.a_household().await;
        let visit = mentor.visit(&household);
        let note = |was: &Value, now: &str| {
            let changes = json!({ "notes": { "was": was, "now": now } });
            mentor.sealed(&command("household.update", json!({ "id": household["id"], "changes": changes })))
        };
        let items = [note(&household["notes"], "from the copy"), mentor.sealed(&command("visit.submit", visit.body.clone()))];
        let photos: Vec<SealedPhoto> = visit.captures.iter().zip(&visit.photos).map(|(c, p)| mentor.sealed_photo(c, p)).collect();
        let pictures = [(&visit.captures[0], &photos[0]), (&visit.captures[1], &photos[1])];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kilele-outbox.kilele");
        let text = saved_copy(&mentor, &items, &pictures);

        // 0: everything has arrived, however often it is done.
        for _ in 0..2 {
            std::fs::write(&file, &text).unwrap();
            let (code, said) = import(&app, &file);
            assert_eq!(code, Some(0), "{said}");
            assert!(said.contains("2 records and 2 pictures") && said.contains("4 arrived, 0 refused"), "{said}");
            assert!(!said.contains("from the copy"));
        }
        assert_eq!(mentor.a_household().await["notes"], "from the copy");
        assert_eq!(mentor.record("visit", &visit.id).await.unwrap()["round"], 1);
        for capture in &visit.captures {
            assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
        }

        // 3: one line is refused and named with its reason; the others arrive.
        let mut forged = note(&json!("from the copy"), "forged");
        forged["sealed"] = json!("AAAA");
        std::fs::write(&file, saved_copy(&mentor, &[forged, note(&json!("from the copy"), "after it")], &[])).unwrap();
        let (code, said) = import(&app, &file);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("line 2:") && said.contains("outbox_seal_invalid") && said.contains("1 arrived, 1 refused"), "{said}");
        assert_eq!(mentor.a_household().await["notes"], "after it");
        let (code, said) = import_with(&app, &file, &["--json"]);
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((code, &report), (Some(3), &json!({ "arrived": 1, "refused": { "2": "outbox_seal_invalid" } })), "{said}");

        // 1: cut in the middle, something else, another installation's, nothing at all. What a cut file held arrives.
        let cut: Vec<&str> = text.lines().take(3).collect();
        let foreign = text.replace(&mentor.org(), &kilele_tests::id());
        for wrong in [cut.join("\n"), "hello".into(), String::new(), foreign, text.replacen("\"kilele_outbox\":1", "\"kilele_outbox\":2", 1)] {
            std::fs::write(&file, wrong).unwrap();
            let (code, said) = import(&app, &file);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("kilele:"), "a reason: {said}");
        }
        assert_eq!(import(&app, &folder.path().join("nowhere.kilele")).0, Some(1));

        // 2: not how it is called.
        let wrong = Command::new(env!("CARGO_BIN_EXE_kilele")).args(["import", "outbox"]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(2));
    }
}
