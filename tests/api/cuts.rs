//! A line that breaks at every byte there is to break at: what was sent takes effect once, and arrives whole.
//!
//! On PostgreSQL at every fifth, from where `KILELE_TEST_SEED` says: the line knows of no database, and all of it took three
//! minutes of a processor. With `KILELE_CUTS=all` (`make soak SUITES=cuts`) at every byte there too.

use kilele_tests::line::{Fault, Line};
use kilele_tests::people::command;
use kilele_tests::{Dice, Engine, Person, TestApp, both, id, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request on a connection of its own; what came of the answer, which may be nothing.
async fn send(line: &Line, head: &str, body: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(line.url().trim_start_matches("http://")).await.unwrap();
    let head = format!("{head}\r\nhost: kilele\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut answer = Vec::new();
    // Either may fail: that is the point.
    let _ = connection.write_all(&[head.as_bytes(), body].concat()).await;
    let _ = connection.read_to_end(&mut answer).await;
    answer
}

/// Each place to cut at: after every byte up (after the last one the answer has no way back), and after every byte down.
fn boundaries(app: &TestApp, up: u64, down: u64) -> impl Iterator<Item = Fault> {
    let all = app.engine() == Engine::Sqlite || std::env::var("KILELE_CUTS").is_ok_and(|which| which == "all");
    let step = if all { 1 } else { 5 };
    let first = Dice::new().below(step) as usize;
    (0..=up).map(Fault::CutUp).chain((1..down).map(Fault::CutDown)).skip(first).step_by(step as usize)
}

/// What one exchange weighs on the wire, from a line that is good.
async fn weigh(line: &Line, exchange: impl AsyncFnOnce()) -> (u64, u64) {
    let before = (line.up(), line.down());
    exchange().await;
    (line.up() - before.0, line.down() - before.1)
}

fn head(person: &Person, method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nauthorization: Bearer {}", person.token)
}

both! {
    async fn a_command_cut_at_any_byte_takes_effect_once(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let mut cursors = json!({});
        take(&mut cursors, &mentor.sync(&json!({}), &[]).await);
        let line = Line::to(&app.url).await;
        let head = format!("{}\r\ncontent-type: application/json", head(&mentor, "POST", "/api/sync"));
        let plan = || command("visit.plan", json!({ "id": id(), "household": household["id"], "mentor": mentor.member(),
            "kind": "scheduled", "planned_at": 1_800_000_000_000_i64 }));
        let body = |cursors: &Value, command: &Value| {
            json!({ "device": mentor.device, "schema": 1, "cursors": cursors, "commands": [command] }).to_string().into_bytes()
        };
        let first = plan();
        let (up, down) = weigh(&line, async || drop(send(&line, &head, &body(&cursors, &first)).await)).await;
        let after = mentor.sync(&cursors, &[]).await;
        take(&mut cursors, &after);
        // Numbers grow by a digit or two on the way.
        let cuts: Vec<Fault> = boundaries(&app, up, down + 8).collect();
        assert!(up > 500 && down > 700, "{up} up, {down} down");
        for cut in &cuts {
            let planned = plan();
            line.all(cut.clone());
            let answer = send(&line, &head, &body(&cursors, &planned)).await;
            line.all(Fault::None);
            let again = mentor.sync(&cursors, std::slice::from_ref(&planned)).await;
            let status = again["results"][0]["status"].as_str();
            // Without its last byte, a closing brace, there is no request; with it the server may have begun.
            let expected = match cut {
                Fault::CutUp(n) if *n >= up => status.filter(|s| ["applied", "duplicate"].contains(s)).unwrap_or("one of both"),
                Fault::CutUp(_) => "applied",
                _ => "duplicate",
            };
            assert_eq!(status, Some(expected), "{cut:?}, of {} bytes up; {} bytes of the answer came", up, answer.len());
            take(&mut cursors, &again);
        }
        let made = cuts.len() + 1;
        let visits = mentor.get(&format!("/api/visits?household={}&limit=1", household["id"].as_str().unwrap())).await.ok();
        assert_eq!(visits["items"].as_array().unwrap().len(), 1);
        for (what, sql) in [
            ("visits", "SELECT count(*) FROM visit WHERE state = 'planned'"),
            ("commands", "SELECT count(*) FROM command_log WHERE kind = 'visit.plan'"),
            ("lines of the audit", "SELECT count(*) FROM audit WHERE action = 'visit.plan'"),
        ] {
            let (count,): (i64,) = app.app.db.query(sql).one().await.unwrap();
            assert_eq!(count as usize, made, "{what}");
        }
        println!("{} cuts: after {up} bytes up and {down} down", cuts.len());
    }

    async fn a_picture_cut_at_any_byte_arrives_once(app: TestApp) {
        let mentor = app.mentor().await;
        let line = Line::to(&app.url).await;
        let mut photos = Photos { seed: 0, ready: Vec::new() };
        let (capture, bytes) = photos.next(&mentor).await;
        let mut location = String::new();
        let begin = weigh(&line, async || location = create(&mentor, &line, &capture).await.unwrap()).await;
        let rest = weigh(&line, async || drop(patch(&mentor, &line, &location, 0, &bytes).await)).await;
        let mut cuts = 0;
        // The seventh digit of an upload's id or a number more makes a few bytes' difference.
        for cut in boundaries(&app, begin.0, begin.1 + 4) {
            let (capture, bytes) = photos.next(&mentor).await;
            line.all(cut);
            drop(create(&mentor, &line, &capture).await);
            line.all(Fault::None);
            let location = create(&mentor, &line, &capture).await.expect("an address, at the second attempt");
            drop(patch(&mentor, &line, &location, 0, &bytes).await);
            cuts += 1;
        }
        let mut again = 0;
        for cut in boundaries(&app, rest.0, rest.1 + 4) {
            let (capture, bytes) = photos.next(&mentor).await;
            let location = create(&mentor, &line, &capture).await.unwrap();
            line.all(cut);
            drop(patch(&mentor, &line, &location, 0, &bytes).await);
            line.all(Fault::None);
            again += finish(&mentor, &line, &location, &capture, &bytes).await;
            cuts += 1;
        }
        let made = photos.seed - photos.ready.len();
        assert_eq!(made, cuts + 1);
        let count = async |sql: &'static str| app.app.db.query(sql).one::<(i64,)>().await.unwrap().0 as usize;
        let unused = photos.ready.len();
        until("every picture to be looked at", async || {
            (count("SELECT count(*) FROM evidence WHERE state = 'ready'").await == made).then_some(())
        }).await;
        assert_eq!(count("SELECT count(*) FROM evidence WHERE state = 'announced'").await, unused);
        assert_eq!(count("SELECT count(*) FROM capture WHERE received_at IS NOT NULL").await, made);
        assert_eq!(count("SELECT count(*) FROM audit WHERE action = 'evidence.derive'").await, made, "each once");
        println!("{cuts} cuts: {begin:?} bytes to begin, {rest:?} to deliver; {again} bytes went twice");
    }
}

/// Announced pictures, forty at a time.
struct Photos {
    seed: usize,
    ready: Vec<(Value, Vec<u8>)>,
}

impl Photos {
    async fn next(&mut self, mentor: &Person) -> (Value, Vec<u8>) {
        if self.ready.is_empty() {
            for _ in 0..40 {
                let bytes = pixel(self.seed);
                self.ready.push((kilele_tests::pictures::capture(&bytes, "site"), bytes));
                self.seed += 1;
            }
            let evidence: Vec<&Value> = self.ready.iter().map(|(capture, _)| capture).collect();
            let household =
                json!({ "id": id(), "place": mentor.session["member"]["places"][0], "head_name": "Cut", "members": [] });
            mentor.command("household.register", json!({ "household": household, "evidence": evidence })).await.ok();
        }
        self.ready.pop().unwrap()
    }
}

/// A whole picture in 69 bytes: a PNG of one pixel, each seed another colour.
fn pixel(seed: usize) -> Vec<u8> {
    use std::io::Write;
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes(), kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&[0, (seed >> 16) as u8, (seed >> 8) as u8, seed as u8]).unwrap();
    let header = [&1_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &packed.finish().unwrap()), chunk(b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

fn take(cursors: &mut Value, answer: &Value) {
    for (feed, news) in answer["feeds"].as_object().unwrap() {
        cursors[feed] = news["revision"].clone();
    }
}

/// The address that a whole answer names.
async fn create(mentor: &Person, line: &Line, capture: &Value) -> Option<String> {
    let evidence = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, capture["id"].as_str().unwrap());
    let head = format!(
        "{}\r\ntus-resumable: 1.0.0\r\nupload-length: {}\r\nupload-metadata: evidence {evidence}",
        head(mentor, "POST", "/api/uploads"),
        capture["bytes"]
    );
    header(&send(line, &head, b"").await, "location")
}

async fn patch(mentor: &Person, line: &Line, location: &str, offset: usize, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "{}\r\ntus-resumable: 1.0.0\r\nupload-offset: {offset}\r\ncontent-type: application/offset+octet-stream",
        head(mentor, "PATCH", location)
    );
    send(line, &head, &bytes[offset..]).await
}

/// Goes on as a phone does: asks where the upload stands, and sends the rest. Answers how many bytes went again.
async fn finish(mentor: &Person, line: &Line, location: &str, capture: &Value, bytes: &[u8]) -> usize {
    for _ in 0..20 {
        let stands = mentor.head(location).await;
        if stands.status == 404 {
            // Finished, and cleared away: the bytes are known by their hash.
            let created = mentor.create_upload(capture).await;
            assert_eq!(created.header("upload-offset"), bytes.len().to_string());
            return 0;
        }
        let offset: usize = stands.header("upload-offset").parse().unwrap();
        if offset == bytes.len() {
            return 0;
        }
        let answer = patch(mentor, line, location, offset, bytes).await;
        if answer.starts_with(b"HTTP/1.1 204") {
            return bytes.len() - offset;
        }
        // The server had not noticed yet that the first connection is gone.
        assert!(answer.starts_with(b"HTTP/1.1 409"), "{}", String::from_utf8_lossy(&answer));
    }
    panic!("the upload never settled");
}

fn header(answer: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let (head, _) = text.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with(&format!("{name}:")).then(|| line[name.len() + 1..].trim().to_owned())
    })
}
