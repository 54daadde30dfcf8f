//! A bad line: a TCP proxy between a client and a server that cuts, delays, corrupts or doubles what crosses it.
//!
//! ```ignore
//! let line = Line::to(&app.url).await;
//! line.faults(|connection| if connection < 20 { Fault::CutUp(5_000) } else { Fault::None });
//! // … speak to line.url() instead of app.url …
//! assert!(line.up() < 110_000, "bytes that went towards the server");
//! ```
//!
//! The plan is asked once for each connection, with its number from 0 on; a keep-alive connection carries many
//! requests, so a client that is to meet many faults must see its connections cut (they all end them), or connect anew.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to one connection. "Up" is from the client to the server, "down" is back.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    #[default]
    None,
    /// Both ends are closed once this many bytes went up; the server gets exactly those.
    CutUp(u64),
    /// Both ends are closed once this many bytes came down; the client gets exactly those.
    CutDown(u64),
    /// The lowest bit of this byte going up is flipped.
    CorruptUp(u64),
    /// The lowest bit of this byte coming down is flipped.
    CorruptDown(u64),
    /// Everything waits this long before it goes on, in both directions.
    Slow(Duration),
    /// What the client sends goes up twice: again on a second connection, whose answers nobody sees, once the first
    /// one has ended.
    Twice,
    /// The connection is closed as soon as it is there.
    Refuse,
    /// Goes nowhere: the first bytes of each request are answered with this text (a whole HTTP response).
    Answer(String),
}

type Plan = Box<dyn FnMut(usize) -> Fault + Send>;

/// A running proxy; it ends when dropped.
pub struct Line {
    port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    server: String,
    plan: Mutex<Plan>,
    next: AtomicUsize,
    /// Changes with the plan: connections of an older one end.
    plans: watch::Sender<u64>,
    up: AtomicU64,
    down: AtomicU64,
}

impl Line {
    /// To `http://host:port` or `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let counts = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let plan: Plan = Box::new(|_| Fault::None);
        let plans = watch::channel(0).0;
        let shared = Shared { server, plan: Mutex::new(plan), next: counts.0, plans, up: counts.1, down: counts.2 };
        let shared = Arc::new(shared);
        let task = tokio::spawn(listen(listener, shared.clone()));
        Self { port, shared, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What happens to connections from now on; they are counted anew from 0. Those that are open are cut.
    pub fn faults(&self, plan: impl FnMut(usize) -> Fault + Send + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
        self.shared.next.store(0, Ordering::SeqCst);
        self.shared.plans.send_modify(|plan| *plan += 1);
    }

    /// The same for every connection from now on.
    pub fn all(&self, fault: Fault) {
        self.faults(move |_| fault.clone());
    }

    /// Connections since the plan was made.
    pub fn connections(&self) -> usize {
        self.shared.next.load(Ordering::SeqCst)
    }

    /// Bytes that went up so far, heads of requests included.
    pub fn up(&self) -> u64 {
        self.shared.up.load(Ordering::SeqCst)
    }

    /// Bytes that came down so far.
    pub fn down(&self) -> u64 {
        self.shared.down.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // Ends with the task: aborting the listener ends what it carries.
    let mut carried = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let number = shared.next.fetch_add(1, Ordering::SeqCst);
        let fault = (shared.plan.lock().unwrap())(number);
        // A connection that broke is what this is for.
        carried.spawn(carry(client, fault, shared.clone()));
        while carried.try_join_next().is_some() {}
    }
}

async fn carry(mut client: TcpStream, fault: Fault, shared: Arc<Shared>) -> std::io::Result<()> {
    let mut plans = shared.plans.subscribe();
    match &fault {
        Fault::Refuse => return Ok(()),
        Fault::Answer(text) => {
            let mut heard = vec![0; 64 << 10];
            let answering = async {
                while client.read(&mut heard).await? > 0 {
                    client.write_all(text.as_bytes()).await?;
                }
                Ok(())
            };
            return tokio::select! { ended = answering => ended, _ = plans.changed() => Ok(()) };
        }
        _ => {}
    }
    let server = TcpStream::connect(&shared.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut up = Way::new(&fault, true, &shared.up);
    let mut down = Way::new(&fault, false, &shared.down);
    let ended = tokio::select! {
        ended = up.pass(&mut from_client, &mut to_server) => ended,
        ended = down.pass(&mut from_server, &mut to_client) => ended,
        _ = plans.changed() => Ok(()),
    };
    // Not a reset, which could swallow what went before: the end is said, and the rest of the answer heard.
    drop(to_server.shutdown().await);
    drop(to_client.shutdown().await);
    let rest = async { while from_server.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {} };
    drop(tokio::time::timeout(Duration::from_secs(5), rest).await);
    if let Some(said) = up.said {
        let mut again = TcpStream::connect(&shared.server).await?;
        again.write_all(&said).await?;
        again.shutdown().await?;
        while again.read(&mut [0; 4096]).await? > 0 {}
    }
    ended
}

/// One direction of a connection.
struct Way<'a> {
    cut: Option<u64>,
    corrupt: Option<u64>,
    delay: Option<Duration>,
    passed: u64,
    total: &'a AtomicU64,
    /// Remembered to be said again.
    said: Option<Vec<u8>>,
}

impl<'a> Way<'a> {
    fn new(fault: &Fault, up: bool, total: &'a AtomicU64) -> Self {
        let mut way = Self { cut: None, corrupt: None, delay: None, passed: 0, total, said: None };
        match (fault, up) {
            (Fault::CutUp(at), true) | (Fault::CutDown(at), false) => way.cut = Some(*at),
            (Fault::CorruptUp(at), true) | (Fault::CorruptDown(at), false) => way.corrupt = Some(*at),
            (Fault::Slow(delay), _) => way.delay = Some(*delay),
            (Fault::Twice, true) => way.said = Some(Vec::new()),
            _ => {}
        }
        way
    }

    /// Until the end, or the cut.
    async fn pass(
        &mut self,
        from: &mut tokio::net::tcp::OwnedReadHalf,
        to: &mut tokio::net::tcp::OwnedWriteHalf,
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            // Not a byte more is read than may pass, so that the count is what crossed the line.
            let left = self.cut.map_or(u64::MAX, |cut| cut - self.passed);
            let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if room == 0 {
                return Ok(());
            }
            let read = from.read(&mut buffer[..room]).await?;
            if read == 0 {
                return Ok(());
            }
            if let Some(at) = self.corrupt
                && (self.passed..self.passed + read as u64).contains(&at)
            {
                buffer[(at - self.passed) as usize] ^= 1;
            }
            if let Some(delay) = self.delay {
                tokio::time::sleep(delay).await;
            }
            self.passed += read as u64;
            self.total.fetch_add(read as u64, Ordering::SeqCst);
            if let Some(said) = &mut self.said {
                said.extend_from_slice(&buffer[..read]);
            }
            to.write_all(&buffer[..read]).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each connection with what it heard, once that has ended; and what it heard.
    async fn echo() -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let all = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = [0; 10];
                let mut got = 0;
                while got < 10 {
                    match stream.read(&mut text[got..]).await {
                        Ok(n) if n > 0 => got += n,
                        _ => break,
                    }
                }
                all.lock().unwrap().push(text[..got].to_vec());
                drop(stream.write_all(&text[..got]).await);
            }
        });
        (address, heard)
    }

    async fn say(line: &Line) -> Vec<u8> {
        let mut stream = TcpStream::connect(line.url().trim_start_matches("http://")).await.unwrap();
        drop(stream.write_all(b"0123456789").await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        answer
    }

    #[tokio::test]
    async fn each_fault_does_what_it_says() {
        let (address, heard) = echo().await;
        let line = Line::to(&address).await;
        type Case = (Fault, &'static [u8], &'static [&'static [u8]]);
        let cases: [Case; 8] = [
            (Fault::None, b"0123456789", &[b"0123456789"]),
            (Fault::CutUp(3), b"", &[b"012"]),
            (Fault::CutDown(4), b"0123", &[b"0123456789"]),
            (Fault::CorruptUp(2), b"0133456789", &[b"0133456789"]),
            (Fault::CorruptDown(2), b"0133456789", &[b"0123456789"]),
            (Fault::Slow(Duration::from_millis(5)), b"0123456789", &[b"0123456789"]),
            (Fault::Refuse, b"", &[]),
            (Fault::Twice, b"0123456789", &[b"0123456789", b"0123456789"]),
        ];
        for (fault, answer, server) in cases {
            heard.lock().unwrap().clear();
            line.all(fault.clone());
            assert_eq!(say(&line).await, answer, "{fault:?}");
            crate::until("the server to hear it", async || (heard.lock().unwrap().len() >= server.len()).then_some(()))
                .await;
            assert_eq!(*heard.lock().unwrap(), server, "{fault:?}");
            assert_eq!(line.connections(), 1);
        }
        assert_eq!(line.up(), 10 + 3 + 5 * 10, "what crossed the line is counted");
        line.faults(|n| {
            if n == 0 { Fault::Answer("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".into()) } else { Fault::None }
        });
        let answer = reqwest::get(line.url()).await.unwrap();
        assert_eq!(answer.status(), 500);
    }
}
