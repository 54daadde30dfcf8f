//! The web application that the server carries: built again into a release when it has changed. Development builds
//! read it from disk.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The place must exist when the server is compiled, even when the application is built later.
    std::fs::create_dir_all("../pwa/dist").expect("pwa/dist can be made");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../pwa/dist");
    }
}
