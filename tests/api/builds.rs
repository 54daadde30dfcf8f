//! A page that was opened before an update still finds its parts.

use kilele::builds::Builds;
use kilele_tests::{Engine, TestApp};

fn build(number: usize) -> impl Iterator<Item = (String, Vec<u8>)> {
    [(format!("assets/index-{number}.js"), vec![number as u8]), ("index.html".into(), vec![0])].into_iter()
}

#[test]
fn the_last_five_builds_are_found_and_no_older_one() {
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=8 {
        Builds::default().keep(folder.path(), build(number)).unwrap();
    }
    let builds = Builds::default();
    builds.keep(folder.path(), build(8)).unwrap();
    for number in 3..=7 {
        assert_eq!(builds.find(&format!("assets/index-{number}.js")), Some(vec![number as u8]));
    }
    assert_eq!(builds.find("assets/index-2.js"), None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 7, "six builds and their order");
}

#[test]
fn going_back_to_an_earlier_build_keeps_the_later_one() {
    let folder = tempfile::tempdir().unwrap();
    for number in [1, 2, 1] {
        Builds::default().keep(folder.path(), build(number)).unwrap();
    }
    let builds = Builds::default();
    builds.keep(folder.path(), build(1)).unwrap();
    assert_eq!(builds.find("assets/index-2.js"), Some(vec![2]));
}

#[test]
fn nothing_but_the_assets_of_a_build_is_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.key"), "secret").unwrap();
    Builds::default().keep(folder.path(), build(1)).unwrap();
    let builds = Builds::default();
    builds.keep(folder.path(), build(2)).unwrap();
    for path in ["assets/../secret.key", "assets/../../secret.key", "assets/", "assets/.", "index.html", "assets/%2e%2e/x"] {
        assert_eq!(builds.find(path), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_an_earlier_build_is_given_its_parts() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    Builds::default().keep(folder.path(), build(1)).unwrap();
    app.app.builds.keep(folder.path(), build(2)).unwrap();
    let part = app.get("/assets/index-1.js").await;
    assert_eq!((part.status.as_u16(), &part.bytes[..]), (200, &[1][..]));
    assert_eq!(part.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(part.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(app.get("/assets/index-0.js").await.status, 404, "never the page in a script's place");
}
