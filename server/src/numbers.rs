//! Numbers for people (VIS-2026-00001): each given once, without a promise of no gaps.
//!
//! A copy of the server takes them in blocks, so that no two visits of an organisation wait for one counter's row.

use std::collections::HashMap;
use std::ops::Range;

use tokio::sync::Mutex;
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;

/// The first block of a series is small, so that a restart leaves a small gap; while numbers go fast, blocks grow.
const FIRST: i64 = 20;
const LARGEST: i64 = 640;

#[derive(Default)]
pub struct Numbers {
    blocks: Mutex<HashMap<(Uuid, String), Block>>,
}

struct Block {
    left: Range<i64>,
    next_size: i64,
}

/// The next number of a series, for example `VIS-2026-00042`. Not to be called inside a write transaction.
pub async fn next(app: &App, org: Uuid, series: &str) -> Result<String> {
    let year = chrono::DateTime::from_timestamp_millis(app.clock.now()).map_or(1970, |t| chrono::Datelike::year(&t));
    let name = format!("{series}-{year}");
    // Held while a block is fetched: those who wait for a number take theirs from it instead of a block each.
    let mut blocks = app.numbers.blocks.lock().await;
    let block = blocks.entry((org, name.clone())).or_insert(Block { left: 0..0, next_size: FIRST });
    let number = match block.left.next() {
        Some(number) => number,
        None => {
            let size = block.next_size;
            let end = take(app, org, name.clone(), size).await?;
            *block = Block { left: end - size + 1..end, next_size: (size * 2).min(LARGEST) };
            end - size
        }
    };
    Ok(format!("{name}-{number:05}"))
}

/// As [`next`], many at once, in order.
pub async fn many(app: &App, org: Uuid, series: &str, count: usize) -> Result<Vec<String>> {
    let year = chrono::DateTime::from_timestamp_millis(app.clock.now()).map_or(1970, |t| chrono::Datelike::year(&t));
    let name = format!("{series}-{year}");
    let count = count as i64;
    let end = take(app, org, name.clone(), count).await?;
    Ok((end - count..end).map(|number| format!("{name}-{number:05}")).collect())
}

/// Takes `size` numbers from the counter that all copies share; answers the first that was not taken.
async fn take(app: &App, org: Uuid, name: String, size: i64) -> Result<i64> {
    let (end,): (i64,) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                tx.query(
                    "INSERT INTO number_block (org, name, next) VALUES ($1, $2, 1 + $3)
                     ON CONFLICT (org, name) DO UPDATE SET next = number_block.next + $3 RETURNING next",
                )
                .bind(org)
                .bind(name)
                .bind(size)
                .one()
                .await
            })
        })
        .await?;
    Ok(end)
}
