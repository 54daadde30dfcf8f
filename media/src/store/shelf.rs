//! A place for files by name, such as backups: a folder or S3. Nothing is written over but by its own name.

use std::path::Path as File;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::io::AsyncReadExt;

use super::StoreError;
use super::open::{bucket_store, folder_store};

/// What is sent at once of a file: twice the smallest part that S3 takes.
const PART: usize = 10 << 20;

/// A handle; cheap to clone.
#[derive(Clone, Debug)]
pub struct Shelf {
    inner: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Shelf {
    /// Opens `file:///folder` (made when missing) or `s3://bucket/prefix`, as [`super::Store::open`] does.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn open(url: &str, options: &[(String, String)]) -> Result<Self, StoreError> {
        if let Some(folder) = url.strip_prefix("file://") {
            Ok(Self { inner: folder_store(folder, true)?, prefix: Path::default() })
        } else if let Some(rest) = url.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            Ok(Self { inner: bucket_store(name, options)?, prefix: Path::from(prefix) })
        } else {
            Err(StoreError::BadUrl(format!("{url} is not file:///folder or s3://bucket/prefix")))
        }
    }

    /// Stores bytes whole; on a folder they are on the disk when this returns.
    ///
    /// # Errors
    /// `Unavailable` and its kin.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.inner.put(&self.at(name), PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    /// Stores a file of this machine, a part at a time in memory; readers see nothing before its end.
    ///
    /// # Errors
    /// As [`Shelf::put`], and when the file cannot be read.
    pub async fn put_file(&self, name: &str, file: &File) -> Result<(), StoreError> {
        let mut file = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let first = part(&mut file).await?;
        if first.len() < PART {
            return self.put(name, first).await;
        }
        let mut upload = self.inner.put_multipart(&self.at(name)).await?;
        let mut next = first;
        while !next.is_empty() {
            if let Err(error) = upload.put_part(PutPayload::from_bytes(next)).await {
                // Best effort: what remains of it is invisible.
                drop(upload.abort().await);
                return Err(error.into());
            }
            next = part(&mut file).await?;
        }
        upload.complete().await?;
        Ok(())
    }

    /// All bytes of one file.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there.
    pub async fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        Ok(self.inner.get(&self.at(name)).await?.bytes().await?)
    }

    /// A file as a stream.
    ///
    /// # Errors
    /// As [`Shelf::get`]; the stream may end with `Unavailable`.
    pub async fn read(&self, name: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        Ok(self.inner.get(&self.at(name)).await?.into_stream().map_err(StoreError::from).boxed())
    }

    /// Names and lengths of all files below a folder, in no particular order; names begin with the folder's.
    ///
    /// # Errors
    /// `Unavailable` and its kin.
    pub async fn list(&self, folder: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let listed = self.inner.list(Some(&self.at(folder)));
        let prefix = self.prefix.clone();
        let named = listed.try_filter_map(|meta| {
            let parts: Option<Vec<String>> =
                meta.location.prefix_match(&prefix).map(|parts| parts.map(|part| part.as_ref().to_owned()).collect());
            futures_util::future::ready(Ok(parts.map(|parts| (parts.join("/"), meta.size))))
        });
        Ok(named.try_collect().await?)
    }

    /// The folders at the top, in the order of their names.
    ///
    /// # Errors
    /// As [`Shelf::list`].
    pub async fn folders(&self) -> Result<Vec<String>, StoreError> {
        let below = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let listed = self.inner.list_with_delimiter(below).await?;
        let last = |path: &Path| path.parts().next_back().map(|part| part.as_ref().to_owned());
        let mut names: Vec<String> = listed.common_prefixes.iter().filter_map(last).collect();
        names.sort();
        Ok(names)
    }

    /// Removes a file; one that is not there is as good as removed.
    ///
    /// # Errors
    /// `Unavailable` and its kin.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        match self.inner.delete(&self.at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Below the prefix; a part that is `..` is escaped, never walked.
    fn at(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

async fn part(file: &mut tokio::fs::File) -> Result<Bytes, StoreError> {
    let mut bytes = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut bytes).await.map_err(unreadable)?;
    Ok(bytes.into())
}

fn unreadable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
