//! Everything that is stored, by what it is: for counting, checking and clearing away.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, PutPayload};

use super::{Store, StoreError, Variant};

/// What an object is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A piece of an upload.
    Piece { upload: String },
    /// A picture in one of its sizes.
    Picture { org: String, sha256: String, variant: Variant },
    /// What a probe left behind when it was interrupted.
    Canary,
    /// Not one of ours: never touched.
    Foreign,
}

/// One stored object.
#[derive(Clone, Debug)]
pub struct Object {
    pub what: Found,
    /// In bytes.
    pub length: u64,
    /// Milliseconds since 1970, by the store's clock.
    pub modified: i64,
    location: object_store::path::Path,
}

impl Store {
    /// All objects, in no particular order.
    pub fn inventory(&self) -> BoxStream<'static, Result<Object, StoreError>> {
        let prefix = self.prefix.clone();
        let below = (!prefix.as_ref().is_empty()).then_some(prefix.clone());
        let listed = self.inner.list(below.as_ref()).map_err(StoreError::from);
        listed
            .map_ok(move |meta| {
                let parts: Vec<String> =
                    meta.location.prefix_match(&prefix).into_iter().flatten().map(|p| p.as_ref().to_owned()).collect();
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                Object {
                    what: what(&parts),
                    length: meta.size,
                    modified: meta.last_modified.timestamp_millis(),
                    location: meta.location,
                }
            })
            .boxed()
    }

    /// Copies an object that the inventory named into another store, under the same name there, and reads it back. Answers
    /// whether it came back as it is here.
    ///
    /// # Errors
    /// `Unavailable` and its kin, of either store.
    pub async fn carry(&self, object: &Object, to: &Self) -> Result<bool, StoreError> {
        let bytes = self.inner.get(&object.location).await?.bytes().await?;
        let below = object.location.prefix_match(&self.prefix).into_iter().flatten();
        let key = below.fold(to.prefix.clone(), |path, part| path.join(part));
        to.inner.put(&key, PutPayload::from_bytes(bytes.clone())).await?;
        Ok(to.inner.get(&key).await?.bytes().await? == bytes)
    }

    /// Removes an object that the inventory named.
    ///
    /// # Errors
    /// `Unavailable` and its kin.
    pub async fn remove_object(&self, object: &Object) -> Result<(), StoreError> {
        self.remove(&object.location).await
    }
}

pub(super) fn what(parts: &[&str]) -> Found {
    match parts {
        ["uploads", upload, _] => Found::Piece { upload: (*upload).to_owned() },
        ["canary", _] => Found::Canary,
        [org, two, sha256, variant] if sha256.len() == 64 && sha256.starts_with(two) => match Variant::named(variant) {
            Some(variant) => Found::Picture { org: (*org).to_owned(), sha256: (*sha256).to_owned(), variant },
            None => Found::Foreign,
        },
        _ => Found::Foreign,
    }
}
