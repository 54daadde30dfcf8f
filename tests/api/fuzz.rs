//! Every parser that takes bytes from outside, with input that proptest makes and damages: a clear answer, never a panic
//! or a 5xx. `KILELE_FUZZ_SECONDS` (2 a target) says how long, `KILELE_TEST_SEED` where to begin.

use std::time::{Duration, Instant};

use kilele::auth::totp;
use kilele::crypto::{self, Crypto};
use kilele::{check, packed, web};
use kilele_tests::{Answer, Engine, Person, TestApp, id};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// How one place of an input is damaged: where (of 65,536 parts), how, and with what.
type Damage = (u16, u8, u8);

struct Noise(TestRunner);

impl Noise {
    fn new() -> Self {
        let seed: u64 = std::env::var("KILELE_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_120);
        println!("KILELE_TEST_SEED={seed}");
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat());
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    /// Now and then nothing but noise; else a good input with a few places damaged.
    fn bytes(&mut self, good: &[u8]) -> Vec<u8> {
        let made = (any::<u8>(), vec(any::<u8>(), 0..400), vec(any::<Damage>(), 0..8));
        let (kind, noise, damages) = made.new_tree(&mut self.0).unwrap().current();
        if kind < 30 {
            return noise;
        }
        let mut bytes = good.to_vec();
        for (at, how, with) in damages {
            let at = usize::from(at) * bytes.len() / 65_536;
            let to = bytes.len().min(at + 1 + usize::from(with) % 30);
            match how % 6 {
                _ if bytes.is_empty() => bytes.push(with),
                0 => bytes[at] = with,
                1 => bytes[at] ^= 1 << (with % 8),
                2 => drop(bytes.drain(at..to)),
                3 => bytes.insert(at, with),
                4 => bytes.truncate(at),
                _ => {
                    let piece = bytes[at..to].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }

    fn text(&mut self, good: &str) -> String {
        String::from_utf8_lossy(&self.bytes(good.as_bytes())).into_owned()
    }
}

fn time() -> Duration {
    Duration::from_secs(std::env::var("KILELE_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2))
}

#[test]
fn parsers_of_what_is_kept_and_typed_take_anything() {
    let mut noise = Noise::new();
    let crypto = Crypto::from_secret(&[7; 32]);
    let record = json!({ "id": id(), "name": "Mary Wanjiru", "phone": crypto.seal("+254712345678") }).to_string();
    let kept = packed::pack(&record);
    let joined = crypto::hex(&kept);
    let (begun, mut cases) = (Instant::now(), 0);
    while begun.elapsed() < time() {
        let bytes = noise.bytes(&kept);
        let _ = packed::open(&bytes);
        let _ = packed::append(&bytes, &mut Vec::new());
        let _ = packed::open_list(&noise.text(&format!("{joined},{joined}")));
        let _ = packed::unhex(&noise.text(&joined), &mut Vec::new());
        let stored = noise.text(&record);
        let _ = crypto.open_text(&stored);
        let _ = crypto.reseal_text(&stored);
        let _ = crypto::unb64(&noise.text("AAECAwQFBgc"));
        let _ = crypto::point(&noise.bytes(&[4; 91]));
        let _ = crypto::verify_device(&noise.bytes(&[4; 65]), b"message", &noise.bytes(&[9; 64]));
        let _ = totp::unbase32(&noise.text("GEZDGNBVGY3TQOJQ"));
        let _ = totp::step(&noise.bytes(&[1; 20]), &noise.text("287082"), 59_000);
        let _ = check::phone(&noise.text("0712 345 678"));
        let _ = check::national_id(&noise.text("12345678"));
        let _ = check::date("date", Some(&noise.text("1987-04-21")));
        let _ = web::inside(&noise.text("<p><script a>b</script><script>c</script>"), "script").count();
        cases += 1;
    }
    println!("{cases} cases of 15 parsers");
    assert!(cases > 50);
}

type Build = dyn Fn(&Person, &TestApp, Vec<u8>) -> Option<RequestBuilder>;

/// A request whose body, query or header is damaged.
struct Door {
    name: &'static str,
    good: Vec<u8>,
    build: Box<Build>,
}

fn door(
    name: &'static str,
    good: impl Into<Vec<u8>>,
    build: impl Fn(&Person, &TestApp, Vec<u8>) -> Option<RequestBuilder> + 'static,
) -> Door {
    Door { name, good: good.into(), build: Box::new(build) }
}

fn body(
    method: Method,
    path: &'static str,
    kind: &'static str,
) -> impl Fn(&Person, &TestApp, Vec<u8>) -> Option<RequestBuilder> {
    move |person, _, bytes| {
        Some(person.request(method.clone(), path).header("content-type", kind).header("x-kilele", "1").body(bytes))
    }
}

/// A header; bytes that no header can hold never reach the server.
fn header(path: &'static str, name: &'static str) -> impl Fn(&Person, &TestApp, Vec<u8>) -> Option<RequestBuilder> {
    move |_, app, bytes| {
        let value = HeaderValue::from_bytes(&bytes).ok()?;
        Some(app.client.get(format!("{}{path}", app.url)).header(name, value))
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn doors(person: &Person) -> Vec<Door> {
    let command = kilele_tests::command(
        "household.update",
        json!({ "id": id(), "changes": { "notes": { "was": null, "now": "x" } } }),
    );
    let sync = json!({ "device": person.device, "schema": 1, "cursors": { id(): 4 }, "commands": [command], "have": [] })
        .to_string();
    let outbox = json!({ "items": [{ "v": 1, "what": "command", "key": "k", "org": person.org(), "member": person.member(),
        "device": person.device, "id": id(), "enc": "AAAA", "sealed": "AAAA" }] })
    .to_string();
    let json = "application/json";
    vec![
        door("sync", sync.clone(), body(Method::POST, "/api/sync", json)),
        door("sync, packed", gzip(&sync), |person, _, bytes| {
            let request = person.request(Method::POST, "/api/sync").header("content-type", "application/json");
            Some(request.header("content-encoding", "gzip").body(bytes))
        }),
        door("command", command.to_string(), body(Method::POST, "/api/commands", json)),
        door("outbox", outbox, body(Method::POST, "/api/outbox", json)),
        door(
            "places",
            "code,parent_code,name,lat,lon\nA,,Anywhere,-1.5,36.9\n",
            body(Method::POST, "/api/places/import", "text/plain"),
        ),
        door(
            "sign in",
            json!({ "login": "x", "password": "y", "device": { "id": id(), "name": "z" } }).to_string(),
            |_, app, bytes| {
                let request = app.client.post(format!("{}/api/sessions", app.url)).header("x-kilele", "1");
                Some(request.header("content-type", "application/json").body(bytes))
            },
        ),
        door(
            "push",
            json!({ "endpoint": "https://push.example/x", "p256dh": "AAAA", "auth": "AAAA", "language": "en" }).to_string(),
            body(Method::POST, "/api/push/subscription", json),
        ),
        door("access token", person.token.clone(), |_, app, bytes| {
            let value = HeaderValue::from_bytes(&[b"Bearer ", &bytes[..]].concat()).ok()?;
            Some(app.client.get(format!("{}/api/me", app.url)).header("authorization", value))
        }),
        door("cookies", "kilele_access=x; __Host-kilele_access=a.b.c", header("/api/me", "cookie")),
        door("forwarded for", "203.0.113.7, 198.51.100.7", header("/api/start", "x-forwarded-for")),
        door("encodings", "br;q=1.0, gzip;q=0.5, *", header("/", "accept-encoding")),
        door("known pages", "\"abc\", W/\"def\"", header("/", "if-none-match")),
        door("upload's description", "filename aGVsbG8=,evidence aGVsbG8=", |person, _, bytes| {
            let value = HeaderValue::from_bytes(&bytes).ok()?;
            Some(
                person
                    .request(Method::POST, "/api/uploads")
                    .header("tus-resumable", "1.0.0")
                    .header("upload-length", "10")
                    .header("upload-metadata", value),
            )
        }),
        door("upload's length", "18446744073709551615", |person, _, bytes| {
            let value = HeaderValue::from_bytes(&bytes).ok()?;
            Some(
                person.request(Method::POST, "/api/uploads").header("tus-resumable", "1.0.0").header("upload-length", value),
            )
        }),
        door("upload's piece", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", |person, _, bytes| {
            let value = HeaderValue::from_bytes(&bytes).ok()?;
            let request = person.request(Method::PATCH, &format!("/api/uploads/{}", id())).header("tus-resumable", "1.0.0");
            Some(
                request
                    .header("upload-offset", "0")
                    .header("upload-checksum", value)
                    .header("content-type", "application/offset+octet-stream")
                    .body("x"),
            )
        }),
        door("part of a picture", "bytes=0-10,20-", |person, _, bytes| {
            let value = HeaderValue::from_bytes(&bytes).ok()?;
            Some(person.request(Method::GET, &format!("/api/media/{}/full", id())).header("range", value))
        }),
        door("search", "after=a%01b&q=mary&limit=50", |person, _, bytes| {
            let query: String = bytes
                .iter()
                .map(|b| if b.is_ascii_graphic() && *b != b'#' { char::from(*b).to_string() } else { format!("%{b:02x}") })
                .collect();
            Some(person.request(Method::GET, &format!("/api/households?{query}")))
        }),
        door("place in the audit", "1790000000000.01900000-0000-7000-8000-000000000000.7", |person, _, bytes| {
            let after: String = bytes.iter().map(|b| format!("%{b:02x}")).collect();
            Some(person.request(Method::GET, &format!("/api/audit?after={after}")))
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_take_anything() {
    let app = TestApp::spawn_with(Engine::Sqlite, |name| match name {
        "KILELE_TRUSTED_PROXIES" => Some("127.0.0.1".into()),
        "KILELE_SIGN_IN_PER_MINUTE" => Some("1000000".into()),
        _ => None,
    })
    .await;
    let admin = app.admin().await;
    let doors = doors(&admin);
    let mut noise = Noise::new();
    let (begun, mut cases) = (Instant::now(), 0);
    // Each door at least a few times, however slow the machine.
    while begun.elapsed() < 2 * time() || cases < 5 * doors.len() {
        let door = &doors[cases % doors.len()];
        let bytes = noise.bytes(&door.good);
        if let Some(request) = (door.build)(&admin, &app, bytes.clone()) {
            let answer = Answer::of(request).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{}: {status} {} for {:?}", door.name, answer.body, String::from_utf8_lossy(&bytes));
        }
        cases += 1;
    }
    println!("{cases} requests at {} doors", doors.len());
    admin.get("/api/me").await.ok();
}
