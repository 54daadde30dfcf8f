//! Push and pull: once, in order, nothing skipped.

use std::collections::BTreeMap;

use kilele_tests::{NewId, Person, TestApp, Uuid, both, id, registry};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::imports;

/// What a phone holds after applying answers in the order they come.
#[derive(Default)]
struct Phone {
    cursors: BTreeMap<String, i64>,
    records: BTreeMap<String, Value>,
}

impl Phone {
    fn take(&mut self, answer: &Value) {
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            for entry in news["entries"].as_array().unwrap() {
                self.records.insert(entry["id"].as_str().unwrap().into(), entry["body"].clone());
            }
            self.cursors.insert(feed.clone(), news["revision"].as_i64().unwrap());
        }
    }

    async fn pull(&mut self, person: &Person) {
        loop {
            let answer = person.sync(&json!(self.cursors), &[]).await;
            self.take(&answer);
            if answer["more"] == false {
                return;
            }
        }
    }
}

fn command(kind: &str, body: Value) -> Value {
    json!({ "id": id(), "kind": kind, "at": 1_790_000_000_000_i64, "body": body })
}

fn note(household: &Value, was: &Value, now: &str) -> Value {
    command("household.update", json!({ "id": household["id"], "changes": { "notes": { "was": was, "now": now } } }))
}

both! {
    async fn a_phone_gets_its_places_and_nothing_else(app: TestApp) {
        let mentor = app.mentor().await;
        let own: Vec<Value> = mentor.session["member"]["places"].as_array().unwrap().clone();
        let answer = mentor.sync(&json!({}), &[]).await;
        let feeds: Vec<&String> = answer["feeds"].as_object().unwrap().keys().collect();
        assert_eq!(feeds.len(), own.len() + 2, "four villages, the organisation, oneself: {feeds:?}");
        let households = mentor.records("household").await;
        assert_eq!(households.len(), 8);
        assert!(households.iter().all(|h| own.contains(&h["place"])));
        let heartbeat = mentor.sync(&json!(cursors(&answer)), &[]).await;
        assert_eq!(heartbeat["feeds"], json!({}));
        assert!(heartbeat.to_string().len() < 1000, "nothing new is said in less than a kilobyte");
        assert_eq!(app.supervisor().await.records("household").await.len(), 24);
        assert_eq!(app.admin().await.records("household").await.len(), 24);
    }

    async fn a_command_takes_effect_once_however_often_it_comes(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let visit = command("visit.submit", mentor.visit(&household).body);
        let first = mentor.sync(&json!({}), std::slice::from_ref(&visit)).await["results"][0].clone();
        assert_eq!(first["status"], "applied");
        let doubled = futures_util::future::join_all((0..8).map(|_| mentor.post("/api/commands", &visit))).await;
        for answer in doubled {
            let answer = answer.ok();
            assert_eq!((answer["status"].as_str(), &answer["first"]), (Some("duplicate"), &first));
        }
        assert_eq!(mentor.records("visit").await.len(), 1);
        let (count,): (i64,) = app.app.db.query("SELECT count(*) FROM command_log WHERE kind = 'visit.submit'").one().await.unwrap();
        assert_eq!(count, 1);
    }

    async fn the_same_command_at_once_from_everywhere_takes_effect_once(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = command("visit.submit", mentor.visit(&mentor.a_household().await).body);
        let answers = futures_util::future::join_all((0..16).map(|_| mentor.post("/api/commands", &visit))).await;
        let applied = answers.into_iter().map(|a| a.ok()["status"].clone()).filter(|s| s == "applied").count();
        assert_eq!(applied, 1);
        let visits = mentor.records("visit").await;
        assert_eq!((visits.len(), visits[0]["round"].as_i64()), (1, Some(1)));
    }

    async fn one_bad_command_rejects_only_itself(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let good = [note(&household, &household["notes"], "one"), note(&household, &json!("one"), "two")];
        let mut long = mentor.visit(&household).body;
        long["observations"] = "x".repeat(4001).into();
        let batch = [
            json!("not even an object"),
            json!({ "id": id(), "kind": "visit.teleport", "at": 1, "body": {} }),
            good[0].clone(),
            json!({ "id": "nonsense", "kind": "visit.start", "at": 1, "body": {} }),
            json!({ "id": id(), "kind": "visit.start", "at": "yesterday", "body": {} }),
            command("visit.submit", long),
            json!({ "id": id(), "kind": "inbox.read", "at": 1, "body": { "ids": ["\u{0}"] } }),
            good[1].clone(),
        ];
        let answer = mentor.sync(&json!({}), &batch).await;
        let statuses: Vec<(&str, Option<&str>)> = answer["results"].as_array().unwrap().iter()
            .map(|r| (r["status"].as_str().unwrap(), r["code"].as_str())).collect();
        assert_eq!(statuses, [
            ("rejected", Some("invalid_command")), ("rejected", Some("unknown_command")), ("applied", None),
            ("rejected", Some("invalid_command")), ("rejected", Some("invalid_command")), ("rejected", Some("invalid")),
            ("rejected", Some("invalid_text")), ("applied", None),
        ]);
        assert_eq!(mentor.record("household", household["id"].as_str().unwrap()).await.unwrap()["notes"], "two");
        // What was typed is kept with the rejection, sealed.
        let kept: Vec<(String,)> = app.app.db.query("SELECT rejected FROM command_log WHERE kind = 'visit.submit' AND rejected IS NOT NULL").all().await.unwrap();
        assert!(app.app.crypto.open_text(&kept[0].0).contains("xxxx") && !kept[0].0.contains("xxxx"));
        let again = mentor.sync(&json!({}), &[batch[5].clone()]).await["results"][0].clone();
        assert_eq!((again["status"].as_str(), again["first"]["code"].as_str()), (Some("duplicate"), Some("invalid")));
    }

    async fn a_wrong_clock_changes_nothing_but_what_it_says(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        for (days, text) in [(-400, "long ago"), (400, "in the future")] {
            let mut change = note(&household, &mentor.a_household().await["notes"], text);
            change["at"] = json!(app.clock.now() + days * kilele::clock::DAY);
            assert_eq!(mentor.sync(&json!({}), &[change]).await["results"][0]["status"], "applied");
        }
        let kept = mentor.a_household().await;
        assert_eq!(kept["notes"], "in the future", "order is the server's");
        assert!((kept["updated_at"].as_i64().unwrap() - app.clock.now()).abs() < kilele::clock::MINUTE);
    }

    async fn no_pull_ever_skips_a_revision_while_others_write(app: TestApp) {
        let mentor = app.mentor().await;
        let supervisor = app.supervisor().await;
        let households = mentor.records("household").await;
        let mut phone = Phone::default();
        let writers = (0..50).map(|n| {
            let (mentor, household) = (&mentor, &households[n % households.len()]);
            async move {
                let change = json!({ "id": household["id"], "changes": { "notes": { "was": null, "now": format!("writer {n}") } } });
                let planned = json!({ "id": id(), "household": household["id"], "mentor": mentor.member(), "kind": "scheduled",
                                      "planned_at": 1_800_000_000_000_i64 });
                mentor.post("/api/commands", &command("household.update", change)).await.ok();
                mentor.post("/api/commands", &command("visit.plan", planned)).await.ok();
            }
        });
        let writing = futures_util::future::join_all(writers);
        let pulling = async { for _ in 0..25 { phone.pull(&supervisor).await; } };
        futures_util::future::join(writing, pulling).await;
        phone.pull(&supervisor).await;
        let mut fresh = Phone::default();
        fresh.pull(&supervisor).await;
        assert_eq!(fresh.records.values().filter(|r| r["planned_at"].is_i64()).count(), 50);
        assert_eq!(phone.records, fresh.records, "what came in pieces is what comes at once");
    }

    async fn all_devices_converge_whatever_is_lost_or_doubled(app: TestApp) {
        let seed: u64 = std::env::var("KILELE_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_120);
        println!("KILELE_TEST_SEED={seed}");
        let algorithm = proptest::test_runner::RngAlgorithm::ChaCha;
        let rng = proptest::test_runner::TestRng::from_seed(algorithm, &[seed.to_le_bytes(); 4].concat());
        let mut runner = TestRunner::new_with_rng(proptest::test_runner::Config::default(), rng);
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let second = app.sign_in("amina.mentor").await;
        let people = [&mentor, &second, &supervisor];
        let households = mentor.records("household").await;
        // (who, which household, which field, send twice?, lose the answer?)
        let step = (0..3_usize, 0..3_usize, 0..3_usize, proptest::bool::ANY, proptest::bool::ANY);
        let steps = proptest::collection::vec(step, 60).new_tree(&mut runner).unwrap().current();
        let mut phones: Vec<Phone> = people.iter().map(|_| Phone::default()).collect();
        let mut typed: Vec<(String, String)> = Vec::new();
        for (n, (who, which, field, twice, lost)) in steps.into_iter().enumerate() {
            let household = households[which]["id"].as_str().unwrap();
            let field = ["notes", "head_name", "monthly_income_minor"][field];
            let was = phones[who].records.get(household).map_or(households[which][field].clone(), |r| r[field].clone());
            let now = if field == "monthly_income_minor" { json!(n) } else { json!(format!("{field} {n}")) };
            let change = command("household.update", json!({ "id": household, "changes": { field: { "was": was, "now": now } } }));
            typed.push((field.into(), now.to_string()));
            for _ in 0..=usize::from(twice) {
                let answer = people[who].sync(&json!(phones[who].cursors), std::slice::from_ref(&change)).await;
                assert_ne!(answer["results"][0]["status"], "rejected", "{answer}");
                if !lost {
                    phones[who].take(&answer);
                }
            }
        }
        for (phone, person) in phones.iter_mut().zip(people) {
            phone.pull(person).await;
        }
        let seen = |phone: &Phone, kind: &str| -> BTreeMap<String, Value> {
            phone.records.iter().filter(|(_, r)| r.get(kind).is_some()).map(|(id, r)| (id.clone(), r.clone())).collect()
        };
        let own: BTreeMap<_, _> = seen(&phones[0], "head_name");
        assert_eq!(own, seen(&phones[1], "head_name"));
        assert!(own.iter().all(|(id, r)| phones[2].records[id] == *r));
        // No typed value is gone without a later edit or a conflict that shows it.
        let mut audit: Vec<(String,)> = app.app.db.query("SELECT change FROM audit").all().await.unwrap();
        let conflicts: Vec<(Vec<u8>,)> = app.app.db.query("SELECT body FROM feed_entry WHERE kind = 'conflict'").all().await.unwrap();
        audit.extend(conflicts.iter().map(|(body,)| (kilele::packed::open(body).unwrap(),)));
        for (field, value) in typed {
            assert!(audit.iter().any(|(change,)| change.contains(&value)), "{field} = {value} is nowhere");
        }
    }

    async fn large_feeds_come_in_pages(app: TestApp) {
        let mentor = app.mentor().await;
        let rows = registry::csv(3_100, &["KIL-MA-01".to_owned(), "KIL-MA-02".to_owned()]);
        let admin = app.admin().await;
        let import = imports::checked(&admin, "households", rows).await;
        imports::committed(&admin, &import).await;
        let mut phone = Phone::default();
        let answer = mentor.sync(&json!({}), &[]).await;
        assert_eq!(answer["more"], true);
        phone.pull(&mentor).await;
        let imported = |r: &&Value| r["registered_by"] == admin.member();
        assert_eq!(phone.records.values().filter(imported).count(), 3_100);
    }

    async fn what_the_phone_holds_is_known_before_it_arrives(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let have = |capture: &Value| json!({ "id": capture["id"], "sha256": capture["sha256"], "bytes": capture["bytes"], "slot": capture["slot"],
            "subject_kind": "visit", "subject": visit.id, "captured_at": capture["captured_at"] });
        mentor.upload(&visit.captures[0], &visit.photos[0]).await;
        let stranger = kilele_tests::pictures::capture(&visit.photos[0], "site");
        let answer = mentor.sync_with(json!({ "have": [have(&visit.captures[0]), have(&visit.captures[1]), have(&stranger)] })).await;
        assert_eq!(answer["want"], json!([visit.captures[1]["id"]]));
        assert_eq!(answer["unknown"], json!([stranger["id"]]));
        let receipt = &answer["acknowledged"][0];
        assert_eq!((&receipt["id"], &receipt["sha256"], &receipt["bytes"]), (&visit.captures[0]["id"], &visit.captures[0]["sha256"], &visit.captures[0]["bytes"]));
        let missing: Vec<(Uuid,)> = app.app.db.query("SELECT id FROM capture WHERE received_at IS NULL ORDER BY captured_at").all().await.unwrap();
        assert_eq!(missing.len(), 2, "both that have not arrived can be named");
        let mut lied = have(&visit.captures[0]);
        lied["sha256"] = json!("0".repeat(64));
        assert_eq!(mentor.sync_with(json!({ "have": [lied] })).await["acknowledged"], json!([]), "no receipt for other bytes");
    }
}

fn cursors(answer: &Value) -> BTreeMap<String, Value> {
    answer["feeds"].as_object().unwrap().iter().map(|(feed, news)| (feed.clone(), news["revision"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_come_packed_and_answers_go_packed() {
    use std::io::{Read, Write};
    let app = TestApp::spawn(kilele_tests::Engine::Sqlite).await;
    let mentor = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), None).await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(json!({ "device": mentor.device, "schema": 1 }).to_string().as_bytes()).unwrap();
    let request = mentor
        .request(reqwest::Method::POST, "/api/sync")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .header("accept-encoding", "gzip")
        .body(packer.finish().unwrap());
    let answer = kilele_tests::Answer::of(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, "gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&answer.bytes[..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("\"results\":[]"));
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![b' '; 20 << 20]).unwrap();
        packer.finish().unwrap()
    };
    let request = mentor.request(reqwest::Method::POST, "/api/sync").header("content-type", "application/json");
    kilele_tests::Answer::of(request.header("content-encoding", "gzip").body(bomb)).await.refused(413, "too_large");
}
