//! Copies of everything: made while people work, proved, and put back so that nothing is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kilele::clock::{Clock, DAY, HOUR};
use kilele::ops::backup::{Identity, Place, make, restore, schedule, verify};
use kilele::ops::progress::Progress;
use kilele_tests::{Dice, Engine, Person, TestApp, Visit, both, command, pictures, until};
use serde_json::{Value, json};

fn place(app: &TestApp, folder: &tempfile::TempDir) -> Place {
    Place::open(&app.app.config, Some(folder.path().to_str().unwrap())).unwrap()
}

async fn make(app: &TestApp, place: &Place) -> make::Made {
    make::make(&app.app, place, &Progress::silent()).await.unwrap()
}

async fn verify(app: &TestApp, place: &Place, identities: &[Identity]) -> verify::Report {
    verify::verify(&app.app.config, &app.clock, place, None, identities, &Progress::silent()).await.unwrap()
}

/// A visit whose pictures have arrived and are shown.
async fn delivered(mentor: &Person) -> Visit {
    let visit = mentor.submit(&mentor.a_household().await).await;
    bring(mentor, &visit).await;
    visit
}

async fn bring(mentor: &Person, visit: &Visit) {
    for (capture, photo) in visit.captures.iter().zip(&visit.photos) {
        assert!(mentor.upload(capture, photo).await.status.is_success());
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

/// Everything a person is shown, by kind and id, but for what counts the server's own steps.
async fn all(person: &Person) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // What the server adds when a command comes: its time, its number, its signature and their places.
    const OWN: [&str; 8] =
        ["revision", "updated_at", "created_at", "registered_at", "submitted_at", "received_at", "number", "sequence"];
    for kind in ["household", "visit", "evidence", "signature", "place", "organisation"] {
        for mut record in person.records(kind).await {
            for own in OWN.into_iter().chain(["server_signature"]) {
                record.as_object_mut().unwrap().remove(own);
            }
            found.insert(format!("{kind} {record}"));
        }
    }
    found
}

both! {
    async fn a_backup_is_made_while_people_work_and_only_adds(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        // Somebody goes on registering households all the while.
        let busy = async {
            let village = mentor.a_household().await["place"].clone();
            for n in 0..30 {
                let household = json!({ "household": { "id": kilele_tests::id(), "place": village, "head_name": format!("Busy {n}"), "members": [], "disability": false }, "evidence": [] });
                assert_eq!(mentor.command("household.register", household).await.ok()["status"], "applied");
            }
        };
        let (first, ()) = tokio::join!(make(&app, &place), busy);
        // Two pictures, the original and three sizes each.
        assert_eq!((first.objects, first.added, first.missing.len()), (8, 8, 0));
        let report = verify(&app, &place, &[]).await;
        assert_eq!(report.faults, Vec::<String>::new());
        assert!(report.rows > 100 && report.feeds > 5 && report.events > 20 && report.signatures == 1 && report.objects == 8, "{report:?}");

        let second = make(&app, &place).await;
        assert_eq!((second.objects, second.added), (8, 0));
        assert!(second.written < first.written, "pictures are copied once");
        // A picture of the same bytes is the same object; another one is added.
        let before: BTreeSet<PathBuf> = files(&folder.path().join("objects")).into_iter().collect();
        let visit = mentor.announce(&pictures::photo(77)).await;
        assert_eq!(mentor.upload(&visit, &pictures::photo(77)).await.status, 204);
        mentor.settled(visit["id"].as_str().unwrap()).await;
        assert_eq!(make(&app, &place).await.added, 4);
        let after: BTreeSet<PathBuf> = files(&folder.path().join("objects")).into_iter().collect();
        assert!(after.is_superset(&before) && after.len() == before.len() + 4);
        assert_eq!(verify(&app, &place, &[]).await.faults, Vec::<String>::new());
        // Nothing of it stays beside the data.
        assert_eq!(files(&app.app.config.data_dir).iter().filter(|file| file.to_str().unwrap().contains("scratch")).count(), 0);
    }

    async fn one_flipped_bit_anywhere_is_found(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        make(&app, &place).await;
        let mut dice = Dice::new();
        let found = files(folder.path());
        assert_eq!(found.len(), 3 + 8, "the backup's three and the pictures");
        for file in found {
            let whole = std::fs::read(&file).unwrap();
            for _ in 0..3 {
                let bit = dice.below(whole.len() as u64 * 8) as usize;
                let mut other = whole.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                std::fs::write(&file, &other).unwrap();
                let told = verify::verify(&app.app.config, &app.clock, &place, None, &[], &Progress::silent()).await;
                assert!(told.is_err() || !told.unwrap().faults.is_empty(), "bit {bit} of {}", file.display());
            }
            // Cut short, grown, and gone.
            for other in [&whole[..whole.len() - 1], &[&whole[..], b"\n"].concat()] {
                std::fs::write(&file, other).unwrap();
                let told = verify::verify(&app.app.config, &app.clock, &place, None, &[], &Progress::silent()).await;
                assert!(told.is_err() || !told.unwrap().faults.is_empty(), "{}", file.display());
            }
            std::fs::remove_file(&file).unwrap();
            let told = verify::verify(&app.app.config, &app.clock, &place, None, &[], &Progress::silent()).await;
            assert!(told.is_err() || !told.unwrap().faults.is_empty(), "without {}", file.display());
            std::fs::write(&file, &whole).unwrap();
        }
        assert_eq!(verify(&app, &place, &[]).await.faults, Vec::<String>::new());
    }

    async fn what_was_wrong_in_the_database_is_found_in_its_backup(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        for (damage, said) in [
            ("UPDATE audit SET action = 'visit.approve' WHERE action = 'visit.submit'", "breaks at event"),
            ("UPDATE feed SET revision = 0 WHERE kind = 'place'", "which ends at 0"),
            ("UPDATE signature SET sha256 = lower(hex(server_signature))", "signature"),
            ("UPDATE feed_entry SET body = id WHERE kind = 'visit'", "cannot be read"),
        ] {
            // The engines keep an id otherwise.
            let damage = if said == "cannot be read" && app.engine() == Engine::Postgres {
                "UPDATE feed_entry SET body = uuid_send(id) WHERE kind = 'visit'"
            } else {
                damage
            };
            app.app.db.write(move |tx| Box::pin(tx.query(damage).run())).await.unwrap();
            make(&app, &place).await;
            let report = verify(&app, &place, &[]).await;
            assert!(report.faults.iter().any(|fault| fault.contains(said)), "{damage}: {:?}", report.faults);
            app.clock.shift(1_000);
        }
    }

    async fn a_restored_server_is_filled_again_by_its_phones(app: TestApp) {
        let (mentor, other) = (app.mentor().await, app.other_mentor().await);
        let before = delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        make(&app, &place).await;

        // What a day brings after the backup; phones keep what they delivered.
        let household = mentor.a_household().await;
        let register = |n: u32| {
            json!({ "household": { "id": kilele_tests::id(), "place": household["place"], "head_name": format!("After {n}"), "members": [], "disability": false }, "evidence": [] })
        };
        let mut visit = mentor.visit(&household);
        visit.photos = vec![pictures::photo(31), pictures::photo(32)];
        visit.captures = visit.photos.iter().zip(["front", "back"]).map(|(photo, slot)| pictures::capture(photo, slot)).collect();
        visit.body["evidence"] = json!(visit.captures);
        let kept: Vec<Value> = (0..5)
            .map(|n| command("household.register", register(n)))
            .chain([command("visit.submit", visit.body.clone())])
            .collect();
        for result in mentor.sync(&json!({}), &kept).await["results"].as_array().unwrap() {
            assert_eq!(result["status"], "applied", "{result}");
        }
        bring(&mentor, &visit).await;
        let cursors = cursors(&mentor).await;
        let (was, others) = (all(&mentor).await, all(&other).await);

        // The machine burns. On another one stands the backup, on the other engine where there was one.
        let engine = if app.engine() == Engine::Sqlite { Engine::Postgres } else { Engine::Sqlite };
        let machine = app.elsewhere(engine).await;
        let done = restore::restore(&machine.config, &app.clock, &place, None, &[], &Progress::silent()).await.unwrap();
        assert_eq!((done.objects, done.added, done.lost.len(), &done.replaced), (8, 8, 0, &None));
        let new = machine.serve(&app.clock).await;
        drop(app);
        let again = Person::sign_in(&new, "amina.mentor", mentor.device, None).await;
        let again_other = Person::sign_in(&new, "juma.mentor", other.device, None).await;
        assert_eq!(all(&again).await.len(), was.len() - 5 - 1 - 2 - 1, "as it was: five households, a visit, two pictures, a signature less");

        // Somebody else's work brings the village beyond this phone's cursor before it comes back: still it begins anew.
        let grace = new.supervisor().await;
        for n in 10..40 {
            assert_eq!(grace.command("household.register", register(n)).await.ok()["status"], "applied");
        }
        // Something new of it is not taken before what was lost: it hangs on that.
        let lost = kept[0]["body"]["household"]["id"].clone();
        let unsent = command("household.update", json!({ "id": lost, "changes": { "notes": { "was": null, "now": "unsent" } } }));
        let answer = again.sync_with(json!({ "cursors": cursors, "commands": [unsent] })).await;
        let reset: BTreeSet<&str> = answer["reset"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(reset.contains(household["place"].as_str().unwrap()), "{reset:?}");
        assert_eq!(answer["results"], json!([]));
        let after = after(&answer);
        let have: Vec<Value> = visit.captures.iter().map(|capture| held(capture, &visit)).collect();
        let answer = again.sync_with(json!({ "cursors": after, "commands": kept, "have": have })).await;
        assert_eq!(answer["reset"], json!([]), "once");
        for result in answer["results"].as_array().unwrap() {
            assert_eq!(result["status"], "applied", "{result}");
        }
        assert_eq!(answer["want"].as_array().unwrap().len(), 2, "the server asks for what it lost: {answer}");
        bring(&again, &visit).await;

        // Whatever was there is there again, once; and the others have lost nothing.
        let now = all(&again).await;
        assert!(now.is_superset(&was), "{:#?}", was.difference(&now).collect::<Vec<_>>());
        assert_eq!(now.len(), was.len() + 30);
        assert!(all(&again_other).await.is_superset(&others));
        assert!(again.record("visit", &before.id).await.is_some());
        // And a second delivery of the same changes nothing.
        let twice = again.sync_with(json!({ "cursors": {}, "commands": kept })).await;
        assert!(twice["results"].as_array().unwrap().iter().all(|result| result["status"] == "duplicate"), "{twice}");
        assert_eq!(all(&again).await.len(), now.len());
        assert_eq!(again.sync_with(json!({ "cursors": after, "commands": [unsent] })).await["results"][0]["status"], "applied");
        // The chains go on from where the backup had them.
        let report = kilele::audit::organisation(&new.app, again.org().parse().unwrap(), "demo").await.unwrap();
        assert_eq!(report.broken, Vec::<String>::new());
        let image = again.get(&format!("/api/media/{}/full", visit.captures[0]["id"].as_str().unwrap())).await;
        assert_eq!(image.status, 200);
    }

    async fn a_sealed_backup_opens_by_its_secret_only(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let (secret, recipient) = Identity::make().unwrap();
        let config = kilele::config::Config { backup_recipients: vec![recipient], ..app.app.config.clone() };
        let place = Place::open(&config, Some(folder.path().to_str().unwrap())).unwrap();
        assert!(make(&app, &place).await.sealed);
        for file in files(folder.path()) {
            let bytes = std::fs::read(&file).unwrap();
            let name = file.to_str().unwrap();
            // The manifest and the list of hashes tell nothing of anybody.
            let open = name.ends_with("/manifest") || name.ends_with("/objects");
            assert!(open || bytes.starts_with(b"age-encryption.org/v1\n"), "{name}");
        }
        let identity = Identity::parse_file(&secret).unwrap();
        assert_eq!(verify(&app, &place, &identity).await.faults, Vec::<String>::new());
        let other = Identity::parse_file(&Identity::make().unwrap().0).unwrap();
        assert!(!verify(&app, &place, &other).await.faults.is_empty());
        let nobody = verify::verify(&app.app.config, &app.clock, &place, None, &[], &Progress::silent()).await.unwrap_err();
        assert!(format!("{nobody:#}").contains("--identity"), "{nobody:#}");
        // A second one adds nothing, though it could not be compared by length.
        assert_eq!(make(&app, &place).await.added, 0);

        let machine = app.elsewhere(app.engine()).await;
        let without = restore::restore(&machine.config, &app.clock, &place, None, &[], &Progress::silent()).await;
        assert!(without.is_err());
        let done = restore::restore(&machine.config, &app.clock, &place, None, &identity, &Progress::silent()).await.unwrap();
        assert_eq!((done.added, done.lost.len()), (8, 0));
        let new = machine.serve(&app.clock).await;
        assert_eq!(all(&new.mentor().await).await, all(&mentor).await);
    }

    async fn a_damaged_backup_changes_nothing(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        let made = make(&app, &place).await;
        let machine = app.elsewhere(app.engine()).await;
        let restore = async |clock: &Clock| restore::restore(&machine.config, clock, &place, None, &[], &Progress::silent()).await;
        restore(&app.clock).await.unwrap();
        let database = folder.path().join(&made.name).join("database");
        let whole = std::fs::read(&database).unwrap();
        std::fs::write(&database, &whole[..whole.len() / 2]).unwrap();
        let refused = restore(&app.clock).await.unwrap_err();
        assert!(format!("{refused:#}").contains("not as it was written"), "{refused:#}");
        // Another installation's secret.
        let other = kilele::config::Config { secret: Some(kilele::crypto::b64(&kilele::clock::random::<32>())), ..machine.config.clone() };
        std::fs::write(&database, &whole).unwrap();
        let refused = restore::restore(&other, &app.clock, &place, None, &[], &Progress::silent()).await.unwrap_err();
        assert!(format!("{refused:#}").contains("another secret"), "{refused:#}");
        let new = machine.serve(&app.clock).await;
        assert_eq!(all(&new.mentor().await).await, all(&mentor).await);
    }

    async fn a_picture_that_the_storage_lost_is_named(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = delivered(&mentor).await;
        let media = app.app.config.media_url.strip_prefix("file://").unwrap().to_owned();
        let sha256 = visit.captures[0]["sha256"].as_str().unwrap();
        let lost = format!("{media}/{}/{}/{sha256}/thumb", mentor.org(), &sha256[..2]);
        std::fs::remove_file(&lost).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        let made = make(&app, &place).await;
        assert_eq!((made.missing.len(), made.objects, made.added), (1, 8, 7));
        assert!(made.missing[0].ends_with(&format!("{sha256}/thumb")), "{:?}", made.missing);
        // The backup is whole as far as it could be, and says what it lacks.
        let report = verify(&app, &place, &[]).await;
        assert_eq!((report.faults.len(), report.missing), (0, made.missing.clone()));
    }

    async fn old_backups_go_and_pictures_that_nobody_names_go_with_them(app: TestApp) {
        let mentor = app.mentor().await;
        delivered(&mentor).await;
        let folder = tempfile::tempdir().unwrap();
        let place = place(&app, &folder);
        let first = make(&app, &place).await;
        // Erased since: its pictures are in the old backup only.
        let forget = "DELETE FROM derivative";
        app.app.db.write(move |tx| Box::pin(tx.query(forget).run())).await.unwrap();
        app.clock.shift(29 * DAY);
        let second = make(&app, &place).await;
        assert_eq!((second.objects, second.removed), (2, 0));
        assert_eq!(files(&folder.path().join("objects")).len(), 8);
        app.clock.shift(2 * DAY);
        let third = make(&app, &place).await;
        assert_eq!(third.removed, 1);
        assert_eq!(place.names().await.unwrap(), [second.name, third.name]);
        assert!(!folder.path().join(first.name).join("manifest").exists());
        assert_eq!(files(&folder.path().join("objects")).len(), 2);
        let report = verify(&app, &place, &[]).await;
        assert_eq!((report.faults.len(), report.gaps.len()), (0, 1), "two days between the last two");
    }
}

/// What a phone says of a picture that it holds.
fn held(capture: &Value, visit: &Visit) -> Value {
    json!({
        "id": capture["id"], "sha256": capture["sha256"], "bytes": capture["bytes"], "slot": capture["slot"],
        "subject_kind": "visit", "subject": visit.id, "captured_at": capture["captured_at"],
    })
}

/// Where a phone stands that has pulled everything.
async fn cursors(person: &Person) -> Value {
    let mut cursors = json!({});
    loop {
        let answer = person.sync(&cursors, &[]).await;
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        if answer["more"] == false {
            return cursors;
        }
    }
}

/// Where a phone stands that has taken in an answer which begins all its feeds anew.
fn after(answer: &Value) -> Value {
    let feeds = answer["feeds"].as_object().unwrap();
    feeds.iter().map(|(feed, news)| (feed.clone(), news["revision"].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// With a place for daily backups.
async fn daily(engine: Engine) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let app = TestApp::spawn_with(engine, |name| (name == "KILELE_BACKUP_URL").then(|| url.clone())).await;
    (app, folder)
}

async fn a_backup_is_made_each_day(engine: Engine) {
    let (app, folder) = daily(engine).await;
    let admin = app.admin().await;
    schedule::sweep(&app.app).await.unwrap();
    app.app.jobs.notify_one();
    let state = async |wanted: &str| {
        until(wanted, async || {
            let said = admin.get("/api/backups").await.ok();
            (said["state"] == wanted && said["running"] == false).then_some(said)
        })
        .await
    };
    let first = state("good").await;
    assert!(first["bytes"].as_i64().unwrap() > 1_000 && first["pictures"] == 0, "{first}");
    let place = Place::open(&app.app.config, None).unwrap();
    assert_eq!(place.names().await.unwrap().len(), 1);
    // Asked again on the same day it makes no other.
    schedule::sweep(&app.app).await.unwrap();
    until("the job to be settled", async || {
        let waiting: (i64,) = app.app.db.query("SELECT count(*) FROM job WHERE kind = 'backup'").one().await.unwrap();
        (waiting.0 == 0).then_some(())
    })
    .await;

    // The next day another is made.
    app.clock.shift(27 * HOUR);
    let admin = app.admin().await;
    schedule::sweep(&app.app).await.unwrap();
    app.app.jobs.notify_one();
    let again = until("another backup", async || {
        let said = admin.get("/api/backups").await.ok();
        (said["state"] == "good" && said["made_at"].as_i64() > first["made_at"].as_i64()).then_some(said)
    })
    .await;
    assert_eq!(place.names().await.unwrap().len(), 2);

    // A place that is gone.
    drop(place);
    std::fs::remove_dir_all(folder.path()).unwrap();
    std::fs::write(folder.path(), "not a folder").unwrap();
    let failed = schedule::run(&app.app, Place::open(&app.app.config, None), &Progress::silent()).await.unwrap();
    assert!(failed.is_err());
    let said = admin.get("/api/backups").await.ok();
    assert_eq!((said["state"].as_str(), said["made_at"].as_i64()), (Some("failed"), again["made_at"].as_i64()));
    std::fs::remove_file(folder.path()).unwrap();
    std::fs::create_dir(folder.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_each_day_on_sqlite() {
    a_backup_is_made_each_day(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_each_day_on_postgres() {
    a_backup_is_made_each_day(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_asked_for_backups() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    schedule::sweep(&app.app).await.unwrap();
    assert_eq!(app.admin().await.get("/api/backups").await.ok()["state"], "off");
    // Somebody made one by hand; a day later it is late.
    let folder = tempfile::tempdir().unwrap();
    schedule::run(&app.app, Ok(place(&app, &folder)), &Progress::silent()).await.unwrap().unwrap();
    assert_eq!(app.admin().await.get("/api/backups").await.ok()["state"], "good");
    app.clock.shift(27 * HOUR);
    assert_eq!(app.admin().await.get("/api/backups").await.ok()["state"], "late");
}
