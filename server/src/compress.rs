//! Compression both ways: answers in brotli or gzip, requests in gzip, each within limits.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use poem::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use poem::http::{HeaderValue, StatusCode};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response};
use tokio::sync::Semaphore;

use crate::busy::{Bodies, Held};
use crate::error::{Error, Result};

/// Answers below this size are sent as they are.
const WORTH: usize = 1024;
/// Answers from this size on are packed elsewhere, and this many at once.
const LONG: usize = 64 << 10;
static PACKERS: Semaphore = Semaphore::const_new(2);
/// A batch of commands has at most this many bytes, and inflates to at most twice as many.
const LARGEST: usize = 2 << 20;
/// Every other request that is not an upload; those without a session are among them.
const SMALL: usize = 64 << 10;
/// A body that is too large is read to its end up to here, so that its sender gets to see the answer.
const PATIENCE: usize = 16 << 20;

pub struct Compressed(pub Bodies);

impl<E: Endpoint> Middleware<E> for Compressed {
    type Output = WithCompression<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithCompression(inner, self.0.clone())
    }
}

pub struct WithCompression<E>(E, Bodies);

impl<E: Endpoint> Endpoint for WithCompression<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let accepts = request.headers().get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let encoding = ["br", "gzip"].into_iter().find(|e| accepts.split(',').any(|a| a.trim().starts_with(e)));
        let path = request.uri().path();
        // Uploads count their own bytes, and so do files of imports.
        let counted = path.starts_with("/api/uploads") || path == "/api/imports";
        let mut held = Held::NOTHING;
        if !counted && path.starts_with("/api/") {
            let batch = matches!(path, "/api/sync" | "/api/commands" | "/api/outbox" | "/api/places/import")
                || (path.starts_with("/api/imports/") && path.ends_with("/decisions"));
            let largest = if batch { LARGEST } else { SMALL };
            bound(&mut request, largest, |bytes| self.1.hold(&mut held, bytes)).await?;
        }
        let mut response = self.0.call(request).await.map(IntoResponse::into_response)?;
        drop(held);
        let json = response.content_type().is_some_and(|t| t.starts_with("application/json"));
        if let Some(encoding) = encoding.filter(|_| json && response.header(CONTENT_ENCODING).is_none()) {
            pack(&mut response, encoding).await?;
        }
        Ok(response)
    }
}

/// Reads the body within its limit, and inflates it when it is packed; `hold` makes room for what comes in.
async fn bound(request: &mut Request, largest: usize, mut hold: impl FnMut(usize) -> Result<()>) -> poem::Result<()> {
    let too_large = || Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large.");
    let packed = request.header(CONTENT_ENCODING.as_str()).map(str::to_owned);
    if request.method() == poem::http::Method::GET {
        return Ok(());
    }
    let mut stream = request.take_body().into_bytes_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Error::bad_request("cut", "The request was cut."))?;
        length += piece.len();
        if length <= largest {
            if length > SMALL {
                hold(piece.len())?;
            }
            bytes.extend_from_slice(&piece);
        } else if length > PATIENCE {
            break;
        }
    }
    if length > largest {
        return Err(too_large().into());
    }
    let bytes = match packed.as_deref() {
        None | Some("identity") => bytes,
        Some("gzip") => {
            let mut clear = Vec::new();
            let inflated = GzDecoder::new(&bytes[..]).take(2 * largest as u64 + 1).read_to_end(&mut clear);
            inflated.map_err(|_| Error::bad_request("gzip_invalid", "The body is not gzip."))?;
            if clear.len() > 2 * largest {
                return Err(too_large().into());
            }
            if clear.len() > SMALL {
                hold(clear.len())?;
            }
            clear
        }
        Some(_) => {
            let message = "Send the body as it is, or as gzip.";
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", message).into());
        }
    };
    request.headers_mut().remove(CONTENT_ENCODING);
    request.headers_mut().insert(CONTENT_LENGTH, bytes.len().into());
    request.set_body(bytes);
    Ok(())
}

async fn pack(response: &mut Response, encoding: &'static str) -> poem::Result<()> {
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    let bytes = response.take_body().into_bytes().await.map_err(|e| Error::unexpected(anyhow::anyhow!("{e}")))?;
    if bytes.len() < WORTH {
        response.set_body(bytes);
        return Ok(());
    }
    let packed = if bytes.len() < LONG {
        squeeze(&bytes, encoding)?
    } else {
        // Beside the threads that answer everybody, and few at once: these take tens of milliseconds each.
        let _turn = PACKERS.acquire().await.map_err(Error::unexpected)?;
        tokio::task::spawn_blocking(move || squeeze(&bytes, encoding)).await.map_err(Error::unexpected)??
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    headers.remove(CONTENT_LENGTH);
    debug_assert!(headers.contains_key(CONTENT_TYPE));
    response.set_body(Body::from(packed));
    Ok(())
}

fn squeeze(bytes: &[u8], encoding: &str) -> Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() / 4);
    if encoding == "br" {
        // Level 4 takes two and a half times as long for 6 % less.
        let mut writer = brotli::CompressorWriter::new(&mut packed, 16 * 1024, 3, 20);
        writer.write_all(bytes).map_err(Error::unexpected)?;
        drop(writer);
    } else {
        let mut writer = GzEncoder::new(&mut packed, Compression::new(5));
        writer.write_all(bytes).map_err(Error::unexpected)?;
        writer.finish().map_err(Error::unexpected)?;
    }
    Ok(packed)
}
