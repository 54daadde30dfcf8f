//! Upload clients as they come from npm and PyPI, each over a line that is cut again and again.

use std::io::{Read, Seek};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kilele_tests::line::{Fault, Line};
use kilele_tests::{Dice, TestApp, both, pictures, tools};

const PHOTO: usize = 1_000_000;
const CHUNK: usize = 128 << 10;

/// Runs a client program of `tests/clients` to its end, which must be a good one.
async fn run(program: &Path, script: &str, settings: &[(&str, &str)]) {
    let mut said = tempfile::tempfile().unwrap();
    let mut command = Command::new(program);
    command.arg(script).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").envs(settings.iter().copied());
    command.stdout(said.try_clone().unwrap()).stderr(said.try_clone().unwrap());
    let mut child = command.spawn().expect("the client is installed: scripts/setup test");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(120) {
            drop(child.kill());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut text = String::new();
    said.rewind().unwrap();
    said.read_to_string(&mut text).unwrap();
    assert!(status.success(), "{script}: {text}");
}

/// A photo goes by this client over a line that is cut, and arrives.
async fn deliver(app: &TestApp, program: &Path, script: &str, more: &[(&str, &str)]) {
    let line = Line::to(&app.url).await;
    let mentor = app.mentor().await;
    let photo = pictures::padded(200 + script.len() as u64 + more.len() as u64, PHOTO);
    let capture = mentor.announce(&photo).await;
    let id = capture["id"].as_str().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &photo).unwrap();
    let mut dice = Dice::new();
    // The first request of a connection may be the creation, which no client repeats: it passes.
    let cuts: Vec<u64> = (0..6).map(|_| 5_000 + dice.below(CHUNK as u64 + 20_000)).collect();
    let at = cuts.clone();
    line.faults(move |connection| at.get(connection).map_or(Fault::None, |at| Fault::CutUp(*at)));
    let (endpoint, chunk) = (format!("{}/api/uploads", line.url()), CHUNK.to_string());
    let mut settings = vec![("ENDPOINT", &*endpoint), ("TOKEN", &mentor.token), ("EVIDENCE", id), ("CHUNK", &chunk)];
    settings.push(("FILE", file.path().to_str().unwrap()));
    settings.extend(more);
    run(program, script, &settings).await;
    assert!(line.connections() >= 6, "the line was cut: {} connections", line.connections());
    assert_eq!(mentor.settled(id).await["state"], "ready");
    // Each cut costs a chunk at most, and the heads of what is asked again.
    let most = PHOTO + cuts.len() * (CHUNK + 4_000);
    assert!(line.up() as usize <= most, "{} bytes up, of {most}", line.up());
    println!("{script} {more:?}: {} bytes up for {PHOTO}, {} connections", line.up(), line.connections());
}

both! {
    async fn tus_js_client_delivers_over_a_cut_line(app: TestApp) {
        deliver(&app, Path::new("node"), "tus-js-client.js", &[]).await;
    }

    async fn uppy_delivers_over_a_cut_line(app: TestApp) {
        deliver(&app, Path::new("node"), "uppy.js", &[]).await;
    }

    async fn tuspy_delivers_over_a_cut_line(app: TestApp) {
        deliver(&app, &tools().join("python/bin/python"), "tuspy.py", &[]).await;
    }

    async fn tuspy_delivers_with_checksums(app: TestApp) {
        deliver(&app, &tools().join("python/bin/python"), "tuspy.py", &[("CHECKSUM", "1")]).await;
    }
}

/// Bytes that come with the creation: one engine tells enough of the client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tus_js_client_brings_bytes_with_the_creation() {
    let app = TestApp::spawn(kilele_tests::Engine::Sqlite).await;
    let mentor = app.mentor().await;
    let photo = pictures::padded(300, PHOTO);
    let capture = mentor.announce(&photo).await;
    let id = capture["id"].as_str().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &photo).unwrap();
    let (endpoint, chunk) = (format!("{}/api/uploads", app.url), CHUNK.to_string());
    let mut settings = vec![("ENDPOINT", &*endpoint), ("TOKEN", &mentor.token), ("EVIDENCE", id), ("CHUNK", &chunk)];
    settings.extend([("FILE", file.path().to_str().unwrap()), ("WITH_CREATION", "1")]);
    for _ in 0..2 {
        // The second time all bytes are here already, and the client is told so.
        run(Path::new("node"), "tus-js-client.js", &settings).await;
    }
    assert_eq!(mentor.settled(id).await["state"], "ready");
}
