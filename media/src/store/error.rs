//! How asking for bytes can fail.

use std::fmt;

/// A store's answer that is not bytes.
#[derive(Debug)]
pub enum StoreError {
    /// Nothing is stored under that name.
    NotFound,
    /// The store did not answer, refused, or its disk is full: try again later.
    Unavailable(String),
    /// The pieces of an upload leave a hole at this offset in bytes.
    Gap(u64),
    /// The organisation, hash or upload id cannot be a name.
    BadName,
    /// The address of the store cannot be understood or its folder not made.
    BadUrl(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("nothing is stored under that name"),
            Self::Unavailable(why) => write!(f, "the media store is unavailable: {why}"),
            Self::Gap(offset) => write!(f, "the upload has a gap at byte {offset}"),
            Self::BadName => f.write_str("not a name for stored bytes"),
            Self::BadUrl(why) => write!(f, "the media address is wrong: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Unavailable(other.to_string()),
        }
    }
}
