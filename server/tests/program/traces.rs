//! Spans for a collector: what is said of requests and jobs, that nobody is named, and that a collector in trouble is nobody
//! else's.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kilele::ops::doctor::{State, examine};
use kilele_tests::collector::{Collector, Span};
use kilele_tests::{Engine, TestApp, until};
use reqwest::Method;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// All that may be said of a request or a job.
const MAY_BE_SAID: [&str; 9] = [
    "db.system.name",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "kilele.job.count",
    "kilele.job.kind",
    "kilele.job.outcome",
    "kilele.operation",
    "kilele.request_id",
];

async fn of_request(collector: &Collector, request: &str) -> Span {
    let found = async || {
        collector.spans().into_iter().find(|span| span.said.get("kilele.request_id").is_some_and(|id| id == request))
    };
    until("the span of a request", found).await
}

async fn told(engine: Engine) {
    let collector = Collector::start().await;
    let mut app = TestApp::spawn_with(engine, |name| match name {
        "KILELE_OTLP_URL" => Some(collector.url.clone()),
        "KILELE_OTLP_HEADERS" => Some("x-key=of ours, x-tenant=7".into()),
        _ => None,
    })
    .await;
    let system = if engine == Engine::Sqlite { "sqlite" } else { "postgresql" };
    let mentor = app.mentor().await;
    let household = mentor.a_household().await;
    let household_id = household["id"].as_str().unwrap().to_owned();

    // Somebody who is traced already: the span is the next of that trace, and nothing else of theirs comes along.
    let answer = mentor
        .request(Method::GET, "/api/households?q=Wanjiru&limit=5")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=amina")
        .header("baggage", "person=amina")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let span = of_request(&collector, answer.headers()["x-request-id"].to_str().unwrap()).await;
    assert_eq!((span.name.as_str(), span.kind), ("GET /api/households", 2), "{span:?}");
    assert_eq!((span.trace.as_str(), span.parent.as_str(), span.state.as_str()), (TRACE, PARENT, ""), "{span:?}");
    for (key, wanted) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/households"),
        ("http.response.status_code", "200"),
        ("db.system.name", system),
    ] {
        assert_eq!(span.said.get(key).map(String::as_str), Some(wanted), "{key}: {span:?}");
    }
    assert!(
        span.from > 1_700_000_000_000_000_000 && span.to > span.from && span.to - span.from < 60_000_000_000,
        "{span:?}"
    );

    // The template of an address, not the address; what is wrong; and what is no address of ours.
    let one = mentor.get(&format!("/api/households/{household_id}")).await;
    let span = of_request(&collector, one.header("x-request-id")).await;
    assert_eq!(span.said["http.route"].matches(['{', '}']).count(), 2, "{span:?}");
    assert!(span.parent.is_empty() && !span.failed);
    let missing = mentor.get("/api/nowhere/amina?name=amina").await;
    let span = of_request(&collector, missing.header("x-request-id")).await;
    assert_eq!((span.name.as_str(), span.said["http.response.status_code"].as_str()), ("GET other", "404"), "{span:?}");
    assert!(!span.said.contains_key("http.route") && !span.failed);
    let invented = Method::from_bytes(b"AMINA").unwrap();
    let invented = app.client.request(invented, format!("{}/api/households", app.url)).send().await.unwrap();
    let span = of_request(&collector, invented.headers()["x-request-id"].to_str().unwrap()).await;
    assert_eq!(span.said["http.request.method"], "_OTHER", "{span:?}");
    // Whoever asks said that this is not for the collector; and what is no traceparent begins a trace of its own.
    let quiet = mentor.request(Method::GET, "/api/me").header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    let quiet = quiet.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
    let odd = mentor.request(Method::GET, "/api/me").header("traceparent", "amina").send().await.unwrap();
    let span = of_request(&collector, odd.headers()["x-request-id"].to_str().unwrap()).await;
    assert!(span.parent.is_empty() && span.trace != TRACE, "{span:?}");

    // Work after the request.
    let visit = mentor.submit(&household).await;
    assert!(mentor.upload(&visit.captures[0], &visit.photos[0]).await.status.is_success());
    let derived = async || collector.spans().into_iter().find(|span| span.name == "job media.derive");
    let span = until("the span of a job", derived).await;
    assert_eq!((span.kind, span.said["kilele.job.outcome"].as_str()), (1, "done"), "{span:?}");

    // Nobody is named: not by what may be said at all, and not by what is said.
    let spans = collector.spans();
    let keys: BTreeSet<&str> = spans.iter().flat_map(|span| span.said.keys().map(String::as_str)).collect();
    assert!(keys.iter().all(|key| MAY_BE_SAID.contains(key)), "{keys:?}");
    assert!(spans.iter().all(|span| span.more == 0 && span.state.is_empty()));
    let all = format!("{spans:?}").to_lowercase();
    let device = mentor.device.to_string();
    for word in ["amina", "wanjiru", "grace", "demo", "tracestate", "vendor", "127.0.0.1", "?", &device, &household_id] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    assert!(!spans.iter().any(|span| span.said.get("kilele.request_id") == Some(&quiet)));
    let sender = collector.sender();
    assert_eq!((sender["service.name"].as_str(), sender["service.version"].as_str()), ("kilele", env!("CARGO_PKG_VERSION")));
    let headers = collector.headers();
    assert_eq!((headers["x-key"].as_str(), headers["x-tenant"].as_str()), ("of ours", "7"));

    // What waited when the server ends is sent.
    let last = mentor.get("/api/me").await;
    app.stop().await;
    of_request(&collector, last.header("x-request-id")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_jobs_are_told_and_nobody_is_named_on_sqlite() {
    told(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_jobs_are_told_and_nobody_is_named_on_postgres() {
    told(Engine::Postgres).await;
}

/// More requests than spans may wait.
const MANY: usize = 2_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_nothing_up() {
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut app = TestApp::spawn_with(Engine::Sqlite, |name| (name == "KILELE_OTLP_URL").then(|| url.clone())).await;
    let begun = Instant::now();
    for _ in 0..MANY {
        assert_eq!(app.client.get(format!("{}/health", app.url)).send().await.unwrap().status(), 200);
    }
    // One that waited for it, were it only once for each hundred, would be here for minutes.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let begun = Instant::now();
    app.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20), "it ends all the same");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_down_or_refuses_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (port, collector_port) = (free(), free());
    let mut server = Command::new(env!("CARGO_BIN_EXE_kilele"))
        .arg("serve")
        .current_dir(folder.path())
        .env("KILELE_LISTEN", format!("127.0.0.1:{port}"))
        .env("KILELE_OTLP_URL", format!("http://somebody:geheim@127.0.0.1:{collector_port}/"))
        .env("KILELE_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = std::thread::spawn({
        let mut stderr = server.stderr.take().unwrap();
        move || {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said);
            said
        }
    });
    let client = reqwest::Client::new();
    let ask = async || client.get(format!("http://127.0.0.1:{port}/health")).send().await.ok().filter(|a| a.status() == 200);
    until("the server", ask).await;
    let asked_for = async |seconds: u64| {
        for _ in 0..seconds * 5 {
            assert!(ask().await.is_some());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    // Nobody is there, three times that spans are sent; then somebody who refuses; then one who takes them.
    asked_for(6).await;
    let collector = Collector::at(&format!("127.0.0.1:{collector_port}")).await;
    collector.answer(503);
    asked_for(5).await;
    assert!(collector.exports() >= 2, "{}", collector.exports());
    collector.answer(200);
    let taken = async || {
        ask().await;
        collector.spans().into_iter().next()
    };
    until("spans", taken).await;
    assert!(collector.headers()["authorization"].starts_with("Basic "));
    end(server.id());
    assert!(server.wait().unwrap().success());
    let said = log.join().unwrap();
    assert_eq!(said.matches("does not take spans").count(), 1, "{said}");
    assert_eq!(said.matches("takes spans again").count(), 1, "{said}");
    assert!(!said.contains("geheim") && !said.contains("panic"), "{said}");
}

/// As the service manager ends it.
fn end(pid: u32) {
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_tries_the_collector() {
    let collector = Collector::start().await;
    let app = TestApp::spawn(Engine::Sqlite).await;
    let look = async |url: Option<&str>| {
        let settings = |name: &str| match name {
            "KILELE_OTLP_URL" => url.map(str::to_owned),
            "KILELE_DATA_DIR" => app.app.config.data_dir.to_str().map(str::to_owned),
            _ => None,
        };
        let config = kilele::config::Config::from(settings).unwrap();
        let report = examine(&config, &app.clock).await;
        report.findings.into_iter().find(|finding| finding.what == "traces")
    };
    assert!(look(None).await.is_none(), "most installations need none");
    let found = look(Some(&collector.url)).await.unwrap();
    assert_eq!(found.state, State::Good, "{found:?}");
    collector.answer(401);
    let found = look(Some(&format!("{}/v1/traces", collector.url))).await.unwrap();
    assert!(found.state == State::Bad && found.said.contains("401") && found.mend.is_some(), "{found:?}");
    let found = look(Some("http://somebody:geheim@127.0.0.1:1")).await.unwrap();
    assert!(found.state == State::Bad && !format!("{found:?}").contains("geheim"), "{found:?}");
    for (url, headers) in
        [("127.0.0.1:4318", ""), ("ftp://example.org", ""), ("http://example.org", "no value"), ("http://e.org", "a b=c")]
    {
        let settings = |name: &str| match name {
            "KILELE_OTLP_URL" => Some(url.to_owned()),
            "KILELE_OTLP_HEADERS" => Some(headers.to_owned()),
            _ => None,
        };
        assert!(kilele::config::Config::from(settings).unwrap_err().to_string().contains("KILELE_OTLP_"), "{url} {headers}");
    }
}
