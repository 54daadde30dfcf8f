//! Showing pictures: who may see them, what the browser has already, ranges, and the way to S3 itself.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use kilele_media::{StoreError, Variant};
use poem::http::StatusCode;
use uuid::Uuid;

use super::answers::Shown;
use super::{State, tus};
use crate::app::App;
use crate::auth::Reader;
use crate::error::{Error, Result};

/// What the request says besides which picture.
#[derive(Default)]
pub struct Asked {
    /// Only the headers.
    pub head: bool,
    pub if_none_match: Option<String>,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

/// A picture in one of its sizes. The bytes behind an address never change.
///
/// # Errors
/// 404 when it is not there for this caller or quarantined, 409 while it is on its way.
pub async fn show(app: &App, reader: &Reader, id: Uuid, variant: Variant, asked: Asked) -> Result<Shown> {
    let evidence = tus::viewable(app, reader, id).await?;
    match evidence.state {
        State::Ready => {}
        State::Quarantined => {
            let message = format!("This file is not shown: {}.", evidence.reason.unwrap_or_default());
            return Err(Error::new(StatusCode::NOT_FOUND, "quarantined", message));
        }
        _ => return Err(Error::conflict("not_ready", "The picture is not here yet, or not yet derived.")),
    }
    let etag = format!("\"{}-{}\"", &evidence.sha256[..32], variant.as_str());
    let mut shown = Shown {
        status: StatusCode::OK,
        headers: vec![
            ("cache-control", "private, max-age=31536000, immutable".into()),
            ("etag", etag.clone()),
            ("accept-ranges", "bytes".into()),
        ],
        bytes: Bytes::new(),
    };
    if asked.if_none_match.is_some_and(|tags| matches(&tags, &etag)) {
        shown.status = StatusCode::NOT_MODIFIED;
        return Ok(shown);
    }
    let missing = |error| match error {
        StoreError::NotFound => {
            Error::unexpected(anyhow::anyhow!("{} of evidence {id} is not in the storage", variant.as_str()))
        }
        other => other.into(),
    };
    let (org, sha256) = (reader.org.to_string(), evidence.sha256);
    let lifetime = Duration::from_secs(app.config.media_redirect_seconds.into());
    if !asked.head
        && !lifetime.is_zero()
        && let Some(address) = app.store.signed_url(&org, &sha256, variant, lifetime).await?
    {
        shown.status = StatusCode::FOUND;
        // Kept by the browser for half of what the address is good for, so that it never follows a dead one.
        let kept = format!("private, max-age={}", lifetime.as_secs() / 2);
        shown.headers = vec![("location", address), ("cache-control", kept)];
        return Ok(shown);
    }
    shown.headers.extend([("content-type", "image/jpeg".into()), ("content-disposition", "inline".into())]);
    if asked.head {
        let length = app.store.head(&org, &sha256, variant).await.map_err(missing)?;
        shown.headers.push(("content-length", length.to_string()));
        return Ok(shown);
    }
    let range = asked.range.filter(|_| asked.if_range.is_none_or(|tag| tag.trim() == etag));
    let Some(range) = range.as_deref().and_then(parse) else {
        shown.bytes = app.store.get(&org, &sha256, variant).await.map_err(missing)?;
        return Ok(shown);
    };
    let length = app.store.head(&org, &sha256, variant).await.map_err(missing)?;
    match range.of(length) {
        Some(Range { start, end }) => {
            shown.status = StatusCode::PARTIAL_CONTENT;
            shown.headers.push(("content-range", format!("bytes {start}-{}/{length}", end - 1)));
            shown.bytes = app.store.get_range(&org, &sha256, variant, start..end).await.map_err(missing)?;
        }
        None => {
            shown.status = StatusCode::RANGE_NOT_SATISFIABLE;
            shown.headers = vec![("content-range", format!("bytes */{length}")), ("cache-control", "no-store".into())];
        }
    }
    Ok(shown)
}

/// `If-None-Match`, compared weakly.
fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// From the first to the last byte, both included; without a last one to the end.
    From(u64, Option<u64>),
    /// The last bytes.
    Last(u64),
}

/// One range of bytes. Several at once, and what cannot be read, are answered with the whole.
fn parse(text: &str) -> Option<Part> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first.trim(), last.trim()) {
        ("", last) => Some(Part::Last(number(last)?)),
        (first, "") => Some(Part::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Part::From(first, Some(last)))
        }
    }
}

impl Part {
    /// The bytes of an object of that length, if there are any.
    fn of(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_fitted() {
        let of = |text: &str| parse(text).map(|part| part.of(10));
        assert_eq!(of("bytes=0-3"), Some(Some(0..4)));
        assert_eq!(of("bytes=4-"), Some(Some(4..10)));
        assert_eq!(of("bytes=-3"), Some(Some(7..10)));
        assert_eq!(of("bytes=-99"), Some(Some(0..10)));
        assert_eq!(of("bytes=8-99"), Some(Some(8..10)));
        for unsatisfiable in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(of(unsatisfiable), Some(None), "{unsatisfiable}");
        }
        for ignored in ["bytes=3-2", "bytes=0-1,3-4", "items=0-3", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(of(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn tags_are_compared_whole() {
        for (tags, same) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"ab\"", false), ("a", false)]
        {
            assert_eq!(matches(tags, "\"a\""), same, "{tags}");
        }
    }
}
