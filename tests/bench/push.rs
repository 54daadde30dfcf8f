//! Ten thousand people whose quiet hours end in the same minute, and a thousand phones that hear of an approval: from the
//! inbox row by deliveries, jobs and encryption to a push service on loopback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use kilele::clock::Clock;
use kilele_tests::{Uuid, command, encoded};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, Value as Sql};
use crate::{RUNS, row};

const PEOPLE: usize = 10_000;
const DEVICES: usize = 1_000;
const MINUTE: i64 = 60_000;

/// A push service with as little work in it as can be: it shares the machine. On a thread of its own.
struct Service {
    /// When each address had its message, in milliseconds since 1970.
    got: Arc<Mutex<HashMap<String, i64>>>,
    connections: Arc<Mutex<usize>>,
    origin: String,
}

impl Service {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { got: Arc::default(), connections: Arc::default(), origin };
        let (got, connections) = (service.got.clone(), service.connections.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    *connections.lock().unwrap() += 1;
                    tokio::spawn(take(stream, got.clone()));
                }
            });
        });
        service
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// How long after `begun` each had its message, in order.
    fn after(&self, begun: i64) -> Vec<i64> {
        let mut all: Vec<i64> = self.got.lock().unwrap().drain().map(|(_, at)| at - begun).collect();
        all.sort_unstable();
        all
    }
}

async fn take(mut stream: TcpStream, got: Arc<Mutex<HashMap<String, i64>>>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::with_capacity(8 * 1024);
    loop {
        let head = loop {
            if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().trim().parse::<usize>().unwrap();
        assert!(text.contains("content-encoding: aes128gcm") && text.contains("authorization: vapid t="), "{text}");
        let path = text.split(' ').nth(1).unwrap().to_owned();
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
        buffer.drain(..head + length);
        let twice = got.lock().unwrap().insert(path, now());
        assert!(twice.is_none(), "delivered twice");
        if stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

fn now() -> i64 {
    Clock::default().now()
}

fn subscription(endpoint: String, org: Uuid, member: Uuid) -> Vec<Sql> {
    let key = PrivateKey::generate(&ECDH_P256).unwrap().compute_public_key().unwrap();
    let mut auth = [0; 16];
    aws_lc_rs::rand::fill(&mut auth).unwrap();
    vec![
        Sql::Text(endpoint),
        Sql::Id(org),
        Sql::Id(member),
        Sql::Id(kilele_tests::id().parse().unwrap()),
        Sql::Text(encoded(key.as_ref())),
        Sql::Text(encoded(&auth)),
        Sql::Text("sw".into()),
        Sql::Int(now()),
    ]
}

const SUBSCRIBE: &str = "INSERT INTO push_subscription (endpoint, org, member, device, p256dh, auth, language, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub async fn measure(engine: &str, server: &Server) {
    approvals(engine, server).await;
    everybody(engine, server).await;
}

/// A mentor with a thousand phones, whose visit is approved: until the last of nineteen of twenty was handed over.
async fn approvals(engine: &str, server: &Server) {
    let service = Service::start();
    let (mentor, supervisor) = (server.sign_in("amina.mentor").await, server.sign_in("grace.supervisor").await);
    let (org, member): (Uuid, Uuid) = (mentor.org().parse().unwrap(), mentor.member().parse().unwrap());
    let phones = (0..DEVICES).map(|n| (SUBSCRIBE, subscription(format!("{}/{n}", service.origin), org, member)));
    server.write(phones.collect()).await;
    let household = mentor.a_household().await;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let visit = mentor.submit(&household).await;
        server.at_rest().await;
        service.got.lock().unwrap().clear();
        let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        let begun = now();
        supervisor.command("visit.approve", json!({ "id": visit.id, "revision": revision })).await.ok();
        kilele_tests::until("the pushes", async || (service.count() >= DEVICES).then_some(())).await;
        runs.push(service.after(begun)[DEVICES * 95 / 100]);
    }
    runs.sort_unstable();
    let p95 = runs[RUNS / 2] as f64 / 1000.0;
    row("approval → push service, 1,000 subscriptions", engine, format!("p95 {p95:.2} s"), "p95 ≤ 2 s");
    server.write(vec![("DELETE FROM push_subscription WHERE org = $1", vec![Sql::Id(org)])]).await;
}

/// Everybody's quiet hours end at once: what waited for that is due in the same moment.
async fn everybody(engine: &str, server: &Server) {
    let service = Service::start();
    let (mentor, supervisor) = (server.sign_in("amina.mentor").await, server.sign_in("grace.supervisor").await);
    let org: Uuid = mentor.org().parse().unwrap();
    let household = mentor.a_household().await;
    let place: Uuid = household["place"].as_str().unwrap().parse().unwrap();
    let mut rows = Vec::new();
    let people: Vec<Uuid> = (0..PEOPLE).map(|_| kilele_tests::id().parse().unwrap()).collect();
    // The reminders look each minute; then all of them have to be written.
    let end = (now() / MINUTE + 4) * MINUTE;
    // Nairobi is three hours ahead.
    let here = |at: i64| (at / MINUTE + 180).rem_euclid(24 * 60);
    for (n, id) in people.iter().enumerate() {
        let account: Uuid = kilele_tests::id().parse().unwrap();
        let text = |text: &str| Sql::Text(text.into());
        rows.push((
            "INSERT INTO account (id, login, name, locale, created_at) VALUES ($1, $2, 'Bench', 'sw', $3)",
            vec![Sql::Id(account), Sql::Text(format!("bench.{n}")), Sql::Int(now())],
        ));
        rows.push((
            "INSERT INTO member (org, id, account, role, active, created_at) VALUES ($1, $2, $3, 'supervisor', TRUE, $4)",
            vec![Sql::Id(org), Sql::Id(*id), Sql::Id(account), Sql::Int(now())],
        ));
        rows.push((
            "INSERT INTO feed (org, id, kind, revision) VALUES ($1, $2, $3, 0)",
            vec![Sql::Id(org), Sql::Id(*id), text("person")],
        ));
        for feed in [*id, place] {
            rows.push((
                "INSERT INTO member_feed (org, member, feed) VALUES ($1, $2, $3)",
                vec![Sql::Id(org), Sql::Id(*id), Sql::Id(feed)],
            ));
        }
        rows.push((
            "INSERT INTO told (org, member, quiet_from, quiet_until) VALUES ($1, $2, $3, $4)",
            vec![Sql::Id(org), Sql::Id(*id), Sql::Int(here(end - 20 * MINUTE)), Sql::Int(here(end))],
        ));
        rows.push((SUBSCRIBE, subscription(format!("{}/{n}", service.origin), org, *id)));
    }
    server.write(rows).await;
    let note = |now: &str| {
        let notes = json!({ "was": household["notes"], "now": now });
        command("household.update", json!({ "id": household["id"], "changes": { "notes": notes } }))
    };
    mentor.post("/api/commands", &note("From the phone")).await.ok();
    assert_eq!(supervisor.post("/api/commands", &note("From the tablet")).await.ok()["status"], "conflict");
    let wait = async |what: &str, until: i64, done: &dyn Fn(usize) -> bool| {
        while now() < until {
            if done(service.count()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(done(service.count()), "{what}: {} of {PEOPLE}", service.count());
    };
    let told = "SELECT count(*) FROM delivery d JOIN inbox i ON i.org = d.org AND i.id = d.inbox
                WHERE i.kind = 'conflict_opened' AND d.channel = 'push'";
    let mut first = None;
    while server.number(told).await < PEOPLE as i64 {
        if server.number(told).await > 0 {
            first.get_or_insert_with(now);
        }
        assert!(now() < end - 500, "the rows were not written in four minutes");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let written = (now() - first.unwrap_or_else(now)) as f64 / 1000.0;
    row("inbox rows of 10,000 people, with their deliveries", engine, format!("{written:.1} s"), "–");
    assert_eq!(service.count(), 0, "quiet hours hold them back");
    tokio::time::sleep(Duration::from_millis((end - now() - 100).max(0) as u64)).await;
    let ticks = server.ticks();
    wait("ten thousand pushes", end + 5 * MINUTE, &|count| count >= PEOPLE).await;
    let spent = (server.ticks() - ticks) as f64 / 100.0;
    let connections = *service.connections.lock().unwrap();
    let after = service.after(end);
    let seconds = |at: usize| after[at] as f64 / 1000.0;
    let (p95, all) = (seconds(PEOPLE * 95 / 100), seconds(PEOPLE - 1));
    row("push to 10,000 people at once", engine, format!("p95 {p95:.1} s, all {all:.1} s"), "p95 ≤ 5 s");
    let first = seconds(0);
    row("… first, CPU, connections", engine, format!("{first:.1} s, {spent:.1} s, {connections}"), "kept alive");
    // Each once, and written down as sent.
    let open = "SELECT count(*) FROM delivery d JOIN inbox i ON i.org = d.org AND i.id = d.inbox
                WHERE i.kind = 'conflict_opened' AND d.channel = 'push' AND d.state <> 'sent'";
    for _ in 0..100 {
        if server.number(open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} deliveries are not settled", server.number(open).await);
}
