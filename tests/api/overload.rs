//! More than can be answered, and senders who take their time: the server says so, stays up, and answers everybody else.

use std::time::Duration;

use futures_util::future::join_all;
use kilele_tests::{Answer, Engine, TestApp, both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests that are worked on at once.
const AT_ONCE: usize = 3;

fn narrow(name: &str) -> Option<String> {
    (name == "KILELE_REQUESTS_AT_ONCE").then(|| AT_ONCE.to_string())
}

async fn overload(engine: Engine) {
    let app = TestApp::spawn_with(engine, narrow).await;
    let mentor = app.mentor().await;
    let list = async || mentor.get("/api/households?limit=50").await;
    let many: Vec<Answer> = join_all((0..200).map(|_| list())).await;
    let (taken, refused): (Vec<_>, Vec<_>) = many.iter().partition(|answer| answer.status == 200);
    assert!(taken.len() >= AT_ONCE && !refused.is_empty(), "{} taken, {} refused", taken.len(), refused.len());
    for answer in &refused {
        answer.refused(503, "unavailable");
        assert!((1..=5).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    }
    // Not all at the same second.
    let mut again: Vec<&str> = refused.iter().map(|answer| answer.header("retry-after")).collect();
    again.sort_unstable();
    again.dedup();
    assert!(refused.len() < 20 || again.len() > 1);
    // It has recovered by itself, and what did not come through comes through now.
    for _ in 0..20 {
        list().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_refused_and_nothing_else_sqlite() {
    overload(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_refused_and_nothing_else_postgres() {
    overload(Engine::Postgres).await;
}

both! {
    /// Half a head, half a body, and nothing at all, from far more connections than there are turns.
    async fn slow_senders_take_nobodys_turn(app: TestApp) {
        let address = app.url.strip_prefix("http://").unwrap().to_owned();
        let said: [&[u8]; 3] = [
            b"POST /api/commands HTTP/1.1\r\nhost: loc",
            b"POST /api/commands HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{\"id\":",
            b"",
        ];
        let mut slow = join_all((0..300).map(async |n: usize| {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(said[n % 3]).await.unwrap();
            stream
        }))
        .await;
        // And large ones, which share one room: it is full, and others' small ones need none of it.
        let large = b"POST /api/sync HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2000000\r\n\r\n".to_vec();
        let large = [large, vec![b' '; 1_900_000]].concat();
        let held = join_all((0..40).map(async |_| {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(&large).await.ok();
            stream
        }))
        .await;
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        for n in 0..20 {
            let visit = mentor.visit(&household);
            assert_eq!(mentor.command("visit.submit", visit.body).await.ok()["status"], "applied", "{n}");
            mentor.get("/api/households?limit=50").await.ok();
        }
        drop(held);
        // They are still there, and whoever comes on is answered.
        let one = &mut slow[0];
        one.write_all(b"alhost\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        tokio::time::timeout(Duration::from_secs(20), one.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401");
    }
}
