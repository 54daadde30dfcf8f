//! A grant of a group is signed by each of its households for itself: none signs for another, none is taken for another.

use kilele::auth::Role;
use kilele::members::NewMember;
use kilele_tests::cast::join;
use kilele_tests::granting::{Office, application, decide, part, receiving, release, statement};
use kilele_tests::grouping::{group, takes_part, villagers};
use kilele_tests::{Person, TestApp, Uuid, both, id, signing};
use serde_json::{Value, json};

/// A group of three households, with the body of its application that nobody has signed yet.
async fn applying(office: &Office) -> (Vec<Value>, Value) {
    let homes = villagers(&office.mentor, 4).await;
    for home in &homes {
        takes_part(&office.mentor, &office.supervisor, home, &office.programme).await;
    }
    let formed = group(&office.programme, &homes[..3]);
    office.mentor.command("group.form", formed.clone()).await.ok();
    let mut body = application(&office.mentor, &homes[0], &office.seed);
    body["household"] = Value::Null;
    body["group"] = formed["id"].clone();
    body["signatures"] = json!([]);
    (homes, body)
}

/// What somebody called `name` signed for a household.
fn for_household(by: &Person, (kind, subject): (&str, &Value), template: &str, home: &Value, name: &str) -> Value {
    let plain = statement(by, kind, subject.as_str().unwrap(), template, &json!(name));
    let said = format!("\"signer_role\":\"beneficiary\",\"household\":{},", home["id"]);
    signing::signed(by, plain["record"].as_str().unwrap().replace("\"signer_role\":\"beneficiary\",", &said))
}

fn sign(by: &Person, body: &Value, home: &Value, name: &str) -> Value {
    for_household(by, ("grant", &body["id"]), "grant_application", home, name)
}

async fn signed(by: &Person, grant: &Value) -> Vec<Value> {
    by.records("signature").await.into_iter().filter(|one| one["subject"] == *grant).collect()
}

both! {
    async fn every_household_signs_for_itself(app: TestApp) {
        let office = Office::open(&app).await;
        let mentor = &office.mentor;
        let (homes, mut body) = applying(&office).await;
        let refused = async |signatures: Value, code: &str| {
            let mut body = body.clone();
            body["signatures"] = signatures;
            mentor.command("grant.submit", body).await.refused(422, code);
        };
        // One who signs three times is one; who does not apply does not sign.
        let thrice = json!([sign(mentor, &body, &homes[0], "Mary"), sign(mentor, &body, &homes[0], "Mary"), sign(mentor, &body, &homes[0], "Mary")]);
        refused(thrice, "signature_missing").await;
        let stranger = json!([sign(mentor, &body, &homes[0], "Mary"), sign(mentor, &body, &homes[1], "Mary"), sign(mentor, &body, &homes[3], "Halima")]);
        refused(stranger, "signature_invalid").await;

        // Two heads of one name are two, also when the grant comes again.
        body["signatures"] = json!([sign(mentor, &body, &homes[0], "Mary"), sign(mentor, &body, &homes[1], "Mary"), sign(mentor, &body, &homes[2], "Juma")]);
        mentor.command("grant.submit", body.clone()).await.ok();
        let first = signed(mentor, &body["id"]).await;
        assert!(first.iter().all(|one| one["superseded_by"].is_null()), "{first:?}");
        for home in &homes[..3] {
            assert_eq!(first.iter().filter(|one| one["household"] == home["id"]).count(), 1);
        }
        decide(&office.supervisor, body["id"].as_str().unwrap(), "return").await.ok();
        body["revision"] = mentor.get(&format!("/api/grants/{}", body["id"].as_str().unwrap())).await.ok()["revision"].clone();
        body["signatures"] = json!([sign(mentor, &body, &homes[0], "Mary"), sign(mentor, &body, &homes[1], "Mary"), sign(mentor, &body, &homes[2], "Son of Juma")]);
        mentor.command("grant.submit", body.clone()).await.ok();
        let all = signed(mentor, &body["id"]).await;
        for home in &homes[..3] {
            let own: Vec<&Value> = all.iter().filter(|one| one["household"] == home["id"]).collect();
            let standing: Vec<&&Value> = own.iter().filter(|one| one["superseded_by"].is_null()).collect();
            assert_eq!((own.len(), standing.len()), (2, 1));
        }
        let proof = format!("/api/signatures/{}/verify", all[0]["id"].as_str().unwrap());
        assert_eq!(mentor.get(&proof).await.ok()["valid"], true);

        // Nor is money received for a household that has no part in it.
        let one = body["id"].as_str().unwrap().to_owned();
        for event in ["review", "recommend"] {
            decide(&office.supervisor, &one, event).await.ok();
        }
        decide(&office.executive, &one, "approve").await.ok();
        release(&office.manager, &one).await.ok();
        let (there, _) = part(mentor, &one, "released").await;
        let mut receipt = receiving(mentor, &homes[1], &one, &there);
        let receiver = |receipt: &Value, home: &Value| for_household(mentor, ("acknowledgement", &receipt["id"]), "grant_acknowledgement", home, "Mary");
        receipt["signature"] = receiver(&receipt, &homes[3]);
        mentor.command("grant.acknowledge", receipt.clone()).await.refused(422, "signature_invalid");
        receipt["signature"] = receiver(&receipt, &homes[1]);
        mentor.command("grant.acknowledge", receipt.clone()).await.ok();
        let kept = signed(mentor, &receipt["id"]).await;
        assert_eq!((kept.len(), &kept[0]["household"]), (1, &homes[1]["id"]));
    }

    async fn a_phone_that_does_not_say_for_which_is_still_heard(app: TestApp) {
        let office = Office::open(&app).await;
        let mentor = &office.mentor;
        let (homes, mut body) = applying(&office).await;
        let plain = |home: &Value| statement(mentor, "grant", body["id"].as_str().unwrap(), "grant_application", &home["head_name"]);
        let signatures = [plain(&homes[0]), plain(&homes[1]), sign(mentor, &body, &homes[2], "Juma")];
        body["signatures"] = json!(signatures[1..]);
        mentor.command("grant.submit", body.clone()).await.refused(422, "signature_missing");
        body["signatures"] = json!(signatures);
        mentor.command("grant.submit", body.clone()).await.ok();
        let kept = signed(mentor, &body["id"]).await;
        assert_eq!((kept.len(), kept.iter().filter(|one| one.get("household").is_some()).count()), (3, 1));
        // Where one record is of one household, none is named.
        let visit = mentor.submit(&homes[3]).await;
        assert!(signed(mentor, &json!(visit.id)).await[0].get("household").is_none());
        let mut own = application(mentor, &homes[3], &office.seed);
        own["signatures"] = json!([sign(mentor, &own, &homes[3], "Halima")]);
        mentor.command("grant.submit", own).await.ok();
        let consent = json!({
            "id": id(), "household": homes[3]["id"], "purpose": "programme", "evidence": [],
            "signature": for_household(mentor, ("household", &homes[3]["id"]), "consent", &homes[3], "Halima"),
        });
        mentor.command("consent.give", consent).await.refused(422, "signature_invalid");
    }

    async fn what_a_household_signed_is_its_own_to_see_and_to_have_erased(app: TestApp) {
        let office = Office::open(&app).await;
        let mentor = &office.mentor;
        let (homes, mut body) = applying(&office).await;
        // By the name alone the second would be taken for the first, and nobody for the third.
        let name = homes[0]["head_name"].as_str().unwrap();
        body["signatures"] = json!([sign(mentor, &body, &homes[0], name), sign(mentor, &body, &homes[1], name), sign(mentor, &body, &homes[2], "Her sister")]);
        mentor.command("grant.submit", body.clone()).await.ok();
        let kept = signed(mentor, &body["id"]).await;
        let org: Uuid = office.admin.org().parse().unwrap();
        for (at, home) in homes[..3].iter().enumerate() {
            let household = home["id"].as_str().unwrap().parse().ok();
            let new = NewMember { login: format!("own{at}"), role: Role::Beneficiary, household, ..NewMember::default() };
            let seen = join(&app, org, new).await.get("/api/home").await.ok();
            let own: Vec<&Value> = seen["signatures"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
            let theirs: Vec<&Value> = kept.iter().filter(|one| one["household"] == home["id"]).map(|one| &one["id"]).collect();
            assert_eq!(own, theirs);
        }
        let path = format!("/api/households/{}/erase", homes[2]["id"].as_str().unwrap());
        office.admin.post(&path, &json!({ "reason": "She asked for it in writing." })).await.ok();
        let left = signed(mentor, &body["id"]).await;
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|one| one["household"] != homes[2]["id"]));
        // The grant is the others' too, and their signatures hold.
        let proof = format!("/api/signatures/{}/verify", left[1]["id"].as_str().unwrap());
        assert_eq!(mentor.get(&proof).await.ok()["valid"], true);
    }
}
