//! Two thousand devices that listen and hear nothing: what each costs the server in memory.

use std::time::Duration;

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::row;
use crate::server::Server;

const SOCKETS: usize = 2_000;

pub async fn measure(engine: &str, server: &Server) {
    let mentor = server.sign_in("amina.mentor").await;
    server.at_rest().await;
    let before = server.memory_kib();
    let mut sockets = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        let mut request = format!("ws://{}/api/live", server.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", mentor.token).parse().unwrap());
        let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
        let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true).await.unwrap();
        sockets.push(tokio::spawn(socket.for_each(|_| std::future::ready(()))));
    }
    // Past a ping and its answers.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(sockets.iter().all(|one| !one.is_finished()), "the server hung up");
    let held = server.memory_kib().saturating_sub(before);
    let each = held as f64 * 1024.0 / SOCKETS as f64;
    let measured = format!("{:.0} MB, {:.1} kB each", held as f64 * 1024.0 / 1e6, each / 1000.0);
    row("2,000 idle sockets", engine, measured, "≤ 100 MB");
    for socket in sockets {
        socket.abort();
    }
}
