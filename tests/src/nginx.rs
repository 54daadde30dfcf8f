//! A real nginx with the configuration that ships, on free ports, in front of one or more copies of the server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::until;

/// A running nginx; it is stopped by its process id when dropped.
pub struct Nginx {
    child: Child,
    plain: u16,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// In front of the copies on these ports.
    pub async fn start(copies: &[u16]) -> Self {
        let folder = tempfile::Builder::new().prefix("kilele-nginx.").tempdir().unwrap();
        let ports: Vec<u16> = (0..3).map(|_| free()).collect();
        for name in ["tls", "temp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (key, chain) = (folder.path().join("tls/privkey.pem"), folder.path().join("tls/fullchain.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&chain)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "openssl");
        let config = folder.path().join("nginx.conf");
        std::fs::write(&config, rendered(folder.path(), copies, &ports)).unwrap();
        let run = |more: &[&str]| {
            let mut command = Command::new("/usr/sbin/nginx");
            command.arg("-c").arg(&config).arg("-p").arg(folder.path()).args(more).stdin(Stdio::null());
            command
        };
        let checked = run(&["-t"]).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let child = run(&["-g", "daemon off;"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nginx = Self { child, plain: ports[2], folder };
        until("nginx to answer", async || tokio::net::TcpStream::connect(("127.0.0.1", nginx.plain)).await.ok()).await;
        nginx
    }

    /// Without TLS.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.plain)
    }

    /// What it complained of.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM: its workers go with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn free() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The shipped file with this machine's ports and folders in place of the operator's. Each of them must be there.
fn rendered(folder: &Path, copies: &[u16], ports: &[u16]) -> String {
    let shipped = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../nginx")).canonicalize().unwrap();
    let (at, here) = (shipped.display(), folder.display());
    let mut text = std::fs::read_to_string(shipped.join("nginx.conf")).unwrap();
    let mut put = |from: &str, to: String| {
        assert!(text.contains(from), "nginx.conf has no {from}");
        text = text.replace(from, &to);
    };
    // Of root's tests the workers are root's too: they read a folder of root's.
    put("user www-data;", if is_root() { "user root;".into() } else { String::new() });
    put("/run/nginx.pid", format!("{here}/nginx.pid"));
    put("/var/log/nginx/", format!("{here}/"));
    put("/etc/nginx/tls/", format!("{here}/tls/"));
    let lines: Vec<String> =
        copies.iter().map(|port| format!("server 127.0.0.1:{port} max_fails=3 fail_timeout=5s;")).collect();
    put("server 127.0.0.1:8080 max_fails=3 fail_timeout=5s;", lines.join("\n        "));
    put("listen [::]:80 default_server;", String::new());
    put("listen [::]:443 ssl http2 default_server;", String::new());
    put("listen 80 ", format!("listen 127.0.0.1:{} ", ports[0]));
    put("listen 443 ", format!("listen 127.0.0.1:{} ", ports[1]));
    for name in ["http.conf", "kilele.conf"] {
        put(&format!("include {name};"), format!("include {at}/{name};"));
    }
    let temp =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {here}/temp/{kind};"));
    put("http {\n", format!("http {{\n    {}\n", temp.join("\n    ")));
    let end = text.trim_end().strip_suffix('}').expect("the end of http { }");
    // The same addresses without TLS.
    format!("{end}    server {{\n        listen 127.0.0.1:{};\n        include {at}/kilele.conf;\n    }}\n}}\n", ports[2])
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
