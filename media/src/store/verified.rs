//! Bytes that are stored only when they have the hash they are to be stored under, in little memory.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::{MultipartUpload, PutMultipartOptions, PutOptions, PutPayload};
use sha2::{Digest, Sha256};

use super::{Store, StoreError, Variant};

/// The smallest part that S3 takes of a multipart upload, but for the last one. Smaller objects are put at once.
const PART: u64 = 5 << 20;

impl Store {
    /// Stores a stream of `length` bytes under its hash. Holds one part of 5 MiB (and a piece of the stream) at a
    /// time; readers see nothing before the hash has been compared.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] when length or hash differ, what the stream ends with, else `Unavailable` and its kin.
    pub async fn put_verified(
        &self,
        org: &str,
        sha256: &str,
        variant: Variant,
        length: u64,
        bytes: impl Stream<Item = Result<Bytes, StoreError>> + Send + Unpin,
    ) -> Result<(), StoreError> {
        let mut multipart = None;
        let done = self.put_parts(&mut multipart, (org, sha256, variant), length, bytes).await;
        if let (Err(_), Some(mut started)) = (&done, multipart) {
            // Best effort: what remains of it is invisible, and a lifecycle rule of the bucket ends it.
            drop(started.abort().await);
        }
        done
    }

    async fn put_parts(
        &self,
        multipart: &mut Option<Box<dyn MultipartUpload>>,
        (org, sha256, variant): (&str, &str, Variant),
        length: u64,
        mut bytes: impl Stream<Item = Result<Bytes, StoreError>> + Send + Unpin,
    ) -> Result<(), StoreError> {
        let key = self.key(org, sha256, variant)?;
        let attributes = self.attributes(variant);
        let (mut hash, mut seen) = (Sha256::new(), 0);
        let (mut part, mut held) = (Vec::new(), 0);
        while let Some(next) = bytes.next().await {
            let next = next?;
            hash.update(&next);
            seen += next.len() as u64;
            held += next.len() as u64;
            part.push(next);
            if seen > length {
                return Err(StoreError::Mismatch);
            }
            if held >= PART && seen < length {
                let upload = match multipart {
                    Some(upload) => upload,
                    None => {
                        let options = PutMultipartOptions { attributes: attributes.clone(), ..Default::default() };
                        multipart.insert(self.inner.put_multipart_opts(&key, options).await?)
                    }
                };
                upload.put_part(part.drain(..).collect()).await?;
                held = 0;
            }
        }
        if seen != length || hex(&hash.finalize()) != sha256 {
            return Err(StoreError::Mismatch);
        }
        let rest: PutPayload = part.into_iter().collect();
        match multipart {
            Some(upload) => {
                upload.put_part(rest).await?;
                upload.complete().await?;
            }
            None => {
                self.inner.put_opts(&key, rest, PutOptions { attributes, ..Default::default() }).await?;
            }
        }
        Ok(())
    }

    /// Length and sha256 (lower-case hex) of what is stored, read once from end to end.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn hash(&self, org: &str, sha256: &str, variant: Variant) -> Result<(u64, String), StoreError> {
        let (_, mut stream) = self.open_stream(org, sha256, variant).await?;
        let (mut hash, mut length) = (Sha256::new(), 0);
        while let Some(bytes) = stream.try_next().await? {
            hash.update(&bytes);
            length += bytes.len() as u64;
        }
        Ok((length, hex(&hash.finalize())))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
