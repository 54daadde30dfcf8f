//! The disk under the data folder is full while phones deliver: what cannot be kept is refused in words and with a time to come
//! back, what was taken stays, and when there is room all goes on without a restart. Nothing lost, nothing doubled.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::storm::{self, Copy, Delivered, Settings, Storm, ask, count, whole, within};
use kilele_tests::cluster::Cluster;
use kilele_tests::{Answer, Engine, Person, command, id, new_database, pictures};
use reqwest::Method;
use serde_json::{Value, json};

/// In MiB: room for the installation, and soon full.
const DISK: u64 = 64;
/// PostgreSQL's is 60 before anything is in it, and its log takes some more.
const ITS_DISK: u64 = 192;
/// Set in the process that has file systems of its own.
const INSIDE: &str = "KILELE_TEST_MOUNTS";

/// As root. Others can be root of a namespace only, in which nobody else is.
fn may_mount() -> bool {
    Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success())
}

/// Runs this test once more in a process whose mounts nobody else sees and that are gone when it ends, however it does.
fn with_mounts_of_its_own(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // PostgreSQL is another user's, so this one stays who it is where it may.
    let mut inside = Command::new("unshare");
    inside.args(if may_mount() { &["-m"][..] } else { &["-m", "-U", "--map-root-user"] });
    // As the runner calls it: by its module too, where this is one of several.
    let full = module_path!().split_once("::").map_or(test.to_owned(), |(_, module)| format!("{module}::{test}"));
    inside.arg(std::env::current_exe().unwrap()).args(["--exact", &full, "--nocapture"]).env(INSIDE, "1");
    let status = inside.process_group(0).status().expect("unshare of util-linux");
    assert!(status.success(), "{test}, with a disk of its own");
    false
}

/// A small disk at this folder.
fn mount(folder: &Path, mib: u64) {
    let size = format!("size={mib}m,mode=0700");
    let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "kilele-full"]).arg(folder).status().unwrap();
    assert!(status.success(), "a small disk can be mounted: as root, or where user namespaces are allowed");
}

/// Takes every byte of a disk that is free, and those that become free, until it is told to end.
struct Filler {
    path: PathBuf,
    end: Arc<AtomicBool>,
    filling: std::thread::JoinHandle<u64>,
}

impl Filler {
    fn begin(folder: &Path) -> Self {
        let (path, end) = (folder.join("filler"), Arc::new(AtomicBool::new(false)));
        let mut file = File::create(&path).unwrap();
        let told = end.clone();
        let filling = std::thread::spawn(move || {
            let (mut taken, block) = (0, vec![0_u8; 1 << 20]);
            while !told.load(Ordering::Relaxed) {
                match file.write(&block) {
                    Ok(written) if written > 0 => taken += written as u64,
                    _ => std::thread::sleep(Duration::from_millis(2)),
                }
            }
            taken
        });
        Self { path, end, filling }
    }

    /// Makes room again; how many bytes it had taken.
    fn end(self) -> u64 {
        self.end.store(true, Ordering::Relaxed);
        let taken = self.filling.join().unwrap();
        std::fs::remove_file(self.path).unwrap();
        taken
    }
}

/// A household with a picture, as a phone sends it.
struct Work {
    household: String,
    batch: Value,
    capture: Value,
    photo: Vec<u8>,
}

impl Work {
    fn new(person: &Person, place: &Value, n: u64) -> Self {
        let photo = pictures::padded(9_000_000 + n, 200_000);
        let (capture, household) = (pictures::capture(&photo, "front"), id());
        let body = json!({ "household": { "id": household, "place": place, "head_name": format!("Full {n}"), "members": [], "disability": false }, "evidence": [capture] });
        let command = command("household.register", body);
        let batch = json!({ "device": person.device.to_string(), "schema": 1, "cursors": {}, "commands": [command] });
        Self { household, batch, capture, photo }
    }

    async fn send(&self, person: &Person) -> Answer {
        Answer::of(person.request(Method::POST, "/api/sync").json(&self.batch)).await
    }
}

/// A refusal that a phone understands: later, with a time.
fn later(answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
    assert_eq!(answer.body["code"], "server_full", "{}", answer.body);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
}

/// There is room again: the phone sends all of it once more, what was taken too; nothing is lost, nothing doubled.
async fn sent_again(server: &mut Copy, settings: &Settings, probe: &Person, storm: Storm, work: &[Work]) -> Delivered {
    for one in work {
        let answer = storm::insist(|| probe.request(Method::POST, "/api/sync").json(&one.batch), &storm.tries).await;
        let status = answer.body["results"][0]["status"].as_str().unwrap_or_default();
        assert!(matches!(status, "applied" | "duplicate"), "{}", answer.body);
        storm::deliver(probe, &one.capture, &one.photo, &storm.tries).await;
    }
    let mut all = storm.end().await;
    all.households.extend(work.iter().map(|one| one.household.clone()));
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    all.photos.extend(work.iter().map(|one| (name(&one.capture["id"]), name(&one.capture["sha256"]))));
    assert_eq!(storm::FAULTS.load(Ordering::Relaxed), 0, "a full disk is no fault of ours: never 500");
    // A job that could not even be put down is taken up when its lease of two minutes is over.
    let folder = server.folder.path().to_owned();
    count(settings, &folder, &all, &["ready", "received"]).await;
    let last = work.last().unwrap();
    assert!(probe.settled(last.capture["id"].as_str().unwrap()).await["state"] == "ready", "pictures are derived again");
    server.kill();
    whole(settings, &folder).await;
    all
}

async fn filled(engine: Engine) {
    let mut server = Copy::new(None);
    let server_folder = server.folder.path().to_owned();
    mount(&server_folder, DISK);
    let database = match engine {
        Engine::Sqlite => format!("sqlite://{}", server_folder.join("kilele.db").display()),
        Engine::Postgres => new_database(None).await,
    };
    let settings = Settings::new(&database);
    settings.demo(&server_folder).await;
    server.up(&settings).await;
    let probe = storm::sign_in(&server.url(), "amina.mentor").await;
    let place = probe.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
    let storm = Storm::begin(&server.url(), 4).await;
    // One whose picture is announced while there is room.
    let early = Work::new(&probe, &place, 0);
    assert_eq!(early.send(&probe).await.ok()["results"][0]["status"], "applied");
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    let (filler, begun) = (Filler::begin(&server_folder), Instant::now());
    let ready = format!("{}/health/ready", server.url());
    // It looks at the storage every ten seconds.
    within(30, "the server to say that it is full", async || {
        let (status, said) = ask(&ready).await;
        status == 503 && said["status"] == "down" && said["media"] == "down"
    })
    .await;
    assert_eq!(ask(&format!("{}/health", server.url())).await.0, 200);
    // What comes now: records are refused where their database is full, pictures everywhere.
    // (SQLite goes on for a while in the room that its log has.)
    let (mut records, mut photos, mut down) = (0, 0, engine == Engine::Postgres);
    let mut work = vec![early];
    while begun.elapsed() < Duration::from_secs(6) || photos < 5 || !down || (engine == Engine::Sqlite && records < 5) {
        assert!(begun.elapsed() < Duration::from_secs(60), "refused: {records} records, {photos} photos; down: {down}");
        let next = Work::new(&probe, &place, work.len() as u64);
        let answer = next.send(&probe).await;
        match (engine, answer.status.as_u16()) {
            // A page of a few free bytes took it: then it counts.
            (_, 200) => assert_eq!(answer.body["results"][0]["status"], "applied", "{}", answer.body),
            (Engine::Sqlite, _) => {
                later(&answer, &[503]);
                records += 1;
                down |= ask(&ready).await.1["database"] == "down";
            }
            (Engine::Postgres, status) => panic!("records do not need the disk of pictures: {status} {}", answer.body),
        }
        let created = Answer::of(probe.creation(&work[0].capture)).await;
        if created.status.is_success() {
            let location = created.header("location").to_owned();
            let path = location.find("/api/").map_or(location.as_str(), |at| &location[at..]).to_owned();
            let sent = Answer::of(probe.chunk(&path, 0, work[0].photo.clone())).await;
            assert!(!sent.status.is_success(), "{} was claimed of a picture that has no room", sent.status);
            // Or the one that is under way holds its turn.
            if sent.status != 409 {
                later(&sent, &[503, 507]);
                photos += 1;
            }
        } else {
            later(&created, &[503, 507]);
            photos += 1;
        }
        // Whoever only reads is answered.
        assert_eq!(probe.get("/api/households?limit=5").await.status, 200);
        work.push(next);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let taken = filler.end();
    within(30, "the server to be ready again", async || ask(&ready).await.0 == 200).await;
    assert!(server.child.as_mut().unwrap().try_wait().unwrap().is_none(), "it is the same process");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let all = sent_again(&mut server, &settings, &probe, storm, &work).await;
    println!(
        "full: {engine:?}: a disk of {DISK} MiB, {} MiB of it taken at once; refused: {records} records, {photos} photos; {} households and {} pictures, 0 lost, 0 doubled",
        taken >> 20,
        all.households.len(),
        all.photos.len()
    );
    // The folder of the copy is removed with it.
    assert!(Command::new("umount").arg("-l").arg(&server_folder).status().unwrap().success());
}

/// PostgreSQL's own disk: it refuses what is written, or stops when even its log has no room. Then whoever looks after it makes
/// room and starts it again; the server goes on by itself.
async fn postgres_filled() {
    let mut database = Cluster::start_on(|folder| mount(folder, ITS_DISK));
    let mut server = Copy::new(None);
    let settings = Settings::new(&database.url());
    settings.demo(server.folder.path()).await;
    server.up(&settings).await;
    let probe = storm::sign_in(&server.url(), "amina.mentor").await;
    let place = probe.get("/api/households?limit=1").await.ok()["items"][0]["place"].clone();
    let storm = Storm::begin(&server.url(), 4).await;
    let (mut work, mut refused) = (vec![Work::new(&probe, &place, 0)], 0);
    assert_eq!(work[0].send(&probe).await.ok()["results"][0]["status"], "applied");
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    let (filler, begun) = (Filler::begin(database.folder()), Instant::now());
    while refused < 5 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{refused} records were refused");
        let next = Work::new(&probe, &place, work.len() as u64);
        let answer = next.send(&probe).await;
        match answer.status.as_u16() {
            200 => assert_eq!(answer.body["results"][0]["status"], "applied", "{}", answer.body),
            status => {
                assert_eq!(status, 503, "{}", answer.body);
                assert!(!answer.header("retry-after").is_empty(), "when to come back: {}", answer.body);
                refused += 1;
            }
        }
        work.push(next);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask(&format!("{}/health", server.url())).await.0, 200);
    let taken = filler.end();
    // Its processes end one after the other.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let stopped = !database.lives();
    if stopped {
        database.up();
    }
    let ready = format!("{}/health/ready", server.url());
    within(90, "the server to be ready again", async || ask(&ready).await.0 == 200).await;
    assert!(server.child.as_mut().unwrap().try_wait().unwrap().is_none(), "it is the same process");
    let all = sent_again(&mut server, &settings, &probe, storm, &work).await;
    println!(
        "full: PostgreSQL's own disk of {ITS_DISK} MiB, {} MiB of it taken at once; refused: {refused} records, it stopped: {stopped}; {} households and {} pictures, 0 lost, 0 doubled",
        taken >> 20,
        all.households.len(),
        all.photos.len()
    );
    database.down();
    assert!(Command::new("umount").arg("-l").arg(database.folder()).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_itself_on_a_full_disk() {
    if !may_mount() {
        println!("not run: PostgreSQL does not run as root, and only root can give another user a disk");
    } else if with_mounts_of_its_own("postgres_itself_on_a_full_disk") {
        postgres_filled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_and_pictures_on_a_full_disk() {
    if with_mounts_of_its_own("sqlite_and_pictures_on_a_full_disk") {
        filled(Engine::Sqlite).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_pictures_on_a_full_disk() {
    if with_mounts_of_its_own("postgres_with_pictures_on_a_full_disk") {
        filled(Engine::Postgres).await;
    }
}
