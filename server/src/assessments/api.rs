//! How the world reads assessments; they are written by commands.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::Assessment;
use crate::app::App;
use crate::auth::ProgrammeReader;
use crate::error::Result;
use crate::scope;
use crate::wire::Stored;

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// One assessment, with how each factor counted
    #[oai(path = "/api/assessments/:id", method = "get", operation_id = "getAssessment")]
    async fn get(&self, reader: ProgrammeReader, id: Path<Uuid>) -> Result<Stored<Assessment>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "assessment", id.0).await?))
    }
}
