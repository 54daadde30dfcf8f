//! `kilele backup` and `kilele restore`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{sure, text};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::without_password;
use crate::ops::backup::{Identity, Place, make, restore, schedule, verify, when};
use crate::ops::progress::Progress;

const MAKING: &str = "\
Examples:
  kilele backup                                     to the place that KILELE_BACKUP_URL names
  kilele backup --to file:///mnt/disk/kilele        to another one
  kilele backup list
  kilele backup verify                              prove the newest
  kilele backup key                                 a pair of keys to seal backups with

Exit codes: 0 it is made, or all of it holds; 1 it failed, or something does not hold; 2 wrong use.";

/// Copy everything: make a backup while the server goes on, list, prove
///
/// Without a subcommand a backup is made: the rows of every table as they are at one moment, and each stored picture
/// that is not in that place yet. KILELE_BACKUP_RECIPIENTS seals it. The installation's secret is not in it.
#[derive(Args)]
#[command(after_help = MAKING, args_conflicts_with_subcommands = true)]
pub struct Backup {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    making: Making,
}

#[derive(Args)]
struct Making {
    /// Where it goes, instead of KILELE_BACKUP_URL: a folder, file:///folder or s3://bucket/prefix
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// The backups that are there, the oldest first
    #[command(after_help = "Examples:\n  kilele backup list\n  kilele backup list --from s3://copies/kilele --json")]
    List(From),
    /// Read all of a backup and put it into a database of its own: does every byte hold, and all that it says?
    ///
    /// Checks the files and every picture against their hashes, the rows against the rules of the database, the order of
    /// feeds, the chains of the audit, and every signature. Prints how old it is, and days without a backup.
    #[command(after_help = "\
Examples:
  kilele backup verify                              the newest
  kilele backup verify 20261129T220000Z-3f9ac1
  kilele backup verify --from /mnt/disk/kilele --identity backup-key.txt

Exit codes: 0 all of it holds; 1 something does not, and is named; 2 wrong use.")]
    Verify {
        #[command(flatten)]
        from: From,
        /// Not the newest, but this one
        name: Option<String>,
        #[command(flatten)]
        secret: Secret,
    },
    /// Make a pair of keys: the first line is for KILELE_BACKUP_RECIPIENTS, the last is to be kept far from the server
    #[command(after_help = "Examples:\n  kilele backup key > backup-key.txt")]
    Key,
}

#[derive(Args)]
struct From {
    /// Where it lies, instead of KILELE_BACKUP_URL
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Secret {
    /// The file with the secret of age that opens it, where backups are sealed
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Secret {
    fn read(&self) -> Result<Vec<Identity>> {
        let Some(path) = &self.identity else { return Ok(Vec::new()) };
        let name = || path.display().to_string();
        Identity::parse_file(&std::fs::read_to_string(path).with_context(name)?).with_context(name)
    }
}

const RESTORING: &str = "\
Examples:
  kilele restore                                    the newest backup of KILELE_BACKUP_URL
  kilele restore 20261129T220000Z-3f9ac1 --yes
  kilele restore --from /mnt/disk/kilele --identity backup-key.txt

Stop every server first, and put secret.key (or KILELE_SECRET) in its place.
Exit codes: 0 it is back; 1 nothing was changed, the reason is printed; 2 wrong use.";

/// Put a backup back, in the place of what is there
///
/// All of it is compared before anything changes. What is replaced is copied first; its place is printed. Phones then
/// begin anew and bring again what they delivered since the backup.
#[derive(Args)]
#[command(after_help = RESTORING)]
pub struct Restore {
    /// Not the newest, but this one
    name: Option<String>,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    secret: Secret,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub async fn backup(command: Backup) -> Result<()> {
    let config = Config::load()?;
    match command.what {
        None => {
            let place = Place::open(&config, command.making.to.as_deref())?;
            let app = App::open(config, Clock::default()).await?;
            let made = schedule::run(&app, Ok(place), &Progress::shown()).await??;
            print!("{}", text(&made, command.making.json)?);
            Ok(())
        }
        Some(What::List(from)) => list(&config, &from).await,
        Some(What::Verify { from, name, secret }) => {
            let place = Place::open(&config, from.from.as_deref())?;
            let identities = secret.read()?;
            let progress = Progress::shown();
            let report = verify::verify(&config, &Clock::default(), &place, name.as_deref(), &identities, &progress).await?;
            drop(progress);
            print!("{}", text(&report, from.json)?);
            anyhow::ensure!(report.faults.is_empty(), "{} is damaged", report.name);
            Ok(())
        }
        Some(What::Key) => {
            let (secret, recipient) = Identity::make()?;
            println!("# KILELE_BACKUP_RECIPIENTS={recipient}\n{secret}");
            Ok(())
        }
    }
}

async fn list(config: &Config, from: &From) -> Result<()> {
    let place = Place::open(config, from.from.as_deref())?;
    let crypto = crate::crypto::Crypto::open(config)?;
    let mut found = Vec::new();
    for name in place.names().await? {
        let (state, bytes) = match place.manifest(&crypto, &name).await {
            Ok(Some(manifest)) => ("whole", manifest.database.bytes + manifest.objects.bytes + manifest.object_bytes),
            Ok(None) => ("unfinished", 0),
            Err(_) => ("damaged", 0),
        };
        found.push(serde_json::json!({ "name": name, "made_at": when(&name), "state": state, "bytes": bytes }));
    }
    if from.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    for one in &found {
        let mb = one["bytes"].as_f64().unwrap_or_default() / 1e6;
        println!(
            "{}  {:>10} MB  {}",
            one["name"].as_str().unwrap_or_default(),
            format!("{mb:.1}"),
            one["state"].as_str().unwrap_or_default()
        );
    }
    println!("{} backups in {}", found.len(), place.url);
    Ok(())
}

pub async fn put_back(command: Restore) -> Result<()> {
    let config = Config::load()?;
    let place = Place::open(&config, command.from.from.as_deref())?;
    let identities = command.secret.read()?;
    let which = command.name.as_deref().unwrap_or("the newest backup");
    let database = without_password(&config.database_url);
    sure(command.yes, &format!("Put {which} of {} in the place of {database}?", place.url))?;
    let progress = Progress::shown();
    let done = restore::restore(&config, &Clock::default(), &place, command.name.as_deref(), &identities, &progress).await?;
    drop(progress);
    print!("{}", text(&done, command.from.json)?);
    Ok(())
}

/// What [`make::Made`] looks like to a person.
impl std::fmt::Display for make::Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        writeln!(f, "{} in {}", self.name, self.place)?;
        let Self { rows, objects, added, removed, .. } = self;
        writeln!(
            f,
            "{rows} rows, {objects} pictures, {added} of them new: {:.1} MB, {:.1} MB written",
            mb(self.bytes),
            mb(self.written)
        )?;
        if *removed > 0 {
            writeln!(f, "{removed} older backups were past their time and are removed")?;
        }
        self.missing.iter().try_for_each(|title| writeln!(f, "not in the storage: {title} (kilele media verify)"))?;
        if !self.sealed {
            writeln!(f, "It is not sealed: KILELE_BACKUP_RECIPIENTS (kilele backup key)")?;
        }
        writeln!(f, "Prove it with `kilele backup verify`. Keep secret.key elsewhere: it is not in the backup.")
    }
}
