//! How the world reads visits; they are written by commands.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use super::{State, Visit, store};
use crate::app::App;
use crate::auth::VisitReader;
use crate::error::{Error, Result};
use crate::scope;
use crate::wire::{Page, Stored};

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Visits")]
impl Api {
    /// List visits
    ///
    /// In the order they were submitted, oldest first; those not yet submitted lead.
    #[oai(path = "/api/visits", method = "get", operation_id = "listVisits")]
    async fn list(
        &self,
        reader: VisitReader,
        state: Query<Option<State>>,
        mentor: Query<Option<Uuid>>,
        household: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Visit>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        let wanted = store::Wanted {
            state: state.0,
            mentor: mentor.0,
            household: household.0,
            after: after.0,
            limit: limit.0.unwrap_or(50),
        };
        store::list(&self.0, &reader, wanted).await
    }

    /// One visit
    #[oai(path = "/api/visits/:id", method = "get", operation_id = "getVisit")]
    async fn get(&self, reader: VisitReader, id: Path<Uuid>) -> Result<Stored<Visit>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "visit", id.0).await?))
    }
}
