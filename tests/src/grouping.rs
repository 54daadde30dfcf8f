//! Households on the ladder and in business groups, as people in tests bring them there.

use serde_json::{Value, json};

use crate::enrolling::{enrol, go};
use crate::{Person, id, pictures};

/// So many households of one village of this person's; those that are missing are registered.
pub async fn villagers(by: &Person, count: usize) -> Vec<Value> {
    let place = by.a_household().await["place"].clone();
    let of = async || by.records("household").await.into_iter().filter(|home| home["place"] == place).collect::<Vec<_>>();
    for n in of().await.len()..count {
        let household = json!({ "id": id(), "place": place, "head_name": format!("Villager {n}") });
        by.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
    }
    of().await.into_iter().take(count).collect()
}

/// Takes an application to the day on which the household takes part.
pub async fn activate(by: &Person, enrolment: &str) {
    for event in ["screen", "send_to_verify", "verify", "approve", "activate"] {
        assert_eq!(go(by, enrolment, event).await.ok()["status"], "applied");
    }
}

/// Somebody who takes part. Answers the enrolment.
pub async fn takes_part(mentor: &Person, supervisor: &Person, household: &Value, programme: &Value) -> String {
    let enrolment = enrol(mentor, household, programme).await;
    activate(supervisor, &enrolment).await;
    enrolment
}

/// The body of `group.form`; the first household leads.
pub fn group(programme: &Value, households: &[Value]) -> Value {
    let roles = ["leader", "treasurer", "member", "member"];
    let members: Vec<Value> =
        households.iter().zip(roles).map(|(h, role)| json!({ "household": h["id"], "role": role })).collect();
    json!({
        "id": id(), "programme": programme["id"], "name": "Tumaini", "type": "crop", "members": members,
        "formed_on": "2026-10-01",
    })
}

/// The body of `group.survey`, with a picture of the place.
pub fn survey(group: &str, kind: &str, over: Value) -> Value {
    let mut body = json!({
        "id": id(), "group": group, "kind": kind, "operating": true, "income_minor": 900_000, "expenses_minor": 500_000,
        "savings_minor": null, "health": "green", "score": 80, "challenges": "Feed is dear.", "next_steps": "",
        "position": { "lat": -0.3, "lon": 36.1, "accuracy_m": 8.0 },
        "evidence": [pictures::capture(&pictures::photo(5), "site")],
    });
    for (field, value) in over.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

/// Answers to the graduation instrument of a household that is ready.
pub fn ready() -> Value {
    json!({
        "meals": 3, "food_months": 12, "income": 15_000, "expenses": 9_000, "savings": 12_000,
        "assets": ["land", "stock", "poultry"], "children": 2, "in_school": 2, "business": true, "emergency": true,
    })
}

/// And of one that is nearly ready.
pub fn nearly() -> Value {
    let mut answers = ready();
    for (key, value) in [("meals", json!(2)), ("savings", json!(0)), ("emergency", json!(false))] {
        answers[key] = value;
    }
    answers
}

/// A rung of an enrolment's ladder, as this person sees it.
pub async fn rung(by: &Person, enrolment: &str, number: i64) -> Value {
    let record = by.get(&format!("/api/enrolments/{enrolment}")).await.ok();
    let ladder = record["milestones"].as_array().unwrap().clone();
    ladder.into_iter().find(|rung| rung["number"] == number).unwrap_or_default()
}

/// The body of `milestone.move`.
pub fn step(enrolment: &str, number: i64, event: &str) -> Value {
    json!({ "enrolment": enrolment, "number": number, "event": event, "reason": "as the test says" })
}
