//! Many machines, as processes on one: two copies of the server, PostgreSQL, an S3 server, and nginx in front with the
//! configuration that ships. Everything of it is killed under a storm of deliveries. `make cluster` goes on for longer and
//! measures what a second copy brings.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::storm::{self, Copy, Settings, Storm, ask, count, sign_in, within};
use kilele::jobs;
use kilele_media::drawn;
use kilele_tests::cluster::Cluster;
use kilele_tests::nginx::Nginx;
use kilele_tests::s3::S3;
use kilele_tests::{Dice, Uuid, id, pictures};
use serde_json::json;

const PHONES: u64 = 6;
/// For the measure of what copies do by themselves.
const PHOTOS: u64 = 60;
/// Seconds of the run in `make test`: everything is killed once.
const SHORT: u64 = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_and_nothing_doubled() {
    let seconds: u64 = std::env::var("KILELE_CLUSTER_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SHORT);
    let (mut database, mut s3) = (Cluster::start(), S3::start().await);
    let settings = Settings::on_s3(&database.url(), &s3);
    let mut copies = [Copy::new(None), Copy::new(None)];
    settings.demo(copies[0].folder.path()).await;
    for copy in &mut copies {
        copy.up(&settings).await;
    }
    let nginx = Nginx::start(&[copies[0].port, copies[1].port]).await;
    let url = nginx.url();

    let storm = Storm::begin(&url, PHONES).await;

    let mut dice = Dice::new();
    let begun = Instant::now();
    let (mut kills, mut longest) = (HashMap::<&str, u32>::new(), Duration::ZERO);
    let mut turn = 0;
    while begun.elapsed() < Duration::from_secs(seconds) || turn < 4 {
        tokio::time::sleep(Duration::from_millis(1_000 + dice.below(1_000))).await;
        // Each in turn, so that the short run has all of them; beyond that by chance.
        let which = if turn < 4 { turn } else { dice.below(4) } as usize;
        match which {
            0 | 1 => {
                *kills.entry("a copy of the server").or_default() += 1;
                copies[which].kill();
                // The other one answers for both.
                let survivor = copies[1 - which].url();
                let took = within(10, "the survivor", async || ask(&format!("{url}/api/start")).await.0 == 200).await;
                longest = longest.max(took);
                assert_eq!(ask(&format!("{survivor}/health/ready")).await.0, 200, "the other copy is ready for work");
                copies[which].up(&settings).await;
            }
            2 => {
                *kills.entry("PostgreSQL").or_default() += 1;
                database.down();
                for copy in &copies {
                    within(30, "readiness to tell of the database", async || {
                        let (status, body) = ask(&format!("{}/health/ready", copy.url())).await;
                        status == 503 && body["database"] == "down"
                    })
                    .await;
                    assert_eq!(ask(&format!("{}/health", copy.url())).await.0, 200, "alive all the same");
                }
                database.up();
                for copy in &copies {
                    within(60, "a copy to be ready again", async || {
                        ask(&format!("{}/health/ready", copy.url())).await.0 == 200
                    })
                    .await;
                }
            }
            _ => {
                *kills.entry("the S3 server").or_default() += 1;
                s3.down();
                for copy in &copies {
                    within(30, "readiness to tell of the storage", async || {
                        let (status, body) = ask(&format!("{}/health/ready", copy.url())).await;
                        status == 503 && body["media"] == "down" && body["database"] == "ok"
                    })
                    .await;
                }
                // Records never wait for pictures.
                assert_eq!(ask(&format!("{url}/api/start")).await.0, 200);
                s3.up().await;
                for copy in &copies {
                    within(60, "a copy to be ready again", async || {
                        ask(&format!("{}/health/ready", copy.url())).await.0 == 200
                    })
                    .await;
                }
            }
        }
        turn += 1;
    }
    let tries = storm.tries.clone();
    let all = storm.end().await;
    let sent = all.households.len();
    assert!(sent as u64 >= PHONES * 2, "{sent} households in {:?}", begun.elapsed());
    // A job that died with its copy is taken up again when its lease of two minutes is over: the short run does not wait.
    let derived: &[&str] = if seconds > SHORT { &["ready"] } else { &["ready", "received"] };
    count(&settings, copies[0].folder.path(), &all, derived).await;
    assert_eq!(sign_in(&url, "admin.demo").await.get("/api/health").await.status, 200);
    println!(
        "cluster: {sent} households and {} pictures in {:.0} s, {} tries more; killed: {kills:?}; nobody answered for {:.1} s at most",
        all.photos.len(),
        begun.elapsed().as_secs_f64(),
        tries.load(Ordering::Relaxed),
        longest.as_secs_f64()
    );
}

/// What a second copy brings, each on a core of its own. Only in `make cluster`: it measures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_carries_more() {
    let Some(seconds) = std::env::var("KILELE_CLUSTER_RATE").ok().and_then(|text| text.parse::<u64>().ok()) else { return };
    let (database, s3) = (Cluster::start(), S3::start().await);
    let settings = Settings::on_s3(&database.url(), &s3);
    let mut copies = [Copy::new(Some(0)), Copy::new(Some(1))];
    settings.demo(copies[0].folder.path()).await;
    let cores = std::thread::available_parallelism().unwrap();
    copies[0].up(&settings).await;
    let mut rates = Vec::new();
    // In turns that give neither the earlier rounds: the database grows, and lists with it.
    for both in [false, true, true, false, false, true, true, false] {
        if both && copies[1].child.is_none() {
            copies[1].up(&settings).await;
        }
        let used = &copies[..if both { 2 } else { 1 }];
        let before: f64 = used.iter().map(Copy::cpu).sum();
        let (requests, took) = load(used, Duration::from_secs(seconds)).await;
        let cpu = used.iter().map(Copy::cpu).sum::<f64>() - before;
        let rate = requests as f64 / took;
        let each = cpu * 1e3 / requests as f64;
        println!(
            "cluster: {} on a core each: {rate:.0} requests/s, {each:.3} ms of a processor each, the copies {:.0} % busy",
            if both { "two copies" } else { "one copy" },
            cpu * 100.0 / took / used.len() as f64
        );
        rates.push((both, rate, each));
    }
    let median =
        |both: bool, of: fn(&(bool, f64, f64)) -> f64| middle(rates.iter().filter(|rate| rate.0 == both).map(of).collect());
    println!(
        "cluster: two copies answer {:.2} × as many as one on {cores} cores, which PostgreSQL and the load share with them; \
         an answer costs {:.2} × as much processor time: had each a core to itself, two would answer {:.2} ×",
        median(true, |r| r.1) / median(false, |r| r.1),
        median(true, |r| r.2) / median(false, |r| r.2),
        2.0 * median(false, |r| r.2) / median(true, |r| r.2),
    );
}

/// Between the two in the middle of four.
fn middle(mut some: Vec<f64>) -> f64 {
    some.sort_by(f64::total_cmp);
    (some[1] + some[2]) / 2.0
}

/// The same of what copies do by themselves: making the sizes of photos. On two cores S3 and PostgreSQL still take their share
/// of both. Only in `make cluster`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_makes_more_pictures() {
    if std::env::var("KILELE_CLUSTER_RATE").is_err() {
        return;
    }
    let (database, s3) = (Cluster::start(), S3::start().await);
    let settings = Settings::on_s3(&database.url(), &s3);
    let mut copies = [Copy::new(Some(0)), Copy::new(Some(1))];
    settings.demo(copies[0].folder.path()).await;
    copies[0].up(&settings).await;
    let app = settings.open(copies[0].folder.path()).await;
    let (person, drawn) =
        (sign_in(&copies[0].url(), "amina.mentor").await, drawn::jpeg(&drawn::scene(1), 4_000, 3_000).unwrap());
    let place = person.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
    for n in 0..PHOTOS {
        let photo = pictures::pad(&drawn, n, drawn.len() + 100);
        let capture = pictures::capture(&photo, "front");
        let household = json!({ "id": id(), "place": place, "head_name": "Photo", "members": [], "disability": false });
        let body = json!({ "household": household, "evidence": [capture] });
        assert_eq!(person.command("household.register", body).await.status, 200);
        storm::deliver(&person, &capture, &photo, &Default::default()).await;
    }
    let ready = async || {
        let (left,): (i64,) = app.db.query("SELECT count(*) FROM job WHERE kind = 'media.derive'").one().await.unwrap();
        left == 0
    };
    within(120, "the first pictures", ready).await;
    let mut rates = Vec::new();
    for both in [false, true, true, false, false, true, true, false] {
        match both {
            true if copies[1].child.is_none() => copies[1].up(&settings).await,
            false => copies[1].kill(),
            true => {}
        }
        // All once more. The records say already that they are ready, and stay as they are.
        let again = app.db.write(|tx| {
            Box::pin(async move {
                let all: Vec<(Uuid, Uuid)> = tx.query("SELECT org, id FROM evidence").all().await?;
                tx.query("UPDATE evidence SET state = 'received'").run().await?;
                for (org, evidence) in all {
                    let new = jobs::New { kind: "media.derive", dedupe: format!("again:{evidence}"), run_at: 0 };
                    jobs::enqueue(tx, org, new, &json!({ "evidence": evidence })).await?;
                }
                Ok(())
            })
        });
        again.await.unwrap();
        let used = &copies[..if both { 2 } else { 1 }];
        let before: f64 = used.iter().map(Copy::cpu).sum();
        let rate = PHOTOS as f64 / within(120, "all sizes", ready).await.as_secs_f64();
        let each = (used.iter().map(Copy::cpu).sum::<f64>() - before) * 1e3 / PHOTOS as f64;
        println!(
            "cluster: {} on a core each: {rate:.1} photos/s of 12 megapixels, {each:.0} ms of a processor each",
            if both { "two copies" } else { "one copy" }
        );
        rates.push((both, rate, each));
    }
    let median =
        |both: bool, of: fn(&(bool, f64, f64)) -> f64| middle(rates.iter().filter(|rate| rate.0 == both).map(of).collect());
    println!(
        "cluster: two copies make the sizes of {:.2} × as many photos as one on cores that PostgreSQL and S3 share with them; \
         had each a core to itself, of {:.2} ×",
        median(true, |r| r.1) / median(false, |r| r.1),
        2.0 * median(false, |r| r.2) / median(true, |r| r.2),
    );
    app.db.close().await;
}

/// Heartbeats, lists and registrations as fast as they are answered; answers how many, and in which time.
async fn load(copies: &[Copy], length: Duration) -> (u64, f64) {
    let mut clients = tokio::task::JoinSet::new();
    let begun = Instant::now();
    for n in 0..16usize {
        let person = sign_in(&copies[n % copies.len()].url(), "amina.mentor").await;
        let place = person.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
        clients.spawn(async move {
            let mut cursors = json!({});
            let first = person.sync(&cursors, &[]).await;
            for (feed, news) in first["feeds"].as_object().unwrap() {
                cursors[feed] = news["revision"].clone();
            }
            let (begun, mut count) = (Instant::now(), 0u64);
            while begun.elapsed() < length {
                match count % 10 {
                    0 => {
                        let household = json!({ "household": { "id": id(), "place": place, "head_name": "Load", "members": [], "disability": false }, "evidence": [] });
                        assert_eq!(person.command("household.register", household).await.status, 200);
                    }
                    1..=3 => assert_eq!(person.get("/api/households?limit=50").await.status, 200),
                    _ => {
                        let answer = person.sync(&cursors, &[]).await;
                        for (feed, news) in answer["feeds"].as_object().unwrap() {
                            cursors[feed] = news["revision"].clone();
                        }
                    }
                }
                count += 1;
            }
            count
        });
    }
    let mut all = 0;
    while let Some(count) = clients.join_next().await {
        all += count.unwrap();
    }
    (all, begun.elapsed().as_secs_f64())
}
