//! `make bench`: the figures of the budgets that exist so far, as a table. Starts the release binary for each.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says where")]

mod load;
mod pictures;
mod server;

use serde_json::{Value, json};
use std::time::{Duration, Instant};

use load::{Load, Request};
use server::Server;

const CONNECTIONS: usize = 64;
const RUN: Duration = Duration::from_secs(6);
/// Runs of each figure; the median is printed.
const RUNS: usize = 3;

fn main() {
    println!("{:<52} {:>9} {:>24} {:>24}", "what", "engine", "measured", "budget");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut engines = vec![("SQLite", None)];
    if let Ok(url) = std::env::var("KILELE_TEST_POSTGRES_URL") {
        engines.push(("PostgreSQL", Some(url)));
    } else {
        println!("(KILELE_TEST_POSTGRES_URL is not set: SQLite only)");
    }
    for (engine, cluster) in engines {
        runtime.block_on(figures(engine, cluster.as_deref()));
    }
    pictures::measure();
}

/// One line of the table.
pub fn row(what: &str, engine: &str, measured: String, budget: &str) {
    println!("{what:<52} {engine:>9} {measured:>24} {budget:>24}");
}

async fn figures(engine: &str, cluster: Option<&str>) {
    let mut server = Server::start(cluster).await;
    let mentor = server.sign_in("amina.mentor").await;
    let list = Request::get("/api/households?limit=50", &mentor.token);
    let rate = median(|| Load::run(&server, CONNECTIONS, RUN, list.clone())).await;
    row("list of 50 households, 64 connections", engine, rate.text(), "≥ 5,000/s, p99 ≤ 20 ms");

    let thumb = server.ready_picture(&mentor).await;
    let thumb = Request::get(&format!("/api/media/{thumb}/thumb"), &mentor.token);
    let rate = median(|| Load::run(&server, CONNECTIONS, RUN, thumb.clone())).await;
    row("thumbnails, warm", engine, rate.text(), "≥ 2,000/s");

    let supervisor = server.sign_in("grace.supervisor").await;
    let all = supervisor.get("/api/places").await.ok()["items"].as_array().unwrap().clone();
    let places: Vec<Value> = all.into_iter().filter(|p| p["level"] == 2).collect();
    let next = std::cell::Cell::new(0);
    let create = Request::post("/api/commands", &supervisor.token, move || {
        next.set((next.get() + 1) % places.len());
        let place = &places[next.get()]["id"];
        json!({ "id": kilele_tests::id(), "kind": "household.register", "at": 1_790_000_000_000_i64, "body": { "household": {
            "id": kilele_tests::id(), "place": place, "head_name": "Bench Household", "members": [] } } })
    });
    let rate = median(|| Load::run(&server, CONNECTIONS, RUN, create.clone())).await;
    let budget = if engine == "SQLite" { "≥ 3,000/s" } else { "≥ 2,000/s" };
    row("durable create (household, 12 villages), 64 conn.", engine, rate.text(), budget);

    first_sync(engine, &server).await;
    start_and_rest(engine, &mut server).await;
}

/// Ten thousand records for a phone that has none, and then a heartbeat.
async fn first_sync(engine: &str, server: &Server) {
    let wanjiku = server.sign_in("wanjiku.mentor").await;
    let household = wanjiku.a_household().await;
    let plan = || {
        json!({ "id": kilele_tests::id(), "kind": "visit.plan", "at": 1_790_000_000_000_i64, "body": {
        "id": kilele_tests::id(), "household": household["id"], "mentor": wanjiku.member(), "kind": "scheduled",
        "planned_at": 1_800_000_000_000_i64 } })
    };
    for _ in 0..200 {
        let commands: Vec<Value> = (0..50).map(|_| plan()).collect();
        wanjiku.post("/api/sync", &json!({ "device": wanjiku.device, "schema": 1, "commands": commands })).await.ok();
    }
    let begun = Instant::now();
    let (mut bytes, mut records, mut cursors) = (0, 0, json!({}));
    loop {
        let body = json!({ "device": wanjiku.device, "schema": 1, "cursors": cursors });
        let packed = server.post_packed("/api/sync", &wanjiku.token, &body).await;
        bytes += packed.0;
        for (feed, news) in packed.1["feeds"].as_object().unwrap() {
            records += news["entries"].as_array().unwrap().len();
            cursors[feed] = news["revision"].clone();
        }
        if packed.1["more"] == false {
            break;
        }
    }
    let taken = begun.elapsed().as_secs_f64();
    let what = format!("first sync of {records} records, loopback");
    row(&what, engine, format!("{taken:.2} s, {} kB", bytes / 1000), "≤ 3 s, ≤ 2,000 kB");
    let body = json!({ "device": wanjiku.device, "schema": 1, "cursors": cursors });
    let (answer, _) = server.post_packed("/api/sync", &wanjiku.token, &body).await;
    row(
        "heartbeat, nothing new: body up, body down",
        engine,
        format!("{} B, {answer} B", body.to_string().len()),
        "≤ 1 kB each",
    );
}

/// Starting again with all those records, and what an idle server holds.
async fn start_and_rest(engine: &str, server: &mut Server) {
    if let Some((records, bytes)) = server.stored().await {
        let each = records as f64 / (bytes as f64 / 1e9);
        row("records per GB, indexes and feed included", engine, format!("{:.0} k", each / 1000.0), "≥ 500 k");
    }
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        starts.push(server.restart().await);
    }
    starts.sort();
    row("cold start", engine, format!("{} ms", starts[RUNS / 2].as_millis()), "≤ 1 s");
    row("idle memory", engine, format!("{} MiB", server.memory_kib() / 1024), "≤ 60 MiB");
}

async fn median<F: Future<Output = Load>>(mut measure: impl FnMut() -> F) -> Load {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(measure().await);
    }
    runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    runs.swap_remove(RUNS / 2)
}
