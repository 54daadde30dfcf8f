//! A whole server for one test, on SQLite or PostgreSQL, and people who speak HTTP to it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

pub mod caseload;
pub mod cast;
pub mod cluster;
pub mod collector;
pub mod enrolling;
pub mod granting;
pub mod grouping;
pub mod line;
pub mod mail;
pub mod nginx;
pub mod paper;
pub mod people;
pub mod pictures;
pub mod registry;
pub mod s3;
pub mod sealing;
pub mod signing;
pub mod slow;
pub mod teaching;
mod template;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kilele::app::App;
use kilele::clock::Clock;
use kilele::config::Config;
use poem::listener::{Acceptor, Listener, TcpListener};
use serde_json::Value;
use sqlx::{Connection, Executor};
use tokio::sync::oneshot;

pub use people::{Answer, Person, Visit, command, encoded};
pub use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Each story runs on both engines: `both! { async fn name(app: TestApp) { … } }`.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: $type:ty) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every story needs every import")]
            use super::*;

            async fn story($app: $type) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story($crate::TestApp::spawn($crate::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story($crate::TestApp::spawn($crate::Engine::Postgres).await).await;
            }
        }
    )*};
}

/// A running server with a small demo organisation (24 households, no visits, no pictures).
pub struct TestApp {
    pub app: App,
    pub url: String,
    pub clock: Clock,
    pub client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    folder: Arc<tempfile::TempDir>,
}

impl TestApp {
    pub async fn spawn(engine: Engine) -> Self {
        Self::spawn_with(engine, |_| None).await
    }

    /// With settings that come before the test's own.
    pub async fn spawn_with(engine: Engine, settings: impl Fn(&str) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = template::copy(engine, folder.path()).await;
        let config = config(folder.path(), &database, settings);
        Self::serve(config, Clock::default(), Arc::new(folder)).await
    }

    /// An installation without an organisation; `settings` come before the test's own.
    pub async fn spawn_empty(engine: Engine, settings: impl Fn(&str) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => template::sqlite(folder.path()),
            Engine::Postgres => new_database(None).await,
        };
        let config = config(folder.path(), &database, settings);
        Self::serve(config, Clock::default(), Arc::new(folder)).await
    }

    /// Another machine for this installation: its secret, and nothing else.
    pub async fn elsewhere(&self, engine: Engine) -> Elsewhere {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let database_url = match engine {
            Engine::Sqlite => format!("sqlite://{}", data.join("kilele.db").display()),
            Engine::Postgres => new_database(None).await,
        };
        let media_url = format!("file://{}", data.join("media").display());
        let own = &self.app.config;
        let secret = own.secret.clone().unwrap_or_else(|| std::fs::read_to_string(own.data_dir.join("secret.key")).unwrap());
        let config = Config { data_dir: data, database_url, media_url, secret: Some(secret), ..own.clone() };
        Elsewhere { config, folder }
    }

    /// Another copy of the server: on the same database, storage, keys and clock.
    pub async fn twin(&self) -> Self {
        self.twin_with(|_| {}).await
    }

    /// As [`Self::twin`], but told something else.
    pub async fn twin_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.app.config.clone();
        change(&mut config);
        Self::serve(config, self.clock.clone(), self.folder.clone()).await
    }

    async fn serve(config: Config, clock: Clock, folder: Arc<tempfile::TempDir>) -> Self {
        let app = App::open(config, clock.clone()).await.unwrap();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(kilele::server::run(app.clone(), acceptor, async move { drop(stopped.await) }));
        let client = reqwest::Client::builder().pool_max_idle_per_host(64).build().unwrap();
        Self { app, url: format!("http://{address}"), clock, client, stop: Some(stop), folder }
    }

    /// Ends serving, and gives the database back.
    pub async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // Nobody new is let in any more; what is open is let go.
        let address = self.url.trim_start_matches("http://");
        let gone = async || tokio::net::TcpStream::connect(address).await.is_err().then_some(());
        until("the server to end", gone).await;
        self.app.db.close().await;
    }

    pub fn engine(&self) -> Engine {
        if self.app.config.database_url.starts_with("postgres") { Engine::Postgres } else { Engine::Sqlite }
    }

    /// Somebody signed in with a token, on a device of their own.
    pub async fn sign_in(&self, login: &str) -> Person {
        Person::sign_in(self, login, Uuid::now_v7_test(), None).await
    }

    pub async fn mentor(&self) -> Person {
        self.sign_in("amina.mentor").await
    }

    pub async fn other_mentor(&self) -> Person {
        self.sign_in("juma.mentor").await
    }

    pub async fn supervisor(&self) -> Person {
        self.sign_in("grace.supervisor").await
    }

    pub async fn admin(&self) -> Person {
        self.sign_in("admin.demo").await
    }

    /// Without being signed in.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.client.post(format!("{}{path}", self.url)).header("x-kilele", "1").json(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url))).await
    }
}

/// A machine on which an installation is to be put back.
pub struct Elsewhere {
    pub config: Config,
    folder: tempfile::TempDir,
}

impl Elsewhere {
    /// Serves there.
    pub async fn serve(self, clock: &Clock) -> TestApp {
        TestApp::serve(self.config, clock.clone(), Arc::new(self.folder)).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

fn config(folder: &Path, database: &str, settings: impl Fn(&str) -> Option<String>) -> Config {
    let own = |name: &str| match name {
        "KILELE_DATA_DIR" => folder.to_str().map(str::to_owned),
        "KILELE_DATABASE_URL" => Some(database.to_owned()),
        "KILELE_PUSH_LOOPBACK" => Some("true".into()),
        "KILELE_SIGN_IN_PER_MINUTE" => Some("1000".into()),
        // A test is many people at one address.
        "KILELE_API_PER_MINUTE" | "KILELE_SYNC_PER_MINUTE" => Some("0".into()),
        _ => None,
    };
    Config::from(|name| settings(name).or_else(|| own(name))).unwrap()
}

/// The cluster that `scripts/with-postgres` started.
fn cluster_url() -> String {
    std::env::var("KILELE_TEST_POSTGRES_URL")
        .expect("KILELE_TEST_POSTGRES_URL is not set: run the tests with `make test` or under scripts/with-postgres")
}

/// A database of its own in that cluster: empty, or a copy.
pub async fn new_database(of: Option<&str>) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let cluster = cluster_url();
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&cluster).await.unwrap();
    let like = of.map(|name| format!(" TEMPLATE {name}")).unwrap_or_default();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}{like}"))).await.unwrap();
    let base = cluster.rsplit_once('/').unwrap().0;
    format!("{base}/{name}")
}

/// Ids as phones make them.
pub trait NewId {
    fn now_v7_test() -> Uuid;
}

impl NewId for Uuid {
    fn now_v7_test() -> Uuid {
        kilele::clock::new_id()
    }
}

/// A new id as text, for bodies.
pub fn id() -> String {
    kilele::clock::new_id().to_string()
}

/// Repeatable randomness: from `KILELE_TEST_SEED`, which a failing run prints.
pub struct Dice(u64);

impl Dice {
    #[allow(clippy::new_without_default, reason = "it prints")]
    pub fn new() -> Self {
        let seed = std::env::var("KILELE_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_120);
        println!("KILELE_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Awaits until `look` answers something; fails after 20 seconds.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("waited too long for {what}");
}

/// Where `scripts/setup test` keeps the tools that are not packages of the system.
pub fn tools() -> std::path::PathBuf {
    if let Some(folder) = std::env::var_os("KILELE_TOOLS") {
        return folder.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(std::path::PathBuf::from);
    let cache =
        cache.unwrap_or_else(|| std::path::PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache"));
    cache.join("kilele/tools")
}
