//! A line as there is in the field: so many bytes a second, and each word a second on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How slow a line is.
#[derive(Clone, Copy)]
pub struct Speed {
    /// There and back.
    pub latency: Duration,
    /// Each way.
    pub bytes_per_second: u64,
}

/// What Chromium's developer tools call Slow 3G.
pub const SLOW_3G: Speed = Speed { latency: Duration::from_millis(2000), bytes_per_second: 50_000 };

/// A line to one server, until it is dropped.
pub struct SlowLine {
    pub url: String,
    passed: Arc<AtomicU64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl SlowLine {
    /// To `http://host:port`.
    pub async fn to(server: &str, speed: Speed) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let passed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                tokio::spawn(carry(phone, server.clone(), speed, Arc::clone(&count)));
            }
        });
        Self { url, passed, accepting }
    }

    /// Bytes that crossed it, both ways.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(phone: TcpStream, server: String, speed: Speed, passed: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for side in [&phone, &server] {
        let _ = side.set_nodelay(true);
    }
    // Opening a connection is a round trip of its own.
    let open = Instant::now() + speed.latency;
    let (from_phone, to_phone) = phone.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(pump(from_phone, to_server, speed, open, &passed), pump(from_server, to_phone, speed, open, &passed));
}

/// One direction: reads as it comes, writes when it is due.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, speed: Speed, open: Instant, passed: &AtomicU64) {
    let (send, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let reading = async move {
        let mut buffer = [0; 4096];
        let mut free = open;
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            free = free.max(Instant::now()) + Duration::from_secs_f64(read as f64 / speed.bytes_per_second as f64);
            if send.send((free + speed.latency / 2, buffer[..read].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((at, bytes)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
            passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
