//! The operator's guide: each command in it is run, in its order, on a machine of its own (`guide/machine` says what is
//! really run of it), and each setting in it is one that the program knows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kilele_tests::new_database;

const COMMANDS: [&str; 19] = [
    "sudo",
    "kilele",
    "apt",
    "systemctl",
    "journalctl",
    "sudoedit",
    "ufw",
    "certbot",
    "nginx",
    "psql",
    "docker",
    "make",
    "curl",
    "cp",
    "ln",
    "mkdir",
    "sed",
    "cat",
    "promtool",
];

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The fenced blocks of a page in that language, as they stand there, also within lists.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let (mut found, mut inside): (Vec<String>, Option<usize>) = (Vec::new(), None);
    for line in page.lines() {
        let fence = line.find("```");
        match (inside, fence) {
            (Some(_), Some(_)) => inside = None,
            (None, Some(at)) if line.ends_with(&format!("```{language}")) => {
                inside = Some(at);
                found.push(String::new());
            }
            // Another language's block, up to its end.
            (None, Some(_)) => inside = Some(usize::MAX),
            (Some(at), None) if at != usize::MAX => {
                let block = found.last_mut().unwrap();
                block.push_str(line.get(at..).unwrap_or_default());
                block.push('\n');
            }
            _ => {}
        }
    }
    found
}

/// A machine on which the package has been unpacked, and the checkout from which it was made.
struct Machine {
    folder: tempfile::TempDir,
    moved: String,
    port: u16,
}

impl Machine {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in
            ["bin", "etc/nginx", "etc/prometheus", "etc/kilele", "var/log/nginx", "var/lib/kilele", "checkout/nginx/tls"]
        {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        for name in COMMANDS {
            std::os::unix::fs::symlink(checkout().join("server/tests/program/guide/machine"), root.join("bin").join(name))
                .unwrap();
        }
        // As the package has them.
        let manifest: toml::Table =
            toml::from_str(&std::fs::read_to_string(checkout().join("server/Cargo.toml")).unwrap()).unwrap();
        for asset in manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap() {
            let (from, to) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
            let Some(from) = from.strip_prefix("../") else { continue };
            let to = root.join(to);
            std::fs::create_dir_all(&to).unwrap();
            let copy = format!("cp {}/{from} {}/", checkout().display(), to.display());
            assert!(Command::new("sh").args(["-c", &copy]).status().unwrap().success(), "{copy}");
        }
        for (file, from) in [("nginx/compose.yaml", "nginx/compose.yaml"), ("nginx/.env.example", "nginx/.env.example")] {
            std::fs::copy(checkout().join(from), root.join("checkout").join(file)).unwrap();
        }
        for file in ["fullchain.pem", "privkey.pem"] {
            std::fs::write(root.join("checkout").join(file), "").unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { moved: new_database(None).await, folder, port }
    }

    fn run(&self, page: &str, block: &str) {
        let root = self.folder.path();
        let cluster = std::env::var("KILELE_TEST_POSTGRES_URL").unwrap();
        let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", block])
            .current_dir(root.join("checkout"))
            .env("PATH", path)
            .env("ROOT", root)
            .env("CHECKOUT", checkout())
            .env("KILELE", env!("CARGO_BIN_EXE_kilele"))
            .env("PORT", self.port.to_string())
            .env("CLUSTER", cluster)
            .env("MOVED", &self.moved)
            .env("NAMES", format!("guide_{}", self.port))
            .env("KILELE_DATA_DIR", root.join("var/lib/kilele"))
            .env("KILELE_BACKUP_URL", format!("file://{}", root.join("var/backups/kilele").display()))
            .env("KILELE_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("KILELE_LOG", "error")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{page}:\n{block}\n{said}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.folder.path().join("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

fn page(name: &str) -> String {
    std::fs::read_to_string(checkout().join("docs").join(name)).unwrap()
}

/// Nothing in a block is a command that this test does not know.
fn known(block: &str) {
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let line = line.split(" #").next().unwrap();
        for part in line.split("&&").flat_map(|part| part.split(" | ")) {
            let first = part.split_whitespace().find(|word| !word.contains('=')).unwrap();
            assert!(COMMANDS.contains(&first), "{first} in: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guide_runs() {
    let mut run = 0;
    for name in ["installing.md", "operating.md"] {
        let machine = Machine::new().await;
        for block in blocks(&page(name), "sh") {
            known(&block);
            machine.run(name, &block);
            run += block.lines().count();
        }
    }
    assert!(run > 50, "{run} commands");
}

#[test]
fn every_setting_of_the_guide_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = BTreeSet::new();
    for name in ["installing.md", "operating.md", "sizing.md"] {
        for block in blocks(&page(name), "toml") {
            let table: toml::Table = toml::from_str(&block).unwrap();
            names.extend(table.keys().cloned());
            let file = folder.path().join("kilele.toml");
            std::fs::write(&file, &block).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_kilele"))
                .args(["doctor", "--json"])
                .current_dir(folder.path())
                .env("KILELE_CONFIG", &file)
                .env("KILELE_DATA_DIR", folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code().unwrap() <= 1 && !error.contains("unknown"), "{block}{error}");
        }
    }
    let settings = page("settings.md");
    for name in &names {
        assert!(settings.contains(&format!("`{name}`")), "{name} is not in settings.md");
    }
    assert!(names.len() >= 8, "{names:?}");
}

#[test]
fn blocks_are_found_within_lists_and_beside_others() {
    let text = "a\n```sh\nfirst\n```\n1. x\n   ```sh\n   second\n     third\n   ```\n```ini\nnot\n```\n```sh\nlast\n```\n";
    assert_eq!(blocks(text, "sh"), ["first\n", "second\n  third\n", "last\n"]);
}
