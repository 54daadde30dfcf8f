//! How the world reads groups; they are written by commands.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use super::{Group, State, store};
use crate::app::App;
use crate::auth::ProgrammeReader;
use crate::error::{Error, Result};
use crate::scope;
use crate::wire::{Page, Stored};

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// List business groups
    ///
    /// By number, which is the order in which they were formed.
    #[oai(path = "/api/groups", method = "get", operation_id = "listGroups")]
    async fn list(
        &self,
        reader: ProgrammeReader,
        programme: Query<Option<Uuid>>,
        state: Query<Option<State>>,
        place: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Group>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        if !reader.capabilities.sees("group") {
            return Err(Error::forbidden("This role does not read households."));
        }
        let wanted = store::Wanted {
            programme: programme.0,
            state: state.0,
            place: place.0,
            after: after.0,
            limit: limit.0.unwrap_or(50),
        };
        store::list(&self.0, &reader, wanted).await
    }

    /// One business group
    #[oai(path = "/api/groups/:id", method = "get", operation_id = "getGroup")]
    async fn get(&self, reader: ProgrammeReader, id: Path<Uuid>) -> Result<Stored<Group>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "group", id.0).await?))
    }
}
