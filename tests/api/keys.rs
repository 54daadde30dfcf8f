//! API keys: hashed, for named areas, for a time, revocable, their last use shown.

use kilele::clock::DAY;
use kilele_tests::{Answer, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

async fn ask(app: &TestApp, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = app.client.request(method, format!("{}{path}", app.url)).bearer_auth(key);
    Answer::of(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

both! {
    async fn a_key_opens_what_it_names_until_it_ends(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let new = |scopes: Value, days: i64| json!({ "name": "Dashboard", "member": mentor.member(), "scopes": scopes,
            "expires_at": app.clock.now() + days * DAY });
        mentor.post("/api/keys", &new(json!(["households:read"]), 30)).await.refused(403, "forbidden");
        mentor.get("/api/keys").await.refused(403, "forbidden");
        admin.post("/api/keys", &new(json!(["households:read"]), 400)).await.refused(422, "invalid");
        admin.post("/api/keys", &new(json!(["households:read"]), -1)).await.refused(422, "invalid");
        for scope in ["sessions:read", "households", "households:all", "members:"] {
            admin.post("/api/keys", &new(json!([scope]), 30)).await.refused(422, "invalid");
        }
        let mut nobody = new(json!(["households:read"]), 30);
        nobody["member"] = kilele_tests::id().into();
        admin.post("/api/keys", &nobody).await.refused(404, "not_found");
        let made = admin.post("/api/keys", &new(json!(["households:read", "commands:write"]), 30)).await.ok();
        let key = made["key"].as_str().unwrap();
        let get = async |path: &str| ask(&app, key, Method::GET, path, None).await;
        let listed = async || admin.get("/api/keys").await.ok()["items"][0].clone();
        assert_eq!(listed().await["last_used_at"], Value::Null);
        // As far as its member sees, and no further.
        let seen = get("/api/households?limit=100").await.ok();
        assert_eq!(seen, mentor.get("/api/households?limit=100").await.ok());
        assert!(listed().await["last_used_at"].as_i64().unwrap() > 0);
        for closed in ["/api/visits", "/api/me", "/api/sessions/open", "/api/keys", "/api/members", "/api/audit", "/api/devices"] {
            get(closed).await.refused(403, "key_scope");
        }
        let sync = json!({ "device": made["id"], "schema": 1 });
        ask(&app, key, Method::POST, "/api/sync", Some(sync)).await.refused(403, "key_scope");
        ask(&app, key, Method::DELETE, "/api/sessions/current", None).await.refused(403, "key_scope");
        let password = json!({ "current": kilele::demo::PASSWORD, "password": "kiboko-ndizi-treni" });
        ask(&app, key, Method::PUT, "/api/me/password", Some(password)).await.refused(403, "key_scope");
        let household = mentor.a_household().await;
        let update = json!({ "id": household["id"], "changes": { "notes": { "was": household["notes"], "now": "By a program" } } });
        ask(&app, key, Method::POST, "/api/commands", Some(kilele_tests::command("household.update", update))).await.ok();
        // In the audit it stands by its name.
        let events = admin.get("/api/audit?action=household.update").await.ok();
        assert_eq!((&events["items"][0]["device_name"], &events["items"][0]["member"]), (&json!("Dashboard"), &json!(mentor.member())));
        // Only its hash is kept.
        let rows: Vec<(Vec<u8>,)> = app.app.db.query("SELECT hash FROM api_key").all().await.unwrap();
        assert_eq!(rows[0].0, kilele::crypto::sha256(key.as_bytes()));
        assert!(!admin.get("/api/keys").await.ok().to_string().contains(key));
        ask(&app, &format!("{key}x"), Method::GET, "/api/households", None).await.refused(401, "key_invalid");
        // It ends by its time, by revocation, and with its member.
        app.clock.shift(30 * DAY);
        get("/api/households").await.refused(401, "key_expired");
        app.clock.shift(-30 * DAY);
        get("/api/households").await.ok();
        let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
        Answer::of(admin.request(Method::DELETE, &path)).await.empty(204);
        get("/api/households").await.refused(401, "key_invalid");
        Answer::of(admin.request(Method::DELETE, &path)).await.refused(404, "not_found");
        assert!(listed().await["revoked_at"].as_i64().unwrap() > 0);
        let second = admin.post("/api/keys", &new(json!(["households:read"]), 1)).await.ok();
        let second = second["key"].as_str().unwrap();
        ask(&app, second, Method::GET, "/api/households", None).await.ok();
        let leave = json!({ "role": "mentor", "supervisor": null, "places": [], "active": false });
        admin.put(&format!("/api/members/{}", mentor.member()), &leave).await.ok();
        ask(&app, second, Method::GET, "/api/households", None).await.refused(401, "key_invalid");
    }
}
