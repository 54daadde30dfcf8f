//! A registry of fifty thousand households: looked at, added and undone.

use std::time::{Duration, Instant};

use kilele_tests::{Answer, Person, registry};
use reqwest::Method;
use serde_json::{Value, json};

use crate::row;
use crate::server::Server;

const HOUSEHOLDS: usize = 50_000;

async fn settled(by: &Person, id: &str) -> Value {
    loop {
        let import = by.get(&format!("/api/imports/{id}")).await.ok();
        if !["checking", "committing", "undoing"].contains(&import["state"].as_str().unwrap()) {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A step, until nobody works on it any more.
async fn step(by: &Person, id: &str, step: &str, body: Value) -> (Value, Duration) {
    let begun = Instant::now();
    by.post(&format!("/api/imports/{id}/{step}"), &body).await.ok();
    (settled(by, id).await, begun.elapsed())
}

pub async fn measure(engine: &str, server: &Server) {
    let admin = server.sign_in("admin.demo").await;
    let places = admin.get("/api/places").await.ok()["items"].as_array().unwrap().clone();
    let villages: Vec<String> =
        places.iter().filter(|p| p["level"] == 2).map(|p| p["code"].as_str().unwrap().to_owned()).collect();
    let file = registry::csv(HOUSEHOLDS, &villages);
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    server.forget_peak();
    let begun = Instant::now();
    let request =
        admin.request(Method::POST, "/api/imports?kind=households&name=bench.csv").header("content-type", "text/csv");
    let sent = Answer::of(request.body(file.clone())).await.ok();
    row("import: send 50,000 households", engine, seconds(begun.elapsed()), "–");
    let id = sent["id"].as_str().unwrap();
    let fields: Vec<&Value> = sent["columns"].as_array().unwrap().iter().map(|column| &column["field"]).collect();
    let (import, time) = step(&admin, id, "check", json!({ "fields": fields })).await;
    assert_eq!((&import["counts"]["rows"], &import["counts"]["faults"]), (&json!(HOUSEHOLDS), &json!(0)), "{import}");
    row("import: dry run of 50,000 households", engine, seconds(time), "≤ 20 s");
    let (import, time) = step(&admin, id, "commit", json!({})).await;
    assert_eq!(import["state"], "done", "{import}");
    row("import: add them, all or none", engine, seconds(time), "–");
    let request =
        admin.request(Method::POST, "/api/imports?kind=households&name=again.csv").header("content-type", "text/csv");
    let again = Answer::of(request.body(file.replace("HH-", "AGAIN-"))).await.ok();
    let (import, time) = step(&admin, again["id"].as_str().unwrap(), "check", json!({ "fields": fields })).await;
    row("import: dry run against 50,000 that are there", engine, seconds(time), "≤ 20 s");
    assert!(import["counts"]["flagged"].as_i64() >= import["counts"]["new"].as_i64(), "{import}");
    let (import, time) = step(&admin, id, "undo", json!({})).await;
    assert_eq!(import["state"], "undone", "{import}");
    row("import: undo", engine, seconds(time), "–");
    row("import: most memory meanwhile", engine, format!("{} MiB", server.peak_kib() / 1024), "≤ 400 MiB");
}
