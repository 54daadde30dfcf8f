//! From an address to a store.

use std::fs;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;

use super::{Store, StoreError};

impl Store {
    /// Opens `file:///folder` (made when missing), `s3://bucket/prefix` or `memory:`.
    ///
    /// S3 takes its keys, region and endpoint from the usual `AWS_…` variables; `AWS_ENDPOINT_URL`
    /// means a server of one's own, spoken to with the bucket in the path.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`]. Whether the store answers is for [`Store::canary`] to tell.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(folder) = url.strip_prefix("file://") {
            Ok(Self::new(folder_store(folder)?, ""))
        } else if let Some(rest) = url.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            Ok(Self::new(bucket_store(bucket)?, prefix))
        } else if url == "memory:" {
            Ok(Self::new(Arc::new(InMemory::new()), ""))
        } else {
            Err(bad(format!("{url} is not file:///folder, s3://bucket/prefix or memory:")))
        }
    }
}

fn folder_store(folder: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
    if folder.is_empty() {
        return Err(bad("file:// needs a folder"));
    }
    fs::create_dir_all(folder).map_err(|error| bad(format!("{folder}: {error}")))?;
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(bad)?
        // A phone deletes its copy on our receipt, so the bytes must survive a power cut.
        .with_fsync(true)
        .with_automatic_cleanup(true);
    Ok(Arc::new(store))
}

fn bucket_store(bucket: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
    if bucket.is_empty() {
        return Err(bad("s3:// needs a bucket"));
    }
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let plain = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .filter_map(|key| builder.get_config_value(key))
        .any(|endpoint| endpoint.starts_with("http://"));
    let store = builder.with_allow_http(plain).build().map_err(bad)?;
    Ok(Arc::new(store))
}

fn bad(why: impl ToString) -> StoreError {
    StoreError::BadUrl(why.to_string())
}
