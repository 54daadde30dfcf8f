//! Numbers for people (VIS-2026-00001): each given once, without a promise of no gaps.
//!
//! A copy of the server takes them in blocks, so that no two visits of an organisation wait for one counter's row.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;

use uuid::Uuid;

use crate::app::App;
use crate::error::Result;

const BLOCK: i64 = 20;

#[derive(Default)]
pub struct Numbers {
    left: Mutex<HashMap<(Uuid, String), Range<i64>>>,
}

/// The next number of a series, for example `VIS-2026-00042`. Not to be called inside a write transaction.
pub async fn next(app: &App, org: Uuid, series: &str) -> Result<String> {
    let year = chrono::DateTime::from_timestamp_millis(app.clock.now()).map_or(1970, |t| chrono::Datelike::year(&t));
    let name = format!("{series}-{year}");
    let key = (org, name.clone());
    if let Some(number) = taken(app, &key) {
        return Ok(format!("{name}-{number:05}"));
    }
    let wanted = name.clone();
    let (end,): (i64,) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                tx.query(
                    "INSERT INTO number_block (org, name, next) VALUES ($1, $2, 1 + $3)
                     ON CONFLICT (org, name) DO UPDATE SET next = number_block.next + $3 RETURNING next",
                )
                .bind(org)
                .bind(wanted)
                .bind(BLOCK)
                .one()
                .await
            })
        })
        .await?;
    let mut left = app.numbers.left.lock().expect("no panic while held");
    // Another task may have fetched a block meanwhile; the smaller remainder is dropped.
    left.insert(key, end - BLOCK + 1..end);
    Ok(format!("{name}-{:05}", end - BLOCK))
}

fn taken(app: &App, key: &(Uuid, String)) -> Option<i64> {
    app.numbers.left.lock().expect("no panic while held").get_mut(key)?.next()
}
