//! Every change leaves an event; a removed or changed one shows, also when its chain was made anew; administrators read it.

use kilele::{audit, cli};
use kilele_tests::{TestApp, Uuid, both, id};
use serde_json::{Value, json};

async fn verified(app: &TestApp) -> usize {
    cli::verify_audit(&app.app, None, false).await.unwrap().1
}

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
            assert_eq!(audit::verify(&app.app, *org, *feed).await.unwrap(), Ok(*length));
        }
        let place: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        let (org, _, length) = feeds.into_iter().find(|(_, feed, _)| *feed == place).unwrap();
        assert!(length >= 8, "four visits, each with a signature");
        let change = async |sql: &'static str| {
            db.write(move |tx| Box::pin(tx.query(sql).bind(place).run())).await.unwrap();
            audit::verify(&app.app, org, place).await.unwrap()
        };
        let path = format!("/api/households/{}", household["id"].as_str().unwrap());
        mentor.get(&path).await.ok();
        let (read,): (i64,) = db.query("SELECT count(*) FROM audit WHERE action = 'household.read'").one().await.unwrap();
        assert_eq!(read, 1, "who opens a file is noted");
        assert_eq!(verified(&app).await, 0);
        assert_eq!(change("UPDATE audit SET action = 'visit.approve' WHERE feed = $1 AND sequence = 3").await, Err(3));
        assert_eq!(verified(&app).await, 1);
        assert_eq!(change("DELETE FROM audit WHERE feed = $1 AND sequence = 3").await, Err(3));
        assert_eq!(change("DELETE FROM audit WHERE feed = $1 AND sequence > 2").await, Err(3), "a cut tail shows too");
    }

    async fn a_chain_that_was_made_anew_shows_in_the_organisation_s(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        mentor.submit(&household).await;
        // The server seals by itself too; after this, all is sealed whoever did it.
        let unsealed = async || -> i64 {
            audit::seal::all(&app.app).await.unwrap();
            let sql = "SELECT count(*) FROM feed WHERE audit_sequence > audit_sealed";
            app.app.db.query(sql).one::<(i64,)>().await.unwrap().0
        };
        assert_eq!(unsealed().await, 0);
        mentor.submit(&household).await;
        assert_eq!(unsealed().await, 0);
        assert_eq!(verified(&app).await, 0);
        // Cut down to an earlier state, with the head that belonged to it: the feed's chain alone fits.
        let place: Uuid = household["place"].as_str().unwrap().parse().unwrap();
        let cut = async |sql: &'static str| app.app.db.write(move |tx| Box::pin(tx.query(sql).bind(place).run())).await.unwrap();
        cut("DELETE FROM audit WHERE feed = $1 AND sequence > 2").await;
        cut("UPDATE feed SET audit_sequence = 2, audit_head = (SELECT hash FROM audit WHERE feed = $1 AND sequence = 2)
             WHERE id = $1").await;
        let org: Uuid = mentor.org().parse().unwrap();
        assert!(audit::verify(&app.app, org, place).await.unwrap().is_ok());
        let (said, broken) = cli::verify_audit(&app.app, Some("MAENDELEO"), false).await.unwrap();
        assert!(broken == 1 && said.contains(&place.to_string()), "{said}");
        // Nor can the seals be thrown away, changed, or signed by somebody else.
        let spoil = async |sql: &'static str| app.app.db.write(move |tx| Box::pin(tx.query(sql).run())).await.unwrap();
        spoil("UPDATE audit_seal SET heads = '[]' WHERE sequence = 2").await;
        assert!(cli::verify_audit(&app.app, None, false).await.unwrap().0.contains("breaks at seal 2"));
        spoil("DELETE FROM audit_seal WHERE sequence = 1").await;
        assert!(cli::verify_audit(&app.app, None, false).await.unwrap().0.contains("breaks at seal 1"));
        assert!(cli::verify_audit(&app.app, Some("NOBODY"), false).await.is_err());
    }

    async fn administrators_read_find_and_take_out_what_happened(app: TestApp) {
        let (mentor, admin) = (app.mentor().await, app.admin().await);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        let update = json!({ "id": household["id"], "changes": {
            "national_id": { "was": household["national_id"], "now": "87654321" },
            "notes": { "was": household["notes"], "now": "=1+1" } } });
        mentor.command("household.update", update).await.ok();
        let list = async |query: &str| admin.get(&format!("/api/audit?{query}")).await.ok();
        let found = list(&format!("subject={}", visit.id)).await;
        let event = &found["items"][0];
        assert_eq!((&event["action"], &event["member"]), (&json!("visit.submit"), &json!(mentor.member())));
        assert!(event["subject_name"].as_str().unwrap().starts_with("VIS-"), "{event}");
        assert_eq!((&event["member_name"], &event["device_name"]), (&mentor.session["member"]["name"], &json!("test phone")));
        // Filters: a whole action, all of a kind, a person, a time; and what is sealed stays so.
        let updates = list("action=household.update").await;
        assert!(updates["items"].as_array().unwrap().iter().all(|e| e["action"] == "household.update"));
        let changes = updates["items"][0]["changes"].as_array().unwrap();
        let changed = |field: &str| changes.iter().find(|c| c["field"] == field).unwrap();
        assert_eq!((&changed("national_id")["after"], &changed("notes")["after"]), (&json!("•••"), &json!("=1+1")));
        for (query, fits) in [
            ("action=household&limit=200".to_owned(), &(|e: &Value| e["subject_kind"] == "household") as &dyn Fn(&Value) -> bool),
            (format!("member={}", mentor.member()), &|e| e["member"] == mentor.member().as_str()),
            (format!("until={}", event["at"]), &|e| e["at"].as_i64() < event["at"].as_i64()),
            (format!("from={}", event["at"]), &|e| e["at"].as_i64() >= event["at"].as_i64()),
        ] {
            let items = list(&query).await["items"].as_array().unwrap().clone();
            assert!(!items.is_empty() && items.iter().all(fits), "{query}");
        }
        // Page by page: the same, once each, latest first.
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = list(&format!("limit=7{after}")).await;
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let (all,): (i64,) = app.app.db.query("SELECT count(*) FROM audit").one().await.unwrap();
        assert_eq!(seen.len() as i64, all);
        assert!(seen.is_sorted_by(|a, b| a["at"].as_i64() >= b["at"].as_i64()));
        let mut places: Vec<String> = seen.iter().map(|e| format!("{} {}", e["feed"], e["sequence"])).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len() as i64, all);
        // As a table; a formula that somebody typed is none.
        let csv = admin.get("/api/audit.csv?action=household").await;
        assert_eq!((csv.status.as_u16(), csv.header("content-type")), (200, "text/csv"));
        assert!(csv.header("content-disposition").starts_with("attachment"));
        let text = String::from_utf8(csv.bytes.to_vec()).unwrap();
        assert!(text.starts_with("time,who,") && text.contains(",'=1+1,") && !text.contains("87654321"), "{text}");
        assert_eq!(list("action=audit.export").await["items"].as_array().unwrap().len(), 1, "that it was taken out is noted");
        // Nobody else reads it, and no nonsense is taken.
        for other in [&mentor, &app.supervisor().await] {
            other.get("/api/audit").await.refused(403, "forbidden");
            other.get("/api/audit.csv").await.refused(403, "forbidden");
        }
        admin.get("/api/audit?after=1.2").await.refused(400, "invalid_cursor");
        assert_eq!(list(&format!("subject={}", id())).await["items"], json!([]));
        assert_eq!(verified(&app).await, 0);
    }
}
