//! A household moves to another village: every record leaves the one feed and stands in the other, both chains hold, and
//! what the losing phone made before it heard of it arrives.

use std::collections::BTreeMap;

use kilele_tests::enrolling::{enrol, go, programme};
use kilele_tests::{Dice, Person, TestApp, Uuid, both, command, id, pictures, signing};
use serde_json::{Value, json};

fn moving(household: &Value, place: &Value) -> Value {
    json!({ "id": household["id"], "revision": household["revision"], "place": place, "reason": "they live there now" })
}

/// What one phone holds: it pulls from where it stands, and drops and takes as the answer says.
struct Phone<'p> {
    by: &'p Person,
    cursors: Value,
    held: BTreeMap<(String, String), (String, Value)>,
}

impl<'p> Phone<'p> {
    fn new(by: &'p Person) -> Self {
        Self { by, cursors: json!({}), held: BTreeMap::new() }
    }

    async fn sync(&mut self, commands: &[Value]) -> Value {
        let mut results = None;
        loop {
            let answer = self.by.sync(&self.cursors, if results.is_none() { commands } else { &[] }).await;
            for (feed, news) in answer["feeds"].as_object().unwrap() {
                for entry in news["entries"].as_array().unwrap() {
                    let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                    let key = (text("kind"), text("id"));
                    if entry["deleted"] == true {
                        // A stone in the old feed says nothing about the record in the new one.
                        if self.held.get(&key).is_some_and(|(of, _)| of == feed) {
                            self.held.remove(&key);
                        }
                    } else {
                        self.held.insert(key, (feed.clone(), entry["body"].clone()));
                    }
                }
                self.cursors[feed] = news["revision"].clone();
            }
            results.get_or_insert(answer["results"].clone());
            if answer["more"] == false {
                return results.unwrap();
            }
        }
    }

    /// Whatever this phone holds of these records, in which feed.
    fn where_is(&self, ids: &[String]) -> BTreeMap<String, String> {
        let of = self.held.iter().filter(|((_, id), _)| ids.contains(id));
        of.map(|((_, id), (feed, _))| (id.clone(), feed.clone())).collect()
    }
}

/// A household with all that there can be of it. Answers it and the ids of all its records.
async fn furnished(app: &TestApp, mentor: &Person, supervisor: &Person, visits: u64) -> (Value, Vec<String>, Vec<Value>) {
    let household = mentor.a_household().await;
    let mut announced = Vec::new();
    for n in 0..visits {
        let visit = mentor.submit(&household).await;
        if n == 0 {
            mentor.upload(&visit.captures[0], &visit.photos[0]).await;
            mentor.settled(visit.captures[0]["id"].as_str().unwrap()).await;
        }
        announced.push(visit.captures[1].clone());
    }
    let clash = json!({ "id": household["id"], "changes": { "notes": { "was": "never", "now": "mine" } } });
    assert_eq!(mentor.command("household.update", clash).await.ok()["status"], "conflict");
    let consent = json!({ "id": id(), "household": household["id"], "purpose": "programme", "evidence": [], "signature": signing::consent(mentor, &household) });
    mentor.command("consent.give", consent).await.ok();
    let graduation = programme(&app.admin().await, json!({})).await;
    let enrolment = enrol(mentor, &household, &graduation).await;
    for event in ["screen", "send_to_verify", "verify"] {
        go(supervisor, &enrolment, event).await.ok();
    }
    let mut ids = vec![household["id"].as_str().unwrap().to_owned()];
    for kind in ["visit", "evidence", "signature", "conflict", "assessment", "enrolment"] {
        ids.extend(mentor.records(kind).await.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
    }
    (mentor.record("household", &ids[0]).await.unwrap(), ids, announced)
}

async fn chains_hold(app: &TestApp, by: &Person) {
    for signature in by.records("signature").await {
        let proof = by.get(&format!("/api/signatures/{}/verify", signature["id"].as_str().unwrap())).await.ok();
        assert_eq!(proof["valid"], true, "{proof}");
    }
    let org: Uuid = by.org().parse().unwrap();
    let report = kilele::audit::organisation(&app.app, org, "DEMO").await.unwrap();
    assert!(report.broken.is_empty(), "{:?}", report.broken);
}

both! {
    async fn a_household_moves_with_all_that_belongs_to_it(app: TestApp) {
        let (mentor, other, supervisor) = (app.mentor().await, app.other_mentor().await, app.supervisor().await);
        let mut dice = Dice::new();
        let there = other.a_household().await["place"].clone();
        let (household, ids, announced) = furnished(&app, &mentor, &supervisor, 1 + dice.below(4)).await;
        let here = household["place"].clone();
        let (mut losing, mut gaining, mut both) = (Phone::new(&mentor), Phone::new(&other), Phone::new(&supervisor));
        for phone in [&mut losing, &mut gaining, &mut both] {
            phone.sync(&[]).await;
        }
        assert_eq!(losing.where_is(&ids).len(), ids.len());
        assert!(gaining.where_is(&ids).is_empty());

        mentor.command("household.move", moving(&household, &there)).await.refused(422, "forbidden");
        let mut old = moving(&household, &there);
        old["revision"] = 0.into();
        supervisor.command("household.move", old).await.refused(422, "stale");
        supervisor.command("household.move", moving(&household, &json!(id()))).await.refused(422, "not_found");
        supervisor.command("household.move", moving(&household, &here)).await.refused(422, "same_place");
        let mut wordless = moving(&household, &there);
        wordless["reason"] = "".into();
        supervisor.command("household.move", wordless).await.refused(422, "invalid");
        supervisor.command("household.move", moving(&household, &there)).await.ok();

        for phone in [&mut losing, &mut gaining, &mut both] {
            phone.sync(&[]).await;
        }
        assert!(losing.where_is(&ids).is_empty(), "{:?}", losing.where_is(&ids));
        for phone in [&gaining, &both] {
            let found = phone.where_is(&ids);
            assert_eq!(found.len(), ids.len());
            assert!(found.values().all(|feed| *feed == there.as_str().unwrap()));
        }
        // A phone that begins anew holds the same as one that went along.
        let mut fresh = Phone::new(&other);
        fresh.sync(&[]).await;
        assert!(fresh.held == gaining.held, "both phones hold the same");
        for (kind, path) in [("visit", "visits"), ("enrolment", "enrolments"), ("assessment", "assessments")] {
            let record = other.records(kind).await.into_iter().find(|record| record["household"] == household["id"]).unwrap();
            assert_eq!(record["place"], there);
            let path = format!("/api/{path}/{}", record["id"].as_str().unwrap());
            other.get(&path).await.ok();
            mentor.get(&path).await.refused(404, "not_found");
        }
        let timeline = format!("/api/households/{}/timeline", ids[0]);
        assert!(!other.get(&timeline).await.ok()["signatures"].as_array().unwrap().is_empty());
        mentor.get(&timeline).await.refused(404, "not_found");
        assert!(other.get("/api/visits").await.ok().to_string().contains(&ids[0]));
        assert!(!mentor.get("/api/visits").await.ok().to_string().contains(&ids[0]));
        chains_hold(&app, &supervisor).await;

        // Pictures that the losing phone still holds arrive, and are shown in the new village.
        let picture = &announced[0];
        assert_eq!(mentor.upload(picture, &pictures::photo(2)).await.status, 204);
        let picture = other.settled(picture["id"].as_str().unwrap()).await;
        assert_eq!(picture["state"], "ready");
        // And back again, as often as one likes.
        for place in [&here, &there, &here] {
            let now = supervisor.record("household", &ids[0]).await.unwrap();
            supervisor.command("household.move", moving(&now, place)).await.ok();
        }
        for phone in [&mut losing, &mut gaining, &mut both] {
            phone.sync(&[]).await;
        }
        assert_eq!(losing.where_is(&ids).len(), ids.len());
        assert!(gaining.where_is(&ids).is_empty());
        chains_hold(&app, &supervisor).await;
        mentor.submit(&household).await;
        chains_hold(&app, &supervisor).await;
    }

    async fn what_was_made_before_the_phone_heard_of_it_arrives(app: TestApp) {
        let (mentor, other, supervisor) = (app.mentor().await, app.other_mentor().await, app.supervisor().await);
        let there = other.a_household().await["place"].clone();
        let household = mentor.a_household().await;
        let planned = json!({ "id": id(), "household": household["id"], "mentor": mentor.member(), "kind": "scheduled", "planned_at": app.clock.now() });
        mentor.command("visit.plan", planned.clone()).await.ok();
        let mut losing = Phone::new(&mentor);
        losing.sync(&[]).await;
        supervisor.command("household.move", moving(&household, &there)).await.ok();
        // Made offline, long after the move, on a phone that has not heard.
        let at = |kind: &str, body: Value| { let mut one = command(kind, body); one["at"] = (app.clock.now() + 30 * 86_400_000).into(); one };
        let (new, mut first) = (mentor.visit(&household), mentor.visit(&household));
        first.body["id"] = planned["id"].clone();
        let text = first.body["signature"]["record"].as_str().unwrap().replace(&first.id, planned["id"].as_str().unwrap());
        first.body["signature"] = signing::signed(&mentor, text);
        let work = [
            at("visit.submit", new.body.clone()),
            at("visit.submit", first.body.clone()),
            at("household.update", json!({ "id": household["id"], "changes": { "notes": { "was": null, "now": "by the mill" } } })),
            at("consent.give", json!({ "id": id(), "household": household["id"], "purpose": "programme", "evidence": [], "signature": signing::consent(&mentor, &household) })),
        ];
        let results = losing.sync(&work).await;
        let statuses: Vec<&str> = results.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert!(statuses.iter().all(|status| *status == "applied" || *status == "conflict"), "{results}");
        let visits = other.records("visit").await;
        let ids = [json!(new.id), planned["id"].clone()];
        assert!(ids.iter().all(|id| visits.iter().any(|visit| visit["id"] == *id && visit["place"] == there)));
        assert!(losing.held.keys().all(|(_, id)| *id != household["id"].as_str().unwrap()), "the household left the phone");
        for capture in 0..2 {
            assert_eq!(mentor.upload(&new.captures[capture], &new.photos[capture]).await.status, 204);
        }
        other.settled(new.captures[0]["id"].as_str().unwrap()).await;
        // Now it knows: what is made from here on is not its own any more.
        let late = losing.sync(&[at("visit.submit", mentor.visit(&household).body)]).await;
        assert_eq!(late[0]["code"], "not_found");
        mentor.command("household.update", json!({ "id": household["id"], "changes": {} })).await.ok();
        chains_hold(&app, &supervisor).await;
    }

    async fn a_merged_household_does_not_move_and_the_other_one_does(app: TestApp) {
        let (mentor, other, supervisor) = (app.mentor().await, app.other_mentor().await, app.supervisor().await);
        let there = other.a_household().await["place"].clone();
        let homes = mentor.records("household").await;
        let (keep, drop) = (&homes[0], &homes[1]);
        let merge = json!({ "keep": keep["id"], "drop": drop["id"], "revision_keep": keep["revision"], "revision_drop": drop["revision"], "choose": {} });
        supervisor.command("household.merge", merge).await.ok();
        let read = async |home: &Value| supervisor.record("household", home["id"].as_str().unwrap()).await.unwrap();
        supervisor.command("household.move", moving(&read(drop).await, &there)).await.refused(422, "merged");
        supervisor.command("household.move", moving(&read(keep).await, &there)).await.ok();
        supervisor.command("household.unmerge", json!({ "id": drop["id"] })).await.ok();
        assert!(read(drop).await["merged_into"].is_null() && read(keep).await["merges"].is_null());
    }
}
