//! A server, the people who work with it, and everything it ever answered.

use std::collections::BTreeMap;

use kilele::clock::new_id;
use kilele::planted::Mistake;
use kilele_tests::signing::DeviceKey;
use kilele_tests::{Engine, Person, TestApp};
use serde_json::{Value, json};

pub const AMINA: usize = 0;
pub const JUMA: usize = 1;
pub const GRACE: usize = 2;

pub struct World {
    pub app: TestApp,
    pub admin: Person,
    /// Amina, Juma, Grace (who supervises both), a second phone of Amina's, a second of Juma's.
    pub people: Vec<Person>,
    /// Two villages, and who has each: Amina or Juma.
    pub villages: [String; 2],
    pub holder: [usize; 2],
    /// The other villages of each mentor, which stay.
    rest: [Vec<Value>; 2],
}

impl World {
    pub async fn spawn(engine: Engine, mistake: Option<Mistake>) -> Self {
        let app = TestApp::spawn(engine).await;
        app.app.planted.plant(mistake);
        let admin = app.admin().await;
        let mut people = Vec::new();
        for login in ["amina.mentor", "juma.mentor", "grace.supervisor", "amina.mentor", "juma.mentor"] {
            people.push(Person::sign_in(&app, login, new_id(), Some(DeviceKey::default())).await);
        }
        let places = |person: &Person| person.session["member"]["places"].as_array().unwrap().clone();
        let mut rest = [places(&people[AMINA]), places(&people[JUMA])];
        let villages = [AMINA, JUMA].map(|who| rest[who].remove(0).as_str().unwrap().to_owned());
        Self { app, admin, people, villages, holder: [AMINA, JUMA], rest }
    }

    pub fn now(&self) -> i64 {
        self.app.clock.now()
    }

    /// Whose phone it is: Amina's second is Amina's.
    pub fn member(&self, person: usize) -> String {
        self.people[person].member()
    }

    /// Gives a village to one of the two mentors.
    pub async fn give(&mut self, village: usize, to: usize) {
        if self.holder[village] == to {
            return;
        }
        self.holder[village] = to;
        let supervisor = self.member(GRACE);
        for who in [AMINA, JUMA] {
            let mut places = self.rest[who].clone();
            let held = (0..2).filter(|v| self.holder[*v] == who).map(|v| json!(self.villages[v]));
            places.extend(held);
            let change = json!({ "role": "mentor", "supervisor": supervisor, "places": places, "active": true });
            self.admin.put(&format!("/api/members/{}", self.member(who)), &change).await.ok();
        }
    }

    /// Three households in the two villages, made for one history.
    pub async fn households(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for n in 0..3 {
            let id = new_id().to_string();
            let household = json!({ "id": id, "place": self.villages[n % 2], "head_name": format!("Head {n}"),
                                    "notes": "as registered", "monthly_income_minor": 0 });
            self.people[GRACE].command("household.register", json!({ "household": household })).await.ok();
            ids.push(id);
        }
        ids
    }

    /// Where every feed of a person stands now; a phone that starts here holds nothing.
    pub async fn cursors(&self, person: usize) -> BTreeMap<String, i64> {
        let mut cursors = BTreeMap::new();
        loop {
            let answer = self.people[person].sync(&json!(cursors), &[]).await;
            for (feed, news) in answer["feeds"].as_object().unwrap() {
                cursors.insert(feed.clone(), news["revision"].as_i64().unwrap());
            }
            if answer["more"] == false {
                return cursors;
            }
        }
    }

    /// One query to the server's own tables.
    pub async fn count(&self, sql: &'static str, about: &str) -> i64 {
        let about: kilele_tests::Uuid = about.parse().unwrap();
        let (count,): (i64,) = self.app.app.db.query(sql).bind(about).one().await.unwrap();
        count
    }
}
