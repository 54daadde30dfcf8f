//! Business groups: two or three households of one village, one group of a programme each, and surveys that set their
//! health.

use std::collections::BTreeSet;

use kilele::auth::Role;
use kilele::packed;
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{enrol, programme};
use kilele_tests::grouping::{group, rung, survey, takes_part, villagers};
use kilele_tests::{Dice, Person, TestApp, Uuid, both, command, id, pictures};
use serde_json::{Value, json};

/// Households of one village that take part, and their enrolments.
async fn participants(mentor: &Person, supervisor: &Person, programme: &Value, count: usize) -> (Vec<Value>, Vec<String>) {
    let homes = villagers(mentor, count).await;
    let mut enrolled = Vec::new();
    for home in &homes {
        enrolled.push(takes_part(mentor, supervisor, home, programme).await);
    }
    (homes, enrolled)
}

fn change(group: &Value, name: &str) -> Value {
    json!({ "id": group["id"], "revision": group["revision"], "name": name, "type": group["type"], "members": group["members"] })
}

fn dissolve(group: &Value) -> Value {
    json!({ "id": group["id"], "revision": group["revision"], "reason": "They part as friends." })
}

both! {
    async fn a_group_is_formed_surveyed_and_dissolved(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let (homes, enrolled) = participants(&mentor, &supervisor, &graduation, 3).await;
        let formed = group(&graduation, &homes);
        let one = formed["id"].as_str().unwrap();
        assert_eq!(mentor.command("group.form", formed.clone()).await.ok()["status"], "applied");
        let record = supervisor.get(&format!("/api/groups/{one}")).await.ok();
        assert!(record["number"].as_str().unwrap().starts_with("GRP-20"));
        assert_eq!((&record["place"], &record["members"]), (&homes[0]["place"], &formed["members"]));
        assert_eq!((record["health"].as_str(), record["state"].as_str(), record["mentor"].as_str()), (Some("yellow"), Some("active"), Some(&*mentor.member())));
        assert_eq!(mentor.record("group", one).await.unwrap(), record);
        for enrolment in &enrolled {
            let reached = rung(&mentor, enrolment, 2).await;
            assert_eq!((reached["state"].as_str(), reached["cause"].as_str(), reached["subject"].as_str()), (Some("completed"), Some("group"), Some(one)));
        }

        // Seen at the place: without the picture nobody was there.
        let mut blind = survey(one, "progress", json!({}));
        blind["evidence"] = json!([pictures::capture(&pictures::photo(5), "front")]);
        mentor.command("group.survey", blind).await.refused(422, "evidence_missing");
        let photo = pictures::photo(5);
        let first = survey(one, "progress", json!({ "operating": false, "health": "red", "score": null }));
        mentor.command("group.survey", first.clone()).await.ok();
        assert_eq!(mentor.upload(&first["evidence"][0], &photo).await.status, 204);
        let picture = mentor.settled(first["evidence"][0]["id"].as_str().unwrap()).await;
        assert_eq!((picture["subject_kind"].as_str(), &picture["subject"]), (Some("survey"), &first["id"]));
        let now = mentor.record("group", one).await.unwrap();
        assert_eq!((now["health"].as_str(), now["health_note"].as_str(), now["health_by"].as_str()), (Some("red"), Some("Feed is dear."), Some(&*mentor.member())));
        assert_eq!(rung(&mentor, &enrolled[0], 6).await["state"], "not_started");
        mentor.command("group.survey", survey(one, "performance", json!({}))).await.ok();
        for (number, expected) in [(6, "completed"), (9, "completed"), (11, "not_started")] {
            assert_eq!(rung(&mentor, &enrolled[2], number).await["state"], expected, "{number}");
        }
        // One that was made before, and arrives after, changes no health.
        let late = json!({ "id": id(), "kind": "group.survey", "at": 1_780_000_000_000_i64, "body": survey(one, "final", json!({ "health": "red" })) });
        mentor.post("/api/commands", &late).await.ok();
        assert_eq!(mentor.record("group", one).await.unwrap()["health"], "green");
        assert_eq!(rung(&mentor, &enrolled[1], 11).await["cause"], "survey");
        let kept = mentor.record("survey", late["body"]["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((kept["surveyed_at"].as_i64(), kept["surveyed_by"].as_str(), kept["income_minor"].as_i64()), (Some(1_780_000_000_000), Some(&*mentor.member()), Some(900_000)));
        mentor.command("group.survey", first).await.refused(422, "exists");

        let now = mentor.record("group", one).await.unwrap();
        let mut wordless = dissolve(&now);
        wordless["reason"] = " ".into();
        supervisor.command("group.dissolve", wordless).await.refused(422, "invalid");
        let mut old = dissolve(&now);
        old["revision"] = 1.into();
        supervisor.command("group.dissolve", old).await.refused(422, "stale");
        supervisor.command("group.dissolve", dissolve(&now)).await.ok();
        let gone = mentor.record("group", one).await.unwrap();
        assert_eq!((gone["state"].as_str(), gone["reason"].as_str()), (Some("dissolved"), Some("They part as friends.")));
        mentor.command("group.survey", survey(one, "progress", json!({}))).await.refused(422, "wrong_state");
        mentor.command("group.change", change(&gone, "Again")).await.refused(422, "wrong_state");
        supervisor.command("group.dissolve", dissolve(&gone)).await.refused(422, "wrong_state");
        // Whoever was in it is free, and the rung stays.
        mentor.command("group.form", group(&graduation, &homes[..2])).await.ok();
        assert_eq!(rung(&mentor, &enrolled[0], 2).await["subject"], one);
        let actions = admin.get("/api/audit?action=group.survey").await.ok();
        assert_eq!(actions["items"].as_array().unwrap().len(), 3);
    }

    async fn only_households_of_one_village_that_take_part_and_are_free(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let (homes, _) = participants(&mentor, &supervisor, &graduation, 4).await;
        let refused = async |by: &Person, body: Value, code: &str| by.command("group.form", body).await.refused(422, code);
        let with = |field: &str, value: Value| { let mut body = group(&graduation, &homes[..3]); body[field] = value; body };
        let member = |at: usize, role: &str| json!({ "household": homes[at]["id"], "role": role });
        refused(&mentor, group(&graduation, &homes[..1]), "invalid").await;
        refused(&mentor, group(&graduation, &homes), "invalid").await;
        refused(&mentor, with("members", json!([])), "invalid").await;
        refused(&mentor, with("members", json!([member(0, "leader"), member(0, "member")])), "invalid").await;
        refused(&mentor, with("members", json!([member(0, "member"), member(1, "member")])), "invalid").await;
        refused(&mentor, with("members", json!([member(0, "leader"), member(1, "leader")])), "invalid").await;
        refused(&mentor, with("members", json!([member(0, "leader"), member(1, "treasurer"), member(2, "treasurer")])), "invalid").await;
        refused(&mentor, with("members", json!([member(0, "leader"), { "household": id(), "role": "member" }])), "not_found").await;
        refused(&mentor, with("name", json!(" ")), "invalid").await;
        refused(&mentor, with("name", json!("x".repeat(121))), "invalid").await;
        refused(&mentor, with("formed_on", json!("yesterday")), "invalid").await;
        refused(&mentor, with("programme", json!(id())), "not_found").await;
        refused(&mentor, with("type", json!("mining")), "invalid_command").await;
        refused(&mentor, with("members", json!("three")), "invalid_command").await;
        // Of one village; and of one that is not seen nobody learns anything.
        let elsewhere = mentor.records("household").await.into_iter().find(|home| home["place"] != homes[0]["place"]).unwrap();
        let far = app.other_mentor().await.a_household().await;
        refused(&mentor, group(&graduation, &[homes[0].clone(), elsewhere.clone()]), "other_village").await;
        refused(&mentor, group(&graduation, &[homes[0].clone(), far.clone()]), "not_found").await;
        refused(&supervisor, group(&graduation, &[homes[0].clone(), far]), "other_village").await;
        // Who has only applied does not take part; nor in another programme.
        let applicant = villagers(&mentor, 5).await.into_iter().find(|home| homes.iter().all(|h| h["id"] != home["id"])).unwrap();
        refused(&mentor, group(&graduation, &[homes[0].clone(), applicant.clone()]), "not_enrolled").await;
        enrol(&mentor, &applicant, &graduation).await;
        refused(&mentor, group(&graduation, &[homes[0].clone(), applicant]), "not_enrolled").await;
        let other = programme(&admin, json!({})).await;
        refused(&mentor, group(&other, &homes[..2]), "not_enrolled").await;

        let formed = group(&graduation, &homes[..2]);
        mentor.command("group.form", formed.clone()).await.ok();
        refused(&mentor, formed, "in_group").await;
        refused(&supervisor, group(&graduation, &homes[1..3]), "in_group").await;
        for unfit in [json!({ "score": null }), json!({ "score": 101 }), json!({ "score": -1 }), json!({ "income_minor": -1 }), json!({ "position": {} }), json!({ "challenges": "x".repeat(4001) })] {
            let one = mentor.records("group").await[0]["id"].as_str().unwrap().to_owned();
            mentor.command("group.survey", survey(&one, "performance", unfit)).await.refused(422, "invalid");
        }
        mentor.command("group.survey", survey(&id(), "progress", json!({}))).await.refused(422, "not_found");
    }

    async fn twenty_at_once_form_a_group_over_one_household(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let (homes, enrolled) = participants(&mentor, &supervisor, &graduation, 5).await;
        let work = (0..20).map(|n| {
            let by = if n % 2 == 0 { &mentor } else { &supervisor };
            by.command("group.form", group(&graduation, &[homes[0].clone(), homes[1 + n % 4].clone()]))
        });
        let answers = futures_util::future::join_all(work).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        answers.iter().filter(|answer| answer.status != 200).for_each(|answer| answer.refused(422, "in_group"));
        assert_eq!(mentor.records("group").await.len(), 1);
        assert_eq!(rung(&mentor, &enrolled[0], 2).await["state"], "completed");
    }

    async fn a_group_changes_and_who_comes_in_has_reached_the_milestone(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let (homes, enrolled) = participants(&mentor, &supervisor, &graduation, 4).await;
        let formed = group(&graduation, &homes[..2]);
        let one = formed["id"].as_str().unwrap();
        mentor.command("group.form", formed.clone()).await.ok();
        let seen = mentor.record("group", one).await.unwrap();
        let mut wider = change(&seen, " Umoja ");
        wider["members"] = group(&graduation, &[homes[2].clone(), homes[0].clone()])["members"].clone();
        assert_eq!(rung(&mentor, &enrolled[2], 2).await["state"], "not_started");
        supervisor.command("group.change", wider.clone()).await.ok();
        mentor.command("group.change", wider).await.refused(422, "stale");
        let now = mentor.record("group", one).await.unwrap();
        assert_eq!((now["name"].as_str(), &now["members"][0]["household"]), (Some("Umoja"), &homes[2]["id"]));
        assert_eq!(rung(&mentor, &enrolled[2], 2).await["subject"], one);
        // Who left is free for another, and does not come back while there.
        mentor.command("group.form", group(&graduation, &[homes[1].clone(), homes[3].clone()])).await.ok();
        let mut back = change(&now, "Umoja");
        back["members"] = group(&graduation, &homes[..2])["members"].clone();
        mentor.command("group.change", back).await.refused(422, "in_group");
        let mut none = change(&now, "Umoja");
        none["members"] = json!([]);
        mentor.command("group.change", none).await.refused(422, "invalid");
        let elsewhere = mentor.records("household").await.into_iter().find(|home| home["place"] != homes[0]["place"]).unwrap();
        let mut astray = change(&now, "Umoja");
        astray["members"] = group(&graduation, &[homes[0].clone(), elsewhere])["members"].clone();
        mentor.command("group.change", astray).await.refused(422, "other_village");
        assert_eq!(mentor.record("group", one).await.unwrap(), now, "what is refused changes nothing");
    }

    async fn groups_are_seen_where_their_households_are_and_arrive_by_every_door(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        let graduation = programme(&admin, json!({})).await;
        let (homes, _) = participants(&mentor, &supervisor, &graduation, 4).await;
        // Formed and surveyed without a network: both in one batch, each once.
        let formed = group(&graduation, &homes[..2]);
        let one = formed["id"].as_str().unwrap().to_owned();
        let batch = [command("group.form", formed), command("group.survey", survey(&one, "progress", json!({})))];
        let first = mentor.sync(&json!({}), &batch).await;
        assert!(first["results"].as_array().unwrap().iter().all(|result| result["status"] == "applied"), "{first}");
        let again = mentor.sync(&json!({}), &batch).await;
        assert!(again["results"].as_array().unwrap().iter().all(|result| result["status"] == "duplicate"), "{again}");
        assert_eq!((mentor.records("group").await.len(), mentor.records("survey").await.len()), (1, 1));
        assert_eq!(mentor.record("group", &one).await.unwrap()["health"], "green");

        let other = app.other_mentor().await;
        other.get(&format!("/api/groups/{one}")).await.refused(404, "not_found");
        assert!(other.records("group").await.is_empty() && other.records("survey").await.is_empty());
        other.command("group.survey", survey(&one, "progress", json!({}))).await.refused(422, "not_found");
        let seen = mentor.record("group", &one).await.unwrap();
        other.command("group.change", change(&seen, "Mine")).await.refused(422, "not_found");
        other.command("group.dissolve", dissolve(&seen)).await.refused(422, "not_found");
        for reader in [&approver, &admin] {
            reader.get(&format!("/api/groups/{one}")).await.ok();
            reader.command("group.dissolve", dissolve(&seen)).await.refused(422, "forbidden");
        }

        mentor.command("group.form", group(&graduation, &homes[2..4])).await.ok();
        let list = async |query: &str| supervisor.get(&format!("/api/groups{query}")).await.ok();
        let page = list("?limit=1").await;
        assert_eq!(page["items"][0]["id"], one.as_str());
        let rest = list(&format!("?limit=1&after={}", page["next"].as_str().unwrap())).await;
        assert_ne!(rest["items"][0]["id"], one.as_str());
        for (query, count) in [
            (format!("?programme={}", graduation["id"].as_str().unwrap()), 2),
            (format!("?programme={}", id()), 0),
            (format!("?place={}", homes[0]["place"].as_str().unwrap()), 2),
            (format!("?place={}", id()), 0),
            ("?state=active".into(), 2),
            ("?state=dissolved".into(), 0),
        ] {
            assert_eq!(list(&query).await["items"].as_array().unwrap().len(), count, "{query}");
        }
        supervisor.get("/api/groups?state=tired").await.refused(400, "bad_request");
        assert!(other.get("/api/groups").await.ok()["items"].as_array().unwrap().is_empty());
    }

    async fn an_erased_household_takes_along_what_was_written_of_its_group(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let place = mentor.a_household().await["place"].clone();
        let named = json!({ "id": id(), "place": place, "head_name": "Zawadi Chebet", "members": [] });
        mentor.command("household.register", json!({ "household": named, "evidence": [] })).await.ok();
        let mut homes = villagers(&mentor, 2).await;
        homes.retain(|home| home["id"] != named["id"]);
        homes.insert(0, mentor.record("household", named["id"].as_str().unwrap()).await.unwrap());
        homes.truncate(2);
        for home in &homes {
            takes_part(&mentor, &supervisor, home, &graduation).await;
        }
        let mut formed = group(&graduation, &homes);
        formed["name"] = "Zawadi's bakers".into();
        mentor.command("group.form", formed.clone()).await.ok();
        let one = formed["id"].as_str().unwrap();
        let said = json!({ "challenges": "Zawadi sold the oven.", "next_steps": "Zawadi asks her sister." });
        mentor.command("group.survey", survey(one, "progress", said)).await.ok();
        let path = format!("/api/households/{}", named["id"].as_str().unwrap());
        let taken = admin.get(&format!("{path}/export")).await.ok();
        assert!(taken["evidence"].as_array().unwrap().iter().any(|e| e["subject_kind"] == "survey"));
        assert_eq!((&taken["groups"][0]["id"], taken["surveys"][0]["challenges"].as_str()), (&formed["id"], Some("Zawadi sold the oven.")));

        admin.post(&format!("{path}/erase"), &json!({ "reason": "She asked for it." })).await.ok();
        let left = mentor.record("group", one).await.unwrap();
        assert_eq!((&left["name"], left["health_note"].as_str()), (&left["number"], Some("")));
        assert_eq!((left["health"].as_str(), &left["members"]), (Some("green"), &formed["members"]));
        let surveys = mentor.records("survey").await;
        assert_eq!((surveys[0]["income_minor"].as_i64(), surveys[0]["position"]["lat"].as_f64()), (Some(900_000), None));
        let bodies: Vec<(Vec<u8>,)> = app.app.db.query("SELECT body FROM feed_entry").all().await.unwrap();
        let changes: Vec<(String,)> = app.app.db.query("SELECT change FROM audit").all().await.unwrap();
        let texts = bodies.iter().map(|(body,)| packed::open(body).unwrap()).chain(changes.into_iter().map(|(text,)| text));
        assert!(texts.into_iter().all(|text| !app.app.crypto.open_text(&text).contains("Zawadi")));
        let (_, broken) = kilele::cli::verify_audit(&app.app, None, false).await.unwrap();
        assert_eq!(broken, 0);
        // The other household goes on, and the group with it.
        mentor.command("group.survey", survey(one, "progress", json!({}))).await.ok();
    }

    async fn a_household_in_a_group_stays_in_its_village_and_is_erased_wherever_it_went(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let graduation = programme(&admin, json!({})).await;
        let (homes, _) = participants(&mentor, &supervisor, &graduation, 2).await;
        let formed = group(&graduation, &homes);
        let one = formed["id"].as_str().unwrap();
        mentor.command("group.form", formed.clone()).await.ok();
        mentor.command("group.survey", survey(one, "progress", json!({}))).await.ok();
        let there = mentor.records("household").await.into_iter().find(|home| home["place"] != homes[0]["place"]).unwrap();
        let moving = async || {
            let home = mentor.record("household", homes[0]["id"].as_str().unwrap()).await.unwrap();
            json!({ "id": home["id"], "revision": home["revision"], "place": there["place"], "reason": "they live there now" })
        };
        supervisor.command("household.move", moving().await).await.refused(422, "in_group");
        let seen = mentor.record("group", one).await.unwrap();
        supervisor.command("group.dissolve", dissolve(&seen)).await.ok();
        supervisor.command("household.move", moving().await).await.ok();
        // The group stayed behind, and what was said of it goes from there.
        let path = format!("/api/households/{}/erase", homes[0]["id"].as_str().unwrap());
        admin.post(&path, &json!({ "reason": "She asked for it." })).await.ok();
        let left = mentor.record("group", one).await.unwrap();
        assert_eq!((left["health_note"].as_str(), left["reason"].as_str()), (Some(""), Some("")));
        assert_eq!((&left["place"], mentor.records("survey").await[0]["challenges"].as_str()), (&homes[0]["place"], Some("")));
        assert!(mentor.records("evidence").await.iter().all(|evidence| evidence["subject_kind"] != "survey"));
    }

    async fn random_moves_by_random_people_keep_every_household_in_one_group(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let approver = in_role(&app, org, "exec", Role::Approver, vec![]).await;
        let other = app.other_mentor().await;
        let graduation = programme(&admin, json!({})).await;
        let (homes, _) = participants(&mentor, &supervisor, &graduation, 6).await;
        let crowd = [&mentor, &mentor, &supervisor, &approver, &other, &admin];
        let mut dice = Dice::new();
        let mut applied = 0;
        for _ in 0..160 {
            let by = crowd[dice.below(crowd.len() as u64) as usize];
            let mut some: Vec<Value> = (0..2 + dice.below(2)).map(|_| homes[dice.below(6) as usize].clone()).collect();
            some.dedup_by(|a, b| a["id"] == b["id"]);
            let before = supervisor.records("group").await;
            let known = (!before.is_empty()).then(|| before[dice.below(before.len() as u64) as usize].clone());
            let (kind, body) = match (dice.below(5), known) {
                (0 | 1, _) | (_, None) => ("group.form", group(&graduation, &some)),
                (2, Some(known)) => {
                    let mut body = change(&known, "Changed");
                    body["members"] = group(&graduation, &some)["members"].clone();
                    ("group.change", body)
                }
                (3, Some(known)) => {
                    let mut body = dissolve(&known);
                    body["revision"] = (known["revision"].as_i64().unwrap() - i64::from(dice.below(6) == 0)).into();
                    ("group.dissolve", body)
                }
                (_, Some(known)) => ("group.survey", survey(known["id"].as_str().unwrap(), "progress", json!({}))),
            };
            let sent = command(kind, body);
            let answer = by.post("/api/commands", &sent).await;
            if dice.below(3) == 0 {
                let repeated = by.sync(&json!({}), std::slice::from_ref(&sent)).await;
                assert_eq!(repeated["results"][0]["status"], "duplicate");
            }
            let after = supervisor.records("group").await;
            if answer.status == 200 {
                applied += 1;
                assert!([mentor.member(), supervisor.member()].contains(&by.member()), "who may not, does not");
            } else {
                assert!([403, 422].contains(&answer.status.as_u16()), "{}", answer.body);
                assert_eq!(before, after, "what is refused changes nothing");
            }
            let mut seen = BTreeSet::new();
            for one in after.iter().filter(|one| one["state"] == "active") {
                let members = one["members"].as_array().unwrap();
                assert!((2..=3).contains(&members.len()));
                assert_eq!(members.iter().filter(|m| m["role"] == "leader").count(), 1);
                assert!(members.iter().all(|m| seen.insert(m["household"].to_string())), "in two groups");
            }
            for one in before.iter().filter(|one| one["state"] == "dissolved") {
                assert_eq!(after.iter().find(|now| now["id"] == one["id"]), Some(one), "what is dissolved stays as it is");
            }
        }
        assert!(applied >= 15, "only {applied} applied");
    }
}
