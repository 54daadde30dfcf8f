//! The doors of media: uploads (tus 1.0) and pictures.

use kilele_media::Variant;
use poem::http::StatusCode;
use poem_openapi::param::{Header, Path};
use poem_openapi::{ApiResponse, Enum, OpenApi};
use uuid::Uuid;

use super::answers::{MaybeOctets, Shown, Tus};
use super::append::{Offer, append, resume, settled};
use super::pictures::{Asked, show};
use super::protocol::{ALGORITHMS, Checksum, EXTENSIONS, VERSION, evidence, speaks};
use super::turns::Turns;
use super::{LARGEST, tus};
use crate::app::App;
use crate::auth::Reader;
use crate::error::{Error, Result};
use crate::outbox::captures;
use crate::outbox::upload::Deliverer;
use crate::wire::Octets;

pub struct Api(pub App);

#[derive(ApiResponse)]
enum Spoken {
    /// What this server speaks.
    #[oai(status = 204)]
    Options(
        #[oai(header = "Tus-Version")] String,
        #[oai(header = "Tus-Extension")] String,
        #[oai(header = "Tus-Max-Size")] String,
        #[oai(header = "Tus-Checksum-Algorithm")] String,
    ),
}

#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum Size {
    Thumb,
    Card,
    Full,
}

impl From<Size> for Variant {
    fn from(size: Size) -> Self {
        match size {
            Size::Thumb => Self::Thumb,
            Size::Card => Self::Card,
            Size::Full => Self::Full,
        }
    }
}

#[OpenApi(tag = "crate::api::Tag::Media")]
impl Api {
    /// What the upload server speaks
    #[oai(path = "/api/uploads", method = "options", operation_id = "uploadOptions")]
    async fn options(&self) -> Spoken {
        Spoken::Options(VERSION.into(), EXTENSIONS.into(), LARGEST.to_string(), ALGORITHMS.into())
    }

    /// Start an upload
    ///
    /// `Upload-Metadata` carries `evidence` (its id, base64), which must have been announced by a command. Encrypted bytes
    /// also have `sealed` (base64 of `keyid.enc.sealed`) and are 16 longer than announced; anybody may carry those. The
    /// first bytes may come along. Bytes that are here already need not be sent: `Upload-Offset` is the length then.
    #[oai(path = "/api/uploads", method = "post", operation_id = "createUpload")]
    #[expect(clippy::too_many_arguments, reason = "each is a header of the protocol")]
    async fn create(
        &self,
        by: Deliverer,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
        #[oai(name = "Upload-Length")] length: Header<Option<i64>>,
        #[oai(name = "Upload-Defer-Length")] deferred: Header<Option<String>>,
        #[oai(name = "Upload-Metadata")] metadata: Header<Option<String>>,
        #[oai(name = "Upload-Checksum")] checksum: Header<Option<String>>,
        body: MaybeOctets,
    ) -> Result<Tus<201>> {
        speaks(version.0.as_deref())?;
        if deferred.0.is_some() {
            let message = "This server wants Upload-Length at once: a photo's length is known.";
            return Err(Error::bad_request("length_deferred", message));
        }
        let length = length.0.filter(|length| *length >= 0);
        let length = length.ok_or_else(|| Error::bad_request("length", "Upload-Length is a number of bytes."))?;
        let metadata = metadata.0.unwrap_or_default();
        let sealed = captures::of_metadata(&metadata);
        if sealed.is_none() {
            by.0.photographer()?;
        }
        if length > LARGEST + if sealed.is_some() { captures::TAG } else { 0 } {
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A file has at most 25 MB."));
        }
        let evidence = evidence(&metadata)?;
        let checksum = checksum.0.as_deref().map(Checksum::parse).transpose()?;
        let mut upload = tus::create(&self.0, &by.0, evidence, length, metadata, sealed).await?;
        if let Some(body) = body.0.filter(|_| !upload.done) {
            let (app, org, id) = (self.0.clone(), by.0.org, upload.id);
            let work = tokio::spawn(async move {
                let turn = Turns::take(&app, id).await?;
                let done = append(&app, org, upload, Offer { offset: 0, checksum, body }, turn).await;
                if done.is_err() {
                    // Its address reaches nobody.
                    drop(tus::drop_upload(&app, org, id).await);
                }
                done
            });
            upload = work.await.map_err(Error::unexpected)??;
        }
        // Relative, so that it is right behind any proxy.
        Ok(Tus::standing(&upload).with("Location", format!("/api/uploads/{}", upload.id)))
    }

    /// Where an upload stands
    #[oai(path = "/api/uploads/:id", method = "head", operation_id = "headUpload")]
    async fn head(
        &self,
        by: Deliverer,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
    ) -> Result<Tus<200>> {
        speaks(version.0.as_deref())?;
        let (mut upload, _turn) = settled(&self.0, &by.0, id.0).await?;
        if upload.received == upload.length && !upload.done {
            // All bytes came, and then something broke before they were stored: go on from there.
            resume(&self.0, by.0.org, &mut upload).await?;
        }
        let answer = Tus::standing(&upload).with("Upload-Length", upload.length.to_string());
        Ok(answer.with("Upload-Metadata", upload.metadata).with("Cache-Control", "no-store".into()))
    }

    /// Continue an upload
    ///
    /// What arrives before a cut is kept, unless `Upload-Checksum` came with it: then the chunk counts whole or not at
    /// all. After the last byte the hash of the whole is compared: 460 when it differs.
    #[oai(path = "/api/uploads/:id", method = "patch", operation_id = "patchUpload")]
    async fn patch(
        &self,
        by: Deliverer,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
        #[oai(name = "Upload-Offset")] offset: Header<i64>,
        #[oai(name = "Upload-Checksum")] checksum: Header<Option<String>>,
        body: Octets,
    ) -> Result<Tus<204>> {
        speaks(version.0.as_deref())?;
        if offset.0 < 0 {
            return Err(Error::bad_request("offset", "Upload-Offset is a number of bytes."));
        }
        let checksum = checksum.0.as_deref().map(Checksum::parse).transpose()?;
        let (upload, turn) = settled(&self.0, &by.0, id.0).await?;
        // In a task of its own: what arrived is kept even when the connection is gone.
        let (app, offer) = (self.0.clone(), Offer { offset: offset.0, checksum, body: body.0 });
        let work = tokio::spawn(async move { append(&app, by.0.org, upload, offer, turn).await });
        let upload = work.await.map_err(Error::unexpected)??;
        Ok(Tus::standing(&upload))
    }

    /// End an upload
    #[oai(path = "/api/uploads/:id", method = "delete", operation_id = "deleteUpload")]
    async fn delete(
        &self,
        by: Deliverer,
        id: Path<Uuid>,
        #[oai(name = "Tus-Resumable")] version: Header<Option<String>>,
    ) -> Result<Tus<204>> {
        speaks(version.0.as_deref())?;
        let (upload, _turn) = settled(&self.0, &by.0, id.0).await?;
        tus::drop_upload(&self.0, by.0.org, upload.id).await?;
        Ok(Tus::new(vec![]))
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
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
        #[oai(name = "Range")] range: Header<Option<String>>,
        #[oai(name = "If-Range")] if_range: Header<Option<String>>,
    ) -> Result<Shown> {
        let asked = Asked { head: false, if_none_match: if_none_match.0, range: range.0, if_range: if_range.0 };
        show(&self.0, &reader, id.0, size.0.into(), asked).await
    }

    /// What a picture is, without its bytes
    #[oai(path = "/api/media/:id/:size", method = "head", operation_id = "headMedia")]
    async fn head_media(
        &self,
        reader: Reader,
        id: Path<Uuid>,
        size: Path<Size>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Shown> {
        let asked = Asked { head: true, if_none_match: if_none_match.0, ..Asked::default() };
        show(&self.0, &reader, id.0, size.0.into(), asked).await
    }
}
