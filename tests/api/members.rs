//! Administration of members and places.

use kilele_tests::{Answer, NewId, TestApp, Uuid, both, id};
use serde_json::json;

both! {
    async fn a_new_member_joins_by_a_link_that_works_once(app: TestApp) {
        let admin = app.admin().await;
        let places = admin.get("/api/places").await.ok();
        let village = places["items"].as_array().unwrap().iter().find(|p| p["level"] == 2).unwrap()["id"].clone();
        let supervisor = app.supervisor().await.member();
        let new = json!({ "name": "Baraka Njoroge", "login": "Baraka@example.org", "role": "mentor", "supervisor": supervisor,
                          "places": [village], "locale": "sw" });
        let invited = admin.post("/api/members", &new).await.ok();
        let url = invited["invitation_url"].as_str().unwrap();
        let token = url.split_once("/join#").unwrap().1;
        let preview = app.post("/api/join/preview", &json!({ "token": token })).await.ok();
        assert_eq!(preview["login"], "baraka@example.org");
        let join = json!({ "token": token, "password": "neno la siri refu", "device": { "id": Uuid::now_v7_test(), "name": "p" } });
        let view = app.post("/api/join", &join).await.ok();
        assert_eq!(view["member"]["places"], json!([village]));
        app.post("/api/join", &join).await.refused(422, "invitation_invalid");
        admin.post("/api/members", &new).await.refused(409, "login_taken");
    }

    async fn keeping_originals_is_off_until_an_administrator_turns_it_on_and_phones_hear_of_it(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let seen = || async { mentor.records("organisation").await[0]["keep_originals"].clone() };
        assert_eq!(seen().await, json!(false));
        let wanted = json!({ "keep_originals": true });
        mentor.put("/api/organisation", &wanted).await.refused(403, "forbidden");
        app.supervisor().await.put("/api/organisation", &wanted).await.refused(403, "forbidden");
        let changed = admin.put("/api/organisation", &wanted).await.ok();
        assert_eq!((&changed["keep_originals"], &changed["topics"]), (&json!(true), &admin.session["organisation"]["topics"]));
        assert_eq!(seen().await, json!(true));
        assert_eq!(app.sign_in("amina.mentor").await.session["organisation"]["keep_originals"], json!(true));
        admin.put("/api/organisation", &json!({ "keep_originals": false })).await.ok();
        assert_eq!(seen().await, json!(false));
    }

    async fn the_administrator_sees_who_has_not_come_yet(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let new = json!({ "name": "Baraka Njoroge", "login": "baraka", "role": "mentor", "supervisor": null, "places": [], "locale": "sw" });
        let invited = admin.post("/api/members", &new).await.ok();
        let line = async |person: &kilele_tests::Person, id: &str| {
            let all = person.get("/api/members").await.ok();
            all["items"].as_array().unwrap().iter().find(|m| m["id"] == id).unwrap().clone()
        };
        let id = invited["member"]["id"].as_str().unwrap();
        let waiting = line(&admin, id).await;
        assert!(waiting.get("signed_in_at").is_none() && waiting["invited_until"].as_i64().unwrap() > app.clock.now());
        assert_eq!(waiting["name"], "Baraka Njoroge");
        assert!(line(&admin, &mentor.member()).await["signed_in_at"].is_i64());
        let token = invited["invitation_url"].as_str().unwrap().split_once("/join#").unwrap().1;
        let join = json!({ "token": token, "password": "neno la siri refu", "device": { "id": Uuid::now_v7_test(), "name": "p" } });
        app.post("/api/join", &join).await.ok();
        let joined = line(&admin, id).await;
        assert!(joined["signed_in_at"].is_i64() && joined.get("invited_until").is_none());
        assert!(line(&mentor, id).await.get("signed_in_at").is_none(), "not a colleague's business");
    }

    async fn only_administrators_administer(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let new = json!({ "name": "X", "login": "xxx", "role": "org_admin", "supervisor": null, "places": [], "locale": "en" });
        for person in [&mentor, &supervisor] {
            person.post("/api/members", &new).await.refused(403, "forbidden");
            person.post("/api/places", &json!({ "id": id(), "code": "X", "name": "X" })).await.refused(403, "forbidden");
            let own = format!("/api/members/{}", person.member());
            let change = json!({ "role": "org_admin", "supervisor": null, "places": [], "active": true });
            person.put(&own, &change).await.refused(403, "forbidden");
            person.post(&format!("{own}/invitation"), &json!({})).await.refused(403, "forbidden");
        }
    }

    async fn a_member_who_leaves_is_out_at_once_and_what_they_see_goes(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let path = format!("/api/members/{}", mentor.member());
        let change = json!({ "role": "mentor", "supervisor": null, "places": [], "active": false });
        admin.put(&path, &change).await.ok();
        app.clock.shift(10_000);
        mentor.get("/api/me").await.refused(401, "session_ended");
        let own = format!("/api/members/{}", admin.member());
        admin.put(&own, &change).await.refused(409, "own_role");
    }

    async fn a_place_taken_away_is_gone_from_the_phone(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let first = mentor.sync(&json!({}), &[]).await;
        let cursors: serde_json::Map<_, _> =
            first["feeds"].as_object().unwrap().iter().map(|(feed, news)| (feed.clone(), news["revision"].clone())).collect();
        let places = mentor.session["member"]["places"].as_array().unwrap().clone();
        let change = json!({ "role": "mentor", "supervisor": null, "places": places[1..], "active": true });
        admin.put(&format!("/api/members/{}", mentor.member()), &change).await.ok();
        let next = mentor.sync(&json!(cursors), &[]).await;
        assert_eq!(next["gone"], json!([places[0]]));
        assert!(mentor.records("household").await.iter().all(|h| h["place"] != places[0]));
    }

    async fn places_are_imported_whole_or_not_at_all(app: TestApp) {
        let admin = app.admin().await;
        let import = |csv: &str| {
            Answer::of(admin.request(reqwest::Method::POST, "/api/places/import").header("content-type", "text/plain").body(csv.to_owned()))
        };
        let count = async || admin.get("/api/places").await.ok()["items"].as_array().unwrap().len();
        let before = count().await;
        let broken = "code,parent_code,name,lat,lon\nNEW,KIL,New Sub,,\nNEW-1,NOPE,Village,,\n";
        let refused = import(broken).await;
        refused.refused(422, "parent_unknown");
        assert_eq!(refused.body["details"]["line"], 3);
        assert_eq!(count().await, before);
        import("code,parent_code,name,lat,lon\nNEW,KIL,New Sub,,\nNEW-1,NEW,Kijiji,-0.1,36.2\n").await.ok();
        assert_eq!(count().await, before + 2);
        // The supervisor works above it, and sees it.
        let supervisor = app.supervisor().await;
        assert!(supervisor.records("place").await.iter().any(|p| p["code"] == "NEW-1"));
        let csv = admin.request(reqwest::Method::POST, "/api/places/import").header("content-type", "text/csv");
        Answer::of(csv.body("code,name\nOTHER,Other County")).await.ok();
        import("nonsense").await.refused(422, "csv_empty");
        import("code,name\nA").await.refused(422, "csv_invalid");
    }
}
