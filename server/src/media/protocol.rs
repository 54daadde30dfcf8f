//! The words of tus 1.0: what every answer carries, checksums, metadata, and bodies of uploads.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response};
use uuid::Uuid;

use crate::error::{Error, Result, from_framework};

pub const VERSION: &str = "1.0.0";
pub const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
pub const ALGORITHMS: &str = "sha1,sha256";
/// Room for a few names and ids; it is kept as it came.
const LONGEST_METADATA: usize = 4096;

/// `Upload-Checksum` of one request.
pub struct Checksum {
    pub algorithm: &'static digest::Algorithm,
    pub value: Vec<u8>,
}

impl Checksum {
    /// `algorithm base64`.
    ///
    /// # Errors
    /// 400 for an algorithm that this server does not know, or for no checksum at all.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, value) = text.trim().split_once(' ').unwrap_or((text, ""));
        let algorithm = match name {
            "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => &digest::SHA256,
            _ => return Err(Error::bad_request("checksum_algorithm", format!("Upload-Checksum is one of {ALGORITHMS}."))),
        };
        let value = BASE64_STANDARD.decode(value).ok().filter(|v| v.len() == algorithm.output_len());
        let value = value.ok_or_else(|| Error::bad_request("checksum", "Upload-Checksum is `algorithm base64`."))?;
        Ok(Self { algorithm, value })
    }
}

/// The `evidence` entry of `Upload-Metadata`: pairs of `key base64` with commas between.
///
/// # Errors
/// 400 when the header has another form, or does not name the evidence.
pub fn evidence(metadata: &str) -> Result<Uuid> {
    let wrong = |message: &str| Error::bad_request("metadata", message);
    if metadata.len() > LONGEST_METADATA {
        return Err(wrong("Upload-Metadata has at most 4,096 characters."));
    }
    let mut pairs: Vec<(&str, Vec<u8>)> = Vec::new();
    for pair in metadata.split(',') {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = crate::crypto::unb64(value).ok_or_else(|| wrong("Values of Upload-Metadata are base64."))?;
        if key.is_empty() || pairs.iter().any(|(k, _)| *k == key) {
            return Err(wrong("Keys of Upload-Metadata are not empty and stand once."));
        }
        pairs.push((key, value));
    }
    let found = pairs.iter().find(|(key, _)| *key == "evidence").and_then(|(_, v)| std::str::from_utf8(v).ok());
    found.and_then(|id| id.parse().ok()).ok_or_else(|| wrong("Upload-Metadata needs `evidence` with the id in base64."))
}

/// Insists that the client said which version it speaks; a wrong one does not come this far.
pub fn speaks(version: Option<&str>) -> Result<()> {
    if version == Some(VERSION) { Ok(()) } else { Err(other_version()) }
}

fn other_version() -> Error {
    Error::new(StatusCode::PRECONDITION_FAILED, "tus_version", "This server speaks tus 1.0.0; say so in Tus-Resumable.")
}

/// Milliseconds as a date of HTTP.
pub fn http_date(at: crate::clock::Millis) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What holds for every request about uploads: the method may be overridden, the version is compared first, every
/// answer says which version this is, and a refused body is heard out so that its sender gets to see the answer.
pub struct Protocol;

impl<E: Endpoint> Middleware<E> for Protocol {
    type Output = WithProtocol<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithProtocol(inner)
    }
}

pub struct WithProtocol<E>(E);

impl<E: Endpoint> Endpoint for WithProtocol<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        if path != "/api/uploads" && !path.starts_with("/api/uploads/") {
            return self.0.call(request).await.map(IntoResponse::into_response);
        }
        if let Some(method) = request.header("x-http-method-override").and_then(|m| m.parse::<Method>().ok()) {
            request.set_method(method);
        }
        let told = request.header("tus-resumable").is_some_and(|version| version != VERSION);
        let body = share(&mut request);
        let result = if told && request.method() != Method::OPTIONS {
            Err(other_version().into())
        } else {
            self.0.call(request).await.map(IntoResponse::into_response)
        };
        let mut response = match result {
            Ok(response) => response,
            Err(error) => from_framework(error).await,
        };
        mark(response.status(), response.headers_mut());
        if let (true, Some(body)) = (response.status().is_client_error(), body) {
            drop(tokio::time::timeout(Duration::from_secs(5), hear_out(body)).await);
        }
        Ok(response)
    }
}

fn mark(status: StatusCode, headers: &mut HeaderMap) {
    headers.insert("tus-resumable", HeaderValue::from_static(VERSION));
    if status == StatusCode::PRECONDITION_FAILED {
        headers.insert("tus-version", HeaderValue::from_static(VERSION));
    }
}

type Shared = Arc<tokio::sync::Mutex<Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>>>;

/// Leaves a view of the body in the request. None for one that nobody has sent yet.
fn share(request: &mut Request) -> Option<Shared> {
    if request.header("expect").is_some() {
        return None;
    }
    let body: Shared = Arc::new(tokio::sync::Mutex::new(Box::pin(request.take_body().into_bytes_stream())));
    let view = stream::unfold(body.clone(), |body| async move {
        let next = body.lock().await.next().await?;
        Some((next, body))
    });
    request.set_body(Body::from_bytes_stream(view));
    Some(body)
}

/// A chunk of a phone is at most 1 MB.
async fn hear_out(body: Shared) {
    let mut left = 2_usize << 20;
    while let Some(Ok(bytes)) = body.lock().await.next().await {
        left = left.saturating_sub(bytes.len());
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_read() {
        let empty = "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
        assert_eq!(Checksum::parse(empty).expect("a checksum").value.len(), 20);
        for (wrong, code) in [
            ("md5 1B2M2Y8AsgTpgAmY7PhCfg==", "checksum_algorithm"),
            ("sha1", "checksum"),
            ("sha1 !", "checksum"),
            ("sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "checksum"),
            ("", "checksum_algorithm"),
        ] {
            assert_eq!(Checksum::parse(wrong).err().expect(wrong).code(), code);
        }
    }

    #[test]
    fn metadata_is_read() {
        let id = "01976f00-0000-7000-8000-000000000001";
        let coded = BASE64_STANDARD.encode(id);
        let good = format!("filename cGhvdG8uanBn, evidence {coded},is_confidential");
        assert_eq!(evidence(&good).expect("the evidence").to_string(), id);
        for wrong in [
            "",
            "evidence",
            "evidence !",
            &format!("evidence {coded},evidence {coded}"),
            &format!("evidence {coded},"),
            &format!(",evidence {coded}"),
            "filename cGhvdG8uanBn",
            &"x".repeat(5000),
        ] {
            assert_eq!(evidence(wrong).expect_err(wrong).code(), "metadata");
        }
    }

    #[test]
    fn dates_are_of_http() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
