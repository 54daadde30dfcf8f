//! The release binary as a process, with the demo organisation, on a free port and a folder of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kilele_tests::{Answer, Person};
use serde_json::json;

pub struct Server {
    child: Child,
    pub address: String,
    client: reqwest::Client,
    folder: tempfile::TempDir,
    pub database: Option<String>,
}

/// A value for a statement of the bench's own.
pub enum Value {
    Id(kilele_tests::Uuid),
    Text(String),
    Int(i64),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(sqlx::AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Id(id) => query.bind(id),
                Value::Text(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
            };
        }
        query
    }};
}

impl Server {
    pub async fn start(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let database = match postgres {
            true => Some(kilele_tests::new_database(None).await),
            false => None,
        };
        let child = spawn(&address, &folder, database.as_deref());
        let server = Self { child, address, client: reqwest::Client::new(), folder, database };
        server.up().await;
        server.settled().await;
        server
    }

    /// Waits until the demo's pictures are derived: it takes both cores half a minute, and is no part of what is measured.
    async fn settled(&self) {
        let supervisor = self.sign_in("grace.supervisor").await;
        while supervisor.records("evidence").await.iter().any(|e| e["state"] == "received") {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn up(&self) {
        loop {
            if let Ok(answer) = self.client.get(format!("http://{}/health/ready", self.address)).send().await
                && answer.status() == 200
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it and starts it again; how long until it answers.
    pub async fn restart(&mut self) -> Duration {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let begun = Instant::now();
        self.child = spawn(&self.address, &self.folder, self.database.as_deref());
        self.up().await;
        begun.elapsed()
    }

    pub async fn sign_in(&self, login: &str) -> Person {
        sign_in(&self.client, &format!("http://{}", self.address), login).await
    }

    /// A picture whose sizes are derived.
    pub async fn ready_picture(&self, person: &Person) -> String {
        kilele_tests::until("a derived picture", async || {
            let all = person.records("evidence").await;
            all.iter().find(|e| e["state"] == "ready").map(|e| e["id"].as_str().unwrap().to_owned())
        })
        .await
    }

    /// A POST with a brotli answer: how many bytes came, and what they say.
    pub async fn post_packed(&self, path: &str, token: &str, body: &serde_json::Value) -> (usize, serde_json::Value) {
        let request = self.client.post(format!("http://{}{path}", self.address)).bearer_auth(token);
        let answer = Answer::of(request.header("accept-encoding", "br").json(body)).await;
        let mut clear = Vec::new();
        if answer.header("content-encoding") == "br" {
            brotli::BrotliDecompress(&mut &answer.bytes[..], &mut clear).unwrap();
        } else {
            clear = answer.bytes.to_vec();
        }
        (answer.bytes.len(), serde_json::from_slice(&clear).unwrap())
    }

    /// Another copy of the server that serves nobody: what no phone would have time to make is written through it.
    pub async fn app(&self) -> kilele::app::App {
        let config = kilele::config::Config::from(|name| match name {
            "KILELE_DATA_DIR" => Some(self.folder.path().display().to_string()),
            "KILELE_DATABASE_URL" => self.database.clone(),
            _ => None,
        });
        kilele::app::App::open(config.unwrap(), kilele::clock::Clock::default()).await.unwrap()
    }

    /// Waits until PostgreSQL has looked over what was put into a table, as it has by itself wherever the rows are older than
    /// some minutes. SQLite has no such thing.
    pub async fn looked_over(&self, table: &str) {
        let Some(url) = &self.database else { return };
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
        loop {
            let looked: (bool,) = sqlx::query_as(
                "SELECT last_autovacuum IS NOT NULL AND last_autoanalyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = $1",
            )
            .bind(table)
            .fetch_one(&mut connection)
            .await
            .unwrap();
            if looked.0 {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Ends the process at once.
    pub fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Another command for the same database, with a folder of its own or this one.
    pub fn program(&self, folder: &Path) -> Command {
        program(folder, self.database.as_deref())
    }

    /// Records in the feeds, and bytes of the whole database.
    pub async fn stored(&self) -> (i64, u64) {
        const COUNT: &str = "SELECT count(*) FROM feed_entry";
        if let Some(url) = &self.database {
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
            let (records,): (i64,) = sqlx::query_as(COUNT).fetch_one(&mut connection).await.unwrap();
            let size = "SELECT pg_database_size(current_database())";
            let (bytes,): (i64,) = sqlx::query_as(size).fetch_one(&mut connection).await.unwrap();
            return (records, bytes as u64);
        }
        let path = self.folder.path().join("kilele.db");
        let url = format!("sqlite://{}?mode=ro", path.display());
        let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
        let (records,): (i64,) = sqlx::query_as(COUNT).fetch_one(&mut connection).await.unwrap();
        if let Ok(kept) = std::env::var("KILELE_BENCH_KEEP") {
            std::fs::copy(&path, kept).unwrap();
        }
        (records, path.metadata().unwrap().len())
    }

    /// Writes into the database beside the server, in one transaction: people by the thousand, whom nobody invites.
    pub async fn write(&self, statements: Vec<(&'static str, Vec<Value>)>) {
        if let Some(url) = &self.database {
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
            let mut tx = sqlx::Connection::begin(&mut connection).await.unwrap();
            for (sql, values) in statements {
                bound!(sql, values).execute(&mut *tx).await.unwrap();
            }
            return tx.commit().await.unwrap();
        }
        let mut connection = self.sqlite("rw").await;
        let mut tx = sqlx::Connection::begin_with(&mut connection, "BEGIN IMMEDIATE").await.unwrap();
        for (sql, values) in statements {
            bound!(sql, values).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// A number that the database knows.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let (number,): (i64,) = if let Some(url) = &self.database {
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
            sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
        } else {
            sqlx::query_as(sql).fetch_one(&mut self.sqlite("ro").await).await.unwrap()
        };
        number
    }

    async fn sqlite(&self, mode: &str) -> sqlx::SqliteConnection {
        let url = format!("sqlite://{}?mode={mode}", self.folder.path().join("kilele.db").display());
        let options = <sqlx::sqlite::SqliteConnectOptions as std::str::FromStr>::from_str(&url).unwrap();
        let options = options.busy_timeout(Duration::from_secs(30));
        sqlx::ConnectOptions::connect(&options).await.unwrap()
    }

    /// Waits until the demo's own pictures are derived, or whatever else it does: three seconds on under 5 % of a core.
    pub async fn at_rest(&self) {
        let mut restful = 0;
        while restful < 3 {
            let before = self.ticks();
            tokio::time::sleep(Duration::from_secs(1)).await;
            restful = if self.ticks() - before < 5 { restful + 1 } else { 0 };
        }
    }

    /// CPU time so far, in hundredths of a second.
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name, in brackets, may hold spaces.
        let (_, rest) = stat.rsplit_once(')').unwrap();
        rest.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum()
    }

    /// Resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory in KiB since `forget_peak`.
    pub fn peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// One of the demo's people, on a device of their own.
pub async fn sign_in(client: &reqwest::Client, url: &str, login: &str) -> Person {
    let device = json!({ "id": kilele_tests::id(), "name": "bench" });
    let body = json!({ "login": login, "password": kilele::demo::PASSWORD, "tokens": true, "device": device });
    let session = Answer::of(client.post(format!("{url}/api/sessions")).json(&body)).await.ok();
    Person::of(url.to_owned(), client.clone(), session)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The release binary for a folder and a database.
fn program(folder: &Path, database: Option<&str>) -> Command {
    let binary = std::env::var("KILELE_BINARY").unwrap_or_else(|_| "target/release/kilele".into());
    let mut command = Command::new(binary);
    command.env("KILELE_DATA_DIR", folder);
    if let Some(url) = database {
        command.env("KILELE_DATABASE_URL", url);
    }
    command
}

fn spawn(address: &str, folder: &tempfile::TempDir, database: Option<&str>) -> Child {
    let mut command = program(folder.path(), database);
    command.args(["serve", "--demo"]).env("KILELE_LISTEN", address);
    command.env("KILELE_LOG", "error").env("KILELE_SIGN_IN_PER_MINUTE", "100000").env("KILELE_MEMBERS", "100000");
    // The load comes from one address, and a few accounts.
    command.env("KILELE_API_PER_MINUTE", "0").env("KILELE_SYNC_PER_MINUTE", "0");
    command.env("KILELE_PUSH_LOOPBACK", "true");
    command.stdout(Stdio::null()).spawn().expect("the release binary is built: cargo build --release -p kilele")
}
