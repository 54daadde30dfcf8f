//! How asking for bytes can fail.

use std::error::Error as _;
use std::fmt;
use std::io::ErrorKind;

/// A store's answer that is not bytes.
#[derive(Debug)]
pub enum StoreError {
    /// Nothing is stored under that name.
    NotFound,
    /// The store did not answer, or not as it should: try again later.
    Unavailable(String),
    /// The store answered and refuses us: wrong keys, or no such bucket. A person must look at the settings.
    Denied(String),
    /// The disk is full.
    Full,
    /// The pieces of an upload leave a hole at this offset in bytes.
    Gap(u64),
    /// The bytes do not have the hash they were to be stored under; nothing was stored.
    Mismatch,
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
            Self::Denied(why) => write!(f, "the media store refuses us: {why}"),
            Self::Full => f.write_str("the disk of the media store is full"),
            Self::Gap(offset) => write!(f, "the upload has a gap at byte {offset}"),
            Self::Mismatch => f.write_str("the bytes are not those of that hash"),
            Self::BadName => f.write_str("not a name for stored bytes"),
            Self::BadUrl(why) => write!(f, "the media address is wrong: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        match error {
            NotFound { .. } => Self::NotFound,
            PermissionDenied { source, .. } | Unauthenticated { source, .. } => Self::Denied(source.to_string()),
            other if full(&other) => Self::Full,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn full(error: &object_store::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(io, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named() {
        for (kind, is_full) in [(ErrorKind::StorageFull, true), (ErrorKind::QuotaExceeded, true), (ErrorKind::Other, false)]
        {
            let source = Box::new(std::io::Error::from(kind));
            let error = StoreError::from(object_store::Error::Generic { store: "disk", source });
            assert_eq!(matches!(error, StoreError::Full), is_full, "{kind:?}");
        }
    }
}
