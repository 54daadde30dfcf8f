//! The release binary as a process, with the demo organisation, on a free port and a folder of its own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kilele_tests::{Answer, Person};
use serde_json::{Value, json};

pub struct Server {
    child: Child,
    pub address: String,
    client: reqwest::Client,
    folder: tempfile::TempDir,
    database: Option<String>,
}

impl Server {
    pub async fn start(cluster: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let database = match cluster {
            Some(cluster) => Some(kilele_tests::new_database(cluster).await),
            None => None,
        };
        let child = spawn(&address, &folder, database.as_deref());
        let server = Self { child, address, client: reqwest::Client::new(), folder, database };
        server.up().await;
        server
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
        let url = format!("http://{}", self.address);
        let device = json!({ "id": kilele_tests::id(), "name": "bench" });
        let body = json!({ "login": login, "password": kilele::demo::PASSWORD, "tokens": true, "device": device });
        let session = Answer::of(self.client.post(format!("{url}/api/sessions")).json(&body)).await.ok();
        Person::of(url, self.client.clone(), session)
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
    pub async fn post_packed(&self, path: &str, token: &str, body: &Value) -> (usize, Value) {
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

    /// Records in the feeds and bytes of the database, on SQLite.
    pub async fn stored(&self) -> Option<(i64, u64)> {
        if self.database.is_some() {
            return None;
        }
        let path = self.folder.path().join("kilele.db");
        let url = format!("sqlite://{}?mode=ro", path.display());
        let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
        let (records,): (i64,) = sqlx::query_as("SELECT count(*) FROM feed_entry").fetch_one(&mut connection).await.unwrap();
        Some((records, path.metadata().unwrap().len()))
    }

    /// Resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(address: &str, folder: &tempfile::TempDir, database: Option<&str>) -> Child {
    let binary = std::env::var("KILELE_BINARY").unwrap_or_else(|_| "target/release/kilele".into());
    let mut command = Command::new(binary);
    command.args(["serve", "--demo"]).env("KILELE_LISTEN", address).env("KILELE_DATA_DIR", folder.path());
    command.env("KILELE_LOG", "error").env("KILELE_SIGN_IN_PER_MINUTE", "1000");
    if let Some(url) = database {
        command.env("KILELE_DATABASE_URL", url);
    }
    command.stdout(Stdio::null()).spawn().expect("the release binary is built: cargo build --release -p kilele")
}
