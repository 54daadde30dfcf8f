//! One simulated phone: what it holds, what it has not sent, and what its clock says.

use std::collections::{BTreeMap, BTreeSet};

use kilele_tests::{Person, id};
use serde_json::{Value, json};

/// A command that waits, and the record it is about.
#[derive(Clone)]
pub struct Pending {
    pub record: String,
    pub command: Value,
}

pub struct Phone {
    pub person: usize,
    pub skew: i64,
    pub cursors: BTreeMap<String, i64>,
    /// By feed and id, as the server last showed them.
    pub records: BTreeMap<(String, String), (String, Value)>,
    pub outbox: Vec<Pending>,
    /// What the last answer showed of this phone's clock.
    offset: Option<i64>,
    /// Where it began to follow a feed without asking for what lay before.
    begun: BTreeMap<String, i64>,
}

impl Phone {
    pub fn new(person: usize, cursors: BTreeMap<String, i64>) -> Self {
        let begun = cursors.clone();
        Self { person, skew: 0, begun, cursors, records: BTreeMap::new(), outbox: Vec::new(), offset: None }
    }

    pub fn begun(&self) -> &BTreeMap<String, i64> {
        &self.begun
    }

    pub fn known(&self, kind: &str) -> Vec<&Value> {
        self.records.values().filter(|(k, _)| k == kind).map(|(_, body)| body).collect()
    }

    /// A field as the person sees it: the server's value with the own unsent edits over it.
    pub fn seen(&self, household: &str, field: &str) -> Value {
        let base = self.known("household").into_iter().find(|r| r["id"] == household);
        let mut value = base.map_or(Value::Null, |record| record[field].clone());
        for pending in self.outbox.iter().filter(|p| p.record == household) {
            if let Some(change) = pending.command["body"]["changes"].get(field)
                && change["was"] == value
            {
                value = change["now"].clone();
            }
        }
        value
    }

    pub fn make(&mut self, now: i64, record: &str, kind: &str, body: Value) -> Value {
        let command = json!({ "id": id(), "kind": kind, "at": now + self.skew, "body": body });
        self.outbox.push(Pending { record: record.into(), command: command.clone() });
        command
    }

    pub fn request(&self, person: &Person) -> Value {
        let commands: Vec<&Value> = self.outbox.iter().take(50).map(|p| &p.command).collect();
        json!({ "device": person.device, "schema": 1, "cursors": self.cursors, "commands": commands,
                "stats": { "clock_offset": self.offset } })
    }

    /// Takes an answer in, as the application does.
    pub fn take(&mut self, answer: &Value, now: i64) {
        self.settle(answer["results"].as_array().unwrap());
        self.offset = Some(answer["server_time"].as_i64().unwrap() - (now + self.skew));
        let unsent: BTreeSet<String> = self.outbox.iter().map(|p| p.record.clone()).collect();
        for feed in answer["gone"].as_array().unwrap().iter().chain(answer["reset"].as_array().unwrap()) {
            let feed = feed.as_str().unwrap();
            self.cursors.remove(feed);
            self.begun.remove(feed);
        }
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            for entry in news["entries"].as_array().unwrap() {
                let key = (feed.clone(), entry["id"].as_str().unwrap().to_owned());
                if entry["deleted"] == true {
                    self.records.remove(&key);
                } else {
                    self.records.insert(key, (entry["kind"].as_str().unwrap().into(), entry["body"].clone()));
                }
            }
            self.cursors.insert(feed.clone(), news["revision"].as_i64().unwrap());
        }
        // What it no longer follows goes, but for what it has not sent.
        let followed = &self.cursors;
        self.records.retain(|(feed, id), _| followed.contains_key(feed) || unsent.contains(id));
    }

    /// What was answered, whatever the answer, does not wait any more.
    pub fn settle(&mut self, results: &[Value]) {
        self.outbox.retain(|pending| !results.iter().any(|r| r["id"] == pending.command["id"]));
    }
}
