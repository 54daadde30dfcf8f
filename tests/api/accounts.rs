//! What protects an account: passwords that are not common, lock-out, resets by link, second steps, sessions that end.

use kilele::auth::totp;
use kilele::clock::MINUTE;
use kilele_tests::{Answer, Engine, NewId, Person, TestApp, Uuid, both};
use serde_json::{Value, json};

const GOOD: &str = "kiboko-ndizi-treni";

fn credentials(login: &str, password: &str, code: Option<&str>) -> Value {
    json!({ "login": login, "password": password, "code": code, "tokens": true,
            "device": { "id": Uuid::now_v7_test(), "name": "Desk" } })
}

async fn enter(app: &TestApp, login: &str, password: &str, code: Option<&str>) -> Answer {
    app.post("/api/sessions", &credentials(login, password, code)).await
}

/// The code that an authenticator app shows now.
fn shown(app: &TestApp, secret: &Value) -> String {
    let secret = totp::unbase32(secret.as_str().unwrap()).unwrap();
    totp::code(&secret, app.clock.now() / 30_000)
}

fn token(invitation: &Value) -> String {
    invitation["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

async fn join(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password, "device": { "id": Uuid::now_v7_test(), "name": "Phone" } });
    app.post("/api/join", &body).await
}

both! {
    async fn a_password_is_changed_by_its_owner_and_ends_the_other_sessions(app: TestApp) {
        let (here, there) = (app.mentor().await, app.mentor().await);
        let change = |current: &str, password: &str| json!({ "current": current, "password": password });
        let old = kilele::demo::PASSWORD;
        let path = "/api/me/password";
        here.put(path, &change("not the password", GOOD)).await.refused(422, "wrong_password");
        here.put(path, &change(old, "short")).await.refused(422, "password_too_short");
        for common in ["password1234", "qwertyuiop123", "aaaaaaaaaaaaaa", "amina.mentor2026"] {
            here.put(path, &change(old, common)).await.refused(422, "password_common");
        }
        here.put(path, &change(old, old)).await.refused(422, "password_reused");
        here.put(path, &change(old, GOOD)).await.empty(204);
        here.get("/api/me").await.ok();
        there.get("/api/me").await.refused(401, "session_ended");
        enter(&app, "amina.mentor", old, None).await.refused(401, "wrong_credentials");
        enter(&app, "amina.mentor", GOOD, None).await.ok();
    }

    async fn an_administrator_resets_by_a_link_and_never_knows_a_password(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let path = format!("/api/members/{}/reset", mentor.member());
        mentor.post(&path, &json!({})).await.refused(403, "forbidden");
        admin.post(&format!("/api/members/{}/reset", admin.member()), &json!({})).await.refused(409, "own_role");
        admin.post(&format!("/api/members/{}/reset", Uuid::now_v7_test()), &json!({})).await.refused(404, "not_found");
        let link = token(&admin.post(&path, &json!({})).await.ok());
        mentor.get("/api/me").await.refused(401, "session_ended");
        enter(&app, "amina.mentor", kilele::demo::PASSWORD, None).await.refused(401, "wrong_credentials");
        // The change is forced: not the same again, and not a common one.
        join(&app, &link, kilele::demo::PASSWORD).await.refused(422, "password_reused");
        join(&app, &link, "password1234").await.refused(422, "password_common");
        join(&app, &link, GOOD).await.ok();
        join(&app, &link, GOOD).await.refused(422, "invitation_invalid");
        enter(&app, "amina.mentor", GOOD, None).await.ok();
        let events = admin.get("/api/audit?action=member.reset").await.ok();
        assert_eq!(events["items"][0]["subject"], mentor.member());
    }

    async fn one_organisation_has_no_hold_on_an_account_of_two(app: TestApp) {
        kilele_tests::cast::neighbours(&app).await;
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let theirs: Uuid = app.sign_in("b.mentor").await.org().parse().unwrap();
        let (account, id) = (mentor.session["account"]["id"].as_str().unwrap().parse::<Uuid>().unwrap(), Uuid::now_v7_test());
        let join = "INSERT INTO member (org, id, account, role, active, created_at) VALUES ($1, $2, $3, 'mentor', TRUE, 9000000000000)";
        app.app.db.write(move |tx| Box::pin(tx.query(join).bind(theirs).bind(id).bind(account).run())).await.unwrap();
        let path = format!("/api/members/{}", mentor.member());
        admin.post(&format!("{path}/reset"), &json!({})).await.refused(409, "several_organisations");
        mentor.get("/api/me").await.ok();
        // Whoever runs the server has.
        assert!(kilele::cli::reset(&app.app, "nobody", false).await.is_err());
        let link = kilele::cli::reset(&app.app, "Amina.Mentor", false).await.unwrap();
        enter(&app, "amina.mentor", kilele::demo::PASSWORD, None).await.refused(401, "wrong_credentials");
        let (_, link) = link.split_once('#').unwrap();
        let body = json!({ "token": link, "password": GOOD, "device": { "id": Uuid::now_v7_test(), "name": "Phone" } });
        assert_eq!(app.post("/api/join", &body).await.status, 200);
    }

    async fn a_second_step_is_set_up_used_once_each_and_replaced_by_recovery_codes(app: TestApp) {
        let mentor = app.mentor().await;
        let password = json!({ "password": kilele::demo::PASSWORD });
        mentor.post("/api/me/second-step", &json!({ "password": "wrong wrong wrong" })).await.refused(422, "wrong_password");
        let offer = mentor.post("/api/me/second-step", &password).await.ok();
        assert!(offer["uri"].as_str().unwrap().starts_with("otpauth://totp/Kilele:amina.mentor?secret="));
        assert_eq!(mentor.post("/api/me/second-step", &password).await.ok(), offer, "the same until it is confirmed");
        enter(&app, "amina.mentor", kilele::demo::PASSWORD, None).await.ok();
        mentor.post("/api/me/second-step/confirm", &json!({ "code": "000000" })).await.refused(422, "second_step_wrong");
        // Kept: half a minute later the app would show another, which has not been used.
        let first = shown(&app, &offer["secret"]);
        let confirmed = mentor.post("/api/me/second-step/confirm", &json!({ "code": first })).await.ok();
        let codes: Vec<String> = serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap();
        assert_eq!(codes.len(), 10);
        let enter = async |code: Option<&str>| enter(&app, "amina.mentor", kilele::demo::PASSWORD, code).await;
        enter(None).await.refused(401, "second_step");
        enter(Some("123")).await.refused(401, "second_step_wrong");
        enter(Some(&first)).await.refused(401, "second_step_wrong");
        app.clock.shift(MINUTE);
        let code = shown(&app, &offer["secret"]);
        enter(Some(&code)).await.ok();
        enter(Some(&code)).await.refused(401, "second_step_wrong");
        enter(Some(&codes[3].to_uppercase())).await.ok();
        enter(Some(&codes[3])).await.refused(401, "second_step_wrong");
        assert_eq!(mentor.get("/api/me/security").await.ok()["recovery_codes_left"], 9);
        // Neither the secret nor a code lies readable in the database.
        let kept: Vec<(String,)> = app.app.db.query("SELECT totp_secret FROM account WHERE totp_secret IS NOT NULL").all().await.unwrap();
        assert!(kept.len() == 1 && kept[0].0.starts_with("~sealed~"));
        let new = mentor.post("/api/me/second-step/codes", &password).await.ok();
        enter(Some(&codes[5])).await.refused(401, "second_step_wrong");
        enter(Some(new["recovery_codes"][0].as_str().unwrap())).await.ok();
        // A wrong password says nothing of a second step.
        let body = credentials("amina.mentor", "not the password", Some(&code));
        app.post("/api/sessions", &body).await.refused(401, "wrong_credentials");
        mentor.post("/api/me/second-step/remove", &password).await.empty(204);
        enter(None).await.ok();
    }

    async fn a_role_can_be_made_to_have_a_second_step(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let rules = json!({ "second_step_roles": ["mentor"] });
        mentor.put("/api/organisation/sign-in", &rules).await.refused(403, "forbidden");
        assert_eq!(admin.put("/api/organisation/sign-in", &rules).await.ok(), rules);
        assert_eq!(admin.get("/api/organisation/sign-in").await.ok(), rules);
        let enter = async |code: Option<&str>| enter(&app, "amina.mentor", kilele::demo::PASSWORD, code).await;
        let told = enter(None).await;
        told.refused(401, "second_step_setup");
        let secret = told.body["details"]["secret"].clone();
        assert_eq!(enter(None).await.body["details"]["secret"], secret, "the code that was scanned stays good");
        enter(Some("999999")).await.refused(401, "second_step_wrong");
        let entered = enter(Some(&shown(&app, &secret))).await.ok();
        assert_eq!(entered["recovery_codes"].as_array().unwrap().len(), 10);
        let again = Person::of(app.url.clone(), app.client.clone(), entered);
        let password = json!({ "password": kilele::demo::PASSWORD });
        again.post("/api/me/second-step/remove", &password).await.refused(409, "second_step_required");
        enter(None).await.refused(401, "second_step");
        // Others go on as before; who lost the app is reset with it, and sets it up anew.
        app.sign_in("grace.supervisor").await;
        let link = token(&admin.post(&format!("/api/members/{}/reset", mentor.member()), &json!({ "second_step": true })).await.ok());
        join(&app, &link, GOOD).await.refused(401, "second_step");
        let anew = app.post("/api/sessions", &credentials("amina.mentor", GOOD, None)).await;
        anew.refused(401, "second_step_setup");
        assert_ne!(anew.body["details"]["secret"], secret);
    }

    async fn one_of_the_organisation_s_own_roles_can_be_made_to_have_a_second_step(app: TestApp) {
        let admin = app.admin().await;
        let role = async |name: &str| {
            let role = json!({ "name": name, "scope": "own", "levels": { "households": "read" } });
            admin.post("/api/roles", &role).await.ok()["id"].as_str().unwrap().to_owned()
        };
        let (strict, easy) = (role("Strict").await, role("Easy").await);
        let org: kilele_tests::Uuid = admin.org().parse().unwrap();
        for (login, role) in [("s.clerk", &strict), ("e.clerk", &easy)] {
            let new = kilele::members::NewMember { login: login.into(), role: kilele::auth::Role::Custom, custom_role: role.parse().ok(), ..Default::default() };
            kilele_tests::cast::join(&app, org, new).await;
        }
        let path = "/api/organisation/sign-in";
        for nothing in ["nobody".to_owned(), kilele_tests::id(), strict.to_uppercase()] {
            admin.put(path, &json!({ "second_step_roles": [nothing] })).await.refused(422, "invalid");
        }
        let rules = json!({ "second_step_roles": [strict] });
        assert_eq!(admin.put(path, &rules).await.ok(), rules);
        enter(&app, "e.clerk", kilele::demo::PASSWORD, None).await.ok();
        enter(&app, "s.clerk", kilele::demo::PASSWORD, None).await.refused(401, "second_step_setup");
        // A role that is gone demands nothing.
        Answer::of(admin.request(reqwest::Method::DELETE, &format!("/api/roles/{strict}"))).await.refused(409, "role_in_use");
        let spare = role("Spare").await;
        admin.put(path, &json!({ "second_step_roles": [spare] })).await.ok();
        Answer::of(admin.request(reqwest::Method::DELETE, &format!("/api/roles/{spare}"))).await.empty(204);
        assert_eq!(admin.get(path).await.ok()["second_step_roles"], json!([]));
    }

    async fn sessions_are_listed_and_ended_by_the_person_and_the_administrator(app: TestApp) {
        let (first, second, admin) = (app.mentor().await, app.mentor().await, app.admin().await);
        let other = app.other_mentor().await;
        let listed = async |who: &Person, path: &str| -> Vec<Value> {
            // The demonstration's own phones stand there too.
            let all = who.get(path).await.ok()["items"].as_array().unwrap().clone();
            all.into_iter().filter(|line| line["device_name"] == "test phone").collect()
        };
        let lines = listed(&first, "/api/sessions/open").await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.iter().filter(|l| l["current"] == true).count(), 1);
        let theirs = lines.iter().find(|l| l["current"] == false).unwrap();
        assert_eq!((&theirs["device"], &theirs["device_name"]), (&json!(second.device.to_string()), &json!("test phone")));
        let path = format!("/api/sessions/open/{}", theirs["id"].as_str().unwrap());
        other.request(reqwest::Method::DELETE, &path).send().await.map(|a| assert_eq!(a.status(), 404)).unwrap();
        Answer::of(first.request(reqwest::Method::DELETE, &path)).await.empty(204);
        second.get("/api/me").await.refused(401, "session_ended");
        Answer::of(first.request(reqwest::Method::DELETE, &path)).await.refused(404, "not_found");
        // Nobody but an administrator looks at another's.
        let asked = format!("/api/sessions/open?member={}", first.member());
        assert!(other.get(&asked).await.ok()["items"].as_array().unwrap().iter().all(|l| l["member"] == other.member().as_str()));
        let seen = listed(&admin, &asked).await;
        assert_eq!(seen.len(), 1);
        let path = format!("/api/sessions/open/{}", seen[0]["id"].as_str().unwrap());
        Answer::of(admin.request(reqwest::Method::DELETE, &path)).await.empty(204);
        first.get("/api/me").await.refused(401, "session_ended");
        assert_eq!(admin.get("/api/audit?action=session.end").await.ok()["items"].as_array().unwrap().len(), 2);
    }

    async fn wrong_passwords_lock_the_account_longer_each_time_and_that_is_noted(app: TestApp) {
        let admin = app.admin().await;
        let wrong = async || enter(&app, "juma.mentor", "not the password", None).await;
        for _ in 0..10 {
            wrong().await.refused(401, "wrong_credentials");
        }
        let waits = async || {
            let locked = enter(&app, "juma.mentor", kilele::demo::PASSWORD, None).await;
            locked.refused(429, "too_many_attempts");
            locked.header("retry-after").parse::<i64>().unwrap()
        };
        assert!((55..=61).contains(&waits().await));
        app.clock.shift(MINUTE + 1_000);
        wrong().await.refused(401, "wrong_credentials");
        assert!((115..=121).contains(&waits().await));
        assert_eq!(admin.get("/api/audit?action=account.locked").await.ok()["items"].as_array().unwrap().len(), 2);
        app.clock.shift(2 * MINUTE + 1_000);
        enter(&app, "juma.mentor", kilele::demo::PASSWORD, None).await.ok();
        wrong().await.refused(401, "wrong_credentials");
        enter(&app, "juma.mentor", kilele::demo::PASSWORD, None).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_many_accounts_waits_too() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    for n in 0..50 {
        enter(&app, &format!("nobody{n}"), "not the password", None).await.refused(401, "wrong_credentials");
    }
    let locked = enter(&app, "amina.mentor", kilele::demo::PASSWORD, None).await;
    locked.refused(429, "too_many_attempts");
    assert!((55..=61).contains(&locked.header("retry-after").parse::<i64>().unwrap()));
    app.clock.shift(MINUTE + 1_000);
    enter(&app, "amina.mentor", kilele::demo::PASSWORD, None).await.ok();
}
