//! Every change leaves an event, and a removed or changed one shows.

use kilele::audit;
use kilele_tests::{TestApp, Uuid, both};

both! {
    async fn every_chain_verifies_and_tampering_shows(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        for _ in 0..4 {
            mentor.submit(&household).await;
        }
        let db = &app.app.db;
        let feeds: Vec<(Uuid, Uuid, i64)> = db.query("SELECT org, id, audit_sequence FROM feed").all().await.unwrap();
        for (org, feed, length) in &feeds {
            assert_eq!(audit::verify(db, *org, *feed).await.unwrap(), Ok(*length));
        }
        let place: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        let (org, _, length) = feeds.into_iter().find(|(_, feed, _)| *feed == place).unwrap();
        assert!(length >= 8, "four visits, each with a signature");
        let change = async |sql: &'static str| {
            db.write(move |tx| Box::pin(tx.query(sql).bind(place).run())).await.unwrap();
            audit::verify(db, org, place).await.unwrap()
        };
        let path = format!("/api/households/{}", household["id"].as_str().unwrap());
        mentor.get(&path).await.ok();
        let (read,): (i64,) = db.query("SELECT count(*) FROM audit WHERE action = 'household.read'").one().await.unwrap();
        assert_eq!(read, 1, "who opens a file is noted");
        assert_eq!(change("UPDATE audit SET action = 'visit.approve' WHERE feed = $1 AND sequence = 3").await, Err(3));
        assert_eq!(change("DELETE FROM audit WHERE feed = $1 AND sequence = 3").await, Err(3));
        assert_eq!(change("DELETE FROM audit WHERE feed = $1 AND sequence > 2").await, Err(3), "a cut tail shows too");
    }
}
