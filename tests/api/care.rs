//! Looking after the stored pictures: clearing away, and proving every byte.

use std::path::PathBuf;

use kilele::media::again::take_up;
use kilele::media::gc::{self, Report};
use kilele::media::verify::{Fault, verify};
use kilele::ops::progress::Progress;
use kilele_media::{Quarantine, Variant};
use kilele_tests::{Person, TestApp, both, pictures};
use serde_json::Value;

/// A derived photo: whose, its hash, and its evidence.
async fn derived(mentor: &Person, seed: u64) -> (String, Value) {
    let photo = pictures::photo(seed);
    let capture = mentor.announce(&photo).await;
    mentor.upload(&capture, &photo).await;
    assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    (capture["sha256"].as_str().unwrap().to_owned(), capture)
}

fn file(app: &TestApp, org: &str, sha256: &str, variant: Variant) -> PathBuf {
    let folder = app.app.config.data_dir.join("media");
    folder.join(org).join(&sha256[..2]).join(sha256).join(variant.as_str())
}

fn flip_a_byte(path: &PathBuf) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

both! {
    async fn one_flipped_byte_is_found_and_derivatives_are_made_anew(app: TestApp) {
        let mentor = app.mentor().await;
        let (sha256, _) = derived(&mentor, 11).await;
        let (other, capture) = derived(&mentor, 12).await;
        let org = mentor.org();
        let clean = verify(&app.app, true, &Progress::silent()).await.unwrap();
        assert_eq!((clean.originals, clean.derivatives, clean.findings.len()), (2, 6, 0));

        let before = std::fs::read(file(&app, &org, &sha256, Variant::Card)).unwrap();
        flip_a_byte(&file(&app, &org, &sha256, Variant::Card));
        std::fs::remove_file(file(&app, &org, &sha256, Variant::Thumb)).unwrap();
        let seen = verify(&app.app, false, &Progress::silent()).await.unwrap();
        let faults: Vec<_> = seen.findings.iter().map(|f| (f.variant, f.fault, f.repaired)).collect();
        assert_eq!(faults, [("card", Fault::Corrupt, false), ("thumb", Fault::Missing, false)]);
        let mended = verify(&app.app, true, &Progress::silent()).await.unwrap();
        assert_eq!((mended.findings.len(), mended.broken()), (2, 0));
        assert_eq!(std::fs::read(file(&app, &org, &sha256, Variant::Card)).unwrap(), before);
        assert!(verify(&app.app, false, &Progress::silent()).await.unwrap().findings.is_empty());

        // An original cannot be made anew, but what is shown can, from the full size.
        flip_a_byte(&file(&app, &org, &other, Variant::Original));
        flip_a_byte(&file(&app, &org, &other, Variant::Thumb));
        let report = verify(&app.app, true, &Progress::silent()).await.unwrap();
        let faults: Vec<_> = report.findings.iter().map(|f| (f.variant, f.fault, f.repaired)).collect();
        assert_eq!(faults, [("original", Fault::Corrupt, false), ("thumb", Fault::Corrupt, true)]);
        assert_eq!(report.broken(), 1);
        let thumb = mentor.get(&format!("/api/media/{}/thumb", capture["id"].as_str().unwrap())).await;
        kilele_media::inspect(&thumb.bytes).unwrap();
        // The phone that still has it may send it again, and then all is well.
        let second = mentor.announce(&pictures::photo(12)).await;
        std::fs::remove_file(file(&app, &org, &other, Variant::Original)).unwrap();
        assert_eq!(mentor.upload(&second, &pictures::photo(12)).await.status, 204);
        assert_eq!(mentor.settled(second["id"].as_str().unwrap()).await["state"], "ready");
        assert!(verify(&app.app, false, &Progress::silent()).await.unwrap().findings.is_empty());
    }

    async fn derivatives_from_before_are_recorded(app: TestApp) {
        let mentor = app.mentor().await;
        derived(&mentor, 13).await;
        app.app.db.write(|tx| Box::pin(tx.query("DELETE FROM derivative").run())).await.unwrap();
        let report = verify(&app.app, true, &Progress::silent()).await.unwrap();
        assert!(report.findings.len() == 3 && report.findings.iter().all(|f| f.fault == Fault::Unrecorded && f.repaired));
        assert!(verify(&app.app, true, &Progress::silent()).await.unwrap().findings.is_empty());
    }

    async fn what_an_earlier_server_could_not_read_is_taken_up_again(app: TestApp) {
        let mentor = app.mentor().await;
        // An iPhone's, as far as its first bytes go: this server has no decoder for it.
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".repeat(40);
        let capture = mentor.announce(&heic).await;
        mentor.upload(&capture, &heic).await;
        let id = capture["id"].as_str().unwrap();
        let aside = mentor.settled(id).await;
        assert_eq!((&aside["state"], &aside["reason"]), (&"quarantined".into(), &"heic".into()));
        assert_eq!(verify(&app.app, true, &Progress::silent()).await.unwrap().taken_up, 0, "it still can't");
        assert_eq!(take_up(&app.app, &[Quarantine::Unsupported]).await.unwrap(), 0, "set aside for another reason");
        // In the place of a decoder that knows it: bytes that the one that is here knows.
        let original = file(&app, &mentor.org(), capture["sha256"].as_str().unwrap(), Variant::Original);
        std::fs::write(original, pictures::photo(14)).unwrap();
        assert_eq!(take_up(&app.app, &[Quarantine::Heic]).await.unwrap(), 1);
        assert_eq!(take_up(&app.app, &[Quarantine::Heic]).await.unwrap(), 0, "once");
        app.app.jobs.notify_one();
        let ready = mentor.settled(id).await;
        assert_eq!((&ready["state"], &ready["reason"]), (&"ready".into(), &Value::Null));
        assert_eq!(mentor.get(&format!("/api/media/{id}/thumb")).await.status, 200);
    }

    async fn waste_is_named_and_then_removed(app: TestApp) {
        let mentor = app.mentor().await;
        let (sha256, _) = derived(&mentor, 14).await;
        let (org, store) = (mentor.org(), app.app.store.clone());
        let nobody = "0".repeat(64);
        // What crashes, restores and other people leave behind.
        store.put_piece(&kilele_tests::id(), 0, vec![vec![1; 1000].into()]).await.unwrap();
        for variant in [Variant::Original, Variant::Card, Variant::Thumb] {
            store.put(&org, &nobody, variant, vec![2; 100].into()).await.unwrap();
        }
        std::fs::create_dir_all(app.app.config.data_dir.join("media/canary")).unwrap();
        std::fs::write(app.app.config.data_dir.join("media/canary/0123"), "0123").unwrap();
        std::fs::write(app.app.config.data_dir.join("media/README"), "not ours").unwrap();
        // A file that was being written when the power went, and one of somebody else that is only named like it.
        let half = file(&app, &org, &nobody, Variant::Full).with_file_name("full#1");
        std::fs::write(&half, "half a picture").unwrap();
        std::fs::write(app.app.config.data_dir.join("media/notes#1"), "not ours").unwrap();
        let photo = pictures::photo(15);
        let capture = mentor.announce(&photo).await;
        let abandoned = mentor.create_upload(&capture).await.header("location").to_owned();
        mentor.patch(&abandoned, 0, photo[..500].to_vec()).await;

        let young = gc::collect(&app.app, false, &Progress::silent()).await.unwrap();
        assert_eq!((young.pieces, young.derivatives, young.uploads, young.half_written), (0, 0, 0, 0), "too young to be judged");
        app.clock.shift(2 * kilele::clock::HOUR);
        let found = gc::collect(&app.app, false, &Progress::silent()).await.unwrap();
        let waste = Report { pieces: 1, derivatives: 2, canaries: 1, half_written: 1, bytes: 1218, ..Report::default() };
        let expected = Report { kept_originals: 1, foreign: 1, ..waste };
        assert_eq!(found, expected);
        assert_eq!(gc::collect(&app.app, false, &Progress::silent()).await.unwrap(), expected, "a dry run changes nothing");
        app.clock.shift(8 * kilele::clock::DAY);
        let found = gc::collect(&app.app, true, &Progress::silent()).await.unwrap();
        // With it go the abandoned upload, and the finished one that need not be remembered any more.
        assert_eq!(found, Report { removed: true, uploads: 2, ..expected });
        let left = gc::collect(&app.app, false, &Progress::silent()).await.unwrap();
        assert_eq!(left, Report { kept_originals: 1, foreign: 1, ..Report::default() });
        assert!(!half.exists() && app.app.config.data_dir.join("media/notes#1").exists());
        let mentor = app.mentor().await;
        assert_eq!(mentor.head(&abandoned).await.status, 404);
        assert!(store.exists(&org, &sha256, Variant::Full).await.unwrap() && store.exists(&org, &nobody, Variant::Original).await.unwrap());
        assert_eq!(mentor.upload(&capture, &photo).await.status, 204);
    }
}

/// The commands as an administrator types them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_say_what_they_found() {
    let app = TestApp::spawn(kilele_tests::Engine::Sqlite).await;
    let mentor = app.mentor().await;
    let (sha256, _) = derived(&mentor, 16).await;
    let run = async |args: &[&str]| kilele::cli::look_after(&app.app, args).await.map_err(|error| error.to_string());
    let (said, broken) = run(&["verify"]).await.unwrap();
    assert!(said.contains("1 originals and 3 derivatives read") && said.contains(": 0 faults"), "{said}");
    assert_eq!(broken, 0);
    flip_a_byte(&file(&app, &mentor.org(), &sha256, Variant::Full));
    assert_eq!(run(&["verify", "--no-repair"]).await.unwrap().1, 1);
    let (said, broken) = run(&["verify", "--json"]).await.unwrap();
    let report: Value = serde_json::from_str(&said).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((broken, &finding["fault"], &finding["repaired"]), (0, &Value::from("corrupt"), &Value::from(true)));
    flip_a_byte(&file(&app, &mentor.org(), &sha256, Variant::Original));
    let (said, broken) = run(&["verify"]).await.unwrap();
    assert!(said.contains("original: Corrupt, NOT REPAIRED"), "{said}");
    assert_eq!(broken, 1, "the process ends with 1");
    let (said, broken) = run(&["gc"]).await.unwrap();
    assert!(said.contains("Nothing was changed") && said.contains("would be removed: 0 pieces"), "{said}");
    assert_eq!(broken, 0);
    let (said, _) = run(&["gc", "--yes", "--json"]).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["removed"], true);
    let help = run(&["verify", "--help"]).await.unwrap_err();
    assert!(help.contains("Read and hash every stored picture"), "{help}");
    assert!(run(&["gc", "--nonsense"]).await.is_err());
}
