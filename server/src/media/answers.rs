//! Bodies and answers of uploads and pictures, with what the OpenAPI document says of them.

use poem::http::StatusCode;
use poem::{Body, IntoResponse, Request, RequestBody, Response};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};

use super::protocol::http_date;
use super::tus::Upload;
use crate::error::{Error, Problem};
use crate::wire::Octets;

/// The body of a POST that may bring the first bytes along.
pub struct MaybeOctets(pub Option<Body>);

impl<'a> ApiExtractor<'a> for MaybeOctets {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Octets::CONTENT_TYPE, schema: Octets::schema_ref() }];
        Some(MetaRequest { description: Some("The first bytes, or none."), content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let empty =
            request.header("transfer-encoding").is_none() && matches!(request.header("content-length"), None | Some("0"));
        if empty {
            return Ok(Self(None));
        }
        if request.content_type() != Some(Octets::CONTENT_TYPE) {
            let message = "The bytes of an upload are application/offset+octet-stream.";
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message).into());
        }
        Ok(Self(Some(body.take()?)))
    }
}

/// An answer of the tus protocol: headers and no body. What they all carry comes from [`super::protocol::Protocol`].
pub struct Tus<const STATUS: u16>(Vec<(&'static str, String)>);

impl<const STATUS: u16> Tus<STATUS> {
    pub fn new(headers: Vec<(&'static str, String)>) -> Self {
        Self(headers)
    }

    /// With where the upload stands, and when it goes if nobody continues it.
    pub fn standing(upload: &Upload) -> Self {
        let mut headers = vec![("Upload-Offset", upload.received.to_string())];
        if !upload.done {
            headers.push(("Upload-Expires", http_date(upload.expires_at)));
        }
        Self(headers)
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.0.push((name, value));
        self
    }
}

impl<const STATUS: u16> IntoResponse for Tus<STATUS> {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(StatusCode::from_u16(STATUS).unwrap_or_default());
        for (name, value) in self.0 {
            response = response.header(name, value);
        }
        response.finish()
    }
}

impl<const STATUS: u16> ApiResponse for Tus<STATUS> {
    fn meta() -> MetaResponses {
        let names: &[&str] = match STATUS {
            201 => &["Location", "Upload-Offset", "Upload-Expires"],
            200 => &["Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"],
            _ => &["Upload-Offset", "Upload-Expires"],
        };
        let header = |name: &&str| MetaHeader {
            name: (*name).to_owned(),
            description: None,
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let headers = ["Tus-Resumable"].iter().chain(names).map(header).collect();
        let answer = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let problem = || vec![MetaMediaType { content_type: Json::<Problem>::CONTENT_TYPE, schema: Problem::schema_ref() }];
        let responses = vec![
            MetaResponse { headers, ..answer(STATUS, "Done; the headers say where the upload stands.", vec![]) },
            answer(410, "The upload has expired.", problem()),
            answer(412, "Another version of tus; `Tus-Version` says which is spoken here.", problem()),
            answer(460, "Other bytes than their checksum says; they were discarded.", problem()),
            answer(507, "The server's disk is full, or too many uploads are under way.", problem()),
        ];
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

/// A picture, a part of it, or where to fetch it.
pub struct Shown {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub bytes: bytes::Bytes,
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if self.bytes.is_empty() { response.finish() } else { response.body(self.bytes) }
    }
}

impl ApiResponse for Shown {
    fn meta() -> MetaResponses {
        let binary = MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }));
        let picture = || vec![MetaMediaType { content_type: "image/jpeg", schema: binary.clone() }];
        let answer = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let responses = vec![
            answer(200, "The picture.", picture()),
            answer(206, "The asked range of it.", picture()),
            answer(302, "Fetch it from the storage itself, by this address that soon expires.", vec![]),
            answer(304, "Not changed.", vec![]),
            answer(416, "No byte of it is in the asked range; `Content-Range` says how long it is.", vec![]),
        ];
        MetaResponses { responses }
    }

    fn register(_registry: &mut Registry) {}
}
