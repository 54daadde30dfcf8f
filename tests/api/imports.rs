//! Places and households from a file: as registries write them, all of it or nothing, and undone as a whole.

use kilele::auth::Role;
use kilele::clock::DAY;
use kilele::crypto::MARK;
use kilele_tests::cast::{in_role, neighbours};
use kilele_tests::{Answer, Person, TestApp, both, registry, until};
use reqwest::Method;
use serde_json::{Value, json};

async fn send(by: &Person, kind: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let request = by.request(Method::POST, &format!("/api/imports?kind={kind}&name=registry.csv"));
    Answer::of(request.header("content-type", "application/octet-stream").body(bytes.into())).await
}

fn fields(import: &Value) -> Vec<&str> {
    import["columns"].as_array().unwrap().iter().map(|column| column["field"].as_str().unwrap()).collect()
}

/// Waits until nobody works on it.
async fn settled(by: &Person, id: &str) -> Value {
    until("an import to settle", async || {
        let import = by.get(&format!("/api/imports/{id}")).await.ok();
        (!["checking", "committing", "undoing"].contains(&import["state"].as_str().unwrap())).then_some(import)
    })
    .await
}

async fn ask(by: &Person, id: &str, step: &str, body: Value) -> Answer {
    by.post(&format!("/api/imports/{id}/{step}"), &body).await
}

/// Sent, and looked at with the mapping that was guessed.
pub async fn checked(by: &Person, kind: &str, bytes: impl Into<Vec<u8>>) -> Value {
    let sent = send(by, kind, bytes).await.ok();
    let id = sent["id"].as_str().unwrap();
    ask(by, id, "check", json!({ "fields": fields(&sent) })).await.ok();
    settled(by, id).await
}

pub async fn committed(by: &Person, import: &Value) -> Value {
    let id = import["id"].as_str().unwrap();
    ask(by, id, "commit", json!({})).await.ok();
    settled(by, id).await
}

async fn faults(by: &Person, import: &Value) -> Vec<(i64, String, String)> {
    let path = format!("/api/imports/{}/faults", import["id"].as_str().unwrap());
    let page = by.get(&path).await.ok();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|fault| (fault["row"].as_i64().unwrap(), text(fault, "column"), text(fault, "code"))).collect()
}

async fn duplicates(by: &Person, import: &Value) -> Vec<Value> {
    let path = format!("/api/imports/{}/duplicates", import["id"].as_str().unwrap());
    by.get(&path).await.ok()["items"].as_array().unwrap().clone()
}

async fn manager(app: &TestApp) -> Person {
    let org = app.admin().await.org().parse().unwrap();
    in_role(app, org, "p.manager", Role::ProgrammeManager, vec![]).await
}

fn households(app: &TestApp) -> impl Future<Output = i64> {
    let db = app.app.db.clone();
    async move {
        let (count,): (i64,) = db.query("SELECT count(*) FROM household").one().await.unwrap();
        count
    }
}

/// The four villages of the first mentor.
fn villages() -> Vec<String> {
    (1..=4).map(|n| format!("KIL-MA-{n:02}")).collect()
}

both! {
    async fn a_registry_export_comes_to_the_phones_that_follow_its_villages(app: TestApp) {
        let (manager, mentor) = (manager(&app).await, app.mentor().await);
        let before = mentor.records("household").await.len();
        // As a spreadsheet in these parts saves it: byte order mark, semicolons, line ends of Windows.
        let text = registry::csv(60, &villages()).lines().map(|line| {
            let mut quoted = false;
            let one = |c| { quoted ^= c == '"'; if c == ',' && !quoted { ';' } else { c } };
            line.chars().map(one).collect::<String>()
        }).collect::<Vec<_>>().join("\r\n");
        let import = checked(&manager, "households", format!("\u{feff}{text}\r\n")).await;
        assert_eq!(fields(&import), ["reference", "head_name", "head_sex", "head_birth_date", "national_id", "phone", "place_code", "lat", "lon", "monthly_income", "disability"]);
        assert_eq!((&import["state"], &import["counts"]["rows"], &import["counts"]["new"], &import["counts"]["faults"]), (&json!("checked"), &json!(60), &json!(60), &json!(0)));
        assert_eq!(households(&app).await, 24, "nothing is added before it is committed");
        let done = committed(&manager, &import).await;
        assert_eq!((&done["state"], &done["fault"]), (&json!("done"), &Value::Null));
        let there = mentor.records("household").await;
        assert_eq!(there.len(), before + 60);
        let one = there.iter().find(|h| h["national_id"] == "20000003").unwrap();
        assert_eq!((&one["registered_by"], &one["monthly_income_minor"].is_i64(), &one["head_sex"]), (&json!(manager.member()), &true, &json!("male")));
        assert!(one["number"].as_str().unwrap().starts_with("HH-") && one["phone"].as_str().unwrap().starts_with("+2547"));
        // Found like any other, and changed like any other.
        assert_eq!(mentor.get("/api/households?q=20000003").await.ok()["items"][0]["id"], one["id"]);
        let change = json!({ "id": one["id"], "changes": { "notes": { "was": null, "now": "Visited" } } });
        assert_eq!(mentor.command("household.update", change).await.ok()["status"], "applied");
        // Each in its village's chain, which holds.
        let admin = app.admin().await;
        let events = admin.get(&format!("/api/audit?subject={}", one["id"].as_str().unwrap())).await.ok();
        let actions: Vec<&str> = events["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["household.update", "household.import"]);
        assert_eq!(admin.get("/api/audit?action=import.commit").await.ok()["items"][0]["member"], manager.member());
        let report = kilele::audit::organisation(&app.app, admin.org().parse().unwrap(), "demo").await.unwrap();
        assert!(report.broken.is_empty(), "{report}");
        // Nobody's numbers lie open, and the file is gone.
        let rows: Vec<(Vec<u8>,)> = app.app.db.query("SELECT body FROM feed_entry").all().await.unwrap();
        assert!(rows.iter().all(|(body,)| !kilele::packed::open(body).unwrap().contains("20000003")));
        let (pieces,): (i64,) = app.app.db.query("SELECT count(*) FROM import_piece").one().await.unwrap();
        assert_eq!(pieces, 0);
        // The same numbers again are said to be there.
        let again = checked(&manager, "households", text).await;
        assert_eq!(again["counts"]["faults"], 60);
        assert_eq!(faults(&manager, &again).await[0], (2, "HHID".into(), "reference_there".into()));
    }

    async fn every_fault_has_its_row_and_nothing_is_added(app: TestApp) {
        let manager = manager(&app).await;
        let file = "Name,Sex,DOB,ID number,Phone,Village code,Lat,Lon,Electricity\n\
            Good Person,f,21/04/1987,30000001,0712345678,KIL-MA-01,,,yes\n\
            ,x,31/02/1987,1234,12,NOWHERE,95,1,maybe\n\
            \n\
            \"Two\nlines\",m,1987-04-21,30000001,,KIL-MA,1,,\n\
            Too Many,,,,,KIL-MA-01,,,,more\n";
        let import = checked(&manager, "households", file).await;
        let mut found = faults(&manager, &import).await;
        found.sort();
        let expected = [
            (3, "DOB", "bad_date"), (3, "Electricity", "bad_yes_no"), (3, "ID number", "bad_id"), (3, "Lat", "bad_coordinates"),
            (3, "Name", "missing"), (3, "Phone", "bad_phone"), (3, "Sex", "bad_sex"), (3, "Village code", "place_unknown"),
            (5, "ID number", "id_twice"), (5, "Lat", "bad_coordinates"), (5, "Village code", "place_not_village"), (6, "", "too_many_cells"),
        ];
        assert_eq!(found, expected.map(|(row, column, code)| (row, column.to_owned(), code.to_owned())));
        assert_eq!((&import["counts"]["faults"], &import["counts"]["rows"]), (&json!(12), &json!(4)));
        let id = import["id"].as_str().unwrap();
        ask(&manager, id, "commit", json!({})).await.refused(409, "import_faults");
        assert_eq!(households(&app).await, 24);
        // Given up, it is gone.
        Answer::of(manager.request(Method::DELETE, &format!("/api/imports/{id}"))).await.empty(204);
        manager.get(&format!("/api/imports/{id}")).await.refused(404, "not_found");
        let (pieces,): (i64,) = app.app.db.query("SELECT count(*) FROM import_piece").one().await.unwrap();
        assert_eq!(pieces, 0);
    }

    async fn a_mapping_is_said_once(app: TestApp) {
        let manager = manager(&app).await;
        let file = "Person,Colour,Where\nZuhura Mwende,red,KIL-MA-01\n";
        let sent = send(&manager, "households", file).await.ok();
        assert_eq!((fields(&sent), &sent["columns"][1]["samples"]), (vec!["", "", ""], &json!(["red"])));
        let id = sent["id"].as_str().unwrap();
        ask(&manager, id, "check", json!({ "fields": ["", "", ""] })).await.refused(422, "mapping_incomplete");
        ask(&manager, id, "check", json!({ "fields": ["head_name", "place_code"] })).await.refused(422, "invalid");
        ask(&manager, id, "check", json!({ "fields": ["head_name", "head_name", "place_code"] })).await.refused(422, "invalid");
        ask(&manager, id, "check", json!({ "fields": ["head_name", "colour", "place_code"] })).await.refused(422, "invalid");
        ask(&manager, id, "check", json!({ "fields": ["head_name", "notes", "place_code"] })).await.ok();
        assert_eq!(settled(&manager, id).await["counts"]["new"], 1);
        let next = send(&manager, "households", "WHERE;person\nKIL-MA-02;Somebody Else\n").await.ok();
        assert_eq!(fields(&next), ["place_code", "head_name"]);
        ask(&manager, next["id"].as_str().unwrap(), "commit", json!({})).await.refused(409, "wrong_state");
        let template = manager.get("/api/imports/template?kind=households").await;
        let again = checked(&manager, "households", template.bytes.to_vec()).await;
        assert_eq!((&again["counts"]["new"], &again["counts"]["faults"]), (&json!(1), &json!(0)), "{again}");
    }

    async fn workbooks_and_old_encodings_are_read(app: TestApp) {
        let manager = manager(&app).await;
        let shared = r#"<?xml version="1.0" encoding="UTF-8"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>Name</t></si><si><t>Zawadi &amp; Chebet</t></si></sst>"#;
        let text = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let rows = format!(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c>{}{}{}{}</row><row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"B3\" s=\"1\"><v>31888</v></c><c r=\"C3\"><v>30000009</v></c><c r=\"D3\"><v>712345678</v></c>{}</row>",
            text("B1", "Date of birth"), text("C1", "ID"), text("D1", "Phone"), text("E1", "Village code"), text("E3", "KIL-MA-01")
        );
        let sent = send(&manager, "households", registry::xlsx(&rows, shared)).await.ok();
        let id = sent["id"].as_str().unwrap();
        ask(&manager, id, "check", json!({ "fields": ["head_name", "head_birth_date", "national_id", "phone", "place_code"] })).await.ok();
        let import = settled(&manager, id).await;
        assert_eq!((faults(&manager, &import).await, &import["counts"]["new"]), (vec![], &json!(1)));
        committed(&manager, &import).await;
        let kept = app.mentor().await.records("household").await.into_iter().find(|h| h["national_id"] == "30000009").unwrap();
        assert_eq!((&kept["head_name"], &kept["head_birth_date"], &kept["phone"]), (&json!("Zawadi & Chebet"), &json!("1987-04-21"), &json!("+254712345678")));
        // Windows-1252, tabs, a note of two lines.
        let file = [&b"Jina\tMsimbo\tMaelezo\nJos\xe9 Ng\x92ang\x92a\tKIL-MA-02\t\"one\ntwo\"\n"[..]].concat();
        let import = checked(&manager, "households", file).await;
        committed(&manager, &import).await;
        let all = app.mentor().await.records("household").await;
        assert!(all.iter().any(|h| h["head_name"] == "José Ng’ang’a" && h["notes"] == "one\ntwo"));
    }

    async fn who_may_be_there_already_is_decided_by_a_person(app: TestApp) {
        let (manager, mentor) = (manager(&app).await, app.mentor().await);
        let place = mentor.session["member"]["places"][0].clone();
        let known = json!({ "household": { "id": kilele_tests::id(), "place": place, "head_name": "Zawadi Chebet", "national_id": "30000005", "head_birth_date": "1987-04-21" }, "evidence": [] });
        mentor.command("household.register", known.clone()).await.ok();
        let code = manager.get("/api/places").await.ok()["items"].as_array().unwrap().iter().find(|p| p["id"] == place).unwrap()["code"].as_str().unwrap().to_owned();
        let file = format!("Name,DOB,ID number,Village code\nChebet Zawadi,21/04/1987,,{code}\nSomebody Else,,30000005,{code}\nNew Person,1990-01-02,,{code}\nSawadi Chebet,1987-04-21,,KIL-MG-01\n");
        let import = checked(&manager, "households", file).await;
        let found = duplicates(&manager, &import).await;
        let about = |row: i64| found.iter().find(|one| one["row"] == row).unwrap();
        assert_eq!((about(2)["score"].as_i64(), &about(2)["household_name"], &about(2)["take"]), (Some(100), &json!("Zawadi Chebet"), &json!(false)));
        assert_eq!((about(3)["score"].as_i64(), &about(3)["same_id"], &about(3)["take"]), (Some(100), &json!(true), &json!(false)));
        assert!((60..90).contains(&about(5)["score"].as_i64().unwrap()), "{}", about(5));
        assert_eq!((&about(5)["take"], &import["counts"]["skipped"], &import["counts"]["new"]), (&json!(true), &json!(2), &json!(2)));
        assert!(!found.iter().any(|one| one["row"] == 4));
        let path = format!("/api/imports/{}/decisions", import["id"].as_str().unwrap());
        manager.put(&path, &json!({ "rows": [{ "row": 4, "take": false }] })).await.refused(422, "invalid");
        let decided = manager.put(&path, &json!({ "rows": [{ "row": 2, "take": true }, { "row": 5, "take": false }] })).await.ok();
        assert_eq!((&decided["counts"]["new"], &decided["counts"]["skipped"]), (&json!(2), &json!(2)));
        let before = households(&app).await;
        // Meanwhile somebody registers one of them: nothing is added, and it is to be looked at again.
        mentor.command("household.register", json!({ "household": { "id": kilele_tests::id(), "place": place, "head_name": "New Person", "head_birth_date": "1990-01-02" }, "evidence": [] })).await.ok();
        let stale = committed(&manager, &import).await;
        assert_eq!((&stale["state"], &stale["fault"], households(&app).await), (&json!("checked"), &json!("import_stale"), before + 1));
        let done = committed(&manager, &stale).await;
        assert_eq!((&done["state"], households(&app).await), (&json!("done"), before + 2), "{done}");
    }

    async fn what_nobody_touched_is_undone_as_a_whole(app: TestApp) {
        let (manager, mentor) = (manager(&app).await, app.mentor().await);
        let file = registry::csv(30, &villages());
        let import = checked(&manager, "households", file.clone()).await;
        committed(&manager, &import).await;
        let first = mentor.sync(&json!({}), &[]).await;
        let cursors: serde_json::Map<_, _> = first["feeds"].as_object().unwrap().iter().map(|(feed, news)| (feed.clone(), news["revision"].clone())).collect();
        let id = import["id"].as_str().unwrap();
        ask(&manager, id, "undo", json!({})).await.ok();
        assert_eq!(settled(&manager, id).await["state"], "undone");
        assert_eq!(households(&app).await, 24);
        // A phone that has them drops them.
        let next = mentor.sync(&json!(cursors), &[]).await;
        let gone = next["feeds"].as_object().unwrap().values().flat_map(|f| f["entries"].as_array().unwrap()).filter(|e| e["deleted"] == true).count();
        assert_eq!(gone, 30);
        ask(&manager, id, "undo", json!({})).await.refused(409, "wrong_state");
        // What was undone may come again.
        let again = checked(&manager, "households", file).await;
        assert_eq!(again["counts"]["faults"], 0);
        committed(&manager, &again).await;
        // Once somebody has visited one of them it stays.
        let one = mentor.records("household").await.into_iter().find(|h| h["national_id"] == "20000004").unwrap();
        mentor.submit(&one).await;
        let refused = ask(&manager, again["id"].as_str().unwrap(), "undo", json!({})).await;
        refused.refused(409, "import_touched");
        assert_eq!(refused.body["details"]["records"][0]["name"], one["number"]);
        assert_eq!(households(&app).await, 54);
        let admin = app.admin().await;
        let report = kilele::audit::organisation(&app.app, admin.org().parse().unwrap(), "demo").await.unwrap();
        assert!(report.broken.is_empty(), "{report}");
    }

    async fn places_come_alone_or_with_their_households(app: TestApp) {
        let (manager, supervisor) = (manager(&app).await, app.supervisor().await);
        let file = "code,parent_code,name,lat,lon\nX-V,X-S,Kijiji kipya,-0.2,36.2\nX-S,X,Mpya,,\nX,,Kaunti mpya,,\nX-V,X-S,Again,,\nKIL,,Known,,\nY,NOPE,Orphan,,\nZ,X-V,Too deep,,\nR1,R2,Ring,,\nR2,R1,Ring,,\nH,X,Half,1,\n";
        let import = checked(&manager, "places", file).await;
        let found = faults(&manager, &import).await;
        let codes: Vec<(i64, &str)> = found.iter().map(|(row, _, code)| (*row, code.as_str())).collect();
        assert_eq!(codes, [(5, "code_twice"), (6, "code_taken"), (7, "parent_unknown"), (8, "too_deep"), (9, "too_deep"), (10, "too_deep"), (11, "bad_coordinates")]);
        let import = checked(&manager, "places", file.lines().take(4).collect::<Vec<_>>().join("\n")).await;
        committed(&manager, &import).await;
        let places = app.admin().await.records("place").await;
        assert_eq!(places.iter().filter(|p| p["code"].as_str().unwrap().starts_with('X')).count(), 3);

        let rows = "Head,County,Sub-County,Village\nMary Atieno,Kilima county,Mashariki,Chemchemi\nJohn Kamau,Siaya,Bondo,Usenge\nRuth Achola,SIAYA County,Bondo sub-county,usenge\nEsther Moraa,,,Nowhere\n";
        let sent = send(&manager, "households", rows).await.ok();
        let id = sent["id"].as_str().unwrap();
        let map = |create: bool| json!({ "fields": ["head_name", "county", "sub_county", "village"], "create_places": create });
        ask(&manager, id, "check", map(false)).await.ok();
        assert_eq!(settled(&manager, id).await["counts"]["faults"], 3);
        ask(&manager, id, "check", map(true)).await.ok();
        let import = settled(&manager, id).await;
        assert_eq!(faults(&manager, &import).await, [(5, "Village".to_owned(), "place_unknown".to_owned())]);
        let sent = send(&manager, "households", rows.lines().take(4).collect::<Vec<_>>().join("\n")).await.ok();
        let id = sent["id"].as_str().unwrap();
        ask(&manager, id, "check", map(true)).await.ok();
        let import = settled(&manager, id).await;
        assert_eq!((&import["counts"]["new"], &import["counts"]["places"]), (&json!(3), &json!(3)));
        assert_eq!(committed(&manager, &import).await["state"], "done");
        let everybody = manager.records("household").await;
        assert!(everybody.iter().any(|h| h["head_name"] == "Ruth Achola"));
        let usenge = manager.records("place").await.into_iter().find(|p| p["name"] == "Usenge").unwrap();
        assert_eq!((&usenge["level"], &usenge["code"]), (&json!(2), &json!("SIAYA-BONDO-USENGE")));
        assert!(!supervisor.records("household").await.iter().any(|h| h["head_name"] == "Ruth Achola"), "not her county");
        ask(&manager, id, "undo", json!({})).await.ok();
        assert_eq!(settled(&manager, id).await["state"], "undone");
        let left = manager.records("place").await;
        assert!(!left.iter().any(|p| p["name"] == "Usenge") && left.iter().any(|p| p["code"] == "X-V"));
        assert!(!manager.records("household").await.iter().any(|h| h["head_name"] == "Mary Atieno"));
    }

    async fn a_household_of_several_rows_is_one(app: TestApp) {
        let manager = manager(&app).await;
        let file = "HHID,Relation to head,Name,Gender,Village code\n1,spouse,Peter Otieno,M,KIL-MA-01\n1,head,Mary Otieno,F,KIL-MA-01\n1,daughter,Ann Otieno,F,KIL-MA-01\n2,head,Lone Person,F,KIL-MA-02\n3,child,Orphan One,M,KIL-MA-02\n4,head,A One,F,KIL-MA-02\n4,head,B Two,F,KIL-MA-02\n";
        let import = checked(&manager, "households", file).await;
        let mut found = faults(&manager, &import).await;
        found.sort();
        assert_eq!(found.iter().map(|(row, _, code)| (*row, code.as_str())).collect::<Vec<_>>(), [(6, "no_head"), (8, "two_heads")]);
        let import = checked(&manager, "households", file.lines().take(5).collect::<Vec<_>>().join("\n")).await;
        assert_eq!((&import["counts"]["new"], &import["counts"]["members"]), (&json!(2), &json!(2)));
        committed(&manager, &import).await;
        let mary = manager.records("household").await.into_iter().find(|h| h["head_name"] == "Mary Otieno").unwrap();
        let members: Vec<(&str, &str)> = mary["members"].as_array().unwrap().iter().map(|m| (m["name"].as_str().unwrap(), m["relationship"].as_str().unwrap())).collect();
        assert_eq!(members, [("Peter Otieno", "spouse"), ("Ann Otieno", "child")]);
    }

    async fn only_those_who_import_and_only_their_own_organisation(app: TestApp) {
        neighbours(&app).await;
        let manager = manager(&app).await;
        let import = checked(&manager, "households", registry::csv(5, &villages())).await;
        let id = import["id"].as_str().unwrap();
        let (there, mentor, supervisor) = (app.sign_in("b.admin").await, app.mentor().await, app.supervisor().await);
        for (person, status, code) in [(&there, 404, "not_found"), (&mentor, 403, "forbidden"), (&supervisor, 403, "forbidden")] {
            for path in [format!("/api/imports/{id}"), format!("/api/imports/{id}/faults"), format!("/api/imports/{id}/duplicates")] {
                person.get(&path).await.refused(status, code);
            }
            ask(person, id, "commit", json!({})).await.refused(status, code);
            ask(person, id, "undo", json!({})).await.refused(status, code);
            ask(person, id, "check", json!({ "fields": fields(&import) })).await.refused(status, code);
            Answer::of(person.request(Method::DELETE, &format!("/api/imports/{id}"))).await.refused(status, code);
        }
        assert_eq!(there.get("/api/imports").await.ok()["items"], json!([]));
        // Another organisation's village is none, even by the same code, and its people are nobody's duplicates.
        let theirs = checked(&there, "households", registry::csv(5, &villages())).await;
        assert_eq!((&theirs["counts"]["faults"], duplicates(&there, &theirs).await.len()), (&json!(5), 0));
        send(&mentor, "households", "a\n1\n").await.refused(403, "forbidden");
        assert_eq!(app.admin().await.get("/api/imports").await.ok()["items"][0]["id"], json!(id));
    }

    async fn of_two_at_once_the_second_sees_the_first(app: TestApp) {
        let manager = manager(&app).await;
        let file = registry::csv(200, &villages());
        let (one, two) = (checked(&manager, "households", file.clone()).await, checked(&manager, "households", file).await);
        let (a, b) = tokio::join!(
            ask(&manager, one["id"].as_str().unwrap(), "commit", json!({})),
            ask(&manager, two["id"].as_str().unwrap(), "commit", json!({}))
        );
        // Both may be let in, if the first was done so soon: then the second finds them there.
        assert!(a.status == 200 || b.status == 200, "{} {}", a.body, b.body);
        for answer in [&a, &b] {
            assert!(answer.status == 200 || answer.body["code"] == "import_running" || answer.status == 503, "{}", answer.body);
        }
        let (one, two) = (settled(&manager, one["id"].as_str().unwrap()).await, settled(&manager, two["id"].as_str().unwrap()).await);
        let done = [&one, &two].iter().filter(|import| import["state"] == "done").count();
        assert_eq!((done, households(&app).await), (1, 224));
        let waiting = if one["state"] == "done" { two } else { one };
        let late = if waiting["fault"] == "import_stale" { waiting } else { committed(&manager, &waiting).await };
        assert_eq!((&late["state"], &late["fault"], households(&app).await), (&json!("checked"), &json!("import_stale"), 224));
    }

    async fn interrupted_it_goes_on_or_fails_cleanly(app: TestApp) {
        let manager = manager(&app).await;
        let import = checked(&manager, "households", registry::csv(20, &villages())).await;
        let id: kilele_tests::Uuid = import["id"].as_str().unwrap().parse().unwrap();
        // As a crash leaves it: the state says that somebody works on it, the job's lease has run out.
        let leave = async |state: &'static str, attempts: i64| {
            let (at, org) = (app.clock.now(), manager.org().parse::<kilele_tests::Uuid>().unwrap());
            app.app.db.write(move |tx| Box::pin(async move {
                let job = format!("import {id} {attempts}");
                tx.query("UPDATE import SET state = $2, job = $3, done = 7, total = 20 WHERE id = $1").bind(id).bind(state).bind(job.clone()).run().await?;
                tx.query("INSERT INTO job (id, org, kind, dedupe, body, state, run_at, lease_until, attempts) VALUES ($1, $2, 'import', $3, $4, $5, $6, $6, $7)")
                    .bind(kilele::clock::new_id()).bind(org).bind(job).bind(format!("\"{id}\"")).bind(if attempts < 8 { "queued" } else { "dead" }).bind(at - 1).bind(attempts).run().await
            })).await.unwrap();
        };
        leave("checking", 1).await;
        let twin = app.twin().await;
        let on_the_other = manager.by(&twin.url);
        let gone_on = settled(&on_the_other, &id.to_string()).await;
        assert_eq!((&gone_on["state"], &gone_on["fault"], &gone_on["counts"]["new"]), (&json!("checked"), &Value::Null, &json!(20)));
        leave("committing", 8).await;
        let failed = settled(&manager, &id.to_string()).await;
        assert_eq!((&failed["state"], &failed["fault"], households(&app).await), (&json!("checked"), &json!("crashed"), 24));
        leave("committing", 2).await;
        assert_eq!(settled(&manager, &id.to_string()).await["state"], "done");
        assert_eq!(households(&app).await, 44, "once");
        leave("undoing", 9).await;
        assert_eq!(settled(&manager, &id.to_string()).await["state"], "done");
        // A file of which nothing is made is forgotten after a week.
        let idle = checked(&manager, "households", registry::csv(3, &villages())).await;
        app.clock.shift(8 * DAY);
        kilele::imports::sweep(&app.app).await.unwrap();
        app.clock.shift(-8 * DAY);
        manager.get(&format!("/api/imports/{}", idle["id"].as_str().unwrap())).await.refused(404, "not_found");
        assert_eq!(manager.get(&format!("/api/imports/{id}")).await.ok()["state"], "done");
    }

    async fn hostile_files_are_refused_and_nothing_falls(app: TestApp) {
        let manager = manager(&app).await;
        let shared = |count: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><sst uniqueCount=\"{count}\"><si><t>Name</t></si></sst>");
        let cell = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let plain = format!("<row r=\"1\">{}</row><row r=\"2\">{}</row>", cell("A1", "Name"), cell("A2", "Somebody"));
        send(&manager, "households", registry::xlsx(&plain, &shared("1"))).await.ok();
        for count in ["99999999999", "18446744073709551615", "99999999999999999999999"] {
            send(&manager, "households", registry::xlsx(&plain, &shared(count))).await.refused(422, "file_bomb");
        }
        let far = format!("{plain}<row r=\"1048576\">{}</row>", cell("XFD1048576", "far"));
        send(&manager, "households", registry::xlsx(&far, &shared("1"))).await.refused(422, "too_many_columns");
        let bomb = format!("{plain}<!--{}-->", " ".repeat(257 << 20));
        send(&manager, "households", registry::xlsx(&bomb, &shared("1"))).await.refused(422, "file_bomb");
        drop(bomb);
        send(&manager, "households", registry::xlsx(&plain, &" ".repeat(41 << 20))).await.refused(422, "file_bomb");
        for (bytes, code) in [
            (registry::workbook(&[("nothing", "")]), "file_unreadable"), (b"PK\x03\x04".to_vec(), "file_unreadable"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "file_old_excel"), (vec![0; 100], "file_unreadable"), (vec![], "csv_empty"),
            (b"a\n".repeat(100_002), "too_many_rows"),
        ] {
            send(&manager, "households", bytes).await.refused(422, code);
        }
        send(&manager, "households", vec![b'x'; (25 << 20) + 1]).await.refused(413, "too_large");
        send(&manager, "nothing", "a\n1\n").await.refused(400, "bad_request");
        let json = manager.request(Method::POST, "/api/imports?kind=households").json(&json!({}));
        Answer::of(json).await.refused(415, "unsupported_media_type");
        // A text that looks like a sealed one is nobody's name.
        let import = checked(&manager, "households", format!("Name,Village code\n{MARK}x,KIL-MA-01\nA\u{7}b,KIL-MA-01\n")).await;
        assert_eq!(faults(&manager, &import).await.iter().map(|(_, _, code)| code.as_str()).collect::<Vec<_>>(), ["bad_text", "bad_text"]);
    }
}
