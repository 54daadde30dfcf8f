//! Duplicates of the whole register: found after registrations and changes, seen within one's places, decided by a person.

use kilele_tests::{Person, TestApp, both, id, until};
use serde_json::{Value, json};

async fn register(by: &Person, place: &Value, over: Value) -> String {
    let mut household = json!({ "id": id(), "place": place, "head_name": "Zawadi Chebet", "head_birth_date": "1987-04-21" });
    for (field, value) in over.as_object().unwrap() {
        household[field] = value.clone();
    }
    by.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
    household["id"].as_str().unwrap().to_owned()
}

/// Has the register looked through, and waits for the pair. Answers it as this person sees it.
async fn pair(by: &Person, one: &str, other: &str) -> Value {
    by.post("/api/duplicates/look", &json!({})).await.ok();
    until("the pair", async || {
        let found = by.get(&format!("/api/duplicates?household={one}")).await.ok();
        let there = |pair: &&Value| [&pair["one"]["id"], &pair["other"]["id"]].contains(&&json!(other));
        found["items"].as_array().unwrap().iter().find(there).cloned()
    })
    .await
}

fn path(pair: &Value) -> String {
    format!("/api/duplicates/{}/{}", pair["one"]["id"].as_str().unwrap(), pair["other"]["id"].as_str().unwrap())
}

both! {
    async fn whoever_is_registered_twice_is_pointed_out(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let one = register(&mentor, &village, json!({})).await;
        let same = register(&mentor, &village, json!({ "head_name": "CHEBET Zawadi" })).await;
        let far = register(&mentor, &village, json!({ "head_name": "Peter Otieno", "head_birth_date": "1950-02-03", "national_id": "31415926" })).await;
        let by_id = register(&mentor, &village, json!({ "head_name": "Mary Wanjiru", "head_birth_date": null, "national_id": "31415926" })).await;
        let found = pair(&supervisor, &one, &same).await;
        assert_eq!((found["score"].as_i64(), found["level"].as_str()), (Some(100), Some("flag")));
        assert_eq!((found["name_score"].as_i64(), found["sound_score"].as_i64(), found["birth_score"].as_i64(), found["place_score"].as_i64()), (Some(40), Some(30), Some(20), Some(10)));
        let ids = pair(&supervisor, &far, &by_id).await;
        assert_eq!((ids["same_id"].as_bool(), ids["level"].as_str()), (Some(true), Some("flag")));
        // By confidence, in pages.
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = supervisor.get(&format!("/api/duplicates?limit=1{after}")).await.ok();
            all.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert!(all.len() >= 2 && all.iter().any(|one| path(one) == path(&found)), "{}", all.len());
        let first = supervisor.get("/api/duplicates").await.ok()["items"].as_array().unwrap().clone();
        assert_eq!(first, all);
        supervisor.get("/api/duplicates?after=nonsense").await.refused(400, "invalid_cursor");
        // Whoever corrects the name has them taken apart again.
        let change = json!({ "id": same, "changes": { "head_name": { "was": "CHEBET Zawadi", "now": "Halima Barasa" }, "head_birth_date": { "was": "1987-04-21", "now": "1944-01-02" } } });
        mentor.command("household.update", change).await.ok();
        supervisor.post("/api/duplicates/look", &json!({})).await.ok();
        until("the pair to go", async || {
            let left = supervisor.get(&format!("/api/duplicates?household={one}")).await.ok();
            (!left.to_string().contains(&same)).then_some(())
        })
        .await;
    }

    async fn a_pair_is_seen_by_those_who_see_both(app: TestApp) {
        let (mentor, other, supervisor) = (app.mentor().await, app.other_mentor().await, app.supervisor().await);
        let (here, there) = (mentor.a_household().await["place"].clone(), other.a_household().await["place"].clone());
        let one = register(&mentor, &here, json!({})).await;
        let two = register(&other, &there, json!({})).await;
        let found = pair(&supervisor, &one, &two).await;
        for person in [&mentor, &other] {
            assert!(!person.get("/api/duplicates").await.ok().to_string().contains("Zawadi"));
            person.put(&path(&found), &json!({ "distinct": true })).await.refused(403, "forbidden");
        }
        kilele_tests::cast::neighbours(&app).await;
        let strangers = app.sign_in("b.supervisor").await;
        strangers.put(&path(&found), &json!({ "distinct": true })).await.refused(404, "not_found");
        assert!(strangers.get("/api/duplicates").await.ok()["items"].as_array().unwrap().is_empty());
    }

    async fn two_who_are_two_are_not_asked_for_again(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let one = register(&mentor, &village, json!({})).await;
        let two = register(&mentor, &village, json!({})).await;
        let found = pair(&supervisor, &one, &two).await;
        assert_eq!(supervisor.put(&path(&found), &json!({ "distinct": true })).await.status, 200);
        supervisor.post("/api/duplicates/look", &json!({})).await.ok();
        until("the look to end", async || {
            let (left,): (i64,) = app.app.db.query("SELECT count(*) FROM duplicate_look").one().await.unwrap();
            (left == 0).then_some(())
        })
        .await;
        assert!(!supervisor.get(&format!("/api/duplicates?household={one}")).await.ok().to_string().contains(&two));
        let distinct = supervisor.get("/api/duplicates?state=distinct").await.ok();
        assert_eq!(distinct["items"][0]["decided_by"].as_str(), Some(&*supervisor.member()));
        // Taken back.
        assert_eq!(supervisor.put(&path(&found), &json!({ "distinct": false })).await.status, 200);
        assert!(supervisor.get(&format!("/api/duplicates?household={one}")).await.ok().to_string().contains(&two));
        let events = app.admin().await.get(&format!("/api/audit?subject={one}")).await.ok().to_string();
        assert!(events.contains("duplicate.distinct") && events.contains("duplicate.reopen"), "{events}");
    }
}
