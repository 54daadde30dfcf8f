//! Where bytes live: a folder, S3 or memory, addressed by what they are.
//!
//! `{org}/{first two of sha256}/{sha256}/{variant}` for pictures, `uploads/{id}/{offset}` for
//! pieces of uploads in progress. Objects are only ever written whole: the same bytes under the same
//! name, so writing twice is harmless and no conditional put is needed.

mod chunks;
mod error;
mod open;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::path::{Path, PathPart};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

pub use chunks::Chunk;
pub use error::StoreError;

/// Which rendering of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    Original,
    Full,
    Card,
    Thumb,
}

impl Variant {
    /// The last part of the key, and the name in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Full => "full",
            Self::Card => "card",
            Self::Thumb => "thumb",
        }
    }
}

/// A handle to the bytes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.inner, self.prefix)
    }
}

impl Store {
    /// Over any object store, keys below `prefix` (`""` for none).
    pub fn new(inner: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self { inner, prefix: Path::from(prefix) }
    }

    /// Stores bytes whole; readers see nothing or all. On a folder they are on the disk when this
    /// returns.
    ///
    /// # Errors
    /// [`StoreError::BadName`] when `sha256` is not 64 lower-case hex digits, else `Unavailable`.
    pub async fn put(&self, org: &str, sha256: &str, variant: Variant, bytes: Bytes) -> Result<(), StoreError> {
        let key = self.key(org, sha256, variant)?;
        self.inner.put(&key, PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// All bytes of one object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it was never stored.
    pub async fn get(&self, org: &str, sha256: &str, variant: Variant) -> Result<Bytes, StoreError> {
        let key = self.key(org, sha256, variant)?;
        Ok(self.inner.get(&key).await?.bytes().await?)
    }

    /// Length in bytes and a stream of the object.
    ///
    /// # Errors
    /// As [`Store::get`]; the stream may end with `Unavailable`.
    pub async fn open_stream(
        &self,
        org: &str,
        sha256: &str,
        variant: Variant,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, StoreError>>), StoreError> {
        let key = self.key(org, sha256, variant)?;
        let found = self.inner.get(&key).await?;
        let stream = found.meta.size;
        Ok((stream, Box::pin(found.into_stream().map_err(StoreError::from))))
    }

    /// Length in bytes.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn head(&self, org: &str, sha256: &str, variant: Variant) -> Result<u64, StoreError> {
        let key = self.key(org, sha256, variant)?;
        Ok(self.inner.head(&key).await?.size)
    }

    /// Whether the object is there.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer: that is not "no".
    pub async fn exists(&self, org: &str, sha256: &str, variant: Variant) -> Result<bool, StoreError> {
        match self.head(org, sha256, variant).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes an object; one that is not there is as good as removed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delete(&self, org: &str, sha256: &str, variant: Variant) -> Result<(), StoreError> {
        let key = self.key(org, sha256, variant)?;
        self.remove(&key).await
    }

    /// Writes, reads and removes a small object: the store works, or why it does not.
    ///
    /// # Errors
    /// `Unavailable`, also when other bytes come back.
    pub async fn canary(&self) -> Result<(), StoreError> {
        // Copies of the server probe at the same time; a fresh hasher is seeded at random.
        let name = format!("{:016x}", RandomState::new().hash_one("canary"));
        let key = self.at(&["canary", &name]);
        let song = Bytes::from(name);
        self.inner.put(&key, PutPayload::from_bytes(song.clone())).await?;
        let heard = self.inner.get(&key).await?.bytes().await?;
        self.remove(&key).await?;
        if heard == song {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the store returned other bytes than it was given".into()))
        }
    }

    fn key(&self, org: &str, sha256: &str, variant: Variant) -> Result<Path, StoreError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if org.is_empty() || sha256.len() != 64 || !sha256.bytes().all(hex) {
            return Err(StoreError::BadName);
        }
        Ok(self.at(&[org, &sha256[..2], sha256, variant.as_str()]))
    }

    /// A path below the prefix. A part that holds `/` or `..` is escaped, never walked.
    fn at(&self, parts: &[&str]) -> Path {
        parts.iter().fold(self.prefix.clone(), |path, part| path.join(PathPart::from(*part)))
    }

    async fn remove(&self, key: &Path) -> Result<(), StoreError> {
        match self.inner.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
