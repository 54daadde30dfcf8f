//! A grant from the application to the report on its use: who may do what, what the money does, and what is kept although it
//! does not count.

use kilele::clock::DAY;
use kilele::grants::{Event, State};
use kilele::members::NewMember;
use kilele_tests::cast::join;
use kilele_tests::granting::{
    Office, application, change_part, decide, deciding, part, receive, receiving, release, report, save_policy, statement,
    verify,
};
use kilele_tests::{Person, TestApp, Uuid, both, command, id, pictures};
use serde_json::{Value, json};

async fn grant(by: &Person, one: &str) -> Value {
    by.get(&format!("/api/grants/{one}")).await.ok()
}

async fn state(by: &Person, one: &str) -> String {
    grant(by, one).await["state"].as_str().unwrap().to_owned()
}

fn money(budget: &Value) -> (i64, i64) {
    (budget["committed_minor"].as_i64().unwrap(), budget["released_minor"].as_i64().unwrap())
}

both! {
    async fn from_the_application_to_the_verified_use(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let body = application(&office.mentor, &household, &office.seed);
        office.mentor.command("grant.submit", body.clone()).await.ok();
        let one = body["id"].as_str().unwrap();
        let now = grant(&office.mentor, one).await;
        assert!(now["number"].as_str().unwrap().starts_with("GRT-20"));
        assert_eq!((now["amount"]["amount_minor"].as_i64(), &now["phone_amount_minor"]), (Some(1_559_300), &Value::Null));
        assert_eq!(now["policy"]["key"], "SB");
        let told = office.supervisor.records("inbox").await;
        assert!(told.iter().any(|entry| entry["kind"] == "grant_submitted" && entry["params"]["who"] == household["head_name"]));

        decide(&office.mentor, one, "review").await.refused(422, "forbidden");
        decide(&office.supervisor, one, "recommend").await.refused(422, "wrong_state");
        decide(&office.supervisor, one, "review").await.ok();
        let mut low = deciding(&office.supervisor, one, "recommend").await;
        low["score"] = 59.into();
        office.supervisor.command("grant.move", low).await.refused(422, "score_too_low");
        decide(&office.supervisor, one, "recommend").await.ok();
        decide(&office.supervisor, one, "approve").await.refused(422, "forbidden");
        let mut other = deciding(&office.executive, one, "approve").await;
        other["amount_minor"] = 1.into();
        office.executive.command("grant.move", other).await.refused(422, "stale");
        decide(&office.executive, one, "approve").await.ok();
        assert_eq!(money(&office.budget().await), (1_559_300, 0));

        decide(&office.executive, one, "close").await.refused(422, "forbidden");
        release(&office.executive, one).await.refused(422, "forbidden");
        release(&office.manager, one).await.ok();
        assert_eq!((state(&office.mentor, one).await, money(&office.budget().await)), ("disbursing".into(), (1_559_300, 1_559_300)));
        let (there, _) = part(&office.mentor, one, "released").await;
        let mut faceless = receiving(&office.mentor, &household, one, &there);
        faceless["evidence"] = json!([pictures::capture(&pictures::photo(5), "back")]);
        office.mentor.command("grant.acknowledge", faceless).await.refused(422, "evidence_missing");
        let mut under = receiving(&office.mentor, &household, one, &there);
        under["signature"] = statement(&office.mentor, "acknowledgement", under["id"].as_str().unwrap(), "visit", &household["head_name"]);
        office.mentor.command("grant.acknowledge", under).await.refused(422, "signature_invalid");
        let photo = pictures::photo(5);
        let receipt = receiving(&office.mentor, &household, one, &there);
        office.mentor.command("grant.acknowledge", receipt.clone()).await.ok();
        assert_eq!(office.mentor.upload(&receipt["evidence"][0], &photo).await.status, 204);
        let now = grant(&office.mentor, one).await;
        assert_eq!((now["state"].as_str(), now["utilisation"]["state"].as_str()), (Some("disbursed"), Some("due")));
        let kept = office.supervisor.record("acknowledgement", receipt["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((kept["counted"].as_bool(), &kept["flag"]), (Some(true), &Value::Null));

        // The ladder climbed by itself.
        let enrolment = office.mentor.records("enrolment").await[0].clone();
        let done: Vec<i64> = enrolment["milestones"].as_array().unwrap().iter()
            .filter(|rung| rung["state"] == "completed").map(|rung| rung["number"].as_i64().unwrap()).collect();
        assert_eq!(done, [3, 4, 5]);

        let used = report(one);
        office.mentor.command("grant.utilise", used.clone()).await.ok();
        verify(&office.mentor, one, "verify").await.refused(422, "forbidden");
        verify(&office.supervisor, one, "return").await.ok();
        let mut again = used;
        again["items"][0]["amount_minor"] = 1_559_300.into();
        office.mentor.command("grant.utilise", again).await.ok();
        verify(&office.supervisor, one, "verify").await.ok();
        assert_eq!(state(&office.mentor, one).await, "utilised");
        decide(&office.supervisor, one, "close").await.ok();
        let steps: Vec<String> = grant(&office.mentor, one).await["history"].as_array().unwrap().iter()
            .map(|step| step["event"].as_str().unwrap().to_owned()).collect();
        assert_eq!(steps, ["submit", "review", "recommend", "approve", "release", "receive", "utilise", "close"]);
        let ledger = office.manager.get(&format!("/api/grants/{one}/ledger")).await.ok();
        let kinds: Vec<&str> = ledger["items"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["commit", "release"]);
    }

    async fn no_two_parts_are_one_persons_whatever_else_they_are(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let org: Uuid = office.admin.org().parse().unwrap();
        // Somebody who may do everything, as the organisation's own role.
        let everything = json!({ "name": "Everything", "scope": "organisation", "levels": {
            "households": "approve", "visits": "approve", "programmes": "approve", "grants": "approve", "places": "read", "members": "read" } });
        let role = office.admin.post("/api/roles", &everything).await.ok();
        let custom_role = Some(role["id"].as_str().unwrap().parse().unwrap());
        let new = NewMember { login: "all".into(), role: kilele::auth::Role::Custom, custom_role, ..NewMember::default() };
        let all = join(&app, org, new).await;

        let body = application(&all, &household, &office.seed);
        all.command("grant.submit", body.clone()).await.ok();
        let one = body["id"].as_str().unwrap();
        decide(&all, one, "review").await.refused(422, "same_person");
        decide(&office.evaluator, one, "review").await.ok();
        decide(&office.evaluator, one, "recommend").await.ok();
        decide(&all, one, "approve").await.refused(422, "same_person");
        // Nor by sync, nor among others.
        let by_sync = command("grant.move", deciding(&all, one, "approve").await);
        assert_eq!(all.sync(&json!({}), &[by_sync]).await["results"][0]["code"], "same_person");
        decide(&office.manager, one, "approve").await.ok();
        release(&office.manager, one).await.refused(422, "same_person");
        release(&all, one).await.refused(422, "same_person");

        // Another grant: whoever reviewed neither approves nor releases; whoever released does not sign for it.
        let second = office.household(1).await;
        let body = application(&office.mentor, &second, &office.seed);
        office.mentor.command("grant.submit", body.clone()).await.ok();
        let two = body["id"].as_str().unwrap();
        decide(&office.manager, two, "review").await.ok();
        decide(&office.manager, two, "recommend").await.ok();
        decide(&office.manager, two, "approve").await.refused(422, "same_person");
        decide(&office.executive, two, "approve").await.ok();
        release(&office.manager, two).await.refused(422, "same_person");
        release(&all, two).await.ok();
        receive(&all, &second, two).await.refused(422, "same_person");
        receive(&office.mentor, &second, two).await.ok();
        office.mentor.command("grant.utilise", report(two)).await.ok();
        verify(&office.evaluator, two, "verify").await.ok();
    }

    async fn what_is_returned_comes_again_and_what_is_rejected_does_not(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let mut body = application(&office.mentor, &household, &office.seed);
        office.mentor.command("grant.submit", body.clone()).await.ok();
        let one = body["id"].as_str().unwrap().to_owned();
        let twin = application(&office.mentor, &household, &office.seed);
        office.mentor.command("grant.submit", twin).await.refused(422, "granted");
        let mut wordless = deciding(&office.supervisor, &one, "return").await;
        wordless["reason"] = " ".into();
        office.supervisor.command("grant.move", wordless).await.refused(422, "invalid");
        decide(&office.supervisor, &one, "return").await.ok();
        assert!(office.mentor.records("inbox").await.iter().any(|entry| entry["kind"] == "grant_returned"));
        office.mentor.command("grant.submit", body.clone()).await.refused(422, "stale");
        body["revision"] = grant(&office.mentor, &one).await["revision"].clone();
        body["plan"]["description"] = "A larger kiosk.".into();
        body["signatures"] = json!([statement(&office.mentor, "grant", &one, "grant_application", &household["head_name"])]);
        office.mentor.command("grant.submit", body.clone()).await.ok();
        assert_eq!(grant(&office.mentor, &one).await["plan"]["description"], "A larger kiosk.");
        decide(&office.supervisor, &one, "reject").await.ok();
        body["revision"] = grant(&office.mentor, &one).await["revision"].clone();
        office.mentor.command("grant.submit", body).await.refused(422, "wrong_state");
        // The household may ask anew.
        let anew = application(&office.mentor, &household, &office.seed);
        office.mentor.command("grant.submit", anew.clone()).await.ok();
        decide(&office.mentor, anew["id"].as_str().unwrap(), "cancel").await.ok();
    }

    async fn applications_that_do_not_fit_are_refused_with_the_reason(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let fresh = || application(&office.mentor, &household, &office.seed);
        let stranger = office.mentor.records("household").await[1].clone();
        office.mentor.command("grant.submit", application(&office.mentor, &stranger, &office.seed)).await.refused(422, "not_enrolled");
        for (change, code) in [
            (json!({ "signatures": [] }), "signature_missing"),
            (json!({ "group": id() }), "invalid"),
            (json!({ "household": null }), "invalid"),
            (json!({ "household": id() }), "not_found"),
            (json!({ "policy": id() }), "not_found"),
            (json!({ "version": 9 }), "not_found"),
            (json!({ "answers": {} }), "invalid"),
            (json!({ "answers": { "business": "bank", "setting": "rural", "training": 100 } }), "invalid"),
            (json!({ "answers": { "business": "retail", "setting": "rural", "training": 101 } }), "invalid"),
            (json!({ "answers": { "business": "retail", "setting": "rural", "training": 100, "more": 1 } }), "invalid"),
            (json!({ "amount_minor": 1_559_299 }), "items_differ"),
            (json!({ "amount_minor": -1 }), "invalid"),
        ] {
            let mut body = fresh();
            for (field, value) in change.as_object().unwrap() {
                body[field] = value.clone();
            }
            office.mentor.command("grant.submit", body).await.refused(422, code);
        }
        for (field, value, code) in [
            ("description", json!(" "), "invalid"),
            ("projected_income_minor", json!(399_999), "expenses_not_covered"),
            ("startup_minor", json!(3_118_601), "startup_too_high"),
            ("items", json!([]), "invalid"),
            ("items", json!([{ "what": "x", "quantity": 0, "unit_minor": 5 }]), "invalid"),
            ("items", json!([{ "what": "x", "quantity": 10_000, "unit_minor": 100_000_000_000_i64 }]), "items_differ"),
        ] {
            let mut body = fresh();
            body["plan"][field] = value;
            office.mentor.command("grant.submit", body).await.refused(422, code);
        }
        // A phone that counted otherwise is heard of, and the server's amount stands.
        let mut odd = fresh();
        odd["amount_minor"] = 1_600_000.into();
        odd["plan"]["items"] = json!([{ "what": "Stock", "quantity": 1, "unit_minor": 1_600_000 }]);
        office.mentor.command("grant.submit", odd.clone()).await.ok();
        let kept = grant(&office.mentor, odd["id"].as_str().unwrap()).await;
        assert_eq!((&kept["amount"]["amount_minor"], &kept["phone_amount_minor"]), (&json!(1_559_300), &json!(1_600_000)));
        // Out of scope it is not there at all.
        let other = app.other_mentor().await;
        other.get(&format!("/api/grants/{}", odd["id"].as_str().unwrap())).await.refused(404, "not_found");
        let far = other.records("household").await[0].clone();
        office.mentor.command("grant.submit", application(&office.mentor, &far, &office.seed)).await.refused(422, "not_found");
        assert!(other.get("/api/grants").await.ok()["items"].as_array().unwrap().is_empty());
    }

    async fn a_version_that_a_phone_had_still_counts_until_the_policy_ends(app: TestApp) {
        let office = Office::open(&app).await;
        let (first, second, third) = (office.household(0).await, office.household(1).await, office.household(2).await);
        let old = application(&office.mentor, &first, &office.seed);
        let id = office.seed["id"].as_str().unwrap();
        let mut facts = office.seed.clone();
        for field in ["id", "version", "updated_at", "revision"] {
            facts.as_object_mut().unwrap().remove(field);
        }
        facts["base_minor"] = 1_200_000.into();
        save_policy(&office.manager, id, facts.clone(), None).await.refused(409, "stale");
        let next = save_policy(&office.manager, id, facts.clone(), office.seed["revision"].as_i64()).await.ok();
        assert_eq!(next["version"], 2);
        office.mentor.command("grant.submit", old.clone()).await.ok();
        let kept = grant(&office.mentor, old["id"].as_str().unwrap()).await;
        assert_eq!((&kept["policy"]["version"], &kept["amount"]["amount_minor"]), (&json!(1), &json!(1_559_300)));
        let mut new = application(&office.mentor, &second, &next);
        new["amount_minor"] = 1_247_400.into();
        new["plan"]["items"] = json!([{ "what": "Stock", "quantity": 1, "unit_minor": 1_247_400 }]);
        office.mentor.command("grant.submit", new.clone()).await.ok();
        assert_eq!(grant(&office.mentor, new["id"].as_str().unwrap()).await["phone_amount_minor"], Value::Null);
        // What is asked for later is not asked of who signed by an earlier version.
        facts["needs"]["milestones"] = json!([8]);
        let strict = save_policy(&office.manager, id, facts.clone(), next["revision"].as_i64()).await.ok();
        let mut asked = application(&office.mentor, &third, &strict);
        asked["amount_minor"] = 1_247_400.into();
        asked["plan"]["items"] = json!([{ "what": "Stock", "quantity": 1, "unit_minor": 1_247_400 }]);
        office.mentor.command("grant.submit", asked).await.refused(422, "needs_missing");
        office.mentor.command("grant.submit", application(&office.mentor, &third, &office.seed)).await.ok();
        facts["active"] = false.into();
        save_policy(&office.manager, id, facts.clone(), strict["revision"].as_i64()).await.ok();
        let late = application(&office.mentor, &third, &office.seed);
        office.mentor.command("grant.submit", late).await.refused(422, "policy_closed");
        // Rules of policies: one example of each field.
        for (field, value) in [
            ("tranches", json!([60, 30])), ("key", json!("x")), ("base_minor", json!(0)), ("least_minor", json!(9_000_000)),
            ("step_minor", json!(0)), ("name", json!({ "en": "", "sw": "x" })), ("score_least", json!(101)),
            ("factors", json!([{ "key": "f", "label": { "en": "x", "sw": "x" }, "input": "nobody", "bands": [{ "by": 1, "below": 3 }], "otherwise": 1 }])),
            ("factors", json!([{ "key": "f", "label": { "en": "x", "sw": "x" }, "input": "business", "bands": [{ "by": 1, "one_of": ["bank"] }], "otherwise": 1 }])),
            ("needs", json!({ "grant": "SB", "utilised": false, "health": [], "milestones": [] })),
            ("needs", json!({ "utilised": true, "health": ["blue"], "milestones": [] })),
        ] {
            let mut wrong = facts.clone();
            wrong[field] = value;
            let answer = save_policy(&office.manager, &kilele_tests::id(), wrong, None).await;
            answer.refused(422, "invalid");
        }
        save_policy(&office.mentor, &kilele_tests::id(), facts.clone(), None).await.refused(403, "forbidden");
        save_policy(&office.manager, &kilele_tests::id(), facts, None).await.refused(409, "key_taken");
    }

    async fn fifty_approvals_at_once_never_exceed_the_budget(app: TestApp) {
        // Enough for five of them, and a little more.
        let office = Office::with_budget(&app, 5 * 1_559_300 + 500).await;
        let mut ready = Vec::new();
        for n in 0..8 {
            ready.push(office.recommended(&office.household(n).await).await);
        }
        let mut bodies = Vec::new();
        for one in &ready {
            bodies.push(deciding(&office.executive, one, "approve").await);
        }
        // Each of them seven times, as 56 commands of their own.
        let work = bodies.iter().flat_map(|body| (0..7).map(|_| office.executive.command("grant.move", body.clone())));
        let answers = futures_util::future::join_all(work).await;
        let approved = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(approved, 5);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!(["over_budget", "stale", "wrong_state"].contains(&answer.body["code"].as_str().unwrap()), "{:?}", answer.body);
        }
        assert_eq!(money(&office.budget().await), (5 * 1_559_300, 0));
        let org: Uuid = office.admin.org().parse().unwrap();
        let (sum,): (i64,) = app.app.db.query("SELECT CAST(SUM(amount_minor) AS BIGINT) FROM ledger WHERE org = $1 AND kind = 'commit'")
            .bind(org).one().await.unwrap();
        assert_eq!(sum, 5 * 1_559_300, "the total is the sum");
        // Less than is committed is no budget.
        let programme = office.programme["id"].as_str().unwrap();
        let listed = office.admin.get("/api/programmes").await.ok();
        let revision = listed["items"].as_array().unwrap().iter().find(|p| p["id"] == programme).unwrap()["revision"].as_i64();
        let over = json!({ "budget_minor": 5 * 1_559_300 - 1, "code": office.programme["code"] });
        kilele_tests::enrolling::save_programme(&office.admin, programme, over, revision).await.refused(409, "budget_committed");
        // What is cancelled makes room for one more.
        let one = office.executive.get("/api/grants?state=approved").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        decide(&office.executive, &one, "cancel").await.ok();
        let waiting = office.executive.get("/api/grants?state=recommended").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        decide(&office.executive, &waiting, "approve").await.ok();
        assert_eq!(money(&office.budget().await), (5 * 1_559_300, 0));
    }

    async fn limits_budgets_and_references(app: TestApp) {
        let office = Office::open(&app).await;
        let mut facts = office.performance.clone();
        for field in ["id", "version", "updated_at", "revision"] {
            facts.as_object_mut().unwrap().remove(field);
        }
        for (field, value) in [("needs", json!({ "utilised": false, "health": [], "milestones": [] })), ("manager_limit_minor", json!(999_999)), ("tranches", json!([60, 40]))] {
            facts[field] = value;
        }
        let policy = save_policy(&office.manager, office.performance["id"].as_str().unwrap(), facts, office.performance["revision"].as_i64()).await.ok();
        let household = office.household(0).await;
        let body = application(&office.mentor, &household, &policy);
        office.mentor.command("grant.submit", body.clone()).await.ok();
        let one = body["id"].as_str().unwrap().to_owned();
        decide(&office.supervisor, &one, "review").await.ok();
        decide(&office.supervisor, &one, "recommend").await.ok();
        decide(&office.manager, &one, "approve").await.refused(422, "over_limit");
        decide(&office.executive, &one, "approve").await.ok();
        let parts: Vec<i64> = grant(&office.mentor, &one).await["tranches"].as_array().unwrap().iter().map(|p| p["amount_minor"].as_i64().unwrap()).collect();
        assert_eq!(parts, [600_000, 400_000]);
        // A reference names one payment.
        let (first, revision) = part(&office.manager, &one, "scheduled").await;
        let paying = |tranche: &Value, revision: &Value, reference: &str| json!({
            "id": one, "revision": revision, "tranche": tranche["id"], "method": "bank", "reference": reference, "released_on": "2026-09-22" });
        office.manager.command("grant.release", paying(&first, &revision, " ")).await.refused(422, "invalid");
        office.manager.command("grant.release", paying(&first, &revision, "B-1")).await.ok();
        office.manager.command("grant.release", paying(&first, &revision, "B-2")).await.refused(422, "stale");
        let (second, revision) = part(&office.manager, &one, "scheduled").await;
        office.manager.command("grant.release", paying(&second, &revision, "B-1")).await.refused(422, "reference_taken");
        receive(&office.mentor, &household, &one).await.ok();
        assert_eq!(state(&office.mentor, &one).await, "disbursing", "half of it is still to come");
        release(&office.manager, &one).await.ok();
        receive(&office.mentor, &household, &one).await.ok();
        assert_eq!(state(&office.mentor, &one).await, "disbursed");
        // Without a budget nothing is promised.
        let none = kilele_tests::enrolling::programme(&office.admin, json!({ "budget_minor": null })).await;
        let seed = kilele_tests::granting::policy(&office.manager, &none, "SB", json!({})).await;
        let poor = Office { programme: none, seed, ..office };
        let grant = poor.recommended(&poor.household(1).await).await;
        decide(&poor.executive, &grant, "approve").await.refused(422, "no_budget");
    }

    async fn what_arrives_too_late_is_kept_and_flagged_and_does_not_count(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let one = office.released(&household).await;
        // On the phone, without a network: signed for. Meanwhile it is cancelled.
        let (there, _) = part(&office.mentor, &one, "released").await;
        let photo = pictures::photo(5);
        let signed = receiving(&office.mentor, &household, &one, &there);
        decide(&office.manager, &one, "cancel").await.ok();
        assert_eq!(money(&office.budget().await), (0, 0));
        office.mentor.command("grant.acknowledge", signed.clone()).await.ok();
        let kept = office.supervisor.record("acknowledgement", signed["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((kept["counted"].as_bool(), kept["flag"].as_str()), (Some(false), Some("cancelled")));
        assert_eq!(office.mentor.upload(&signed["evidence"][0], &photo).await.status, 204);
        let shown = signed["signature"]["record"].as_str().unwrap();
        let signature: Value = serde_json::from_str(shown).unwrap();
        let proof = office.supervisor.get(&format!("/api/signatures/{}/verify", signature["id"].as_str().unwrap())).await.ok();
        assert_eq!(proof["valid"], true, "{proof}");
        assert_eq!((state(&office.mentor, &one).await, money(&office.budget().await)), ("cancelled".into(), (0, 0)));
        assert!(office.supervisor.records("inbox").await.iter().any(|entry| entry["kind"] == "grant_flagged"));

        let second = office.household(1).await;
        let two = office.approved(&second).await;
        let (planned, _) = part(&office.mentor, &two, "scheduled").await;
        let flag = async |body: &Value| office.supervisor.record("acknowledgement", body["id"].as_str().unwrap()).await.unwrap()["flag"].clone();
        let early = receiving(&office.mentor, &second, &two, &planned);
        office.mentor.command("grant.acknowledge", early.clone()).await.ok();
        assert_eq!(flag(&early).await, "not_released");
        release(&office.manager, &two).await.ok();
        let mut less = receiving(&office.mentor, &second, &two, &planned);
        less["amount_minor"] = 1_000_000.into();
        office.mentor.command("grant.acknowledge", less.clone()).await.ok();
        assert_eq!(flag(&less).await, "other_amount");
        receive(&office.mentor, &second, &two).await.ok();
        let again = receiving(&office.mentor, &second, &two, &planned);
        office.mentor.command("grant.acknowledge", again.clone()).await.ok();
        assert_eq!(flag(&again).await, "twice");
        assert_eq!(state(&office.mentor, &two).await, "disbursed");
        let mut unknown = receiving(&office.mentor, &second, &two, &planned);
        unknown["tranche"] = id().into();
        office.mentor.command("grant.acknowledge", unknown).await.refused(422, "not_found");
    }

    async fn disputed_failed_and_reversed_parts(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let one = office.released(&household).await;
        receive(&office.mentor, &household, &one).await.ok();
        change_part(&office.mentor, &one, "acknowledged", "reverse").await.refused(422, "forbidden");
        change_part(&office.mentor, &one, "acknowledged", "dispute").await.ok();
        assert_eq!(state(&office.mentor, &one).await, "disbursing");
        let rung = async || office.mentor.records("enrolment").await[0]["milestones"][4]["state"].clone();
        assert_eq!(rung().await, "in_progress", "the milestone is open again");
        change_part(&office.mentor, &one, "disputed", "uphold").await.refused(422, "forbidden");
        change_part(&office.supervisor, &one, "disputed", "uphold").await.ok();
        assert_eq!((state(&office.mentor, &one).await, rung().await), ("disbursed".into(), "completed".into()));
        change_part(&office.mentor, &one, "acknowledged", "dispute").await.ok();
        change_part(&office.manager, &one, "disputed", "reverse").await.ok();
        assert_eq!(money(&office.budget().await), (1_559_300, 0));
        decide(&office.executive, &one, "cancel").await.ok();
        assert_eq!(money(&office.budget().await), (0, 0));

        // The bank sends it back; it goes once more, under another reference.
        let second = office.household(1).await;
        let two = office.released(&second).await;
        change_part(&office.manager, &two, "released", "uphold").await.refused(422, "wrong_state");
        change_part(&office.manager, &two, "released", "fail").await.ok();
        change_part(&office.manager, &two, "failed", "reverse").await.ok();
        release(&office.manager, &two).await.ok();
        receive(&office.mentor, &second, &two).await.ok();
        assert_eq!((state(&office.mentor, &two).await, money(&office.budget().await)), ("disbursed".into(), (1_559_300, 1_559_300)));
        let ledger = office.manager.get(&format!("/api/grants/{two}/ledger")).await.ok();
        let kinds: Vec<&str> = ledger["items"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["commit", "release", "reverse", "release"]);
        assert_eq!(ledger["items"][2]["reverses"], ledger["items"][1]["id"]);
        decide(&office.manager, &two, "cancel").await.refused(422, "wrong_state");
    }

    async fn the_second_grant_waits_for_the_first_and_for_time(app: TestApp) {
        let office = Office::open(&app).await;
        let household = office.household(0).await;
        let early = application(&office.mentor, &household, &office.performance);
        let answer = office.mentor.command("grant.submit", early).await;
        answer.refused(422, "needs_missing");
        assert!(answer.body["message"].as_str().unwrap().contains("grant, health, milestone, rating"), "{}", answer.body);
        // A policy that asks for no group.
        let alone = json!({ "key": "P2", "needs": { "grant": "SB", "utilised": true, "days_since": 180, "health": [], "milestones": [3, 4], "rating_least": null } });
        let policy = kilele_tests::granting::policy(&office.manager, &office.programme, "PR", alone).await;
        let one = office.released(&household).await;
        receive(&office.mentor, &household, &one).await.ok();
        let asked = async || office.mentor.command("grant.submit", application(&office.mentor, &household, &policy)).await;
        assert!(asked().await.body["message"].as_str().unwrap().contains("days_since, utilised"));
        office.mentor.command("grant.utilise", report(&one)).await.ok();
        verify(&office.supervisor, &one, "verify").await.ok();
        assert!(asked().await.body["message"].as_str().unwrap().ends_with("Missing: days_since."));
        app.clock.shift(181 * DAY);
        let later = app.mentor().await;
        later.command("grant.submit", application(&later, &household, &policy)).await.ok();
    }

    async fn what_is_approved_and_not_released_expires_and_frees_the_money(app: TestApp) {
        let office = Office::open(&app).await;
        let (first, second) = (office.household(0).await, office.household(1).await);
        let (left, gone) = (office.approved(&first).await, office.released(&second).await);
        assert_eq!(kilele::grants::sweep::all(&app.app).await.unwrap(), 0);
        app.clock.shift(91 * DAY);
        // Two copies of the server look at once.
        let (a, b) = tokio::join!(kilele::grants::sweep::all(&app.app), kilele::grants::sweep::all(&app.app));
        assert_eq!(a.unwrap() + b.unwrap(), 1);
        let mentor = app.mentor().await;
        assert_eq!((state(&mentor, &left).await, state(&mentor, &gone).await), ("expired".into(), "disbursing".into()));
        assert!(mentor.records("inbox").await.iter().any(|entry| entry["kind"] == "grant_expired"));
        let programme = office.programme["id"].as_str().unwrap();
        assert_eq!(money(&mentor.get(&format!("/api/programmes/{programme}/budget")).await.ok()), (1_559_300, 1_559_300));
    }

    async fn numbers_are_given_once(app: TestApp) {
        let office = Office::open(&app).await;
        let mut bodies = Vec::new();
        for n in 0..8 {
            bodies.push(application(&office.mentor, &office.household(n).await, &office.seed));
        }
        let answers = futures_util::future::join_all(bodies.iter().map(|body| office.mentor.command("grant.submit", body.clone()))).await;
        answers.into_iter().for_each(|answer| drop(answer.ok()));
        let all = office.mentor.get("/api/grants").await.ok();
        let mut numbers: Vec<&str> = all["items"].as_array().unwrap().iter().map(|g| g["number"].as_str().unwrap()).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 8);
        let page = office.mentor.get("/api/grants?limit=3").await.ok();
        let next = office.mentor.get(&format!("/api/grants?limit=3&after={}", page["next"].as_str().unwrap())).await.ok();
        assert_eq!(next["items"][0]["number"].as_str(), Some(numbers[3]));
    }

    async fn random_steps_by_random_people_keep_the_machines_and_the_money(app: TestApp) {
        let office = Office::with_budget(&app, 3 * 1_559_300).await;
        let org: Uuid = office.admin.org().parse().unwrap();
        let second = kilele_tests::cast::in_role(&app, org, "mgr2", kilele::auth::Role::ProgrammeManager, vec![]).await;
        let crowd = [&office.mentor, &office.supervisor, &office.evaluator, &office.manager, &second, &office.executive];
        let mut homes = Vec::new();
        for n in 0..5 {
            homes.push(office.household(n).await);
        }
        let mut ids: Vec<Option<String>> = vec![None; homes.len()];
        let mut dice = kilele_tests::Dice::new();
        let (mut applied, mut refused) = (0, 0);
        for _ in 0..300 {
            let at = dice.below(homes.len() as u64) as usize;
            let Some(one) = ids[at].clone() else {
                let body = application(&office.mentor, &homes[at], &office.seed);
                office.mentor.command("grant.submit", body.clone()).await.ok();
                ids[at] = body["id"].as_str().map(str::to_owned);
                continue;
            };
            let before = grant(&office.admin, &one).await;
            let was = State::parse(before["state"].as_str().unwrap()).unwrap();
            let first = |wanted: &str| before["tranches"].as_array().unwrap().iter().find(|part| part["state"] == wanted).cloned().unwrap_or_default();
            let stale = dice.below(10) == 0;
            let revision = json!(before["revision"].as_i64().unwrap() - i64::from(stale));
            let moving = |event: &str| json!({ "id": one, "revision": revision, "event": event, "reason": "because", "score": 70, "amount_minor": before["amount"]["amount_minor"] });
            let changing = |state: &str, event: &str| ("grant.tranche", json!({ "id": one, "revision": revision, "tranche": first(state)["id"], "event": event, "reason": "because" }));
            // Two of three fit the state.
            let fitting = match was {
                State::Submitted => 0,
                State::InReview => 2,
                State::Recommended => 4,
                State::Approved => 7,
                State::Disbursing => [7, 10, 11, 12, 13, 14][dice.below(6) as usize],
                State::Disbursed => [12, 15, 16][dice.below(3) as usize],
                _ => 6,
            };
            let step = if dice.below(3) > 0 { fitting } else { dice.below(17) };
            // And half of the people.
            let usual = match step {
                0..=3 | 16 => &office.supervisor,
                4 | 5 => &office.executive,
                6..=9 | 13 | 14 => &office.manager,
                _ => &office.mentor,
            };
            let by = if dice.below(2) == 0 { usual } else { crowd[dice.below(crowd.len() as u64) as usize] };
            let (kind, body) = match step {
                0 | 1 => ("grant.move", moving("review")),
                2 | 3 => ("grant.move", moving("recommend")),
                4 | 5 => ("grant.move", moving("approve")),
                6 => ("grant.move", moving(["return", "reject", "cancel", "close"][dice.below(4) as usize])),
                7..=9 => ("grant.release", json!({ "id": one, "revision": revision, "tranche": first("scheduled")["id"], "method": "cash", "released_on": "2026-09-22" })),
                10 | 11 => ("grant.acknowledge", receiving(by, &homes[at], &one, &first(["released", "acknowledged"][dice.below(2) as usize]))),
                12 => changing(["released", "acknowledged"][dice.below(2) as usize], "dispute"),
                13 => changing("disputed", ["uphold", "reverse", "fail"][dice.below(3) as usize]),
                14 => changing(["released", "failed"][dice.below(2) as usize], ["fail", "reverse"][dice.below(2) as usize]),
                15 => ("grant.utilise", report(&one)),
                _ => ("grant.verify", json!({ "id": one, "revision": revision, "verdict": (["verify", "return"][dice.below(2) as usize]), "reason": "because" })),
            };
            let sent = command(kind, body);
            let answer = by.post("/api/commands", &sent).await;
            if dice.below(4) == 0 {
                // Once more, by the other door.
                assert_eq!(by.sync(&json!({}), std::slice::from_ref(&sent)).await["results"][0]["status"], "duplicate");
            }
            let after = grant(&office.admin, &one).await;
            let steps = |record: &Value| record["history"].as_array().unwrap().clone();
            if answer.status == 200 {
                applied += 1;
                assert!(!stale || kind == "grant.acknowledge" || kind == "grant.utilise", "what was stale is refused");
                // Every step that was added is one of the machine's.
                let mut state = was;
                for step in &steps(&after)[steps(&before).len()..] {
                    let event = Event::ALL.iter().copied().find(|event| event.as_str() == step["event"]).unwrap();
                    state = state.transition(event).unwrap();
                    assert_eq!(step["state"], state.as_str());
                }
                assert_eq!(after["state"], state.as_str());
            } else {
                refused += 1;
                assert!(answer.status.as_u16() < 500, "{:?}", answer.body);
                assert_eq!(before, after, "what is refused changes nothing");
            }
            // The four parts are four people's.
            let did = |events: &[&str]| steps(&after).iter().filter(|step| events.contains(&step["event"].as_str().unwrap()))
                .map(|step| step["by"].to_string()).collect::<std::collections::BTreeSet<_>>();
            let parts = [did(&["submit"]), did(&["review", "recommend"]), did(&["approve"]), did(&["release"])];
            for (n, part) in parts.iter().enumerate() {
                assert!(parts[n + 1..].iter().all(|other| part.is_disjoint(other)), "{parts:?}");
            }
            // The programme's sums are the ledger's, and never more than there is.
            let (committed, released) = money(&office.budget().await);
            let sum = async |plus: &'static str, minus: &'static str| {
                let rows: (i64, i64) = app.app.db
                    .query("SELECT CAST(COALESCE(SUM(CASE WHEN kind = $2 THEN amount_minor END), 0) AS BIGINT),
                                CAST(COALESCE(SUM(CASE WHEN kind = $3 THEN amount_minor END), 0) AS BIGINT) FROM ledger WHERE org = $1")
                    .bind(org).bind(plus).bind(minus).one().await.unwrap();
                rows.0 - rows.1
            };
            assert_eq!((committed, released), (sum("commit", "uncommit").await, sum("release", "reverse").await));
            assert!((0..=3 * 1_559_300).contains(&committed) && (0..=committed).contains(&released));
            // Whoever got nothing asks again; whoever had a grant has had it.
            if State::parse(after["state"].as_str().unwrap()).unwrap().came_to_nothing() {
                ids[at] = None;
            }
        }
        assert!(applied >= 40 && refused >= 40, "{applied} applied, {refused} refused");
    }
}
