//! Time, ids and randomness, handed in: nothing else in the server asks the machine for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::rand;
use uuid::Uuid;

/// Milliseconds since 1970, UTC: the only unit of time in tables and in the API.
pub type Millis = i64;

pub const MINUTE: Millis = 60_000;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// The server's clock; a test may shift it.
#[derive(Clone, Default)]
pub struct Clock {
    shift: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's. A development build can be started `KILELE_CLOCK_AHEAD` milliseconds from it: stories of another year.
    pub fn start() -> Self {
        let clock = Self::default();
        #[cfg(debug_assertions)]
        if let Some(by) = std::env::var("KILELE_CLOCK_AHEAD").ok().and_then(|text| text.parse().ok()) {
            clock.shift(by);
        }
        clock
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn now(&self) -> Millis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| d.as_millis() as i64) + self.shift.load(Ordering::Relaxed)
    }

    /// How far this clock is from the machine's.
    pub fn offset(&self) -> Millis {
        self.shift.load(Ordering::Relaxed)
    }

    /// Moves this clock (and its clones) by `by` milliseconds.
    pub fn shift(&self, by: Millis) {
        self.shift.fetch_add(by, Ordering::Relaxed);
    }
}

/// Days since 1970 of a date that looks like 1987-04-21.
pub fn day_of(text: &str) -> Option<i64> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.signed_duration_since(chrono::NaiveDate::default()).num_days())
}

/// A new time-ordered id (UUIDv7).
#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// `N` bytes from the system's secure generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random generator works");
    bytes
}
