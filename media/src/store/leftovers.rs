//! What a crash leaves in a folder beside the objects: files that were being written, under a name of their own (`…#1`).
//! No listing of objects shows them.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{fs, io};

use super::inventory::what;
use super::{Found, Store, StoreError};

/// A file that was never finished, or is being written now.
#[derive(Debug)]
pub struct Leftover {
    path: PathBuf,
    /// In bytes.
    pub length: u64,
    /// Milliseconds since 1970.
    pub modified: i64,
}

impl Store {
    /// All of them; none unless the store is a folder.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be read.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>, StoreError> {
        let Some(folder) = self.folder.clone() else { return Ok(Vec::new()) };
        let walked = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            walk(&folder, &mut Vec::new(), &mut found).map(|()| found)
        });
        walked.await.map_err(unavailable)?.map_err(unavailable)
    }

    /// Removes one; that it is gone already is fine.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove_leftover(&self, leftover: Leftover) -> Result<(), StoreError> {
        match tokio::fs::remove_file(leftover.path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unavailable(error)),
            _ => Ok(()),
        }
    }
}

/// `parts` leads from the store's folder to this one.
fn walk(folder: &Path, parts: &mut Vec<String>, found: &mut Vec<Leftover>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            parts.push(name);
            walk(&entry.path(), parts, found)?;
            parts.pop();
        } else if kind.is_file() && is_ours(parts, &name) {
            // Renamed meanwhile: it was finished.
            let Ok(known) = entry.metadata() else { continue };
            let modified = known.modified()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64);
            found.push(Leftover { path: entry.path(), length: known.len(), modified });
        }
    }
    Ok(())
}

/// The name of an object of ours with `#` and a number behind it.
fn is_ours(parts: &[String], name: &str) -> bool {
    let Some((object, number)) = name.rsplit_once('#') else { return false };
    let path: Vec<&str> = parts.iter().map(String::as_str).chain([object]).collect();
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && what(&path) != Found::Foreign
}

fn unavailable(why: impl ToString) -> StoreError {
    StoreError::Unavailable(why.to_string())
}
