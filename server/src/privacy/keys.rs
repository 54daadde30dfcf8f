//! Changing the keys that seal personal data: a new one is made, every copy of the server learns of it, then all that the
//! ones before sealed is sealed again and every look-up hash made anew, while the server goes on serving. Then the ones
//! before can be destroyed.

use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ops::progress::Progress;

pub use super::reseal::{Report, reseal};

/// How often a server looks for new keys, in milliseconds.
pub const READ_AGAIN: Millis = 30_000;
/// From making a key to its use.
pub const LEARN: Millis = 90_000;

/// Learns the keys as they are kept.
///
/// # Errors
/// When the database does not answer, or a key was not wrapped by this installation's secret.
pub async fn read(app: &App) -> Result<()> {
    let kept: Vec<(i64, String, Millis, Millis)> =
        app.db.query("SELECT id, wrapped, made_at, use_from FROM data_key ORDER BY id").all().await?;
    let now = app.clock.now();
    // One that was in use from the moment it was made stays so when this clock goes back behind that moment.
    let begun = |made: Millis, from: Millis| from <= now || made == from;
    let current = kept.iter().filter(|(.., made, from)| begun(*made, *from)).map(|(id, ..)| *id).max().unwrap_or(0);
    let kept: Vec<(i64, String)> = kept.into_iter().map(|(id, wrapped, ..)| (id, wrapped)).collect();
    app.crypto.set_ring(&kept, current).map_err(crate::error::Error::unexpected)
}

/// Makes a new key that is used from `LEARN` on, or at once when no other copy of the server runs. Answers from when.
pub async fn make(app: &App, at_once: bool) -> Result<Millis> {
    let now = app.clock.now();
    let from = if at_once { now } else { now + LEARN };
    let wrapped = app.crypto.new_data_key();
    app.db
        .write(move |tx| {
            Box::pin(
                tx.query("INSERT INTO data_key (id, wrapped, made_at, use_from) SELECT COALESCE(max(id), 0) + 1, $1, $2, $3 FROM data_key")
                    .bind(wrapped)
                    .bind(now)
                    .bind(from)
                    .run(),
            )
        })
        .await?;
    read(app).await?;
    Ok(from)
}

/// Of an installation that holds nobody's data yet: its first key, made by chance like all others, so that it too can be
/// destroyed. Without it the first key is derived from the installation's secret, and lives as long as that.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(app: &App) -> Result<()> {
    let (wrapped, now) = (app.crypto.new_data_key(), app.clock.now());
    let first = "INSERT INTO data_key (id, wrapped, made_at, use_from) SELECT 1, $1, $2, $2
                 WHERE NOT EXISTS (SELECT 1 FROM data_key) AND NOT EXISTS (SELECT 1 FROM organisation)
                 ON CONFLICT (id) DO NOTHING";
    app.db.write(move |tx| Box::pin(tx.query(first).bind(wrapped).bind(now).run())).await.map(drop)
}

/// How long the key in use must have been it before those before it are destroyed: no copy of the server, and no work
/// that began before, seals by them any more.
pub const SETTLED: Millis = 10 * 60_000;

/// What [`destroy`] did.
#[derive(Debug, Default, serde::Serialize)]
pub struct Destroyed {
    #[serde(flatten)]
    pub sealed: Report,
    pub destroyed: u64,
}

impl std::fmt::Display for Destroyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}{} keys destroyed", self.sealed, self.destroyed)
    }
}

/// Destroys all keys before the one in use, when nothing is sealed by them. Who has a backup of the table and the secret
/// has them still; the first key of an old installation follows from the secret alone.
///
/// # Errors
/// 409 `keys_in_use` while the key in use is too young.
pub async fn destroy(app: &App, progress: &Progress) -> Result<Destroyed> {
    read(app).await?;
    let now = app.clock.now();
    let newest: Option<(i64, Millis)> =
        app.db.query("SELECT id, use_from FROM data_key ORDER BY id DESC LIMIT 1").optional().await?;
    let Some((current, from)) = newest else { return Ok(Default::default()) };
    if now < from + SETTLED {
        let message = "The key in use is younger than ten minutes: others may still be needed.";
        return Err(Error::conflict("keys_in_use", message));
    }
    let mut sealed = reseal(app, progress).await?;
    // What was changed while it was walked; then nothing is left, or somebody still seals by an old key.
    let again = reseal(app, progress).await?;
    if again.records + again.events + again.others > 0 {
        return Err(Error::conflict("keys_in_use", "Something still seals by an older key. Try again later."));
    }
    sealed.households = again.households;
    let destroyed =
        app.db.write(move |tx| Box::pin(tx.query("DELETE FROM data_key WHERE id < $1").bind(current).run())).await?;
    read(app).await?;
    Ok(Destroyed { sealed, destroyed })
}
