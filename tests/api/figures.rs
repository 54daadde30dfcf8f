//! Every figure is what one comes to by counting the rows behind it, within what the caller sees and not beyond.

use std::collections::BTreeMap;

use kilele::auth::Role;
use kilele::clock::{DAY, Millis};
use kilele_tests::cast::in_role;
use kilele_tests::enrolling::{application, assessment, enrol, go, poor, programme};
use kilele_tests::granting::{Office, change_part};
use kilele_tests::{Person, TestApp, Uuid, both, id, pictures};
use serde_json::{Value, json};

/// Days since 1970.
fn day(date: &str) -> i64 {
    chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .unwrap()
        .signed_duration_since(chrono::NaiveDate::default())
        .num_days()
}

fn date(days: i64) -> String {
    (chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(days).unwrap())).format("%Y-%m-%d").to_string()
}

/// Who is behind at which milestone, counted from the records that the person holds, as a phone does it.
async fn late(by: &Person, today: i64) -> BTreeMap<i64, i64> {
    let plan: Value = serde_json::from_str(include_str!("../../instruments/milestones-1.json")).unwrap();
    let cycles = by.records("cycle").await;
    let mut found = BTreeMap::new();
    for enrolment in by.records("enrolment").await.iter().filter(|one| one["state"] == "active") {
        let cycle = cycles.iter().find(|one| one["id"] == enrolment["cycle"]);
        let step = enrolment["history"].as_array().unwrap().iter().find(|step| step["event"] == "activate").unwrap();
        let from = cycle.and_then(|one| one["starts_on"].as_str()).map_or(step["at"].as_i64().unwrap() / DAY, day);
        let mut open: Vec<(i64, i64)> = Vec::new();
        for rung in enrolment["milestones"].as_array().unwrap() {
            if rung["state"] != "completed" && rung["state"] != "skipped" {
                let named =
                    plan["milestones"].as_array().unwrap().iter().find(|one| one["number"] == rung["number"]).unwrap();
                open.push((from + named["day"].as_i64().unwrap(), rung["number"].as_i64().unwrap()));
            }
        }
        if let Some((due, number)) = open.into_iter().min()
            && due < today
        {
            *found.entry(number).or_insert(0) += 1;
        }
    }
    found
}

fn numbers(figures: &Value) -> BTreeMap<i64, i64> {
    let pair = |one: &Value| (one["number"].as_i64().unwrap(), one["count"].as_i64().unwrap());
    figures["late"].as_array().unwrap().iter().map(pair).collect()
}

fn states(rows: &Value) -> BTreeMap<String, i64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|one| (one["state"].as_str().unwrap().to_owned(), one["count"].as_i64().unwrap()))
        .collect()
}

/// A grant as a row, with the entries of its money.
#[derive(Clone)]
struct Row {
    feed: Uuid,
    state: &'static str,
    amount: i64,
    since: Millis,
    utilisation: Option<(&'static str, String)>,
    ledger: Vec<(&'static str, i64)>,
}

async fn keep(app: &TestApp, org: Uuid, programme: Uuid, rows: Vec<Row>) {
    let work = app.app.db.write(move |tx| {
        Box::pin(async move {
            let policy: Uuid = id().parse().unwrap();
            tx.query("INSERT INTO policy (org, id, programme, key, version, active) VALUES ($1, $2, $3, $4, 1, $5)")
                .bind(org).bind(policy).bind(programme).bind(id()).bind(true).run().await?;
            tx.query("UPDATE programme SET budget_minor = 90000000 WHERE org = $1 AND id = $2").bind(org).bind(programme).run().await?;
            for (n, row) in rows.into_iter().enumerate() {
                let grant: Uuid = id().parse().unwrap();
                let (told, due) = row.utilisation.unzip();
                tx.query(
                    "INSERT INTO grant_file (org, id, feed, programme, policy, policy_key, number, state, state_at, amount_minor,
                         submitted_by, submitted_at, acknowledged_at, utilisation, utilisation_due)
                     VALUES ($1, $2, $3, $4, $5, 'SB', $6, $7, $8, $9, $2, $8, $8, $10, $11)",
                )
                .bind(org).bind(grant).bind(row.feed).bind(programme).bind(policy).bind(format!("GRA-{n}"))
                .bind(row.state).bind(row.since).bind(row.amount).bind(told.map(ToOwned::to_owned)).bind(due)
                .run().await?;
                for (kind, amount) in row.ledger {
                    let entry: Uuid = id().parse().unwrap();
                    tx.query(
                        "INSERT INTO ledger (org, id, programme, grant_id, kind, amount_minor, at, reference, reason)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, '', '')",
                    )
                    .bind(org).bind(entry).bind(programme).bind(grant).bind(kind).bind(amount).bind(row.since)
                    .run().await?;
                }
            }
            Ok(())
        })
    });
    work.await.unwrap();
}

both! {
    async fn enrolments_and_who_is_behind_are_what_the_records_say(app: TestApp) {
        let (admin, mentor, supervisor) = (app.admin().await, app.mentor().await, app.supervisor().await);
        let now = app.clock.now() / DAY;
        let graduation = programme(&admin, json!({})).await;
        let cycle = id();
        let facts = json!({ "programme": graduation["id"], "code": "C1", "office": "", "mentors": [], "starts_on": date(now - 40) });
        admin.put(&format!("/api/cycles/{cycle}"), &json!({ "cycle": facts })).await.ok();
        let homes = mentor.records("household").await;
        for (n, home) in homes.iter().take(6).enumerate() {
            let one = if n % 2 == 0 {
                let assessed = assessment(home, &graduation, poor());
                mentor.command("assessment.record", assessed.clone()).await.ok();
                let mut applied = application(&assessed);
                applied["cycle"] = cycle.clone().into();
                mentor.command("enrolment.apply", applied.clone()).await.ok();
                applied["id"].as_str().unwrap().to_owned()
            } else {
                enrol(&mentor, home, &graduation).await
            };
            for event in ["screen", "send_to_verify", "verify", "approve", "activate"].iter().take(n + 1) {
                go(&supervisor, &one, event).await.ok();
            }
            if n == 4 {
                let done = json!({ "enrolment": one, "number": 1, "event": "complete", "reason": "seen" });
                supervisor.command("milestone.move", done).await.ok();
            }
        }
        let look = async |by: &Person, today: i64| by.get(&format!("/api/figures?today={}", date(today))).await.ok();
        for by in [&admin, &supervisor] {
            let seen = look(by, now).await;
            let mut expected = BTreeMap::new();
            for one in by.records("enrolment").await {
                *expected.entry(one["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            }
            assert_eq!((states(&seen["enrolments"]), expected.get("active")), (expected.clone(), Some(&2)));
            let waits: i64 = seen["waiting"].as_array().unwrap().iter().filter(|w| w["what"] == "enrolment").map(|w| w["count"].as_i64().unwrap()).sum();
            assert_eq!(waits, 4);
            // From the day after on, by the cycle's start or the activation; the second is due 45 days after.
            for today in [now - 30, now, now + 5, now + 6, now + 31, now + 400] {
                assert_eq!(numbers(&look(by, today).await), late(by, today).await, "{}", date(today));
            }
            assert_eq!(numbers(&look(by, now + 6).await), BTreeMap::from([(2, 1)]));
            assert_eq!(numbers(&look(by, now + 400).await).values().sum::<i64>(), 2);
        }
        // Where nothing is seen, nothing is counted.
        let org: Uuid = admin.org().parse().unwrap();
        let nobody = in_role(&app, org, "nobody", Role::Supervisor, vec![]).await;
        let seen = look(&nobody, now + 400).await;
        assert_eq!((&seen["enrolments"], &seen["late"], &seen["waiting"], &seen["grants"]), (&json!([]), &json!([]), &json!([]), &json!([])));
        admin.get("/api/figures?today=yesterday").await.refused(422, "invalid");
        // A cycle that begins later moves the days with it.
        let moved = json!({ "programme": graduation["id"], "code": "C1", "office": "", "mentors": [], "starts_on": date(now + 10) });
        let seen = admin.records("cycle").await[0]["revision"].clone();
        admin.put(&format!("/api/cycles/{cycle}"), &json!({ "cycle": moved, "revision": seen })).await.ok();
        assert_eq!(numbers(&look(&admin, now + 54).await), late(&admin, now + 54).await);
    }

    async fn grants_budgets_and_ages_are_what_the_rows_come_to(app: TestApp) {
        let (admin, mentor, other) = (app.admin().await, app.mentor().await, app.other_mentor().await);
        let org: Uuid = admin.org().parse().unwrap();
        let village = async |by: &Person| -> Uuid { by.a_household().await["place"].as_str().unwrap().parse().unwrap() };
        let (here, there) = (village(&mentor).await, village(&other).await);
        assert_ne!(here, there);
        let supervisor = in_role(&app, org, "sup", Role::Supervisor, vec![here]).await;
        let money = programme(&admin, json!({})).await["id"].as_str().unwrap().parse::<Uuid>().unwrap();
        let now = app.clock.now();
        let mut dice = 20_261_129_u64;
        let mut throw = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((dice >> 33) % sides).unwrap()
        };
        let mut rows = Vec::new();
        for _ in 0..120 {
            let amount = 1_000_000 + throw(1_500_000);
            let state = ["submitted", "in_review", "recommended", "approved", "disbursing", "disbursed", "utilised", "closed", "rejected", "cancelled"][usize::try_from(throw(10)).unwrap()];
            let ledger = match state {
                "approved" => vec![("commit", amount)],
                "disbursing" => vec![("commit", amount), ("release", amount / 2)],
                "disbursed" | "utilised" | "closed" => vec![("commit", amount), ("release", amount), ("reverse", 1_000), ("release", 1_000)],
                "cancelled" => vec![("commit", amount), ("release", 5_000), ("reverse", 5_000), ("uncommit", amount)],
                _ => vec![],
            };
            let told = (state == "disbursed").then(|| (["due", "submitted", "returned"][usize::try_from(throw(3)).unwrap()], date(now / DAY - 3 + throw(6))));
            let feed = if throw(2) == 0 { here } else { there };
            rows.push(Row { feed, state, amount, since: now - throw(12) * DAY, utilisation: told, ledger });
        }
        keep(&app, org, money, rows.clone()).await;
        for (by, own) in [(&admin, vec![here, there]), (&supervisor, vec![here])] {
            let mine: Vec<&Row> = rows.iter().filter(|row| own.contains(&row.feed)).collect();
            let seen = by.get(&format!("/api/figures?today={}", date(now / DAY))).await.ok();
            let mut by_state: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
            for row in &mine {
                let sum = by_state.entry(row.state).or_default();
                *sum = (sum.0 + 1, sum.1 + row.amount);
            }
            let told: BTreeMap<&str, (i64, i64)> = seen["grants"].as_array().unwrap().iter()
                .map(|one| (one["state"].as_str().unwrap(), (one["count"].as_i64().unwrap(), one["amount_minor"].as_i64().unwrap()))).collect();
            assert_eq!(told, by_state);
            let sum = |plus: &str, minus: &str| -> i64 {
                mine.iter().flat_map(|row| &row.ledger).map(|(kind, amount)| if *kind == plus { *amount } else if *kind == minus { -amount } else { 0 }).sum()
            };
            let budget = seen["budgets"].as_array().unwrap().iter().find(|one| one["programme"] == money.to_string()).unwrap();
            assert_eq!(budget["committed_minor"], sum("commit", "uncommit"));
            assert_eq!((&budget["released_minor"], &budget["budget_minor"]), (&json!(sum("release", "reverse")), &json!(90_000_000)));
            for (what, state) in [("grant", "submitted"), ("grant", "in_review"), ("grant", "recommended"), ("release", "approved")] {
                let waits: Vec<&&Row> = mine.iter().filter(|row| row.state == state).collect();
                let one = seen["waiting"].as_array().unwrap().iter().find(|one| one["what"] == what && one["state"] == state).unwrap();
                let older = |days: i64| waits.iter().filter(|row| row.since <= now - days * DAY).count();
                assert_eq!((&one["count"], &one["week"]), (&json!(waits.len()), &json!(older(7))), "{state}");
                assert_eq!((&one["three_days"], &one["oldest_at"]), (&json!(older(3)), &json!(waits.iter().map(|row| row.since).min())), "{state}");
            }
            let today = date(now / DAY);
            let due = mine.iter().filter(|row| row.utilisation.as_ref().is_some_and(|(told, day)| *told == "returned" || (*told == "due" && *day < today))).count();
            assert_eq!(seen["use_due"], due);
        }
    }

    async fn figures_of_real_grants_agree_with_the_budget(app: TestApp) {
        let office = Office::open(&app).await;
        let grant = office.released(&office.household(0).await).await;
        office.approved(&office.household(1).await).await;
        office.recommended(&office.household(2).await).await;
        change_part(&office.manager, &grant, "released", "reverse").await.ok();
        let (seen, budget) = (office.executive.get("/api/figures").await.ok(), office.budget().await);
        assert_eq!(states(&seen["grants"]), BTreeMap::from([("approved".into(), 1), ("disbursing".into(), 1), ("recommended".into(), 1)]));
        let used = &seen["budgets"][0];
        for field in ["budget_minor", "committed_minor", "released_minor"] {
            assert_eq!(used[field], budget[field], "{field}");
        }
        assert_eq!(numbers(&seen).values().sum::<i64>(), 0);
    }

    async fn a_missing_picture_is_missed_until_it_comes_or_another_takes_its_place(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let visit = mentor.submit(&mentor.a_household().await).await;
        let gaps = async || supervisor.get("/api/figures").await.ok()["gaps"]["unproven"].clone();
        assert_eq!(gaps().await, 1, "one visit, of whose pictures none has come");
        let revision = mentor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.return", json!({ "id": visit.id, "revision": revision, "note": "Take them again, please." })).await.ok();
        let photos = [pictures::photo(31), pictures::photo(32)];
        let mut again = visit.body.clone();
        again["evidence"] = json!([]);
        for (photo, older) in photos.iter().zip(&visit.captures) {
            let mut newer = pictures::capture(photo, older["slot"].as_str().unwrap());
            newer["supersedes"] = older["id"].clone();
            again["evidence"].as_array_mut().unwrap().push(newer);
        }
        mentor.command("visit.submit", again.clone()).await.ok();
        assert_eq!(gaps().await, 1, "the newer ones are missed now");
        for (photo, capture) in photos.iter().zip(again["evidence"].as_array().unwrap()) {
            assert_eq!(mentor.upload(capture, photo).await.status, 204);
            mentor.settled(capture["id"].as_str().unwrap()).await;
        }
        assert_eq!(gaps().await, 0);
    }
}
