//! Certificates: of staff, with a history that is never rewritten; and the server's own. Who is told before they expire.

use std::sync::Arc;

use chrono::DateTime;
use kilele::clock::{DAY, Millis};
use kilele::notifications::reminders;
use kilele::ops::certificate;
use kilele_tests::{Answer, Engine, Person, TestApp, both};
use serde_json::{Value, json};

fn utc(text: &str) -> Millis {
    DateTime::parse_from_rfc3339(&text.replace('Z', ":00Z")).unwrap().timestamp_millis()
}

async fn at(app: &TestApp, when: &str) {
    app.clock.shift(utc(when) - app.clock.now());
    reminders::all(&app.app).await.unwrap();
    reminders::all(&app.app).await.unwrap();
}

async fn told(app: &TestApp, kind: &'static str) -> Vec<String> {
    let sql =
        "SELECT a.login FROM inbox i JOIN member m ON m.org = i.org AND m.id = i.member JOIN account a ON a.id = m.account
               WHERE i.kind = $1 ORDER BY a.login, i.id";
    let rows: Vec<(String,)> = app.app.db.query(sql).bind(kind).all().await.unwrap();
    rows.into_iter().map(|(login,)| login).collect()
}

fn first_aid(over: Value) -> Value {
    let mut new = json!({ "name": "First aid", "issued_by": "Red Cross", "number": "FA 17", "issued_on": "2025-03-01", "expires_on": "2027-03-01" });
    for (field, value) in over.as_object().unwrap() {
        new[field] = value.clone();
    }
    new
}

async fn add(by: &Person, over: Value) -> Answer {
    by.post("/api/certificates", &first_aid(over)).await
}

async fn seen(by: &Person) -> usize {
    by.get("/api/certificates").await.ok()["items"].as_array().unwrap().len()
}

both! {
    async fn each_sees_their_own_their_teams_or_all(app: TestApp) {
        let (admin, supervisor, mentor, other) = (app.admin().await, app.supervisor().await, app.mentor().await, app.other_mentor().await);
        let one = add(&mentor, json!({})).await.ok();
        assert_eq!((one["member"].as_str(), one["withdrawn"].as_bool(), one["history"].as_array().unwrap().len()), (Some(&*mentor.member()), Some(false), 1));
        add(&supervisor, json!({ "member": mentor.member(), "name": "Driving licence", "issued_on": null, "expires_on": null })).await.ok();
        assert_eq!([seen(&mentor).await, seen(&other).await, seen(&supervisor).await, seen(&admin).await], [2, 0, 2, 2]);
        add(&other, json!({ "member": mentor.member() })).await.refused(404, "not_found");
        add(&mentor, json!({ "member": supervisor.member() })).await.refused(404, "not_found");
        let path = format!("/api/certificates/{}", one["id"].as_str().unwrap());
        other.post(&format!("{path}/renew"), &json!({})).await.refused(404, "not_found");
        other.post(&format!("{path}/withdraw"), &json!({ "reason": "not mine" })).await.refused(404, "not_found");
        for (field, value) in [("name", json!(" ")), ("issued_by", json!("")), ("issued_on", json!("yesterday")), ("expires_on", json!("2025-03-01")), ("number", json!("x".repeat(121)))] {
            add(&mentor, json!({ field: value })).await.refused(422, "invalid");
        }

        // Renewed and withdrawn: what it was before stays.
        let renewed = mentor.post(&format!("{path}/renew"), &json!({ "number": "FA 99", "issued_on": "2027-02-01", "expires_on": "2029-02-01" })).await.ok();
        assert_eq!((renewed["number"].as_str(), renewed["expires_on"].as_str(), &renewed["history"][0]["expires_on"]), (Some("FA 99"), Some("2029-02-01"), &json!("2027-03-01")));
        supervisor.post(&format!("{path}/withdraw"), &json!({ "reason": " " })).await.refused(422, "invalid");
        let gone = supervisor.post(&format!("{path}/withdraw"), &json!({ "reason": "The course was not accredited" })).await.ok();
        let kinds: Vec<&str> = gone["history"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
        assert_eq!((gone["withdrawn"].as_bool(), kinds), (Some(true), vec!["add", "renew", "withdraw"]));
        mentor.post(&format!("{path}/renew"), &json!({})).await.refused(409, "withdrawn");
        let events = admin.get("/api/audit?action=certificate.renew").await.ok();
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        // What is kept of a person is taken out with them, and goes with them.
        let out = admin.get(&format!("/api/members/{}/export", mentor.member())).await.ok();
        assert!(out["certificates"].to_string().contains("FA 99"));
        admin.post(&format!("/api/members/{}/erase", mentor.member()), &json!({ "reason": "She asked for it" })).await.ok();
        assert_eq!(seen(&admin).await, 0);
    }

    async fn told_thirty_and_seven_days_before_and_on_the_day_unless_renewed(app: TestApp) {
        app.clock.shift(utc("2027-01-01T06:00Z") - app.clock.now());
        let mentor = app.mentor().await;
        let one = add(&mentor, json!({})).await.ok();
        let two = add(&mentor, json!({ "name": "Savings groups" })).await.ok();
        at(&app, "2027-01-29T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 0, "31 days before");
        at(&app, "2027-01-30T04:59Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 0, "7:59");
        at(&app, "2027-01-30T05:00Z").await;
        let four = told(&app, "certificate_expiring").await;
        assert_eq!((four.len(), four.iter().filter(|login| **login == "amina.mentor").count()), (4, 2), "both, to the mentor and the supervisor");
        at(&app, "2027-02-21T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 4);
        // One of them is renewed for two years: silence.
        let mentor = app.mentor().await;
        let entry = app.supervisor().await.records("inbox").await.into_iter().find(|entry| entry["subject"] == one["id"]).unwrap();
        assert_eq!((entry["params"]["certificate"].as_str(), entry["params"]["expires_on"].as_str(), entry["params"]["who"].is_string()), (Some("First aid"), Some("2027-03-01"), true));
        mentor.post(&format!("/api/certificates/{}/renew", two["id"].as_str().unwrap()), &json!({ "expires_on": "2029-03-01" })).await.ok();
        at(&app, "2027-02-22T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 6, "7 days before");
        at(&app, "2027-02-28T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 6);
        at(&app, "2027-03-02T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 8, "on the day, by a server that was down on it");
        at(&app, "2027-03-12T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 8);
        // Withdrawn ones are nobody's news. Far from its end: the server looks by itself, too, before it is withdrawn.
        let mentor = app.mentor().await;
        let three = add(&mentor, json!({ "expires_on": "2027-04-20" })).await.ok();
        mentor.post(&format!("/api/certificates/{}/withdraw", three["id"].as_str().unwrap()), &json!({ "reason": "Typed twice" })).await.ok();
        at(&app, "2027-03-22T06:00Z").await;
        assert_eq!(told(&app, "certificate_expiring").await.len(), 8);
    }
}

/// The end of `fixtures/tls/cert.der`.
const ENDS: &str = "2029-08-26T04:00Z";

/// A server that shows a certificate of its own making and answers one line; nobody but this test believes it.
fn https() -> String {
    let certificate = include_bytes!("../fixtures/tls/cert.der").to_vec();
    let key = include_bytes!("../fixtures/tls/key.der").to_vec();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], rustls::pki_types::PrivateKeyDer::Pkcs8(key.into()))
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, config) = (stream.unwrap(), Arc::new(config.clone()));
            let mut connection = rustls::ServerConnection::new(config).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let _ = std::io::Read::read(&mut tls, &mut [0; 4096]);
            let _ =
                std::io::Write::write_all(&mut tls, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    url
}

async fn the_servers_own(engine: Engine) {
    let url = https();
    let app = TestApp::spawn_with(engine, |name| (name == "KILELE_PUBLIC_URL").then(|| url.clone())).await;
    // Looked at once a day, by a job.
    let jobs = async || {
        let (count,): (i64,) = app.app.db.query("SELECT count(*) FROM job WHERE kind = 'tls'").one().await.unwrap();
        count
    };
    certificate::sweep(&app.app).await.unwrap();
    certificate::sweep(&app.app).await.unwrap();
    assert!(jobs().await <= 1);
    certificate::job(&app.app).await.unwrap();
    let (seen,): (Option<i64>,) = app.app.db.query("SELECT expires_at FROM tls_certificate").one().await.unwrap();
    let seen = seen.unwrap();
    assert_eq!(seen / 60_000, utc(ENDS) / 60_000);
    let look = async |before: Millis| {
        app.clock.shift(seen - before - app.clock.now());
        reminders::all(&app.app).await.unwrap();
        reminders::all(&app.app).await.unwrap();
        told(&app, "tls_expiring").await.len()
    };
    let admins = look(21 * DAY + 60_000).await;
    assert_eq!(admins, 0);
    let admins = look(21 * DAY).await;
    assert!(admins > 0);
    assert_eq!([look(8 * DAY).await, look(7 * DAY).await, look(DAY).await], [admins, 2 * admins, 2 * admins]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_own_is_looked_at_and_told_of_on_sqlite() {
    the_servers_own(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_own_is_looked_at_and_told_of_on_postgres() {
    the_servers_own(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_https_there_is_nothing_to_look_at() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    certificate::sweep(&app.app).await.unwrap();
    let (count,): (i64,) = app.app.db.query("SELECT count(*) FROM job WHERE kind = 'tls'").one().await.unwrap();
    assert_eq!(count, 0);
}
