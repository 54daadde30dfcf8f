//! `make load`: mentors at their work, all at once, as BUDGETS §5 has them. Each syncs every five minutes and hands in fifteen
//! visits with two photos in a day of eight hours; their supervisors look at them and decide, and keep a dashboard open.
//!
//! `KILELE_LOAD_MENTORS` (1,000), `KILELE_LOAD_SPEED` (how much faster than life, in turn: `1,8`), `KILELE_LOAD_SECONDS` (60).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use kilele_tests::people::command;
use kilele_tests::{Answer, Person, id, pictures};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::row;
use crate::server::{Server, sign_in};

/// Seconds of a mentor's life between two of these.
const HEARTBEAT: f64 = 300.0;
const VISIT: f64 = 8.0 * 3600.0 / 15.0;
/// A look at the list of households, with the thumbnails that a phone lacks.
const LOOK: f64 = 900.0;
/// A supervisor's dashboard, which asks again when something moved.
const DASHBOARD: f64 = 60.0;
const HOUSEHOLDS: usize = 20;
/// Mentors of one supervisor.
const TEAM: usize = 50;
/// Bytes of a photo as phones send it: 1,600 px.
const PHOTO: usize = 300_000;
const CHUNK: usize = 256 << 10;

struct Mentor {
    person: Person,
    homes: Vec<Value>,
    cursors: RefCell<Value>,
}

struct Supervisor {
    person: Person,
    /// Handed in and not decided yet: visits with their photos.
    waiting: RefCell<Vec<(String, Vec<String>)>>,
}

/// How long each kind of request took, and what went wrong.
#[derive(Default)]
struct Notes {
    times: BTreeMap<&'static str, Vec<Duration>>,
    errors: BTreeMap<String, usize>,
}

impl Notes {
    fn percentile(&mut self, kind: &str, share: f64) -> Option<f64> {
        let times = self.times.get_mut(kind)?;
        times.sort_unstable();
        let at = (times.len() as f64 * share) as usize;
        Some(times[at.min(times.len() - 1)].as_secs_f64() * 1000.0)
    }
}

type Book = Rc<RefCell<Notes>>;

/// One request, noted; the answer if it is what it should be.
async fn ask(book: &Book, kind: &'static str, good: u16, request: RequestBuilder) -> Option<Answer> {
    let begun = Instant::now();
    let answer = Answer::try_of(request).await;
    let mut notes = book.borrow_mut();
    notes.times.entry(kind).or_default().push(begun.elapsed());
    match answer {
        Ok(answer) if answer.status == good => return Some(answer),
        Ok(answer) => {
            *notes.errors.entry(format!("{kind}: {} {}", answer.status.as_u16(), answer.body["code"])).or_default() += 1
        }
        Err(error) => *notes.errors.entry(format!("{kind}: {error}")).or_default() += 1,
    }
    None
}

pub async fn measure(engine: &str, server: &Server) {
    let number = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let count: usize = number("KILELE_LOAD_MENTORS", "1000").parse().unwrap();
    let seconds: u64 = number("KILELE_LOAD_SECONDS", "60").parse().unwrap();
    let begun = Instant::now();
    let (mentors, supervisors) = people(server, count).await;
    let homes: usize = mentors.iter().map(|mentor| mentor.homes.len()).sum();
    row(
        &format!("{count} mentors with {homes} households, made"),
        engine,
        format!("{:.0} s", begun.elapsed().as_secs_f64()),
        "–",
    );
    for speed in number("KILELE_LOAD_SPEED", "1,8").split(',') {
        let speed: f64 = speed.parse().unwrap();
        server.at_rest().await;
        work(engine, server, &mentors, &supervisors, speed, Duration::from_secs(seconds)).await;
    }
    overload(engine, server, &mentors).await;
}

/// Mentors with a village each and households in it; a supervisor for each fifty of them.
async fn people(server: &Server, count: usize) -> (Vec<Rc<Mentor>>, Vec<Rc<Supervisor>>) {
    let admin = server.sign_in("admin.demo").await;
    let county = admin.get("/api/places").await.ok()["items"].as_array().unwrap().iter().find(|p| p["level"] == 0).unwrap()
        ["id"]
        .clone();
    let place = async |parent: &Value, code: String| {
        let new = json!({ "id": id(), "parent": parent, "code": code, "name": format!("Load {code}") });
        admin.post("/api/places", &new).await.ok()["id"].clone()
    };
    let member = async |login: String, role: &str, supervisor: Value, place: Value| {
        let new = json!({ "name": &login, "login": &login, "role": role, "supervisor": supervisor, "places": [place], "locale": "en" });
        let invited = admin.post("/api/members", &new).await.ok();
        let token = invited["invitation_url"].as_str().unwrap().split_once("/join#").unwrap().1.to_owned();
        let join = json!({ "token": token, "password": kilele::demo::PASSWORD, "device": { "id": id(), "name": "load" } });
        let request = admin.client.post(format!("{}/api/join", admin.url)).header("x-kilele", "1").json(&join);
        Answer::of(request).await.ok();
        sign_in(&admin.client, &admin.url, &login).await
    };
    let (mut mentors, mut supervisors) = (Vec::new(), Vec::new());
    for team in 0..count.div_ceil(TEAM) {
        let area = place(&county, format!("LOAD-{team}")).await;
        let person = member(format!("load.supervisor.{team}"), "supervisor", Value::Null, area.clone()).await;
        let supervisor = json!(person.member());
        let made = stream::iter(team * TEAM..count.min((team + 1) * TEAM)).map(async |n| {
            let village = place(&area, format!("LOAD-{team}-{n}")).await;
            let person = member(format!("load.mentor.{n}"), "mentor", supervisor.clone(), village.clone()).await;
            let homes: Vec<Value> = (0..HOUSEHOLDS)
                .map(|h| json!({ "id": id(), "place": village, "head_name": format!("Load {n} Household {h}") }))
                .collect();
            let commands: Vec<Value> = homes
                .iter()
                .map(|home| command("household.register", json!({ "household": home, "evidence": [] })))
                .collect();
            let answer = person.sync(&json!({}), &commands).await;
            assert!(answer["results"].as_array().unwrap().iter().all(|r| r["status"] == "applied"), "{}", answer["results"]);
            Rc::new(Mentor { person, homes, cursors: RefCell::new(json!({})) })
        });
        mentors.extend(made.buffer_unordered(8).collect::<Vec<_>>().await);
        supervisors.push(Rc::new(Supervisor { person, waiting: RefCell::default() }));
    }
    // Everybody has everything, as on a morning after the first.
    stream::iter(&mentors).for_each_concurrent(8, async |mentor| sync(&Book::default(), mentor, &[]).await).await;
    (mentors, supervisors)
}

/// As every browser asks: for a packed answer.
fn packed(person: &Person) -> RequestBuilder {
    person.request(Method::POST, "/api/sync").header("accept-encoding", "br")
}

fn unpack(answer: &mut Answer) {
    if answer.header("content-encoding") == "br" {
        let mut clear = Vec::new();
        brotli::BrotliDecompress(&mut &answer.bytes[..], &mut clear).unwrap();
        answer.body = serde_json::from_slice(&clear).unwrap();
    }
}

async fn sync(book: &Book, mentor: &Mentor, commands: &[Value]) {
    loop {
        let body = json!({ "device": mentor.person.device, "schema": 1, "cursors": &*mentor.cursors.borrow(), "commands": commands });
        let Some(mut answer) = ask(book, "sync", 200, packed(&mentor.person).json(&body)).await else { return };
        unpack(&mut answer);
        let mut cursors = mentor.cursors.borrow_mut();
        for (feed, news) in answer.body["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        if answer.body["more"] == false {
            return;
        }
    }
}

/// What a mentor does now and then: waits differ, and are `mean` seconds of life on average.
async fn every<F: Future>(mean: f64, speed: f64, until: Instant, seed: usize, mut what: impl FnMut(usize) -> F) {
    let mut dice = seed as u64 + 1;
    for round in 0.. {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let even = ((dice >> 11) as f64 / (1_u64 << 53) as f64).max(1e-9);
        let wait = Duration::from_secs_f64(-even.ln() * mean / speed);
        if Instant::now() + wait >= until {
            return;
        }
        tokio::time::sleep(wait).await;
        what(round).await;
    }
}

async fn visit(book: &Book, mentor: &Mentor, supervisor: &Supervisor, n: usize) {
    let person = &mentor.person;
    let mut visit = person.visit(&mentor.homes[n % mentor.homes.len()]);
    // No two alike: the same bytes once more would be recognised, and need no sending.
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let photos: Vec<Vec<u8>> = (0..2).map(|_| pictures::padded(TAKEN.fetch_add(1, Ordering::Relaxed), PHOTO)).collect();
    let captures: Vec<Value> =
        photos.iter().zip(["front", "back"]).map(|(photo, slot)| pictures::capture(photo, slot)).collect();
    visit.body["evidence"] = json!(captures);
    sync(book, mentor, &[command("visit.submit", visit.body)]).await;
    for (capture, photo) in captures.iter().zip(&photos) {
        let Some(created) = ask(book, "POST", 201, person.creation(capture)).await else { return };
        let location = created.header("location").to_owned();
        for (at, chunk) in photo.chunks(CHUNK).enumerate() {
            if ask(book, "PATCH", 204, person.chunk(&location, at * CHUNK, chunk.to_vec())).await.is_none() {
                return;
            }
        }
    }
    let ids = captures.iter().map(|capture| capture["id"].as_str().unwrap().to_owned()).collect();
    supervisor.waiting.borrow_mut().push((visit.id, ids));
}

/// Reads the visit, looks at its pictures, approves.
async fn decide(book: &Book, supervisor: &Supervisor) {
    let Some((visit, photos)) = supervisor.waiting.borrow_mut().pop() else { return };
    let get = |path: String| ask(book, "GET", 200, supervisor.person.request(Method::GET, &path));
    let Some(record) = get(format!("/api/visits/{visit}")).await else { return };
    for photo in photos {
        // Derived within seconds; who comes sooner sees the placeholder.
        let request = supervisor.person.request(Method::GET, &format!("/api/media/{photo}/full"));
        let begun = Instant::now();
        let answer = Answer::try_of(request).await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            book.borrow_mut().times.entry("GET").or_default().push(begun.elapsed());
        }
    }
    let body = command("visit.approve", json!({ "id": visit, "revision": record.body["revision"] }));
    ask(book, "POST", 200, supervisor.person.request(Method::POST, "/api/commands").json(&body)).await;
}

async fn work(
    engine: &str,
    server: &Server,
    mentors: &[Rc<Mentor>],
    supervisors: &[Rc<Supervisor>],
    speed: f64,
    time: Duration,
) {
    let book = Book::default();
    let local = tokio::task::LocalSet::new();
    let (begun, ticks) = (Instant::now(), server.ticks());
    let until = begun + time;
    server.forget_peak();
    for (n, mentor) in mentors.iter().enumerate() {
        let (mentor, supervisor) = (mentor.clone(), supervisors[n / TEAM].clone());
        local.spawn_local({
            let (book, mentor) = (book.clone(), mentor.clone());
            async move { every(HEARTBEAT, speed, until, n, |_| sync(&book, &mentor, &[])).await }
        });
        local.spawn_local({
            let (book, mentor) = (book.clone(), mentor.clone());
            async move { every(VISIT, speed, until, n + 7_000, |round| visit(&book, &mentor, &supervisor, round)).await }
        });
        let book = book.clone();
        local.spawn_local(async move {
            every(LOOK, speed, until, n + 17_000, |_| {
                ask(&book, "GET", 200, mentor.person.request(Method::GET, "/api/households?limit=50"))
            })
            .await;
        });
    }
    for (n, supervisor) in supervisors.iter().enumerate() {
        let team = (mentors.len() - n * TEAM).min(TEAM);
        local.spawn_local({
            let (book, supervisor) = (book.clone(), supervisor.clone());
            async move { every(VISIT / team as f64, speed, until, n + 27_000, |_| decide(&book, &supervisor)).await }
        });
        let (book, supervisor) = (book.clone(), supervisor.clone());
        local.spawn_local(async move {
            every(DASHBOARD, speed, until, n + 37_000, |_| {
                ask(&book, "GET", 200, supervisor.person.request(Method::GET, "/api/figures"))
            })
            .await;
        });
    }
    local.await;
    let taken = begun.elapsed().as_secs_f64();
    let cores = (server.ticks() - ticks) as f64 / 100.0 / taken;
    let mut notes = book.take();
    let what = format!("{} mentors, {speed} × as fast as life", mentors.len());
    let requests: usize = notes.times.values().map(Vec::len).sum();
    let errors: usize = notes.errors.values().sum();
    row(&what, engine, format!("{:.0}/s, {errors} errors", requests as f64 / taken), "0 errors");
    for (error, count) in &notes.errors {
        println!("    {count} × {error}");
    }
    for (kind, budget) in [("sync", "p95 ≤ 200 ms"), ("GET", "p95 ≤ 100 ms"), ("POST", "p95 ≤ 250 ms"), ("PATCH", "–")]
    {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| notes.percentile(kind, share).unwrap_or(f64::NAN));
        let count = notes.times.get(kind).map_or(0, Vec::len);
        row(
            &format!("… {kind}, {count} of them: p50, p95, p99"),
            engine,
            format!("{p50:.0}, {p95:.0}, {p99:.0} ms"),
            budget,
        );
    }
    let each = mentors.len() as f64 * speed * 0.5 / cores;
    row("… processor; mentors for half a core", engine, format!("{cores:.2} cores; {each:.0}"), "≥ 2,500");
    row("… largest memory", engine, format!("{} MiB", server.peak_kib() / 1024), "≤ 400 MiB");
}

/// Far more than can be answered, for ten seconds; then how soon it is itself again.
async fn overload(engine: &str, server: &Server, mentors: &[Rc<Mentor>]) {
    const CONNECTIONS: usize = 3_000;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(10);
    server.forget_peak();
    let answered = |status: u16, all: &BTreeMap<u16, usize>| all.get(&status).copied().unwrap_or_default();
    let all: Rc<RefCell<BTreeMap<u16, usize>>> = Rc::default();
    let local = tokio::task::LocalSet::new();
    for n in 0..CONNECTIONS {
        let (all, mentor) = (all.clone(), mentors[n % mentors.len()].clone());
        local.spawn_local(async move {
            // From the beginning, each time: the most that a phone can ask for.
            let body = json!({ "device": mentor.person.device, "schema": 1, "cursors": {} });
            while Instant::now() < until {
                let status = match Answer::try_of(packed(&mentor.person).json(&body)).await {
                    Ok(answer) => {
                        assert!(answer.status != 503 || !answer.header("retry-after").is_empty(), "503 without Retry-After");
                        answer.status.as_u16()
                    }
                    Err(_) => 0,
                };
                *all.borrow_mut().entry(status).or_default() += 1;
            }
        });
    }
    local.await;
    let over = Instant::now();
    let first = loop {
        if Answer::try_of(mentors[0].person.request(Method::GET, "/api/households?limit=50"))
            .await
            .is_ok_and(|a| a.status == 200)
        {
            break over.elapsed();
        }
    };
    let all = all.take();
    let others: usize = all.iter().filter(|(status, _)| ![200, 503].contains(*status)).map(|(_, count)| count).sum();
    let told = format!("{} × 200, {} × 503, {others} others", answered(200, &all), answered(503, &all));
    row(&format!("{CONNECTIONS} first syncs at once, again and again"), engine, told, "0 others");
    row("… answers again after", engine, format!("{:.0} ms", first.as_secs_f64() * 1000.0), "by itself");
    row("… largest memory", engine, format!("{} MiB", server.peak_kib() / 1024), "≤ 400 MiB");
}
