//! People with a device, who send commands, sync, upload and read.

use kilele::crypto::b64;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::signing::DeviceKey;
use crate::{TestApp, Uuid, id, pictures, signing};

/// A status and a JSON body (or `null`), with what is needed of the headers.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub bytes: bytes::Bytes,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap()
    }

    /// # Errors
    /// When no answer came, or not a whole one.
    pub async fn try_of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?;
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default(), bytes })
    }

    /// The bytes of an answer with status 200, as they came.
    pub async fn raw(request: RequestBuilder) -> Bytes {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let packed = response.headers().get("content-encoding").is_some_and(|e| e == "br");
        Bytes { packed, bytes: response.bytes().await.unwrap() }
    }

    /// The body, if the status is 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Insists on a refusal with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
    }

    /// Insists on an answer without a body.
    #[track_caller]
    pub fn empty(&self, status: u16) {
        assert_eq!((self.status.as_u16(), self.bytes.len()), (status, 0), "{}", self.body);
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// A body from the wire, packed with brotli or not.
pub struct Bytes {
    packed: bool,
    bytes: bytes::Bytes,
}

impl Bytes {
    #[expect(clippy::len_without_is_empty, reason = "an answer is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn clear(&self) -> Vec<u8> {
        if !self.packed {
            return self.bytes.to_vec();
        }
        let mut clear = Vec::new();
        brotli::BrotliDecompress(&mut &self.bytes[..], &mut clear).unwrap();
        clear
    }
}

pub struct Person {
    pub url: String,
    pub client: reqwest::Client,
    pub token: String,
    pub refresh_token: String,
    pub device: Uuid,
    pub key: Option<DeviceKey>,
    /// The session as the server showed it.
    pub session: Value,
}

impl Person {
    pub async fn sign_in(app: &TestApp, login: &str, device: Uuid, key: Option<DeviceKey>) -> Self {
        let public_key = key.as_ref().map(DeviceKey::spki);
        let body = json!({
            "login": login, "password": kilele::demo::PASSWORD, "tokens": true,
            "device": { "id": device, "name": "test phone", "public_key": public_key },
        });
        let session = app.post("/api/sessions", &body).await.ok();
        Self { key, ..Self::of(app.url.clone(), app.client.clone(), session) }
    }

    /// The person of an answered session.
    pub fn of(url: String, client: reqwest::Client, session: Value) -> Self {
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        let device = text("device").parse().unwrap();
        Self { url, client, token: text("access_token"), refresh_token: text("refresh_token"), device, key: None, session }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    pub fn member(&self) -> String {
        self.session["member"]["id"].as_str().unwrap().to_owned()
    }

    pub fn org(&self) -> String {
        self.session["organisation"]["id"].as_str().unwrap().to_owned()
    }

    /// Sends one command by REST.
    pub async fn command(&self, kind: &str, body: Value) -> Answer {
        self.post("/api/commands", &command(kind, body)).await
    }

    /// One round of sync, from the beginning unless `cursors` say otherwise.
    pub async fn sync(&self, cursors: &Value, commands: &[Value]) -> Value {
        self.sync_with(json!({ "cursors": cursors, "commands": commands })).await
    }

    pub async fn sync_with(&self, mut body: Value) -> Value {
        body["device"] = self.device.to_string().into();
        body["schema"] = 1.into();
        self.post("/api/sync", &body).await.ok()
    }

    /// All records of one kind that this person sees.
    pub async fn records(&self, kind: &str) -> Vec<Value> {
        let (mut cursors, mut found) = (json!({}), std::collections::BTreeMap::new());
        loop {
            let answer = self.sync(&cursors, &[]).await;
            for (feed, news) in answer["feeds"].as_object().unwrap() {
                cursors[feed] = news["revision"].clone();
                for entry in news["entries"].as_array().unwrap().iter().filter(|e| e["kind"] == kind) {
                    // A tombstone of one feed says nothing about a record that has moved to another.
                    let key = (entry["id"].to_string(), feed.clone());
                    if entry["deleted"] == true {
                        found.remove(&key)
                    } else {
                        found.insert(key, entry["body"].clone())
                    };
                }
            }
            if answer["more"] == false {
                return found.into_values().collect();
            }
        }
    }

    pub async fn record(&self, kind: &str, id: &str) -> Option<Value> {
        self.records(kind).await.into_iter().find(|r| r["id"] == id)
    }

    /// The first household of this person's places.
    pub async fn a_household(&self) -> Value {
        let card = self.get("/api/households?limit=1").await.ok()["items"][0].clone();
        // From the sync: opening its file would be noted.
        self.record("household", card["id"].as_str().unwrap()).await.unwrap()
    }

    /// A complete visit of a household, with announced pictures and a signature.
    pub fn visit(&self, household: &Value) -> Visit {
        let visit = id();
        let signature = signing::signature(self, &visit, &household["head_name"]);
        let photos = [pictures::photo(1), pictures::photo(2)];
        let captures: Vec<Value> =
            photos.iter().zip(["front", "back"]).map(|(photo, slot)| pictures::capture(photo, slot)).collect();
        let body = json!({
            "id": visit, "household": household["id"], "kind": "scheduled", "started_at": 1_790_000_000_000_i64,
            "ended_at": 1_790_000_900_000_i64, "topics": ["business"], "observations": "All well.", "recommendations": "",
            "action_items": "", "business_status": "stable", "income_minor": 350_000, "support_needed": "",
            "no_gps_reason": "no_fix", "evidence": captures, "signature": signature,
        });
        Visit { id: visit, body, photos: photos.into(), captures }
    }

    /// Submits a complete visit and delivers nothing yet.
    pub async fn submit(&self, household: &Value) -> Visit {
        let visit = self.visit(household);
        let result = self.command("visit.submit", visit.body.clone()).await.ok();
        assert_eq!(result["status"], "applied");
        visit
    }

    /// The same person, speaking by another address: a bad line, or another copy of the server.
    pub fn by(&self, url: &str) -> Self {
        Self::of(url.to_owned(), reqwest::Client::new(), self.session.clone())
    }

    /// A request of the tus protocol.
    pub fn tus(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("tus-resumable", "1.0.0")
    }

    /// The request that starts an upload.
    pub fn creation(&self, capture: &Value) -> RequestBuilder {
        use base64::Engine;
        let evidence = base64::prelude::BASE64_STANDARD.encode(capture["id"].as_str().unwrap());
        let request = self.tus(Method::POST, "/api/uploads").header("upload-length", capture["bytes"].to_string());
        request.header("upload-metadata", format!("evidence {evidence}"))
    }

    /// Starts an upload and answers its address.
    pub async fn create_upload(&self, capture: &Value) -> Answer {
        Answer::of(self.creation(capture)).await
    }

    /// The request that continues an upload.
    pub fn chunk(&self, location: &str, offset: usize, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.tus(Method::PATCH, location).header("upload-offset", offset.to_string());
        request.header("content-type", "application/offset+octet-stream").body(body)
    }

    /// Announces one picture with a visit, and delivers nothing yet.
    pub async fn announce(&self, bytes: &[u8]) -> Value {
        let mut visit = self.visit(&self.a_household().await);
        let capture = pictures::capture(bytes, "front");
        visit.body["evidence"][0] = capture.clone();
        assert_eq!(self.command("visit.submit", visit.body).await.ok()["status"], "applied");
        capture
    }

    pub async fn patch(&self, location: &str, offset: usize, body: Vec<u8>) -> Answer {
        Answer::of(self.chunk(location, offset, body)).await
    }

    pub async fn head(&self, location: &str) -> Answer {
        Answer::of(self.tus(Method::HEAD, location)).await
    }

    /// A whole upload in one piece.
    pub async fn upload(&self, capture: &Value, bytes: &[u8]) -> Answer {
        let created = self.create_upload(capture).await;
        assert_eq!(created.status, 201, "{}", created.body);
        if created.header("upload-offset").parse() == Ok(bytes.len()) {
            return created;
        }
        self.patch(created.header("location"), 0, bytes.to_vec()).await
    }

    /// Waits until evidence has left `announced` and `received`.
    pub async fn settled(&self, evidence: &str) -> Value {
        crate::until("evidence to be derived", async || {
            let record = self.record("evidence", evidence).await?;
            matches!(record["state"].as_str(), Some("ready" | "quarantined")).then_some(record)
        })
        .await
    }
}

/// A visit that was composed for a test, with what a phone would hold of it.
pub struct Visit {
    pub id: String,
    pub body: Value,
    pub photos: Vec<Vec<u8>>,
    pub captures: Vec<Value>,
}

/// A command in its envelope.
pub fn command(kind: &str, body: Value) -> Value {
    json!({ "id": id(), "kind": kind, "at": 1_790_000_000_000_i64, "body": body })
}

/// base64url of bytes, as bodies want it.
pub fn encoded(bytes: &[u8]) -> String {
    b64(bytes)
}
