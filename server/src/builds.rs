//! Scripts of earlier builds, kept in the data folder: a page that was opened before an update still finds its parts.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::crypto::{hex, sha256};

/// The builds before the one that runs.
const KEPT: usize = 5;
const ORDER: &str = "order";

/// Where earlier builds lie. Empty until the server has looked, and for command-line tools.
#[derive(Default)]
pub struct Builds(OnceLock<Vec<PathBuf>>);

impl Builds {
    /// Keeps the build that runs for later ones, forgets those beyond the last five, and serves the rest.
    ///
    /// # Errors
    /// When the folder cannot be written; the current build is served all the same.
    pub fn keep(&self, folder: &Path, files: impl Iterator<Item = (String, Vec<u8>)>) -> std::io::Result<()> {
        let assets: Vec<_> = files.filter(|(name, _)| name.starts_with("assets/")).collect();
        if assets.is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = assets.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        // Names hold their content's hash: the list of them names the build.
        let build = hex(&sha256(names.join("\n").as_bytes())[..8]);
        std::fs::create_dir_all(folder)?;
        let order = std::fs::read_to_string(folder.join(ORDER)).unwrap_or_default();
        let mut known: Vec<String> = order.lines().filter(|line| **line != build).map(str::to_owned).collect();
        write_build(&folder.join(&build), &assets)?;
        known.insert(0, build);
        for old in known.drain((KEPT + 1).min(known.len())..) {
            // A name from the file, so never more than a folder of ours.
            if old.len() == 16 && old.bytes().all(|b| b.is_ascii_hexdigit()) {
                std::fs::remove_dir_all(folder.join(old)).ok();
            }
        }
        replace(&folder.join(ORDER), known.join("\n").as_bytes())?;
        self.0.set(known[1..].iter().map(|name| folder.join(name)).collect()).ok();
        Ok(())
    }

    /// `path` is what a browser asked for.
    pub fn find(&self, path: &str) -> Option<Vec<u8>> {
        let name = path.strip_prefix("assets/")?;
        // One flat folder of plain names: nothing else is ever looked for on the disk.
        if name.is_empty()
            || name.starts_with('.')
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            return None;
        }
        self.0.get()?.iter().find_map(|folder| std::fs::read(folder.join(name)).ok())
    }
}

/// Complete or not there: a folder under its own name was written to the end.
fn write_build(folder: &Path, assets: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let making = folder.with_extension("making");
    std::fs::create_dir_all(&making)?;
    for (name, bytes) in assets {
        if let Some(name) = name.strip_prefix("assets/").filter(|name| !name.contains(['/', '\\'])) {
            std::fs::write(making.join(name), bytes)?;
        }
    }
    std::fs::rename(making, folder)
}

fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let making = file.with_extension("making");
    std::fs::write(&making, bytes)?;
    std::fs::rename(making, file)
}
