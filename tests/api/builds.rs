//! A page that was opened before an update still finds its parts.

use kilele::builds::Builds;

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
