//! PostgreSQL holds every request to its organisation, also when a query forgets to ask for it.

use kilele::db::wall;
use kilele_tests::{Engine, TestApp, Uuid};

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    let (count,): (i64,) = app.app.db.query(sql).one().await.unwrap();
    count
}

async fn change(app: &TestApp, sql: &'static str, id: Uuid) -> Result<u64, kilele::error::Error> {
    app.app.db.write(move |tx| Box::pin(tx.query(sql).bind(id).run())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_forgets_the_organisation_sees_no_other() {
    let app = TestApp::spawn(Engine::Postgres).await;
    kilele_tests::cast::neighbours(&app).await;
    let (ours, theirs) = (app.mentor().await, app.sign_in("b.mentor").await);
    let (a, b): (Uuid, Uuid) = (ours.org().parse().unwrap(), theirs.org().parse().unwrap());
    let household: Uuid = ours.a_household().await["id"].as_str().unwrap().parse().unwrap();

    // Each of these has no condition at all: the first wall is bypassed.
    const ALL: &str = "SELECT count(*) FROM household";
    assert_eq!(count(&app, ALL).await, 24, "the server itself sees all");
    assert_eq!(wall::within(a, count(&app, ALL)).await, 24);
    assert_eq!(wall::within(b, count(&app, ALL)).await, 0);
    assert_eq!(wall::within(a, count(&app, "SELECT count(DISTINCT org) FROM member")).await, 1);
    assert_eq!(wall::beyond(count(&app, "SELECT count(DISTINCT org) FROM member")).await, 2);
    assert_eq!(wall::within(Uuid::nil(), count(&app, ALL)).await, 0, "no organisation, no rows");
    // Back and forth on the same few connections.
    for n in 0..100 {
        let (org, expected) = if n % 2 == 0 { (a, 24) } else { (b, 0) };
        assert_eq!(wall::within(org, count(&app, ALL)).await, expected);
    }
    // Writing: another's row is not there, and none can be made for another.
    const TOUCH: &str = "UPDATE household SET card = card WHERE id = $1";
    assert_eq!(wall::within(b, change(&app, TOUCH, household)).await.unwrap(), 0);
    assert_eq!(wall::within(b, change(&app, "DELETE FROM household WHERE id = $1", household)).await.unwrap(), 0);
    assert_eq!(wall::within(a, change(&app, TOUCH, household)).await.unwrap(), 1);
    let smuggle = "INSERT INTO number_block (org, name, next) VALUES ($1, 'X', 1)";
    assert!(wall::within(b, change(&app, smuggle, a)).await.is_err());
    assert_eq!(wall::within(b, change(&app, smuggle, b)).await.unwrap(), 1);
    let move_away = "UPDATE number_block SET org = $1 WHERE name = 'X'";
    assert!(wall::within(b, change(&app, move_away, a)).await.is_err());

    // No table that has an organisation stands outside.
    let open = "SELECT count(*) FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name
        WHERE c.table_schema = current_schema() AND c.column_name = 'org' AND t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
        AND NOT (t.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid))";
    assert_eq!(count(&app, open).await, 0);
    assert!(count(&app, "SELECT count(*) FROM pg_policy").await > 20);

    // Requests really stand behind it: when the policy lets nobody through, a caller finds nothing, by REST and by sync.
    assert!(!ours.get("/api/households").await.ok()["items"].as_array().unwrap().is_empty());
    let close = "ALTER POLICY wall ON household USING (org = NULL)";
    app.app.db.write(move |tx| Box::pin(tx.query(close).run())).await.unwrap();
    assert!(ours.get("/api/households").await.ok()["items"].as_array().unwrap().is_empty());
    let update = serde_json::json!({ "id": household, "changes": {} });
    ours.command("household.update", update).await.refused(422, "not_found");
    let close = "ALTER POLICY wall ON feed_entry USING (org = NULL)";
    app.app.db.write(move |tx| Box::pin(tx.query(close).run())).await.unwrap();
    assert!(ours.records("household").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_from_before_the_database_restarted_are_let_go() {
    let mut cluster = tokio::task::spawn_blocking(kilele_tests::cluster::Cluster::start).await.unwrap();
    let url = cluster.url();
    let app = TestApp::spawn_empty(Engine::Sqlite, |name| (name == "KILELE_DATABASE_URL").then(|| url.clone())).await;
    let size = kilele::demo::Size { households: 24, visits_a_day: 0, pictures: false, programme: false };
    kilele::demo::make_sized(&app.app, size).await.unwrap();
    kilele_tests::cast::neighbours(&app).await;
    let (ours, theirs) = (app.mentor().await, app.sign_in("b.mentor").await);
    let household = ours.a_household().await;
    // Many at once, of two organisations: connections are parked at both, and the pool has idle ones too.
    let busy = async || {
        let reads = (0..24).map(|n| if n % 2 == 0 { ours.get("/api/households") } else { theirs.get("/api/households") });
        futures_util::future::join_all(reads).await
    };
    for _ in 0..3 {
        busy().await.into_iter().for_each(|answer| assert_eq!(answer.status, 200));
    }
    for round in ["first", "second"] {
        let again = tokio::task::spawn_blocking(move || {
            cluster.down();
            cluster.up();
            cluster
        });
        cluster = again.await.unwrap();
        // Nobody notices, neither who reads nor who writes first, and each still sees their own only.
        let note = serde_json::json!({ "notes": { "was": household["notes"], "now": household["notes"] } });
        let update = serde_json::json!({ "id": household["id"], "changes": note });
        let (answers, written) = tokio::join!(busy(), ours.command("household.update", update));
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.status, 200, "{round} {n}: {}", answer.body);
            assert_eq!(answer.body["items"].as_array().unwrap().is_empty(), n % 2 == 1, "{round} {n}");
        }
        assert_eq!(written.status, 200, "{round}: {}", written.body);
    }
    // While it is down a caller is told to come again.
    cluster.down();
    let answer = ours.get("/api/households").await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (503, &serde_json::json!("unavailable")));
    let up = tokio::task::spawn_blocking(move || {
        cluster.up();
        cluster
    });
    let _cluster = up.await.unwrap();
    assert_eq!(ours.get("/api/households").await.status, 200);
}
