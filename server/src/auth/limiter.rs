//! Attempts per minute for one key (an account, an address): a sliding count in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::{MINUTE, Millis};
use crate::error::{Error, Result};

pub struct Limiter {
    per_minute: usize,
    seen: Mutex<HashMap<String, Vec<Millis>>>,
}

/// Above this many keys the stale ones are swept, so that an attacker cannot fill the memory.
const SWEEP: usize = 10_000;

impl Limiter {
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute as usize, seen: Mutex::default() }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// 429 with `Retry-After` above the limit.
    pub fn attempt(&self, key: &str, now: Millis) -> Result<()> {
        let mut seen = self.seen.lock().expect("no panic while held");
        if seen.len() > SWEEP {
            seen.retain(|_, times| times.last().is_some_and(|t| now - t < MINUTE));
        }
        let times = seen.entry(key.to_owned()).or_default();
        times.retain(|t| now - t < MINUTE);
        if times.len() >= self.per_minute {
            let wait = MINUTE - (now - times[0]);
            return Err(Error::too_many(wait.max(1000) as u64 / 1000));
        }
        times.push(now);
        Ok(())
    }
}
