//! Many machines, as processes on one: two copies of the server, PostgreSQL, an S3 server, and nginx in front with the
//! configuration that ships. Everything of it is killed under a storm of deliveries. `make cluster` goes on for longer and
//! measures what a second copy brings.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::{HashMap, HashSet};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kilele::app::App;
use kilele::clock::Clock;
use kilele::config::Config;
use kilele::demo::{self, Size};
use kilele_tests::cluster::Cluster;
use kilele_tests::nginx::Nginx;
use kilele_tests::s3::S3;
use kilele_tests::{Answer, Dice, Person, id, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// What a copy of the server is told; the same for each but for port and folder.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn new(database: &str, s3: &S3) -> Self {
        let storage = s3.settings(s3.url());
        let names = [
            "KILELE_MEDIA_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_ENDPOINT_URL",
            "AWS_TIMEOUT",
        ];
        let mut all: Vec<(String, String)> =
            names.into_iter().map(|name| (name.to_owned(), storage(name).unwrap())).collect();
        for (name, value) in [
            ("KILELE_DATABASE_URL", database),
            ("KILELE_SECRET", &kilele::crypto::b64(&kilele::clock::random::<32>())),
            ("KILELE_TRUSTED_PROXIES", "127.0.0.1"),
            ("KILELE_SIGN_IN_PER_MINUTE", "1000"),
            ("KILELE_API_PER_MINUTE", "0"),
            ("KILELE_SYNC_PER_MINUTE", "0"),
            ("KILELE_LOG", "error"),
        ] {
            all.push((name.to_owned(), value.to_owned()));
        }
        Self(all)
    }

    fn command(&self, args: &[&str], folder: &std::path::Path) -> Command {
        let binary = std::env::var("KILELE_CLUSTER_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kilele").into());
        let mut command = Command::new(binary);
        command.args(args).current_dir(folder).env("KILELE_DATA_DIR", folder).stdin(Stdio::null());
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn demo(&self, folder: &std::path::Path) {
        let get = |name: &str| match name {
            "KILELE_DATA_DIR" => folder.to_str().map(str::to_owned),
            name => self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        };
        let app = App::open(Config::from(get).unwrap(), Clock::default()).await.unwrap();
        demo::make_sized(&app, Size { households: 24, visits_a_day: 0, pictures: false, programme: false }).await.unwrap();
        app.db.close().await;
    }
}

/// One copy of the server.
struct Copy {
    child: Option<Child>,
    port: u16,
    folder: tempfile::TempDir,
    core: Option<usize>,
}

impl Copy {
    fn new(core: Option<usize>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { child: None, port, folder: tempfile::tempdir().unwrap(), core }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn up(&mut self, settings: &Settings) {
        let mut command = settings.command(&["serve"], self.folder.path());
        if let Some(core) = self.core {
            // taskset becomes what it starts: the process id stays the server's.
            let plain = command;
            command = Command::new("taskset");
            command.arg("-c").arg(core.to_string()).arg(plain.get_program()).args(plain.get_args());
            command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.current_dir(self.folder.path()).stdin(Stdio::null());
        }
        command.env("KILELE_LISTEN", format!("127.0.0.1:{}", self.port)).stdout(Stdio::null()).stderr(Stdio::inherit());
        self.child = Some(command.process_group(0).spawn().unwrap());
        for _ in 0..900 {
            if ask(&format!("{}/health", self.url())).await.0 == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("a copy does not start");
    }

    /// SIGKILL: nothing is put in order.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Processor time so far, in seconds.
    fn cpu(&self) -> f64 {
        let id = self.child.as_ref().unwrap().id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<f64> =
            stat.rsplit_once(')').unwrap().1.split_whitespace().skip(1).map(|n| n.parse().unwrap_or_default()).collect();
        (fields[10] + fields[11]) / 100.0
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Status and body; 0 when nobody answers within twelve seconds.
async fn ask(url: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(12)).build().unwrap();
    match client.get(url).send().await {
        Ok(answer) => (answer.status().as_u16(), answer.json().await.unwrap_or_default()),
        Err(_) => (0, Value::Null),
    }
}

async fn within(seconds: u64, what: &str, mut look: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < Duration::from_secs(seconds), "waited {seconds} s for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

/// What a phone delivered, and was told that it has arrived.
#[derive(Default)]
struct Delivered {
    households: Vec<String>,
    /// Evidence, with the hash of its bytes.
    photos: Vec<(String, String)>,
}

/// Whatever went wrong on the way, the phone tries again with the same.
async fn insist(request: impl Fn() -> reqwest::RequestBuilder, tries: &AtomicU64) -> Answer {
    loop {
        if let Ok(response) = request().timeout(Duration::from_secs(15)).send().await {
            let (status, headers) = (response.status(), response.headers().clone());
            if !(status.is_server_error() || status == 429 || status == 401)
                && let Ok(bytes) = response.bytes().await
            {
                return Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default(), bytes };
            }
        }
        tries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// A phone that registers households with a photo each until it is told to end, and then ends what it has begun.
async fn phone(person: Person, place: Value, seed: u64, end: Arc<AtomicBool>, tries: Arc<AtomicU64>) -> Delivered {
    let mut done = Delivered::default();
    let mut n = 0;
    while !end.load(Ordering::Relaxed) {
        n += 1;
        let photo = pictures::padded(seed * 100_000 + n, 60_000);
        let capture = pictures::capture(&photo, "front");
        let household = id();
        let body = json!({ "household": { "id": household, "place": place, "head_name": format!("Storm {seed} {n}"), "members": [], "disability": false }, "evidence": [capture] });
        let command = kilele_tests::command("household.register", body);
        let batch = json!({ "device": person.device.to_string(), "schema": 1, "cursors": {}, "commands": [command] });
        let answer = insist(|| person.request(Method::POST, "/api/sync").json(&batch), &tries).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let status = answer.body["results"][0]["status"].as_str().unwrap_or_default();
        assert!(matches!(status, "applied" | "duplicate"), "{}", answer.body["results"]);
        done.households.push(household);
        deliver(&person, &capture, &photo, &tries).await;
        done.photos.push((capture["id"].as_str().unwrap().into(), capture["sha256"].as_str().unwrap().into()));
    }
    done
}

/// In two pieces; after each trouble it asks how far it came.
async fn deliver(person: &Person, capture: &Value, photo: &[u8], tries: &AtomicU64) {
    'anew: loop {
        let created = insist(|| person.creation(capture), tries).await;
        assert!(created.status.is_success(), "{} {}", created.status, created.body);
        let location = created.header("location").to_owned();
        let path = location.find("/api/").map_or(location.as_str(), |at| &location[at..]).to_owned();
        loop {
            let head = insist(|| person.tus(Method::HEAD, &path), tries).await;
            // Its pieces are gone: begun again.
            if head.status == 404 || head.status == 410 {
                continue 'anew;
            }
            let at: usize = head.header("upload-offset").parse().unwrap_or_default();
            if at >= photo.len() {
                return;
            }
            let next = photo.len().min(at + photo.len() / 2 + 1);
            let sent = person.chunk(&path, at, photo[at..next].to_vec()).timeout(Duration::from_secs(15)).send().await;
            match sent.map(|answer| answer.status().as_u16()) {
                Ok(204) => {}
                Ok(404 | 410 | 460) => continue 'anew,
                _ => {
                    tries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(150)).await;
                }
            }
        }
    }
}

const PHONES: u64 = 6;
/// Seconds of the run in `make test`: everything is killed once.
const SHORT: u64 = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_and_nothing_doubled() {
    let seconds: u64 = std::env::var("KILELE_CLUSTER_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SHORT);
    let (mut database, mut s3) = (Cluster::start(), S3::start().await);
    let settings = Settings::new(&database.url(), &s3);
    let mut copies = [Copy::new(None), Copy::new(None)];
    settings.demo(copies[0].folder.path()).await;
    for copy in &mut copies {
        copy.up(&settings).await;
    }
    let nginx = Nginx::start(&[copies[0].port, copies[1].port]).await;
    let url = nginx.url();

    let (end, tries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut phones = tokio::task::JoinSet::new();
    for n in 0..PHONES {
        let login = ["amina.mentor", "juma.mentor", "wanjiku.mentor"][n as usize % 3];
        let person = sign_in(&url, login).await;
        let place = person.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
        phones.spawn(phone(person, place, n + 1, end.clone(), tries.clone()));
    }

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
    end.store(true, Ordering::Relaxed);
    let mut all = Delivered::default();
    let delivering = async {
        while let Some(done) = phones.join_next().await {
            let done = done.unwrap();
            all.households.extend(done.households);
            all.photos.extend(done.photos);
        }
    };
    tokio::time::timeout(Duration::from_secs(120), delivering).await.expect("every phone comes to its end");
    let sent = all.households.len();
    assert!(sent as u64 >= PHONES * 2, "{sent} households in {:?}", begun.elapsed());

    // Nothing lost, nothing doubled: each household once, each picture with its own bytes.
    let admin = sign_in(&url, "admin.demo").await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let events: Vec<(uuid::Uuid, i64)> =
        sqlx::query_as("SELECT subject, count(*) FROM audit WHERE action = 'household.register' GROUP BY subject")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let events: HashMap<String, i64> = events.into_iter().map(|(id, count)| (id.to_string(), count)).collect();
    for household in &all.households {
        assert_eq!(events.get(household), Some(&1), "registered once");
    }
    let rows: (i64,) = sqlx::query_as("SELECT count(*) FROM household").fetch_one(&mut connection).await.unwrap();
    assert_eq!(rows.0 as usize, 24 + sent);
    let wanted: HashMap<&String, &String> = all.photos.iter().map(|(id, sha256)| (id, sha256)).collect();
    // A job that died with its copy is taken up again when its lease of two minutes is over: the short run does not wait.
    let derived: &[&str] = if seconds > SHORT { &["ready"] } else { &["ready", "received"] };
    within(180, "every picture to be there", async || {
        let found: Vec<(uuid::Uuid, String, String)> =
            sqlx::query_as("SELECT id, sha256, state FROM evidence").fetch_all(&mut connection).await.unwrap();
        let ready: HashSet<String> = found
            .iter()
            .filter(|(_, _, state)| derived.contains(&state.as_str()))
            .map(|(id, _, _)| id.to_string())
            .collect();
        for (id, sha256, _) in &found {
            let id = id.to_string();
            assert_eq!(wanted.get(&id).copied(), Some(sha256), "nobody sent it, or other bytes");
        }
        ready.len() == wanted.len()
    })
    .await;
    connection.close().await.unwrap();
    assert_eq!(admin.get("/api/health").await.status, 200);
    // The program's own proofs, on the same database and storage.
    for args in [&["verify", "audit"][..], &["media", "verify", "--no-repair"]] {
        let proved = settings.command(args, copies[0].folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&proved.stdout).into_owned() + &String::from_utf8_lossy(&proved.stderr);
        assert!(proved.status.success(), "{args:?}: {said}");
    }
    println!(
        "cluster: {sent} households and {} pictures in {:.0} s, {} tries more; killed: {kills:?}; nobody answered for {:.1} s at most",
        all.photos.len(),
        begun.elapsed().as_secs_f64(),
        tries.load(Ordering::Relaxed),
        longest.as_secs_f64()
    );
}

async fn sign_in(url: &str, login: &str) -> Person {
    let client = reqwest::Client::new();
    let body = json!({
        "login": login, "password": demo::PASSWORD, "tokens": true,
        "device": { "id": id(), "name": "phone of the storm", "public_key": null },
    });
    let request = client.post(format!("{url}/api/sessions")).header("x-kilele", "1").json(&body);
    let session = Answer::of(request).await.ok();
    Person::of(url.to_owned(), client, session)
}

/// What a second copy brings, each on a core of its own. Only in `make cluster`: it measures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_carries_more() {
    let Some(seconds) = std::env::var("KILELE_CLUSTER_RATE").ok().and_then(|text| text.parse::<u64>().ok()) else { return };
    let (database, s3) = (Cluster::start(), S3::start().await);
    let settings = Settings::new(&database.url(), &s3);
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
    let median = |both: bool, of: fn(&(bool, f64, f64)) -> f64| {
        let mut some: Vec<f64> = rates.iter().filter(|rate| rate.0 == both).map(of).collect();
        some.sort_by(f64::total_cmp);
        (some[1] + some[2]) / 2.0
    };
    println!(
        "cluster: two copies answer {:.2} × as many as one on {cores} cores, which PostgreSQL and the load share with them; \
         an answer costs {:.2} × as much processor time: had each a core to itself, two would answer {:.2} ×",
        median(true, |r| r.1) / median(false, |r| r.1),
        median(true, |r| r.2) / median(false, |r| r.2),
        2.0 * median(false, |r| r.2) / median(true, |r| r.2),
    );
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
