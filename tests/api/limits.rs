//! How much one address, account or device may ask for, right behind a proxy; and the headers that every answer carries.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kilele::clock::MINUTE;
use kilele::crypto::sha256;
use kilele_tests::{Answer, Engine, TestApp};
use serde_json::json;

fn limited(name: &str) -> Option<String> {
    match name {
        "KILELE_API_PER_MINUTE" => Some("20".into()),
        "KILELE_SYNC_PER_MINUTE" => Some("30".into()),
        "KILELE_TRUSTED_PROXIES" => Some("127.0.0.1".into()),
        _ => None,
    }
}

fn from(app: &TestApp, address: &str, path: &str) -> reqwest::RequestBuilder {
    app.client.get(format!("{}{path}", app.url)).header("x-forwarded-for", address)
}

/// How many were taken before one was refused, and that one.
async fn until_refused(budget: usize, ask: impl AsyncFn(usize) -> Answer) -> (usize, Answer) {
    for taken in 0..budget + 200 {
        let answer = ask(taken % 250).await;
        if answer.status != 200 {
            answer.refused(429, "too_many_attempts");
            return (taken, answer);
        }
    }
    panic!("nothing was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_a_device_and_an_address_have_budgets_of_their_own() {
    let app = TestApp::spawn_with(Engine::Sqlite, limited).await;
    let (mentor, same, other) = (app.mentor().await, app.mentor().await, app.other_mentor().await);
    // Two devices of one account take from one budget. A little comes back while this goes on.
    let (taken, refused) = until_refused(20, async |n| {
        let who = if n % 2 == 0 { &mentor } else { &same };
        who.get("/api/households?limit=1").await
    })
    .await;
    assert!((20..=24).contains(&taken), "{taken}");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "at most a twentieth of a minute, and a second to be sure: {wait}");
    // Others go on; and so does sync, which has a budget of its own: work gets through however much was looked at.
    other.get("/api/households?limit=1").await.ok();
    let body = json!({ "device": mentor.device, "schema": 1 });
    let (taken, _) = until_refused(30, async |_| mentor.post("/api/sync", &body).await).await;
    assert!((30..=36).contains(&taken), "{taken}");
    app.clock.shift(4_000);
    mentor.get("/api/households?limit=1").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_one_that_the_trusted_proxy_saw() {
    let app = TestApp::spawn_empty(Engine::Sqlite, limited).await;
    let ask = async |address: &str| Answer::of(from(&app, address, "/api/start")).await;
    // What a client claims to have been forwarded for stands left of what the proxy wrote.
    let (taken, refused) = until_refused(200, async |n| ask(&format!("203.0.113.{n}, 198.51.100.7")).await).await;
    assert!((200..=230).contains(&taken), "{taken}");
    assert!(refused.header("retry-after").parse::<i64>().unwrap() >= 1);
    assert_eq!(refused.header("x-content-type-options"), "nosniff", "a refusal has the headers too");
    ask("198.51.100.8").await.ok();
    // Monitoring is not counted.
    Answer::of(from(&app, "198.51.100.7", "/health")).await.ok();
    until_refused(200, async |n| ask(&format!("2001:db8:1:2::{n}")).await).await;
    ask("2001:db8:1:3::1").await.ok();
    app.clock.shift(MINUTE);
    ask("198.51.100.7").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_trusted_proxy_has_its_own_address() {
    let set = |name: &str| limited(name).filter(|_| name != "KILELE_TRUSTED_PROXIES");
    let app = TestApp::spawn_empty(Engine::Sqlite, set).await;
    until_refused(200, async |n| Answer::of(from(&app, &format!("203.0.113.{n}"), "/api/start")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_and_no_policy_lets_foreign_or_inline_code_in() {
    let tls = |name: &str| (name == "KILELE_PUBLIC_URL").then(|| "https://kilele.example".to_owned());
    let app = TestApp::spawn_empty(Engine::Sqlite, tls).await;
    for path in
        ["/", "/sign-in", "/sw.js", "/api/start", "/api/me", "/api/nothing", "/health", "/api/docs", "/api/openapi.json"]
    {
        let answer = app.get(path).await;
        let header = |name: &str| answer.header(name).to_owned();
        let policy = header("content-security-policy");
        let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
        for word in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
            assert!(!policy.contains(word), "{path}: {policy}");
        }
        assert!(parts.contains(&"frame-ancestors 'none'") && parts.contains(&"base-uri 'none'"), "{path}: {policy}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("strict-transport-security"), "max-age=31536000", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let allowed = header("permissions-policy");
        // JSON is no page: nothing may be loaded for it, so that there is nobody to give a permission to.
        if header("content-type").contains("json") && path.starts_with("/api/") {
            assert!(parts.contains(&"default-src 'none'") && allowed.is_empty(), "{path}: {policy} {allowed}");
            continue;
        }
        let own: Vec<&str> = allowed.split(", ").filter(|part| !part.ends_with("=()")).collect();
        assert_eq!(own, ["camera=(self)", "geolocation=(self)"], "{path}");
    }
    // The page of the API may run its own script and style, by their hashes, and nothing else.
    let docs = app.get("/api/docs").await;
    let page = String::from_utf8(docs.bytes.to_vec()).unwrap();
    let policy = docs.header("content-security-policy").to_owned();
    for tag in ["script", "style"] {
        let inside: Vec<&str> = kilele::web::inside(&page, tag).collect();
        assert!(!inside.is_empty());
        for text in inside {
            let hash = BASE64_STANDARD.encode(sha256(text.as_bytes()));
            assert!(policy.contains(&format!("'sha256-{hash}'")), "{tag} {policy}");
        }
    }
    // Reached without TLS, nobody is told to come by TLS only.
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    assert_eq!(app.get("/").await.header("strict-transport-security"), "");
}
