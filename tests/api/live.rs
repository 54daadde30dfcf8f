//! Hints over the WebSocket: only of one's own feeds, and soon.

use futures_util::{SinkExt, StreamExt};
use kilele_tests::{Engine, Person, TestApp, both, until};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(app: &TestApp, token: Option<&str>, origin: Option<&str>) -> Result<Socket, u16> {
    let mut request = format!("{}/api/live", app.url.replace("http", "ws")).into_client_request().unwrap();
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// The next hint, or nothing within a second.
async fn hint(socket: &mut Socket) -> Option<Value> {
    let next = async {
        loop {
            if let Message::Text(text) = socket.next().await?.ok()? {
                return serde_json::from_str(&text).ok();
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(1), next).await.ok().flatten()
}

async fn change(person: &Person) -> Value {
    let household = person.a_household().await;
    let body =
        json!({ "id": household["id"], "changes": { "electricity": { "was": household["electricity"], "now": true } } });
    let result = person.command("household.update", body).await.ok();
    json!({ "feed": household["place"], "revision": result["record"]["revision"] })
}

both! {
    async fn a_change_is_hinted_to_those_who_see_it(app: TestApp) {
        let (mentor, supervisor, other) = (app.mentor().await, app.supervisor().await, app.other_mentor().await);
        let mut hers = connect(&app, Some(&supervisor.token), None).await.unwrap();
        let mut his = connect(&app, Some(&other.token), None).await.unwrap();
        let expected = change(&mentor).await;
        assert_eq!(hint(&mut hers).await, Some(expected));
        assert_eq!(hint(&mut his).await, None, "another mentor's village is nobody's business");
    }

    async fn another_village_is_followed_at_once(app: TestApp) {
        let (admin, mentor, other) = (app.admin().await, app.mentor().await, app.other_mentor().await);
        let village = mentor.a_household().await["place"].clone();
        let mut his = connect(&app, Some(&other.token), None).await.unwrap();
        let people = admin.get("/api/members").await.ok();
        let mut person = people["items"].as_array().unwrap().iter().find(|m| m["id"] == json!(other.member())).unwrap().clone();
        person["places"].as_array_mut().unwrap().push(village.clone());
        let body = json!({ "role": "mentor", "supervisor": person["supervisor"], "places": person["places"], "active": true });
        admin.put(&format!("/api/members/{}", other.member()), &body).await.ok();
        // That he follows other feeds; other hints of the same change may come around it.
        while hint(&mut his).await.expect("a hint that there are other feeds") != json!({}) {}
        let expected = change(&mentor).await;
        loop {
            let next = hint(&mut his).await.expect("a hint of the village that is his now");
            if next == expected {
                break;
            }
        }
    }

    async fn the_socket_needs_a_session(app: TestApp) {
        assert_eq!(connect(&app, None, None).await.err(), Some(401));
        assert_eq!(connect(&app, Some("nonsense"), None).await.err(), Some(401));
    }
}

/// The server pings and hangs up on whom it does not hear; a client says `beat` and hears it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_goes_both_ways() {
    let app = TestApp::spawn_with(Engine::Sqlite, |name| (name == "KILELE_LIVE_PING_SECONDS").then(|| "1".into())).await;
    let mentor = app.mentor().await;
    let (mut dead, mut alive) =
        (connect(&app, Some(&mentor.token), None).await.unwrap(), connect(&app, Some(&mentor.token), None).await.unwrap());
    alive.send(Message::text("beat")).await.unwrap();
    let mut pings = 0;
    let mut beats = 0;
    // Whoever reads answers the pings; the other one is not read from.
    let reading = async {
        while let Some(Ok(message)) = alive.next().await {
            match message {
                Message::Ping(_) => pings += 1,
                Message::Text(text) if text == "beat" => beats += 1,
                other => panic!("{other}: a beat is no hint"),
            }
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(6), reading).await.is_err(), "it is still there");
    assert!(pings >= 4 && beats == 1, "{pings} pings, {beats} beats");
    let ended = async { while let Some(Ok(_)) = dead.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(1), ended).await.expect("the server hung up");
    // Nobody sends much over it.
    alive.send(Message::text("x".repeat(2000))).await.unwrap();
    let ended = async { while let Some(Ok(_)) = alive.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(2), ended).await.expect("the server hung up");
}

/// What is written through one copy of the server is hinted by another, also after the line between them was cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_copy_hints_too() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let twin = app.twin().await;
    let (mentor, supervisor) = (app.mentor().await, twin.supervisor().await);
    let mut hers = connect(&twin, Some(&supervisor.token), None).await.unwrap();
    let expected = change(&mentor).await;
    assert_eq!(hint(&mut hers).await, Some(expected));

    let mut database = PgConnection::connect(&app.app.config.database_url).await.unwrap();
    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let listening = sqlx::query(cut).execute(&mut database).await.unwrap().rows_affected();
    assert_eq!(listening, 2, "one connection of each copy");
    assert_eq!(hint(&mut hers).await, Some(json!({})), "what was said meanwhile was missed");
    let there = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    until("both to listen again", async || {
        let (count,): (i64,) = sqlx::query_as(there).fetch_one(&mut database).await.unwrap();
        (count == 2).then_some(())
    })
    .await;
    let household = mentor.a_household().await;
    let income = json!({ "was": household["monthly_income_minor"], "now": 712_300 });
    let result = mentor
        .command("household.update", json!({ "id": household["id"], "changes": { "monthly_income_minor": income } }))
        .await
        .ok();
    let again = json!({ "feed": household["place"], "revision": result["record"]["revision"] });
    while let Some(heard) = hint(&mut hers).await {
        if heard == again {
            return;
        }
    }
    panic!("not heard after the line was cut");
}
