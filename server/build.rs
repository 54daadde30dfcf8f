//! Builds the server again when the web application that it carries has changed. Development builds read the files
//! from disk and need nothing.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../pwa/dist");
    }
}
