//! The `kilele` binary.

use std::process::ExitCode;

/// Gives memory back to the system a moment after pictures and passwords; the C library's allocator keeps it. The C
/// parts (the decoder, SQLite) use it too. Its settings stand in `.cargo/config.toml`.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    kilele::cli::run().await
}
