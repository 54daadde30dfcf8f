//! Load on keep-alive connections with as little work in the client as can be: it shares the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// A request that is sent again and again; a body is made anew each time.
#[derive(Clone)]
pub struct Request {
    head: String,
    body: Option<Arc<dyn Fn() -> Value>>,
}

impl Request {
    pub fn get(path: &str, token: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n");
        Self { head, body: None }
    }

    pub fn post(path: &str, token: &str, body: impl Fn() -> Value + 'static) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        Self { head, body: Some(Arc::new(body)) }
    }

    fn text(&self) -> Vec<u8> {
        match &self.body {
            None => format!("{}\r\n", self.head).into_bytes(),
            Some(make) => {
                let body = make().to_string();
                format!("{}content-length: {}\r\n\r\n{body}", self.head, body.len()).into_bytes()
            }
        }
    }
}

pub struct Load {
    pub per_second: f64,
    latencies: Vec<Duration>,
}

impl Load {
    /// Keeps `connections` busy for `time`. Anything but a 200 is a failure of the measurement.
    pub async fn run(server: &Server, connections: usize, time: Duration, request: Request) -> Self {
        let local = tokio::task::LocalSet::new();
        let begun = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (address, request) = (server.address.clone(), request.clone());
                local.spawn_local(async move { one(&address, &request, begun + time).await })
            })
            .collect();
        let latencies = local.run_until(async move {
            let mut all = Vec::new();
            for task in tasks {
                all.extend(task.await.unwrap());
            }
            all
        });
        let mut latencies: Vec<Duration> = latencies.await;
        let per_second = latencies.len() as f64 / begun.elapsed().as_secs_f64();
        latencies.sort_unstable();
        Self { per_second, latencies }
    }

    fn percentile(&self, share: f64) -> f64 {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies[at.min(self.latencies.len() - 1)].as_secs_f64() * 1000.0
    }

    /// In milliseconds.
    pub fn p95(&self) -> f64 {
        self.percentile(0.95)
    }

    pub fn text(&self) -> String {
        format!("{:.0}/s, p99 {:.1} ms", self.per_second, self.percentile(0.99))
    }
}

async fn one(address: &str, request: &Request, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    while Instant::now() < until {
        let text = request.text();
        let begun = Instant::now();
        stream.write_all(&text).await.unwrap();
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(length) = whole(&buffer[..filled]) {
                assert!(filled <= length);
                if filled == length {
                    break;
                }
            }
            if filled == buffer.len() {
                buffer.resize(filled * 2, 0);
            }
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..filled.min(400)]));
        latencies.push(begun.elapsed());
    }
    latencies
}

/// How long the answer is, once its head is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length =
        text.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:").map(|v| v.trim().to_owned()))?;
    Some(head + length.parse::<usize>().ok()?)
}
