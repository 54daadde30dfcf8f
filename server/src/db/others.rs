//! Hints between copies of the server: of what one writes, the sockets of the others hear by LISTEN and NOTIFY.
//!
//! After the commit and not with it: PostgreSQL commits transactions that notify one after the other. A hint that is lost
//! costs nobody a record; phones look for news every few minutes anyway.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use super::Hint;
use crate::clock::new_id;

const CHANNEL: &str = "kilele_hint";
/// A payload has less than 8,000 bytes, and a hint at most 87.
const TOGETHER: usize = 80;
const AGAIN: Duration = Duration::from_secs(2);

/// Sends what is put into it to the other copies, and theirs to `hints`, until it is dropped.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn join(pool: PgPool, hints: broadcast::Sender<Hint>) -> sqlx::Result<mpsc::Sender<Hint>> {
    let me = new_id();
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    let listening = tokio::spawn(listen(listener, me, hints));
    let (tell, told) = mpsc::channel(1024);
    tokio::spawn(async move {
        speak(&pool, me, told).await;
        listening.abort();
    });
    Ok(tell)
}

async fn speak(pool: &PgPool, me: Uuid, mut told: mpsc::Receiver<Hint>) {
    let mut batch = Vec::new();
    while told.recv_many(&mut batch, TOGETHER).await > 0 {
        let said = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(written(me, &batch)).execute(pool).await;
        if let Err(error) = said {
            tracing::warn!(%error, "other copies of the server did not hear what has changed");
        }
        batch.clear();
    }
}

async fn listen(mut listener: PgListener, me: Uuid, hints: broadcast::Sender<Hint>) {
    loop {
        match listener.try_recv().await {
            Ok(Some(heard)) => read(me, heard.payload()).for_each(|hint| drop(hints.send(hint))),
            // The line was cut and is there again with the next call: whatever was said meanwhile was missed.
            Ok(None) => drop(hints.send(Hint::MISSED)),
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                tracing::warn!(%error, "what other copies of the server say is not heard");
                tokio::time::sleep(AGAIN).await;
                drop(hints.send(Hint::MISSED));
            }
        }
    }
}

fn written(me: Uuid, hints: &[Hint]) -> String {
    let mut text = me.simple().to_string();
    for Hint { org, feed, revision } in hints {
        text += &format!(";{},{},{revision}", org.simple(), feed.simple());
    }
    text
}

/// Those of somebody else; what cannot be read is of another version, and no harm.
fn read(me: Uuid, text: &str) -> impl Iterator<Item = Hint> {
    let mut parts = text.split(';');
    let own = parts.next().is_none_or(|from| from.parse() == Ok(me));
    parts.filter(move |_| !own).filter_map(|part| {
        let mut fields = part.split(',');
        Some(Hint {
            org: fields.next()?.parse().ok()?,
            feed: fields.next()?.parse().ok()?,
            revision: fields.next()?.parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_another_reads_and_itself_does_not() {
        let (me, other) = (new_id(), new_id());
        let hints: Vec<Hint> = (0..TOGETHER).map(|_| Hint { org: new_id(), feed: new_id(), revision: i64::MAX }).collect();
        let text = written(me, &hints);
        assert!(text.len() < 8_000, "{}", text.len());
        assert_eq!(read(other, &text).collect::<Vec<_>>(), hints);
        assert_eq!(read(me, &text).count(), 0);
        for spoilt in ["", ";", "x;y", &text[..text.len() - 40]] {
            assert!(read(other, spoilt).count() < TOGETHER);
        }
    }
}
