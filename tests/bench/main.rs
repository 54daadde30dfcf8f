//! `make bench`: the figures of the budgets that exist so far, as a table. Starts the release binary for each.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says where")]

mod dashboard;
mod imports;
mod live;
mod load;
mod mentors;
mod paper;
mod pictures;
mod push;
mod restore;
mod server;
mod storm;
mod sync;

use serde_json::{Value, json};
use std::time::Duration;

use load::{Load, Request};
use server::Server;

const CONNECTIONS: usize = 64;
const RUN: Duration = Duration::from_secs(6);
/// Runs of each figure; the median is printed.
const RUNS: usize = 3;

/// What can be measured alone: `kilele-bench create list sqlite`. Without a name, all of it; without an engine, both.
const ROWS: &[&str] = &[
    "list",
    "thumbs",
    "storm",
    "sync",
    "size",
    "create",
    "imports",
    "dashboard",
    "live",
    "push",
    "start",
    "pictures",
    "paper",
];

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // For the phone's part: `kilele-bench caseload URL` fills a server that runs already.
    if let [what, url] = &*names
        && what == "caseload"
    {
        return runtime.block_on(sync::caseload(url));
    }
    let named = |all: &[&'static str]| {
        let some: Vec<_> = all.iter().copied().filter(|name| names.iter().any(|n| n == name)).collect();
        if some.is_empty() { all.to_vec() } else { some }
    };
    // Minutes of them, so only when they are asked for: `make load`, `make soak SUITES=restore`.
    let long = ["mentors", "restore"].into_iter().find(|long| names.iter().any(|name| name == long));
    let (rows, engines) = (long.map_or_else(|| named(ROWS), |long| vec![long]), named(&["sqlite", "postgres"]));
    if let Some(unknown) = names.iter().find(|n| !rows.contains(&n.as_str()) && !engines.contains(&n.as_str())) {
        println!("There is no {unknown}: {} sqlite postgres", ROWS.join(" "));
        std::process::exit(2);
    }
    println!("{:<52} {:>9} {:>24} {:>24}", "what", "engine", "measured", "budget");
    if engines.contains(&"sqlite") {
        runtime.block_on(figures("SQLite", &rows));
    }
    if engines.contains(&"postgres") {
        match std::env::var_os("KILELE_TEST_POSTGRES_URL") {
            Some(_) => runtime.block_on(figures("PostgreSQL", &rows)),
            None => println!("(KILELE_TEST_POSTGRES_URL is not set: SQLite only)"),
        }
    }
    if rows.contains(&"pictures") {
        pictures::measure();
    }
    if rows.contains(&"paper") {
        paper::measure();
    }
}

/// One line of the table.
pub fn row(what: &str, engine: &str, measured: String, budget: &str) {
    println!("{what:<52} {engine:>9} {measured:>24} {budget:>24}");
}

async fn figures(engine: &str, rows: &[&str]) {
    let wanted = |row: &str| rows.contains(&row);
    let mut server = Server::start(engine == "PostgreSQL").await;
    let mentor = server.sign_in("amina.mentor").await;
    if wanted("list") {
        let list = Request::get("/api/households?limit=50", &mentor.token);
        let rate = median(|| Load::run(&server, CONNECTIONS, RUN, list.clone())).await;
        let budget = if engine == "SQLite" { "≥ 5,000/s, p99 ≤ 20 ms" } else { "–" };
        row("list of 50 households, 64 connections", engine, rate.text(), budget);
    }
    if wanted("thumbs") {
        let thumb = server.ready_picture(&mentor).await;
        let thumb = Request::get(&format!("/api/media/{thumb}/thumb"), &mentor.token);
        let rate = median(|| Load::run(&server, CONNECTIONS, RUN, thumb.clone())).await;
        row("thumbnails, warm", engine, rate.text(), "≥ 2,000/s");
    }
    if wanted("storm") {
        storm::measure(engine, &server).await;
    }
    if wanted("sync") {
        sync::measure(engine, &server).await;
    } else if wanted("size") {
        sync::fill(&server, &server.sign_in("wanjiku.mentor").await).await;
    }
    if wanted("size") {
        let (records, bytes) = server.stored().await;
        let each = records as f64 / (bytes as f64 / 1e9);
        row("records per GB, indexes and feed included", engine, format!("{:.0} k", each / 1000.0), "≥ 500 k");
    }
    if wanted("create") {
        create(engine, &server).await;
    }
    if wanted("imports") {
        imports::measure(engine, &server).await;
    }
    if wanted("mentors") {
        mentors::measure(engine, &server).await;
    }
    if wanted("dashboard") {
        dashboard::measure(engine, &server).await;
    }
    if wanted("live") {
        live::measure(engine, &server).await;
    }
    if wanted("push") {
        push::measure(engine, &server).await;
    }
    if wanted("start") {
        start_and_rest(engine, &mut server).await;
    }
    if wanted("restore") {
        restore::measure(engine, server).await;
    }
}

/// Households registered in twelve villages: each answer after its change is on the disk.
async fn create(engine: &str, server: &Server) {
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
    let rate = median(|| Load::run(server, CONNECTIONS, RUN, create.clone())).await;
    let budget = if engine == "SQLite" { "≥ 3,000/s" } else { "≥ 2,000/s" };
    row("durable create (household, 12 villages), 64 conn.", engine, rate.text(), budget);
}

/// Starting again with all those records, and what an idle server holds.
async fn start_and_rest(engine: &str, server: &mut Server) {
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
