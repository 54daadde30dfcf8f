//! Web push: encrypted for the device only, forgotten when the device is gone, never given up for a service's fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::AsBigEndian;
use kilele_tests::line::{Fault, Line};
use kilele_tests::{Answer, Person, TestApp, Uuid, both, encoded, until};
use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{EndpointExt, Request, Response, Route, Server, handler, post};
use serde_json::{Value, json};

type Message = (poem::http::HeaderMap, Vec<u8>);

/// So many devices of one person, at the same service.
async fn devices(app: &TestApp, person: &Person, endpoint: &str, count: usize) {
    let told = subscription(endpoint);
    let (org, member, device): (Uuid, Uuid, Uuid) =
        (person.org().parse().unwrap(), person.member().parse().unwrap(), person.device);
    let (base, [p256dh, auth]) =
        (endpoint.to_owned(), ["p256dh", "auth"].map(|name| told[name].as_str().unwrap().to_owned()));
    app.app
        .db
        .write(move |tx| {
            Box::pin(async move {
                for n in 0..count {
                    tx.query(
                        "INSERT INTO push_subscription (endpoint, org, member, device, p256dh, auth, language, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, 'en', 0)",
                    )
                    .bind(format!("{base}-{n}"))
                    .bind(org)
                    .bind(member)
                    .bind(device)
                    .bind(p256dh.as_str())
                    .bind(auth.as_str())
                    .later()
                    .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn number(app: &TestApp, sql: &'static str) -> i64 {
    let (number,): (i64,) = app.app.db.query(sql).one().await.unwrap();
    number
}

const OPEN: &str = "SELECT count(*) FROM delivery WHERE state <> 'sent'";
const JOBS: &str = "SELECT count(*) FROM job WHERE kind = 'deliver'";

/// A push service on loopback: keeps what it gets, answers what the test says.
#[derive(Clone, Default)]
struct Service {
    got: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
    /// What else it says with each answer.
    says: Arc<Mutex<Vec<(&'static str, String)>>>,
}

#[handler]
async fn take(request: &Request, body: Vec<u8>, service: poem::web::Data<&Service>) -> Response {
    service.got.lock().unwrap().push((request.headers().clone(), body));
    let answer = service.answers.lock().unwrap().pop().unwrap_or(StatusCode::CREATED);
    let mut response = Response::builder().status(answer);
    for (name, value) in service.says.lock().unwrap().iter() {
        response = response.header(*name, value);
    }
    response.finish()
}

impl Service {
    async fn start() -> (Self, String) {
        let service = Self::default();
        service.says.lock().unwrap().push(("retry-after", "1".into()));
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].to_string();
        let address = address.trim_start_matches("socket://").to_owned();
        let app = Route::new().at("/push/:id", post(take)).data(service.clone());
        tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
        (service, format!("http://{address}/push/one"))
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

/// What is kept of the one delivery by push: state, reason, attempts, and in how many milliseconds it is tried again.
async fn delivery(app: &TestApp) -> (String, Option<String>, i64, Option<i64>) {
    let kept = "SELECT d.state, d.reason, d.attempts, (SELECT min(j.run_at) FROM job j WHERE j.kind = 'deliver') AS at
                FROM delivery d WHERE d.channel = 'push'";
    let (state, reason, attempts, at): (String, Option<String>, i64, Option<i64>) =
        app.app.db.query(kept).one().await.unwrap();
    (state, reason, attempts, at.map(|at| at - app.app.clock.now()))
}

/// A subscription as a browser makes one; that it can be decrypted is shown by an independent implementation.
fn subscription(endpoint: &str) -> Value {
    keyed(endpoint).0
}

/// With its private key and its secret.
fn keyed(endpoint: &str) -> (Value, String, String) {
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let key = aws_lc_rs::agreement::PrivateKey::generate(&aws_lc_rs::agreement::ECDH_P256).unwrap();
    let secret: aws_lc_rs::encoding::EcPrivateKeyBin = key.as_be_bytes().unwrap();
    let public = key.compute_public_key().unwrap();
    let mut auth = [0; 16];
    aws_lc_rs::rand::SecureRandom::fill(&rng, &mut auth).unwrap();
    let told = json!({ "endpoint": endpoint, "p256dh": encoded(public.as_ref()), "auth": encoded(&auth), "language": "sw" });
    (told, encoded(secret.as_ref()), encoded(&auth))
}

async fn subscribed(person: &Person, endpoint: &str) {
    let answer = person.put("/api/push/subscription", &subscription(endpoint)).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

both! {
    async fn an_event_reaches_the_device_encrypted(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        subscribed(&supervisor, &endpoint).await;
        let household = mentor.a_household().await;
        mentor.submit(&household).await;
        until("the push", async || (service.count() == 1).then_some(())).await;
        let (headers, body) = service.got.lock().unwrap()[0].clone();
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-encoding"), "aes128gcm");
        assert!(header("authorization").starts_with("vapid t=") && header("ttl").parse::<u64>().unwrap() > 3600);
        assert!(body.len() < 3000 && !body.windows(5).any(|w| w == b"visit"), "sealed and small");
        let again = kilele_tests::Answer::of(supervisor.request(reqwest::Method::POST, "/api/push/test")).await;
        assert_eq!(again.status, 204);
        until("the test push", async || (service.count() == 2).then_some(())).await;
    }

    async fn a_dead_subscription_is_removed(app: TestApp) {
        for gone in [StatusCode::GONE, StatusCode::NOT_FOUND] {
            let (service, endpoint) = Service::start().await;
            let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
            subscribed(&supervisor, &endpoint).await;
            service.answers.lock().unwrap().push(gone);
            mentor.submit(&mentor.a_household().await).await;
            let db = &app.app.db;
            until("the subscription to go", async || {
                let (left,): (i64,) = db.query("SELECT count(*) FROM push_subscription").one().await.unwrap();
                (left == 0 && service.count() == 1).then_some(())
            }).await;
        }
    }

    async fn a_service_s_fault_is_tried_again(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        subscribed(&supervisor, &endpoint).await;
        service.answers.lock().unwrap().extend([StatusCode::CREATED, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY]);
        mentor.submit(&mentor.a_household().await).await;
        until("three attempts", async || {
            app.clock.shift(2000);
            app.app.jobs.notify_one();
            (service.count() == 3).then_some(())
        }).await;
        let (left,): (i64,) = app.app.db.query("SELECT count(*) FROM push_subscription").one().await.unwrap();
        assert_eq!(left, 1, "nothing is disabled for a server's fault");
    }

    async fn every_fault_of_a_service_has_its_outcome(app: TestApp) {
        // Who hears, and what is kept: the state, whether the subscription is left, and how long until the next try.
        let minute = 60_000;
        type Case = (&'static str, Option<u16>, &'static [(&'static str, &'static str)], &'static str, i64, Option<(i64, i64)>);
        let table: [Case; 14] = [
            ("taken", Some(201), &[], "sent", 1, None),
            ("not found", Some(404), &[], "gone", 0, None),
            ("gone", Some(410), &[], "gone", 0, None),
            ("too large", Some(413), &[], "failed", 1, None),
            ("not allowed", Some(403), &[], "failed", 1, None),
            ("too many, come in two minutes", Some(429), &[("retry-after", "120")], "waiting", 1, Some((minute, 2 * minute))),
            ("too many", Some(429), &[], "waiting", 1, Some((0, minute / 2))),
            ("a fault", Some(500), &[], "waiting", 1, Some((0, minute / 2))),
            ("a fault, come in an hour", Some(503), &[("retry-after", "3600")], "waiting", 1, Some((50 * minute, 60 * minute))),
            ("elsewhere", Some(307), &[("location", "http://127.0.0.1:1/")], "waiting", 1, Some((0, minute / 2))),
            ("nobody listens", None, &[], "waiting", 1, Some((0, minute / 2))),
            ("no TLS there", None, &[], "waiting", 1, Some((0, minute / 2))),
            ("cut off", None, &[], "waiting", 1, Some((0, minute / 2))),
            ("no answer in time", None, &[], "waiting", 1, Some((0, minute / 2))),
        ];
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let household = mentor.a_household().await;
        for (name, status, says, state, left, wait) in table {
            let (service, mut endpoint) = Service::start().await;
            *service.says.lock().unwrap() = says.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            service.answers.lock().unwrap().extend(status.map(|status| StatusCode::from_u16(status).unwrap()));
            let line = match name {
                "cut off" | "no answer in time" => {
                    let line = Line::to(endpoint.trim_end_matches("/push/one")).await;
                    line.all(if name == "cut off" { Fault::CutDown(10) } else { Fault::Slow(Duration::from_secs(60)) });
                    endpoint = format!("{}/push/one", line.url());
                    Some(line)
                }
                "no TLS there" => {
                    endpoint = endpoint.replace("http:", "https:");
                    None
                }
                "nobody listens" => {
                    endpoint = "http://127.0.0.1:1/push/one".into();
                    None
                }
                _ => None,
            };
            subscribed(&supervisor, &endpoint).await;
            mentor.submit(&household).await;
            let tried = until(name, async || {
                let tried = delivery(&app).await;
                (tried.0 != "waiting" || tried.2 > 0).then_some(())?;
                // The job is put back a moment after the delivery says that it was tried.
                let (held,): (i64,) = app.app.db.query("SELECT count(*) FROM job WHERE kind = 'deliver' AND lease_until > 0").one().await.unwrap();
                (held == 0).then_some(delivery(&app).await)
            }).await;
            assert_eq!(tried.0, state, "{name}: {tried:?}");
            let (subscriptions,): (i64,) = app.app.db.query("SELECT count(*) FROM push_subscription").one().await.unwrap();
            assert_eq!(subscriptions, left, "{name}: a subscription goes only when its service says that it is gone");
            match (tried.3, wait) {
                (None, None) => {}
                (Some(next), Some((from, to))) => assert!((from..=to).contains(&next), "{name}: {next}"),
                other => panic!("{name}: {other:?}"),
            }
            if status.is_some() {
                assert_eq!(service.count(), 1, "{name}");
            }
            drop(line);
            let clean = ["DELETE FROM job", "DELETE FROM inbox", "DELETE FROM push_subscription"];
            app.app.db.write(move |tx| Box::pin(async move {
                for sql in clean {
                    tx.query(sql).run().await?;
                }
                Ok(())
            })).await.unwrap();
        }
    }

    async fn a_push_is_opened_and_its_token_checked_by_foreign_hands(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let (told, key, auth) = keyed(&endpoint);
        supervisor.put("/api/push/subscription", &told).await.empty(204);
        let household = mentor.a_household().await;
        let visit = mentor.submit(&household).await;
        until("the push", async || (service.count() == 1).then_some(())).await;
        let (headers, body) = service.got.lock().unwrap()[0].clone();
        assert!(body.len() <= 3072);
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!((header("urgency").as_str(), header("topic").len()), ("normal", 32));
        assert!((6 * 86_400..=7 * 86_400).contains(&header("ttl").parse::<i64>().unwrap()));
        let asked = json!({ "key": key, "auth": auth, "body": encoded(&body), "authorization": header("authorization") });
        let opened = kilele_tests::mail::foreign("push.py", &asked);
        let payload = &opened["payload"];
        assert_eq!((&payload["kind"], &payload["url"]), (&json!("visit_submitted"), &json!(format!("/visits/{}", visit.id))));
        assert_eq!(payload["text"], json!({ "en": "A visit waits for your decision", "sw": "Ziara inasubiri uamuzi wako" }));
        assert_eq!(payload["unread"], 1);
        let shown = payload.to_string();
        for name in household["head_name"].as_str().unwrap().split(' ').chain(["Amina", "Grace"]) {
            assert!(!shown.contains(name), "{shown}");
        }
        assert_eq!(opened["claims"]["aud"], json!(endpoint.trim_end_matches("/push/one")));
        // One more takes the place of the first, and counts both.
        mentor.submit(&household).await;
        until("the second push", async || (service.count() == 2).then_some(())).await;
        let (again, body) = service.got.lock().unwrap()[1].clone();
        assert_eq!(again["topic"], headers["topic"]);
        let asked = json!({ "key": key, "auth": auth, "body": encoded(&body), "authorization": again["authorization"].to_str().unwrap() });
        let payload = kilele_tests::mail::foreign("push.py", &asked)["payload"].clone();
        assert_eq!((&payload["text"]["en"], &payload["url"], &payload["tag"]), (&json!("2 visits wait for your decision"), &json!("/inbox"), &json!("visit_submitted")));
    }

    async fn hundreds_of_devices_hear_it_once_each(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        service.says.lock().unwrap().clear();
        let twin = app.twin().await;
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        devices(&app, &supervisor, &endpoint, 600).await;
        // Some are gone, some services have a bad moment: each has its own outcome.
        service.answers.lock().unwrap().extend([StatusCode::GONE, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY, StatusCode::FORBIDDEN]);
        mentor.submit(&mentor.a_household().await).await;
        until("the deliveries", async || {
            twin.app.jobs.notify_one();
            (number(&app, "SELECT count(*) FROM delivery WHERE state = 'waiting' AND attempts = 0").await == 0).then_some(())
        }).await;
        assert_eq!(service.count(), 600, "two copies of the server, and nobody is told twice");
        assert_eq!(number(&app, "SELECT count(*) FROM delivery").await, 600);
        for (state, count) in [("gone", 2), ("failed", 1), ("waiting", 1), ("sent", 596)] {
            let sql = "SELECT count(*) FROM delivery WHERE state = $1";
            let (found,): (i64,) = app.app.db.query(sql).bind(state).one().await.unwrap();
            assert_eq!(found, count, "{state}");
        }
        assert_eq!((number(&app, JOBS).await, number(&app, "SELECT count(*) FROM push_subscription").await), (1, 598));
        app.clock.shift(31_000);
        until("the one that failed", async || {
            app.app.jobs.notify_one();
            (number(&app, JOBS).await == 0).then_some(())
        }).await;
        assert_eq!(service.count(), 601);
    }

    async fn what_was_lost_with_its_process_is_delivered_all_the_same(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        service.says.lock().unwrap().clear();
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        devices(&app, &supervisor, &endpoint, 5).await;
        // Claimed by a copy that died: three before it sent anything, and all again and again but once.
        service.answers.lock().unwrap().extend([StatusCode::BAD_GATEWAY; 5]);
        mentor.submit(&mentor.a_household().await).await;
        until("the first try", async || {
            app.app.jobs.notify_one();
            (number(&app, "SELECT count(*) FROM job WHERE kind = 'deliver' AND lease_until = 0 AND attempts = 0 AND run_at > 0").await == 5
                && number(&app, "SELECT count(*) FROM delivery WHERE attempts = 1").await == 5).then_some(())
        }).await;
        let until_then = app.clock.now() + 120_000;
        let claimed = "UPDATE job SET lease_until = $1, run_at = 0, attempts = 7 WHERE kind = 'deliver'";
        app.app.db.write(move |tx| Box::pin(tx.query(claimed).bind(until_then).run())).await.unwrap();
        app.app.jobs.notify_one();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(service.count(), 5, "its lease is kept");
        app.clock.shift(121_000);
        until("the deliveries", async || {
            app.app.jobs.notify_one();
            (number(&app, OPEN).await == 0 && number(&app, JOBS).await == 0).then_some(())
        }).await;
        assert_eq!(service.count(), 10);
    }

    async fn a_service_that_is_silent_keeps_no_other_waiting(app: TestApp) {
        let ((good, endpoint), (bad, elsewhere)) = (Service::start().await, Service::start().await);
        let line = Line::to(elsewhere.trim_end_matches("/push/one")).await;
        line.all(Fault::Slow(Duration::from_secs(60)));
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        devices(&app, &supervisor, &format!("{}/push/one", line.url()), 200).await;
        subscribed(&mentor, &endpoint).await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        until("the silent service to be asked", async || {
            (number(&app, "SELECT count(*) FROM job WHERE kind = 'deliver' AND lease_until > 0").await == 200).then_some(())
        }).await;
        let revision = supervisor.record("visit", &visit.id).await.unwrap()["revision"].clone();
        supervisor.command("visit.approve", json!({ "id": visit.id, "revision": revision })).await.ok();
        until("the other's push", async || (good.count() == 1).then_some(())).await;
        // After sixteen that were not answered it is left alone for half a minute, which is nobody's failure.
        until("the silent one to be left alone", async || {
            (number(&app, "SELECT count(*) FROM job WHERE kind = 'deliver' AND lease_until > 0").await == 0).then_some(())
        }).await;
        let tried = number(&app, "SELECT count(*) FROM delivery WHERE attempts = 1").await;
        let left = number(&app, "SELECT count(*) FROM delivery WHERE attempts = 0 AND state = 'waiting'").await;
        assert!((16..=128).contains(&tried) && tried + left == 200, "{tried} were tried, {left} were not");
        assert_eq!(bad.count(), 0);
        assert_eq!(number(&app, "SELECT count(*) FROM push_subscription").await, 201, "nothing is disabled");
    }

    async fn a_phone_that_is_another_s_now_shows_nothing_of_the_first(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        service.says.lock().unwrap().clear();
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        subscribed(&supervisor, &endpoint).await;
        service.answers.lock().unwrap().push(StatusCode::BAD_GATEWAY);
        mentor.submit(&mentor.a_household().await).await;
        until("the first try", async || (delivery(&app).await.2 == 1).then_some(())).await;
        subscribed(&mentor, &endpoint).await;
        app.clock.shift(31_000);
        until("the delivery to be settled", async || {
            app.app.jobs.notify_one();
            (delivery(&app).await.0 == "gone").then_some(())
        }).await;
        assert_eq!((service.count(), number(&app, "SELECT count(*) FROM push_subscription").await), (1, 1));
    }

    async fn later_is_in_an_hour(app: TestApp) {
        let (service, endpoint) = Service::start().await;
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        subscribed(&supervisor, &endpoint).await;
        mentor.submit(&mentor.a_household().await).await;
        until("the push to be settled", async || (delivery(&app).await.0 == "sent").then_some(())).await;
        let entry = supervisor.records("inbox").await.into_iter().find(|entry| entry["kind"] == "visit_submitted").unwrap();
        let path = format!("/api/inbox/{}/later", entry["id"].as_str().unwrap());
        mentor.post(&path, &json!({})).await.refused(404, "not_found");
        supervisor.post(&path, &json!({})).await.empty(204);
        assert_eq!((delivery(&app).await.0.as_str(), service.count()), ("waiting", 1));
        app.clock.shift(3_600_000 + 1000);
        until("the push again", async || {
            app.app.jobs.notify_one();
            (service.count() == 2).then_some(())
        }).await;
    }

    async fn a_device_unsubscribes_and_signing_out_does_too(app: TestApp) {
        let (_, endpoint) = Service::start().await;
        let supervisor = app.supervisor().await;
        let count = async || {
            let (left,): (i64,) = app.app.db.query("SELECT count(*) FROM push_subscription").one().await.unwrap();
            left
        };
        subscribed(&supervisor, &endpoint).await;
        let other = app.mentor().await;
        let path = format!("/api/push/subscription?endpoint={endpoint}");
        Answer::of(other.request(reqwest::Method::DELETE, &path)).await;
        assert_eq!(count().await, 1, "only one's own");
        Answer::of(supervisor.request(reqwest::Method::DELETE, &path)).await;
        assert_eq!(count().await, 0);
        supervisor.post("/api/push/test", &json!({})).await.refused(409, "not_subscribed");
        subscribed(&supervisor, &endpoint).await;
        Answer::of(supervisor.request(reqwest::Method::DELETE, "/api/sessions/current")).await;
        assert_eq!(count().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_push_services_are_called() {
    let app = TestApp::spawn_empty(kilele_tests::Engine::Sqlite, |name| match name {
        "KILELE_PUSH_LOOPBACK" => Some("false".into()),
        "KILELE_SIGN_IN_PER_MINUTE" => Some("100".into()),
        _ => None,
    })
    .await;
    kilele::demo::make_sized(
        &app.app,
        kilele::demo::Size { households: 3, visits_a_day: 0, pictures: false, programme: false },
    )
    .await
    .unwrap();
    let mentor = app.mentor().await;
    let inside = [
        "http://push.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://localhost./x",
        "https://app.localhost./x",
        "https://db.internal./x",
        "https://[::1]/x",
        "https://10.0.0.8/x",
        "https://db.internal/x",
        "https://printer.local/x",
        "https://user@push.example/x",
        "file:///etc/passwd",
        "nonsense",
    ];
    for endpoint in inside {
        mentor.put("/api/push/subscription", &subscription(endpoint)).await.refused(422, "invalid");
    }
    let outside = mentor.put("/api/push/subscription", &subscription("https://updates.push.example/wpush/v2/abc")).await;
    assert_eq!(outside.status, 204);
    let mut keys = subscription("https://updates.push.example/x");
    keys["p256dh"] = json!("AAAA");
    mentor.put("/api/push/subscription", &keys).await.refused(422, "invalid");
}
