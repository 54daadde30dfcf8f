//! From an address to a store.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::{Store, StoreError};

impl Store {
    /// Opens `file:///folder` (made when missing), `s3://bucket/prefix` or `memory:`.
    ///
    /// S3 takes keys, region, endpoint and the rest from `options`, by their usual names: `AWS_ACCESS_KEY_ID`,
    /// `AWS_ENDPOINT_URL` (a server of one's own, spoken to with the bucket in the path),
    /// `AWS_VIRTUAL_HOSTED_STYLE_REQUEST` (with the bucket in the host instead) and so on.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`]. Whether the store answers is for [`Store::canary`] to tell.
    pub fn open(url: &str, options: &[(String, String)]) -> Result<Self, StoreError> {
        if let Some(folder) = url.strip_prefix("file://") {
            let (inner, pieces) = (folder_store(folder, true)?, folder_store(folder, false)?);
            Ok(Self { pieces, folder: Some(folder.into()), ..Self::new(inner, "") })
        } else if let Some(rest) = url.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let bucket = bucket_store(name, options)?;
            Ok(Self { bucket: Some(bucket.clone()), ..Self::new(bucket, prefix) })
        } else if url == "memory:" {
            Ok(Self::new(Arc::new(InMemory::new()), ""))
        } else {
            Err(bad(format!("{url} is not file:///folder, s3://bucket/prefix or memory:")))
        }
    }
}

pub(super) fn folder_store(folder: &str, durable: bool) -> Result<Arc<dyn ObjectStore>, StoreError> {
    if folder.is_empty() {
        return Err(bad("file:// needs a folder"));
    }
    fs::create_dir_all(folder).map_err(|error| bad(format!("{folder}: {error}")))?;
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(bad)?
        // A phone deletes its copy on our receipt, so the bytes must survive a power cut.
        .with_fsync(durable)
        .with_automatic_cleanup(true);
    Ok(Arc::new(store))
}

pub(super) fn bucket_store(name: &str, options: &[(String, String)]) -> Result<Arc<AmazonS3>, StoreError> {
    if name.is_empty() {
        return Err(bad("s3:// needs a bucket"));
    }
    // A request of a phone waits for this: after a few tries it is told to come back, and jobs try again by themselves.
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2. };
    let retry = RetryConfig { backoff, max_retries: 3, retry_timeout: Duration::from_secs(15) };
    let client = ClientOptions::new().with_connect_timeout(Duration::from_secs(5)).with_timeout(Duration::from_secs(30));
    let mut builder = AmazonS3Builder::new().with_bucket_name(name).with_retry(retry).with_client_options(client);
    for (key, value) in options {
        let known: AmazonS3ConfigKey = key.to_ascii_lowercase().parse().map_err(bad)?;
        builder = builder.with_config(known, value);
    }
    let plain = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .filter_map(|key| builder.get_config_value(key))
        .any(|endpoint| endpoint.starts_with("http://"));
    Ok(Arc::new(builder.with_allow_http(plain).build().map_err(bad)?))
}

fn bad(why: impl ToString) -> StoreError {
    StoreError::BadUrl(why.to_string())
}
