//! A real S3 server for a test (`s3s-fs`, which checks signatures and expiry), on a free port and a folder of its own.

use std::process::{Child, Command, Stdio};

use crate::until;

pub const BUCKET: &str = "photos";
const KEY: &str = "KILELETESTKEY";
const SECRET: &str = "a secret of the tests";

/// With the bucket in the host's name, that name is below this one.
const DOMAIN: &str = "s3.kilele.test";

/// A running server; it is stopped by its process id when dropped.
pub struct S3 {
    child: Option<Child>,
    pub port: u16,
    pub folder: tempfile::TempDir,
    /// Whether buckets stand in the host's name ("virtual-hosted style") and not in the path.
    in_host: bool,
}

impl S3 {
    /// Starts it, with one empty bucket.
    pub async fn start() -> Self {
        Self::start_as(false).await
    }

    /// Buckets stand in the host's name.
    pub async fn start_with_hosts() -> Self {
        Self::start_as(true).await
    }

    async fn start_as(in_host: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        loop {
            // The port may be taken by somebody else meanwhile: then the server ends at once, and another one is tried.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = spawn(port, folder.path(), in_host);
            let up = until("s3s-fs to answer", async || match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
                Ok(_) => Some(true),
                Err(_) => child.try_wait().unwrap().map(|_| false),
            });
            if up.await && child.try_wait().unwrap().is_none() {
                return Self { child: Some(child), port, folder, in_host };
            }
        }
    }

    /// At once, as after a loss of power.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// On the same port, with what it held.
    pub async fn up(&mut self) {
        self.child = Some(spawn(self.port, self.folder.path(), self.in_host));
        until("s3s-fs to answer", async || tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.ok()).await;
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The settings of a server that keeps its pictures here, by way of `endpoint`.
    pub fn settings(&self, endpoint: String) -> impl Fn(&str) -> Option<String> + use<> {
        move |name| match name {
            "KILELE_MEDIA_URL" => Some(format!("s3://{BUCKET}/kilele")),
            "AWS_ACCESS_KEY_ID" => Some(KEY.into()),
            "AWS_SECRET_ACCESS_KEY" => Some(SECRET.into()),
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
            "AWS_TIMEOUT" => Some("20s".into()),
            _ => None,
        }
    }

    /// The same with the bucket in the host's name. No name server knows it: the request goes by way of this server as
    /// the client's proxy.
    pub fn settings_with_hosts(&self) -> impl Fn(&str) -> Option<String> + use<> {
        assert!(self.in_host, "started with names");
        let rest = self.settings(self.host());
        let proxy = self.url();
        move |name| match name {
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST" => Some("true".into()),
            "AWS_PROXY_URL" => Some(proxy.clone()),
            _ => rest(name),
        }
    }

    /// The bucket's own address.
    pub fn host(&self) -> String {
        format!("http://{BUCKET}.{DOMAIN}")
    }

    /// Files below the bucket, by their path in it, but for the server's own notes.
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut found = Vec::new();
        let mut folders = vec![bucket.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    found.push(entry.strip_prefix(&bucket).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.down();
    }
}

fn spawn(port: u16, folder: &std::path::Path, in_host: bool) -> Child {
    Command::new(binary())
        .args(in_host.then_some(["--domain", DOMAIN]).iter().flatten())
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--access-key", KEY, "--secret-key", SECRET])
        .arg(folder)
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("s3s-fs is there: scripts/setup test")
}

/// Where `scripts/setup test` puts it.
fn binary() -> std::path::PathBuf {
    crate::tools().join("bin/s3s-fs")
}
