//! `kilele migrate-to`.

use anyhow::Result;
use clap::Args;

use super::{sure, text};
use crate::clock::Clock;
use crate::config::Config;
use crate::ops::backup::moving;
use crate::ops::progress::Progress;

const MOVING: &str = "\
Examples:
  kilele migrate-to postgres://kilele@db.example/kilele                       the rows; pictures stay where they are
  kilele migrate-to postgres://kilele@db.example/kilele --media s3://photos/kilele
  kilele migrate-to postgres://kilele@db.example/kilele --check               compare once more, copy nothing

Stop the server first. The password may stand in PGPASSWORD or ~/.pgpass instead of the address, the keys of the new
storage in AWS_….
Exit codes: 0 it is there, or both are the same; 1 nothing was changed, or they differ; 2 wrong use.";

/// Copy this SQLite installation into PostgreSQL, so that several copies of the server can share it
///
/// Every row, uploads under way included, is copied and read back before it counts; with --media every picture too.
/// Phones notice nothing: their feeds go on where they were. What the new database held is copied first; its place is
/// printed. The old database stays as it is.
#[derive(Args)]
#[command(after_help = MOVING)]
pub struct MigrateTo {
    /// The new database: postgres://user@host/name
    database: String,
    /// The new storage of pictures, file:///folder or s3://bucket/prefix; without it they stay where they are
    #[arg(long, value_name = "PLACE")]
    media: Option<String>,
    /// Copy nothing, only compare both row by row and picture by picture
    #[arg(long)]
    check: bool,
    /// Print what was moved as JSON
    #[arg(long)]
    json: bool,
    /// Do not ask, should the new database hold something
    #[arg(long)]
    yes: bool,
}

pub async fn move_up(command: MigrateTo) -> Result<()> {
    let config = Config::load()?;
    let to = moving::settings(&config, &command.database, command.media.as_deref())?;
    let (clock, progress) = (Clock::default(), Progress::shown());
    let moved = if command.check {
        moving::compare(&config, &to, &clock, &progress).await?
    } else {
        if let Some(held) = moving::occupied(&to).await? {
            sure(command.yes, &format!("{held}. Put this installation in their place?"))?;
        }
        moving::move_up(&config, &to, &clock, &progress).await?
    };
    drop(progress);
    print!("{}", text(&moved, command.json)?);
    anyhow::ensure!(moved.faults.is_empty(), "they are not the same");
    Ok(())
}
