//! What a household's own account sees and says of its grants, its signatures and its consent; and that it is only its own.

use kilele::auth::Role;
use kilele::members::NewMember;
use kilele_tests::cast::join;
use kilele_tests::granting::{Office, part, receive};
use kilele_tests::{Person, TestApp, Uuid, both, id, signing};
use serde_json::{Value, json};

async fn beneficiary(app: &TestApp, login: &str, household: &Value) -> Person {
    let org: Uuid = app.admin().await.org().parse().unwrap();
    let household = household["id"].as_str().unwrap().parse().ok();
    join(app, org, NewMember { login: login.into(), role: Role::Beneficiary, household, ..NewMember::default() }).await
}

async fn home(of: &Person) -> Value {
    of.get("/api/home").await.ok()
}

both! {
    async fn a_household_follows_its_grant_and_says_when_it_is_not_right(app: TestApp) {
        let office = Office::open(&app).await;
        let (household, neighbour) = (office.household(0).await, office.household(1).await);
        let (mary, halima) = (beneficiary(&app, "mary", &household).await, beneficiary(&app, "halima", &neighbour).await);
        assert_eq!(home(&mary).await["grants"], json!([]));
        let grant = office.released(&household).await;
        let seen = home(&mary).await["grants"][0].clone();
        assert_eq!((seen["id"].as_str(), seen["state"].as_str(), seen["name"]["sw"].as_str()), (Some(&*grant), Some("disbursing"), Some("Ruzuku ya kuanzia")));
        assert_eq!((seen["parts"][0]["state"].as_str(), seen["parts"][0].get("receipt")), (Some("released"), None));
        assert!(!seen.to_string().contains("as the test says"), "what colleagues write to each other is not shown");
        receive(&office.mentor, &household, &grant).await.ok();
        let seen = home(&mary).await;
        let tranche = seen["grants"][0]["parts"][0].clone();
        assert_eq!(tranche["state"], "acknowledged");
        assert!(tranche["receipt"].is_string() && seen["grants"][0]["use_due"].is_string());

        // The application and the receipt, each with its proof; nobody else's.
        let signed: Vec<String> = seen["signatures"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(signed.len(), 2);
        for one in &signed {
            let proof = format!("/api/home/signatures/{one}/verify");
            assert_eq!(mary.get(&proof).await.ok()["valid"], true);
            halima.get(&proof).await.refused(404, "not_found");
            office.mentor.get(&proof).await.refused(403, "forbidden");
        }
        assert_eq!((&home(&halima).await["grants"], &home(&halima).await["signatures"]), (&json!([]), &json!([])));

        let not_right = |reason: &str| json!({ "tranche": tranche["id"], "reason": reason });
        mary.post("/api/home/disputes", &not_right(" ")).await.refused(422, "invalid");
        halima.post("/api/home/disputes", &not_right("It is mine.")).await.refused(404, "not_found");
        office.mentor.post("/api/home/disputes", &not_right("It is mine.")).await.refused(403, "forbidden");
        mary.post("/api/home/disputes", &json!({ "tranche": id(), "reason": "What is this?" })).await.refused(404, "not_found");
        mary.post("/api/home/disputes", &not_right("Only half of it came.")).await.ok();
        assert_eq!(home(&mary).await["grants"][0]["parts"][0]["state"], "disputed");
        let (disputed, _) = part(&office.supervisor, &grant, "disputed").await;
        assert_eq!(disputed["note"], "Only half of it came.");
        mary.post("/api/home/disputes", &not_right("Again.")).await.refused(422, "wrong_state");
    }

    async fn a_household_withdraws_its_consent_itself(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let household = mentor.a_household().await;
        let mary = beneficiary(&app, "mary", &household).await;
        let why = json!({ "reason": "We are moving away." });
        mary.post("/api/home/consent/withdraw", &why).await.refused(422, "no_consent");
        let given = json!({
            "id": id(), "household": household["id"], "purpose": "programme", "evidence": [], "signature": signing::consent(&mentor, &household),
        });
        mentor.command("consent.give", given).await.ok();
        let seen = home(&mary).await;
        assert!(seen["household"]["consent_at"].is_i64() && seen["signatures"].as_array().unwrap().len() == 1);
        mary.post("/api/home/consent/withdraw", &json!({ "reason": "" })).await.refused(422, "invalid");
        mentor.post("/api/home/consent/withdraw", &why).await.refused(403, "forbidden");
        mary.post("/api/home/consent/withdraw", &why).await.ok();
        mary.post("/api/home/consent/withdraw", &why).await.refused(422, "no_consent");
        assert!(home(&mary).await["household"].get("consent_at").is_none_or(Value::is_null));
        let record = mentor.record("household", household["id"].as_str().unwrap()).await.unwrap();
        let step = &record["consents"][1];
        assert_eq!((step["event"].as_str(), step["by"].as_str(), step["reason"].as_str()), (Some("withdrawn"), Some(&*mary.member()), Some("We are moving away.")));
        // Whoever looks after the village hears of it.
        let told = supervisor.records("inbox").await;
        assert!(told.iter().any(|one| one["kind"] == "consent_withdrawn" && one["params"]["note"] == "We are moving away."));
    }
}
