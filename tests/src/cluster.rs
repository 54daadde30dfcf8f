//! A PostgreSQL of one test's own, that can be stopped and started again; as `scripts/with-postgres` starts one.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Cluster {
    folder: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    pub fn start() -> Self {
        Self::start_on(|_| ())
    }

    /// In a folder that is made ready first: by a disk of its own, say.
    pub fn start_on(prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new().prefix("kilele-cluster.").tempdir().unwrap();
        prepare(folder.path());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut cluster = Self { folder, bin: bin(), port, server: None };
        if let Some((user, group)) = postgres() {
            std::os::unix::fs::chown(cluster.folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = cluster.data();
        let made = cluster
            .command("initdb")
            .args(["-U", "kilele", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(data)
            .status();
        assert!(made.unwrap().success(), "initdb");
        cluster.up();
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgres://kilele@127.0.0.1:{}/postgres", self.port)
    }

    /// On the same port, with the same data. Answers when it takes connections.
    pub fn up(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let server = self
            .command("postgres")
            .arg("-D")
            .arg(data)
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .spawn()
            .unwrap();
        self.server = Some(server);
        for _ in 0..300 {
            let ready = self.command("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap();
            if ready.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start");
    }

    /// At once, as after a loss of power; every connection breaks.
    pub fn down(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // SIGQUIT is PostgreSQL's immediate shutdown.
        let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
        let _ = server.wait();
    }

    /// Whether its process still runs: a log that cannot be written ends it.
    pub fn lives(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| server.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = postgres() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.down();
    }
}

fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is not installed");
    let mut found: Vec<PathBuf> = versions.flatten().map(|one| one.path().join("bin")).collect();
    found.sort();
    found.into_iter().rfind(|bin| bin.join("initdb").exists()).expect("PostgreSQL is not installed")
}

/// Whom it runs as where the tests run as root.
fn postgres() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() != 0) {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| users.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned);
    let line = of("postgres").or_else(|| of("nobody"))?;
    let mut ids = line.split(':').skip(2).map(|id| id.parse().unwrap());
    Some((ids.next()?, ids.next()?))
}
