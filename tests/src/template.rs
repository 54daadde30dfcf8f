//! An installation with the small demo organisation, made once and copied for each story: migrating it and telling the
//! demo took longer than most stories do.

use std::path::Path;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use kilele::app::App;
use kilele::clock::Clock;
use kilele::demo::{self, Size};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tokio::sync::OnceCell;

use crate::{Engine, config, new_database};

/// What lies in the data folder: the database (SQLite's), keys and secrets.
struct Template {
    files: Vec<(String, Vec<u8>)>,
    /// In the cluster of `KILELE_TEST_POSTGRES_URL`.
    database: Option<String>,
}

/// A copy of it in `folder`; answers where its database is.
pub async fn copy(engine: Engine, folder: &Path) -> String {
    static OF: [OnceCell<Template>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
    let template = OF[usize::from(engine == Engine::Postgres)].get_or_init(|| make(engine)).await;
    for (name, bytes) in &template.files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    match &template.database {
        Some(name) => new_database(Some(name)).await,
        None => sqlite(folder),
    }
}

pub fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}/kilele.db", folder.display())
}

async fn make(engine: Engine) -> Template {
    let folder = tempfile::tempdir().unwrap();
    let url = match engine {
        Engine::Sqlite => sqlite(folder.path()),
        Engine::Postgres => new_database(None).await,
    };
    let app = App::open(config(folder.path(), &url, |_| None), Clock::default()).await.unwrap();
    demo::make_sized(&app, Size { households: 24, visits_a_day: 0, pictures: false, programme: false }).await.unwrap();
    drop(app);
    let database = match engine {
        Engine::Sqlite => {
            // As the server's own connections order text.
            let options = url.parse::<SqliteConnectOptions>().unwrap().collation("C", Ord::cmp);
            let mut whole = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::query("UPDATE account SET password_hash = $1").bind(quick()).execute(&mut whole).await.unwrap();
            let out = folder.path().join("whole.db");
            sqlx::query("VACUUM INTO $1").bind(out.to_str().unwrap()).execute(&mut whole).await.unwrap();
            whole.close().await.unwrap();
            std::fs::rename(out, folder.path().join("kilele.db")).unwrap();
            None
        }
        Engine::Postgres => {
            let name = url.rsplit_once('/').unwrap().1.to_owned();
            let mut all = PgConnection::connect(&url).await.unwrap();
            sqlx::query("UPDATE account SET password_hash = $1").bind(quick()).execute(&mut all).await.unwrap();
            all.close().await.unwrap();
            seal(&name).await;
            Some(name)
        }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let beside = name.ends_with("-wal") || name.ends_with("-shm");
        if entry.file_type().unwrap().is_file() && !beside {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    Template { files, database }
}

/// PostgreSQL copies a database only while nobody is in it.
async fn seal(name: &str) {
    let cluster = crate::cluster_url();
    let mut connection = PgConnection::connect(&cluster).await.unwrap();
    let close = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
    connection.execute(sqlx::AssertSqlSafe(close)).await.unwrap();
    crate::until("an empty database", async || {
        let (left,): (i64,) =
            sqlx::query_as("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1")
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .unwrap();
        (left == 0).then_some(())
    })
    .await;
}

/// The demo's password, hashed with the least that Argon2 can do: stories sign in by the thousand. (`accounts` and `setup`
/// choose passwords of their own, which cost what they cost.)
fn quick() -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::from_b64("c3RvcmllcyBvbmx5").unwrap();
    argon2.hash_password(demo::PASSWORD.as_bytes(), &salt).unwrap().to_string()
}
