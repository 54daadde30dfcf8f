//! A SQLite installation becomes one on PostgreSQL, and nobody's phone notices.

use std::collections::BTreeMap;

use kilele::config::Config;
use kilele::ops::backup::moving::{self, Moved};
use kilele::ops::progress::Progress;
use kilele_tests::{Answer, Engine, TestApp, pictures};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

async fn move_up(app: &TestApp, to: &Config) -> anyhow::Result<Moved> {
    moving::move_up(&app.app.config, to, &app.clock, &Progress::silent()).await
}

async fn compare(app: &TestApp, to: &Config) -> Moved {
    moving::compare(&app.app.config, to, &app.clock, &Progress::silent()).await.unwrap()
}

/// What a phone has seen of each feed, and every record with how often it came.
#[derive(Default)]
struct Phone {
    cursors: Value,
    came: BTreeMap<String, u32>,
}

impl Phone {
    async fn pull(&mut self, answer: Value, person: &kilele_tests::Person) {
        let mut answer = answer;
        loop {
            assert_eq!(answer["reset"], json!([]), "no feed begins anew");
            for (feed, news) in answer["feeds"].as_object().unwrap() {
                self.cursors[feed] = news["revision"].clone();
                for entry in news["entries"].as_array().unwrap() {
                    *self.came.entry(entry["id"].to_string()).or_default() += 1;
                }
            }
            if answer["more"] == false {
                return;
            }
            answer = person.sync(&self.cursors, &[]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_go_on_where_they_were() {
    let mut app = TestApp::spawn(Engine::Sqlite).await;
    let (mentor, other) = (app.mentor().await, app.other_mentor().await);
    let visit = mentor.submit(&mentor.a_household().await).await;
    for (capture, photo) in visit.captures.iter().zip(&visit.photos) {
        assert!(mentor.upload(capture, photo).await.status.is_success());
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }
    let mut phone = Phone { cursors: json!({}), ..Phone::default() };
    phone.pull(mentor.sync(&json!({}), &[]).await, &mentor).await;
    assert!(phone.came.len() > 20);
    // What this phone has not fetched yet, an upload that stopped half-way, and a command whose answer was lost.
    let grace = app.supervisor().await;
    let unseen = kilele_tests::id();
    let register = json!({ "household": { "id": unseen, "place": mentor.a_household().await["place"], "head_name": "Not Seen Yet", "members": [], "disability": false }, "evidence": [] });
    assert_eq!(grace.command("household.register", register).await.ok()["status"], "applied");
    let photo = pictures::padded(7, 300_000);
    let capture = mentor.announce(&photo).await;
    let location = mentor.create_upload(&capture).await.header("location").to_owned();
    assert_eq!(mentor.patch(&location, 0, photo[..120_000].to_vec()).await.status, 204);
    let path = location.find("/api/").map_or(location.clone(), |at| location[at..].to_owned());
    let household = json!({ "household": { "id": kilele_tests::id(), "place": mentor.a_household().await["place"], "head_name": "Lost Answer", "members": [], "disability": false }, "evidence": [] });
    let command = kilele_tests::command("household.register", household);
    assert_eq!(mentor.sync(&json!({}), std::slice::from_ref(&command)).await["results"][0]["status"], "applied");
    app.stop().await;

    let machine = app.elsewhere(Engine::Postgres).await;
    let to = moving::settings(&app.app.config, &machine.config.database_url, Some(&machine.config.media_url)).unwrap();
    let moved = move_up(&app, &to).await.unwrap();
    assert_eq!((moved.faults.len(), moved.lost.len(), moved.objects), (0, 0, 9), "two pictures in four sizes, and a piece");
    assert!(moved.rows > 200 && moved.tables > 40 && moved.feeds > 5, "{moved:?}");
    let again = compare(&app, &to).await;
    assert_eq!((again.faults.as_slice(), again.rows, again.objects), (&[][..], moved.rows, 8));

    let new = machine.serve(&app.clock).await;
    // The same session: nobody signs in again.
    let (mentor, other) = (mentor.by(&new.url), other.by(&new.url));
    let before = phone.came.clone();
    let answer = mentor.sync(&phone.cursors, std::slice::from_ref(&command)).await;
    assert_eq!(answer["results"][0]["status"], "duplicate", "it took effect before the move");
    phone.pull(answer, &mentor).await;
    let news: Vec<&String> = phone.came.keys().filter(|id| !before.contains_key(*id)).collect();
    assert!(news.iter().any(|id| id.contains(&unseen)), "what it had not seen comes");
    let twice = |id: &String| phone.came[id] > before[id];
    let resent: Vec<&String> = before.keys().filter(|id| twice(id)).collect();
    // What changed since comes again: the households of the new visits, and nothing else.
    assert!(resent.len() <= 3, "{resent:?}");
    // A second time nothing comes.
    let quiet = mentor.sync(&phone.cursors, &[]).await;
    assert!(quiet["feeds"].as_object().unwrap().values().all(|news| news["entries"] == json!([])), "{quiet}");

    // The upload goes on from where it stopped.
    let head = mentor.head(&path).await;
    assert_eq!(head.header("upload-offset"), "120000", "{} {}", head.status, head.body);
    assert_eq!(mentor.patch(&path, 120_000, photo[120_000..].to_vec()).await.status, 204);
    assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    let id = visit.captures[0]["id"].as_str().unwrap();
    let image = Answer::of(mentor.request(reqwest::Method::GET, &format!("/api/media/{id}/full"))).await;
    assert_eq!(image.status, 200);

    // New work is numbered and chained on from there.
    let fresh = other.submit(&other.a_household().await).await;
    assert!(mentor.record("visit", &fresh.id).await.is_some() || other.record("visit", &fresh.id).await.is_some());
    let report = kilele::audit::organisation(&new.app, mentor.org().parse().unwrap(), "demo").await.unwrap();
    assert_eq!(report.broken, Vec::<String>::new());
    let mut connection = PgConnection::connect(&to.database_url).await.unwrap();
    // No column counts by itself: nothing could have been left at its beginning.
    let counters: (i64,) = sqlx::query_as("SELECT count(*) FROM pg_sequences WHERE schemaname = current_schema()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(counters.0, 0);
    // And now that people work there, the two are not the same.
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_changed_row_or_picture_is_caught() {
    let mut app = TestApp::spawn(Engine::Sqlite).await;
    let mentor = app.mentor().await;
    let visit = mentor.submit(&mentor.a_household().await).await;
    assert!(mentor.upload(&visit.captures[0], &visit.photos[0]).await.status.is_success());
    mentor.settled(visit.captures[0]["id"].as_str().unwrap()).await;
    app.stop().await;
    let machine = app.elsewhere(Engine::Postgres).await;
    let to = moving::settings(&app.app.config, &machine.config.database_url, Some(&machine.config.media_url)).unwrap();
    let moved = move_up(&app, &to).await.unwrap();
    let mut connection = PgConnection::connect(&to.database_url).await.unwrap();
    // Each table that has rows: one of them is damaged by a hair.
    let tables: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT DISTINCT ON (table_name) table_name::text, column_name::text, udt_name::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND udt_name IN ('int8', 'bool') AND table_name NOT LIKE '%sqlx%'
         ORDER BY table_name, ordinal_position DESC",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let mut tried = 0;
    for (table, column, kind) in tables {
        let mut connection = PgConnection::connect(&to.database_url).await.unwrap();
        let other = if kind == "bool" { format!("NOT \"{column}\"") } else { format!("\"{column}\" + 1") };
        connection.execute("SET session_replication_role = replica").await.unwrap();
        let one = format!("(SELECT ctid FROM \"{table}\" WHERE \"{column}\" IS NOT NULL LIMIT 1)");
        let before = sqlx::query(AssertSqlSafe(format!("SELECT \"{column}\"::text FROM \"{table}\" WHERE ctid = {one}")))
            .fetch_optional(&mut connection)
            .await
            .unwrap();
        let Some(before) = before else { continue };
        let (was, id): (String, String) = (before.get(0), format!("flipped {tried}"));
        let flip = format!("UPDATE \"{table}\" SET \"{column}\" = {other} WHERE ctid = {one} RETURNING ctid::text");
        let Ok(at) = sqlx::query(AssertSqlSafe(flip)).fetch_one(&mut connection).await else { continue };
        let at: String = at.get(0);
        connection.close().await.unwrap();
        let said = compare(&app, &to).await;
        assert!(
            said.faults.len() == 1 && said.faults[0].starts_with(&format!("{table}: 1 rows")),
            "{id}: {table} {:?}",
            said.faults
        );
        let mut connection = PgConnection::connect(&to.database_url).await.unwrap();
        connection.execute("SET session_replication_role = replica").await.unwrap();
        let back = format!("UPDATE \"{table}\" SET \"{column}\" = '{was}' WHERE ctid = '{at}'");
        connection.execute(AssertSqlSafe(back)).await.unwrap();
        connection.close().await.unwrap();
        tried += 1;
        if tried == 12 {
            break;
        }
    }
    assert!(tried >= 10, "{tried} tables");
    assert_eq!(compare(&app, &to).await.faults, Vec::<String>::new());
    // A picture that is otherwise by one bit.
    let media = to.media_url.strip_prefix("file://").unwrap();
    let sha256 = visit.captures[0]["sha256"].as_str().unwrap();
    let file = format!("{media}/{}/{}/{sha256}/full", mentor.org(), &sha256[..2]);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let said = compare(&app, &to).await;
    assert!(said.faults.len() == 1 && said.faults[0].contains(sha256), "{:?}", said.faults);
    // Moved once more, over what is there: a copy of it is kept.
    let again = move_up(&app, &to).await.unwrap();
    assert_eq!((again.rows, again.faults.len()), (moved.rows, 0));
    assert!(again.replaced.is_some_and(|at| std::path::Path::new(&at).exists()));
    assert_eq!(compare(&app, &to).await.faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_in_use_is_not_moved() {
    let mut app = TestApp::spawn(Engine::Sqlite).await;
    app.stop().await;
    let machine = app.elsewhere(Engine::Postgres).await;
    let to = moving::settings(&app.app.config, &machine.config.database_url, None).unwrap();
    let somebody = PgConnection::connect(&to.database_url).await.unwrap();
    let refused = format!("{:#}", move_up(&app, &to).await.unwrap_err());
    assert!(refused.contains("stop every server"), "{refused}");
    somebody.close().await.unwrap();
    for wrong in ["sqlite:///elsewhere.db", "mysql://somewhere/kilele", "kilele"] {
        assert!(moving::settings(&app.app.config, wrong, None).is_err(), "{wrong}");
    }
    // It holds nothing yet, and is still empty after it was refused.
    assert!(moving::occupied(&to).await.unwrap().is_none());
    let moved = move_up(&app, &to).await.unwrap();
    assert_eq!((moved.objects, moved.replaced), (0, None));
    // What is on PostgreSQL has moved up already.
    assert!(moving::settings(&to, &to.database_url, None).is_err());
}
