//! How the world reads and proves signatures; they come by commands.

use kilele_media::{DrawError, Ink};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use uuid::Uuid;

use super::verify::{self, Verification};
use super::{Content, Signature};
use crate::app::App;
use crate::auth::Reader;
use crate::error::{Error, Result};
use crate::scope;
use crate::wire::{Picture, Stored};

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Signatures")]
impl Api {
    /// One signature
    #[oai(path = "/api/signatures/:id", method = "get", operation_id = "getSignature")]
    async fn get(&self, reader: Reader, id: Path<Uuid>) -> Result<Stored<Signature>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "signature", id.0).await?))
    }

    /// The signature's picture
    ///
    /// Drawn by the server from the strokes.
    #[oai(path = "/api/signatures/:id/picture", method = "get", operation_id = "getSignaturePicture")]
    async fn picture(&self, reader: Reader, id: Path<Uuid>) -> Result<Picture> {
        self.drawn(reader, id.0, "image/png", |ink| ink.png(800)).await
    }

    /// The signature's picture as PDF
    ///
    /// The same lines on a page cut to them, in their natural size.
    #[oai(path = "/api/signatures/:id/picture.pdf", method = "get", operation_id = "getSignaturePdf")]
    async fn pdf(&self, reader: Reader, id: Path<Uuid>) -> Result<Picture> {
        self.drawn(reader, id.0, "application/pdf", |ink| ink.pdf()).await
    }

    /// Prove a signature
    ///
    /// Checks text, strokes, hash, the device's and the server's signature, and the chain.
    #[oai(path = "/api/signatures/:id/verify", method = "get", operation_id = "verifySignature")]
    async fn verify(&self, reader: Reader, id: Path<Uuid>) -> Result<Json<Verification>> {
        scope::record(&self.0.db, &reader, "signature", id.0).await?;
        Ok(Json(verify::verify(&self.0, reader.org, id.0).await?))
    }
}

impl Api {
    async fn drawn(
        &self,
        reader: Reader,
        id: Uuid,
        mime: &'static str,
        draw: impl FnOnce(Ink) -> Result<Vec<u8>, DrawError> + Send + 'static,
    ) -> Result<Picture> {
        scope::record(&self.0.db, &reader, "signature", id).await?;
        let kept = verify::kept(&self.0, reader.org, id).await?;
        let ink = Content::parse(&kept.text()?)?.ink();
        let drawn = tokio::task::spawn_blocking(move || draw(ink)).await.map_err(Error::unexpected)?;
        let bytes = drawn.map_err(|e| Error::unexpected(anyhow::anyhow!("drawing a signature: {e}")))?;
        Ok(Picture { mime, etag: format!("\"{}\"", &kept.sha256[..32]), bytes: Some(bytes.into()) })
    }
}
