//! The PWA's files, embedded and compressed at build time, and the headers every answer carries.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use poem::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::web::Data;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, handler};
use rust_embed::RustEmbed;

use crate::app::App;
use crate::config::Config;
use crate::crypto::sha256;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../pwa/dist"]
#[allow_missing = true]
struct Files;

/// A file of the PWA, or its page for every other address: the router in the page knows what to show.
#[handler]
pub fn files(request: &Request, app: Data<&App>) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") || path.ends_with(".br") || path.ends_with(".gz") {
        return Error::not_found("address").into_response();
    }
    // The worker's replacement, which removes it from every phone.
    let path = if path == "sw.js" && app.config.kill_worker { "sw-kill.js" } else { path };
    match file(request, path).or_else(|| earlier(&app, path)) {
        Some(response) => response,
        // A missing asset must not be answered with the page: an old client would take it for code.
        None if path.starts_with("assets/") || path.contains('.') => Error::not_found("file").into_response(),
        None => file(request, "index.html").unwrap_or_else(|| {
            let missing = "The web application is not built into this server. Run `make run`.";
            Response::builder().status(StatusCode::NOT_FOUND).body(missing)
        }),
    }
}

/// A script of an earlier build: its name is its content, so nothing about it can be out of date.
fn earlier(app: &App, path: &str) -> Option<Response> {
    let bytes = app.builds.find(path)?;
    let response = Response::builder().header(CONTENT_TYPE, content_type(path)).header(CACHE_CONTROL, FOR_EVER);
    Some(response.body(bytes))
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Every file as it is embedded.
pub fn embedded() -> impl Iterator<Item = (String, Vec<u8>)> {
    Files::iter().filter_map(|name| Files::get(&name).map(|file| (name.into_owned(), file.data.into_owned())))
}

fn file(request: &Request, path: &str) -> Option<Response> {
    let plain = Files::get(path).filter(|_| !path.is_empty())?;
    let etag = format!("\"{}\"", crate::crypto::hex(&plain.metadata.sha256_hash()[..16]));
    let immutable = path.starts_with("assets/");
    let cache = if immutable { FOR_EVER } else { "no-cache" };
    let known = request.headers().get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(&etag));
    let mut response = Response::builder()
        .header(CONTENT_TYPE, content_type(path))
        .header(CACHE_CONTROL, cache)
        .header(ETAG, &etag)
        .header(VARY, "accept-encoding");
    if path == "sw.js" || path == "sw-kill.js" {
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

/// Only what the PWA needs; no inline script, and no other origin but the one that pictures are fetched from and the one that
/// draws maps, if any.
fn policy(media: &str, tiles: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:{media}{tiles}; \
         media-src 'self' blob:; connect-src 'self'{media}; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// What stands between each `<tag …>` and its end; the text in between may itself name the tag.
pub fn inside<'p>(page: &'p str, tag: &str) -> impl Iterator<Item = &'p str> {
    let (begin, end) = (format!("<{tag}"), format!("</{tag}>"));
    let mut rest = page;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&begin)?;
        let (text, after) = after.split_once('>')?.1.split_once(&end)?;
        rest = after;
        Some(text)
    })
}

/// The API's browsable page is one file with its script and its style inside: exactly these may run, named by their hashes.
fn docs_policy(page: &str) -> String {
    let hashes = |tag: &str| -> String {
        inside(page, tag).map(|text| format!(" 'sha256-{}'", BASE64_STANDARD.encode(sha256(text.as_bytes())))).collect()
    };
    format!(
        "default-src 'none'; script-src{}; style-src{}; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hashes("script"),
        hashes("style")
    )
}

/// Camera and place are for the application; the level in the camera reads the sensors, which are left as they are.
const PERMISSIONS: &str = "camera=(self), geolocation=(self), microphone=(), display-capture=(), payment=(), usb=(), \
    serial=(), bluetooth=(), hid=(), midi=(), idle-detection=(), xr-spatial-tracking=()";

/// JSON is no page: it may load nothing. A phone reads this policy with every heartbeat.
const DATA: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Security headers on every answer, API answers uncached unless they say otherwise.
#[derive(Clone)]
pub struct Headers {
    policy: HeaderValue,
    docs: HeaderValue,
    /// Whether browsers are to come by TLS only: where the installation is reached by it.
    tls: bool,
}

impl Headers {
    /// `docs` is the browsable page of the API.
    pub fn new(app: &App, docs: &str) -> Self {
        // The origin that signed addresses of pictures lead to.
        let named = |origin: Option<&String>| origin.map(|origin| format!(" {origin}")).unwrap_or_default();
        let tiles = app.config.tiles.as_ref().map(|tiles| &tiles.origin);
        let policy = policy(&named(app.media_origin.as_ref()), &named(tiles));
        let value = |text: &str| HeaderValue::from_str(text).expect("a policy fits into a header");
        Self { policy: value(&policy), docs: value(&docs_policy(docs)), tls: app.config.public_url.starts_with("https://") }
    }
}

impl<E: Endpoint> Middleware<E> for Headers {
    type Output = WithHeaders<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithHeaders(inner, self.clone())
    }
}

pub struct WithHeaders<E>(E, Headers);

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
        let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let data = api && !docs && kind.starts_with("application/") && kind.contains("json");
        let mut set = |name: &'static str, value: &'static str| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        };
        set("x-content-type-options", "nosniff");
        set("x-frame-options", "DENY");
        set("referrer-policy", "same-origin");
        if !data {
            set("permissions-policy", PERMISSIONS);
        }
        set("cross-origin-opener-policy", "same-origin");
        set("cross-origin-resource-policy", "same-origin");
        if self.1.tls {
            set("strict-transport-security", "max-age=31536000");
        }
        let policy = match (docs, data) {
            (true, _) => self.1.docs.clone(),
            (_, true) => HeaderValue::from_static(DATA),
            _ => self.1.policy.clone(),
        };
        headers.insert(HeaderName::from_static("content-security-policy"), policy);
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
