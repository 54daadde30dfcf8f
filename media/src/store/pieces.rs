//! Pieces of uploads in progress: small objects that are joined when the last one has come.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::{Store, StoreError};

/// One stored piece of an upload: bytes `offset .. offset + length`. Its text is the last part of its key.
///
/// Every piece has a name of its own: a late or doubled request can never put other bytes in the place of those
/// that were acknowledged. Which pieces count is for the caller to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub offset: u64,
    pub length: u64,
    nonce: u64,
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.offset, self.length, self.nonce)
    }
}

impl FromStr for Piece {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(StoreError::BadName);
        let (offset, length, nonce) = (next()?, next()?, next()?);
        Ok(Self {
            offset: offset.parse().map_err(|_| StoreError::BadName)?,
            length: length.parse().map_err(|_| StoreError::BadName)?,
            nonce: u64::from_str_radix(nonce, 16).map_err(|_| StoreError::BadName)?,
        })
    }
}

impl Store {
    /// Keeps the bytes of an upload that begin at `offset`. In a folder a power cut may still take them.
    ///
    /// # Errors
    /// [`StoreError::BadName`] for an empty id, else `Unavailable` and its kin.
    pub async fn put_piece(&self, upload: &str, offset: u64, bytes: Vec<Bytes>) -> Result<Piece, StoreError> {
        let length = bytes.iter().map(|b| b.len() as u64).sum();
        // A fresh hasher is seeded at random.
        let piece = Piece { offset, length, nonce: RandomState::new().hash_one(upload) };
        self.pieces.put(&self.piece_key(upload, &piece)?, bytes.into_iter().collect::<PutPayload>()).await?;
        Ok(piece)
    }

    /// The bytes of these pieces, which must follow each other from 0 on; one piece at a time in memory.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when a piece is missing, at once or when the stream comes to it.
    pub fn read_pieces(
        &self,
        upload: &str,
        pieces: &[Piece],
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let mut end = 0;
        let mut parts = Vec::new();
        for piece in pieces {
            if piece.offset != end {
                return Err(StoreError::Gap(end));
            }
            end += piece.length;
            parts.push((self.piece_key(upload, piece)?, piece.offset));
        }
        let inner = self.inner.clone();
        let read = stream::iter(parts).then(move |(key, offset)| {
            let inner = inner.clone();
            async move {
                match inner.get(&key).await {
                    Ok(found) => Ok(found.bytes().await?),
                    Err(object_store::Error::NotFound { .. }) => Err(StoreError::Gap(offset)),
                    Err(other) => Err(other.into()),
                }
            }
        });
        Ok(read.boxed())
    }

    /// Removes these pieces; those that are gone already are fine.
    ///
    /// # Errors
    /// `Unavailable`: some may remain.
    pub async fn drop_pieces(&self, upload: &str, pieces: &[Piece]) -> Result<(), StoreError> {
        for piece in pieces {
            self.remove(&self.piece_key(upload, piece)?).await?;
        }
        Ok(())
    }

    /// Removes whatever there is of an upload, also pieces that nobody remembers.
    ///
    /// # Errors
    /// `Unavailable`: some may remain, ask again.
    pub async fn drop_upload(&self, upload: &str) -> Result<(), StoreError> {
        let folder = self.upload_folder(upload)?;
        let listed: Vec<_> = self.inner.list(Some(&folder)).try_collect().await?;
        for object in listed {
            self.remove(&object.location).await?;
        }
        Ok(())
    }

    fn upload_folder(&self, upload: &str) -> Result<Path, StoreError> {
        if upload.is_empty() {
            return Err(StoreError::BadName);
        }
        Ok(self.at(&["uploads", upload]))
    }

    fn piece_key(&self, upload: &str, piece: &Piece) -> Result<Path, StoreError> {
        Ok(self.upload_folder(upload)?.join(piece.to_string()))
    }
}
