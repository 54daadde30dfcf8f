//! Trainings as people in tests plan and hold them.

use serde_json::{Value, json};

use crate::{Person, id};

/// What is said of a module.
pub fn facts(number: i64, over: Value) -> Value {
    let mut facts =
        json!({ "number": number, "title": { "en": "Saving together", "sw": "Kuweka akiba pamoja" }, "active": true });
    for (field, value) in over.as_object().unwrap() {
        facts[field] = value.clone();
    }
    facts
}

/// A module with the next free number.
pub async fn module(by: &Person, over: Value) -> Value {
    let known = by.get("/api/training/modules").await.ok()["items"].as_array().unwrap().len() as i64;
    let body = json!({ "module": facts(known + 1, over) });
    by.put(&format!("/api/training/modules/{}", id()), &body).await.ok()
}

/// The body of `training.schedule`: two hours in the first household's village.
pub fn plan(by: &Person, module: &Value, homes: &[Value], starts_at: i64) -> Value {
    let households: Vec<&Value> = homes.iter().map(|home| &home["id"]).collect();
    json!({
        "id": id(), "module": module["id"], "place": homes.first().map(|home| &home["place"]), "venue": "School",
        "starts_at": starts_at, "ends_at": starts_at + 7_200_000, "trainer": by.member(), "households": households,
    })
}

/// The body of `training.attend` for one household, by what was seen.
pub fn mark(training: &Value, home: &Value, was: Value, now: Value) -> Value {
    json!({ "id": training["id"], "marks": [{ "household": home["id"], "was": was, "now": now }] })
}

pub fn there(presence: &str) -> Value {
    json!({ "presence": presence, "arrived_at": null, "left_at": null })
}

/// What the roll says of a household.
pub fn seat(training: &Value, home: &Value) -> Value {
    let seats = training["seats"].as_array().unwrap();
    seats.iter().find(|seat| seat["household"] == home["id"]).cloned().unwrap_or_default()
}
