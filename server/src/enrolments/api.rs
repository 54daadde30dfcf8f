//! How the world reads enrolments; they are written by commands.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use super::{Enrolment, State, store};
use crate::app::App;
use crate::auth::ProgrammeReader;
use crate::error::{Error, Result};
use crate::scope;
use crate::wire::{Page, Stored};

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// List enrolments
    ///
    /// By number, which is the order in which households applied.
    #[oai(path = "/api/enrolments", method = "get", operation_id = "listEnrolments")]
    async fn list(
        &self,
        reader: ProgrammeReader,
        state: Query<Option<State>>,
        programme: Query<Option<Uuid>>,
        household: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Enrolment>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        if !reader.capabilities.sees("enrolment") {
            return Err(Error::forbidden("This role does not read households."));
        }
        let wanted = store::Wanted {
            state: state.0,
            programme: programme.0,
            household: household.0,
            after: after.0,
            limit: limit.0.unwrap_or(50),
        };
        store::list(&self.0, &reader, wanted).await
    }

    /// One enrolment
    #[oai(path = "/api/enrolments/:id", method = "get", operation_id = "getEnrolment")]
    async fn get(&self, reader: ProgrammeReader, id: Path<Uuid>) -> Result<Stored<Enrolment>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "enrolment", id.0).await?))
    }
}
