//! Grants as people in tests make them: a programme with money, a household that takes part, a policy, and every command on
//! the way.

use kilele::auth::Role;
use serde_json::{Value, json};

use crate::cast::in_role;
use crate::enrolling::{enrol, go, programme};
use crate::{Answer, Person, TestApp, Uuid, id, pictures, signing};

/// One of each who has a part in a grant, and a programme with its two policies.
pub struct Office {
    pub admin: Person,
    pub mentor: Person,
    pub supervisor: Person,
    pub evaluator: Person,
    pub manager: Person,
    pub executive: Person,
    pub programme: Value,
    pub seed: Value,
    pub performance: Value,
}

/// 10,000,000 shillings, less than which no test asks for unless it says so.
pub const BUDGET: i64 = 1_000_000_000;

impl Office {
    pub async fn open(app: &TestApp) -> Self {
        Self::with_budget(app, BUDGET).await
    }

    pub async fn with_budget(app: &TestApp, budget: i64) -> Self {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let evaluator = in_role(app, org, "eva", Role::Evaluator, vec![]).await;
        let manager = in_role(app, org, "mgr", Role::ProgrammeManager, vec![]).await;
        let executive = in_role(app, org, "exec", Role::Approver, vec![]).await;
        let programme = programme(&admin, json!({ "budget_minor": budget })).await;
        let seed = policy(&manager, &programme, "SB", json!({})).await;
        let performance = policy(&manager, &programme, "PR", json!({})).await;
        Self { admin, mentor, supervisor, evaluator, manager, executive, programme, seed, performance }
    }

    /// A household of the mentor's that takes part; the n-th of them.
    pub async fn household(&self, n: usize) -> Value {
        let household = self.mentor.records("household").await[n].clone();
        let one = enrol(&self.mentor, &household, &self.programme).await;
        for event in ["screen", "send_to_verify", "verify", "approve", "activate"] {
            go(&self.supervisor, &one, event).await.ok();
        }
        household
    }

    /// Applied for, reviewed and recommended. Answers its id.
    pub async fn recommended(&self, household: &Value) -> String {
        let body = application(&self.mentor, household, &self.seed);
        self.mentor.command("grant.submit", body.clone()).await.ok();
        let grant = body["id"].as_str().unwrap().to_owned();
        decide(&self.supervisor, &grant, "review").await.ok();
        decide(&self.supervisor, &grant, "recommend").await.ok();
        grant
    }

    pub async fn approved(&self, household: &Value) -> String {
        let grant = self.recommended(household).await;
        decide(&self.executive, &grant, "approve").await.ok();
        grant
    }

    /// Approved, and its one part on the way.
    pub async fn released(&self, household: &Value) -> String {
        let grant = self.approved(household).await;
        release(&self.manager, &grant).await.ok();
        grant
    }

    pub async fn budget(&self) -> Value {
        let programme = self.programme["id"].as_str().unwrap();
        self.executive.get(&format!("/api/programmes/{programme}/budget")).await.ok()
    }
}

/// A policy that ships, in this programme, with some facts changed.
pub async fn policy(by: &Person, programme: &Value, key: &str, over: Value) -> Value {
    save_policy(by, &id(), facts(programme, key, over), None).await.ok()
}

pub fn facts(programme: &Value, key: &str, over: Value) -> Value {
    let text = match key {
        "SB" => include_str!("../../instruments/policy-SB-1.json"),
        _ => include_str!("../../instruments/policy-PR-1.json"),
    };
    let mut facts: Value = serde_json::from_str(text).unwrap();
    facts["programme"] = programme["id"].clone();
    for (field, value) in over.as_object().unwrap() {
        facts[field] = value.clone();
    }
    facts
}

pub async fn save_policy(by: &Person, policy: &str, facts: Value, revision: Option<i64>) -> Answer {
    by.put(&format!("/api/policies/{policy}"), &json!({ "policy": facts, "revision": revision })).await
}

/// The body of `grant.submit` for a household alone: rural retail after all of the training, 15,000 × 0.9 × 1.05 × 1.1.
pub fn application(by: &Person, household: &Value, policy: &Value) -> Value {
    let grant = id();
    let (answers, amount) = match policy["key"].as_str() {
        Some("SB") => (json!({ "business": "retail", "setting": "rural", "training": 100 }), 1_559_300),
        _ => (json!({}), 1_000_000),
    };
    json!({
        "id": grant, "policy": policy["id"], "version": policy["version"], "household": household["id"],
        "plan": {
            "description": "A kiosk by the road.", "projected_income_minor": 900_000, "monthly_expenses_minor": 400_000,
            "startup_minor": 1_200_000,
            "items": [{ "what": "Stock", "quantity": 1, "unit_minor": amount - 100_000 }, { "what": "Table", "quantity": 2, "unit_minor": 50_000 }],
        },
        "answers": answers, "amount_minor": amount, "note": "",
        "signatures": [statement(by, "grant", &grant, "grant_application", &household["head_name"])],
    })
}

/// What somebody signed under a statement of this template.
pub fn statement(by: &Person, kind: &str, subject: &str, template: &str, name: &Value) -> Value {
    let ink = kilele_media::drawn::scribble(3);
    let record = signing::content(by, subject, name, json!(ink.strokes))
        .replace("\"subject_kind\":\"visit\"", &format!("\"subject_kind\":\"{kind}\""))
        .replace("\"template\":\"visit\"", &format!("\"template\":\"{template}\""));
    signing::signed(by, record)
}

/// The body of a decision on the grant as it is now.
pub async fn deciding(by: &Person, grant: &str, event: &str) -> Value {
    let now = by.get(&format!("/api/grants/{grant}")).await.ok();
    let mut body = json!({ "id": grant, "revision": now["revision"], "event": event, "reason": "as the test says" });
    if event == "recommend" {
        body["score"] = 80.into();
    }
    if event == "approve" {
        body["amount_minor"] = now["amount"]["amount_minor"].clone();
    }
    body
}

pub async fn decide(by: &Person, grant: &str, event: &str) -> Answer {
    by.command("grant.move", deciding(by, grant, event).await).await
}

/// The first part that is `state`, and the grant's revision.
pub async fn part(by: &Person, grant: &str, state: &str) -> (Value, Value) {
    let now = by.get(&format!("/api/grants/{grant}")).await.ok();
    let part = now["tranches"].as_array().unwrap().iter().find(|part| part["state"] == state).cloned();
    (part.unwrap_or_default(), now["revision"].clone())
}

/// Releases the next part, under a reference of its own.
pub async fn release(by: &Person, grant: &str) -> Answer {
    let (part, revision) = part(by, grant, "scheduled").await;
    by.command(
        "grant.release",
        json!({
            "id": grant, "revision": revision, "tranche": part["id"], "method": "mobile_money", "reference": format!("MP-{}", id()),
            "released_on": "2026-09-22",
        }),
    )
    .await
}

/// The body of `grant.acknowledge` for a part, over its whole amount.
pub fn receiving(by: &Person, household: &Value, grant: &str, part: &Value) -> Value {
    let one = id();
    json!({
        "id": one, "grant": grant, "tranche": part["id"], "amount_minor": part["amount_minor"], "note": "",
        "position": { "no_gps_reason": "no_fix" },
        "evidence": [pictures::capture(&pictures::photo(5), "front")],
        "signature": statement(by, "acknowledgement", &one, "grant_acknowledgement", &household["head_name"]),
    })
}

pub async fn receive(by: &Person, household: &Value, grant: &str) -> Answer {
    let (part, _) = part(by, grant, "released").await;
    by.command("grant.acknowledge", receiving(by, household, grant, &part)).await
}

/// What becomes of the first part in this state.
pub async fn change_part(by: &Person, grant: &str, state: &str, event: &str) -> Answer {
    let (part, revision) = part(by, grant, state).await;
    let body =
        json!({ "id": grant, "revision": revision, "tranche": part["id"], "event": event, "reason": "as the test says" });
    by.command("grant.tranche", body).await
}

/// The body of `grant.utilise`.
pub fn report(grant: &str) -> Value {
    json!({
        "id": id(), "grant": grant, "note": "", "items": [{ "what": "Stock", "amount_minor": 1_400_000, "on": "2026-09-25" }],
        "evidence": [pictures::capture(&pictures::photo(6), "receipt")],
    })
}

pub async fn verify(by: &Person, grant: &str, verdict: &str) -> Answer {
    let now = by.get(&format!("/api/grants/{grant}")).await.ok();
    let body = json!({ "id": grant, "revision": now["revision"], "verdict": verdict, "reason": "as the test says" });
    by.command("grant.verify", body).await
}
