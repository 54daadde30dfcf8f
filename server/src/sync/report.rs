//! What a phone says of itself, for those who look after it; written only when it changed.

use super::Stats;
use crate::app::App;
use crate::auth::Reader;
use crate::clock::{MINUTE, Millis};
use crate::error::{Error, Result};

const MIB: i64 = 1 << 20;

pub async fn note(app: &App, reader: &Reader, mut stats: Stats) -> Result<()> {
    let offset = stats.clock_offset.take();
    // Rounded, so that a heartbeat with nothing new writes nothing.
    for bytes in [&mut stats.storage_used, &mut stats.storage_quota] {
        *bytes = bytes.map(|b| (b + MIB / 2) / MIB * MIB);
    }
    let text = serde_json::to_string(&stats)?;
    if text.len() > 500 {
        return Err(Error::bad_request("stats_too_large", "These figures are too long."));
    }
    let (device, account, now) = (reader.device, reader.account, app.clock.now());
    let kept: Option<(Option<String>, Option<Millis>)> = app
        .db
        .query("SELECT stats, clock_offset FROM device WHERE id = $1 AND account = $2")
        .bind(device)
        .bind(account)
        .optional()
        .await?;
    let (kept, known) = kept.unwrap_or_default();
    // The way there and back is in the offset: only a clock that was set counts as a change.
    let steady = match (known, offset) {
        (Some(known), Some(offset)) => known.abs_diff(offset) < MINUTE as u64,
        (_, offset) => offset.is_none(),
    };
    if kept.as_ref() == Some(&text) && steady {
        return Ok(());
    }
    let offset = if steady { known } else { offset };
    let update = "UPDATE device SET stats = $3, clock_offset = $4, reported_at = $5 WHERE id = $1 AND account = $2";
    app.db
        .write(move |tx| Box::pin(tx.query(update).bind(device).bind(account).bind(text).bind(offset).bind(now).run()))
        .await
        .map(drop)
}
