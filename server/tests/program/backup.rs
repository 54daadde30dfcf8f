//! `kilele backup`, `restore`, `doctor` and the help, as programs: what they say and how they end, beside a server that
//! goes on running.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use kilele::app::App;
use kilele::clock::Clock;
use kilele::config::Config;
use kilele::demo::{self, Size};
use kilele_tests::{Engine, new_database, until};
use serde_json::Value;

/// An installation of one test's own.
struct Place {
    folder: tempfile::TempDir,
    database: String,
    port: u16,
}

impl Place {
    async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("data/kilele.db").display()),
            Engine::Postgres => new_database(None).await,
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, database, port }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn backups(&self) -> String {
        format!("file://{}", self.folder.path().join("backups").display())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kilele"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("KILELE_DATA_DIR", self.data())
            .env("KILELE_DATABASE_URL", &self.database)
            .env("KILELE_BACKUP_URL", self.backups())
            .env("KILELE_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("KILELE_LOG", "error")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    async fn serve(&self) -> Server {
        let child = self.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let server = Server(child);
        let (client, url) = (reqwest::Client::new(), format!("http://127.0.0.1:{}/health/ready", self.port));
        for _ in 0..6 {
            // Migrating takes its time on a busy machine.
            for _ in 0..200 {
                if client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                    return server;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        panic!("the server did not start");
    }
}

/// Ended in an orderly way when it is dropped.
struct Server(Child);

impl Server {
    fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn replaced(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_str().is_some_and(|name| name.starts_with("replaced-"))))
        .collect()
}

async fn made_proved_and_put_back(engine: Engine) {
    let place = Place::new(engine).await;
    let server = place.serve().await;

    // Beside the server that goes on.
    let (code, said, error) = place.run(&["backup", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let made: Value = serde_json::from_str(&said).unwrap();
    assert!(made["rows"].as_u64().unwrap() > 0, "{made}");
    let (code, said, error) = place.run(&["backup", "verify"]);
    assert_eq!(code, Some(0), "{said}{error}");
    assert!(said.contains("All of it holds.") && said.contains("ago"), "{said}");
    let (code, said, _) = place.run(&["backup", "list"]);
    assert!(code == Some(0) && said.contains(made["name"].as_str().unwrap()) && said.contains("whole"), "{said}");

    // Not without being asked, and not under a server.
    let (code, _, error) = place.run(&["restore"]);
    assert!(code == Some(1) && error.contains("--yes"), "{error}");
    let (code, _, error) = place.run(&["restore", "--yes"]);
    assert!(code == Some(1) && error.contains("stop every server"), "{error}");
    server.stop();

    // On PostgreSQL its connections are gone a moment after the process.
    let (code, said) = until("the database to be free", async || {
        let (code, said, error) = place.run(&["restore", "--yes"]);
        (!error.contains("stop every server")).then_some((code, said + &error))
    })
    .await;
    assert_eq!(code, Some(0), "{said}");
    let before = replaced(&place.data());
    assert_eq!(before.len(), 1, "{said}");
    assert!(said.contains(before[0].to_str().unwrap()), "{said}");
    assert_eq!(place.run(&["verify", "audit"]).0, Some(0));

    // What was replaced can itself be put back.
    match engine {
        Engine::Sqlite => assert!(before[0].join("kilele.db").exists()),
        Engine::Postgres => {
            let (code, said, error) = place.run(&["restore", "--yes", "--from", before[0].to_str().unwrap()]);
            assert_eq!(code, Some(0), "{said}{error}");
            assert_eq!(replaced(&place.data()).len(), 2);
        }
    }
    // And it serves.
    place.serve().await.stop();

    // A damaged one is found, and a place without any.
    let database = place.folder.path().join("backups").join(made["name"].as_str().unwrap()).join("database");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&database, bytes).unwrap();
    let (code, said, error) = place.run(&["backup", "verify", made["name"].as_str().unwrap()]);
    assert!(code == Some(1) && said.contains("FAULT") && error.contains("damaged"), "{said}{error}");
    let (code, _, error) = place.run(&["backup", "verify", "--from", place.folder.path().join("nothing").to_str().unwrap()]);
    assert!(code == Some(1) && error.contains("no backup"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_proved_and_put_back_on_sqlite() {
    made_proved_and_put_back(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_proved_and_put_back_on_postgres() {
    made_proved_and_put_back(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_lacking_and_how_to_mend_it() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = Place::new(engine).await;
        let examine = |more: &[(&str, &str)], args: &[&str]| {
            let mut command = place.command(args);
            command.envs(more.iter().copied());
            let output = command.output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        // Before the first start nothing is made by looking.
        examine(&[], &["doctor"]);
        assert!(!place.data().join("secret.key").exists() && !place.data().join("kilele.db").exists());
        assert_eq!(place.run(&["migrate"]).0, Some(0));
        assert_eq!(place.run(&["backup"]).0, Some(0));

        let found =
            |more: &[(&str, &str)]| -> Value { serde_json::from_str(&examine(more, &["doctor", "--json"]).1).unwrap() };
        let state = |report: &Value, what: &str| {
            let one = report["findings"].as_array().unwrap().iter().find(|one| one["what"] == what);
            one.map_or("none".to_owned(), |one| one["state"].as_str().unwrap().to_owned())
        };
        let good = found(&[]);
        for what in ["secret", "files", "database", "migrations", "storage", "backup_age"] {
            assert_eq!(state(&good, what), "good", "{engine:?} {what}: {good:#}");
        }
        let without: Vec<&Value> = good["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["state"] != "good" && one["mend"].is_null())
            .collect();
        assert!(without.is_empty(), "each says how to mend it: {without:?}");

        let zeros = kilele::crypto::b64(&[0; 32]);
        for (name, value, what, wanted) in [
            ("KILELE_SECRET", zeros.as_str(), "secret", "bad"),
            ("KILELE_SECRET", "short", "secret", "bad"),
            ("KILELE_PUBLIC_URL", "http://kilele.example.org", "public_url", "bad"),
            ("KILELE_PUBLIC_URL", "http://localhost:8080/sub", "public_url", "bad"),
            // Nobody listens there.
            ("KILELE_PUBLIC_URL", "https://127.0.0.1:9", "tls", "warning"),
            ("KILELE_VAPID_SUBJECT", "mailto:somebody@example.org", "vapid_subject", "good"),
            ("KILELE_VAPID_SUBJECT", "somebody", "vapid_subject", "bad"),
            ("KILELE_MEDIA_URL", "memory:", "storage", "bad"),
            ("KILELE_BACKUP_URL", "", "backup", "bad"),
            (
                "KILELE_BACKUP_RECIPIENTS",
                "age133lw3xdggd7a9q7vltwzs5aurqxxflh84lkdvp0387ydpmcgx55qhhze4j",
                "backup_seal",
                "good",
            ),
        ] {
            let report = found(&[(name, value)]);
            assert_eq!(state(&report, what), wanted, "{name}={value}: {report:#}");
        }
        std::fs::set_permissions(place.data().join("secret.key"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .unwrap();
        let (code, said) = examine(&[], &["doctor"]);
        assert!(code == Some(1) && said.contains("chmod 600"), "{said}");
        std::fs::set_permissions(place.data().join("secret.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();

        // A mail server that is not there; one that is, and says nothing of TLS.
        assert_eq!(state(&found(&[]), "email"), "warning");
        assert_eq!(state(&found(&[("KILELE_SMTP_URL", "smtp://127.0.0.1:9")]), "email"), "bad");
        assert_eq!(state(&found(&[("KILELE_SMTP_URL", "nonsense")]), "email"), "bad");

        // Warnings end it only when asked to. Here PostgreSQL runs without waiting for the disk, which is bad.
        if engine == Engine::Sqlite {
            assert_eq!(examine(&[], &["doctor"]).0, Some(0));
            assert_eq!(examine(&[], &["doctor", "--strict"]).0, Some(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_up_to_postgres() {
    let (place, database) = (Place::new(Engine::Sqlite).await, new_database(None).await);
    let server = place.serve().await;
    let (code, _, error) = place.run(&["migrate-to", &database]);
    assert!(code == Some(1) && error.contains("stop every server"), "{error}");
    server.stop();
    for wrong in [&["migrate-to"][..], &["migrate-to", &database, "--nonsense"]] {
        assert_eq!(place.run(wrong).0, Some(2));
    }
    let (code, _, error) = place.run(&["migrate-to", "sqlite:///tmp/other.db"]);
    assert!(code == Some(1) && error.contains("postgres://"), "{error}");
    let (code, _, error) = place.run(&["migrate-to", &database, "--check"]);
    assert!(code == Some(1) && error.contains("holds nothing"), "{error}");

    let media = format!("file://{}", place.folder.path().join("elsewhere").display());
    let (code, said, error) = place.run(&["migrate-to", &database, "--media", &media]);
    assert_eq!(code, Some(0), "{said}{error}");
    assert!(said.contains("read back from") && said.contains("KILELE_DATABASE_URL=postgres://"), "{said}");
    let (code, said, error) = place.run(&["migrate-to", &database, "--check", "--json"]);
    assert_eq!(code, Some(0), "{said}{error}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert!(report["rows"].as_u64().unwrap() > 0 && report["faults"] == serde_json::json!([]), "{report}");
    // Over what is there only when it is said.
    let (code, _, error) = place.run(&["migrate-to", &database]);
    assert!(code == Some(1) && error.contains("--yes"), "{error}");
    let (code, said, error) = place.run(&["migrate-to", &database, "--yes"]);
    assert!(code == Some(0) && said.contains("replaced-"), "{said}{error}");

    let moved = Place { database, ..place };
    moved.serve().await.stop();
    assert_eq!(moved.run(&["verify", "audit"]).0, Some(0));
}

/// A command with all below it.
fn walk(path: &mut Vec<String>, seen: &mut Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_kilele")).args(&*path).arg("--help").output().unwrap();
    assert!(output.status.success(), "{path:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    seen.push(path.join(" "));
    // Whoever has come to a command, and not only to a group of them, sees how it is used.
    assert!(text.contains("Examples:") || text.contains("\nCommands:\n"), "{path:?} has no examples");
    let commands = text.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap_or(""));
    let names: Vec<String> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    for name in names.into_iter().filter(|name| name != "help") {
        path.push(name);
        walk(path, seen);
        path.pop();
    }
}

#[test]
fn every_command_helps_and_completes() {
    let mut seen = Vec::new();
    walk(&mut Vec::new(), &mut seen);
    for wanted in
        ["backup verify", "restore", "migrate-to", "doctor", "completions", "keys destroy", "admin reset", "media gc"]
    {
        assert!(seen.iter().any(|known| known == wanted), "{wanted} of {seen:?}");
    }
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_kilele")).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().contains("Examples:"));
    for shell in ["bash", "zsh", "fish"] {
        let text = String::from_utf8(run(&["completions", shell]).stdout).unwrap();
        assert!(text.contains("restore") && text.contains("doctor"), "{shell}");
    }
    for wrong in [&["nonsense"][..], &["backup", "--nonsense"], &["completions", "nonsense"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scripts_ask_for_as_json_is_json_and_nothing_else() {
    let place = Place::new(Engine::Sqlite).await;
    let (data, database) = (place.data(), place.database.clone());
    let config = Config::from(|name| match name {
        "KILELE_DATA_DIR" => data.to_str().map(str::to_owned),
        "KILELE_DATABASE_URL" => Some(database.clone()),
        _ => None,
    });
    let app = App::open(config.unwrap(), Clock::default()).await.unwrap();
    let size = Size { households: 12, visits_a_day: 0, pictures: false, programme: false };
    demo::make_sized(&app, size).await.unwrap();
    app.db.close().await;
    let read = |args: &[&str]| -> Value {
        let (code, said, error) = place.run(args);
        assert_eq!(code, Some(0), "{args:?}: {error}");
        serde_json::from_str(&said).unwrap_or_else(|fault| panic!("{args:?}: {fault}: {said}"))
    };
    let sealed = read(&["keys", "rotate", "--now", "--json"]);
    assert!(sealed["records"].as_u64().unwrap() >= 12 && sealed["households"].as_u64().unwrap() > 0, "{sealed}");
    assert_eq!(read(&["keys", "rotate", "--reseal", "--json"])["records"], 0, "once is enough");
    assert_eq!(read(&["media", "gc", "--json"])["removed"], false);
    assert_eq!(read(&["media", "verify", "--no-repair", "--json"])["findings"], serde_json::json!([]));
    assert_eq!(read(&["mode", "status", "--json"])["mode"], "single");
    assert_eq!(read(&["verify", "audit", "--json"])["broken"], serde_json::json!([]));
    let link = read(&["admin", "reset", "amina.mentor", "--yes", "--json"]);
    assert!(link["url"].as_str().unwrap().contains("/join#"), "the link");
    // The key before is needed for ten minutes more: refused, and nothing on the line that a script reads.
    let (code, said, error) = place.run(&["keys", "destroy", "--yes", "--json"]);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{error}");
    assert!(error.contains("ten minutes"), "{error}");
}
