//! Attempts per minute for one key (an account, an address): a sliding count in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::{HOUR, MINUTE, Millis};
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
        self.attempt_of(self.per_minute, key, now)
    }

    /// Counts one attempt against another limit than that of signing in.
    ///
    /// # Errors
    /// 429 with `Retry-After` above the limit.
    pub fn attempt_of(&self, per_minute: usize, key: &str, now: Millis) -> Result<()> {
        let mut seen = self.seen.lock().expect("no panic while held");
        if seen.len() > SWEEP {
            seen.retain(|_, times| times.last().is_some_and(|t| now - t < MINUTE));
        }
        let times = seen.entry(key.to_owned()).or_default();
        times.retain(|t| now - t < MINUTE);
        if times.len() >= per_minute {
            let wait = MINUTE - (now - times[0]);
            return Err(Error::too_many(wait.max(1000) as u64 / 1000));
        }
        times.push(now);
        Ok(())
    }
}

/// Wrong passwords by address, whichever account they were tried on: after many, the address waits, longer each time.
#[derive(Default)]
pub struct Backoff {
    seen: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Millis,
    until: Millis,
}

/// Wrong passwords that one address has free: a whole office, or a network's only address, makes mistakes.
const FREE: u32 = 50;
/// After this long without another one they are forgotten.
const FORGOTTEN: Millis = HOUR;

impl Backoff {
    /// # Errors
    /// 429 with `Retry-After` while the address waits.
    pub fn demand(&self, address: &str, now: Millis) -> Result<()> {
        let until = self.seen.lock().expect("no panic while held").get(address).map_or(0, |failures| failures.until);
        if until > now { Err(Error::too_many((until - now) as u64 / 1000 + 1)) } else { Ok(()) }
    }

    pub fn failed(&self, address: &str, now: Millis) {
        let mut seen = self.seen.lock().expect("no panic while held");
        if seen.len() > SWEEP {
            seen.retain(|_, failures| now - failures.last < FORGOTTEN);
        }
        let failures = seen.entry(address.to_owned()).or_insert(Failures { count: 0, last: now, until: 0 });
        if now - failures.last >= FORGOTTEN {
            failures.count = 0;
        }
        failures.count += 1;
        failures.last = now;
        if let Some(over) = failures.count.checked_sub(FREE) {
            failures.until = now + (MINUTE << over.min(6)).min(HOUR);
        }
    }
}
