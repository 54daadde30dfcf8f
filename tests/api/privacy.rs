//! Personal data: taken out, erased with proof, kept for a time, and sealed with keys that change.

use kilele::clock::{DAY, HOUR};
use kilele::ops::progress::Progress;
use kilele::{audit, cli, packed, privacy};
use kilele_tests::{Person, TestApp, both, id, until};
use serde_json::{Value, json};

async fn verified(app: &TestApp) {
    let (said, broken) = cli::verify_audit(&app.app, None, false).await.unwrap();
    assert_eq!(broken, 0, "{said}");
}

/// A household with an id, a phone, a person, a visit, pictures and a signature.
async fn a_full_one(mentor: &Person) -> (Value, kilele_tests::Visit) {
    let place = mentor.session["member"]["places"][0].clone();
    let body = json!({ "household": { "id": id(), "place": place, "head_name": "Zawadi Chebet", "national_id": "12345678",
        "phone": "0712 345 678", "notes": "A secret of the house", "lat": -1.5, "lon": 36.9,
        "members": [{ "id": id(), "name": "Quxara Chebet", "relationship": "child" }] }, "evidence": [] });
    mentor.command("household.register", body.clone()).await.ok();
    let household = mentor.record("household", body["household"]["id"].as_str().unwrap()).await.unwrap();
    let visit = mentor.submit(&household).await;
    mentor.upload(&visit.captures[0], &visit.photos[0]).await;
    (household, visit)
}

/// Every readable text of the database, opened.
async fn everything(app: &TestApp) -> String {
    let db = &app.app.db;
    let mut all = String::new();
    let bodies: Vec<(Vec<u8>,)> = db.query("SELECT body FROM feed_entry").all().await.unwrap();
    bodies.iter().for_each(|(body,)| all += &app.app.crypto.open_text(&packed::open(body).unwrap()));
    for sql in ["SELECT change FROM audit", "SELECT card FROM household", "SELECT name_key FROM household"] {
        let texts: Vec<(String,)> = db.query(sql).all().await.unwrap();
        texts.iter().for_each(|(text,)| all += &app.app.crypto.open_text(text));
    }
    let records: Vec<(Vec<u8>,)> = db.query("SELECT record FROM signature").all().await.unwrap();
    records.iter().for_each(|(record,)| all += &String::from_utf8_lossy(record));
    all
}

both! {
    async fn all_of_a_household_is_taken_out_and_that_is_noted(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let (household, visit) = a_full_one(&mentor).await;
        let path = format!("/api/households/{}/export", household["id"].as_str().unwrap());
        mentor.get(&path).await.refused(403, "forbidden");
        let taken = admin.get(&path).await;
        assert!(taken.header("content-disposition").starts_with("attachment"));
        let taken = taken.ok();
        assert_eq!((&taken["household"]["national_id"], &taken["household"]["phone"]), (&json!("12345678"), &json!("+254712345678")));
        assert_eq!(taken["visits"][0]["id"], visit.id);
        assert_eq!(taken["signatures"].as_array().unwrap().len(), 1);
        assert!(taken["evidence"].as_array().unwrap().len() >= 2);
        assert!(taken["events"].as_array().unwrap().iter().any(|e| e["action"] == "household.register"));
        let noted = admin.get("/api/audit?action=household.export").await.ok();
        assert_eq!(noted["items"][0]["subject"], household["id"]);
        admin.get(&format!("/api/households/{}/export", id())).await.refused(404, "not_found");
    }

    async fn an_erased_household_is_gone_and_the_chains_still_hold(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let (household, visit) = a_full_one(&mentor).await;
        let household_id = household["id"].as_str().unwrap();
        audit::seal::all(&app.app).await.unwrap();
        until("the picture is derived", async || {
            let ready = mentor.record("evidence", visit.captures[0]["id"].as_str().unwrap()).await?;
            (ready["state"] == "ready").then_some(())
        })
        .await;
        let media = app.app.config.data_dir.join("media");
        let files = || walk(&media).into_iter().filter(|f| f.contains(visit.captures[0]["sha256"].as_str().unwrap())).count();
        assert!(files() >= 2, "{:?}", walk(&media));
        for secret in ["Zawadi", "12345678", "Quxara", "A secret of the house"] {
            assert!(everything(&app).await.contains(secret), "{secret}");
        }
        let path = format!("/api/households/{household_id}/erase");
        let why = json!({ "reason": "She asked for it in writing." });
        mentor.post(&path, &why).await.refused(403, "forbidden");
        admin.post(&path, &json!({ "reason": " " })).await.refused(422, "invalid");
        let proof = admin.post(&path, &why).await.ok();
        assert_eq!((&proof["subject"], &proof["kind"], &proof["member"]), (&household["id"], &json!("household"), &json!(admin.member())));
        assert!(proof["counts"]["pictures"].as_i64() >= Some(2) && proof["counts"]["signatures"] == 1, "{proof}");
        admin.post(&path, &why).await.refused(409, "erased");
        // The proof is the server's, with the reason, which lies nowhere in clear.
        let signature = kilele::crypto::unb64(proof["signature"].as_str().unwrap()).unwrap();
        let message = proof["message"].as_str().unwrap();
        assert!(app.app.crypto.verify_own(message.as_bytes(), &signature) && message.ends_with("|She asked for it in writing."), "{message}");
        let listed = admin.get("/api/erasures").await.ok()["items"][0].clone();
        assert_eq!((&listed["reason"], &listed["message"]), (&why["reason"], &proof["message"]));
        let (kept,): (String,) = app.app.db.query("SELECT reason FROM erased WHERE reason IS NOT NULL").one().await.unwrap();
        assert!(!kept.contains("asked"), "{kept}");
        assert!(!everything(&app).await.contains("in writing"));
        // Nothing personal is left anywhere in the database, nor the pictures.
        let left = everything(&app).await;
        for secret in ["Zawadi", "zawadi", "12345678", "712345678", "Quxara", "A secret of the house"] {
            assert!(!left.contains(secret), "{secret}");
        }
        until("the bytes are gone", async || (files() == 0).then_some(())).await;
        // Another's visit with the same photos, signed next in the same chain.
        let other = mentor.submit(&mentor.a_household().await).await;
        let found = mentor.get("/api/households?q=12345678").await.ok();
        assert_eq!(found["items"], json!([]));
        // The phone that held it gets it so; figures and the visit's place in the programme stay.
        let kept = mentor.record("household", household_id).await.unwrap();
        assert_eq!((&kept["head_name"], &kept["national_id"], &kept["members"]), (&household["number"], &Value::Null, &json!([])));
        let kept = mentor.record("visit", &visit.id).await.unwrap();
        assert_eq!((kept["state"].as_str(), kept["observations"].as_str(), &kept["lat"]), (Some("submitted"), Some(""), &Value::Null));
        assert!(mentor.records("signature").await.iter().all(|s| s["subject"] != visit.id.as_str()));
        // The chains hold, over what was sealed before; another's signature too.
        verified(&app).await;
        let events = admin.get(&format!("/api/audit?subject={household_id}&limit=200")).await.ok();
        assert!(events["items"].as_array().unwrap().iter().any(|e| e["erased"] == true && e["action"] == "household.register"));
        let signature = mentor.records("signature").await.into_iter().find(|s| s["subject"] == other.id.as_str()).unwrap();
        let check = mentor.get(&format!("/api/signatures/{}/verify", signature["id"].as_str().unwrap())).await.ok();
        assert_eq!(check["valid"], true, "{check}");
        assert_eq!(admin.get("/api/erasures").await.ok()["items"].as_array().unwrap().len(), 1);
        // An erasure that nobody made shows.
        let forged = "UPDATE audit SET change = '', digest = hash WHERE action = 'member.add'";
        app.app.db.write(move |tx| Box::pin(tx.query(forged).run())).await.unwrap();
        assert!(cli::verify_audit(&app.app, None, false).await.unwrap().1 > 0);
    }

    async fn keys_change_and_everything_stays_found_and_readable(app: TestApp) {
        let mentor = app.mentor().await;
        // A clock that goes back behind the first key's making takes no other one.
        app.clock.shift(-86_400_000);
        privacy::keys::read(&app.app).await.unwrap();
        app.clock.shift(86_400_000);
        let (household, _) = a_full_one(&mentor).await;
        mentor.command("household.update", json!({ "id": household["id"], "changes": { "nonsense": {} } })).await.refused(422, "invalid");
        let phone = json!({ "phone": { "was": "+254712345678", "now": "0733 444 555" } });
        mentor.command("household.update", json!({ "id": household["id"], "changes": phone })).await.ok();
        let raw = async || -> String {
            let bodies: Vec<(Vec<u8>,)> = app.app.db.query("SELECT body FROM feed_entry").all().await.unwrap();
            let mut all: String = bodies.iter().map(|(body,)| packed::open(body).unwrap()).collect();
            for sql in ["SELECT change FROM audit", "SELECT rejected FROM command_log WHERE rejected IS NOT NULL"] {
                let texts: Vec<(String,)> = app.app.db.query(sql).all().await.unwrap();
                texts.iter().for_each(|(text,)| all += text);
            }
            all
        };
        // The first key of a new installation is one like all others.
        let all = raw().await;
        assert_eq!(all.matches("~sealed~").count(), all.matches("~sealed~k1.").count());
        let of_first = |text: &str| text.matches("~sealed~k1.").count();
        assert!(of_first(&raw().await) > 3);
        let twin = app.twin().await;
        let from = privacy::keys::make(&app.app, false).await.unwrap();
        // Both copies learn of it before either uses it; meanwhile all goes on.
        privacy::keys::read(&twin.app).await.unwrap();
        app.clock.shift(from - app.clock.now() + 1);
        privacy::keys::read(&app.app).await.unwrap();
        let report = privacy::keys::reseal(&app.app, &Progress::silent()).await.unwrap();
        assert!(report.records >= 1 && report.households >= 1 && report.events >= 1 && report.others >= 1, "{report:?}");
        assert_eq!(of_first(&raw().await), 0);
        let again = privacy::keys::reseal(&app.app, &Progress::silent()).await.unwrap();
        assert_eq!((again.records, again.events, again.others), (0, 0, 0), "{again:?}");
        // Found exactly, as before, on either copy; the phone's record says the same.
        for q in ["12345678", "0733444555"] {
            let found = mentor.get(&format!("/api/households?q={q}")).await.ok();
            assert_eq!(found["items"][0]["id"], household["id"], "{q}");
        }
        let seen = mentor.record("household", household["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((&seen["national_id"], &seen["phone"]), (&json!("12345678"), &json!("+254733444555")));
        // The other copy seals by the first key until it reads again; what it writes is still found.
        let other = a_small_one(&twin.mentor().await, "87654321").await;
        let found = mentor.get("/api/households?q=87654321").await.ok();
        assert_eq!(found["items"][0]["id"], other["id"]);
        verified(&app).await;
        // Then the key before is destroyed, not before everybody has learnt of the new one.
        assert_eq!(privacy::keys::destroy(&app.app, &Progress::silent()).await.unwrap_err().code(), "keys_in_use");
        app.clock.shift(privacy::keys::SETTLED);
        privacy::keys::read(&twin.app).await.unwrap();
        let done = privacy::keys::destroy(&app.app, &Progress::silent()).await.unwrap();
        assert_eq!(done.destroyed, 1, "{done:?}");
        assert_eq!(of_first(&raw().await), 0);
        let left: Vec<(i64,)> = app.app.db.query("SELECT id FROM data_key").all().await.unwrap();
        assert_eq!(left, [(2,)]);
        let mentor = app.mentor().await;
        for (q, id) in [("12345678", &household["id"]), ("87654321", &other["id"])] {
            assert_eq!(mentor.get(&format!("/api/households?q={q}")).await.ok()["items"][0]["id"], *id, "{q}");
        }
        verified(&app).await;
    }

    async fn a_member_is_taken_out_and_erased_and_what_they_did_stays(app: TestApp) {
        let (admin, mentor, other) = (app.admin().await, app.mentor().await, app.other_mentor().await);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let name = mentor.session["member"]["name"].as_str().unwrap().to_owned();
        let path = format!("/api/members/{}", mentor.member());
        mentor.get(&format!("{path}/export")).await.refused(403, "forbidden");
        let taken = admin.get(&format!("{path}/export")).await.ok();
        assert_eq!((&taken["account"]["login"], &taken["account"]["name"]), (&json!("amina.mentor"), &json!(name)));
        assert!(taken["visits"].as_array().unwrap().iter().any(|v| v["id"] == visit.id.as_str()), "{taken}");
        assert!(taken["devices"].as_array().unwrap().iter().any(|d| d["id"] == json!(mentor.device)));
        assert!(taken["events_by"].as_array().unwrap().iter().any(|e| e["action"] == "visit.submit"));
        assert!(taken["sessions"].as_array().unwrap().iter().any(|s| s["ended_at"].is_null()) && !taken.to_string().contains("argon2"));
        assert_eq!(admin.get("/api/audit?action=member.export").await.ok()["items"][0]["subject"], json!(mentor.member()));
        // Erased: not oneself, not without a reason, not twice.
        let why = json!({ "reason": "Asked by letter." });
        mentor.post(&format!("{path}/erase"), &why).await.refused(403, "forbidden");
        admin.post(&format!("{path}/erase"), &json!({ "reason": " " })).await.refused(422, "invalid");
        admin.post(&format!("/api/members/{}/erase", admin.member()), &why).await.refused(409, "own_role");
        admin.post(&format!("/api/members/{}/erase", id()), &why).await.refused(404, "not_found");
        audit::seal::all(&app.app).await.unwrap();
        let proof = admin.post(&format!("{path}/erase"), &why).await.ok();
        assert_eq!((&proof["kind"], &proof["reason"]), (&json!("member"), &why["reason"]));
        admin.post(&format!("{path}/erase"), &why).await.refused(409, "erased");
        // They are out, and nobody's name stands where theirs stood, on colleagues' phones either.
        assert_eq!(mentor.get("/api/me").await.status, 401);
        let again = json!({ "login": "amina.mentor", "password": kilele::demo::PASSWORD, "tokens": true, "device": { "id": id(), "name": "x" } });
        app.post("/api/sessions", &again).await.refused(401, "wrong_credentials");
        let seen = other.record("person", &mentor.member()).await.unwrap();
        assert!(seen["name"].as_str().unwrap().starts_with("Former member ") && seen["active"] == false, "{seen}");
        assert!(!everything(&app).await.contains(&format!("\"name\":\"{name}\"")));
        let accounts: Vec<(String, String)> = app.app.db.query("SELECT login, name FROM account").all().await.unwrap();
        assert!(accounts.iter().all(|(login, kept)| login != "amina.mentor" && *kept != name), "{accounts:?}");
        // What they recorded is there, signed as it was, and the chains hold.
        let kept = admin.record("visit", &visit.id).await.unwrap();
        assert_eq!((&kept["mentor"], &kept["state"]), (&json!(mentor.member()), &json!("submitted")));
        let signature = admin.records("signature").await[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(admin.get(&format!("/api/signatures/{signature}/verify")).await.ok()["valid"], true);
        verified(&app).await;
    }

    async fn what_is_past_its_time_goes_and_leaves_proof(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let path = "/api/organisation/retention";
        mentor.get(path).await.refused(403, "forbidden");
        let rules = admin.get(path).await.ok();
        assert!(rules["rules"].as_array().unwrap().iter().any(|r| r["class"] == "refused_commands" && r["days"] == 365));
        for wrong in [json!([{ "class": "everything", "days": 30 }]), json!([{ "class": "refused_commands", "days": 3 }])] {
            admin.put(path, &json!({ "rules": wrong })).await.refused(422, "invalid");
        }
        let (household, _) = a_full_one(&mentor).await;
        mentor.command("household.update", json!({ "id": household["id"], "changes": { "nonsense": {} } })).await.refused(422, "invalid");
        let kept = async || -> i64 {
            app.app.db.query("SELECT count(*) FROM command_log WHERE rejected IS NOT NULL").one::<(i64,)>().await.unwrap().0
        };
        assert_eq!(privacy::retention::all(&app.app).await.unwrap(), 0);
        admin.put(path, &json!({ "rules": [{ "class": "refused_commands", "days": 30 }] })).await.ok();
        app.clock.shift(30 * DAY - HOUR);
        privacy::retention::all(&app.app).await.unwrap();
        assert_eq!(kept().await, 1);
        app.clock.shift(2 * HOUR);
        privacy::retention::all(&app.app).await.unwrap();
        assert_eq!(kept().await, 0);
        let admin = app.admin().await;
        let proofs = admin.get("/api/erasures").await.ok();
        let proof = proofs["items"].as_array().unwrap().iter().find(|p| p["class"] == "refused_commands").unwrap().clone();
        assert_eq!((&proof["kind"], &proof["counts"]["records"]), (&json!("retention"), &json!(1)));
        assert!(admin.get("/api/audit?action=retention.run").await.ok()["items"].as_array().unwrap().len() == 1);
        verified(&app).await;
    }
}

async fn a_small_one(mentor: &Person, national_id: &str) -> Value {
    let place = mentor.session["member"]["places"][0].clone();
    let body = json!({ "household": { "id": id(), "place": place, "head_name": "Neema Otieno", "national_id": national_id, "members": [] },
        "evidence": [] });
    mentor.command("household.register", body.clone()).await.ok();
    body["household"].clone()
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => walk(&path),
            path => vec![path.display().to_string()],
        })
        .collect()
}
