//! The doors of media: uploads (tus 1.0) and pictures.

use kilele_media::{StoreError, Variant};
use poem::http::StatusCode;
use poem_openapi::param::{Header, Path};
use poem_openapi::{ApiResponse, Enum, OpenApi};
use uuid::Uuid;

use super::tus::{self, Upload};
use super::{LARGEST, State};
use crate::app::App;
use crate::auth::{Reader, Recorder};
use crate::error::{Error, Result};
use crate::wire::{Octets, Picture};

pub struct Api(pub App);

#[derive(ApiResponse)]
enum Spoken {
    /// What this server speaks.
    #[oai(status = 204)]
    Options(
        #[oai(header = "Tus-Resumable")] String,
        #[oai(header = "Tus-Version")] String,
        #[oai(header = "Tus-Extension")] String,
        #[oai(header = "Tus-Max-Size")] String,
    ),
}

/// Answers of the tus protocol; the bodies are empty.
#[derive(ApiResponse)]
enum Tus {
    /// Created; already complete when the offset equals the length.
    #[oai(status = 201)]
    Created(
        #[oai(header = "Tus-Resumable")] String,
        #[oai(header = "Location")] String,
        #[oai(header = "Upload-Offset")] String,
    ),
    /// Where the upload stands.
    #[oai(status = 200)]
    Stands(
        #[oai(header = "Tus-Resumable")] String,
        #[oai(header = "Upload-Offset")] String,
        #[oai(header = "Upload-Length")] String,
        #[oai(header = "Cache-Control")] String,
    ),
    /// Appended, or ended.
    #[oai(status = 204)]
    Moved(#[oai(header = "Tus-Resumable")] String, #[oai(header = "Upload-Offset")] Option<String>),
}

const VERSION: &str = "1.0.0";

#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum Size {
    Thumb,
    Card,
    Full,
}

#[OpenApi(tag = "crate::api::Tag::Media")]
impl Api {
    /// What the upload server speaks
    #[oai(path = "/api/uploads", method = "options", operation_id = "uploadOptions")]
    async fn options(&self) -> Spoken {
        Spoken::Options(VERSION.into(), VERSION.into(), "creation,termination".into(), LARGEST.to_string())
    }

    /// Start an upload
    ///
    /// `Upload-Metadata` carries `evidence` (its id, base64), which must have been announced by a command.
    #[oai(path = "/api/uploads", method = "post", operation_id = "createUpload")]
    async fn create(
        &self,
        by: Recorder,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
        #[oai(name = "Upload-Length")] length: Header<i64>,
        #[oai(name = "Upload-Metadata")] metadata: Header<String>,
    ) -> Result<Tus> {
        speaks(version.0)?;
        if length.0 > LARGEST {
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A file has at most 25 MB."));
        }
        let evidence = evidence_of(&metadata.0)?;
        let upload = tus::create(&self.0, &by, evidence, length.0).await?;
        // Relative, so that it is right behind any proxy.
        let location = format!("/api/uploads/{}", upload.id);
        Ok(Tus::Created(VERSION.into(), location, upload.received.to_string()))
    }

    /// Where an upload stands
    #[oai(path = "/api/uploads/:id", method = "head", operation_id = "headUpload")]
    async fn head(
        &self,
        by: Recorder,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
    ) -> Result<Tus> {
        speaks(version.0)?;
        let upload = tus::find(&self.0, &by, id.0).await?;
        if upload.received == upload.length {
            // All bytes came, and then something broke before they were stored: go on from there.
            tus::finish(&self.0, by.org, &upload).await?;
        }
        let Upload { received, length, .. } = upload;
        Ok(Tus::Stands(VERSION.into(), received.to_string(), length.to_string(), "no-store".into()))
    }

    /// Continue an upload
    ///
    /// What arrives before a cut is kept. After the last byte the hash is compared: 460 when it differs.
    #[oai(path = "/api/uploads/:id", method = "patch", operation_id = "patchUpload")]
    async fn patch(
        &self,
        by: Recorder,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
        #[oai(name = "Upload-Offset")] offset: Header<i64>,
        body: Octets,
    ) -> Result<Tus> {
        speaks(version.0)?;
        let upload = tus::find(&self.0, &by, id.0).await?;
        // In a task of its own: what arrived is kept even when the connection is gone.
        let work = tokio::spawn(tus::append(self.0.clone(), by, upload, offset.0, body.0));
        let offset = work.await.map_err(Error::unexpected)??;
        Ok(Tus::Moved(VERSION.into(), Some(offset.to_string())))
    }

    /// End an upload
    #[oai(path = "/api/uploads/:id", method = "delete", operation_id = "deleteUpload")]
    async fn delete(
        &self,
        by: Recorder,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
    ) -> Result<Tus> {
        speaks(version.0)?;
        let upload = tus::find(&self.0, &by, id.0).await?;
        tus::drop_upload(&self.0, by.org, upload.id).await?;
        Ok(Tus::Moved(VERSION.into(), None))
    }

    /// A picture in one of its sizes
    ///
    /// The bytes behind an address never change: cache them for ever.
    #[oai(path = "/api/media/:id/:size", method = "get", operation_id = "getMedia")]
    async fn media(
        &self,
        reader: Reader,
        id: Path<Uuid>,
        size: Path<Size>,
        #[oai(name = "If-None-Match")] known: Header<Option<String>>,
    ) -> Result<Picture> {
        let evidence = tus::viewable(&self.0, &reader, id.0).await?;
        match evidence.state {
            State::Ready => {}
            State::Quarantined => {
                let message = format!("This file is not shown: {}.", evidence.reason.unwrap_or_default());
                return Err(Error::new(StatusCode::NOT_FOUND, "quarantined", message));
            }
            _ => return Err(Error::conflict("not_ready", "The picture is not here yet, or not yet derived.")),
        }
        let (variant, name) = match size.0 {
            Size::Thumb => (Variant::Thumb, "thumb"),
            Size::Card => (Variant::Card, "card"),
            Size::Full => (Variant::Full, "full"),
        };
        let etag = format!("\"{}-{name}\"", &evidence.sha256[..32]);
        if known.0.is_some_and(|tags| tags.contains(&etag)) {
            return Ok(Picture { mime: "image/jpeg", etag, bytes: None });
        }
        let stored = self.0.store.get(&reader.org.to_string(), &evidence.sha256, variant).await;
        let bytes = stored.map_err(|error| match error {
            StoreError::NotFound => Error::unexpected(anyhow::anyhow!("{name} of evidence {} is not in the storage", id.0)),
            other => other.into(),
        })?;
        Ok(Picture { mime: "image/jpeg", etag, bytes: Some(bytes) })
    }
}

fn speaks(version: Option<String>) -> Result<()> {
    if version.is_some_and(|v| v != VERSION) {
        let message = "This server speaks tus 1.0.0.";
        return Err(Error::new(StatusCode::PRECONDITION_FAILED, "tus_version", message));
    }
    Ok(())
}

/// The `evidence` entry of `Upload-Metadata`: `key base64,key base64`.
fn evidence_of(metadata: &str) -> Result<Uuid> {
    let value = metadata.split(',').filter_map(|pair| pair.trim().split_once(' ')).find(|(key, _)| *key == "evidence");
    value
        .and_then(|(_, encoded)| crate::crypto::unb64(encoded))
        .and_then(|bytes| Uuid::parse_str(std::str::from_utf8(&bytes).ok()?).ok())
        .ok_or_else(|| Error::bad_request("metadata", "Upload-Metadata needs `evidence` with the id in base64."))
}
