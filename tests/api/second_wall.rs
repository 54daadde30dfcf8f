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
