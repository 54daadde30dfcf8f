//! The one error of the server, and the only place that chooses an HTTP status.

use std::fmt;

use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::{Deserialize, Serialize};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The code of a full disk: 503 where it is the database's, 507 where it is that of pictures.
const FULL: &str = "server_full";

/// What every refusal looks like on the wire. `code` is stable; the PWA translates it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub struct Problem {
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[oai(skip_serializing_if_is_none)]
    pub details: Option<serde_json::Value>,
}

/// A refusal with its status, or something unexpected that is logged once and leaves as a 500 without detail.
#[derive(Debug)]
pub struct Error {
    pub status: StatusCode,
    pub problem: Box<Problem>,
    pub retry_after: Option<u64>,
    cause: Option<Box<anyhow::Error>>,
}

impl Error {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let problem = Problem { code: code.into(), message: message.into(), field: None, details: None };
        Self { status, problem: Box::new(problem), retry_after: None, cause: None }
    }

    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// What the caller sent is well formed but against a rule.
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// A field of the body is wrong.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::refused("invalid", message).field(field)
    }

    pub fn unauthorised(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// Not there, or not for this caller: nobody learns which.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// The organisation does not use this part.
    pub fn module_off() -> Self {
        Self::new(StatusCode::NOT_FOUND, "module_off", "This organisation does not use this part of Kilele.")
    }

    pub fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub fn too_many(seconds: u64) -> Self {
        let message = format!("Too many attempts. Try again in {seconds} seconds.");
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
        error.retry_after = Some(seconds);
        error
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        error.retry_after = Some(2);
        error
    }

    /// The disk under the database is full: nothing was kept, and the same call goes through when there is room.
    pub fn database_full() -> Self {
        let message = "The server's disk is full: nothing was kept of this. Try again when there is room.";
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, FULL, message);
        error.retry_after = Some(60);
        error
    }

    /// Whether it is [`Self::database_full`].
    pub fn is_database_full(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.code() == FULL
    }

    pub fn unexpected(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on the server.");
        error.cause = Some(Box::new(cause.into()));
        error
    }

    pub fn field(mut self, field: &str) -> Self {
        self.problem.field = Some(field.into());
        self
    }

    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.problem.details = Some(details);
        self
    }

    pub fn code(&self) -> &str {
        &self.problem.code
    }

    /// The server's fault (or a passing one), not the caller's: try again later, remember nothing.
    pub fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    /// Logs what was unexpected; called once, where the error leaves the server.
    pub fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(error = %format!("{cause:#}"), "unexpected");
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{cause:#}"),
            None => f.write_str(&self.problem.message),
        }
    }
}

impl std::error::Error for Error {}

impl From<anyhow::Error> for Error {
    fn from(cause: anyhow::Error) -> Self {
        Self::unexpected(cause)
    }
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Self::unexpected(anyhow::Error::new(cause).context("JSON of our own"))
    }
}

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        match &cause {
            sqlx::Error::PoolTimedOut => Self::unavailable("The database is busy. Try again."),
            cause if crate::db::lost(cause) => {
                tracing::warn!(error = %cause, "the database was lost");
                Self::unavailable("The database does not answer. Try again.")
            }
            // Deadlock, serialisation failure, and SQLite's busy: the same call may go through a moment later.
            sqlx::Error::Database(db) if matches!(db.code().as_deref(), Some("40P01" | "40001" | "5" | "517")) => {
                Self::unavailable("The database is busy. Try again.")
            }
            sqlx::Error::Database(db) if crate::db::full(db.as_ref()) => Self::database_full(),
            // The disk under SQLite fails, or a PostgreSQL that only reads for now: a person must see to it, and what was
            // asked stands.
            sqlx::Error::Database(db) if crate::db::ailing(db.as_ref()) => {
                tracing::error!(error = %cause, "the database does not take changes");
                Self::unavailable("The database does not take changes. Try again.")
            }
            // A NUL in a text, which PostgreSQL cannot keep.
            sqlx::Error::Database(db) if db.code().as_deref() == Some("22021") => {
                Self::bad_request("invalid_text", "A text holds a character that cannot be stored.")
            }
            _ => Self::unexpected(anyhow::Error::new(cause).context("database")),
        }
    }
}

impl From<kilele_media::StoreError> for Error {
    fn from(cause: kilele_media::StoreError) -> Self {
        tracing::warn!(error = %cause, "media storage");
        if matches!(cause, kilele_media::StoreError::Full) {
            let message = "The server's disk for pictures is full. They stay on the phone until there is room.";
            let mut error = Self::new(StatusCode::INSUFFICIENT_STORAGE, FULL, message);
            error.retry_after = Some(60);
            return error;
        }
        Self::unavailable("The storage of pictures does not answer. Try again.")
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let mut response = Json(*self.problem).into_response();
        response.set_status(self.status);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }
}

impl From<Error> for poem::Error {
    fn from(error: Error) -> Self {
        poem::Error::from_response(error.into_response())
    }
}

/// Refusals of the framework itself (malformed bodies, unknown routes) in the same shape as ours.
pub async fn from_framework(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let status = error.status();
    let code = match status {
        StatusCode::BAD_REQUEST => "bad_request",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        status if status.is_client_error() => "bad_request",
        _ => return Error::unexpected(anyhow::anyhow!("{error}")).into_response(),
    };
    Error::new(status, code, error.to_string()).into_response()
}

const DOCUMENTED: [(u16, &str); 10] = [
    (400, "The request is malformed."),
    (401, "Not signed in, or the session has ended."),
    (403, "Signed in, but not allowed to do this."),
    (404, "Not there, or not for this caller."),
    (409, "In conflict with the present state."),
    (413, "Larger than allowed."),
    (415, "Not a type of body this operation takes."),
    (422, "Understood, but against a rule; `code` says which."),
    (429, "Too many attempts; `Retry-After` says when."),
    (503, "Overloaded or a part is down; `Retry-After` says when."),
];

impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        let response = |(status, description): (u16, &'static str)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: Json::<Problem>::CONTENT_TYPE, schema: Problem::schema_ref() }],
            headers: vec![],
        };
        MetaResponses { responses: DOCUMENTED.map(response).into() }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}
