//! A storm of deliveries over servers that are killed: the servers as processes, the phones, and the count at the end.

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
use kilele_tests::s3::S3;
use kilele_tests::{Answer, Person, id, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Households of the demo.
const HOUSEHOLDS: usize = 24;

/// What a copy of the server is told; the same for each but for port and folder.
pub struct Settings(pub Vec<(String, String)>);

impl Settings {
    /// Pictures on S3.
    pub fn on_s3(database: &str, s3: &S3) -> Self {
        let (storage, mut all) = (s3.settings(s3.url()), Self::new(database));
        let names = [
            "KILELE_MEDIA_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_ENDPOINT_URL",
            "AWS_TIMEOUT",
        ];
        all.0.extend(names.into_iter().map(|name| (name.to_owned(), storage(name).unwrap())));
        all
    }

    /// Pictures in the data folder.
    pub fn new(database: &str) -> Self {
        let mut all: Vec<(String, String)> = Vec::new();
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

    pub fn command(&self, args: &[&str], folder: &std::path::Path) -> Command {
        let binary = std::env::var("KILELE_CLUSTER_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kilele").into());
        let mut command = Command::new(binary);
        command.args(args).current_dir(folder).env("KILELE_DATA_DIR", folder).stdin(Stdio::null());
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The same installation, opened in this process.
    pub async fn open(&self, folder: &std::path::Path) -> App {
        let get = |name: &str| match name {
            "KILELE_DATA_DIR" => folder.to_str().map(str::to_owned),
            name => self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        };
        App::open(Config::from(get).unwrap(), Clock::default()).await.unwrap()
    }

    pub async fn demo(&self, folder: &std::path::Path) {
        let app = self.open(folder).await;
        demo::make_sized(&app, Size { households: HOUSEHOLDS, visits_a_day: 0, pictures: false, programme: false })
            .await
            .unwrap();
        app.db.close().await;
    }
}

/// One copy of the server.
pub struct Copy {
    pub child: Option<Child>,
    pub port: u16,
    pub folder: tempfile::TempDir,
    core: Option<usize>,
}

impl Copy {
    pub fn new(core: Option<usize>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { child: None, port, folder: tempfile::tempdir().unwrap(), core }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn up(&mut self, settings: &Settings) {
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
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Processor time so far, in seconds.
    pub fn cpu(&self) -> f64 {
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
pub async fn ask(url: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(12)).build().unwrap();
    match client.get(url).send().await {
        Ok(answer) => (answer.status().as_u16(), answer.json().await.unwrap_or_default()),
        Err(_) => (0, Value::Null),
    }
}

pub async fn within(seconds: u64, what: &str, mut look: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < Duration::from_secs(seconds), "waited {seconds} s for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

/// Answers that were 500, in this process: whatever is done to a server, that is never right.
pub static FAULTS: AtomicU64 = AtomicU64::new(0);

/// What a phone delivered, and was told that it has arrived.
#[derive(Default)]
pub struct Delivered {
    pub households: Vec<String>,
    /// Evidence, with the hash of its bytes.
    pub photos: Vec<(String, String)>,
}

/// Whatever went wrong on the way, the phone tries again with the same.
pub async fn insist(request: impl Fn() -> reqwest::RequestBuilder, tries: &AtomicU64) -> Answer {
    loop {
        if let Ok(response) = request().timeout(Duration::from_secs(15)).send().await {
            let (status, headers) = (response.status(), response.headers().clone());
            if status == 500 {
                FAULTS.fetch_add(1, Ordering::Relaxed);
            }
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
pub async fn phone(person: Person, place: Value, seed: u64, end: Arc<AtomicBool>, tries: Arc<AtomicU64>) -> Delivered {
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
pub async fn deliver(person: &Person, capture: &Value, photo: &[u8], tries: &AtomicU64) {
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
                Ok(500) => drop(FAULTS.fetch_add(1, Ordering::Relaxed)),
                Ok(404 | 410 | 460) => continue 'anew,
                _ => {
                    tries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(150)).await;
                }
            }
        }
    }
}

pub async fn sign_in(url: &str, login: &str) -> Person {
    let client = reqwest::Client::new();
    let body = json!({
        "login": login, "password": demo::PASSWORD, "tokens": true,
        "device": { "id": id(), "name": "phone of the storm", "public_key": null },
    });
    let request = client.post(format!("{url}/api/sessions")).header("x-kilele", "1").json(&body);
    let session = Answer::of(request).await.ok();
    Person::of(url.to_owned(), client, session)
}

/// Phones at work, until they are told to end.
pub struct Storm {
    phones: tokio::task::JoinSet<Delivered>,
    end: Arc<AtomicBool>,
    pub tries: Arc<AtomicU64>,
}

impl Storm {
    pub async fn begin(url: &str, phones: u64) -> Self {
        let mut storm = Self { phones: tokio::task::JoinSet::new(), end: Arc::default(), tries: Arc::default() };
        for n in 0..phones {
            let login = ["amina.mentor", "juma.mentor", "wanjiku.mentor"][n as usize % 3];
            let person = sign_in(url, login).await;
            let place = person.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
            storm.phones.spawn(phone(person, place, n + 1, storm.end.clone(), storm.tries.clone()));
        }
        storm
    }

    /// Every phone ends what it has begun; answers what all of them delivered.
    pub async fn end(mut self) -> Delivered {
        self.end.store(true, Ordering::Relaxed);
        let mut all = Delivered::default();
        let delivering = async {
            while let Some(done) = self.phones.join_next().await {
                let done = done.unwrap();
                all.households.extend(done.households);
                all.photos.extend(done.photos);
            }
        };
        tokio::time::timeout(Duration::from_secs(120), delivering).await.expect("every phone comes to its end");
        all
    }
}

/// Nothing lost, nothing doubled: each household once, each picture with its own bytes, in one of these states.
pub async fn count(settings: &Settings, folder: &std::path::Path, all: &Delivered, states: &[&str]) {
    let app = settings.open(folder).await;
    const EVENTS: &str = "SELECT subject, count(*) FROM audit WHERE action = 'household.register' GROUP BY subject";
    let events: Vec<(Uuid, i64)> = app.db.query(EVENTS).all().await.unwrap();
    let events: HashMap<String, i64> = events.into_iter().map(|(id, count)| (id.to_string(), count)).collect();
    for household in &all.households {
        assert_eq!(events.get(household), Some(&1), "registered once");
    }
    let rows: (i64,) = app.db.query("SELECT count(*) FROM household").one().await.unwrap();
    assert_eq!(rows.0 as usize, HOUSEHOLDS + all.households.len());
    let wanted: HashMap<&String, &String> = all.photos.iter().map(|(id, sha256)| (id, sha256)).collect();
    within(180, "every picture to be there", async || {
        let found: Vec<(Uuid, String, String)> = app.db.query("SELECT id, sha256, state FROM evidence").all().await.unwrap();
        let there = found.iter().filter(|(_, _, state)| states.contains(&state.as_str()));
        let there: HashSet<String> = there.map(|(id, _, _)| id.to_string()).collect();
        for (id, sha256, _) in &found {
            let id = id.to_string();
            assert_eq!(wanted.get(&id).copied(), Some(sha256), "nobody sent it, or other bytes");
        }
        there.len() == wanted.len()
    })
    .await;
    app.db.close().await;
    // The program's own proofs, on the same database and storage.
    for args in [&["verify", "audit"][..], &["media", "verify", "--no-repair"]] {
        let proved = settings.command(args, folder).output().unwrap();
        let said = String::from_utf8_lossy(&proved.stdout).into_owned() + &String::from_utf8_lossy(&proved.stderr);
        assert!(proved.status.success(), "{args:?}: {said}");
    }
}

/// SQLite's own proof of its file. The server must be down.
pub async fn whole(settings: &Settings, folder: &std::path::Path) {
    let app = settings.open(folder).await;
    if app.config.database_url.starts_with("sqlite:") {
        let (whole,): (String,) = app.db.query("PRAGMA integrity_check").one().await.unwrap();
        assert_eq!(whole, "ok");
        let foreign: Vec<(String,)> = app.db.query("SELECT \"table\" FROM pragma_foreign_key_check").all().await.unwrap();
        assert_eq!(foreign, []);
    }
    app.db.close().await;
}
