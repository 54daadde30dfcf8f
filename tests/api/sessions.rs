//! Signing in, renewing, ending.

use kilele_tests::signing::DeviceKey;
use kilele_tests::{Answer, NewId, Person, TestApp, Uuid, both};
use serde_json::json;

fn credentials(login: &str, password: &str) -> serde_json::Value {
    json!({ "login": login, "password": password, "tokens": true, "device": { "id": Uuid::now_v7_test(), "name": "x" } })
}

/// As a phone does it: asks for the challenge when it does not have the one of this token, and signs it.
async fn refresh(app: &TestApp, person: &Person, token: &str) -> Answer {
    let first = refresh_with(app, person, token, None, None).await;
    match first.body["details"]["challenge"].as_str() {
        Some(challenge) => refresh_with(app, person, token, Some(challenge), Some(challenge)).await,
        None => first,
    }
}

async fn refresh_with(app: &TestApp, person: &Person, token: &str, challenge: Option<&str>, signed: Option<&str>) -> Answer {
    let message = signed.map(|challenge| format!("kilele-refresh|{}|{challenge}", person.device));
    let proof = person.key.as_ref().zip(message).map(|(key, message)| key.sign(message.as_bytes()));
    let body = json!({ "device": person.device, "challenge": challenge, "proof": proof, "refresh_token": token });
    app.post("/api/sessions/refresh", &body).await
}

both! {
    async fn people_who_share_a_browser_get_their_own_session_back(app: TestApp) {
        let body = |login: &str| {
            json!({ "login": login, "password": kilele::demo::PASSWORD, "shared": true,
            "device": { "id": Uuid::now_v7_test(), "name": "x" } })
        };
        let answer = app.post("/api/sessions", &body("amina.mentor")).await;
        // The cookies as ever, and beside them what each person keeps for themselves.
        assert!(answer.header("set-cookie").contains("kilele_"));
        let view = answer.ok();
        assert!(view.get("access_token").is_none());
        let token = view["refresh_token"].as_str().unwrap().to_owned();
        let renewal =
            json!({ "device": view["device"], "at": 1_790_000_000_000_i64, "refresh_token": token, "shared": true });
        let renewed = app.post("/api/sessions/refresh", &renewal).await;
        assert!(renewed.header("set-cookie").contains("kilele_"));
        let renewed = renewed.ok();
        assert_eq!(renewed["account"]["login"], "amina.mentor");
        assert_ne!(renewed["refresh_token"], view["refresh_token"]);
    }

    async fn a_page_never_acts_in_another_persons_name(app: TestApp) {
        let (amina, juma) = (app.mentor().await, app.other_mentor().await);
        let asked = |member: &str| {
            app.client
                .get(format!("{}/api/me", app.url))
                .bearer_auth(&amina.token)
                .header("kilele-member", member.to_owned())
        };
        let me = amina.get("/api/me").await.ok();
        let id = me["member"]["id"].as_str().unwrap().to_owned();
        Answer::of(asked(&id)).await.ok();
        let other = juma.get("/api/me").await.ok()["member"]["id"].as_str().unwrap().to_owned();
        Answer::of(asked(&other)).await.refused(401, "other_person");
    }

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

    async fn a_proof_is_good_for_one_token_and_one_renewal(app: TestApp) {
        let phone = Person::sign_in(&app, "amina.mentor", Uuid::now_v7_test(), Some(DeviceKey::default())).await;
        let told = phone.session["refresh_challenge"].as_str().unwrap().to_owned();
        // The old kind of proof, over a time, and none at all: the challenge is told, nothing ends.
        let old = refresh_with(&app, &phone, &phone.refresh_token, None, Some("1790000000000")).await;
        old.refused(401, "refresh_challenge");
        assert_eq!(old.body["details"]["challenge"], json!(told), "the same that came with the token");
        let renewed = refresh_with(&app, &phone, &phone.refresh_token, Some(&told), Some(&told)).await.ok();
        let second = renewed["refresh_token"].as_str().unwrap().to_owned();
        // Somebody who heard the first proof and has the second token cannot use one with the other.
        refresh_with(&app, &phone, &second, Some(&told), Some(&told)).await.refused(401, "refresh_challenge");
        let next = renewed["refresh_challenge"].as_str().unwrap();
        assert_ne!(next, told);
        refresh_with(&app, &phone, &second, Some(next), Some(&told)).await.refused(401, "session_reused");
        refresh_with(&app, &phone, &second, Some(next), Some(next)).await.refused(401, "session_ended");
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
