//! The `kilele` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kilele::cli::run().await
}
