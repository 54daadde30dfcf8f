//! A large caseload: what comes first, in how many round trips, and what it weighs. Times are `make bench`'s.

use std::collections::{BTreeMap, BTreeSet};

use kilele_tests::line::Line;
use kilele_tests::people::command;
use kilele_tests::{Answer, Person, TestApp, both, caseload};
use serde_json::{Value, json};

/// A sync as a phone sends it: packed both ways. Answers what it says.
async fn sync(person: &Person, url: &str, body: &Value) -> Value {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(body.to_string().as_bytes()).unwrap();
    let request = person.client.post(format!("{url}/api/sync")).bearer_auth(&person.token);
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let answer = Answer::raw(request.header("accept-encoding", "br").body(packer.finish().unwrap())).await;
    serde_json::from_slice(&answer.clear()).unwrap()
}

/// Whole first sync: the answers, in order.
async fn begin(person: &Person, url: &str) -> (Vec<Value>, Value) {
    let (mut answers, mut cursors) = (Vec::new(), json!({}));
    loop {
        let answer = sync(person, url, &json!({ "device": person.device, "schema": 1, "cursors": cursors })).await;
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        let over = answer["more"] == false;
        answers.push(answer);
        if over {
            return (answers, cursors);
        }
    }
}

fn records(answer: &Value, kind: &str) -> BTreeMap<String, Value> {
    let entries = answer["feeds"].as_object().unwrap().values().flat_map(|f| f["entries"].as_array().unwrap());
    entries.filter(|e| e["kind"] == kind).map(|e| (e["id"].as_str().unwrap().to_owned(), e["body"].clone())).collect()
}

both! {
    async fn this_weeks_visits_come_first_and_the_rest_once(app: TestApp) {
        let mentor = app.mentor().await;
        let made = caseload::make(&mentor, 60, app.clock.now()).await;
        let (answers, cursors) = begin(&mentor, &app.url).await;
        let first = &answers[0];
        let due: BTreeSet<&String> = made.this_week.iter().map(|(visit, _)| visit).collect();
        assert_eq!(records(first, "visit").keys().collect::<BTreeSet<_>>(), due, "this week's visits and no others");
        let homes: BTreeSet<&String> = made.this_week.iter().map(|(_, home)| home).collect();
        assert_eq!(records(first, "household").keys().collect::<BTreeSet<_>>(), homes, "and their households");
        // What a form needs is there as well.
        assert_eq!((records(first, "organisation").len(), records(first, "place").len()), (1, 15));
        assert!(!records(first, "statement").is_empty());
        assert!(first.to_string().len() < 40_000, "the first answer is small: {}", first.to_string().len());

        let mut all: BTreeMap<String, Value> = BTreeMap::new();
        for answer in &answers {
            for kind in ["household", "visit", "evidence", "signature"] {
                all.extend(records(answer, kind));
            }
        }
        assert_eq!(all.len(), 60 * caseload::RECORDS + 8, "the demo's own eight households beside");
        assert!(answers.len() <= 3, "{} round trips", answers.len());
        let nothing = sync(&mentor, &app.url, &json!({ "device": mentor.device, "schema": 1, "cursors": cursors })).await;
        assert_eq!((&nothing["feeds"], &nothing["more"]), (&json!({}), &json!(false)));
    }

    async fn what_changes_while_a_phone_begins_is_not_lost(app: TestApp) {
        let mentor = app.mentor().await;
        let made = caseload::make(&mentor, 40, app.clock.now()).await;
        let start = json!({ "device": mentor.device, "schema": 1, "cursors": {} });
        let first = sync(&mentor, &app.url, &start).await;
        let mut cursors = json!({});
        for (feed, news) in first["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
        // Between the first answer and the second, somebody changes what the first has brought.
        let (visit, home) = &made.this_week[0];
        let cancelled = command("visit.cancel", json!({ "id": visit, "reason": "They moved away." }));
        let noted = command("household.update", json!({ "id": home, "changes": { "notes": { "was": null, "now": "moved" } } }));
        let other = app.sign_in("amina.mentor").await;
        other.sync(&json!({}), &[cancelled, noted]).await;
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        loop {
            let answer = sync(&mentor, &app.url, &json!({ "device": mentor.device, "schema": 1, "cursors": cursors })).await;
            for (feed, news) in answer["feeds"].as_object().unwrap() {
                cursors[feed] = news["revision"].clone();
            }
            seen.extend(records(&answer, "visit"));
            seen.extend(records(&answer, "household"));
            if answer["more"] == false {
                break;
            }
        }
        assert_eq!((&seen[visit]["state"], &seen[home]["notes"]), (&json!("cancelled"), &json!("moved")));
    }

    async fn a_page_is_bounded_in_bytes_and_nothing_is_left_out(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        for _ in 0..12 {
            let long = |_| {
                let mut visit = mentor.visit(&household).body;
                for field in ["observations", "recommendations", "action_items", "support_needed"] {
                    visit[field] = "mahindi na maharagwe ".repeat(190).into();
                }
                command("visit.submit", visit)
            };
            let batch: Vec<Value> = (0..12).map(long).collect();
            mentor.sync(&json!({}), &batch).await;
        }
        let (answers, _) = begin(&mentor, &app.url).await;
        assert!(answers.len() >= 2 && answers.iter().all(|a| a.to_string().len() < 1_600_000));
        assert_eq!(answers.iter().map(|a| records(a, "visit").len()).sum::<usize>(), 144);
    }

    async fn a_heartbeat_and_twenty_edits_are_small(app: TestApp) {
        let mentor = app.mentor().await;
        caseload::make(&mentor, 20, app.clock.now()).await;
        let (answers, mut cursors) = begin(&mentor, &app.url).await;
        let line = Line::to(&app.url).await;
        let stats = json!({ "captures_waiting": 0, "records_waiting": 0, "storage_bytes": 0, "version": "0.1.0" });
        let beat = json!({ "device": mentor.device, "schema": 1, "cursors": cursors, "have": [], "commands": [], "stats": stats });
        let answer = sync(&mentor, &line.url(), &beat).await;
        assert_eq!((&answer["feeds"], &answer["more"]), (&json!({}), &json!(false)));
        let (up, down) = (line.up(), line.down());
        assert!(up <= 1000 && down <= 1000, "a heartbeat is {up} bytes up and {down} down, heads and all");

        let homes: Vec<Value> = answers.iter().flat_map(|a| records(a, "household").into_values()).take(20).collect();
        let edits: Vec<Value> = homes.iter().enumerate().map(|(n, home)| command("household.update", json!({ "id": home["id"], "changes": {
            "notes": { "was": home["notes"], "now": format!("Visited on the way to market; the roof over room {n} is mended and the hens lay again.") },
            "monthly_income_minor": { "was": home["monthly_income_minor"], "now": 400_000 + n } } }))).collect();
        let pushed = sync(&mentor, &line.url(), &json!({ "device": mentor.device, "schema": 1, "cursors": cursors, "commands": edits })).await;
        assert!(pushed["results"].as_array().unwrap().iter().all(|r| r["status"] == "applied") && pushed["more"] == false);
        let (up, down) = (line.up() - up, line.down() - down);
        assert!(up + down <= 15_000, "twenty edits are {up} bytes up and {down} down, in one round trip");
        println!("twenty edits: {up} bytes up, {down} down");
        for (feed, news) in pushed["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
    }
}
