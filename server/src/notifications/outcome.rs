//! What becomes of an attempt to reach somebody, and how long to wait for the next.

use chrono::DateTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::clock::{DAY, HOUR, Millis};

#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Whoever carries it on has taken it.
    Sent,
    /// Written down here, as nobody is set who would carry it.
    Noted,
    /// There is nobody at this address any more.
    Gone,
    /// This message will not be taken, however often it is tried.
    Refused(&'static str),
    /// A fault of the moment; after how long to try again, if it was said.
    Later(Option<Millis>),
    /// Not tried: whoever would carry it has not answered others a moment ago; after how long to look again.
    Resting(Millis),
}

/// Attempts at one delivery: about a day by the waits below.
pub const TRIES: i64 = 8;

/// 30 seconds, two minutes, eight, half an hour, two hours, eight, twelve.
pub fn back_off(attempts: i64) -> Millis {
    (30_000 << (2 * (attempts - 1)).clamp(0, 20)).min(12 * HOUR)
}

/// `Retry-After`, as seconds or as a date; at least a second, at most a day.
pub fn retry_after(headers: &HeaderMap, now: Millis) -> Option<Millis> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis() - now,
    };
    Some(wait.clamp(1000, DAY))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Millis> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        retry_after(&headers, 1_000_000_000_000)
    }

    #[test]
    fn waits() {
        assert_eq!(
            [1, 2, 3, 4, 7, 8, 90].map(back_off),
            [30_000, 120_000, 480_000, 1_920_000, 12 * HOUR, 12 * HOUR, 12 * HOUR]
        );
        assert_eq!(said("120"), Some(120_000));
        assert_eq!((said("0"), said("-5"), said("99999999999999999")), (Some(1000), Some(1000), Some(DAY)));
        assert_eq!(said("Sun, 09 Sep 2001 01:48:40 GMT"), Some(120_000));
        assert_eq!((said("soon"), retry_after(&HeaderMap::new(), 0)), (None, None));
    }
}
