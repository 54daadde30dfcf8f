//! A grant on paper: who gets the file and the receipt, what stands in them, and that reading them is remembered.

use std::process::Command;

use kilele::auth::Role;
use kilele::members::NewMember;
use kilele_tests::cast::join;
use kilele_tests::granting::{Office, part, receive, receiving, report};
use kilele_tests::{Person, TestApp, Uuid, both, id, pictures};
use serde_json::Value;

/// The words of a PDF that was answered as one.
async fn words(by: &Person, path: &str) -> String {
    let answer = by.request(reqwest::Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(
        (&answer.headers()["content-type"], &answer.headers()["cache-control"]),
        (&"application/pdf".parse().unwrap(), &"private, no-store".parse().unwrap())
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), answer.bytes().await.unwrap()).unwrap();
    let output = Command::new("pdftotext").arg("-layout").arg(file.path()).arg("-").output().expect("poppler-utils");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn beneficiary(app: &TestApp, org: Uuid, login: &str, household: &Value) -> Person {
    let household = Some(household["id"].as_str().unwrap().parse().unwrap());
    join(app, org, NewMember { login: login.into(), role: Role::Beneficiary, household, ..NewMember::default() }).await
}

both! {
    async fn the_file_and_the_receipt(app: TestApp) {
        let office = Office::open(&app).await;
        let org: Uuid = office.admin.org().parse().unwrap();
        let household = office.household(0).await;
        let grant = office.released(&household).await;
        let file = format!("/api/grants/{grant}/file.pdf");
        let head = household["head_name"].as_str().unwrap();
        let before = words(&office.mentor, &file).await;
        assert!(before.contains("Nobody has confirmed receiving money yet.") && before.contains(head), "{before}");

        let (there, _) = part(&office.mentor, &grant, "released").await;
        let receiving = receiving(&office.mentor, &household, &grant, &there);
        office.mentor.command("grant.acknowledge", receiving.clone()).await.ok();
        let report = report(&grant);
        office.mentor.command("grant.utilise", report.clone()).await.ok();
        // One photo has arrived and is derived, the other is still on the phone.
        assert_eq!(office.mentor.upload(&receiving["evidence"][0], &pictures::photo(5)).await.status, 204);
        let now = office.mentor.get(&format!("/api/grants/{grant}")).await.ok();
        let text = words(&office.mentor, &format!("{file}?language=en")).await;
        let number = now["number"].as_str().unwrap();
        let sha256 = report["evidence"][0]["sha256"].as_str().unwrap();
        let signed = receiving["signature"]["sha256"].as_str().unwrap();
        for said in [number, head, "KES 15,593", "Seed grant", "Mobile money", "Photos (2)", "has not arrived yet", sha256, signed, "Unchanged"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("DOES NOT FIT"), "{text}");
        let text = words(&office.supervisor, &format!("{file}?language=sw")).await;
        assert!(text.contains("Faili la ruzuku") && text.contains("Pesa kwa simu") && text.contains("KES 15,593"), "{text}");

        let one = receiving["id"].as_str().unwrap();
        for end in ["", ".pdf", ".pdf?size=a4", ".pdf?size=phone&language=sw"] {
            let text = words(&office.mentor, &format!("/api/grants/{grant}/receipts/{one}{end}")).await;
            assert!(text.contains(number) && text.contains("KES 15,593") && text.contains(&signed[..32]), "{end}: {text}");
            assert_eq!(text.contains("Stakabadhi"), end.ends_with("sw"));
        }
        for nothing in [id(), grant.clone(), "x".into(), ".pdf".into()] {
            office.mentor.get(&format!("/api/grants/{grant}/receipts/{nothing}")).await.refused(404, "not_found");
        }
        office.mentor.get(&format!("/api/grants/{one}/receipts/{grant}.pdf")).await.refused(404, "not_found");

        // The household's own, and nobody else's.
        let own = beneficiary(&app, org, "own", &household).await;
        let other = beneficiary(&app, org, "other", &office.mentor.records("household").await[1]).await;
        let receipt = format!("/api/grants/{grant}/receipts/{one}.pdf");
        assert!(words(&own, &receipt).await.contains(number));
        other.get(&receipt).await.refused(404, "not_found");
        own.get(&file).await.refused(403, "forbidden");
        let elsewhere = join(&app, org, NewMember { login: "elsewhere".into(), role: Role::Mentor, ..NewMember::default() }).await;
        elsewhere.get(&file).await.refused(404, "not_found");
        elsewhere.get(&receipt).await.refused(404, "not_found");

        let read = office.admin.get(&format!("/api/audit?subject={grant}")).await.ok();
        let readings: Vec<&Value> = read["items"].as_array().unwrap().iter().filter(|event| event["action"] == "grant.read").collect();
        assert_eq!(readings.len(), 8, "{read}");
    }

    async fn a_household_that_received_nothing_has_no_receipt(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let grant = office.approved(&household).await;
        office.mentor.get(&format!("/api/grants/{grant}/receipts/{}.pdf", id())).await.refused(404, "not_found");
        let released = office.household(1).await;
        let other = office.released(&released).await;
        receive(&office.mentor, &released, &other).await.ok();
        let of_other = office.mentor.records("acknowledgement").await[0]["id"].as_str().unwrap().to_owned();
        // The receipt of another grant of the same village.
        office.mentor.get(&format!("/api/grants/{grant}/receipts/{of_other}.pdf")).await.refused(404, "not_found");
    }
}
