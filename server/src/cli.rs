//! What `kilele` can be asked to do on the command line.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::{api, demo, server};

/// A field platform for graduation and community-development programmes.
///
/// Settings come from KILELE_* in the environment or from kilele.toml; the program runs with none set.
#[derive(Parser)]
#[command(name = "kilele", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the application; on an empty installation print the one-time set-up link
    Serve {
        /// On an empty installation, make the demo organisation first
        #[arg(long)]
        demo: bool,
    },
    /// Make the demo organisation in an empty installation
    Demo,
    /// Bring the database up to date and stop
    Migrate,
    /// Print the OpenAPI document
    Openapi,
}

/// Runs the command of this process; 0 when it went well, 1 when not.
pub async fn run() -> ExitCode {
    log();
    match act(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kilele: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn act(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { demo } => server::serve(Config::load()?, demo).await,
        Command::Demo => {
            let app = App::open(Config::load()?, Clock::default()).await?;
            demo::make(&app).await.map_err(anyhow::Error::from).context("making the demo organisation")
        }
        Command::Migrate => App::open(Config::load()?, Clock::default()).await.map(drop),
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
    }
}

/// `KILELE_LOG` filters (default `info`); lines are JSON when the output is not a terminal.
fn log() {
    use std::io::IsTerminal;
    let filter = std::env::var("KILELE_LOG").unwrap_or_else(|_| "info,sqlx=warn".into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.init() } else { builder.json().init() }
}
