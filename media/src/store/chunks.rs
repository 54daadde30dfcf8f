//! Uploads in progress: each piece is an object of its own, so that any copy of the server, on a
//! folder or on S3, can take the next one.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::{Store, StoreError};

/// One stored piece of an upload: bytes `offset .. offset + length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub offset: u64,
    pub length: u64,
}

impl Store {
    /// Keeps the bytes of an upload that begin at `offset`. A piece never replaces a longer or shorter one at the same
    /// offset: a late request must not undo what came after it.
    ///
    /// # Errors
    /// [`StoreError::BadName`] for an empty id, else `Unavailable`.
    pub async fn put_chunk(&self, upload: &str, offset: u64, bytes: Bytes) -> Result<(), StoreError> {
        let key = self.chunk_key(upload, Chunk { offset, length: bytes.len() as u64 })?;
        self.inner.put(&key, PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// The pieces there are, by offset; none for an unknown upload.
    ///
    /// # Errors
    /// `Unavailable`, or [`StoreError::BadName`] for an empty id.
    pub async fn chunks(&self, upload: &str) -> Result<Vec<Chunk>, StoreError> {
        let folder = self.upload_folder(upload)?;
        let listed: Vec<_> = self.inner.list(Some(&folder)).try_collect().await?;
        let mut chunks: Vec<Chunk> = listed
            .iter()
            .filter_map(|object| {
                let offset = object.location.filename()?.split('-').next()?.parse().ok()?;
                Some(Chunk { offset, length: object.size })
            })
            .collect();
        chunks.sort_by_key(|chunk| (chunk.offset, chunk.length));
        Ok(chunks)
    }

    /// The upload's bytes from 0 on, one piece at a time in memory.
    ///
    /// Pieces that overlap (one was sent again, longer or shorter) are joined without doubling.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when a piece is missing between others; the stream may end with
    /// `Unavailable`.
    pub async fn read_chunks(&self, upload: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let mut end = 0;
        let mut parts = Vec::new();
        for chunk in self.chunks(upload).await? {
            if chunk.offset > end {
                return Err(StoreError::Gap(end));
            }
            let skip = end - chunk.offset;
            if skip < chunk.length {
                parts.push((self.chunk_key(upload, chunk)?, skip..chunk.length));
                end = chunk.offset + chunk.length;
            }
        }
        let inner = self.inner.clone();
        let read = stream::iter(parts).then(move |(key, range)| {
            let inner = inner.clone();
            async move { Ok(inner.get_range(&key, range).await?) }
        });
        Ok(read.boxed())
    }

    /// Removes all pieces of an upload; none is fine.
    ///
    /// # Errors
    /// `Unavailable`: some pieces may remain, ask again.
    pub async fn drop_chunks(&self, upload: &str) -> Result<(), StoreError> {
        for chunk in self.chunks(upload).await? {
            let key = self.chunk_key(upload, chunk)?;
            self.remove(&key).await?;
        }
        Ok(())
    }

    fn upload_folder(&self, upload: &str) -> Result<Path, StoreError> {
        if upload.is_empty() {
            return Err(StoreError::BadName);
        }
        Ok(self.at(&["uploads", upload]))
    }

    fn chunk_key(&self, upload: &str, chunk: Chunk) -> Result<Path, StoreError> {
        let name = format!("{:012}-{:09}", chunk.offset, chunk.length);
        Ok(self.upload_folder(upload)?.join(name))
    }
}
