//! Told in time: e-mails and text messages, what a person wishes, quiet hours, what stays unread, and who was not reached.

use std::sync::{Arc, Mutex};

use kilele::clock::{DAY, HOUR, MINUTE};
use kilele_tests::mail::MailServer;
use kilele_tests::{Engine, Person, TestApp, both, until};
use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{EndpointExt, Request, Response, Route, Server, handler, post};
use serde_json::{Value, json};

fn wishes(over: Value) -> Value {
    let mut told = json!({ "language": "en", "email": "", "phone": "", "quiet_from": "", "quiet_until": "", "kinds": [] });
    for (name, value) in over.as_object().unwrap() {
        told[name] = value.clone();
    }
    told
}

async fn wish(person: &Person, over: Value) {
    person.put("/api/me/told", &wishes(over)).await.empty(204);
}

/// As [`wish`], of somebody whose addresses were confirmed.
async fn reach(app: &TestApp, person: &Person, over: Value) {
    wish(person, over).await;
    let confirmed = "UPDATE told SET email_confirmed = CASE WHEN email IS NOT NULL THEN 'code' END,
                         phone_confirmed = CASE WHEN phone IS NOT NULL THEN 'code' END";
    app.app.db.write(move |tx| Box::pin(tx.query(confirmed).run())).await.unwrap();
}

/// Channel, state and reason of every delivery, in order.
async fn deliveries(app: &TestApp) -> Vec<(String, String, Option<String>)> {
    let all = "SELECT channel, state, reason FROM delivery ORDER BY created_at, id";
    app.app.db.query(all).all().await.unwrap()
}

async fn settled(app: &TestApp, count: usize) -> Vec<(String, String, Option<String>)> {
    until("the deliveries", async || {
        app.app.jobs.notify_one();
        let all = deliveries(app).await;
        (all.len() >= count && all.iter().all(|(_, state, _)| state != "waiting")).then_some(all)
    })
    .await
}

/// How many inbox rows of a kind somebody has.
async fn rows(app: &TestApp, kind: &'static str) -> i64 {
    let (count,): (i64,) = app.app.db.query("SELECT count(*) FROM inbox WHERE kind = $1").bind(kind).one().await.unwrap();
    count
}

async fn with(engine: Engine, settings: &[(&'static str, String)]) -> TestApp {
    TestApp::spawn_with(engine, |name| settings.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone())).await
}

async fn with_mail(engine: Engine) -> (MailServer, TestApp) {
    let mail = tokio::task::spawn_blocking(MailServer::start).await.unwrap();
    let settings = [
        ("KILELE_SMTP_URL", mail.url.clone()),
        ("KILELE_MAIL_FROM", "Kilele <kilele@example.org>".into()),
        ("KILELE_PUBLIC_URL", "https://kilele.example.org".into()),
    ];
    let app = with(engine, &settings).await;
    (mail, app)
}

async fn mail(server: MailServer) -> (MailServer, Value) {
    tokio::task::spawn_blocking(move || {
        let mail = server.next();
        (server, mail)
    })
    .await
    .unwrap()
}

/// Each story on both engines, with a mail server.
macro_rules! mailed {
    ($(async fn $name:ident($mail:ident, $app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn story($mail: MailServer, $app: TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (mail, app) = with_mail(Engine::Sqlite).await;
                story(mail, app).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (mail, app) = with_mail(Engine::Postgres).await;
                story(mail, app).await;
            }
        }
    )*};
}

mailed! {
    async fn twelve_visits_make_one_e_mail_that_names_nobody(server, app) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let kinds = json!([{ "kind": "visit_submitted", "channels": ["email"] }]);
        reach(&app, &supervisor, json!({ "email": "grace@example.org", "language": "sw", "kinds": kinds })).await;
        let household = mentor.a_household().await;
        for _ in 0..12 {
            mentor.submit(&household).await;
        }
        assert_eq!(deliveries(&app).await.len(), 12);
        app.clock.shift(5 * MINUTE + 1000);
        app.app.jobs.notify_one();
        let (server, letter) = mail(server).await;
        assert_eq!((&letter["from"], &letter["to"]), (&json!("kilele@example.org"), &json!(["grace@example.org"])));
        assert_eq!(letter["headers"]["subject"], "Ziara 12 zinasubiri uamuzi wako");
        assert_eq!(letter["headers"]["auto-submitted"], "auto-generated");
        let (text, html) = (letter["text"].as_str().unwrap(), letter["html"].as_str().unwrap());
        for body in [text, html] {
            assert!(body.contains("Ziara 12 zinasubiri uamuzi wako.") && body.contains("https://kilele.example.org/inbox"), "{body}");
            for name in household["head_name"].as_str().unwrap().split(' ').chain(["Amina", "Grace"]) {
                assert!(!body.contains(name), "{name} in {body}");
            }
        }
        let all = settled(&app, 12).await;
        assert!(all.iter().all(|one| *one == ("email".into(), "sent".into(), None)), "{all:?}");
        assert_eq!(server.taken(), None, "one for all of them");
    }

    async fn a_mail_server_s_no_is_final_and_its_later_is_later(server, app) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let kinds = json!([{ "kind": "visit_returned", "channels": ["email"] }]);
        let returned = async |email: &str| {
            reach(&app, &mentor, json!({ "email": email, "kinds": kinds })).await;
            let visit = mentor.submit(&mentor.a_household().await).await;
            let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
            let body = json!({ "id": visit.id, "revision": revision, "note": "one more picture" });
            supervisor.command("visit.return", body).await.ok();
        };
        returned("nobody@example.org").await;
        assert_eq!(settled(&app, 1).await, [("email".into(), "failed".into(), Some("refused".into()))]);
        returned("busy@example.org").await;
        let tried = "SELECT attempts FROM delivery WHERE state = 'waiting'";
        until("the first try", async || {
            let (attempts,): (i64,) = app.app.db.query(tried).one().await.unwrap();
            (attempts == 1).then_some(())
        }).await;
        app.clock.shift(31_000);
        let all = settled(&app, 2).await;
        assert_eq!(all[1], ("email".into(), "sent".into(), None));
        let (server, letter) = mail(server).await;
        assert_eq!((&letter["to"], &letter["headers"]["subject"]), (&json!(["busy@example.org"]), &json!("A visit came back to you with a note")));
        let visit = letter["text"].as_str().unwrap();
        assert!(visit.contains("https://kilele.example.org/visits/") && !visit.contains("one more picture"), "{visit}");
        assert_eq!(server.taken(), None);
    }
}

/// What the next message says, and the six digits in it.
async fn code_in(server: MailServer) -> (MailServer, Value, String) {
    let (server, letter) = mail(server).await;
    let digits: String = letter["headers"]["subject"].as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 6, "{letter}");
    (server, letter, digits)
}

fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn standing(person: &Person, channel: &str) -> Value {
    let all = person.get("/api/me/told").await.ok()["addresses"].clone();
    all.as_array().unwrap().iter().find(|one| one["channel"] == channel).cloned().unwrap_or_default()
}

mailed! {
    async fn an_address_is_used_once_its_code_was_typed(server, app) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let kinds = json!([{ "kind": "visit_returned", "channels": ["email"] }]);
        let (email, code) = (json!({ "channel": "email" }), |code: &str| json!({ "channel": "email", "code": code }));
        mentor.post("/api/me/told/code", &email).await.refused(409, "no_address");
        wish(&mentor, json!({ "email": "amina@example.org", "kinds": kinds })).await;
        assert_eq!(standing(&mentor, "email").await, json!({ "channel": "email", "can_send": true }));
        let returned = async || {
            let visit = mentor.submit(&mentor.a_household().await).await;
            let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
            supervisor.command("visit.return", json!({ "id": visit.id, "revision": revision, "note": "one more picture" })).await.ok();
        };
        returned().await;
        assert_eq!(deliveries(&app).await, [], "nobody has shown whose it is");
        mentor.post("/api/me/told/confirm", &code("123456")).await.refused(422, "code_spent");
        let sent = mentor.post("/api/me/told/code", &email).await.ok();
        assert!(sent["code_until"].as_i64().unwrap() - app.clock.now() <= 15 * MINUTE);
        let (server, letter, first) = code_in(server).await;
        assert_eq!((&letter["to"], &letter["headers"]["auto-submitted"]), (&json!(["amina@example.org"]), &json!("auto-generated")));
        let text = letter["text"].as_str().unwrap();
        assert!(text.contains("within 15 minutes") && !text.contains("Amina"), "{text}");
        let (kept,): (Vec<u8>,) = app.app.db.query("SELECT code FROM told_code").one().await.unwrap();
        assert!(kept.len() == 32 && !kept.windows(6).any(|w| w == first.as_bytes()), "a keyed hash of it is kept");
        let state = standing(&mentor, "email").await;
        assert!(state["confirmed"].is_null() && state["code_until"] == sent["code_until"] && state["again_at"] == sent["again_at"]);

        // Another one only after a while, and then after a longer one; the first is good no more.
        let soon = mentor.post("/api/me/told/code", &email).await;
        soon.refused(429, "too_many_attempts");
        assert!((25..=30).contains(&soon.header("retry-after").parse::<i64>().unwrap()));
        app.clock.shift(31_000);
        mentor.post("/api/me/told/code", &email).await.ok();
        let (server, _, second) = code_in(server).await;
        let longer = mentor.post("/api/me/told/code", &email).await;
        longer.refused(429, "too_many_attempts");
        assert!((55..=60).contains(&longer.header("retry-after").parse::<i64>().unwrap()));
        if first != second {
            mentor.post("/api/me/told/confirm", &code(&first)).await.refused(422, "code_wrong");
        }
        // The code of one person is nothing to another.
        wish(&supervisor, json!({ "email": "amina@example.org" })).await;
        supervisor.post("/api/me/told/confirm", &code(&second)).await.refused(422, "code_spent");
        mentor.post("/api/me/told/confirm", &code(&format!("{} {}", &second[..3], &second[3..]))).await.empty(204);
        assert_eq!(standing(&mentor, "email").await, json!({ "channel": "email", "can_send": true, "confirmed": "code" }));
        mentor.post("/api/me/told/code", &email).await.refused(409, "already_confirmed");
        returned().await;
        let (server, letter) = mail(server).await;
        assert_eq!(letter["headers"]["subject"], "A visit came back to you with a note");
        // What else is chosen changes nothing; another address is another one.
        wish(&mentor, json!({ "email": "amina@example.org", "language": "sw", "kinds": kinds })).await;
        assert_eq!(standing(&mentor, "email").await["confirmed"], "code");
        wish(&mentor, json!({ "email": "other@example.org", "kinds": kinds })).await;
        assert!(standing(&mentor, "email").await["confirmed"].is_null());
        mentor.post("/api/me/told/confirm", &code(&second)).await.refused(422, "code_spent");
        returned().await;
        assert_eq!(settled(&app, 1).await.len(), 1, "not to the other one");
        drop(server);
    }

    async fn a_code_is_good_for_a_while_and_a_few_tries(server, app) {
        let email = json!({ "channel": "email" });
        let code = |code: &str| json!({ "channel": "email", "code": code });
        let mentor = app.mentor().await;
        wish(&mentor, json!({ "email": "amina@example.org" })).await;
        mentor.post("/api/me/told/code", &email).await.ok();
        let (server, _, late) = code_in(server).await;
        app.clock.shift(15 * MINUTE);
        let mentor = app.mentor().await;
        mentor.post("/api/me/told/confirm", &code(&late)).await.refused(422, "code_expired");
        assert!(standing(&mentor, "email").await["code_until"].is_null());
        mentor.post("/api/me/told/code", &email).await.ok();
        let (mut server, _, right) = code_in(server).await;
        for left in [4, 3, 2, 1] {
            let wrong = mentor.post("/api/me/told/confirm", &code(&another(&right))).await;
            wrong.refused(422, "code_wrong");
            assert_eq!(wrong.body["details"]["left"], left);
        }
        mentor.post("/api/me/told/confirm", &code(&another(&right))).await.refused(422, "code_spent");
        mentor.post("/api/me/told/confirm", &code(&right)).await.refused(422, "code_spent");
        for nonsense in ["", "12345", "1234567", "abcdef", &"9".repeat(5000)] {
            mentor.post("/api/me/told/confirm", &code(nonsense)).await.refused(422, "code_spent");
        }
        mentor.post("/api/me/told/code", &json!({ "channel": "push" })).await.refused(422, "invalid");
        // Ten in a day, to whichever address.
        for n in 3..=10 {
            app.clock.shift(HOUR);
            let mentor = app.mentor().await;
            wish(&mentor, json!({ "email": format!("amina.{n}@example.org") })).await;
            mentor.post("/api/me/told/code", &email).await.ok();
            (server, _, _) = code_in(server).await;
        }
        app.clock.shift(2 * HOUR);
        let mentor = app.mentor().await;
        mentor.post("/api/me/told/code", &email).await.refused(429, "too_many_attempts");
        app.clock.shift(DAY);
        let mentor = app.mentor().await;
        mentor.post("/api/me/told/code", &email).await.ok();
        let (server, _, right) = code_in(server).await;
        mentor.post("/api/me/told/confirm", &code(&right)).await.empty(204);
        // What a mail server does not take is said, and counted.
        wish(&mentor, json!({ "email": "nobody@example.org" })).await;
        app.clock.shift(HOUR);
        let mentor = app.mentor().await;
        mentor.post("/api/me/told/code", &email).await.refused(422, "address_refused");
        drop(server);
    }
}

both! {
    async fn an_administrator_vouches_where_no_code_can_go(app: TestApp) {
        let (mentor, admin) = (app.mentor().await, app.admin().await);
        wish(&mentor, json!({ "phone": "0712345678" })).await;
        assert_eq!(standing(&mentor, "sms").await, json!({ "channel": "sms", "can_send": false }));
        mentor.post("/api/me/told/code", &json!({ "channel": "sms" })).await.refused(409, "not_set_up");
        let path = format!("/api/members/{}/told", mentor.member());
        mentor.get(&path).await.refused(403, "forbidden");
        assert_eq!(admin.get(&path).await.ok(), json!({ "phone": "+254712345678" }));
        let vouch = |address: &str| json!({ "channel": "sms", "address": address });
        let (path, there) = (format!("{path}/vouch"), format!("/api/members/{}/told", mentor.member()));
        mentor.post(&path, &vouch("+254712345678")).await.refused(403, "forbidden");
        admin.post(&path, &vouch("+254700000000")).await.refused(409, "stale");
        admin.post(&path, &json!({ "channel": "email", "address": "a@b.org" })).await.refused(409, "no_address");
        admin.post(&path, &json!({ "channel": "push", "address": "x" })).await.refused(422, "invalid");
        let nobody = format!("/api/members/{}/told/vouch", kilele_tests::id());
        admin.post(&nobody, &vouch("+254712345678")).await.refused(404, "not_found");
        admin.post(&path, &vouch("+254712345678")).await.empty(204);
        assert_eq!(admin.get(&there).await.ok(), json!({ "phone": "+254712345678", "phone_confirmed": "vouched" }));
        assert_eq!(standing(&mentor, "sms").await["confirmed"], "vouched");
        for action in ["told.vouch", "told.read"] {
            let events = admin.get(&format!("/api/audit?action={action}")).await.ok();
            let all = events["items"].as_array().unwrap();
            assert!(all.iter().any(|event| event["action"] == action && event["subject"] == json!(mentor.member())), "{action}: {events}");
            assert!(!events.to_string().contains("712345678"), "the number itself is not in the audit");
        }
        // It is used from now on, until it is another one.
        app.supervisor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let supervisor = app.supervisor().await;
        let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.return", json!({ "id": visit.id, "revision": revision, "note": "one more picture" })).await.ok();
        assert_eq!(settled(&app, 1).await, [("sms".into(), "noted".into(), None)]);
        wish(&mentor, json!({ "phone": "0712345679" })).await;
        assert!(standing(&mentor, "sms").await["confirmed"].is_null());
    }

    async fn what_a_person_chose_is_kept_and_checked(app: TestApp) {
        let mentor = app.mentor().await;
        let before = mentor.get("/api/me/told").await.ok();
        assert_eq!(before["told"]["language"], "en");
        assert_eq!((&before["time_zone"], &before["channels"]), (&json!("Africa/Nairobi"), &json!(["push", "sms"])), "no mail server is set");
        let kinds = before["told"]["kinds"].as_array().unwrap();
        let words = before["words"].as_array().unwrap();
        assert!(words.iter().zip(kinds).all(|(word, kind)| word["kind"] == kind["kind"] && !word["sw"].as_str().unwrap().is_empty()));
        assert!(words.iter().all(|word| word["kind"] != "visit_submitted" && word["kind"] != "grant_to_decide"), "a mentor decides on nothing");
        assert!(kinds.len() > 20 && kinds.iter().all(|kind| kind["channels"] == json!(["push"])));
        let chosen = json!([{ "kind": "visit_approved", "channels": [] }, { "kind": "visit_returned", "channels": ["sms", "push", "sms"] }]);
        wish(&mentor, json!({ "language": "sw", "email": " amina@example.org ", "phone": "0712 345 678", "quiet_from": "21:00",
                              "quiet_until": "06:00", "kinds": chosen })).await;
        let after = mentor.get("/api/me/told").await.ok()["told"].clone();
        let kind = |key: &str| after["kinds"].as_array().unwrap().iter().find(|kind| kind["kind"] == key).unwrap()["channels"].clone();
        assert_eq!((kind("visit_approved"), kind("visit_returned"), kind("visit_planned")), (json!([]), json!(["push", "sms"]), json!(["push"])));
        assert_eq!((&after["email"], &after["phone"]), (&json!("amina@example.org"), &json!("+254712345678")));
        assert_eq!((&after["language"], &after["quiet_from"], &after["quiet_until"]), (&json!("sw"), &json!("21:00"), &json!("06:00")));
        let (email, phone): (Vec<u8>, Vec<u8>) = app.app.db.query("SELECT email, phone FROM told").one().await.unwrap();
        assert!(!email.windows(5).any(|w| w == b"amina") && !phone.windows(5).any(|w| w == b"71234"), "addresses are sealed");
        let none = app.other_mentor().await.get("/api/me/told").await.ok();
        assert_eq!((&none["told"]["email"], &none["told"]["phone"]), (&json!(""), &json!("")), "only one's own");
        for (field, wrong) in [
            ("language", json!("fr")), ("email", json!("amina")), ("email", json!("a@b c")), ("phone", json!("12")),
            ("quiet_from", json!("21:00")), ("quiet_until", json!("6:00")),
            ("kinds", json!([{ "kind": "nonsense", "channels": [] }])),
            ("kinds", json!([{ "kind": "visit_planned", "channels": [] }, { "kind": "visit_planned", "channels": [] }])),
        ] {
            let answer = mentor.put("/api/me/told", &wishes(json!({ field: wrong }))).await;
            answer.refused(422, "invalid");
        }
        assert_eq!(mentor.get("/api/me/told").await.ok()["told"], after, "what is refused changes nothing");
        // An administrator takes it out for them; erasing the member takes it away.
        let admin = app.admin().await;
        let out = admin.get(&format!("/api/members/{}/export", mentor.member())).await;
        assert_eq!(out.ok()["told"]["phone"], "+254712345678");
    }

    async fn without_a_gateway_a_text_message_is_only_noted(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        reach(&app, &supervisor, json!({ "phone": "0712345678" })).await;
        mentor.submit(&mentor.a_household().await).await;
        // No device takes pushes: what must be acted on goes by the way that is open.
        app.clock.shift(6 * MINUTE);
        assert_eq!(settled(&app, 1).await, [("sms".into(), "noted".into(), None)]);
    }

    async fn quiet_hours_hold_back_all_but_the_inbox(app: TestApp) {
        let supervisor = app.supervisor().await;
        reach(&app, &supervisor, json!({ "phone": "0712345678", "quiet_from": "21:00", "quiet_until": "06:00" })).await;
        // To 22:00 in Nairobi.
        let now = app.clock.now();
        app.clock.shift((19 * HOUR - now % DAY).rem_euclid(DAY) + DAY);
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        mentor.submit(&mentor.a_household().await).await;
        let inbox = supervisor.records("inbox").await;
        assert!(inbox.iter().any(|entry| entry["kind"] == "visit_submitted"), "the inbox has it at once");
        let (run_at,): (i64,) = app.app.db.query("SELECT run_at FROM job WHERE kind = 'deliver'").one().await.unwrap();
        assert_eq!((run_at % DAY, run_at > app.clock.now()), (3 * HOUR, true), "6:00 in Nairobi");
        // Whoever moves the hours meanwhile moves the message.
        reach(&app, &supervisor, json!({ "phone": "0712345678", "quiet_from": "21:00", "quiet_until": "07:00" })).await;
        app.clock.shift(run_at - app.clock.now() + 1000);
        until("the message to wait on", async || {
            app.app.jobs.notify_one();
            let (later,): (Option<i64>,) = app.app.db.query("SELECT min(run_at) FROM job WHERE kind = 'deliver'").one().await.unwrap();
            (later == Some(run_at + HOUR)).then_some(())
        }).await;
        assert_eq!(deliveries(&app).await, [("sms".into(), "waiting".into(), None)]);
        app.clock.shift(HOUR);
        assert_eq!(settled(&app, 1).await, [("sms".into(), "noted".into(), None)]);
    }

    async fn what_was_read_meanwhile_is_not_sent(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        reach(&app, &supervisor, json!({ "phone": "0712345678" })).await;
        mentor.submit(&mentor.a_household().await).await;
        let entry = supervisor.records("inbox").await.into_iter().find(|entry| entry["kind"] == "visit_submitted").unwrap();
        supervisor.command("inbox.read", json!({ "ids": [entry["id"]] })).await.ok();
        app.clock.shift(6 * MINUTE);
        assert_eq!(settled(&app, 1).await, [("sms".into(), "unneeded".into(), Some("read".into()))]);
    }

    async fn what_stays_unread_takes_the_next_way_and_then_goes_to_the_supervisor(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let kinds = json!([{ "kind": "visit_returned", "channels": ["email", "sms"] }]);
        reach(&app, &mentor, json!({ "phone": "0712345678", "email": "amina@example.org", "kinds": kinds })).await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.return", json!({ "id": visit.id, "revision": revision, "note": "one more picture" })).await.ok();
        // Both ways at once, as chosen; no mail server is set here.
        let both = settled(&app, 2).await;
        assert_eq!(both, [("email".into(), "failed".into(), Some("not_set_up".into())), ("sms".into(), "noted".into(), None)]);
        assert_eq!(rows(&app, "colleague_unread").await, 0);
        app.clock.shift(DAY + MINUTE);
        let _twin = app.twin().await;
        until("the supervisor to be told", async || {
            app.app.jobs.notify_one();
            (rows(&app, "colleague_unread").await > 0).then_some(())
        }).await;
        let supervisor = app.supervisor().await;
        let told: Vec<Value> = supervisor.records("inbox").await.into_iter().filter(|entry| entry["kind"] == "colleague_unread").collect();
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0]["params"]["who"], &told[0]["params"]["kind"], &told[0]["subject"]), (&json!("Amina Hassan"), &json!("visit_returned"), &json!(mentor.member())));
        // Who was not reached stands in a list, for those who look after them.
        let list = supervisor.get("/api/unreached").await.ok()["items"].clone();
        let amina = list.as_array().unwrap().iter().find(|one| one["member"] == json!(mentor.member())).unwrap();
        assert_eq!((&amina["name"], &amina["unread"], &amina["undelivered"], &amina["ways"]), (&json!("Amina Hassan"), &json!(1), &json!(1), &json!(["email", "sms"])));
        let (mentor, other, admin) = (app.mentor().await, app.other_mentor().await, app.admin().await);
        assert_eq!(other.get("/api/unreached").await.ok()["items"], json!([]), "a mentor has no team");
        assert!(admin.get("/api/unreached").await.ok()["items"].as_array().unwrap().iter().any(|one| one["member"] == json!(mentor.member())));
        // Once it is read they are reached.
        let unread = mentor.records("inbox").await.into_iter().find(|entry| entry["kind"] == "visit_returned").unwrap();
        mentor.command("inbox.read", json!({ "ids": [unread["id"]] })).await.ok();
        let list = supervisor.get("/api/unreached").await.ok()["items"].clone();
        assert!(list.as_array().unwrap().iter().all(|one| one["member"] != json!(mentor.member())));
    }

    async fn the_next_way_is_tried_before_anybody_else_is_told(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let visit = mentor.submit(&mentor.a_household().await).await;
        let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.return", json!({ "id": visit.id, "revision": revision, "note": "one more picture" })).await.ok();
        assert_eq!(deliveries(&app).await, [], "no way was open");
        reach(&app, &mentor, json!({ "phone": "0712345678" })).await;
        app.clock.shift(DAY + MINUTE);
        assert_eq!(settled(&app, 1).await, [("sms".into(), "noted".into(), None)]);
        assert_eq!(rows(&app, "colleague_unread").await, 0);
        app.clock.shift(DAY + MINUTE);
        until("the supervisor to be told", async || {
            app.app.jobs.notify_one();
            (rows(&app, "colleague_unread").await == 1).then_some(())
        }).await;
    }
}

#[test]
fn the_app_shows_every_kind() {
    let row = include_str!("../../pwa/src/inbox/InboxRow.svelte");
    let types = include_str!("../../pwa/src/api/records.ts");
    for kind in kilele::notifications::kinds::ALL {
        assert!(row.contains(&format!("      {}: {{ icon:", kind.key)), "InboxRow.svelte does not show {}", kind.key);
        assert!(types.contains(&format!("  | '{}'\n", kind.key)), "records.ts does not know {}", kind.key);
    }
}

#[derive(Clone, Default)]
struct Gateway {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    answers: Arc<Mutex<Vec<(StatusCode, &'static str)>>>,
}

#[handler]
async fn take(request: &Request, body: poem::web::Json<Value>, gateway: poem::web::Data<&Gateway>) -> Response {
    let key = request.header("authorization").unwrap_or_default().to_owned();
    gateway.got.lock().unwrap().push((key, body.0));
    let (status, wait) = gateway.answers.lock().unwrap().pop().unwrap_or((StatusCode::ACCEPTED, "0"));
    Response::builder().status(status).header("retry-after", wait).finish()
}

async fn text_messages(engine: Engine) {
    let gateway = Gateway::default();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(Route::new().at("/send", post(take)).data(gateway.clone())));
    let settings = [
        ("KILELE_SMS_URL", format!("http://{address}/send")),
        ("KILELE_SMS_TOKEN", "a key".into()),
        ("KILELE_PUBLIC_URL", "https://kilele.example.org".into()),
    ];
    let app = with(engine, &settings).await;
    let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
    reach(&app, &supervisor, json!({ "phone": "0712345678", "language": "en" })).await;
    // First a fault with a wait of its own, then taken.
    gateway.answers.lock().unwrap().push((StatusCode::SERVICE_UNAVAILABLE, "90"));
    mentor.submit(&mentor.a_household().await).await;
    app.clock.shift(5 * MINUTE + 1000);
    until("the first try", async || {
        app.app.jobs.notify_one();
        let (attempts,): (i64,) = app.app.db.query("SELECT attempts FROM delivery").one().await.unwrap();
        (attempts == 1).then_some(())
    })
    .await;
    let (run_at,): (i64,) = until("the job to be put back", async || {
        let put = "SELECT run_at FROM job WHERE kind = 'deliver' AND lease_until = 0";
        app.app.db.query(put).optional().await.unwrap()
    })
    .await;
    assert!((60_000..=90_000).contains(&(run_at - app.clock.now())), "as the gateway said");
    app.clock.shift(91_000);
    assert_eq!(settled(&app, 1).await, [("sms".into(), "sent".into(), None)]);
    let got = gateway.got.lock().unwrap().clone();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0], got[1], "the same each time, also its id");
    assert_eq!((got[0].0.as_str(), &got[0].1["to"]), ("Bearer a key", &json!("+254712345678")));
    assert_eq!(got[0].1["text"], "Kilele: A visit waits for your decision. https://kilele.example.org/inbox");
    // A code for a number goes the same way, at once.
    wish(&mentor, json!({ "phone": "0722 000 111", "language": "sw" })).await;
    mentor.post("/api/me/told/code", &json!({ "channel": "sms" })).await.ok();
    let (_, message) = gateway.got.lock().unwrap().pop().unwrap();
    let text = message["text"].as_str().unwrap();
    assert_eq!(message["to"], "+254722000111");
    let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    assert!(text.starts_with("Kilele: namba yako ya kuthibitisha ni "), "{text}");
    mentor.post("/api/me/told/confirm", &json!({ "channel": "sms", "code": code })).await.empty(204);
    assert_eq!(standing(&mentor, "sms").await["confirmed"], "code");
    gateway.answers.lock().unwrap().push((StatusCode::UNPROCESSABLE_ENTITY, "0"));
    wish(&mentor, json!({ "phone": "0722 000 112" })).await;
    app.clock.shift(MINUTE);
    mentor.post("/api/me/told/code", &json!({ "channel": "sms" })).await.refused(422, "address_refused");
    gateway.answers.lock().unwrap().push((StatusCode::BAD_GATEWAY, "0"));
    app.clock.shift(5 * MINUTE);
    mentor.post("/api/me/told/code", &json!({ "channel": "sms" })).await.refused(503, "unavailable");
    gateway.got.lock().unwrap().truncate(2);
    // A number that the gateway does not take is not tried again.
    gateway.answers.lock().unwrap().push((StatusCode::UNPROCESSABLE_ENTITY, "0"));
    mentor.submit(&mentor.a_household().await).await;
    app.clock.shift(5 * MINUTE + 1000);
    assert_eq!(settled(&app, 2).await[1], ("sms".into(), "failed".into(), Some("refused".into())));
    assert_eq!(gateway.got.lock().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_messages_go_through_the_gateway_sqlite() {
    text_messages(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_messages_go_through_the_gateway_postgres() {
    text_messages(Engine::Postgres).await;
}
