//! A household's consent: signed or thumb-marked, withdrawn with a reason, its history never rewritten.

use kilele_tests::enrolling::{application, assessment, poor, programme};
use kilele_tests::{TestApp, both, command, id, pictures, signing};
use serde_json::{Value, json};

fn giving(by: &kilele_tests::Person, household: &Value) -> Value {
    json!({
        "id": id(), "household": household["id"], "purpose": "programme", "evidence": [],
        "signature": signing::consent(by, household),
    })
}

both! {
    async fn a_consent_is_signed_withdrawn_and_given_again(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let household = mentor.a_household().await;
        let home = household["id"].as_str().unwrap();
        let texts: Vec<String> = mentor.records("statement").await.iter()
            .filter(|one| one["key"] == "consent").map(|one| one["language"].as_str().unwrap().to_owned()).collect();
        assert_eq!(texts.len(), 2, "the text ships in both languages");

        let nothing = json!({ "household": home, "reason": "she said so" });
        mentor.command("consent.withdraw", nothing.clone()).await.refused(422, "no_consent");
        let given = giving(&mentor, &household);
        mentor.command("consent.give", given.clone()).await.ok();
        let record = mentor.record("household", home).await.unwrap();
        let step = &record["consents"][0];
        assert_eq!((step["event"].as_str(), step["language"].as_str(), step["version"].as_i64()), (Some("given"), Some("en"), Some(1)));
        assert_eq!(record["consent_at"], step["at"]);
        let signature = mentor.record("signature", step["signature"].as_str().unwrap()).await.unwrap();
        assert_eq!((signature["template"].as_str(), signature["subject"].as_str()), (Some("consent"), Some(home)));
        let proof = mentor.get(&format!("/api/signatures/{}/verify", signature["id"].as_str().unwrap())).await.ok();
        assert_eq!(proof["valid"], true);
        mentor.command("consent.give", given).await.refused(422, "exists");

        // Withdrawn: the supervisor hears of it, and the history stands.
        let mut wordless = nothing.clone();
        wordless["reason"] = "  ".into();
        mentor.command("consent.withdraw", wordless).await.refused(422, "invalid");
        mentor.command("consent.withdraw", nothing.clone()).await.ok();
        mentor.command("consent.withdraw", nothing).await.refused(422, "no_consent");
        let record = mentor.record("household", home).await.unwrap();
        assert_eq!((record["consent_at"].as_i64(), record["consents"][0] == *step), (None, true));
        assert_eq!((record["consents"][1]["event"].as_str(), record["consents"][1]["reason"].as_str()), (Some("withdrawn"), Some("she said so")));
        let told = supervisor.records("inbox").await;
        let told = told.iter().find(|one| one["kind"] == "consent_withdrawn").unwrap();
        assert_eq!((told["subject"].as_str(), told["params"]["note"].as_str()), (Some(home), Some("she said so")));
        let events = app.admin().await.get(&format!("/api/audit?subject={home}")).await.ok().to_string();
        assert!(events.contains("consent.give") && events.contains("consent.withdraw"), "{events}");

        // Given again, by a thumb mark.
        let photo = pictures::photo(4);
        let thumb = json!({
            "id": id(), "household": home, "purpose": "programme", "version": 1, "language": "sw",
            "evidence": [pictures::capture(&photo, "document")],
        });
        mentor.command("consent.give", thumb.clone()).await.ok();
        let record = mentor.record("household", home).await.unwrap();
        assert!(record["consent_at"].is_i64() && record["consents"].as_array().unwrap().len() == 3);
        assert_eq!(record["consents"][2]["picture"], thumb["evidence"][0]["id"]);
        assert_eq!(mentor.upload(&thumb["evidence"][0], &photo).await.status, 204);
    }

    async fn only_a_signed_text_of_this_household_is_a_consent(app: TestApp) {
        let (mentor, other) = (app.mentor().await, app.other_mentor().await);
        let household = mentor.a_household().await;
        let mut bare = giving(&mentor, &household);
        bare["signature"] = Value::Null;
        mentor.command("consent.give", bare).await.refused(422, "consent_unsigned");
        let mut of_a_visit = giving(&mentor, &household);
        of_a_visit["signature"] = signing::signature(&mentor, &id(), &json!("Somebody"));
        mentor.command("consent.give", of_a_visit).await.refused(422, "signature_invalid");
        let mut elsewhere = giving(&mentor, &household);
        elsewhere["signature"] = signing::consent(&mentor, &json!({ "id": id(), "head_name": "Else" }));
        mentor.command("consent.give", elsewhere).await.refused(422, "signature_invalid");
        let mut purpose = giving(&mentor, &household);
        purpose["purpose"] = "advertising".into();
        mentor.command("consent.give", purpose).await.refused(422, "invalid");
        other.command("consent.give", giving(&other, &household)).await.refused(422, "not_found");
        let approver = json!({ "household": household["id"], "reason": "not mine to say" });
        app.admin().await.command("consent.withdraw", approver).await.refused(422, "forbidden");
        assert!(mentor.a_household().await["consents"].is_null());
    }

    async fn a_withdrawn_consent_blocks_what_is_new_and_loses_nothing(app: TestApp) {
        let (admin, mentor) = (app.admin().await, app.mentor().await);
        let household = mentor.a_household().await;
        let graduation = programme(&admin, json!({})).await;
        mentor.command("consent.give", giving(&mentor, &household)).await.ok();
        let earlier = assessment(&household, &graduation, poor());
        mentor.command("assessment.record", earlier.clone()).await.ok();
        mentor.command("consent.withdraw", json!({ "household": household["id"], "reason": "does not want it" })).await.ok();
        let later = assessment(&household, &graduation, poor());
        mentor.command("assessment.record", later.clone()).await.ok();
        let record = mentor.record("assessment", later["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((record["qualification"].as_str(), &record["blocks"]), (Some("needs_review"), &json!(["consent"])));
        mentor.command("enrolment.apply", application(&earlier)).await.refused(422, "consent_withdrawn");
        // Nothing is gone, and with a new consent it goes on.
        assert_eq!(mentor.records("assessment").await.len(), 2);
        mentor.command("visit.submit", mentor.visit(&household).body).await.ok();
        mentor.command("consent.give", giving(&mentor, &household)).await.ok();
        mentor.command("enrolment.apply", application(&earlier)).await.ok();
    }

    async fn a_consent_from_before_does_not_lift_a_withdrawal(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let now = app.clock.now();
        let at = |kind: &str, body: Value, at: i64| { let mut one = command(kind, body); one["at"] = at.into(); one };
        let withdrawn = json!({ "household": household["id"], "reason": "does not want it" });
        let work = [
            at("consent.give", giving(&mentor, &household), now - 50_000),
            at("consent.withdraw", withdrawn, now - 10_000),
            // Signed before, on a phone that was away.
            at("consent.give", giving(&mentor, &household), now - 20_000),
        ];
        let answer = mentor.sync(&json!({}), &work).await;
        assert!(answer["results"].as_array().unwrap().iter().all(|one| one["status"] == "applied"), "{}", answer["results"]);
        let record = mentor.a_household().await;
        assert_eq!((record["consent_at"].as_i64(), record["consents"].as_array().unwrap().len()), (None, 3));
    }
}
