//! A caseload of ten thousand records on its way to phones: one on Slow 3G, one beside the server, a hundred at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use kilele::clock::Clock;
use kilele_tests::caseload::{self, Caseload};
use kilele_tests::line::Line;
use kilele_tests::people::command;
use kilele_tests::slow::{SLOW_3G, SlowLine};
use kilele_tests::{Answer, Person};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::row;
use crate::server::Server;

const HOUSEHOLDS: usize = 500;
const DEVICES: usize = 100;

/// An answer as far as these measurements read it: the records are skipped over, not kept.
#[derive(Deserialize)]
struct Pulled {
    feeds: BTreeMap<String, News>,
    more: bool,
}

#[derive(Deserialize)]
struct News {
    entries: Vec<serde::de::IgnoredAny>,
    revision: i64,
}

/// A phone that has nothing yet, and the line it is on.
struct Phone<'a> {
    person: &'a Person,
    client: reqwest::Client,
    url: String,
    cursors: BTreeMap<String, i64>,
    records: usize,
    bytes: usize,
    requests: usize,
}

impl<'a> Phone<'a> {
    fn new(person: &'a Person, url: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(300)).build().unwrap();
        Self { person, client, url: url.to_owned(), cursors: BTreeMap::new(), records: 0, bytes: 0, requests: 0 }
    }

    /// One round trip; whether there is more.
    async fn pull(&mut self) -> bool {
        let body = json!({ "device": self.person.device, "schema": 1, "cursors": self.cursors });
        let request = self.client.post(format!("{}/api/sync", self.url)).bearer_auth(&self.person.token);
        let answer = Answer::raw(request.header("accept-encoding", "br").json(&body)).await;
        self.bytes += answer.len();
        self.requests += 1;
        let pulled: Pulled = serde_json::from_slice(&answer.clear()).unwrap();
        for (feed, news) in pulled.feeds {
            self.records += news.entries.len();
            self.cursors.insert(feed, news.revision);
        }
        pulled.more
    }

    async fn pull_all(&mut self) {
        while self.pull().await {}
    }
}

pub async fn measure(engine: &str, server: &Server) {
    let mentor = server.sign_in("wanjiku.mentor").await;
    let made = fill(server, &mentor).await;
    let address = format!("http://{}", server.address);

    let begun = Instant::now();
    let mut phone = Phone::new(&mentor, &address);
    phone.pull_all().await;
    let what = format!("first sync of {} records, loopback", phone.records);
    let taken = begun.elapsed().as_secs_f64();
    row(&what, engine, format!("{taken:.2} s, {} requests", phone.requests), "≤ 3 s");

    let line = SlowLine::to(&address, SLOW_3G).await;
    let begun = Instant::now();
    let mut slow = Phone::new(&mentor, &line.url);
    slow.pull().await;
    let useful = begun.elapsed().as_secs_f64();
    slow.pull_all().await;
    let kb = line.passed() / 1000;
    row(
        "… on Slow 3G, until all is there",
        engine,
        format!("{:.1} s, {kb} kB", begun.elapsed().as_secs_f64()),
        "≤ 60 s, ≤ 2,000 kB",
    );
    row("… until this week's visits are", engine, format!("{useful:.1} s, {} visits", made.this_week.len()), "≤ 15 s");

    small(engine, &mentor, &address, slow.cursors).await;
    crowd(engine, server, &address).await;
}

/// Ten thousand records as phones leave them, with every photo delivered and looked at.
pub async fn fill(server: &Server, mentor: &Person) -> Caseload {
    let made = caseload::make(mentor, HOUSEHOLDS, Clock::default().now()).await;
    let uploads = stream::iter(&made.photos).map(|(capture, bytes)| mentor.upload(capture, bytes));
    uploads
        .buffer_unordered(16)
        .for_each(|answer| async move { assert!(answer.status.is_success(), "{}", answer.body) })
        .await;
    let mut cursors = json!({});
    let mut waiting: std::collections::BTreeSet<String> =
        made.photos.iter().map(|(capture, _)| capture["id"].as_str().unwrap().to_owned()).collect();
    while !waiting.is_empty() {
        let body = json!({ "device": mentor.device, "schema": 1, "cursors": cursors });
        let (_, answer) = server.post_packed("/api/sync", &mentor.token, &body).await;
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
            for entry in news["entries"].as_array().unwrap().iter().filter(|e| e["body"]["state"] == "ready") {
                waiting.remove(entry["id"].as_str().unwrap());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    made
}

/// Ten thousand records for a mentor of the demo organisation at `url`; photos stay announced.
pub async fn caseload(url: &str) {
    let mentor = crate::server::sign_in(&reqwest::Client::new(), url, "wanjiku.mentor").await;
    let made = caseload::make(&mentor, HOUSEHOLDS, Clock::default().now()).await;
    println!("{} households, {} visits this week", made.households.len(), made.this_week.len());
}

/// A heartbeat, and twenty edits: what they weigh with their heads.
async fn small(engine: &str, mentor: &Person, address: &str, cursors: BTreeMap<String, i64>) {
    let line = Line::to(address).await;
    let mut phone = Phone { cursors, ..Phone::new(mentor, &line.url()) };
    phone.pull().await;
    let (up, down) = (line.up(), line.down());
    row("heartbeat, nothing new: up, down, with heads", engine, format!("{up} B, {down} B"), "≤ 1 kB each");
    let homes = mentor.get("/api/households?limit=20").await.ok();
    let edits: Vec<Value> = homes["items"].as_array().unwrap().iter().map(|home| {
        let changes = json!({ "notes": { "was": home["notes"], "now": "The roof is mended and the hens lay again; the market stall pays." } });
        command("household.update", json!({ "id": home["id"], "changes": changes }))
    }).collect();
    let body = json!({ "device": mentor.device, "schema": 1, "cursors": phone.cursors, "commands": edits });
    let packed = gzip(body.to_string().as_bytes());
    let request =
        phone.client.post(format!("{}/api/sync", line.url())).bearer_auth(&mentor.token).header("accept-encoding", "br");
    let answer =
        Answer::raw(request.header("content-type", "application/json").header("content-encoding", "gzip").body(packed))
            .await;
    let said: Value = serde_json::from_slice(&answer.clear()).unwrap();
    assert!(said["results"].as_array().unwrap().iter().all(|r| r["status"] == "applied"), "{}", said["results"]);
    let trips = if said["more"] == true { "2+" } else { "1" };
    let (up, down) = (line.up() - up, line.down() - down);
    row("twenty edits: up, down, round trips", engine, format!("{up} B, {down} B, {trips}"), "≤ 15 kB, ≤ 2");
}

/// A hundred phones that begin at once, each a device with a session of its own, while others go on working.
async fn crowd(engine: &str, server: &Server, address: &str) {
    let mut owners = Vec::new();
    for _ in 0..DEVICES {
        owners.push(server.sign_in("wanjiku.mentor").await);
    }
    let local = tokio::task::LocalSet::new();
    let other = server.sign_in("amina.mentor").await;
    let home = other.a_household().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let others = local.run_until(async {
        let work = tokio::task::spawn_local({
            let stopped = stopped.clone();
            async move {
                let mut times = Vec::new();
                for n in 0.. {
                    if *stopped.borrow() {
                        break;
                    }
                    let begun = Instant::now();
                    match n % 3 {
                        0 => drop(other.get("/api/households?limit=50").await.ok()),
                        1 => drop(other.get(&format!("/api/households/{}", home["id"].as_str().unwrap())).await.ok()),
                        _ => drop(
                            other
                                .command(
                                    "visit.plan",
                                    json!({ "id": kilele_tests::id(), "household": home["id"], "mentor": other.member(),
                            "kind": "scheduled", "planned_at": 1_800_000_000_000_i64 }),
                                )
                                .await
                                .ok(),
                        ),
                    }
                    times.push(begun.elapsed());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                times.sort();
                times
            }
        });
        let mut phones: Vec<_> = owners.iter().map(|owner| Phone::new(owner, address)).collect();
        let begun = Instant::now();
        let pulls = phones.iter_mut().map(|phone| async move {
            phone.pull_all().await;
            begun.elapsed()
        });
        let mut taken = futures_util::future::join_all(pulls).await;
        taken.sort();
        stop.send(true).unwrap();
        (taken, work.await.unwrap())
    });
    let (taken, times) = others.await;
    let figure = format!("{:.1} s, last {:.1} s", taken[DEVICES / 2].as_secs_f64(), taken[DEVICES - 1].as_secs_f64());
    row("100 phones begin at once: median", engine, figure, "≤ 15 s");
    let p95 = times[times.len() * 95 / 100].as_secs_f64() * 1000.0;
    row("… and other requests meanwhile, p95", engine, format!("{p95:.0} ms of {}", times.len()), "≤ 500 ms");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
