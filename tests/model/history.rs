//! One history: who types what, which requests and answers are lost, doubled or late, which village changes hands.

use std::collections::BTreeMap;

use kilele::clock::{DAY, HOUR};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::check;
use crate::phone::Phone;
use crate::world::World;

const FIELDS: [&str; 3] = ["notes", "head_name", "monthly_income_minor"];

#[derive(Clone, Debug)]
pub enum Step {
    /// How many phones take part; only the first of these counts.
    Phones(usize),
    Edit {
        phone: Index,
        household: Index,
        field: usize,
    },
    Plan {
        phone: Index,
        household: Index,
    },
    /// Starts, cancels or misses any visit that the phone knows, also another's.
    Visit {
        phone: Index,
        visit: Index,
        how: usize,
    },
    /// A mentor hands in a new visit, or one that came back.
    Submit {
        phone: Index,
        household: Index,
        again: Index,
        fresh: bool,
    },
    /// The supervisor approves or returns what their phone shows as handed in, however old that is; `fresh`: just fetched.
    Decide {
        visit: Index,
        approve: bool,
        fresh: bool,
    },
    Settle {
        conflict: Index,
        mine: bool,
    },
    /// A request is sent `times`; its answers may be lost.
    Sync {
        phone: Index,
        times: usize,
        lost: bool,
    },
    /// A locked phone delivers by the sealed outbox.
    Outbox {
        phone: Index,
        lost: bool,
    },
    /// A request from earlier arrives once more.
    Late {
        request: Index,
    },
    Give {
        village: usize,
        to: usize,
    },
    Clock {
        phone: Index,
        hours: i64,
    },
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let i = any::<Index>;
    let step = prop_oneof![
        8 => (i(), i(), 0..3_usize).prop_map(|(phone, household, field)| Step::Edit { phone, household, field }),
        3 => (i(), i()).prop_map(|(phone, household)| Step::Plan { phone, household }),
        4 => (i(), i(), 0..3_usize).prop_map(|(phone, visit, how)| Step::Visit { phone, visit, how }),
        2 => (i(), i(), i(), any::<bool>()).prop_map(|(phone, household, again, fresh)| Step::Submit { phone, household, again, fresh }),
        4 => (i(), any::<bool>(), any::<bool>()).prop_map(|(visit, approve, fresh)| Step::Decide { visit, approve, fresh }),
        1 => (i(), any::<bool>()).prop_map(|(conflict, mine)| Step::Settle { conflict, mine }),
        7 => (i(), 1..3_usize, any::<bool>()).prop_map(|(phone, times, lost)| Step::Sync { phone, times, lost }),
        2 => (i(), any::<bool>()).prop_map(|(phone, lost)| Step::Outbox { phone, lost }),
        2 => i().prop_map(|request| Step::Late { request }),
        2 => (0..2_usize, 0..2_usize).prop_map(|(village, to)| Step::Give { village, to }),
        1 => (i(), -48..=48_i64).prop_map(|(phone, hours)| Step::Clock { phone, hours }),
    ];
    (2..=5_usize, proptest::collection::vec(step, 10..40)).prop_map(|(phones, mut steps)| {
        steps.insert(0, Step::Phones(phones));
        steps
    })
}

/// A value that somebody typed.
pub struct Typed {
    pub household: String,
    pub field: &'static str,
    pub was: Value,
    pub now: Value,
    pub command: String,
}

/// Something done to a visit by a mentor whose visit it is not.
pub struct Meddled {
    pub command: String,
}

/// A decision on a visit, and the revision that was looked at.
pub struct Decided {
    pub visit: String,
    pub looked_at: i64,
    pub command: String,
}

/// What happened, for the promises to be checked against.
#[derive(Default)]
pub struct Record {
    pub typed: Vec<Typed>,
    pub meddled: Vec<Meddled>,
    pub planned: Vec<(String, String)>,
    /// Visit and command.
    pub submitted: Vec<(String, String)>,
    pub decided: Vec<Decided>,
    /// Phone, record and command, in the order they were made.
    pub made: Vec<(usize, String, String)>,
    /// The first answer to each command.
    pub answers: BTreeMap<String, Value>,
    requests: Vec<(usize, Value)>,
    count: i64,
}

impl Record {
    /// Notes an answer that the server gave, whether or not it arrived: the same command gets the same answer for ever.
    fn heard(&mut self, results: &[Value]) -> Result<(), String> {
        for result in results {
            let (id, doubled) = (result["id"].as_str().unwrap().to_owned(), result["status"] == "duplicate");
            let answer = if doubled { result["first"].clone() } else { result.clone() };
            match self.answers.get(&id) {
                Some(first) if *first != answer || !doubled => {
                    return Err(format!("a command takes effect once: {id} was answered {first}, then {result}"));
                }
                Some(_) => {}
                None => drop(self.answers.insert(id, answer)),
            }
        }
        Ok(())
    }
}

pub async fn run(world: &mut World, steps: &[Step]) -> Result<(), String> {
    world.give(0, 0).await;
    world.give(1, 1).await;
    let Some(Step::Phones(count)) = steps.first() else { return Ok(()) };
    let mut phones = Vec::new();
    for person in 0..*count {
        phones.push(Phone::new(person, world.cursors(person).await));
    }
    let households = world.households().await;
    let mut record = Record::default();
    for phone in &mut phones {
        sync(world, phone, &mut record, 1, false).await?;
    }
    for step in &steps[1..] {
        take(world, &mut phones, &households, &mut record, step).await?;
    }
    // The network comes back for everybody; after that nobody has anything to say.
    for _ in 0..2 {
        for phone in &mut phones {
            while sync(world, phone, &mut record, 1, false).await? {}
        }
    }
    check::promises(world, &phones, &record).await
}

async fn take(
    world: &mut World,
    phones: &mut [Phone],
    households: &[String],
    record: &mut Record,
    step: &Step,
) -> Result<(), String> {
    let now = world.now();
    match step {
        Step::Phones(_) => {}
        Step::Edit { phone, household, field } => {
            let (n, id) = (phone.index(phones.len()), household.get(households));
            let phone = &mut phones[n];
            if !phone.known("household").iter().any(|r| r["id"] == **id) {
                return Ok(());
            }
            record.count += 1;
            let field = FIELDS[*field];
            let value = match field {
                "monthly_income_minor" => json!(record.count),
                _ => json!(format!("{field} {}", record.count)),
            };
            let was = phone.seen(id, field);
            let body = json!({ "id": id, "changes": { field: { "was": was, "now": value } } });
            let command = phone.make(now, id, "household.update", body);
            let command = made(record, n, id, &command);
            record.typed.push(Typed { household: id.clone(), field, was, now: value, command });
        }
        Step::Plan { phone, household } => {
            let (n, id) = (phone.index(phones.len()), household.get(households));
            let phone = &mut phones[n];
            if !phone.known("household").iter().any(|r| r["id"] == **id) {
                return Ok(());
            }
            let visit = kilele_tests::id();
            let body = json!({ "id": visit, "household": id, "mentor": world.member(phone.person), "kind": "scheduled",
                               "planned_at": now + DAY });
            let command = phone.make(now, &visit, "visit.plan", body);
            let command = made(record, n, &visit, &command);
            record.planned.push((visit, command));
        }
        Step::Visit { phone, visit, how } => {
            let n = phone.index(phones.len());
            let phone = &mut phones[n];
            // The own plans that were not sent yet, then whatever the server showed.
            let own = world.member(phone.person);
            let unsent = phone.outbox.iter().filter(|p| p.command["kind"] == "visit.plan");
            let mut visits: Vec<(String, String)> = unsent.map(|p| (p.record.clone(), own.clone())).collect();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            visits.extend(phone.known("visit").iter().map(|v| (text(&v["id"]), text(&v["mentor"]))));
            visits.retain(|(id, _)| record.planned.iter().any(|(planned, _)| planned == id));
            if visits.is_empty() {
                return Ok(());
            }
            let (id, mentor) = visit.get(&visits).clone();
            let (kind, body) = match how {
                0 => ("visit.start", json!({ "id": id, "started_at": now })),
                1 => ("visit.cancel", json!({ "id": id, "reason": "not at home" })),
                _ => ("visit.miss", json!({ "id": id, "reason": "not at home" })),
            };
            let command = phone.make(now, &id, kind, body);
            let command = made(record, n, &id, &command);
            if mentor != own && phone.person != crate::world::GRACE {
                record.meddled.push(Meddled { command });
            }
        }
        Step::Submit { phone, household, again, fresh } => {
            let (n, id) = (phone.index(phones.len()), household.get(households));
            let phone = &mut phones[n];
            if *fresh {
                sync(world, phone, record, 1, false).await?;
            }
            let person = &world.people[phone.person];
            let known = phone.known("household").into_iter().find(|r| r["id"] == **id).cloned();
            let (Some(home), false) = (known, phone.person == crate::world::GRACE) else { return Ok(()) };
            let own = world.member(phone.person);
            let returned: Vec<Value> = phone
                .known("visit")
                .into_iter()
                .filter(|v| {
                    v["state"] == "returned"
                        && v["mentor"] == own
                        && v["household"] == home["id"]
                        && record.submitted.iter().any(|(visit, _)| v["id"] == **visit)
                })
                .cloned()
                .collect();
            let mut visit = person.visit(&home);
            if !returned.is_empty() {
                // Its pictures stand; what is said and signed is said and signed anew.
                visit.id = again.get(&returned)["id"].as_str().unwrap().to_owned();
                visit.body["id"] = json!(visit.id);
                visit.body["evidence"] = json!([]);
                visit.body["signature"] = kilele_tests::signing::signature(person, &visit.id, &home["head_name"]);
            }
            let command = phone.make(now, &visit.id, "visit.submit", visit.body);
            let command = made(record, n, &visit.id, &command);
            record.submitted.push((visit.id, command));
        }
        Step::Decide { visit, approve, fresh } => {
            let Some(n) = phones.iter().position(|p| p.person == crate::world::GRACE) else { return Ok(()) };
            if *fresh {
                sync(world, &mut phones[n], record, 1, false).await?;
            }
            let waiting: Vec<Value> = phones[n]
                .known("visit")
                .into_iter()
                .filter(|v| v["state"] == "submitted" && record.submitted.iter().any(|(visit, _)| v["id"] == **visit))
                .cloned()
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            let visit = visit.get(&waiting);
            let (id, looked_at) = (visit["id"].as_str().unwrap().to_owned(), visit["revision"].as_i64().unwrap());
            let (kind, body) = if *approve {
                ("visit.approve", json!({ "id": id, "revision": looked_at }))
            } else {
                ("visit.return", json!({ "id": id, "revision": looked_at, "note": "how much was sold?" }))
            };
            let command = phones[n].make(now, &id, kind, body);
            let command = made(record, n, &id, &command);
            record.decided.push(Decided { visit: id, looked_at, command });
        }
        Step::Settle { conflict, mine } => {
            let Some(n) = phones.iter().position(|p| p.person == crate::world::GRACE) else { return Ok(()) };
            let open: Vec<Value> =
                phones[n].known("conflict").into_iter().filter(|c| c["state"] == "open").cloned().collect();
            if open.is_empty() {
                return Ok(());
            }
            let conflict = conflict.get(&open);
            let id = conflict["id"].as_str().unwrap();
            let choose = if *mine { "mine" } else { "theirs" };
            let body = json!({ "id": id, "choose": choose, "theirs": conflict["theirs"] });
            let command = phones[n].make(now, id, "conflict.settle", body);
            made(record, n, id, &command);
        }
        Step::Sync { phone, times, lost } => {
            let phone = &mut phones[phone.index(phones.len())];
            sync(world, phone, record, *times, *lost).await?;
        }
        Step::Outbox { phone, lost } => {
            let phone = &mut phones[phone.index(phones.len())];
            let person = &world.people[phone.person];
            let items: Vec<Value> = phone.outbox.iter().take(50).map(|p| person.sealed(&p.command)).collect();
            let answer = world.app.post("/api/outbox", &json!({ "items": items })).await.ok();
            let results = answer["results"].as_array().unwrap();
            record.heard(results)?;
            if !lost {
                phone.settle(results);
            }
        }
        Step::Late { request } => {
            if !record.requests.is_empty() {
                let (person, body) = request.get(&record.requests).clone();
                let answer = world.people[person].post("/api/sync", &body).await.ok();
                record.heard(answer["results"].as_array().unwrap())?;
            }
        }
        Step::Give { village, to } => world.give(*village, *to).await,
        Step::Clock { phone, hours } => phones[phone.index(phones.len())].skew = hours * HOUR,
    }
    Ok(())
}

fn made(record: &mut Record, phone: usize, about: &str, command: &Value) -> String {
    let id = command["id"].as_str().unwrap().to_owned();
    record.made.push((phone, about.into(), id.clone()));
    id
}

/// One round; says whether there is more to do.
async fn sync(world: &World, phone: &mut Phone, record: &mut Record, times: usize, lost: bool) -> Result<bool, String> {
    let person = &world.people[phone.person];
    let body = phone.request(person);
    record.requests.push((phone.person, body.clone()));
    let mut last = Value::Null;
    for _ in 0..times {
        last = person.post("/api/sync", &body).await.ok();
        record.heard(last["results"].as_array().unwrap())?;
    }
    if lost {
        return Ok(true);
    }
    phone.take(&last, world.now());
    Ok(last["more"] == true || !phone.outbox.is_empty())
}
