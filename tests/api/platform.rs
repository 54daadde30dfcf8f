//! One organisation or many: the mode with its report, limits, people in several, modules, oversight, handing over.

use kilele::auth::Role;
use kilele_tests::cast::{in_role, neighbours};
use kilele_tests::{Answer, Person, TestApp, Uuid, both, id};
use serde_json::{Value, json};

async fn platform(app: &TestApp) -> Person {
    let admin = app.admin().await;
    let sql = "UPDATE account SET platform = TRUE WHERE login = 'admin.demo'";
    app.app.db.write(move |tx| Box::pin(tx.query(sql).run())).await.unwrap();
    app.app.sessions.forget_all();
    admin
}

fn token_of(url: &Value) -> String {
    url.as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

async fn join(app: &TestApp, url: &Value, password: &str) -> Answer {
    let body = json!({ "token": token_of(url), "password": password, "device": { "id": id(), "name": "phone" } });
    app.post("/api/join", &body).await
}

fn organisation(code: &str, login: &str) -> Value {
    json!({ "code": code, "name": format!("{code} office"), "admin_name": "Ann", "admin_login": login, "locale": "sw",
            "currency": "TZS", "time_zone": "Africa/Dar_es_Salaam" })
}

both! {
    async fn going_multi_proves_every_row_first_and_going_back_loses_nothing(app: TestApp) {
        let admin = platform(&app).await;
        admin.post("/api/platform/organisations", &organisation("TWO", "two.admin")).await.refused(409, "mode_single");
        assert_eq!(admin.get("/api/me").await.ok()["memberships"], json!([]));
        // A row without an organisation: refused, and the report says where.
        let orphan = "INSERT INTO setting (name, value) VALUES ('x', 'y')";
        app.app.db.write(move |tx| Box::pin(tx.query(orphan).run())).await.unwrap();
        let lost = kilele::clock::new_id();
        let sql = "INSERT INTO account (id, login, name, locale, created_at) VALUES ($1, 'nobody', 'Nobody', 'en', 0)";
        app.app.db.write(move |tx| Box::pin(tx.query(sql).bind(lost).run())).await.unwrap();
        let report = kilele::cli::mode(&app.app, &["status", "--json"]).await.unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert!(report["mode"] == "single" && report["coverage"]["tables"].is_array(), "{report}");
        let report = kilele::cli::mode(&app.app, &["status"]).await.unwrap();
        assert!(report.contains("mode: single") && report.contains("1 without an organisation: 99."), "{report}");
        let refused = kilele::cli::mode(&app.app, &["activate"]).await.unwrap_err().to_string();
        assert!(refused.contains("account") && refused.contains("Some rows have no organisation"), "{refused}");
        let answer = admin.put("/api/platform/mode", &json!({ "mode": "multi" })).await;
        answer.refused(409, "coverage_incomplete");
        assert_eq!(answer.body["details"]["tables"][0]["table"], "account");
        let sql = "DELETE FROM account WHERE id = $1";
        app.app.db.write(move |tx| Box::pin(tx.query(sql).bind(lost).run())).await.unwrap();
        let view = admin.put("/api/platform/mode", &json!({ "mode": "multi" })).await.ok();
        assert_eq!((&view["complete"], &view["coverage"]["without"]), (&json!(true), &json!(0)));
        let tables = view["coverage"]["tables"].as_array().unwrap();
        assert!(tables.len() > 25 && tables.iter().any(|t| t["table"] == "household" && t["with"] == 24), "{tables:?}");
        let made = admin.post("/api/platform/organisations", &organisation("TWO", "two.admin")).await.ok();
        assert_eq!(join(&app, &made["invitation_url"], "a long enough phrase 9").await.status, 200);
        assert_eq!(admin.get("/api/me").await.ok()["memberships"].as_array().unwrap().len(), 1);
        let report = kilele::cli::mode(&app.app, &["rollback"]).await.unwrap();
        assert!(report.contains("mode: single") && report.contains("100 %"), "{report}");
        assert_eq!(admin.get("/api/me").await.ok()["memberships"], json!([]));
        // Nothing is lost: the second organisation's people still come in, and all is there again in multi mode.
        let body = json!({ "login": "two.admin", "password": "a long enough phrase 9", "tokens": true, "device": { "id": id(), "name": "p" } });
        assert_eq!(app.post("/api/sessions", &body).await.ok()["organisation"]["currency"], "TZS");
        assert_eq!(admin.records("household").await.len(), 24);
        kilele::cli::mode(&app.app, &["activate"]).await.unwrap();
        assert_eq!(admin.get("/api/platform/organisations").await.ok()["items"].as_array().unwrap().len(), 2);
        // Both ways stand in the audit.
        let org: Uuid = admin.org().parse().unwrap();
        let (count,): (i64,) = app.app.db.query("SELECT count(*) FROM audit WHERE org = $1 AND action IN ('mode.activate', 'mode.rollback')")
            .bind(org).one().await.unwrap();
        assert_eq!(count, 3);
    }

    async fn limits_are_said_with_a_code_of_their_own(app: TestApp) {
        let admin = platform(&app).await;
        kilele::cli::mode(&app.app, &["activate"]).await.unwrap();
        let members = admin.get("/api/members").await.ok()["items"].as_array().unwrap().len();
        let path = format!("/api/platform/organisations/{}/limit", admin.org());
        admin.put(&path, &json!({ "member_limit": members + 1 })).await.ok();
        let new = |login: &str| json!({ "name": "N", "login": login, "role": "mentor", "places": [], "locale": "en" });
        let first = admin.post("/api/members", &new("first.one")).await.ok();
        let answer = admin.post("/api/members", &new("one.more")).await;
        answer.refused(409, "member_limit");
        assert_eq!(answer.body["details"]["limit"], members + 1);
        let person = first["member"]["id"].as_str().unwrap().to_owned();
        let rest = json!({ "role": "mentor", "supervisor": null, "places": [], "active": false });
        admin.put(&format!("/api/members/{person}"), &rest).await.ok();
        admin.post("/api/members", &new("one.more")).await.ok();
        let back = json!({ "role": "mentor", "supervisor": null, "places": [], "active": true });
        admin.put(&format!("/api/members/{person}"), &back).await.refused(409, "member_limit");
        for number in 0..49 {
            admin.post("/api/platform/organisations", &organisation(&format!("ORG-{number}"), &format!("adm.{number}"))).await.ok();
        }
        admin.post("/api/platform/organisations", &organisation("TOO-MANY", "too.many")).await.refused(409, "organisation_limit");
        assert_eq!(admin.get("/api/platform/organisations").await.ok()["limit"], 50);
    }

    async fn one_person_in_two_organisations_goes_from_one_to_the_other(app: TestApp) {
        let other = neighbours(&app).await;
        let there = app.sign_in("b.admin").await;
        let invite = json!({ "name": "Amina of A", "login": "amina.mentor", "role": "evaluator", "places": [], "locale": "en", "existing": true });
        there.post("/api/members", &invite).await.refused(404, "not_found");
        kilele::cli::mode(&app.app, &["activate"]).await.unwrap();
        let invited = there.post("/api/members", &invite).await.ok();
        // Before she says so she is not there: her name is not told, she cannot go there, her password is her own.
        assert_eq!(invited["member"]["name"], "amina.mentor");
        let amina = app.mentor().await;
        assert_eq!(amina.session["memberships"].as_array().unwrap().len(), 1);
        let url = &invited["invitation_url"];
        let preview = app.post("/api/join/preview", &json!({ "token": token_of(url) })).await.ok();
        assert_eq!((&preview["has_password"], &preview["organisation_name"]), (&json!(true), &json!("The neighbours")));
        join(&app, url, "a password the neighbours chose").await.refused(401, "wrong_credentials");
        assert_eq!(join(&app, url, kilele::demo::PASSWORD).await.status, 200);
        assert_eq!(app.mentor().await.org(), amina.org(), "signing in still begins at home");
        let memberships = amina.get("/api/me").await.ok()["memberships"].clone();
        let to = memberships.as_array().unwrap().iter().find(|m| m["organisation"] == other.to_string()).unwrap()["member"].clone();
        let switched = amina.post("/api/sessions/switch", &json!({ "member": to })).await.ok();
        assert_eq!((&switched["organisation"]["code"], &switched["member"]["role"]), (&json!("OTHER"), &json!("evaluator")));
        let abroad = Person::of(app.url.clone(), app.client.clone(), switched);
        assert_eq!(abroad.get("/api/households").await.ok()["items"], json!([]));
        assert!(there.get("/api/members").await.ok().to_string().contains("Amina Hassan"));
        // Both sessions are there; each sees its own.
        assert!(!amina.records("household").await.is_empty());
        assert_eq!(abroad.records("household").await.len(), 0);
        let nobody = app.supervisor().await.member();
        amina.post("/api/sessions/switch", &json!({ "member": nobody })).await.refused(404, "not_found");
        assert_eq!(amina.put("/api/me/main", &json!({ "member": to })).await.status, 204);
        assert_eq!(app.mentor().await.session["organisation"]["code"], "OTHER");
        // A new link from the second organisation gives nobody there her account.
        let again = there.post(&format!("/api/members/{}/invitation", to.as_str().unwrap()), &json!({})).await.ok();
        join(&app, &again["invitation_url"], "a password the neighbours chose").await.refused(401, "wrong_credentials");
    }

    async fn a_module_that_is_off_is_gone_from_api_and_sync(app: TestApp) {
        let (mentor, admin) = (app.mentor().await, app.admin().await);
        mentor.submit(&mentor.a_household().await).await;
        let before = mentor.sync(&json!({}), &[]).await;
        let cursors: serde_json::Map<String, Value> =
            before["feeds"].as_object().unwrap().iter().map(|(feed, news)| (feed.clone(), news["revision"].clone())).collect();
        admin.put("/api/organisation", &json!({ "modules": ["visits"] })).await.refused(422, "invalid");
        let changed = admin.put("/api/organisation", &json!({ "modules": ["households", "home"], "currency": "USD", "display_name": "Maendeleo" })).await.ok();
        assert_eq!((&changed["currency"], &changed["display_name"], &changed["modules"]), (&json!("USD"), &json!("Maendeleo"), &json!(["households", "home"])));
        mentor.get("/api/visits").await.refused(404, "module_off");
        admin.get("/api/figures").await.refused(404, "module_off");
        let visit = mentor.visit(&mentor.a_household().await);
        mentor.command("visit.submit", visit.body).await.refused(422, "module_off");
        let after = mentor.sync(&Value::Object(cursors), &[]).await;
        assert!(!after["reset"].as_array().unwrap().is_empty(), "the phone drops what it had");
        assert_eq!((mentor.records("visit").await.len(), mentor.records("signature").await.len()), (0, 0));
        assert!(!mentor.records("household").await.is_empty());
        assert!(!mentor.get("/api/me").await.ok()["capabilities"].to_string().contains("visits"));
        admin.put("/api/organisation", &json!({ "modules": ["households", "visits", "figures", "home"] })).await.ok();
        assert_eq!(mentor.records("visit").await.len(), 1);
        admin.put("/api/organisation", &json!({ "logo": "data:image/png;base64,AAAA" })).await.refused(422, "invalid");
        admin.put("/api/organisation", &json!({ "currency": "shilling" })).await.refused(422, "invalid");
    }

    async fn oversight_sees_all_organisations_and_no_record_of_any(app: TestApp) {
        neighbours(&app).await;
        let org: Uuid = app.admin().await.org().parse().unwrap();
        let overseer = in_role(&app, org, "over", Role::Oversight, vec![]).await;
        let there = app.sign_in("b.mentor").await;
        let place = there.session["member"]["places"][0].clone();
        let household = json!({ "id": id(), "place": place, "head_name": "Zuhura Neighbour" });
        there.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
        let across = overseer.get("/api/figures/organisations").await.ok();
        let counts: Vec<(&str, i64)> = across["organisations"].as_array().unwrap().iter()
            .map(|o| (o["code"].as_str().unwrap(), o["households"].as_i64().unwrap())).collect();
        assert_eq!(counts, [("MAENDELEO", 24), ("OTHER", 1)]);
        assert!(!across.to_string().contains("Zuhura"));
        let document = app.get("/api/openapi.json").await.ok();
        // Every address that can be read, asked with an id of either organisation: nothing names a person.
        for (path, methods) in document["paths"].as_object().unwrap() {
            if methods.get("get").is_none() || path.contains("platform") {
                continue;
            }
            for named in [household["id"].as_str().unwrap(), &app.mentor().await.member(), &there.member()] {
                let answer = overseer.get(&path.replace("{id}", named).replace("{size}", "thumb")).await;
                let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                for name in ["Zuhura", "Amina", "b.mentor", "Same code"] {
                    assert!(!text.contains(name) || path == "/api/start", "{path}: {text}");
                }
            }
        }
    }

    async fn an_organisation_says_what_it_is_and_when_it_began(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let told = async || mentor.records("organisation").await[0].clone();
        assert!(told().await["is_pilot"] == false && told().await.get("kind").is_none());
        let path = "/api/organisation";
        let what = json!({ "kind": "ministry", "is_pilot": true, "go_live": "2026-03-01", "time_zone": "Asia/Manila" });
        let kept = admin.put(path, &what).await.ok();
        for one in ["kind", "is_pilot", "go_live", "time_zone"] {
            assert_eq!((&kept[one], &told().await[one]), (&what[one], &what[one]), "{one}");
        }
        admin.put(path, &json!({ "kind": "club" })).await.refused(400, "bad_request");
        admin.put(path, &json!({ "go_live": "soon" })).await.refused(422, "invalid");
        admin.put(path, &json!({ "go_live": "" })).await.ok();
        assert!(told().await.get("go_live").is_none() && told().await["kind"] == "ministry");
    }

    async fn a_caseload_goes_to_another_in_one_step(app: TestApp) {
        let (mentor, other, admin) = (app.mentor().await, app.other_mentor().await, app.admin().await);
        let household = mentor.a_household().await;
        let planned = json!({ "id": id(), "household": household["id"], "mentor": mentor.member(), "kind": "follow_up",
                              "planned_at": app.clock.now() + 86_400_000 });
        mentor.command("visit.plan", planned.clone()).await.ok();
        let mut cursors = json!({});
        for (feed, news) in mentor.sync(&json!({}), &[]).await["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        let (mine, theirs) = (mentor.records("household").await.len(), other.records("household").await.len());
        let path = format!("/api/members/{}/hand-over", mentor.member());
        mentor.post(&path, &json!({ "to": other.member(), "leaves": false })).await.refused(403, "forbidden");
        admin.post(&path, &json!({ "to": mentor.member(), "leaves": false })).await.refused(422, "invalid");
        admin.post(&path, &json!({ "to": admin.member(), "leaves": false })).await.refused(422, "invalid");
        admin.post(&path, &json!({ "to": id(), "leaves": false })).await.refused(404, "not_found");
        // On the first's phone two things wait, made without a network before anybody said a word.
        let at = app.clock.now();
        let mut visit = mentor.visit(&household).body;
        visit["id"] = planned["id"].clone();
        visit["signature"] = kilele_tests::signing::signature(&mentor, planned["id"].as_str().unwrap(), &household["head_name"]);
        let mut waiting = kilele_tests::command("visit.submit", visit);
        waiting["at"] = at.into();
        let mut note = kilele_tests::command("household.update", json!({ "id": household["id"], "changes": { "notes": { "was": null, "now": "Gate is blue." } } }));
        note["at"] = at.into();
        app.clock.shift(60_000);
        let done = admin.post(&path, &json!({ "to": other.member(), "leaves": false })).await.ok();
        assert_eq!((&done["places"], &done["visits"]), (&json!(4), &json!(1)));
        assert_eq!(other.records("household").await.len(), mine + theirs);
        assert_eq!(other.record("visit", planned["id"].as_str().unwrap()).await.unwrap()["mentor"], other.member());
        app.clock.shift(60_000);
        // The phone comes back: both arrive, and the visit says who made it.
        let answer = mentor.sync(&cursors, &[note, waiting]).await;
        let statuses: Vec<&str> = answer["results"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["applied", "applied"], "{}", answer["results"]);
        assert!(answer["gone"].as_array().unwrap().contains(&household["place"]));
        let record = other.record("visit", planned["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((&record["state"], &record["mentor"]), (&json!("submitted"), &json!(mentor.member())));
        assert_eq!(mentor.records("household").await.len(), 0);
        // And whoever leaves is out.
        admin.post(&path, &json!({ "to": other.member(), "leaves": true })).await.ok();
        app.clock.shift(6_000);
        mentor.get("/api/me").await.refused(401, "session_ended");
    }

    async fn a_mentor_who_left_still_delivers(app: TestApp) {
        let key = kilele_tests::signing::DeviceKey::default();
        let mentor = Person::sign_in(&app, "amina.mentor", kilele::clock::new_id(), Some(key)).await;
        let (other, admin) = (app.other_mentor().await, app.admin().await);
        let household = mentor.a_household().await;
        let at = app.clock.now();
        let visit = mentor.visit(&household);
        let mut made = kilele_tests::command("visit.submit", visit.body.clone());
        made["at"] = at.into();
        let sealed = mentor.sealed(&made);
        app.clock.shift(60_000);
        let path = format!("/api/members/{}/hand-over", mentor.member());
        admin.post(&path, &json!({ "to": other.member(), "leaves": true })).await.ok();
        app.clock.shift(6_000);
        mentor.get("/api/me").await.refused(401, "session_ended");
        // The phone comes by again: nobody is signed in, and what was made before arrives in the mentor's own name.
        let results = app.post("/api/outbox", &json!({ "items": [sealed] })).await.ok()["results"].clone();
        assert_eq!(results[0]["status"], "applied", "{results}");
        assert_eq!(other.record("visit", &visit.id).await.unwrap()["mentor"], mentor.member());
    }
}
