//! What an earlier release kept as texts is read as before, and a database that it left is brought up to date.

use std::str::FromStr;

use kilele::app::App;
use kilele::clock::Clock;
use kilele::config::Config;
use kilele::packed;
use kilele_tests::{Engine, TestApp, both, id, new_database};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use uuid::Uuid;

/// The last migration of the release that kept records as texts.
const TEXTS: i64 = 8;

/// Gives every record and signed text the form that it had before it was packed.
async fn unpack_all(app: &TestApp) {
    let rows: Vec<(Uuid, Vec<u8>)> = app.app.db.query("SELECT id, body FROM feed_entry").all().await.unwrap();
    assert!(rows.iter().any(|(_, body)| body[0] != b'{'), "nothing was packed");
    app.app
        .db
        .write(move |tx| {
            Box::pin(async move {
                for (id, body) in rows {
                    let text = packed::open(&body)?.into_bytes();
                    tx.query("UPDATE feed_entry SET body = $2 WHERE id = $1").bind(id).bind(text).run().await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

both! {
    async fn records_of_an_earlier_release_are_read_and_changed(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let home = household["id"].as_str().unwrap();
        let visit = mentor.visit(&household);
        assert_eq!(mentor.command("visit.submit", visit.body.clone()).await.ok()["status"], "applied");
        let everything = async || {
            let mut all: Vec<Value> = Vec::new();
            for kind in ["household", "visit", "evidence", "signature", "statement"] {
                all.extend(mentor.records(kind).await);
            }
            for path in ["/api/visits", "/api/places", &format!("/api/households/{home}"), &format!("/api/households/{home}/timeline")] {
                all.push(mentor.get(path).await.ok());
            }
            all
        };
        let before = everything().await;
        unpack_all(&app).await;
        assert_eq!(everything().await, before);

        let change = json!({ "id": home, "changes": { "notes": { "was": household["notes"], "now": "Paa jipya" } } });
        assert_eq!(mentor.command("household.update", change).await.ok()["status"], "applied");
        let (body,): (Vec<u8>,) = app.app.db.query("SELECT body FROM feed_entry WHERE id = $1").bind(home.parse::<Uuid>().unwrap()).one().await.unwrap();
        assert_ne!(body[0], b'{', "packed when it changed");
        assert!(packed::open(&body).unwrap().contains("Paa jipya"));
    }
}

/// A database with one feed, one record and one event, as migrations up to [`TEXTS`] leave it.
async fn left_behind(engine: Engine, url: &str, record: &str) {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"));
    let all = Migrator::new(folder).await.unwrap();
    let old = Migrator::with_migrations(all.iter().filter(|m| m.version <= TEXTS).cloned().collect());
    let (uuid, hash) = match engine {
        Engine::Sqlite => ("x'01a1ff21abe075289b0250ac636427e2'", "x'00'"),
        Engine::Postgres => ("'01a1ff21-abe0-7528-9b02-50ac636427e2'", "'\\x00'"),
    };
    let fill = format!(
        "INSERT INTO organisation (id, code, name, demo, created_at) VALUES ({uuid}, 'x', 'X', FALSE, 1);
         INSERT INTO feed (org, id, kind, revision) VALUES ({uuid}, {uuid}, 'place', 7);
         INSERT INTO feed_entry (org, feed, id, kind, revision, deleted, body) VALUES ({uuid}, {uuid}, {uuid}, 'place', 7, FALSE, '{record}');
         INSERT INTO audit (org, feed, sequence, at, action, subject_kind, subject, change, hash) VALUES ({uuid}, {uuid}, 1, 1, 'a', 'place', {uuid}, 'null', {hash});
         INSERT INTO command_log (org, id, member, device, kind, device_at, at, answer) VALUES ({uuid}, {uuid}, {uuid}, {uuid}, 'k', 1, 1, '{{}}');
         INSERT INTO blob (org, sha256, bytes, stored_at) VALUES ({uuid}, 'ab', 1, 1);
         INSERT INTO derivative (org, sha256, variant, bytes, hash) VALUES ({uuid}, 'ab', 'thumb', 1, 'cd');"
    );
    match engine {
        Engine::Sqlite => {
            let options =
                SqliteConnectOptions::from_str(url).unwrap().create_if_missing(true).collation("C", |a, b| a.cmp(b));
            let mut connection = options.connect().await.unwrap();
            old.run_direct(None, &mut connection, false).await.unwrap();
            connection.execute(AssertSqlSafe(fill)).await.unwrap();
            connection.close().await.unwrap();
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            old.run_direct(None, &mut connection, false).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

async fn is_brought_up_to_date(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let url = match engine {
        Engine::Sqlite => format!("sqlite://{data}/kilele.db"),
        Engine::Postgres => new_database(None).await,
    };
    let record = format!("{{\"id\":\"01a1ff21-abe0-7528-9b02-50ac636427e2\",\"name\":\"Kijiji 🐔 {}\"}}", id());
    left_behind(engine, &url, &record).await;
    let config = Config::from(|name| match name {
        "KILELE_DATA_DIR" => Some(data.clone()),
        "KILELE_DATABASE_URL" => Some(url.clone()),
        _ => None,
    });
    let app = App::open(config.unwrap(), Clock::default()).await.unwrap();
    let (body, revision): (Vec<u8>, i64) =
        app.db.query("SELECT body, revision FROM feed_entry WHERE kind = 'place'").one().await.unwrap();
    assert_eq!((packed::open(&body).unwrap(), revision), (record.clone(), 7));
    let (joined,): (String,) = app.db.query("SELECT string_agg(hex(body), ',') FROM feed_entry").one().await.unwrap();
    assert_eq!(packed::open_list(&joined).unwrap(), record);
    for table in [
        "SELECT count(*) FROM audit",
        "SELECT count(*) FROM command_log",
        "SELECT count(*) FROM blob",
        "SELECT count(*) FROM derivative",
    ] {
        let (rows,): (i64,) = app.db.query(table).one().await.unwrap();
        assert_eq!(rows, 1, "{table}");
    }
}

#[tokio::test]
async fn a_database_of_an_earlier_release_is_brought_up_to_date_on_sqlite() {
    is_brought_up_to_date(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_database_of_an_earlier_release_is_brought_up_to_date_on_postgres() {
    is_brought_up_to_date(Engine::Postgres).await;
}
