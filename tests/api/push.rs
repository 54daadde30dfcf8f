//! Web push: encrypted for the device only, forgotten when the device is gone, never given up for a service's fault.

use std::sync::{Arc, Mutex};

use kilele_tests::{Answer, Person, TestApp, both, encoded, until};
use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{EndpointExt, Request, Response, Route, Server, handler, post};
use serde_json::{Value, json};

type Message = (poem::http::HeaderMap, Vec<u8>);

/// A push service on loopback: keeps what it gets, answers what the test says.
#[derive(Clone, Default)]
struct Service {
    got: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

#[handler]
async fn take(request: &Request, body: Vec<u8>, service: poem::web::Data<&Service>) -> Response {
    service.got.lock().unwrap().push((request.headers().clone(), body));
    let answer = service.answers.lock().unwrap().pop().unwrap_or(StatusCode::CREATED);
    Response::builder().status(answer).header("retry-after", "1").finish()
}

impl Service {
    async fn start() -> (Self, String) {
        let service = Self::default();
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

/// A subscription as a browser makes one; that it can be decrypted is shown by an independent implementation.
fn subscription(endpoint: &str) -> Value {
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let key = aws_lc_rs::agreement::PrivateKey::generate(&aws_lc_rs::agreement::ECDH_P256).unwrap();
    let public = key.compute_public_key().unwrap();
    let mut auth = [0; 16];
    aws_lc_rs::rand::SecureRandom::fill(&rng, &mut auth).unwrap();
    json!({ "endpoint": endpoint, "p256dh": encoded(public.as_ref()), "auth": encoded(&auth), "language": "sw" })
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
