//! Fifty phones that deliver at once: a visit and a 12 MP photo of 5 MB each, in chunks of 1 MB.

use std::time::Instant;

use kilele_tests::{Person, pictures};
use serde_json::Value;

use crate::row;
use crate::server::Server;

const PHONES: usize = 50;
const BYTES: usize = 5_000_000;
const CHUNK: usize = 1 << 20;

pub async fn measure(engine: &str, server: &Server) {
    let photo = photo();
    let taken = photo.len();
    let mentors =
        [server.sign_in("amina.mentor").await, server.sign_in("juma.mentor").await, server.sign_in("wanjiku.mentor").await];
    let mut households = Vec::new();
    for mentor in &mentors {
        households.push(mentor.a_household().await);
    }
    let photos: Vec<(Vec<u8>, Value)> = (0..PHONES)
        .map(|n| {
            let photo = pictures::pad(&photo, n as u64, BYTES);
            let capture = pictures::capture(&photo, "front");
            (photo, capture)
        })
        .collect();
    server.at_rest().await;
    let before = server.memory_kib() / 1024;
    server.forget_peak();
    let (begun, ticks) = (Instant::now(), server.ticks());
    let phones = photos
        .iter()
        .enumerate()
        .map(|(n, (photo, capture))| deliver(&mentors[n % mentors.len()], &households[n % mentors.len()], photo, capture));
    let captures: Vec<String> = futures_util::future::join_all(phones).await;
    let delivered = begun.elapsed().as_secs_f64();
    let spent = (server.ticks() - ticks) as f64 / 100.0;
    let what = format!("{PHONES} visits with 5 MB of media at once, delivered");
    row(&what, engine, format!("{:.0}/s, {spent:.1} s CPU", PHONES as f64 / delivered), "≥ 20/s");
    for (n, id) in captures.iter().enumerate() {
        // Derived within minutes, or the measurement fails: `until` waits 20 s for each.
        kilele_tests::until("a picture to be derived", async || {
            let head = mentors[n % mentors.len()].request(reqwest::Method::HEAD, &format!("/api/media/{id}/thumb"));
            (kilele_tests::Answer::of(head).await.status == 200).then_some(())
        })
        .await;
    }
    let all = begun.elapsed().as_secs_f64();
    let what = format!("… and derived (12 MP, {:.1} MB without padding)", taken as f64 / 1e6);
    row(&what, engine, format!("{:.1}/s", PHONES as f64 / all), "–");
    let most = server.peak_kib() / 1024;
    row("… largest memory of the server meanwhile", engine, format!("{most} MiB, {before} before"), "≤ 300 MiB");
}

/// Grain over a drawn scene, so that there is as much to decode as in a photo. Drawing it takes half a minute: kept.
fn photo() -> Vec<u8> {
    let path = std::env::temp_dir().join("kilele-bench-grain.jpg");
    if let Ok(kept) = std::fs::read(&path)
        && kept.ends_with(&[0xff, 0xd9])
    {
        return kept;
    }
    let grain = "<filter id='g'><feTurbulence type='fractalNoise' baseFrequency='0.9' numOctaves='2'/></filter>\
                 <rect width='100%' height='100%' filter='url(#g)' opacity='0.35'/></svg>";
    let scene = kilele_media::drawn::scene(7).replace("</svg>", grain);
    let photo = kilele_media::drawn::jpeg(&scene, 4000, 3000).unwrap();
    std::fs::write(path, &photo).unwrap();
    photo
}

async fn deliver(mentor: &Person, household: &Value, photo: &[u8], capture: &Value) -> String {
    let mut visit = mentor.visit(household);
    visit.body["evidence"][0] = capture.clone();
    assert_eq!(mentor.command("visit.submit", visit.body).await.ok()["status"], "applied");
    let location = mentor.create_upload(capture).await.header("location").to_owned();
    for (n, chunk) in photo.chunks(CHUNK).enumerate() {
        assert_eq!(mentor.patch(&location, n * CHUNK, chunk.to_vec()).await.status, 204);
    }
    capture["id"].as_str().unwrap().to_owned()
}
