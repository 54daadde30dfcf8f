//! Programmes, assessments and enrolments, as people in tests make them.

use serde_json::{Value, json};

use crate::{Answer, Person, id, pictures};

/// A programme that takes everybody, by the weighted instrument unless `over` says otherwise.
pub async fn programme(by: &Person, over: Value) -> Value {
    save_programme(by, &id(), over, None).await.ok()
}

pub async fn save_programme(by: &Person, programme: &str, over: Value, revision: Option<i64>) -> Answer {
    let mut facts = json!({
        "code": format!("P{}", &id()[28..]), "name": "Graduation", "kind": "graduation", "category": "graduation",
        "status": "open", "instrument": "weighted", "version": 1, "places": [], "starts_on": "2026-01-01",
    });
    for (field, value) in over.as_object().unwrap() {
        facts[field] = value.clone();
    }
    by.put(&format!("/api/programmes/{programme}"), &json!({ "programme": facts, "revision": revision })).await
}

/// Answers to the weighted instrument that make a household highly eligible.
pub fn poor() -> Value {
    json!({
        "ppi": 5, "income": 0, "assets": [], "female_head": true, "head_age": 70, "disability": true,
        "single_parent": true, "dependents": 9, "adults": 2, "remote": true, "market_km": 30, "electricity": false,
        "clean_water": false, "household_size": 9, "under_fives": 4, "head_schooled": false,
    })
}

/// Answers that make it not eligible at all.
pub fn rich() -> Value {
    json!({
        "ppi": 95, "income": 90_000, "assets": ["car", "tv", "fridge"], "female_head": false, "head_age": 40,
        "disability": false, "single_parent": false, "dependents": 0, "adults": 2, "remote": false, "market_km": 3,
        "electricity": true, "clean_water": true, "household_size": 2, "under_fives": 0, "head_schooled": true,
    })
}

/// The body of `assessment.record`; what the phone counted is not looked at unless a test says so.
pub fn assessment(household: &Value, programme: &Value, answers: Value) -> Value {
    json!({
        "id": id(), "household": household["id"], "programme": programme["id"], "instrument": programme["instrument"],
        "version": programme["version"], "answers": answers, "consent": true, "note": "", "score": 0, "outcome": "",
    })
}

/// As [`assessment`], of a later stage: half-way by the programme's instrument, at the end by that for graduation.
pub fn later(household: &Value, programme: &Value, stage: &str, answers: Value) -> Value {
    let mut body = assessment(household, programme, answers);
    body["stage"] = stage.into();
    if stage == "graduation" {
        (body["instrument"], body["version"]) = ("graduation".into(), 1.into());
    }
    body
}

pub fn application(assessment: &Value) -> Value {
    json!({
        "id": id(), "household": assessment["household"], "programme": assessment["programme"],
        "assessment": assessment["id"],
    })
}

/// Assesses a household and applies for it. Answers the enrolment's id.
pub async fn enrol(by: &Person, household: &Value, programme: &Value) -> String {
    let assessed = assessment(household, programme, poor());
    assert_eq!(by.command("assessment.record", assessed.clone()).await.ok()["status"], "applied");
    let applied = application(&assessed);
    assert_eq!(by.command("enrolment.apply", applied.clone()).await.ok()["status"], "applied");
    applied["id"].as_str().unwrap().to_owned()
}

/// What a move needs: a reason, and for a verification the picture and the position.
pub fn moving(enrolment: &str, revision: i64, event: &str) -> Value {
    let mut body = json!({ "id": enrolment, "revision": revision, "event": event, "reason": "as the test says" });
    if event == "verify" {
        body["position"] = json!({ "lat": -0.3, "lon": 36.1, "accuracy_m": 8.0 });
        body["evidence"] = json!([pictures::capture(&pictures::photo(3), "site")]);
    }
    body
}

/// Moves an enrolment as it is now.
pub async fn go(by: &Person, enrolment: &str, event: &str) -> Answer {
    let now = by.get(&format!("/api/enrolments/{enrolment}")).await.ok();
    by.command("enrolment.move", moving(enrolment, now["revision"].as_i64().unwrap(), event)).await
}
