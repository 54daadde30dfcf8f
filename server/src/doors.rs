//! Who is let in: connections that nobody pays for must not keep others out.
//!
//! A server alone on a machine has no nginx that would do this. Three rules: so many connections at once and no more, at most
//! half of them from one address, and a request that has begun must come on. The framework closes what is silent.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What files, the database and pictures need of the descriptors that a process may have.
const OWN: u64 = 256;
/// With 64 KiB of each on its way in it is half a GiB, at the worst.
const MOST: u64 = 8_192;

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Connections at once.
    pub most: usize,
    /// A request may come as slowly as it likes for so long …
    pub patience: Duration,
    /// … and from then on with at least so many bytes a second since it began. A phone on 2G has 1,000.
    pub slowest: u32,
}

impl Rules {
    /// As many connections as the system grants descriptors for, which it is asked for first.
    pub fn of_system() -> Self {
        let mut limit = getrlimit(Resource::Nofile);
        let wanted = MOST + OWN;
        let may = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if limit.current.is_some_and(|current| current < may) {
            limit.current = Some(may);
            if let Err(error) = setrlimit(Resource::Nofile, limit) {
                tracing::warn!(%error, "no more open files than the system's default");
            }
        }
        let granted = getrlimit(Resource::Nofile).current.unwrap_or(wanted).min(wanted);
        Self {
            most: usize::try_from(granted.saturating_sub(OWN)).unwrap_or(usize::MAX).max(64),
            patience: Duration::from_secs(30),
            slowest: 100,
        }
    }

    /// One address may be an office behind one router, and must not be everybody.
    fn of_one(&self) -> usize {
        self.most.div_ceil(2)
    }
}

/// Connections that are open, by address.
#[derive(Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// Counts one connection for as long as it lives.
struct Place(Arc<Mutex<Open>>, Option<IpAddr>);

impl Place {
    /// None when there is no room, for anybody or for this address.
    fn take(open: &Arc<Mutex<Open>>, rules: &Rules, from: Option<IpAddr>) -> Option<Self> {
        let mut all = open.lock().expect("no panic while held");
        if all.all >= rules.most {
            return None;
        }
        // The proxy in front, and whoever measures: its addresses are not its visitors.
        let counted = from.filter(|address| !address.is_loopback());
        if let Some(address) = counted {
            let own = all.of.entry(address).or_default();
            if *own >= rules.of_one() {
                return None;
            }
            *own += 1;
        }
        all.all += 1;
        Some(Self(open.clone(), counted))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.0.lock().expect("no panic while held");
        all.all -= 1;
        if let Some(address) = self.1
            && let Some(own) = all.of.get_mut(&address)
        {
            *own -= 1;
            if *own == 0 {
                all.of.remove(&address);
            }
        }
    }
}

pub struct Doors<A> {
    inner: A,
    rules: Rules,
    open: Arc<Mutex<Open>>,
}

impl<A: Acceptor> Doors<A> {
    pub fn new(inner: A, rules: Rules) -> Self {
        Self { inner, rules, open: Arc::default() }
    }
}

impl<A: Acceptor> Acceptor for Doors<A> {
    type Io = Guest<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            match self.inner.accept().await {
                Ok((io, local, remote, scheme)) => {
                    let from = remote.as_socket_addr().map(|address| address.ip().to_canonical());
                    // Whoever finds no room is closed at once: phones try again by themselves.
                    if let Some(place) = Place::take(&self.open, &self.rules, from) {
                        return Ok((
                            Guest { io, pace: Pace::default(), rules: self.rules, _place: place },
                            local,
                            remote,
                            scheme,
                        ));
                    }
                }
                // No descriptors, say. The framework would ask again at once, as often as a processor can.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// A connection on which a request that has begun has to come on.
pub struct Guest<Io> {
    io: Io,
    pace: Pace,
    rules: Rules,
    _place: Place,
}

/// How a request comes on.
#[derive(Default)]
struct Pace(Option<(Instant, u64)>);

impl Pace {
    /// Whether `bytes` more came in time.
    fn heard(&mut self, bytes: usize, now: Instant, rules: &Rules) -> bool {
        let (since, length) = self.0.get_or_insert((now, 0));
        *length += bytes as u64;
        let taken = now.duration_since(*since);
        taken < rules.patience || *length >= taken.as_secs() * u64::from(rules.slowest)
    }

    /// It is answered: what comes next is another one.
    fn answered(&mut self) {
        self.0 = None;
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Guest<Io> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let ready = Pin::new(&mut self.io).poll_read(cx, buffer);
        let bytes = buffer.filled().len() - before;
        let rules = self.rules;
        if matches!(ready, Poll::Ready(Ok(()))) && bytes > 0 && !self.pace.heard(bytes, Instant::now(), &rules) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request came too slowly")));
        }
        ready
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Guest<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.pace.answered();
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        all: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pace.answered();
        Pin::new(&mut self.io).poll_write_vectored(cx, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    fn rules(most: usize) -> Rules {
        Rules { most, patience: Duration::from_secs(30), slowest: 100 }
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let open = Arc::default();
        let address = |n: u8| Some(IpAddr::from([10, 0, 0, n]));
        let take = |n| Place::take(&open, &rules(4), address(n));
        let (one, two) = (take(1).unwrap(), take(1).unwrap());
        assert!(take(1).is_none());
        let (three, _four) = (take(2).unwrap(), take(3).unwrap());
        // Full, for everybody.
        assert!(take(4).is_none());
        drop(one);
        let _again = take(1).unwrap();
        drop((two, three));
        assert!(take(2).is_some());
        assert_eq!(open.lock().unwrap().of.len(), 2);
    }

    #[test]
    fn a_request_comes_on_or_is_given_up() {
        let (rules, begun) = (rules(4), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        // A phone on a bad line: 200 bytes a second for five minutes.
        let mut phone = Pace::default();
        assert!((0..300).all(|second| phone.heard(200, at(second), &rules)));
        // One byte every ten seconds.
        let mut trickle = Pace::default();
        assert!((0..3).all(|n| trickle.heard(1, at(10 * n), &rules)));
        assert!(!trickle.heard(1, at(30), &rules));
        // A connection that is kept for the next request, which has a patience of its own.
        let mut kept = Pace::default();
        assert!(kept.heard(100, at(0), &rules));
        kept.answered();
        assert!(kept.heard(100, at(70), &rules) && kept.heard(1, at(99), &rules));
        assert!(!kept.heard(1, at(100), &rules));
    }

    #[test]
    fn the_proxy_in_front_counts_as_many() {
        let open = Arc::default();
        let all: Vec<_> = (0..4).map(|_| Place::take(&open, &rules(4), Some(IpAddr::from([127, 0, 0, 1])))).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
