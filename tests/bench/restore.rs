//! A whole installation copied, proved and put back on another machine: a database of a gigabyte, a hundred thousand pictures.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use kilele_media::Variant;
use kilele_tests::Uuid;

use crate::server::Server;
use crate::{dashboard, row};

const DATABASE: u64 = 1_000_000_000;
const PICTURES: u64 = 100_000;
/// As large as a photo's three sizes are on the average.
const LENGTH: usize = 30_000;
const AT_ONCE: usize = 16;
const MARK: &str = "≤ 10 min";

pub async fn measure(engine: &str, mut server: Server) {
    let supervisor = server.sign_in("grace.supervisor").await;
    let mut bytes = 0;
    while bytes < DATABASE {
        dashboard::fill(&server, &supervisor).await;
        (_, bytes) = server.stored().await;
    }
    pictures(&server, supervisor.org().parse().unwrap()).await;
    server.stop();
    let copies = tempfile::tempdir().unwrap();
    let place = format!("file://{}", copies.path().display());
    let what = format!("{:.1} GB and {PICTURES} pictures of {} kB", bytes as f64 / 1e9, LENGTH / 1000);
    let took = |text: Duration| format!("{:.0} s", text.as_secs_f64());
    row(&format!("backup of {what}"), engine, took(run(&server, server.folder(), &["backup", "--to", &place])), "–");
    row("… the next one, of nothing new", engine, took(run(&server, server.folder(), &["backup", "--to", &place])), "–");
    row("… proved", engine, took(run(&server, server.folder(), &["backup", "verify", "--from", &place])), "–");
    // Another machine: nothing is there but the secret.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(server.folder().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
    if engine == "PostgreSQL" {
        server.database = Some(kilele_tests::new_database(None).await);
    }
    row("… put back", engine, took(run(&server, elsewhere.path(), &["restore", "--from", &place, "--yes"])), MARK);
}

/// Bytes of chance under the hash that they have, as the rows say.
async fn pictures(server: &Server, org: Uuid) {
    let app = server.app().await;
    let store = app.store.clone();
    let mut made = stream::iter(0..PICTURES)
        .map(|n| {
            let store = &store;
            async move {
                let mut bytes = vec![0; LENGTH];
                for (at, piece) in bytes.chunks_mut(8).enumerate() {
                    let noise = (n * 1_000_003 + at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
                    piece.copy_from_slice(&noise[..piece.len()]);
                }
                let sha256 = kilele::crypto::hex(&kilele::crypto::sha256(&bytes));
                store.put(&org.to_string(), &sha256, Variant::Original, bytes.into()).await.unwrap();
                sha256
            }
        })
        .buffer_unordered(AT_ONCE)
        .chunks(1_000);
    while let Some(hashes) = made.next().await {
        let work = app.db.write(move |tx| {
            Box::pin(async move {
                for sha256 in &hashes {
                    tx.query("INSERT INTO blob (org, sha256, bytes, stored_at) VALUES ($1, $2, $3, $4)")
                        .bind(org)
                        .bind(sha256.clone())
                        .bind(LENGTH as i64)
                        .bind(1_796_000_000_000_i64)
                        .later()
                        .await?;
                }
                Ok(())
            })
        });
        work.await.unwrap();
    }
}

fn run(server: &Server, folder: &Path, arguments: &[&str]) -> Duration {
    let mut command: Command = server.program(folder);
    let begun = Instant::now();
    let status = command.args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{arguments:?}: {status}");
    begun.elapsed()
}
