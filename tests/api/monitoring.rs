//! What monitoring sees: health of each part, numbers for Prometheus, and rules that name only what there is.

use std::collections::BTreeSet;

use kilele_tests::{Engine, TestApp, both, id};
use serde_json::json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../nginx/monitoring");

async fn metrics(app: &TestApp) -> String {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"), "{}", answer.header("content-type"));
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

/// The value of a series, by its name with labels.
fn value(text: &str, series: &str) -> Option<f64> {
    let after = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(series)?;
        rest.strip_prefix("{}").unwrap_or(rest).strip_prefix(' ')?.parse().ok()
    };
    text.lines().find_map(after)
}

both! {
    async fn each_part_is_named_with_its_state(app: TestApp) {
        let alive = app.get("/health").await.ok();
        assert!(alive["status"] == "ok" && alive["time"].as_i64().unwrap() > 1_700_000_000_000, "{alive}");
        assert!(alive["uptime"].is_u64() && alive["version"].is_string());
        for path in ["/health/ready", "/api/health"] {
            let said = app.get(path).await.ok();
            assert_eq!(said["status"], "ok", "{said}");
            for (part, state) in [("database", "ok"), ("media", "ok"), ("jobs", "ok"), ("push", "ok"), ("email", "off")] {
                assert_eq!(said[part], state, "{path}: {said}");
            }
        }
        // A job that nobody takes: this copy may still be sent requests, and whoever watches is told.
        let stuck = "INSERT INTO job (id, org, kind, dedupe, body, state, run_at, lease_until, attempts)
            SELECT id, id, 'push', 'stuck', '{}', 'queued', 1, 1, 99 FROM organisation LIMIT 1";
        app.app.db.write(move |tx| Box::pin(tx.query(stuck).run())).await.unwrap();
        app.clock.shift(11 * kilele::clock::MINUTE);
        let said = app.get("/api/health").await;
        assert_eq!((said.status.as_u16(), said.body["status"].as_str(), said.body["jobs"].as_str()), (503, Some("degraded"), Some("late")), "{}", said.body);
        assert_eq!(app.get("/health/ready").await.ok()["jobs"], "late");
    }

    async fn numbers_are_told_and_nobody_is_named(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        assert!(mentor.upload(&visit.captures[0], &visit.photos[0]).await.status.is_success());
        mentor.settled(visit.captures[0]["id"].as_str().unwrap()).await;
        let waiting = app.clock.now() - 3 * kilele::clock::DAY;
        mentor.sync_with(json!({ "stats": { "records_waiting": 2, "captures_waiting": 1, "oldest_waiting_at": waiting } })).await;
        assert_eq!(app.get("/api/nowhere").await.status, 404);
        let text = metrics(&app).await;
        assert!(text.ends_with("# EOF\n"));
        for (series, wanted) in [
            ("kilele_http_requests_total{operation=\"sync\",status=\"2xx\"}", None),
            ("kilele_feeds", None),
            ("kilele_organisations", Some(1.0)),
            ("kilele_captures_missing", Some(1.0)),
            ("kilele_visits_waiting", Some(1.0)),
            ("kilele_evidence{state=\"ready\"}", Some(1.0)),
            ("kilele_devices{within=\"hour\"}", None),
            ("kilele_outbox_devices{older=\"day\"}", Some(1.0)),
            ("kilele_part_up{part=\"database\"}", Some(1.0)),
            ("kilele_jobs{kind=\"any\",state=\"dead\"}", Some(0.0)),
            ("kilele_delivery_attempts_total{channel=\"push\",outcome=\"sent\"}", None),
            ("kilele_database_connections{state=\"idle\"}", None),
            ("process_resident_memory_bytes", None),
        ] {
            let found = value(&text, series);
            assert!(found.is_some() && (wanted.is_none() || found == wanted), "{series}: {found:?}\n{text}");
        }
        let oldest = format!("kilele_outbox_age_seconds{{device=\"{}\"}}", mentor.device);
        assert!(value(&text, &oldest).is_some_and(|age| age >= 3.0 * 86_400.0), "{text}");
        for name in ["amina", "Amina", "demo", "grace"] {
            assert!(!text.contains(name), "{name}");
        }
    }
}

/// Names of metrics in an expression or a panel.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !word(c)).filter(|w| w.starts_with("kilele_") || w.starts_with("process_"));
    words.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_panels_name_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let backups = format!("file://{}", folder.path().display());
    let app = TestApp::spawn_with(Engine::Postgres, |name| (name == "KILELE_BACKUP_URL").then(|| backups.clone())).await;
    let mentor = app.mentor().await;
    mentor.submit(&mentor.a_household().await).await;
    mentor.sync_with(json!({ "stats": { "records_waiting": 1, "oldest_waiting_at": app.clock.now() - 1_000 } })).await;
    let place = kilele::ops::backup::Place::open(&app.app.config, None);
    kilele::ops::backup::schedule::run(&app.app, place, &kilele::ops::progress::Progress::silent()).await.unwrap().unwrap();
    let text = metrics(&app).await;
    let known: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect();
    let mut seen = 0;
    for file in ["alerts.yml", "grafana.json"] {
        let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
        for name in named(&text) {
            assert!(known.contains(&name), "{file} names {name}, which /metrics has not");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
    // Its own tool reads the rules, and runs their examples.
    let promtool =
        std::process::Command::new("promtool").args(["check", "config", "prometheus.yml"]).current_dir(FOLDER).output();
    let checked = promtool.expect("promtool is there: scripts/setup test");
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
    let tested = std::process::Command::new("promtool")
        .args(["test", "rules", "alerts.test.yml"])
        .current_dir(FOLDER)
        .output()
        .unwrap();
    assert!(
        tested.status.success(),
        "{}{}",
        String::from_utf8_lossy(&tested.stdout),
        String::from_utf8_lossy(&tested.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_for_this_machine_or_for_who_knows_the_token() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    metrics(&app).await;
    // What came through a proxy is not from this machine.
    let by = |name: &'static str, value: String| app.client.get(format!("{}/metrics", app.url)).header(name, value).send();
    assert_eq!(by("x-forwarded-for", "127.0.0.1".into()).await.unwrap().status(), 404);

    let token = id();
    let app = TestApp::spawn_with(Engine::Sqlite, |name| (name == "KILELE_METRICS_TOKEN").then(|| token.clone())).await;
    let by = |value: String| app.client.get(format!("{}/metrics", app.url)).header("authorization", value).send();
    assert_eq!(by(format!("Bearer {token}")).await.unwrap().status(), 200);
    assert_eq!(by("Bearer another".into()).await.unwrap().status(), 404);
    assert_eq!(app.get("/metrics").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_a_number_by_which_it_is_found_in_the_log() {
    let app =
        TestApp::spawn_with(Engine::Sqlite, |name| (name == "KILELE_TRUSTED_PROXIES").then(|| "127.0.0.1".into())).await;
    let ask = async |given: Option<&str>| {
        let request = app.client.get(format!("{}/api/start", app.url));
        let request = match given {
            Some(given) => request.header("x-request-id", given),
            None => request,
        };
        request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    let (one, other) = (ask(None).await, ask(None).await);
    assert!(one.len() == 16 && one != other);
    assert_eq!(ask(Some("0123456789abcdef-nginx")).await, "0123456789abcdef-nginx");
    for wrong in ["short", "with spaces and \"quotes\"", &"x".repeat(200)] {
        assert_ne!(ask(Some(wrong)).await, wrong);
    }
}
