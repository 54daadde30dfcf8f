//! Addresses by which a browser fetches an object from S3 itself, for a short while.

use std::time::Duration;

use object_store::signer::{Method, SignedUrlOptions, Signer};

use super::{Store, StoreError, Variant};

/// Longer than any page takes to load its pictures, shorter than an address is passed on.
pub const LONGEST: Duration = Duration::from_secs(300);

impl Store {
    /// An address that whoever has it may GET until `lifetime` (at most 5 minutes) is over; `None` unless on S3.
    ///
    /// # Errors
    /// [`StoreError::BadName`], or `Unavailable` when the credentials cannot be had.
    pub async fn signed_url(
        &self,
        org: &str,
        sha256: &str,
        variant: Variant,
        lifetime: Duration,
    ) -> Result<Option<String>, StoreError> {
        let key = self.key(org, sha256, variant)?;
        let Some(bucket) = &self.bucket else { return Ok(None) };
        let options = SignedUrlOptions::new()
            .with_query([("response-content-disposition", "inline"), ("response-content-type", "image/jpeg")]);
        let url = bucket.signed_url_opts(Method::GET, &key, lifetime.min(LONGEST), &options).await?;
        Ok(Some(url.into()))
    }
}
