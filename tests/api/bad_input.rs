//! Every operation of the document, with everything a careless or hostile client may send: a clear answer, never a 500.

use kilele_tests::{Answer, Engine, Person, TestApp, id};
use reqwest::Method;
use serde_json::{Value, json};

struct Operation {
    method: Method,
    path: String,
    takes_json: bool,
    guarded: bool,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                takes_json: operation["requestBody"]["content"]
                    .as_object()
                    .is_some_and(|c| c.keys().any(|k| k.contains("json"))),
                guarded: operation["security"].as_array().is_some_and(|s| !s.is_empty()),
            });
        }
    }
    assert!(operations.len() > 25, "the document was read");
    operations
}

/// The problem body, unless the answer has none by its nature (HEAD, OPTIONS).
fn check(operation: &Operation, what: &str, answer: &Answer) {
    let Operation { method, path, .. } = operation;
    assert!(answer.status.as_u16() < 500, "{method} {path} {what}: {} {}", answer.status, answer.body);
    if answer.status.is_client_error() && *method != Method::HEAD {
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty(), "{method} {path} {what}: {} without a problem body: {:?}", answer.status, answer.bytes);
        assert!(answer.body["message"].is_string());
    }
}

async fn everything_that_may_come(engine: Engine) {
    let app = TestApp::spawn(engine).await;
    let people: Vec<Person> = vec![app.mentor().await, app.supervisor().await, app.admin().await];
    let (bodies, ids) = (bodies(), ["not-an-id".to_owned(), id(), "%00".into(), "..%2f..".into(), "é".repeat(300)]);
    let mut asked = 0;
    for operation in operations() {
        let plain = operation.path.replace("{id}", &id()).replace("{size}", "thumb");
        if operation.guarded {
            let answer = Answer::of(app.client.request(operation.method.clone(), format!("{}{plain}", app.url))).await;
            assert_eq!(answer.status, 401, "{} {plain} is open", operation.method);
            let request = app.client.request(operation.method.clone(), format!("{}{plain}", app.url)).bearer_auth("x.y.z");
            assert_eq!(Answer::of(request).await.status, 401);
        }
        // Signing out would end the test's own session.
        if operation.path == "/api/sessions/current" {
            continue;
        }
        for person in &people {
            for wrong in &ids {
                let path = operation.path.replace("{id}", wrong).replace("{size}", "huge");
                let answer = Answer::of(person.request(operation.method.clone(), &path).json(&json!({}))).await;
                check(&operation, wrong, &answer);
                asked += 1;
            }
            let query = format!("{plain}?limit=-1&after=%00&q=%00&state=x&mentor=x&place=x&endpoint=%00");
            check(&operation, "query", &Answer::of(person.request(operation.method.clone(), &query)).await);
            if !operation.takes_json {
                continue;
            }
            for (what, body) in &bodies {
                let request = person.request(operation.method.clone(), &plain).header("content-type", "application/json");
                let answer = Answer::of(request.body(body.clone())).await;
                check(&operation, what, &answer);
                asked += 1;
            }
            let request = person.request(operation.method.clone(), &plain).header("content-type", "text/xml").body("<a/>");
            check(&operation, "xml", &Answer::of(request).await);
        }
    }
    assert!(asked > 500, "{asked}");
    let (wrong,): (i64,) = app.app.db.query("SELECT count(*) FROM household").one().await.unwrap();
    assert_eq!(wrong, 24, "nothing was written by all that");
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = "[".repeat(5000);
    let text = |value: Value| value.to_string().into_bytes();
    vec![
        ("empty", vec![]),
        ("not json", b"{".to_vec()),
        ("not utf-8", vec![b'"', 0xff, 0xfe, b'"']),
        ("null", b"null".to_vec()),
        ("array", b"[]".to_vec()),
        ("deep", deep.into_bytes()),
        ("large", format!("\"{}\"", "x".repeat(3 << 20)).into_bytes()),
        ("numbers", text(json!({ "id": 1e308, "device": -1, "schema": 1.5, "ids": [1], "at": 1e300 }))),
        (
            "nul",
            text(
                json!({ "id": "\u{0}", "login": "\u{0}", "name": "\u{0}", "token": "\u{0}", "code": "\u{0}", "endpoint": "\u{0}",
            "password": "\u{0}", "kind": "\u{0}", "at": 1, "body": {}, "role": "mentor", "places": [], "locale": "en", "active": true,
            "p256dh": "\u{0}", "auth": "\u{0}", "language": "en", "device": { "id": id(), "name": "\u{0}" } }),
            ),
        ),
        (
            "long",
            text(json!({ "login": "x".repeat(100_000), "name": "y".repeat(100_000), "password": "z".repeat(100_000),
            "token": "t".repeat(100_000), "endpoint": "https://a.example/".to_owned() + &"e".repeat(100_000), "p256dh": "p", "auth": "a",
            "language": "en", "device": { "id": id(), "name": "d".repeat(100_000) }, "role": "mentor", "places": [], "locale": "en",
            "id": id(), "code": "c".repeat(100_000) })),
        ),
        ("surrogate", br#"{"id":"\ud800","kind":"\ud800","login":"\ud800"}"#.to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_bad_input_clearly_sqlite() {
    everything_that_may_come(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_bad_input_clearly_postgres() {
    everything_that_may_come(Engine::Postgres).await;
}
