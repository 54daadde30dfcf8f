//! Payloads of our own: records as they are stored, and raw bytes of uploads.

use std::marker::PhantomData;

use poem::http::StatusCode;
use poem::{Body, IntoResponse, Request, RequestBody, Response};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object};
use serde::Serialize;

use crate::error::Error;

/// JSON that the database already holds as text, with the schema of `T`: never parsed, never written again.
pub struct Stored<T>(String, PhantomData<fn() -> T>);

impl<T> Stored<T> {
    pub fn new(json: String) -> Self {
        Self(json, PhantomData)
    }
}

impl<T: Type> Payload for Stored<T> {
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for Stored<T> {
    fn into_response(self) -> Response {
        Response::builder().content_type("application/json; charset=utf-8").body(self.0)
    }
}

impl<T: Type> ApiResponse for Stored<T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: Json::<T>::CONTENT_TYPE, schema: T::schema_ref() }];
        MetaResponses {
            responses: vec![MetaResponse {
                description: "",
                status: Some(200),
                status_range: None,
                content,
                headers: vec![],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A page of records; `next` goes into `after` for the one that follows.
#[derive(Object, Serialize)]
pub struct Page<T: Type + poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// A page from the database's own aggregate of record texts.
pub fn page<T>(items: Option<String>, next: Option<String>) -> Stored<T> {
    let next = serde_json::Value::from(next);
    Stored::new(format!("{{\"items\":[{}],\"next\":{next}}}", items.unwrap_or_default()))
}

/// The body of a tus PATCH.
pub struct Octets(pub Body);

impl Payload for Octets {
    const CONTENT_TYPE: &'static str = "application/offset+octet-stream";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }))
    }
}

impl<'a> ApiExtractor<'a> for Octets {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: Self::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if request.content_type() != Some(Self::CONTENT_TYPE) {
            let message = "The body of a PATCH is application/offset+octet-stream.";
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message).into());
        }
        Ok(Self(body.take()?))
    }
}

/// A picture whose address never shows other bytes; without bytes the caller has them already.
pub struct Picture {
    pub mime: &'static str,
    pub etag: String,
    pub bytes: Option<bytes::Bytes>,
}

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        let status = if self.bytes.is_some() { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
        Response::builder()
            .status(status)
            .content_type(self.mime)
            .header("cache-control", "private, max-age=31536000, immutable")
            .header("etag", self.etag)
            .header("content-disposition", "inline")
            .body(self.bytes.unwrap_or_default())
    }
}

impl ApiResponse for Picture {
    fn meta() -> MetaResponses {
        let binary = || MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }));
        let content = ["image/jpeg", "image/png", "application/pdf"]
            .map(|content_type| MetaMediaType { content_type, schema: binary() });
        let response = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let responses = vec![response(200, "The picture.", content.into()), response(304, "Not changed.", vec![])];
        MetaResponses { responses }
    }

    fn register(_registry: &mut Registry) {}
}

/// A paper made for whoever asks, kept by nobody on the way.
pub struct Pdf {
    /// Of the file, without its ending.
    pub name: String,
    pub bytes: bytes::Bytes,
}

impl IntoResponse for Pdf {
    fn into_response(self) -> Response {
        let name: String = self.name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        Response::builder()
            .content_type("application/pdf")
            .header("cache-control", "private, no-store")
            .header("content-disposition", format!("inline; filename=\"{name}.pdf\""))
            .body(self.bytes)
    }
}

impl ApiResponse for Pdf {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }));
        let content = vec![MetaMediaType { content_type: "application/pdf", schema }];
        let response =
            MetaResponse { description: "The paper.", status: Some(200), status_range: None, content, headers: vec![] };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}
