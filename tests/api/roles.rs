//! Each role does what its line of the table says, an organisation's own roles too, and a beneficiary sees one household.

use kilele::auth::Role;
use kilele_tests::cast::{in_role, join};
use kilele_tests::{Person, TestApp, Uuid, both, id};
use serde_json::{Value, json};

async fn org_of(app: &TestApp) -> Uuid {
    app.admin().await.org().parse().unwrap()
}

fn can(person: &Person) -> Vec<&str> {
    person.session["capabilities"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect()
}

/// A role of the organisation's own, and somebody who has it.
async fn custom(app: &TestApp, login: &str, scope: &str, levels: Value, places: Vec<Uuid>) -> (String, Person) {
    let role = json!({ "name": format!("Role of {login}"), "scope": scope, "levels": levels });
    let role = app.admin().await.post("/api/roles", &role).await.ok()["id"].as_str().unwrap().to_owned();
    let new = kilele::members::NewMember {
        login: login.into(),
        role: Role::Custom,
        custom_role: role.parse().ok(),
        places,
        ..Default::default()
    };
    (role, join(app, org_of(app).await, new).await)
}

both! {
    async fn built_in_roles_see_and_do_what_their_line_says(app: TestApp) {
        let org = org_of(&app).await;
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let revision = mentor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        let evaluator = in_role(&app, org, "eva", Role::Evaluator, vec![]).await;
        let manager = in_role(&app, org, "mgr", Role::ProgrammeManager, vec![]).await;
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        // The whole organisation without a place of their own.
        for person in [&evaluator, &manager, &approver] {
            assert_eq!(person.records("household").await.len(), 24);
            assert_eq!(person.get("/api/figures").await.ok()["counts"]["households"], 24);
            assert_eq!(person.get("/api/figures").await.ok()["counts"]["visits_waiting"], 1);
            person.get("/api/roles").await.refused(403, "forbidden");
        }
        let decide = json!({ "id": visit.id, "revision": revision });
        approver.command("visit.approve", decide.clone()).await.refused(422, "forbidden");
        approver.command("visit.submit", approver.visit(&mentor.a_household().await).body).await.refused(422, "forbidden");
        let csv = "code,parent_code,name,lat,lon\nNEW,,New county,,\n";
        let import = |person: &Person| person.request(reqwest::Method::POST, "/api/places/import").body(csv).header("content-type", "text/csv");
        assert_eq!(kilele_tests::Answer::of(import(&approver)).await.status, 403);
        assert_eq!(kilele_tests::Answer::of(import(&manager)).await.status, 200);
        let place = json!({ "id": id(), "code": "NEW2", "name": "New" });
        manager.post("/api/places", &place).await.refused(403, "forbidden");
        assert_eq!(evaluator.command("visit.approve", decide).await.ok()["status"], "applied");
        mentor.get("/api/figures").await.refused(403, "forbidden");
        assert!(!can(&mentor).contains(&"visits.decide") && can(&manager).contains(&"visits.decide"));
    }

    async fn oversight_follows_nobody_and_reads_nobody(app: TestApp) {
        let overseer = in_role(&app, org_of(&app).await, "over", Role::Oversight, vec![]).await;
        assert_eq!(can(&overseer), ["figures.across"]);
        for path in ["/api/households", "/api/visits", "/api/members", "/api/places", "/api/figures", "/api/home", "/api/roles"] {
            overseer.get(path).await.refused(403, "forbidden");
        }
        let across = overseer.get("/api/figures/organisations").await.ok();
        assert_eq!(across["organisations"][0]["households"], 24);
        let people = app.admin().await.get("/api/members").await.ok();
        for person in people["items"].as_array().unwrap() {
            assert!(!across.to_string().contains(person["name"].as_str().unwrap()), "nobody is named");
        }
        app.admin().await.get("/api/figures/organisations").await.refused(403, "forbidden");
        let synced = overseer.sync(&json!({}), &[]).await.to_string();
        assert!(!synced.contains("Amina") && !synced.contains("household") && !synced.contains("Kilima"), "{synced}");
    }

    async fn a_beneficiary_sees_the_own_household_and_nothing_else(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let planned = json!({ "id": id(), "household": household["id"], "mentor": mentor.member(), "kind": "follow_up",
                              "planned_at": app.clock.now() + 86_400_000 });
        mentor.command("visit.plan", planned.clone()).await.ok();
        let admin = app.admin().await;
        let new = json!({ "name": "Mary", "login": "mary", "role": "beneficiary", "places": [], "locale": "sw" });
        admin.post("/api/members", &new).await.refused(422, "invalid");
        let org = org_of(&app).await;
        let new = kilele::members::NewMember {
            login: "mary".into(), role: Role::Beneficiary, household: household["id"].as_str().unwrap().parse().ok(), ..Default::default()
        };
        let mary = join(&app, org, new).await;
        assert_eq!(can(&mary), ["home.read"]);
        let home = mary.get("/api/home").await.ok();
        assert_eq!(home["household"]["id"], household["id"]);
        assert_eq!(home["next_visit"]["planned_at"], planned["planned_at"]);
        assert_eq!((home["visits"].as_array().unwrap().len(), home["signatures"].as_array().unwrap().len()), (1, 1));
        assert!(home["signatures"][0]["statement"].as_str().unwrap().len() > 20);
        assert!(home["visits"][0].get("observations").is_none(), "what colleagues write to each other is not shown");
        let signature = home["signatures"][0]["id"].as_str().unwrap();
        for path in [format!("/api/households/{}", household["id"].as_str().unwrap()), format!("/api/visits/{}", visit.id)] {
            mary.get(&path).await.refused(403, "forbidden");
        }
        for path in [format!("/api/signatures/{signature}"), format!("/api/media/{}/thumb", visit.captures[0]["id"].as_str().unwrap())] {
            mary.get(&path).await.refused(404, "not_found");
        }
        for path in ["/api/households", "/api/visits", "/api/members", "/api/places", "/api/figures"] {
            mary.get(path).await.refused(403, "forbidden");
        }
        assert_eq!(mary.records("person").await.len() + mary.records("household").await.len() + mary.records("place").await.len(), 0);
        mary.command("household.update", json!({ "id": household["id"], "changes": {} })).await.refused(422, "forbidden");
        mentor.get("/api/home").await.refused(403, "forbidden");
    }

    async fn an_organisation_makes_roles_of_its_own(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        mentor.submit(&household).await;
        let village: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        // Households without visits, in one village.
        let (role, clerk) = custom(&app, "clerk", "places", json!({ "households": "contribute" }), vec![village]).await;
        assert_eq!(can(&clerk), ["households.read", "households.write"]);
        let seen = clerk.records("household").await;
        assert!(!seen.is_empty() && seen.iter().all(|h| h["place"] == household["place"]));
        assert_eq!(clerk.records("visit").await.len() + clerk.records("signature").await.len() + clerk.records("person").await.len(), 0);
        clerk.get("/api/visits").await.refused(403, "forbidden");
        let path = format!("/api/households/{}/timeline", household["id"].as_str().unwrap());
        assert_eq!(clerk.get(&path).await.ok()["visits"], json!([]));
        let rename = json!({ "id": household["id"], "changes": { "notes": { "was": null, "now": "seen" } } });
        assert_eq!(clerk.command("household.update", rename).await.ok()["status"], "applied");
        // The role changes: the device begins anew, with the visits that its cursors had gone past.
        let before = clerk.sync(&json!({}), &[]).await;
        let mut cursors = json!({});
        for (feed, news) in before["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        assert_eq!(clerk.sync(&cursors, &[]).await["reset"], json!([]));
        let wider = json!({ "name": "Wider", "scope": "organisation", "levels": { "households": "read", "visits": "read", "members": "read", "places": "read" } });
        app.admin().await.put(&format!("/api/roles/{role}"), &wider).await.ok();
        app.clock.shift(6_000);
        let after = clerk.sync(&cursors, &[]).await;
        assert!(after["reset"].as_array().unwrap().contains(&household["place"]), "{}", after["reset"]);
        assert_eq!((clerk.records("household").await.len(), clerk.records("visit").await.len()), (24, 1));
        clerk.command("household.update", json!({ "id": household["id"], "changes": {} })).await.refused(422, "forbidden");
        app.admin().await.request(reqwest::Method::DELETE, &format!("/api/roles/{role}")).send().await.unwrap().error_for_status().unwrap_err();
    }

    async fn a_team_s_places_come_with_its_people(app: TestApp) {
        let (_, lead) = custom(&app, "lead", "team", json!({ "households": "read", "visits": "approve" }), vec![]).await;
        assert_eq!(lead.records("household").await.len(), 0);
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let theirs = mentor.records("household").await.len();
        let places = mentor.session["member"]["places"].clone();
        let change = json!({ "role": "mentor", "supervisor": lead.member(), "places": places, "active": true });
        admin.put(&format!("/api/members/{}", mentor.member()), &change).await.ok();
        assert_eq!(lead.records("household").await.len(), theirs);
        let change = json!({ "role": "mentor", "supervisor": null, "places": places, "active": true });
        admin.put(&format!("/api/members/{}", mentor.member()), &change).await.ok();
        assert_eq!(lead.records("household").await.len(), 0);
    }

    async fn nobody_raises_themselves(app: TestApp) {
        let (role, clerk) = custom(&app, "people", "own", json!({ "members": "manage", "places": "read" }), vec![]).await;
        let boss = json!({ "name": "Boss", "login": "boss", "role": "org_admin", "places": [], "locale": "en" });
        clerk.post("/api/members", &boss).await.refused(403, "forbidden");
        let same = json!({ "name": "Boss", "login": "boss", "role": "custom", "custom_role": role, "places": [], "locale": "en" });
        clerk.post("/api/members", &same).await.refused(403, "forbidden");
        let admin = app.admin().await;
        let fall = json!({ "role": "mentor", "supervisor": null, "places": [], "active": true });
        clerk.put(&format!("/api/members/{}", admin.member()), &fall).await.refused(403, "forbidden");
        clerk.post(&format!("/api/members/{}/invitation", admin.member()), &json!({})).await.refused(403, "forbidden");
        clerk.put(&format!("/api/members/{}", clerk.member()), &fall).await.refused(409, "own_role");
        clerk.post("/api/roles", &json!({ "name": "All", "scope": "own", "levels": {} })).await.refused(403, "forbidden");
        let mentor = json!({ "name": "New", "login": "newcomer", "role": "mentor", "places": [], "locale": "en" });
        clerk.post("/api/members", &mentor).await.ok();
        let high = json!({ "name": "All", "scope": "own", "levels": { "platform": "manage" } });
        admin.post("/api/roles", &high).await.refused(422, "invalid");
    }

    async fn a_new_place_comes_to_everybody_who_would_have_it_if_all_were_spelled_out(app: TestApp) {
        let org = org_of(&app).await;
        let admin = app.admin().await;
        let all = admin.get("/api/places").await.ok()["items"].clone();
        let at = |level: i64| -> Uuid {
            all.as_array().unwrap().iter().find(|place| place["level"] == level).unwrap()["id"].as_str().unwrap().parse().unwrap()
        };
        let levels = json!({ "households": "read" });
        for (login, scope, places) in [("own", "own", vec![]), ("near", "places", vec![at(1)]), ("whole", "organisation", vec![])] {
            custom(&app, login, scope, levels.clone(), places).await;
        }
        let (_, lead) = custom(&app, "lead", "team", levels, vec![]).await;
        for (login, role) in [("eva", Role::Evaluator), ("mgr", Role::ProgrammeManager), ("exec", Role::Approver), ("over", Role::Oversight)] {
            in_role(&app, org, login, role, vec![]).await;
        }
        let led = kilele::members::NewMember {
            login: "led".into(),
            role: Role::Mentor,
            supervisor: Some(lead.member().parse().unwrap()),
            places: vec![at(1)],
            ..Default::default()
        };
        join(&app, org, led).await;
        let feeds = async || -> Vec<(Uuid, Uuid)> {
            app.app.db.query("SELECT member, feed FROM member_feed WHERE org = $1 ORDER BY member, feed").bind(org).all().await.unwrap()
        };
        let mut before = feeds().await.len();
        for (n, parent) in [(0, None), (1, Some(at(0))), (2, Some(at(1)))] {
            let place = json!({ "id": id(), "parent": parent, "code": format!("NEW{n}"), "name": "New" });
            admin.post("/api/places", &place).await.ok();
            let after = feeds().await;
            let now = app.clock.now();
            app.app.db.write(move |tx| Box::pin(async move { kilele::scope::spell_out_all(tx, org, now).await })).await.unwrap();
            assert_eq!(after, feeds().await, "level {n}");
            assert!(n < 2 || after.len() > before + 5, "a village is many people's: {before} {}", after.len());
            before = after.len();
        }
    }
}
