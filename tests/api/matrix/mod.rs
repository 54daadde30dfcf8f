//! Every operation of the document × every role × every situation, as `matrix.txt` says and no other way.

mod requests;
mod world;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use kilele_tests::{Answer, Person, TestApp, both, command as envelope};
use reqwest::Method;
use serde_json::{Value, json};

use world::{LIMITED, ROLES, Target, World};

const TABLE: &str = include_str!("matrix.txt");
const SITUATIONS: [&str; 6] = ["own", "outside", "other", "no token", "expired token", "revoked device"];

/// A line of the table.
struct Line {
    own: Vec<&'static str>,
    outside: &'static str,
    other: &'static str,
    stranger: &'static str,
}

fn table() -> BTreeMap<&'static str, Line> {
    let mut lines = BTreeMap::new();
    for text in TABLE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = text.split('|').map(str::trim).collect();
        let own: Vec<&str> = cells[1].split_whitespace().collect();
        let last: Vec<&str> = cells[2].split_whitespace().collect();
        assert_eq!((cells.len(), own.len(), last.len()), (3, ROLES.len(), 3), "{text}");
        let line = Line { own, outside: last[0], other: last[1], stranger: last[2] };
        assert!(lines.insert(cells[0], line).is_none(), "{} stands twice", cells[0]);
    }
    lines
}

impl Line {
    /// What is expected of a role in a situation. Whoever is refused for the role is refused wherever the id lies.
    fn expected(&self, role: usize, situation: &str) -> &'static str {
        let own = self.own[role];
        let refused = own == "403" || own == "forbidden";
        let or_own = |cell| if refused || cell == "-" { own } else { cell };
        match situation {
            "own" => own,
            "outside" if LIMITED.contains(&ROLES[role]) => or_own(self.outside),
            "outside" => own,
            "other" => or_own(self.other),
            _ if self.stranger == "open" => own,
            _ => self.stranger,
        }
    }
}

/// One request of the matrix: what it is called, what is expected, what came.
struct Seen {
    name: String,
    expected: &'static str,
    came: String,
    text: String,
}

/// An operation, or a command by one of its two doors.
#[derive(Clone)]
enum What {
    Operation { id: String, method: Method, path: String },
    Rest(String),
    Sync(String),
    Live,
}

impl What {
    fn line(&self) -> String {
        match self {
            Self::Operation { id, .. } => id.clone(),
            Self::Rest(kind) | Self::Sync(kind) => format!("command {kind}"),
            Self::Live => "live".into(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Operation { id, .. } => id.clone(),
            Self::Rest(kind) => format!("{kind} by /api/commands"),
            Self::Sync(kind) => format!("{kind} by /api/sync"),
            Self::Live => "live".into(),
        }
    }
}

fn operations(document: &Value) -> Vec<What> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let id = operation["operationId"].as_str().expect("every operation has a name").to_owned();
            found.push(What::Operation { id, method, path: path.clone() });
        }
    }
    for kind in document["components"]["schemas"]["Command"]["properties"]["kind"]["enum"].as_array().unwrap() {
        let kind = kind.as_str().unwrap().to_owned();
        found.extend([What::Rest(kind.clone()), What::Sync(kind)]);
    }
    found.push(What::Live);
    found
}

/// The outcome in the table's words: `ok`, a status, or of a command its code.
async fn outcome(app: &TestApp, what: &What, by: &Person, target: &Target, token: bool) -> (String, String) {
    let authorised = |request: reqwest::RequestBuilder| if token { request.bearer_auth(&by.token) } else { request };
    let request = |method: Method, path: &str| authorised(app.client.request(method, format!("{}{path}", app.url)));
    match what {
        What::Operation { id, method, path } => {
            let asked = requests::ask(id, method, path, by, target).await;
            let mut request = request(asked.method, &asked.path).header("x-kilele", "1");
            for (name, value) in asked.headers {
                request = request.header(name, value);
            }
            request = match asked.body {
                Some(body) => request.json(&body),
                None => request,
            };
            let answer = Answer::of(request).await;
            let status = answer.status.as_u16();
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            (if answer.status.is_success() { "ok".into() } else { status.to_string() }, text)
        }
        What::Rest(kind) => {
            let body = envelope(kind, requests::command(kind, by, target));
            let answer = Answer::of(request(Method::POST, "/api/commands").json(&body)).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            (said(answer.status.as_u16(), &answer.body), text)
        }
        What::Sync(kind) => {
            let body = json!({ "device": by.device, "schema": 1, "cursors": {},
                               "commands": [envelope(kind, requests::command(kind, by, target))] });
            let answer = Answer::of(request(Method::POST, "/api/sync").json(&body)).await;
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            (
                said(answer.status.as_u16(), if answer.status == 200 { &answer.body["results"][0] } else { &answer.body }),
                text,
            )
        }
        What::Live => {
            let request = request(Method::GET, "/api/live").header("connection", "upgrade").header("upgrade", "websocket");
            let request =
                request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            let status = request.send().await.unwrap().status().as_u16();
            (if status == 101 { "ok".into() } else { status.to_string() }, String::new())
        }
    }
}

/// A command is applied or has a code; without a session there is only the status.
fn said(status: u16, result: &Value) -> String {
    match (status, result["status"].as_str()) {
        (401, _) => "401".into(),
        (_, Some("applied" | "conflict")) => "ok".into(),
        _ => result["code"].as_str().unwrap_or("nothing").to_owned(),
    }
}

async fn round(app: &TestApp, world: &World, whats: &[What], situation: &'static str) -> Vec<Seen> {
    let lines = table();
    let target = match situation {
        "outside" => &world.outside,
        "other" => &world.other,
        _ => &world.inside,
    };
    let people = if situation == "revoked device" { &world.revoked } else { &world.people };
    let lines = &lines;
    let all = whats.iter().flat_map(|what| people.iter().enumerate().map(move |(role, by)| (what, role, by)));
    let one = async |(what, role, by): (&What, usize, &Person)| {
        let expected = lines[what.line().as_str()].expected(role, situation);
        // Whoever signs out asks nothing more: somebody else of the same name does.
        let leaves = what.name() == "signOut" && ["own", "outside", "other"].contains(&situation);
        let twin = if leaves { Some(app.sign_in(by.session["account"]["login"].as_str().unwrap()).await) } else { None };
        let by = twin.as_ref().unwrap_or(by);
        let (came, text) = outcome(app, what, by, target, situation != "no token").await;
        Seen { name: format!("{} as {} ({situation})", what.name(), ROLES[role]), expected, came, text }
    };
    futures_util::stream::iter(all).map(one).buffered(8).collect().await
}

/// What nobody may have read: the neighbours' records, and for limited roles what lies outside.
fn leaks(world: &World, seen: &Seen) -> Option<String> {
    let limited = LIMITED.iter().any(|role| seen.name.contains(&format!(" as {role} ")));
    let none = ["oversight", "beneficiary"].iter().any(|role| seen.name.contains(&format!(" as {role} ")));
    let hidden = world.other.marks.iter().chain(world.outside.marks.iter().filter(|_| limited || none));
    hidden.into_iter().find(|mark| seen.text.contains(*mark)).cloned()
}

both! {
    async fn every_operation_for_every_role_in_every_situation(app: TestApp) {
        let world = world::make(&app).await;
        let document = app.get("/api/openapi.json").await.ok();
        let whats = operations(&document);
        let lines = table();
        let mut surprises: Vec<String> = Vec::new();
        let known: Vec<String> = whats.iter().map(What::line).collect();
        surprises.extend(known.iter().filter(|name| !lines.contains_key(name.as_str())).map(|name| format!("{name}: not in matrix.txt")));
        surprises.extend(lines.keys().filter(|name| !known.iter().any(|k| k == *name)).map(|name| format!("{name}: in matrix.txt and nowhere else")));
        assert!(surprises.is_empty(), "{surprises:#?}");
        let mut count = 0;
        for situation in SITUATIONS {
            if situation == "expired token" {
                app.clock.shift(16 * 60 * 1000);
                // What fell due within these minutes is late until it is done.
                let done = async || (app.get("/api/health").await.status == 200).then_some(());
                kilele_tests::until("jobs to be done", done).await;
            }
            for seen in round(&app, &world, &whats, situation).await {
                count += 1;
                if seen.came != seen.expected.replace("not_own", "forbidden") {
                    surprises.push(format!("{}: {} instead of {} {}", seen.name, seen.came, seen.expected, &seen.text[..seen.text.len().min(160)]));
                }
                surprises.extend(leaks(&world, &seen).map(|mark| format!("{}: told {mark}", seen.name)));
            }
        }
        let said = format!(
            "matrix: {} operations × {} roles × {} situations = {count}, {} surprises",
            whats.len(), ROLES.len(), SITUATIONS.len(), surprises.len()
        );
        println!("{said}");
        if let Some(path) = std::env::var_os("KILELE_MATRIX_LOG") {
            let mut log = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
            std::io::Write::write_all(&mut log, format!("{said}\n").as_bytes()).unwrap();
        }
        assert!(surprises.is_empty(), "{} surprises\n{}", surprises.len(), surprises.join("\n"));
    }
}
