//! The `kilele` binary.

use std::process::ExitCode;

/// Gives memory back to the system after pictures and passwords; the C library's allocator keeps it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    kilele::cli::run().await
}
