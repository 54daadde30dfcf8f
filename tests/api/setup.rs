//! The first set-up and invitations: links that work once.

use kilele::auth::invitations;
use kilele_tests::{Engine, NewId, TestApp, Uuid};
use serde_json::{Value, json};

fn device() -> Value {
    json!({ "id": Uuid::now_v7_test(), "name": "Desk" })
}

fn setup(token: &str) -> Value {
    json!({ "token": token, "organisation_name": "Tumaini", "organisation_code": "tumaini", "name": "Rehema Otieno",
            "login": "rehema", "password": "a long enough one", "device": device() })
}

async fn an_empty_installation_is_set_up_once_by_its_link(engine: Engine) {
    let app = TestApp::spawn_empty(engine, |name| (name == "KILELE_SIGN_IN_PER_MINUTE").then(|| "1000".into())).await;
    let start = app.get("/api/start").await.ok();
    assert_eq!(start["setup_required"], true);
    assert_eq!(start["demo_accounts"], json!([]));
    let now = app.clock.now();
    let token = app.app.db.write(move |tx| Box::pin(invitations::create(tx, None, now))).await.unwrap();
    app.post("/api/setup", &setup("AAAA")).await.refused(422, "invitation_invalid");
    let mut short = setup(&token);
    short["password"] = "short".into();
    app.post("/api/setup", &short).await.refused(422, "password_too_short");
    let view = app.post("/api/setup", &setup(&token)).await.ok();
    assert_eq!(view["organisation"]["code"], "TUMAINI");
    assert_eq!(view["member"]["role"], "org_admin");
    app.post("/api/setup", &setup(&token)).await.refused(422, "invitation_invalid");
    assert_eq!(app.get("/api/start").await.ok()["setup_required"], false);
    let signed_in = json!({ "login": "Rehema", "password": "a long enough one", "device": device(), "tokens": true });
    app.post("/api/sessions", &signed_in).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_sqlite() {
    an_empty_installation_is_set_up_once_by_its_link(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_postgres() {
    an_empty_installation_is_set_up_once_by_its_link(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_link_expires() {
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    let now = app.clock.now();
    let token = app.app.db.write(move |tx| Box::pin(invitations::create(tx, None, now))).await.unwrap();
    app.clock.shift(8 * kilele::clock::DAY);
    app.post("/api/setup", &setup(&token)).await.refused(422, "invitation_invalid");
}
