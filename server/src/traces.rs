//! Spans for whoever watches several programs together: each request and each job is one, sent over OTLP to a collector. What
//! may be said of them stands here, and nothing else can get in: no person, no id of one, no query, no header, no body.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use async_trait::async_trait;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request as HttpRequest, Response as HttpResponse};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use poem::Request;
use poem::http::StatusCode;
use reqwest::Url;
use tokio::runtime::Handle;

use crate::clock::{Millis, random};
use crate::config::{Config, Otlp};
use crate::crypto::hex;

/// Spans that wait for a collector; what comes on top is thrown away.
const WAITING: usize = 2_048;
/// How often they are sent.
const EVERY: Duration = Duration::from_secs(2);
/// A collector that takes longer is as good as down.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a process that ends still gives it.
const FAREWELL: Duration = Duration::from_secs(3);
/// What is read of a collector's answer.
const ANSWER: usize = 64 << 10;

/// Where spans go: nowhere, unless `KILELE_OTLP_URL` is set.
pub struct Traces(Option<Sending>);

struct Sending {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// `sqlite` or `postgresql`.
    engine: &'static str,
    /// The template of the address of each operation.
    routes: OnceLock<HashMap<String, String>>,
}

/// Who asks: what is taken of a request before it is answered.
pub struct Caller {
    method: &'static str,
    parent: Context,
    at: Millis,
    begun: Instant,
}

impl Traces {
    /// # Errors
    /// When the exporter cannot be made of the settings.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(otlp) = &config.otlp else { return Ok(Self(None)) };
        let mut endpoint = otlp.url.clone();
        // Credentials stay with the client below.
        let _ = endpoint.set_username("").and_then(|()| endpoint.set_password(None));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_timeout(PATIENCE)
            .with_headers(otlp.headers.iter().cloned().collect())
            .with_http_client(Carrier::new(otlp)?)
            .build()
            .context("KILELE_OTLP_URL")?;
        let pace = BatchConfigBuilder::default().with_max_queue_size(WAITING).with_scheduled_delay(EVERY).build();
        let resource = Resource::builder().with_service_name("kilele").with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", hex(&random::<8>())),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(pace).build())
            .with_resource(resource.build())
            .build();
        let engine = if config.database_url.starts_with("sqlite:") { "sqlite" } else { "postgresql" };
        let (tracer, routes) = (provider.tracer("kilele"), OnceLock::new());
        Ok(Self(Some(Sending { provider, tracer, engine, routes })))
    }

    /// Reads from the API's own document what the addresses of its operations look like.
    pub fn learn(&self, document: &str) {
        let Some(sending) = &self.0 else { return };
        let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
        let paths = document["paths"].as_object().into_iter().flatten();
        let named = paths.flat_map(|(path, methods)| {
            let operations = methods.as_object().into_iter().flat_map(|methods| methods.values());
            operations.filter_map(move |one| Some((one["operationId"].as_str()?.to_owned(), path.clone())))
        });
        let _ = sending.routes.set(named.collect());
    }

    /// Nothing when spans go nowhere.
    pub fn caller(&self, request: &Request, at: Millis) -> Option<Caller> {
        self.0.as_ref()?;
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(request));
        Some(Caller { method: known(request.method().as_str()), parent, at, begun: Instant::now() })
    }

    /// `operation` is the API's own name, or one of `files` and `other`; `id` stands in the log and in the answer.
    pub fn answered(&self, caller: Caller, operation: &'static str, status: StatusCode, id: &str) {
        let Some(sending) = &self.0 else { return };
        let Caller { method, parent, at, begun } = caller;
        let route = sending.routes.get().and_then(|routes| routes.get(operation));
        let name = format!("{method} {}", route.map_or(operation, String::as_str));
        let mut said = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("kilele.operation", operation),
            KeyValue::new("kilele.request_id", id.to_owned()),
        ];
        said.extend(route.map(|route| KeyValue::new("http.route", route.clone())));
        sending.tell(name, SpanKind::Server, said, &parent, (at, begun), status.is_server_error());
    }

    /// What became of one job, or of `count` deliveries that were taken together.
    pub fn job(&self, kind: &str, begun: (Millis, Instant), count: usize, outcome: &'static str) {
        let Some(sending) = &self.0 else { return };
        let said = vec![
            KeyValue::new("kilele.job.kind", kind.to_owned()),
            KeyValue::new("kilele.job.count", count as i64),
            KeyValue::new("kilele.job.outcome", outcome),
        ];
        let failed = matches!(outcome, "failed" | "dead");
        sending.tell(format!("job {kind}"), SpanKind::Internal, said, &Context::new(), begun, failed);
    }

    /// Sends what waits, for a moment; nothing is taken any more.
    pub async fn end(&self) {
        let Some(sending) = &self.0 else { return };
        let provider = sending.provider.clone();
        // It waits for its own thread, which needs this runtime to send. What it could not send is gone, and was said.
        let _ = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FAREWELL)).await;
    }
}

impl Sending {
    fn tell(
        &self,
        name: String,
        kind: SpanKind,
        mut said: Vec<KeyValue>,
        parent: &Context,
        (at, begun): (Millis, Instant),
        failed: bool,
    ) {
        said.push(KeyValue::new("db.system.name", self.engine));
        let from: SystemTime = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or_default());
        let builder = self.tracer.span_builder(name).with_kind(kind).with_start_time(from).with_attributes(said);
        let mut span = builder.start_with_context(&self.tracer, parent);
        if failed {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(from + begun.elapsed());
    }
}

/// Only methods that there are: whoever invents one writes nothing into a span.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    METHODS.into_iter().find(|one| *one == method).unwrap_or("_OTHER")
}

/// `traceparent`, and nothing else: `tracestate` could say anything.
struct Parent<'r>(&'r Request);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.header(key).filter(|_| key.eq_ignore_ascii_case("traceparent"))
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Takes spans to the collector with the client and the TLS of everything else, and says once that it does not answer.
#[derive(Debug)]
struct Carrier {
    client: reqwest::Client,
    url: Url,
    runtime: Handle,
    silent: AtomicBool,
}

impl Carrier {
    fn new(otlp: &Otlp) -> anyhow::Result<Self> {
        let client = client()?;
        Ok(Self { client, url: otlp.url.clone(), runtime: Handle::current(), silent: AtomicBool::new(false) })
    }

    fn heard(&self, trouble: Option<&str>) {
        let was = self.silent.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(why) if !was => {
                tracing::warn!(
                    why,
                    "the collector of KILELE_OTLP_URL does not take spans; they are thrown away until it does"
                );
            }
            None if was => tracing::info!("the collector of KILELE_OTLP_URL takes spans again"),
            _ => {}
        }
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()
}

/// Why it was not reached, without its address: that may hold a password.
fn why(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(error.without_url()))
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: HttpRequest<Bytes>) -> Result<HttpResponse<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let asking = self.client.post(self.url.clone()).headers(head.headers).body(body);
        // The thread that sends is not one of the runtime's, where the client lives.
        let asked = self.runtime.spawn(async move {
            let mut response = asking.send().await?;
            let mut answer = Vec::new();
            // Read to its end, so that the connection is used again.
            while let Some(bytes) = response.chunk().await? {
                if answer.len() + bytes.len() > ANSWER {
                    break;
                }
                answer.extend_from_slice(&bytes);
            }
            Ok::<_, reqwest::Error>((response.status(), answer))
        });
        match asked.await? {
            Ok((status, answer)) => {
                self.heard((!status.is_success()).then(|| status.to_string()).as_deref());
                let mut response = HttpResponse::new(answer.into());
                *response.status_mut() = status;
                Ok(response)
            }
            Err(error) => {
                let why = why(error);
                self.heard(Some(&why));
                Err(why.into())
            }
        }
    }
}

/// An export of nothing: what a collector says to it, it says to spans too.
///
/// # Errors
/// Why it would not take them, in words.
pub async fn knock(otlp: &Otlp) -> Result<(), String> {
    let mut request = client().map_err(why)?.post(otlp.url.clone()).header("content-type", "application/x-protobuf");
    for (name, value) in &otlp.headers {
        request = request.header(name, value);
    }
    match request.body(Vec::new()).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("it answers {}", response.status())),
        Err(error) => Err(why(error)),
    }
}
