//! The API's document is a file, and the file is true.

use kilele_tests::{Engine, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_file() {
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    let served = app.get("/api/openapi.json").await;
    let file = include_str!("../../openapi.json");
    assert!(served.bytes == file, "openapi.json is stale: cargo run -p kilele -- openapi > openapi.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_can_be_browsed() {
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    let page = app.get("/api/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.bytes.windows(9).any(|w| w == b"/api/sync"), "the document is in the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_how_it_is() {
    let app = TestApp::spawn_empty(Engine::Sqlite, |_| None).await;
    assert_eq!(app.get("/health").await.ok()["status"], "ok");
    assert_eq!(app.get("/health/ready").await.ok()["media"], "ok");
    // Asked again within ten seconds it does not write again; after that it looks, and says what it sees.
    let media = app.app.config.data_dir.join("media");
    std::fs::remove_dir_all(&media).unwrap();
    std::fs::write(&media, "a file in its place").unwrap();
    assert_eq!(app.get("/health/ready").await.ok()["media"], "ok");
    app.clock.shift(11_000);
    let down = app.get("/health/ready").await;
    assert_eq!((down.status.as_u16(), down.body["media"].as_str()), (503, Some("down")));
    std::fs::remove_file(&media).unwrap();
    std::fs::create_dir(&media).unwrap();
    app.clock.shift(1_001);
    assert_eq!(app.get("/health/ready").await.ok()["media"], "ok");
    app.get("/api/nothing").await.refused(404, "not_found");
    for header in ["content-security-policy", "x-frame-options", "permissions-policy"] {
        assert!(!app.get("/").await.header(header).is_empty());
    }
}
