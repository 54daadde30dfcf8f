//! What monitoring asks for: `/metrics` in the form of Prometheus. Numbers and ids only, never a person.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use poem::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use poem::http::{HeaderValue, StatusCode};
use poem::web::Data;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, handler};
use poem_openapi::OperationId;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;
use crate::clock::{DAY, HOUR, Millis, random};
use crate::crypto::hex;
use crate::error::{Error, Result};
use crate::health;
use crate::notifications::{Channel, Outcome};
use crate::ops::backup;
use crate::sync::Stats;

type Named = Vec<(&'static str, &'static str)>;
type Counters = Family<Named, Counter>;
type Gauges = Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>>;
type Times = Family<Named, Histogram, fn() -> Histogram>;

/// Seconds; the budgets lie at 0.1, 0.2 and 1.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0];
/// What is counted in the database is counted this often at most.
const KEPT: Millis = 30_000;
/// Devices that are named one by one: those whose work has waited longest.
const DEVICES: usize = 100;
/// So many attempts in a row that nobody answered: that way is down.
const IN_A_ROW: u64 = 5;

/// What one process counts of itself.
pub struct Metrics {
    registry: Registry,
    requests: Counters,
    seconds: Times,
    attempts: Counters,
    /// Attempts in a row that nobody answered, by channel.
    troubles: [AtomicU64; Channel::ALL.len()],
    begun: Instant,
    begun_at: Millis,
    counted: Mutex<Option<(Millis, Vec<Sample>)>>,
}

/// One number of a family.
#[derive(Clone)]
struct Sample {
    name: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

const OUTCOMES: [&str; 5] = ["sent", "noted", "gone", "refused", "later"];

impl Metrics {
    /// Of a process that begins now.
    pub fn new(now: Millis) -> Self {
        let mut registry = Registry::default();
        let (requests, attempts) = (Counters::default(), Counters::default());
        let seconds = Times::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register("kilele_http_requests", "Requests answered, by operation and class of status", requests.clone());
        registry.register("kilele_http_request_seconds", "How long an answer took, by operation", seconds.clone());
        registry.register("kilele_delivery_attempts", "Attempts to reach a person, by way and outcome", attempts.clone());
        for (channel, outcome) in Channel::ALL.iter().flat_map(|one| OUTCOMES.map(|outcome| (one.as_str(), outcome))) {
            drop(attempts.get_or_create(&vec![("channel", channel), ("outcome", outcome)]));
        }
        let counted = Mutex::default();
        Self {
            registry,
            requests,
            seconds,
            attempts,
            troubles: Default::default(),
            begun: Instant::now(),
            begun_at: now,
            counted,
        }
    }

    /// Seconds since the process opened the installation.
    pub fn uptime(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }

    /// When that was, by the server's clock.
    pub fn begun_at(&self) -> Millis {
        self.begun_at
    }

    pub(crate) fn attempted(&self, channel: Channel, outcome: &Outcome) {
        let (word, answered) = match outcome {
            Outcome::Sent => ("sent", true),
            Outcome::Noted => ("noted", true),
            Outcome::Gone => ("gone", true),
            Outcome::Refused(_) => ("refused", true),
            Outcome::Later(_) => ("later", false),
            // Nobody was asked.
            Outcome::Resting(_) => return,
        };
        self.attempts.get_or_create(&vec![("channel", channel.as_str()), ("outcome", word)]).inc();
        let troubles = &self.troubles[channel as usize];
        if answered {
            troubles.store(0, Ordering::Relaxed);
        } else {
            troubles.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether somebody answered lately, of those who carry messages this way.
    pub fn carries(&self, channel: Channel) -> bool {
        self.troubles[channel as usize].load(Ordering::Relaxed) < IN_A_ROW
    }

    fn answered(&self, operation: &'static str, status: StatusCode, took: f64) {
        let class = match status.as_u16() {
            429 => "429",
            503 => "503",
            ..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=428 | 430..=499 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&vec![("operation", operation), ("status", class)]).inc();
        self.seconds.get_or_create(&vec![("operation", operation)]).observe(took);
    }

    /// The text that is answered.
    async fn text(&self, app: &App) -> Result<String> {
        let mut samples = self.database(app).await;
        let parts = health::look(app).await;
        samples.extend(parts.words().map(|(part, word)| one("kilele_part_up", "part", part, f64::from(word.is_good()))));
        samples.extend(self.process(app));
        let mut registry = Registry::default();
        let mut families: BTreeMap<&'static str, Gauges> = BTreeMap::new();
        for Sample { name, labels, value } in samples {
            families.entry(name).or_default().get_or_create(&labels).set(value);
        }
        for (name, family) in families {
            let help = HELP.iter().find(|(known, _)| *known == name).map_or("", |(_, help)| help);
            registry.register(name, help, family);
        }
        let mut text = String::new();
        let written = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &registry))
            .and_then(|()| encode_eof(&mut text));
        written.map_err(|error| Error::unexpected(anyhow::Error::new(error)))?;
        Ok(text)
    }

    fn process(&self, app: &App) -> Vec<Sample> {
        let (open, idle, most) = app.db.connections();
        let mut samples = vec![
            one("kilele_build_info", "version", env!("CARGO_PKG_VERSION"), 1.0),
            bare("kilele_uptime_seconds", self.begun.elapsed().as_secs_f64()),
            one("kilele_database_connections", "state", "idle", idle.into()),
            one("kilele_database_connections", "state", "used", open.saturating_sub(idle).into()),
            bare("kilele_database_connections_most", most.into()),
        ];
        samples.extend(resident().map(|bytes| bare("process_resident_memory_bytes", bytes)));
        samples.extend(cpu().map(|seconds| bare("kilele_process_cpu_seconds", seconds)));
        samples
    }

    /// What was counted in the database half a minute ago at most; nothing of it while that does not answer.
    async fn database(&self, app: &App) -> Vec<Sample> {
        let now = app.clock.now();
        let kept = self.counted.lock().expect("no panic while held").clone();
        match kept {
            Some((at, samples)) if (0..KEPT).contains(&(now - at)) => return samples,
            _ => {}
        }
        match count(app, now).await {
            Ok(samples) => {
                *self.counted.lock().expect("no panic while held") = Some((now, samples.clone()));
                samples
            }
            Err(error) => {
                error.log();
                Vec::new()
            }
        }
    }
}

/// What each family is; those of requests and deliveries say it where they are made.
const HELP: [(&str, &str); 27] = [
    ("kilele_backup_age_seconds", "Since the last good backup; absent where there was none"),
    ("kilele_backup_failed", "1 when the last attempt at a backup failed"),
    ("kilele_build_info", "The version that runs"),
    ("kilele_captures_missing", "Pictures that phones announced and that have not arrived"),
    ("kilele_captures_missing_seconds", "Since the oldest of them was announced"),
    ("kilele_database_connections", "Open connections for reading and, on PostgreSQL, writing"),
    ("kilele_database_connections_most", "How many there may be"),
    ("kilele_deliveries", "Messages to people of the last day, by way and what became of them"),
    ("kilele_devices", "Devices that are not revoked, by when they were last seen"),
    ("kilele_evidence", "Pictures, by state"),
    ("kilele_feed_revisions", "Changes of all feeds since the beginning"),
    ("kilele_feeds", "Feeds: places, people, organisations"),
    ("kilele_jobs", "Jobs, by kind and state"),
    ("kilele_jobs_late_seconds", "Since when the oldest job that is due has waited"),
    ("kilele_members", "Active members of all organisations"),
    ("kilele_organisations", "Organisations"),
    ("kilele_outbox_age_seconds", "Since the oldest work that waits on a device was done, of the hundred that wait longest"),
    ("kilele_outbox_devices", "Devices with work that waits longer than this"),
    ("kilele_outbox_oldest_seconds", "Since the oldest work that waits on any device was done"),
    ("kilele_part_up", "1 when this part works"),
    ("kilele_process_cpu_seconds", "Processor time of this process"),
    ("kilele_push_subscriptions", "Phones that can be reached by push"),
    ("kilele_sync_lag_seconds", "Since devices that were seen within a week were last seen"),
    ("kilele_uploads", "Uploads under way"),
    ("kilele_uptime_seconds", "Since this process began"),
    ("kilele_visits_waiting", "Visits that wait for somebody to decide"),
    ("process_resident_memory_bytes", "Memory of this process"),
];

fn bare(name: &'static str, value: f64) -> Sample {
    Sample { name, labels: Vec::new(), value }
}

fn one(name: &'static str, label: &'static str, is: impl Into<String>, value: f64) -> Sample {
    Sample { name, labels: vec![(label, is.into())], value }
}

fn seconds(from: Millis, to: Millis) -> f64 {
    (to - from).max(0) as f64 / 1e3
}

async fn count(app: &App, now: Millis) -> Result<Vec<Sample>> {
    let mut samples = devices(app, now).await?;
    let (organisations, members, feeds, revisions, subscriptions): (i64, i64, i64, i64, i64) = app
        .db
        .query(
            "SELECT (SELECT count(*) FROM organisation), (SELECT count(*) FROM member WHERE active), (SELECT count(*) FROM feed),
                 (SELECT COALESCE(CAST(sum(revision) AS BIGINT), 0) FROM feed), (SELECT count(*) FROM push_subscription)",
        )
        .one()
        .await?;
    let (uploads, missing, announced, waiting): (i64, i64, Option<Millis>, i64) = app
        .db
        .query(
            "SELECT (SELECT count(*) FROM upload WHERE NOT done), count(*), min(announced_at),
                 (SELECT count(*) FROM visit WHERE state = 'submitted')
             FROM capture WHERE received_at IS NULL",
        )
        .one()
        .await?;
    samples.extend([
        bare("kilele_organisations", organisations as f64),
        bare("kilele_members", members as f64),
        bare("kilele_feeds", feeds as f64),
        bare("kilele_feed_revisions", revisions as f64),
        bare("kilele_push_subscriptions", subscriptions as f64),
        bare("kilele_uploads", uploads as f64),
        bare("kilele_captures_missing", missing as f64),
        bare("kilele_captures_missing_seconds", announced.map_or(0.0, |at| seconds(at, now))),
        bare("kilele_visits_waiting", waiting as f64),
    ]);
    let jobs: Vec<(String, String, i64)> =
        app.db.query("SELECT kind, state, count(*) FROM job GROUP BY kind, state").all().await?;
    for state in ["queued", "dead"] {
        if !jobs.iter().any(|(_, known, _)| known == state) {
            samples.push(Sample {
                name: "kilele_jobs",
                labels: vec![("kind", "any".into()), ("state", state.into())],
                value: 0.0,
            });
        }
    }
    for (kind, state, count) in jobs {
        samples.push(Sample { name: "kilele_jobs", labels: vec![("kind", kind), ("state", state)], value: count as f64 });
    }
    samples.push(bare("kilele_jobs_late_seconds", health::late(app).await? as f64 / 1e3));
    let pictures: Vec<(String, i64)> = app.db.query("SELECT state, count(*) FROM evidence GROUP BY state").all().await?;
    if pictures.is_empty() {
        samples.push(one("kilele_evidence", "state", "ready", 0.0));
    }
    samples.extend(pictures.into_iter().map(|(state, count)| one("kilele_evidence", "state", state, count as f64)));
    let told: Vec<(String, String, i64)> = app
        .db
        .query("SELECT channel, state, count(*) FROM delivery WHERE created_at > $1 GROUP BY channel, state")
        .bind(now - DAY)
        .all()
        .await?;
    for channel in Channel::ALL {
        for state in ["waiting", "sent", "failed"] {
            let found = told.iter().find(|(way, known, _)| way == channel.as_str() && known == state);
            let labels = vec![("channel", channel.as_str().to_owned()), ("state", state.to_owned())];
            samples.push(Sample {
                name: "kilele_deliveries",
                labels,
                value: found.map_or(0.0, |(_, _, count)| *count as f64),
            });
        }
    }
    let (last, good) = backup::store::latest(&app.db).await?;
    samples.extend(good.map(|run| bare("kilele_backup_age_seconds", seconds(run.started_at, now))));
    samples.push(bare("kilele_backup_failed", f64::from(last.is_some_and(|run| run.state == "failed"))));
    Ok(samples)
}

/// When devices were last seen, and how long their work waits.
async fn devices(app: &App, now: Millis) -> Result<Vec<Sample>> {
    let rows: Vec<(Uuid, Millis, Option<String>)> = app
        .db
        .query("SELECT id, last_seen_at, stats FROM device WHERE revoked_at IS NULL AND last_seen_at > $1")
        .bind(now - 90 * DAY)
        .all()
        .await?;
    let mut samples = Vec::new();
    let ago: Vec<f64> = rows.iter().map(|(_, at, _)| seconds(*at, now)).collect();
    for (word, within) in [("hour", HOUR), ("day", DAY), ("week", 7 * DAY), ("quarter", 90 * DAY)] {
        let count = ago.iter().filter(|ago| **ago <= within as f64 / 1e3).count();
        samples.push(one("kilele_devices", "within", word, count as f64));
    }
    let mut lag: Vec<f64> = ago.into_iter().filter(|ago| *ago <= 7.0 * 86_400.0).collect();
    lag.sort_by(f64::total_cmp);
    for (word, part) in [("0.5", 0.5), ("0.95", 0.95), ("1", 1.0)] {
        let at = ((lag.len() as f64 * part).ceil() as usize).clamp(1, lag.len().max(1)) - 1;
        samples.push(one("kilele_sync_lag_seconds", "quantile", word, lag.get(at).copied().unwrap_or_default()));
    }
    let waits = |(id, _, stats): &(Uuid, Millis, Option<String>)| {
        let stats: Stats = serde_json::from_str(stats.as_deref()?).ok()?;
        let any = stats.records_waiting.unwrap_or_default() > 0 || stats.captures_waiting.unwrap_or_default() > 0;
        any.then_some(())?;
        Some((seconds(stats.oldest_waiting_at?, now), *id))
    };
    let mut waiting: Vec<(f64, Uuid)> = rows.iter().filter_map(waits).collect();
    waiting.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (word, than) in [("hour", HOUR), ("day", DAY), ("three_days", 3 * DAY)] {
        let count = waiting.iter().filter(|(age, _)| *age > than as f64 / 1e3).count();
        samples.push(one("kilele_outbox_devices", "older", word, count as f64));
    }
    samples.push(bare("kilele_outbox_oldest_seconds", waiting.first().map_or(0.0, |(age, _)| *age)));
    let named = waiting.into_iter().take(DEVICES);
    samples.extend(named.map(|(age, id)| one("kilele_outbox_age_seconds", "device", id.to_string(), age)));
    Ok(samples)
}

fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0)
}

/// Linux tells other programs hundredths of a second.
fn cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Whoever knows the token, or is on this machine where none is set. What came through a proxy is not on this machine.
fn may_read(request: &Request, app: &App) -> bool {
    match &app.config.metrics_token {
        Some(token) => {
            let said = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let said = said.and_then(|said| said.strip_prefix("Bearer ")).unwrap_or_default();
            aws_lc_rs::constant_time::verify_slices_are_equal(said.as_bytes(), token.as_bytes()).is_ok()
        }
        None => {
            let address = crate::web::client_address(request, &app.config).parse::<std::net::IpAddr>();
            let forwarded = request.headers().contains_key("x-forwarded-for");
            address.is_ok_and(|address| address.is_loopback()) && (!forwarded || !app.config.trusted_proxies.is_empty())
        }
    }
}

/// `GET /metrics`
#[handler]
pub async fn page(request: &Request, app: Data<&App>) -> Result<Response> {
    if !may_read(request, &app) {
        return Err(Error::not_found("address"));
    }
    let text = app.metrics.text(&app).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(Response::builder().header(CONTENT_TYPE, kind).header(CACHE_CONTROL, "no-store").body(text))
}

/// Counts each request, and gives it an id that stands in its answer and in every line of the log that is written for it.
pub struct Measured;

impl<E: Endpoint> Middleware<E> for Measured {
    type Output = WithMeasure<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithMeasure(inner)
    }
}

pub struct WithMeasure<E>(E);

const ID: &str = "x-request-id";

impl<E: Endpoint> Endpoint for WithMeasure<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let Some(app) = request.data::<App>().cloned() else {
            return self.0.call(request).await.map(IntoResponse::into_response);
        };
        let id = given(&request, &app).unwrap_or_else(|| hex(&random::<8>()));
        let span = tracing::info_span!("request", id = %id);
        let api = request.uri().path().starts_with("/api/");
        let (begun, caller) = (Instant::now(), app.traces.caller(&request, app.clock.now()));
        let answer = self.0.call(request).instrument(span.clone()).await.map(IntoResponse::into_response);
        let (operation, status) = match &answer {
            Ok(response) => (response.data::<OperationId>().map(|known| known.0), response.status()),
            Err(error) => (error.data::<OperationId>().map(|known| known.0), error.status()),
        };
        let operation = operation.unwrap_or(if api { "other" } else { "files" });
        let took = begun.elapsed();
        app.metrics.answered(operation, status, took.as_secs_f64());
        if let Some(caller) = caller {
            app.traces.answered(caller, operation, status, &id);
        }
        let (code, ms) = (status.as_u16(), took.as_millis() as u64);
        span.in_scope(|| match status.is_server_error() {
            true => tracing::warn!(operation, status = code, ms, "answered"),
            false => tracing::debug!(operation, status = code, ms, "answered"),
        });
        let answer = match answer {
            Ok(response) => Ok(response),
            Err(error) => Ok(crate::error::from_framework(error).instrument(span).await),
        };
        answer.map(|mut response| {
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(ID, value);
            }
            response
        })
    }
}

/// The id that our own proxy gave it.
fn given(request: &Request, app: &App) -> Option<String> {
    let peer = request.remote_addr().as_socket_addr()?.ip().to_string();
    let id = request.header(ID).filter(|_| app.config.trusted_proxies.contains(&peer))?;
    let fits = (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| id.to_owned())
}
