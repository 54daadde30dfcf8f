//! Commands of every released form are taken for a year: `tests/fixtures/schemas/N` holds them as phones sent them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kilele::auth::Role;
use kilele::commands::KINDS;
use kilele::crypto::{hex, sha256};
use kilele::sync::{MIN_SCHEMA, SCHEMA};
use kilele_tests::cast::in_role;
use kilele_tests::{TestApp, Uuid, both, enrolling, granting, grouping, id, teaching};
use serde_json::{Value, json};

fn folder(schema: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schemas").join(schema.to_string())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// When the form was released and replaced, and what it looked like.
fn about(schema: i64) -> Value {
    serde_json::from_str(&read(&folder(schema).join("schema.json"))).unwrap()
}

fn recorded(schema: i64) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder(schema)).unwrap().map(|f| f.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|f| f.file_name().unwrap() != "schema.json").collect();
    files.sort();
    files.into_iter().map(|f| (f.file_name().unwrap().to_str().unwrap().to_owned(), read(&f))).collect()
}

/// The `Command` schema of the document and everything it refers to, without the words about it.
fn shape() -> Value {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let schemas = &document["components"]["schemas"];
    let mut shape = BTreeMap::new();
    let mut waiting = vec!["Command".to_owned()];
    while let Some(name) = waiting.pop() {
        if shape.contains_key(&name) {
            continue;
        }
        let mut schema = schemas[&name].clone();
        bare(&mut schema, &mut waiting);
        shape.insert(name, schema);
    }
    assert!(shape.contains_key("SubmitVisit") && shape.contains_key("Capture"), "the bodies are part of it");
    json!(shape)
}

fn bare(value: &mut Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if fields.get("description").is_some_and(Value::is_string) {
                fields.remove("description");
            }
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                found.extend(name.rsplit('/').next().map(str::to_owned));
            }
            fields.values_mut().for_each(|value| bare(value, found));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bare(item, found)),
        _ => {}
    }
}

#[test]
fn a_changed_form_of_commands_has_a_number_and_a_record_of_its_own() {
    let now = hex(&sha256(shape().to_string().as_bytes()));
    assert!(
        folder(SCHEMA).is_dir() && !folder(SCHEMA + 1).exists(),
        "SCHEMA is the newest folder of tests/fixtures/schemas"
    );
    assert_eq!(
        about(SCHEMA)["sha256"],
        json!(now),
        "The form of commands has changed. Once {SCHEMA} is released: raise SCHEMA in server/src/sync/mod.rs and in \
         pwa/src/sync/exchange.ts, say in {SCHEMA}/schema.json when it was replaced, and record every command in \
         tests/fixtures/schemas/{}/ with this sha256. Before its release: record it anew under the same number.",
        SCHEMA + 1
    );
    let kinds: BTreeSet<String> = recorded(SCHEMA)
        .iter()
        .map(|(_, text)| serde_json::from_str::<Value>(text).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    let known: BTreeSet<String> = KINDS.iter().map(|k| (*k).to_owned()).collect();
    assert_eq!(kinds, known, "every kind is recorded");
}

#[test]
fn no_form_is_dropped_within_a_year() {
    for schema in 1..=SCHEMA {
        let replaced = about(schema)["replaced"].as_str().map(|day| day.parse::<chrono::NaiveDate>().unwrap());
        assert_eq!(replaced.is_none(), schema == SCHEMA, "only the newest form has not been replaced");
        let long_ago = replaced.is_some_and(|day| (today() - day).num_days() > 365);
        assert!(schema >= MIN_SCHEMA || long_ago, "phones may still hold commands of form {schema}");
    }
}

fn today() -> chrono::NaiveDate {
    chrono::DateTime::from_timestamp_millis(kilele::clock::Clock::default().now()).unwrap().date_naive()
}

both! {
    async fn commands_of_every_released_form_are_taken(app: TestApp) {
        for schema in MIN_SCHEMA..=SCHEMA {
            let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
            let mut words: BTreeMap<String, String> = BTreeMap::new();
            let place = mentor.a_household().await["place"].as_str().unwrap().to_owned();
            let programme = enrolling::programme(&app.admin().await, json!({})).await["id"].as_str().unwrap().to_owned();
            words.insert("programme".into(), programme);
            let elsewhere = app.other_mentor().await.a_household().await["place"].as_str().unwrap().to_owned();
            words.insert("other_place".into(), elsewhere);
            // Two households that take part in another one.
            let ladder = enrolling::programme(&app.admin().await, json!({ "budget_minor": 100_000_000 })).await;
            let policy = granting::policy(&app.admin().await, &ladder, "SB", json!({})).await;
            words.insert("policy".into(), policy["id"].as_str().unwrap().into());
            let org: Uuid = mentor.org().parse().unwrap();
            let executive = in_role(&app, org, "exec", Role::Approver, vec![]).await;
            let manager = in_role(&app, org, "mgr", Role::ProgrammeManager, vec![]).await;
            words.insert("ladder".into(), ladder["id"].as_str().unwrap().into());
            for (home, word) in grouping::villagers(&mentor, 2).await.iter().zip(["one", "other"]) {
                let enrolment = grouping::takes_part(&mentor, &supervisor, home, &ladder).await;
                words.insert(format!("{word}_home_place"), home["place"].as_str().unwrap().into());
                words.extend([(format!("{word}_home"), home["id"].as_str().unwrap().into()), (format!("{word}_enrolment"), enrolment)]);
            }
            words.insert("module".into(), teaching::module(&app.admin().await, json!({})).await["id"].as_str().unwrap().into());
            words.extend([("place".into(), place), ("mentor".into(), mentor.member()), ("device".into(), mentor.device.to_string())]);
            for (file, text) in recorded(schema) {
                // What only the server could have told the phone.
                for (kind, revision) in [("visit", "revision"), ("enrolment", "enrolment_revision"), ("group", "group_revision"), ("grant", "grant_revision")] {
                    if let Some(known) = words.get(kind).cloned() {
                        let record = supervisor.record(kind, &known).await;
                        if let Some(part) = record.as_ref().and_then(|record| record["tranches"][0]["id"].as_str()) {
                            words.insert("tranche".into(), part.into());
                        }
                        let now = record.map_or(0, |record| record["revision"].as_i64().unwrap());
                        words.insert(revision.into(), now.to_string());
                    }
                }
                if let Some(training) = words.get("training").cloned() {
                    let plan = supervisor.record("training", &training).await.map_or(0, |t| t["planned_revision"].as_i64().unwrap());
                    words.insert("planned_revision".into(), plan.to_string());
                }
                for word in ["household", "second"] {
                    let Some(household) = words.get(word).cloned() else { continue };
                    let household = supervisor.record("household", &household).await;
                    let revision = household.map_or(0, |h| h["revision"].as_i64().unwrap());
                    words.insert(format!("{word}_revision"), revision.to_string());
                }
                for (word, kind) in [("conflict", "conflict"), ("inbox", "inbox")] {
                    if let Some(found) = supervisor.records(kind).await.first() {
                        words.insert(word.into(), found["id"].as_str().unwrap().into());
                    }
                }
                let recorded: Value = serde_json::from_str(&filled(&text, &mut words)).unwrap();
                let mut body = recorded["body"].clone();
                if let Some(record) = body["signature"]["record"].as_str() {
                    body["signature"]["sha256"] = hex(&sha256(record.as_bytes())).into();
                }
                for signed in body["signatures"].as_array_mut().into_iter().flatten() {
                    let record = signed["record"].as_str().unwrap().to_owned();
                    signed["sha256"] = hex(&sha256(record.as_bytes())).into();
                }
                let command = json!({ "id": id(), "kind": recorded["kind"], "at": recorded["at"], "body": body });
                let by = match recorded["by"].as_str().unwrap() {
                    "mentor" => &mentor,
                    "executive" => &executive,
                    "manager" => &manager,
                    _ => &supervisor,
                };
                let request = json!({ "device": by.device, "schema": schema, "commands": [command] });
                let answer = by.post("/api/sync", &request).await.ok();
                assert_eq!(answer["results"][0]["status"], recorded["status"], "form {schema}, {file}: {}", answer["results"]);
            }
        }
    }
}

/// `{{word}}` stands for an id, the same in all files of a form; `"{{revision}}"` and `"{{…_revision}}"` for a number.
fn filled(text: &str, words: &mut BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.find("{{") {
        let end = at + text[at..].find("}}").unwrap();
        let word = text[at + 2..end].to_owned();
        let value = words.entry(word.clone()).or_insert_with(id).clone();
        let (marked, quoted) = (format!("{{{{{word}}}}}"), format!("\"{{{{{word}}}}}\""));
        text = if word.ends_with("revision") { text.replace(&quoted, &value) } else { text.replace(&marked, &value) };
    }
    text
}
