//! Builds the server again when the web application that it carries has changed. Development builds read the files
//! from disk and need nothing. Migrations are embedded in every build.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../migrations");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../pwa/dist");
    }
}
