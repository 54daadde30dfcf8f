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

/// The newest migration that was there when the rule below was made: those before it came before there was anything to go
/// back to.
const RULE: i64 = 60;

/// Whoever goes back to the version before finds all that it knows: migrations add tables, columns with a default or
/// without a need, and indexes.
#[tokio::test]
async fn migrations_only_expand() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"));
    let all = Migrator::new(folder).await.unwrap();
    let mut made: Vec<String> = Vec::new();
    for migration in all.iter() {
        let text: String =
            migration.sql.as_str().lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
        let own: Vec<String> = created(&text);
        if migration.version > RULE {
            for statement in text.split(';').map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")) {
                let fault = contracts(&statement, &own);
                assert_eq!(fault, None, "{}: {statement}", migration.version);
            }
        }
        made.extend(own);
    }
    assert!(made.len() > 40);
    // The rule itself can fail.
    for (statement, wrong) in [
        ("ALTER TABLE visit DROP COLUMN topics", true),
        ("ALTER TABLE visit RENAME TO visits", true),
        ("ALTER TABLE visit RENAME COLUMN topics TO themes", true),
        ("DROP TABLE visit", true),
        ("ALTER TABLE visit ADD COLUMN mood TEXT NOT NULL", true),
        ("ALTER TABLE visit ALTER COLUMN topics SET NOT NULL", true),
        ("ALTER TABLE visit ADD CONSTRAINT short CHECK (length(topics) < 9)", true),
        ("CREATE UNIQUE INDEX one_a_day ON visit (org, household, day)", true),
        ("ALTER TABLE visit ADD COLUMN mood TEXT NOT NULL DEFAULT ''", false),
        ("ALTER TABLE visit ADD COLUMN mood TEXT", false),
        ("CREATE TABLE mood (id UUID NOT NULL)", false),
        ("CREATE UNIQUE INDEX one ON fresh (id)", false),
        ("CREATE INDEX quick ON visit (day)", false),
    ] {
        assert_eq!(contracts(statement, &["fresh".to_owned()]).is_some(), wrong, "{statement}");
    }
}

/// Tables that a migration makes.
fn created(text: &str) -> Vec<String> {
    let words: Vec<&str> =
        text.split(|letter: char| letter.is_whitespace() || letter == '(').filter(|word| !word.is_empty()).collect();
    words.windows(3).filter(|w| w[0] == "CREATE" && w[1] == "TABLE").map(|w| w[2].to_owned()).collect()
}

/// Why the version before could not go on after this statement; `own` are the tables that the same migration makes.
fn contracts(statement: &str, own: &[String]) -> Option<&'static str> {
    let words: Vec<&str> =
        statement.split(|letter: char| letter.is_whitespace() || letter == '(').filter(|word| !word.is_empty()).collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    let after = |word: &str| words.iter().position(|one| *one == word).and_then(|at| words.get(at + 1)).copied();
    let table = if words.first() == Some(&"ALTER") { after("TABLE") } else { after("ON") };
    if table.is_some_and(|table| own.iter().any(|name| name == table)) {
        return None;
    }
    match () {
        () if has(&["DROP", "TABLE"]) || has(&["DROP", "COLUMN"]) => Some("takes something away"),
        () if words.first() == Some(&"ALTER") && words.contains(&"RENAME") => Some("gives it another name"),
        () if has(&["ADD", "COLUMN"]) && has(&["NOT", "NULL"]) && !words.contains(&"DEFAULT") => {
            Some("needs what it does not write")
        }
        () if has(&["SET", "NOT", "NULL"]) || has(&["ADD", "CONSTRAINT"]) || has(&["CREATE", "UNIQUE", "INDEX"]) => {
            Some("refuses what it may write")
        }
        () => None,
    }
}

both! {
    async fn the_version_before_goes_on_with_a_newer_database(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        // What the next version brings: a table, a column with a default, one without a need, and an index.
        let next = [
            "CREATE TABLE of_the_next_version (id UUID NOT NULL PRIMARY KEY, note TEXT)",
            "ALTER TABLE visit ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE household ADD COLUMN of_the_next_version BIGINT",
            "CREATE INDEX of_the_next_version_index ON visit (of_the_next_version)",
        ];
        let done = app.app.db.pick(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'next', TRUE, x'00', 1)",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'next', TRUE, '\\x00', 1)",
        );
        for statement in next.into_iter().chain([done]) {
            app.app.db.write(move |tx| Box::pin(tx.query(statement).run())).await.unwrap();
        }
        let before = app.twin().await;
        let mentor = mentor.by(&before.url);
        assert!(mentor.record("visit", &visit.id).await.is_some());
        let again = mentor.submit(&mentor.a_household().await).await;
        assert!(mentor.upload(&again.captures[0], &again.photos[0]).await.status.is_success());
        let register = json!({ "household": { "id": id(), "place": mentor.a_household().await["place"], "head_name": "Gone Back", "members": [], "disability": false }, "evidence": [] });
        assert_eq!(mentor.command("household.register", register).await.ok()["status"], "applied");
        // Doctor says how it is.
        let report = kilele::ops::doctor::examine(&app.app.config, &app.clock).await;
        let said = report.findings.iter().find(|finding| finding.what == "migrations").unwrap();
        assert!(said.said.contains("9999") && said.state == kilele::ops::doctor::State::Warning, "{said:?}");

        // One that takes something away says who can no longer serve.
        let needs = "INSERT INTO setting (name, value) VALUES ('needs_migration', '9999')";
        app.app.db.write(move |tx| Box::pin(tx.query(needs).run())).await.unwrap();
        let refused = App::open(app.app.config.clone(), app.clock.clone()).await.err().unwrap();
        assert!(format!("{refused:#}").contains("needs a newer version of Kilele"), "{refused:#}");
    }
}
