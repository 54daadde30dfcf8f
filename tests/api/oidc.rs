//! Signing in by a real identity provider on loopback, and all that must not let anybody in.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use kilele_tests::{Answer, Engine, NewId, TestApp, Uuid};
use reqwest::Url;
use serde_json::json;

const REDIRECT: &str = "http://localhost:8080/sign-in/provider";

struct Idp {
    child: Child,
    issuer: String,
    _said: BufReader<ChildStdout>,
}

impl Idp {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .arg("idp.js")
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"))
            .env("PORT", port.to_string())
            .env("REDIRECT", REDIRECT)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        // Kept open: it would end when nobody listens to what it says.
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let ready = said.by_ref().lines().map_while(Result::ok).any(|line| line == "listening");
        assert!(ready, "the identity provider is installed: scripts/setup test");
        Self { child, issuer: format!("http://127.0.0.1:{port}"), _said: said }
    }

    /// What a person does there: opens the address, gives a name, agrees. Answers where the browser is sent back to.
    async fn walk(&self, url: &str, login: &str) -> Url {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let (mut at, mut form) = (url.to_owned(), None::<String>);
        for _ in 0..20 {
            let cookie = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let request = match form.take() {
                Some(body) => client.post(&at).header("content-type", "application/x-www-form-urlencoded").body(body),
                None => client.get(&at),
            };
            let answer = request.header("cookie", cookie).send().await.unwrap();
            for set in answer.headers().get_all("set-cookie") {
                let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.into(), value.into());
            }
            if let Some(next) = answer.headers().get("location") {
                let next = Url::parse(&at).unwrap().join(next.to_str().unwrap()).unwrap();
                if next.as_str().starts_with(REDIRECT) {
                    return next;
                }
                at = next.into();
                continue;
            }
            let page = answer.text().await.unwrap();
            let prompt = if page.contains("name=\"login\"") { "login" } else { "consent" };
            form = Some(format!("prompt={prompt}&login={login}&password=anything"));
        }
        panic!("the identity provider did not send the browser back");
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn part(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn app(engine: Engine, idp: &Idp) -> TestApp {
    let issuer = idp.issuer.clone();
    let app = TestApp::spawn_with(engine, move |name| match name {
        "KILELE_OIDC_ISSUER" => Some(issuer.clone()),
        "KILELE_OIDC_CLIENT_SECRET" => Some("a-secret-of-both".into()),
        "KILELE_OIDC_NAME" => Some("Tumaini Accounts".into()),
        _ => None,
    })
    .await;
    let admin = app.admin().await;
    let new = json!({ "name": "Rehema", "login": "rehema@tumaini.example", "role": "mentor", "supervisor": null, "places": [], "locale": "sw" });
    admin.post("/api/members", &new).await.ok();
    app
}

async fn begin(app: &TestApp, device: Uuid) -> (String, String) {
    let begun = app.post("/api/sessions/provider", &json!({ "device": device })).await.ok();
    (begun["url"].as_str().unwrap().to_owned(), begun["state"].as_str().unwrap().to_owned())
}

async fn finish(app: &TestApp, state: &str, code: &str, device: Uuid) -> Answer {
    let body = json!({ "state": state, "code": code, "tokens": true, "device": { "id": device, "name": "Desk" } });
    app.post("/api/sessions/provider/finish", &body).await
}

async fn by_the_provider(engine: Engine) {
    let idp = Idp::start();
    let app = app(engine, &idp).await;
    assert_eq!(app.get("/api/start").await.ok()["identity_provider"], "Tumaini Accounts");
    let device = Uuid::now_v7_test();
    let (url, state) = begin(&app, device).await;
    let asked = Url::parse(&url).unwrap();
    assert_eq!((part(&asked, "code_challenge_method"), part(&asked, "response_type")), ("S256".into(), "code".into()));
    let back = idp.walk(&url, "Rehema%40tumaini.example").await;
    assert_eq!(part(&back, "state"), state);
    let code = part(&back, "code");
    // Not on another device; and whatever was tried, that state is used up.
    finish(&app, &state, &code, Uuid::now_v7_test()).await.refused(401, "sign_in_refused");
    finish(&app, &state, &code, device).await.refused(401, "sign_in_refused");

    let enter = async |login: &str| -> Answer {
        let (url, state) = begin(&app, device).await;
        let back = idp.walk(&url, login).await;
        finish(&app, &state, &part(&back, "code"), device).await
    };
    let session = enter("Rehema%40tumaini.example").await.ok();
    assert_eq!(session["account"]["login"], "rehema@tumaini.example");
    enter("Rehema%40tumaini.example").await.ok();
    // Nobody without an account, or with an address that the provider has not verified.
    enter("nobody%40tumaini.example").await.refused(401, "sign_in_unknown");
    enter("unverified%40tumaini.example").await.refused(401, "sign_in_unknown");
    // A code belongs to the sign-in that began it: another's verifier does not open it.
    let (first, _) = begin(&app, device).await;
    let (_, other_state) = begin(&app, device).await;
    let stolen = part(&idp.walk(&first, "Rehema%40tumaini.example").await, "code");
    finish(&app, &other_state, &stolen, device).await.refused(401, "sign_in_refused");
    // Too late.
    let (url, state) = begin(&app, device).await;
    let code = part(&idp.walk(&url, "Rehema%40tumaini.example").await, "code");
    app.clock.shift(11 * kilele::clock::MINUTE);
    finish(&app, &state, &code, device).await.refused(401, "sign_in_refused");
    finish(&app, "AAAA", "code", device).await.refused(401, "sign_in_refused");
    let admin = app.admin().await;
    let events = admin.get("/api/audit?action=session.oidc").await.ok();
    assert_eq!(events["items"].as_array().map(Vec::len), Some(2));
    // The provider is gone: a word, and passwords still open the door.
    drop(idp);
    app.clock.shift(2 * kilele::clock::HOUR);
    app.post("/api/sessions/provider", &json!({ "device": device })).await.refused(503, "unavailable");
    app.mentor().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_the_identity_provider_sqlite() {
    by_the_provider(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_the_identity_provider_postgres() {
    by_the_provider(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_no_such_door() {
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    assert_eq!(app.get("/api/start").await.ok().get("identity_provider"), None);
    app.post("/api/sessions/provider", &json!({ "device": Uuid::now_v7_test() })).await.refused(404, "not_found");
}
