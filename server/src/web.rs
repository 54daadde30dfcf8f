//! The PWA's files, embedded and compressed at build time, and the headers every answer carries.

use poem::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, handler};
use rust_embed::RustEmbed;

use crate::config::Config;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../pwa/dist"]
#[allow_missing = true]
struct Files;

/// A file of the PWA, or its page for every other address: the router in the page knows what to show.
#[handler]
pub fn files(request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") || path.ends_with(".br") || path.ends_with(".gz") {
        return Error::not_found("address").into_response();
    }
    match file(request, path) {
        Some(response) => response,
        // A missing asset must not be answered with the page: an old client would take it for code.
        None if path.starts_with("assets/") || path.contains('.') => Error::not_found("file").into_response(),
        None => file(request, "index.html").unwrap_or_else(|| {
            let missing = "The web application is not built into this server. Run `make run`.";
            Response::builder().status(StatusCode::NOT_FOUND).body(missing)
        }),
    }
}

fn file(request: &Request, path: &str) -> Option<Response> {
    let plain = Files::get(path).filter(|_| !path.is_empty())?;
    let etag = format!("\"{}\"", crate::crypto::hex(&plain.metadata.sha256_hash()[..16]));
    let immutable = path.starts_with("assets/");
    let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(&etag));
    let mut response = Response::builder()
        .header(CONTENT_TYPE, content_type(path))
        .header(CACHE_CONTROL, cache)
        .header(ETAG, &etag)
        .header(VARY, "accept-encoding");
    if path == "sw.js" {
        response = response.header("service-worker-allowed", "/");
    }
    if known {
        return Some(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let accepts = request.headers().get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if accepts.contains(encoding)
            && let Some(packed) = Files::get(&format!("{path}.{ending}"))
        {
            return Some(response.header(CONTENT_ENCODING, encoding).body(packed.data.into_owned()));
        }
    }
    Some(response.body(plain.data.into_owned()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Only what the PWA needs; no other origin, no inline script.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";
/// The API's browsable page is one file with its script inside.
const DOCS_POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/// Security headers on every answer, API answers uncached unless they say otherwise.
pub struct Headers;

impl<E: Endpoint> Middleware<E> for Headers {
    type Output = WithHeaders<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithHeaders(inner)
    }
}

pub struct WithHeaders<E>(E);

impl<E: Endpoint> Endpoint for WithHeaders<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let (api, docs) = (path.starts_with("/api/"), path.starts_with("/api/docs"));
        let mut response = match self.0.call(request).await {
            Ok(output) => output.into_response(),
            Err(error) => crate::error::from_framework(error).await,
        };
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: &'static str| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        };
        set("content-security-policy", if docs { DOCS_POLICY } else { POLICY });
        set("x-content-type-options", "nosniff");
        set("x-frame-options", "DENY");
        set("referrer-policy", "same-origin");
        set("permissions-policy", "camera=(self), geolocation=(self), microphone=()");
        set("cross-origin-opener-policy", "same-origin");
        if api {
            headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
        Ok(response)
    }
}

/// The address of the client; `X-Forwarded-For` counts only from a trusted proxy.
pub fn client_address(request: &Request, config: &Config) -> String {
    let peer = request.remote_addr().as_socket_addr().map(|a| a.ip().to_string()).unwrap_or_default();
    if !config.trusted_proxies.contains(&peer) {
        return peer;
    }
    let forwarded = request.header("x-forwarded-for").unwrap_or_default();
    let mut hops = forwarded.split(',').map(str::trim).filter(|hop| !hop.is_empty());
    // From the right: the first hop that is not one of our own.
    hops.rfind(|hop| !config.trusted_proxies.iter().any(|p| p == hop)).map_or(peer, str::to_owned)
}
