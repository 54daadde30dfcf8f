//! Where bytes live: a folder, S3 or memory, addressed by what they are.
//!
//! `{org}/{first two of sha256}/{sha256}/{variant}` for pictures, `uploads/{id}/{piece}` for
//! pieces of uploads in progress. Objects are only ever written whole, and a name never means other
//! bytes, so writing twice is harmless and no conditional put is needed.

mod error;
mod inventory;
mod leftovers;
mod open;
mod pieces;
mod shelf;
mod signed;
mod verified;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::path::{Path, PathPart};
use object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt, PutOptions, PutPayload};

pub use error::StoreError;
pub use inventory::{Found, Object};
pub use leftovers::Leftover;
pub use pieces::Piece;
pub use shelf::Shelf;

/// Which rendering of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    Original,
    Full,
    Card,
    Thumb,
}

impl Variant {
    /// The sizes that are made from an original, and shown.
    pub const DERIVED: [Self; 3] = [Self::Full, Self::Card, Self::Thumb];

    /// The last part of the key, and the name in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Full => "full",
            Self::Card => "card",
            Self::Thumb => "thumb",
        }
    }

    /// The variant of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Original, Self::Full, Self::Card, Self::Thumb].into_iter().find(|variant| variant.as_str() == name)
    }
}

/// A handle to the bytes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    /// The same place for pieces of uploads. In a folder they do not wait for the disk: no receipt is given for a piece,
    /// and one that a power cut took is noticed when the whole is hashed, so that the phone sends it again.
    pieces: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The same store once more when it is S3: it signs addresses, and keeps what an object is beside it.
    bucket: Option<Arc<AmazonS3>>,
    /// Where the folder is, when it is one.
    folder: Option<PathBuf>,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.inner, self.prefix)
    }
}

impl Store {
    /// Over any object store, keys below `prefix` (`""` for none).
    pub fn new(inner: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self { pieces: inner.clone(), inner, prefix: Path::from(prefix), bucket: None, folder: None }
    }

    /// Stores bytes whole; readers see nothing or all. On a folder they are on the disk when this
    /// returns.
    ///
    /// # Errors
    /// [`StoreError::BadName`] when `sha256` is not 64 lower-case hex digits, else `Unavailable`.
    pub async fn put(&self, org: &str, sha256: &str, variant: Variant, bytes: Bytes) -> Result<(), StoreError> {
        let key = self.key(org, sha256, variant)?;
        let options = PutOptions { attributes: self.attributes(variant), ..PutOptions::default() };
        self.inner.put_opts(&key, PutPayload::from_bytes(bytes), options).await?;
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

    /// Some bytes of an object, which must be there.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get_range(
        &self,
        org: &str,
        sha256: &str,
        variant: Variant,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, StoreError> {
        let key = self.key(org, sha256, variant)?;
        Ok(self.inner.get_range(&key, range).await?)
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
        match self.inner.put(&key, PutPayload::from_bytes(song.clone())).await {
            // A put that finds nothing: the bucket itself is missing.
            Err(object_store::Error::NotFound { .. }) => return Err(StoreError::Denied("there is no such bucket".into())),
            put => drop(put?),
        }
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

    /// What S3 tells a browser that comes by a signed address. Folders keep no such notes.
    fn attributes(&self, variant: Variant) -> Attributes {
        let mut attributes = Attributes::new();
        if self.bucket.is_some() && variant != Variant::Original {
            attributes.insert(Attribute::ContentType, "image/jpeg".into());
            attributes.insert(Attribute::ContentDisposition, "inline".into());
            attributes.insert(Attribute::CacheControl, "private, max-age=31536000, immutable".into());
        }
        attributes
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
