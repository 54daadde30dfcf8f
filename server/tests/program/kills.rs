//! The server is killed with SIGKILL, again and again, under a storm of deliveries: nothing is lost, nothing doubled, and the
//! database is whole. `make soak SUITES=kills` does so 200 times on each engine (`KILELE_KILLS`).

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::storm::{Copy, Settings, Storm, count, whole};
use kilele_tests::{Dice, Engine, new_database};

/// In `make test`.
const FEW: u64 = 3;

async fn killed(engine: Engine) {
    let kills: u64 = std::env::var("KILELE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let mut server = Copy::new(None);
    let database = match engine {
        Engine::Sqlite => format!("sqlite://{}", server.folder.path().join("kilele.db").display()),
        Engine::Postgres => new_database(None).await,
    };
    let settings = Settings::new(&database);
    settings.demo(server.folder.path()).await;
    server.up(&settings).await;
    let storm = Storm::begin(&server.url(), 6).await;
    let (mut dice, begun) = (Dice::new(), Instant::now());
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(100 + dice.below(1_400))).await;
        server.kill();
        server.up(&settings).await;
    }
    let tries = storm.tries.clone();
    let all = storm.end().await;
    let sent = all.households.len();
    assert!(sent >= 6, "{sent} households in {:?}", begun.elapsed());
    // A job that died with the server is taken up again when its lease of two minutes is over: the short run does not wait.
    let states: &[&str] = if kills > FEW { &["ready"] } else { &["ready", "received"] };
    count(&settings, server.folder.path(), &all, states).await;
    server.kill();
    whole(&settings, server.folder.path()).await;
    println!(
        "kills: {engine:?}: killed {kills} times in {:.0} s; {sent} households and {} pictures, 0 lost, 0 doubled; {} tries more",
        begun.elapsed().as_secs_f64(),
        all.photos.len(),
        tries.load(Ordering::Relaxed)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_whole_after_every_kill() {
    killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_whole_after_every_kill() {
    killed(Engine::Postgres).await;
}
