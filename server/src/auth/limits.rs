//! How much one address, account or device may ask for in a minute: sync and uploads apart from everything else, so that
//! neither takes the other's. Signing in has limits of its own (`limiter`).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response};

use super::Member;
use crate::app::App;
use crate::clock::{MINUTE, Millis};
use crate::config::Config;
use crate::db::wall;
use crate::error::{Error, Result};

/// What a request takes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Class {
    Api,
    /// What phones need to deliver and fetch their work.
    Sync,
}

impl Class {
    /// Nothing for files of the application and for health checks.
    fn of(path: &str) -> Option<Self> {
        let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path {
            _ if ["/api/sync", "/api/uploads", "/api/outbox", "/api/live"].into_iter().any(below) => Some(Self::Sync),
            _ if path.starts_with("/api/") => Some(Self::Api),
            _ => None,
        }
    }
}

/// The time at which each key's bucket is full again, in microseconds: all that a leaky bucket needs to remember.
pub struct Limits {
    /// A minute of one account's or device's; 0 is no limit.
    api: u32,
    sync: u32,
    full: [Mutex<HashMap<u64, i64>>; SHARDS],
    hasher: RandomState,
}

/// Locks, so that requests seldom wait for each other.
const SHARDS: usize = 16;
/// Above this many keys in a shard the full ones are swept, so that an attacker cannot fill the memory.
const SWEEP: usize = 10_000;
/// One address may be an office, or all phones of a network: it has as much as this many people.
const PEOPLE: u32 = 10;

impl Limits {
    pub fn new(config: &Config) -> Self {
        let full = std::array::from_fn(|_| Mutex::default());
        Self { api: config.api_per_minute, sync: config.sync_per_minute, full, hasher: RandomState::new() }
    }

    /// # Errors
    /// 429 with `Retry-After` when this account or device has had its minute's worth.
    pub fn person(&self, path: &str, member: &Member, now: Millis) -> Result<()> {
        let Some(class) = Class::of(path) else { return Ok(()) };
        self.take(class, 1, ("account", member.account), now)?;
        self.take(class, 1, ("device", member.device), now)
    }

    fn address(&self, path: &str, address: &str, now: Millis) -> Result<()> {
        let Some(class) = Class::of(path) else { return Ok(()) };
        self.take(class, PEOPLE, ("address", network(address)), now)
    }

    fn take(&self, class: Class, people: u32, key: impl std::hash::Hash, now: Millis) -> Result<()> {
        let per_minute = match class {
            Class::Api => self.api,
            Class::Sync => self.sync,
        };
        if per_minute == 0 {
            return Ok(());
        }
        let key = self.hasher.hash_one((class, key));
        let (now, window) = (now * 1000, MINUTE * 1000);
        let each = window / i64::from(per_minute.saturating_mul(people));
        let mut full = self.full[key as usize % SHARDS].lock().expect("no panic while held");
        if full.len() > SWEEP {
            full.retain(|_, full_at| *full_at > now);
        }
        let full_at = full.entry(key).or_insert(now);
        let next = (*full_at).max(now) + each;
        if next - now > window {
            return Err(Error::too_many(((next - now - window) / 1_000_000 + 1).unsigned_abs()));
        }
        *full_at = next;
        Ok(())
    }
}

/// Of IPv6 the network: one household or server has as many addresses in it as it likes.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => format!("{:?}", &v6.segments()[..4]),
        Ok(IpAddr::V6(v6)) => v6.to_ipv4_mapped().map(|v4| v4.to_string()).unwrap_or_default(),
        _ => address.to_owned(),
    }
}

/// Counts every request by its address, before anything is done for it; then it begins in front of the second wall.
pub struct ByAddress;

impl<E: Endpoint> Middleware<E> for ByAddress {
    type Output = Counted<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Counted(inner)
    }
}

pub struct Counted<E>(E);

impl<E: Endpoint> Endpoint for Counted<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(app) = request.data::<App>() {
            let address = crate::web::client_address(&request, &app.config);
            app.limits.address(request.uri().path(), &address, app.clock.now())?;
        }
        wall::around(self.0.call(request)).await.map(IntoResponse::into_response)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let set = |name: &str| matches!(name, "KILELE_API_PER_MINUTE" | "KILELE_SYNC_PER_MINUTE").then(|| "60".to_owned());
        Limits::new(&Config::from(set).unwrap())
    }

    #[test]
    fn a_minute_s_worth_at_once_then_as_it_comes_back() {
        let limits = limits();
        let take = |class, key: &str, now| limits.take(class, 1, key, now);
        for _ in 0..60 {
            take(Class::Api, "a", 0).unwrap();
        }
        let refused = take(Class::Api, "a", 0).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(2)));
        take(Class::Api, "b", 0).unwrap();
        take(Class::Sync, "a", 0).unwrap();
        take(Class::Api, "a", 1_000).unwrap();
        assert!(take(Class::Api, "a", 1_000).is_err());
        take(Class::Api, "a", 60_000).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
