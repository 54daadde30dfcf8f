//! Copies of all that an installation holds: made while it serves, proved, and put back. docs/operating.md is how people
//! use them; docs/adr/0015 says why they are of a form of their own.
//!
//! ```text
//! 20261129T220000Z-3f9ac1/manifest      what is in it, with hashes, signed by the installation
//! 20261129T220000Z-3f9ac1/database      the rows of every table, at one moment
//! 20261129T220000Z-3f9ac1/objects       one line for each stored picture
//! objects/{org}/{two}/{sha256}/{size}   the pictures: shared by all backups, only ever added
//! ```

mod age;
pub mod api;
mod bech32;
mod compare;
pub mod make;
pub mod moving;
mod place;
pub mod restore;
mod rows;
pub mod schedule;
mod source;
mod spool;
pub mod store;
mod target;
pub mod verify;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;

pub use age::{Identity, Recipient};
pub use place::{Place, when};

/// What is in a backup. Its text is signed: whoever changes a byte is found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the files: 1.
    pub form: u32,
    pub name: String,
    /// The moment that the database shows.
    pub made_at: Millis,
    /// Which version of Kilele made it.
    pub version: String,
    /// The newest migration of the database.
    pub migration: i64,
    /// `sqlite` or `postgres`; it goes into either.
    pub engine: String,
    /// Whether the files are sealed to recipients of age.
    pub sealed: bool,
    pub organisations: u64,
    pub rows: u64,
    pub database: File,
    pub objects: File,
    pub object_count: u64,
    pub object_bytes: u64,
    /// Pictures that the storage did not have, or not as they were stored, when the backup was made.
    pub missing: Vec<String>,
    /// Of a database alone: the pictures stay where they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rows_only: bool,
}

/// A file of a backup, as it lies there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    pub bytes: u64,
    pub sha256: String,
}

/// A stored picture in one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub org: Uuid,
    pub sha256: String,
    pub variant: String,
    pub bytes: i64,
    /// Of this size; of an original the same as `sha256`.
    pub hash: String,
}

impl Object {
    /// How it is named among the objects of a place.
    pub fn key(&self, sealed: bool) -> String {
        let end = if sealed { ".age" } else { "" };
        format!("{}/{}/{}{end}", self.folder(), self.sha256, self.variant)
    }

    /// The first two parts of where it lies.
    fn folder(&self) -> String {
        format!("objects/{}/{}", self.org, self.sha256.get(..2).unwrap_or_default())
    }

    /// How people read of it.
    pub fn title(&self) -> String {
        format!("{}/{}/{}", self.org, self.sha256, self.variant)
    }

    fn line(&self) -> String {
        format!("{} {} {} {} {}\n", self.org, self.sha256, self.variant, self.bytes, self.hash)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let mut next = || parts.next();
        Some(Self {
            org: next()?.parse().ok()?,
            sha256: next()?.to_owned(),
            variant: next()?.to_owned(),
            bytes: next()?.parse().ok()?,
            hash: next()?.to_owned(),
        })
    }
}
