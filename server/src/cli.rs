//! What `kilele` can be asked to do on the command line.

mod backups;
mod moving;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

use crate::app::App;
use crate::audit::Actor;
use crate::clock::Clock;
use crate::config::Config;
use crate::ops::doctor;
use crate::ops::progress::Progress;
use crate::platform::{Mode, mode};
use crate::privacy::keys;
use crate::{api, demo, media, outbox, server, states};

const EXAMPLES: &str = "\
Examples:
  kilele serve                        on an empty machine: prints the one-time set-up link
  kilele doctor                       what does this installation lack?
  kilele backup                       a copy of everything, while it serves
  kilele backup verify                prove the newest copy
  kilele migrate-to postgres://…      from one machine to many
  kilele admin reset amina.mentor     a link by which somebody chooses another password
  kilele completions bash             for ~/.bashrc: source <(kilele completions bash)

Exit codes: 0 it went well; 1 it failed, or something does not hold; 2 wrong use; 3 a part was refused.
Every setting: docs/settings.md. Running it: docs/operating.md.";

/// A field platform for graduation and community-development programmes.
///
/// Settings come from KILELE_* in the environment or from kilele.toml; the program runs with none set.
#[derive(Parser)]
#[command(name = "kilele", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the application; on an empty installation print the one-time set-up link
    #[command(
        after_help = "Examples:\n  kilele serve\n  kilele serve --demo\n  KILELE_LISTEN=0.0.0.0:8080 KILELE_PUBLIC_URL=https://app.example.org kilele serve\n\nExit codes: 0 it was told to stop; 1 it could not begin, the reason is printed; 2 wrong use."
    )]
    Serve {
        /// On an empty installation, make the demo organisation first
        #[arg(long)]
        demo: bool,
    },
    /// Make the demo organisation in an empty installation
    #[command(after_help = "Examples:\n  KILELE_DATA_DIR=./data/demo kilele demo")]
    Demo,
    /// Bring the database up to date and stop
    #[command(
        after_help = "Examples:\n  kilele migrate\n  KILELE_DATABASE_URL=postgres://kilele@db.example/kilele kilele migrate\n\nExit codes: 0 it is up to date; 1 it could not be brought there; 2 wrong use."
    )]
    Migrate,
    /// Print the OpenAPI document
    #[command(after_help = "Examples:\n  kilele openapi > openapi.json\n  kilele openapi | jq '.paths | keys'")]
    Openapi,
    /// Print the state diagrams of docs/states.md
    #[command(after_help = "Examples:\n  kilele states > docs/states.md")]
    States {
        /// Of one machine the phone's copy instead
        #[arg(long)]
        phone: Option<states::Copied>,
    },
    /// Bring in what was saved elsewhere
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Look after the stored pictures
    #[command(subcommand)]
    Media(Media),
    /// Change the keys that seal personal data
    #[command(subcommand)]
    Keys(Keys),
    /// What only whoever runs the server may do
    #[command(subcommand)]
    Admin(Admin),
    /// Prove that what is kept was not changed
    Verify {
        #[command(subcommand)]
        what: Verify,
    },
    /// One organisation or many
    #[command(subcommand)]
    Mode(ModeCommand),
    Backup(backups::Backup),
    Restore(backups::Restore),
    MigrateTo(moving::MigrateTo),
    /// Say what this installation lacks, and how to mend it
    ///
    /// Looks at the secret, the public address and its certificate, the clock, the disk, the database with its version,
    /// settings and migrations, the storage of pictures, push, the mail server, permissions, and the backups. Changes nothing.
    #[command(after_help = "\
Examples:
  kilele doctor
  kilele doctor --strict && kilele serve
  kilele doctor --json | jq '.findings[] | select(.state != \"good\")'

Exit codes: 0 nothing is bad (with --strict: and nothing is to be warned of); 1 something is; 2 wrong use.")]
    Doctor {
        /// End with 1 for warnings too
        #[arg(long)]
        strict: bool,
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what completes commands in a shell
    #[command(
        after_help = "Examples:\n  source <(kilele completions bash)\n  kilele completions fish > ~/.config/fish/completions/kilele.fish"
    )]
    Completions {
        shell: clap_complete::Shell,
    },
}

#[derive(Subcommand)]
enum ModeCommand {
    /// Say which mode it is, and how many rows of each table have an organisation
    #[command(after_help = "Examples:\n  kilele mode status\n  kilele mode status --json")]
    Status {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the same report, and go multi if every row has its organisation
    #[command(
        after_help = "Examples:\n  kilele mode activate\n\nExit codes: 0 it is multi; 1 rows without an organisation are named, nothing was changed; 2 wrong use."
    )]
    Activate,
    /// Go back to one: the selector goes, all data stays
    #[command(after_help = "Examples:\n  kilele mode rollback")]
    Rollback,
}

#[derive(Subcommand)]
enum Admin {
    /// End a person's password and sessions, and print the one-time link by which they choose another password
    #[command(
        after_help = "Examples:\n  kilele admin reset amina.mentor\n  kilele admin reset amina.mentor --second-step --yes\n  kilele admin reset amina.mentor --yes --json | jq -r .url\n\nExit codes: 0 the link is printed; 1 nobody signs in by this name, or nothing was changed; 2 wrong use."
    )]
    Reset {
        login: String,
        /// Also take the second step away, for who lost their authenticator
        #[arg(long)]
        second_step: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Print the link as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Make a new key, and seal again by it all that the ones before sealed
    ///
    /// The server may go on serving: the new key is used after 90 seconds, when every copy has learnt of it. Repeated
    /// after an interruption with --reseal, it goes on where it was.
    #[command(
        after_help = "Examples:\n  kilele keys rotate\n  kilele keys rotate --reseal           go on after an interruption"
    )]
    Rotate {
        /// No copy of the server runs: do not wait
        #[arg(long)]
        now: bool,
        /// Make no new key, only finish sealing by the newest
        #[arg(long)]
        reseal: bool,
        /// Print what was sealed again as JSON
        #[arg(long)]
        json: bool,
    },
    /// Destroy the keys before the one in use
    ///
    /// Ten minutes after a rotation, when nothing is sealed by them any more. Then what an older backup of the database
    /// holds sealed cannot be opened without that backup's own copy of the key.
    #[command(
        after_help = "Examples:\n  kilele keys destroy\n  kilele keys destroy --yes --json\n\nExit codes: 0 they are gone; 1 nothing was destroyed, the reason is printed; 2 wrong use."
    )]
    Destroy {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Print what was destroyed as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Verify {
    /// Walk the audit chains from the first event to the newest
    ///
    /// Ends with 1 when an event was changed, removed or added behind the server's back.
    #[command(
        after_help = "Examples:\n  kilele verify audit\n  kilele verify audit --org demo --json\n\nExit codes: 0 it holds; 1 it does not, each place is named; 2 wrong use."
    )]
    Audit {
        /// Only the organisation with this code
        #[arg(long)]
        org: Option<String>,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Media {
    /// Say what nobody needs any more, and remove it with --yes
    ///
    /// That is: uploads that nobody continued, their pieces, and derivatives of nothing. Originals are never removed.
    #[command(
        after_help = "Examples:\n  kilele media gc                       only say what would go\n  kilele media gc --yes"
    )]
    Gc {
        /// Remove it
        #[arg(long)]
        yes: bool,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Read and hash every stored picture; make missing and wrong derivatives anew
    ///
    /// They are made from the original, or from the full size when the original is lost. Ends with 1 when something is
    /// wrong and could not be repaired, such as a lost original. With the feature `heic`, iPhone photos that a server without
    /// it set aside are taken up again.
    #[command(
        after_help = "Examples:\n  kilele media verify\n  kilele media verify --no-repair --json | jq .findings\n\nExit codes: 0 every picture is whole, or was mended; 1 some are not; 2 wrong use."
    )]
    Verify {
        /// Only look, change nothing
        #[arg(long)]
        no_repair: bool,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Import {
    /// Deliver a copy of a phone's outbox ("Save a copy" on the phone)
    ///
    /// Needs the settings of the server (database, media, secret); the server may go on running meanwhile. Records that
    /// arrived before are recognised, so doing it twice is harmless.
    #[command(
        after_help = "Examples:\n  kilele import outbox kilele-outbox-2026-11-30.kilele\n  kilele import outbox copy.kilele --json\n\nExit codes: 0 everything has arrived; 1 the file could not be read to its end, or the server failed; 2 wrong\nuse; 3 some lines were refused, each is named with its reason."
    )]
    Outbox {
        /// kilele-outbox-….kilele
        file: PathBuf,
        /// Print nothing but how it ended, as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Some of it was refused.
const REFUSED: u8 = 3;

/// Runs the command of this process; 0 when it went well, 1 when not, 3 when a part was refused.
pub async fn run() -> ExitCode {
    log();
    match act(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kilele: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn act(command: Command) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Import { what: Import::Outbox { file, json } } => return import_outbox(&file, json).await,
        Command::Serve { demo } => server::serve(Config::load()?, demo).await,
        Command::Demo => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            demo::make(&app, &Progress::shown()).await.map_err(anyhow::Error::from).context("making the demo organisation")
        }
        Command::Media(command) => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            let (said, broken) = report(&app, command).await?;
            print!("{said}");
            anyhow::ensure!(broken == 0, "{broken} stored pictures are wrong and were not repaired");
            Ok(())
        }
        Command::Admin(Admin::Reset { login, second_step, yes, json }) => {
            sure(yes, &format!("End the password and all sessions of {login}?"))?;
            let app = App::open(Config::load()?, Clock::default()).await?;
            let url = reset(&app, &login, second_step).await?;
            println!("{}", if json { serde_json::json!({ "url": url }).to_string() } else { url });
            Ok(())
        }
        Command::Keys(Keys::Rotate { now, reseal, json }) => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            print!("{}", text(&rotate(&app, now, reseal).await?, json)?);
            Ok(())
        }
        Command::Keys(Keys::Destroy { yes, json }) => {
            sure(yes, "Destroy the keys before the one in use? Older backups then open only with their own copy of them.")?;
            let app = App::open(Config::load()?, Clock::default()).await?;
            let done = keys::destroy(&app, &Progress::shown()).await?;
            print!("{}", text(&done, json)?);
            Ok(())
        }
        Command::Verify { what: Verify::Audit { org, json } } => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            let (said, broken) = verify_audit(&app, org.as_deref(), json).await?;
            print!("{said}");
            anyhow::ensure!(broken == 0, "the audit does not hold in {broken} places");
            Ok(())
        }
        Command::Mode(command) => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            print!("{}", change_mode(&app, command).await?);
            Ok(())
        }
        Command::Migrate => App::open(Config::load()?, Clock::default()).await.map(drop),
        Command::Backup(command) => backups::backup(command).await,
        Command::Restore(command) => backups::put_back(command).await,
        Command::MigrateTo(command) => moving::move_up(command).await,
        Command::Doctor { strict, json } => {
            let report = doctor::examine(&Config::load()?, &Clock::default()).await;
            print!("{}", text(&report, json)?);
            let (bad, warnings) = (report.count(doctor::State::Bad), report.count(doctor::State::Warning));
            return Ok(if bad > 0 || strict && warnings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "kilele", &mut std::io::stdout());
            Ok(())
        }
        Command::States { phone } => {
            print!("{}", phone.map_or_else(states::page, states::phone));
            Ok(())
        }
        Command::Openapi => {
            let scratch = |name: &str| match name {
                "KILELE_DATABASE_URL" => Some("sqlite://:memory:".into()),
                "KILELE_MEDIA_URL" => Some("memory:".into()),
                "KILELE_SECRET" => Some(crate::crypto::b64(&[0; 32])),
                _ => None,
            };
            let app = App::open(Config::from(scratch)?, Clock::default()).await?;
            print!("{}", api::document(&app));
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn import_outbox(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    // Before the database is opened, or made where there is none: is there a file at all?
    std::fs::metadata(file).with_context(|| file.display().to_string())?;
    let app = App::open(Config::load()?, Clock::default()).await?;
    let mut told: Box<dyn std::io::Write + Send> =
        if json { Box::new(std::io::sink()) } else { Box::new(std::io::stdout()) };
    let report = outbox::import::import(&app, file, &mut *told).await?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => println!("{} arrived, {} refused", report.arrived, report.refused.len()),
    }
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// Runs a `media` command, arguments from its name on. Answers what is printed, and how much is wrong and stays so.
///
/// # Errors
/// For arguments that are none, and when storage or database do not answer.
pub async fn look_after(app: &App, args: &[&str]) -> anyhow::Result<(String, usize)> {
    match Cli::try_parse_from(["kilele", "media"].iter().chain(args))?.command {
        Command::Media(command) => report(app, command).await,
        _ => anyhow::bail!("not a media command"),
    }
}

/// Runs a `mode` command, arguments from its name on; for tests.
///
/// # Errors
/// For arguments that are none, and when going multi is refused.
pub async fn mode(app: &App, args: &[&str]) -> anyhow::Result<String> {
    match Cli::try_parse_from(["kilele", "mode"].iter().chain(args))?.command {
        Command::Mode(command) => change_mode(app, command).await,
        _ => anyhow::bail!("not a mode command"),
    }
}

async fn change_mode(app: &App, command: ModeCommand) -> anyhow::Result<String> {
    let mode = match command {
        ModeCommand::Status { json: true } => {
            let (mode, rows) = (mode::now(&app.db).await?.as_str(), mode::coverage(&app.db).await?);
            return Ok(serde_json::to_string_pretty(&serde_json::json!({ "mode": mode, "coverage": rows }))? + "\n");
        }
        ModeCommand::Status { .. } => None,
        ModeCommand::Activate => Some(Mode::Multi),
        ModeCommand::Rollback => Some(Mode::Single),
    };
    let mut said = mode::coverage(&app.db).await?.to_string();
    if let Some(mode) = mode {
        let org = mode::default_organisation(&app.db).await?;
        let actor = Actor { org, member: None, device: None, at: app.clock.now() };
        // The report is printed whether or not it is good enough.
        mode::set(app, actor, mode).await.map_err(|error| anyhow::anyhow!("{said}\n{error}"))?;
    }
    said.push_str(&format!("mode: {}\n", mode::now(&app.db).await?.as_str()));
    Ok(said)
}

async fn report(app: &App, command: Media) -> anyhow::Result<(String, usize)> {
    match command {
        Media::Gc { yes, json } => Ok((text(&media::gc::collect(app, yes, &Progress::shown()).await?, json)?, 0)),
        Media::Verify { no_repair, json } => {
            let report = media::verify::verify(app, !no_repair, &Progress::shown()).await?;
            Ok((text(&report, json)?, report.broken()))
        }
    }
}

/// The link by which a person, in however many organisations, chooses another password.
///
/// # Errors
/// When nobody has this login, and when the database does not answer.
pub async fn reset(app: &App, login: &str, second_step: bool) -> anyhow::Result<String> {
    let login = login.trim().to_lowercase();
    let now = app.clock.now();
    let member: Option<(uuid::Uuid, uuid::Uuid)> = app
        .db
        .query("SELECT m.org, m.id FROM member m JOIN account a ON a.id = m.account WHERE a.login = $1 AND m.active ORDER BY m.created_at LIMIT 1")
        .bind(login.as_str())
        .optional()
        .await?;
    let (org, member) = member.with_context(|| format!("nobody signs in as {login}"))?;
    let actor = crate::audit::Actor { org, member: None, device: None, at: now };
    let work = app
        .db
        .write(move |tx| Box::pin(async move { crate::auth::people::reset(tx, &actor, member, second_step, true).await }));
    let (token, _) = work.await?;
    Ok(format!("{}/join#{token}", app.config.public_url))
}

async fn rotate(app: &App, now: bool, reseal: bool) -> anyhow::Result<keys::Report> {
    let progress = Progress::shown();
    if !reseal {
        let from = keys::make(app, now).await?;
        let wait = (from - app.clock.now()).max(0).unsigned_abs().div_ceil(1000);
        if wait > 0 {
            eprintln!("The new key is used in {wait} seconds, when every copy of the server knows it.");
        }
        for second in 0..wait {
            progress.say("seconds", second, Some(wait));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    keys::read(app).await?;
    Ok(keys::reseal(app, &progress).await?)
}

/// What `verify audit` prints, and how many places do not hold.
///
/// # Errors
/// When there is no such organisation, and when the database does not answer.
pub async fn verify_audit(app: &App, org: Option<&str>, json: bool) -> anyhow::Result<(String, usize)> {
    let orgs: Vec<(uuid::Uuid, String)> = app
        .db
        .query("SELECT id, code FROM organisation WHERE $1 IS NULL OR code = $1 ORDER BY code")
        .bind(org)
        .all()
        .await?;
    anyhow::ensure!(org.is_none() || !orgs.is_empty(), "there is no such organisation");
    let (mut said, mut broken) = (String::new(), 0);
    let (progress, all) = (Progress::shown(), orgs.len() as u64);
    for (done, (id, code)) in orgs.into_iter().enumerate() {
        progress.say("organisations", done as u64, Some(all));
        let report = crate::audit::organisation(app, id, &code).await?;
        broken += report.broken.len();
        said += &text(&report, json)?;
    }
    Ok((said, broken))
}

/// Asks whoever sits there; without a person only `--yes` says so.
///
/// # Errors
/// When the answer is not yes.
fn sure(yes: bool, question: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    anyhow::ensure!(std::io::stdin().is_terminal(), "{question} Say so with --yes");
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    anyhow::ensure!(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"), "nothing was changed");
    Ok(())
}

fn text(report: &(impl serde::Serialize + std::fmt::Display), json: bool) -> anyhow::Result<String> {
    Ok(if json { serde_json::to_string_pretty(report)? + "\n" } else { report.to_string() })
}

/// `KILELE_LOG` filters (default `info`); lines are JSON when the output is not a terminal.
fn log() {
    let filter = std::env::var("KILELE_LOG").unwrap_or_else(|_| "info,sqlx=warn".into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.init() } else { builder.json().init() }
}
