//! `GET /api/live`: hints over a WebSocket. A hint says which feed moved; the client pulls what it may see.
//!
//! A line may be dead without either end knowing. The server pings, and hangs up on whom it has not heard for a while;
//! a script sees no pings, so it says `beat` and hangs up when nothing comes back.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{Message, WebSocket, WebSocketConfig};
use poem::{IntoResponse, Request, Response, handler};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::App;
use crate::auth::{Reader, access};
use crate::db::{Hint, wall};
use crate::error::Result;

/// So many pings without a word: nobody is there.
const UNHEARD: u32 = 3;
/// What a client says to hear whether somebody is there, and what it hears.
const BEAT: &str = "beat";
/// Hints and beats have less than a hundred bytes; the buffers that are made unasked have 128 KiB for each socket.
const BUFFER: usize = 512;
/// Of what a client may send.
const LONGEST: usize = 1024;
/// Feeds and session are looked at again this often at least: a socket must not outlive either.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

#[handler]
pub async fn live(socket: WebSocket, request: &Request) -> Result<Response> {
    let reader = access::authenticate(request).await?;
    // A browser sends cookies with a socket from any site; it also says from which.
    if request.header("authorization").is_none() && !same_origin(request) {
        return Err(crate::error::Error::forbidden("The socket must come from the application itself."));
    }
    let app: App = request.data::<App>().cloned().ok_or_else(|| anyhow::anyhow!("no app in the request"))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(16 * 1024)
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    Ok(socket.config(config).on_upgrade(move |stream| serve(app, reader, stream)).into_response())
}

fn same_origin(request: &Request) -> bool {
    let host = request.header("x-forwarded-host").or_else(|| request.header("host"));
    let origin = request.header("origin").and_then(|o| o.split_once("://")).map(|(_, host)| host);
    origin.is_none() || origin == host || origin == request.header("host")
}

async fn serve(app: App, reader: Reader, stream: poem::web::websocket::WebSocketStream) {
    let (mut sink, mut source) = stream.split();
    let mut hints = app.db.hints();
    let Ok(mut feeds) = followed(&app, &reader).await else { return };
    let every = Duration::from_secs(app.config.live_ping_seconds.into());
    let mut ping = tokio::time::interval(every);
    let mut look = tokio::time::interval(LOOK_AGAIN);
    look.tick().await;
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            hint = hints.recv() => match hint {
                // Another village: what moves there is followed from here on, and what is there already is fetched.
                Ok(hint) if hint.is_of_other_feeds(reader.org, reader.id) => match followed(&app, &reader).await {
                    Ok(now) => {
                        feeds = now;
                        Message::text("{}")
                    }
                    Err(_) => return,
                },
                Ok(hint) if hint.org == reader.org && feeds.contains(&hint.feed) => {
                    Message::text(format!("{{\"feed\":\"{}\",\"revision\":{}}}", hint.feed, hint.revision))
                }
                // Some were missed: the client compares its cursors.
                Ok(Hint::MISSED) | Err(RecvError::Lagged(_)) => Message::text("{}"),
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            },
            _ = ping.tick() => match heard.elapsed() {
                silence if silence >= every * UNHEARD => return,
                _ => Message::ping(Vec::new()),
            },
            _ = look.tick() => {
                let alive = access::of_session(&app, reader.session).await.is_ok();
                match followed(&app, &reader).await {
                    Ok(now) if alive => feeds = now,
                    _ => return,
                }
                continue;
            }
            incoming = source.next() => match incoming {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(said)) => {
                    heard = Instant::now();
                    match said {
                        Message::Text(text) if text == BEAT => Message::text(BEAT),
                        _ => continue,
                    }
                }
            },
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

async fn followed(app: &App, reader: &Reader) -> Result<HashSet<Uuid>> {
    let query = app.db.query("SELECT feed FROM member_feed WHERE org = $1 AND member = $2").bind(reader.org).bind(reader.id);
    // A socket outlives its request: the wall is put up again.
    let rows: Vec<(Uuid,)> = wall::within(reader.org, query.all()).await?;
    Ok(rows.into_iter().map(|(feed,)| feed).collect())
}
