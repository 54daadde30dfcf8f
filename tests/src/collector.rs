//! A collector of spans, for one test: it takes OTLP over HTTP and keeps what it was told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use poem::http::StatusCode;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Request, Response, Route, handler};
use prost::Message;

/// One span as it came.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    /// 1 is internal, 2 a server's.
    pub kind: i32,
    pub trace: String,
    pub parent: String,
    pub state: String,
    pub failed: bool,
    /// Of an attribute, what it says.
    pub said: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub from: u64,
    pub to: u64,
    /// Events and links: places where something could hide.
    pub more: usize,
}

#[derive(Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    /// What whoever sent them said of itself, and the headers it came with.
    sender: Mutex<BTreeMap<String, String>>,
    headers: Mutex<BTreeMap<String, String>>,
    status: AtomicU16,
    exports: AtomicU64,
}

#[derive(Clone)]
pub struct Collector {
    pub url: String,
    kept: Arc<Kept>,
}

impl Collector {
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    pub async fn at(address: &str) -> Self {
        let kept = Arc::new(Kept::default());
        kept.status.store(200, Ordering::Relaxed);
        let acceptor = TcpListener::bind(address.to_owned()).into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(endpoint(kept.clone())));
        Self { url: format!("http://{address}"), kept }
    }

    /// From now on it answers this.
    pub fn answer(&self, status: u16) {
        self.kept.status.store(status, Ordering::Relaxed);
    }

    pub fn spans(&self) -> Vec<Span> {
        self.kept.spans.lock().unwrap().clone()
    }

    pub fn sender(&self) -> BTreeMap<String, String> {
        self.kept.sender.lock().unwrap().clone()
    }

    pub fn headers(&self) -> BTreeMap<String, String> {
        self.kept.headers.lock().unwrap().clone()
    }

    /// How often it was asked to take some.
    pub fn exports(&self) -> u64 {
        self.kept.exports.load(Ordering::Relaxed)
    }
}

fn endpoint(kept: Arc<Kept>) -> impl Endpoint {
    Route::new().at("/v1/traces", poem::post(take)).data(kept)
}

#[handler]
async fn take(request: &Request, body: Vec<u8>, kept: Data<&Arc<Kept>>) -> Response {
    let status = StatusCode::from_u16(kept.status.load(Ordering::Relaxed)).unwrap();
    kept.exports.fetch_add(1, Ordering::Relaxed);
    let kind = request.content_type().unwrap_or_default();
    let Ok(asked) = ExportTraceServiceRequest::decode(body.as_slice()) else {
        return StatusCode::BAD_REQUEST.into();
    };
    if kind != "application/x-protobuf" || !status.is_success() {
        return if status.is_success() { StatusCode::UNSUPPORTED_MEDIA_TYPE } else { status }.into();
    }
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    *kept.headers.lock().unwrap() = headers.collect();
    for resource in asked.resource_spans {
        let of = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        kept.sender.lock().unwrap().extend(attributes(of));
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        kept.spans.lock().unwrap().extend(spans.map(|span| Span {
            name: span.name,
            kind: span.kind,
            trace: hex(&span.trace_id),
            parent: hex(&span.parent_span_id),
            state: span.trace_state,
            failed: span.status.as_ref().is_some_and(|status| status.code == 2),
            said: attributes(span.attributes),
            from: span.start_time_unix_nano,
            to: span.end_time_unix_nano,
            more: span.events.len() + span.links.len() + span.status.map_or(0, |status| status.message.len()),
        }));
    }
    Response::builder().content_type("application/x-protobuf").body(())
}

fn attributes(of: Vec<KeyValue>) -> BTreeMap<String, String> {
    of.into_iter().map(|KeyValue { key, value, .. }| (key, text(value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
