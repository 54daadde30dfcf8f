//! Signing in, renewing, ending.

use kilele_tests::signing::DeviceKey;
use kilele_tests::{Answer, NewId, Person, TestApp, Uuid, both};
use serde_json::json;

fn credentials(login: &str, password: &str) -> serde_json::Value {
    json!({ "login": login, "password": password, "tokens": true, "device": { "id": Uuid::now_v7_test(), "name": "x" } })
}

async fn refresh(app: &TestApp, person: &Person, token: &str) -> Answer {
    let at = 1_790_000_000_000_i64;
    let proof = person.key.as_ref().map(|k| k.sign(format!("kilele-refresh|{}|{at}", person.device).as_bytes()));
    app.post("/api/sessions/refresh", &json!({ "device": person.device, "at": at, "proof": proof, "refresh_token": token }))
        .await
}

both! {
    async fn a_session_shows_who_one_is(app: TestApp) {
        let mentor = app.mentor().await;
        let me = mentor.get("/api/me").await.ok();
        assert_eq!(me["member"]["name"], "Amina Hassan");
        assert_eq!(me["member"]["role"], "mentor");
        assert_eq!(me["organisation"]["code"], "MAENDELEO");
        assert!(me.get("refresh_token").is_none());
    }

    async fn nobody_learns_which_logins_exist(app: TestApp) {
        let wrong = app.post("/api/sessions", &credentials("amina.mentor", "not the password")).await;
        let unknown = app.post("/api/sessions", &credentials("nobody.here", "not the password")).await;
        wrong.refused(401, "wrong_credentials");
        assert_eq!(wrong.body, unknown.body);
    }

    async fn ten_wrong_passwords_lock_the_account_for_a_while(app: TestApp) {
        for _ in 0..10 {
            app.post("/api/sessions", &credentials("amina.mentor", "wrong wrong wrong")).await.refused(401, "wrong_credentials");
        }
        let right = credentials("amina.mentor", kilele::demo::PASSWORD);
        let locked = app.post("/api/sessions", &right).await;
        locked.refused(429, "too_many_attempts");
        assert!(locked.header("retry-after").parse::<u64>().unwrap() > 0);
        app.clock.shift(2 * kilele::clock::MINUTE);
        app.post("/api/sessions", &right).await.ok();
    }

    async fn an_access_token_lives_fifteen_minutes(app: TestApp) {
        let mentor = app.mentor().await;
        app.clock.shift(14 * kilele::clock::MINUTE);
        mentor.get("/api/me").await.ok();
        app.clock.shift(2 * kilele::clock::MINUTE);
        mentor.get("/api/me").await.refused(401, "token_expired");
        let renewed = refresh(&app, &mentor, &mentor.refresh_token).await.ok();
        let mentor = Person { token: renewed["access_token"].as_str().unwrap().into(), ..mentor };
        mentor.get("/api/me").await.ok();
    }

    async fn a_month_offline_resumes_and_a_quarter_does_not(app: TestApp) {
        let mentor = app.mentor().await;
        app.clock.shift(31 * kilele::clock::DAY);
        let renewed = refresh(&app, &mentor, &mentor.refresh_token).await.ok();
        app.clock.shift(91 * kilele::clock::DAY);
        refresh(&app, &mentor, renewed["refresh_token"].as_str().unwrap()).await.refused(401, "session_ended");
    }

    async fn a_lost_answer_does_not_end_the_session(app: TestApp) {
        let mentor = app.mentor().await;
        refresh(&app, &mentor, &mentor.refresh_token).await.ok();
        // The answer never arrived: the phone still has the old token.
        let again = refresh(&app, &mentor, &mentor.refresh_token).await.ok();
        let mentor = Person { token: again["access_token"].as_str().unwrap().into(), ..mentor };
        mentor.get("/api/me").await.ok();
    }

    async fn a_stolen_refresh_token_ends_the_family(app: TestApp) {
        let mentor = app.mentor().await;
        let renewed = refresh(&app, &mentor, &mentor.refresh_token).await.ok();
        let owner = Person { token: renewed["access_token"].as_str().unwrap().into(), ..mentor };
        owner.get("/api/me").await.ok();
        refresh(&app, &owner, &owner.refresh_token).await.refused(401, "session_reused");
        refresh(&app, &owner, renewed["refresh_token"].as_str().unwrap()).await.refused(401, "session_ended");
        owner.get("/api/me").await.refused(401, "session_ended");
    }

    async fn a_refresh_token_is_bound_to_its_device(app: TestApp) {
        let phone = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let thief = Person { key: Some(DeviceKey::default()), ..phone };
        refresh(&app, &thief, &thief.refresh_token).await.refused(401, "session_reused");
        let phone = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let other = Person { device: Uuid::now_v7_test(), ..phone };
        refresh(&app, &other, &other.refresh_token).await.refused(401, "session_reused");
        let phone = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        refresh(&app, &phone, &phone.refresh_token).await.ok();
    }

    async fn a_device_id_keeps_its_key(app: TestApp) {
        let device = Uuid::now_v7_test();
        Person::sign_in(&app, "amina.mentor", device, Some(DeviceKey::default())).await;
        let mut body = credentials("amina.mentor", kilele::demo::PASSWORD);
        body["device"] = json!({ "id": device, "name": "x", "public_key": DeviceKey::default().spki() });
        app.post("/api/sessions", &body).await.refused(409, "device_key_changed");
        // Another person of the same phone has a key of their own.
        Person::sign_in(&app, "juma.mentor", device, Some(DeviceKey::default())).await;
    }

    async fn signing_out_ends_the_session(app: TestApp) {
        let mentor = app.mentor().await;
        let out = Answer::of(mentor.request(reqwest::Method::DELETE, "/api/sessions/current")).await;
        assert_eq!(out.status, 204);
        mentor.get("/api/me").await.refused(401, "session_ended");
        refresh(&app, &mentor, &mentor.refresh_token).await.refused(401, "session_ended");
    }

    async fn cookies_work_only_from_the_application_itself(app: TestApp) {
        let body = credentials("amina.mentor", kilele::demo::PASSWORD);
        let mut body = body;
        body["tokens"] = false.into();
        let signed_in = app.post("/api/sessions", &body).await;
        assert!(signed_in.body.get("access_token").is_none(), "no script ever sees the tokens");
        let cookies: Vec<String> = signed_in.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned()).collect();
        for cookie in &cookies {
            for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/", "__Host-kilele_"] {
                assert!(cookie.contains(attribute), "{cookie} lacks {attribute}");
            }
        }
        let cookie: Vec<&str> = cookies.iter().map(|c| c.split(';').next().unwrap()).collect();
        let cookie = cookie.join("; ");
        let read = app.client.get(format!("{}/api/me", app.url)).header("cookie", &cookie);
        Answer::of(read).await.ok();
        let sync = |client: &reqwest::Client| {
            client.post(format!("{}/api/sync", app.url)).header("cookie", &cookie)
                .json(&json!({ "device": Uuid::now_v7_test(), "schema": 1 }))
        };
        Answer::of(sync(&app.client)).await.refused(403, "cross_site");
        Answer::of(sync(&app.client).header("x-kilele", "1").header("sec-fetch-site", "cross-site")).await.refused(403, "cross_site");
        Answer::of(sync(&app.client).header("x-kilele", "1").header("sec-fetch-site", "same-origin")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_is_limited_per_account_and_address() {
    let limit = |name: &str| (name == "KILELE_SIGN_IN_PER_MINUTE").then(|| "5".to_owned());
    let app = TestApp::spawn_empty(kilele_tests::Engine::Sqlite, limit).await;
    let proxied = |from: &str| {
        app.client
            .post(format!("{}/api/sessions", app.url))
            .header("x-forwarded-for", from)
            .json(&credentials("someone", "password 12345"))
    };
    for _ in 0..5 {
        Answer::of(proxied("10.0.0.1")).await.refused(401, "wrong_credentials");
    }
    // The header of an untrusted client does not buy new attempts.
    Answer::of(proxied("10.0.0.2")).await.refused(429, "too_many_attempts");
    app.clock.shift(kilele::clock::MINUTE);
    Answer::of(proxied("10.0.0.1")).await.refused(401, "wrong_credentials");
}
