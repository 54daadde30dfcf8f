//! How the world reads grants, their ledger and a programme's budget; they are written by commands.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::budget::{self, Budget, Entry};
use super::{Grant, State, store};
use crate::app::App;
use crate::auth::GrantReader;
use crate::error::{Error, Result};
use crate::scope;
use crate::wire::{Page, Stored};

pub struct Api(pub App);

#[derive(Object)]
struct Ledger {
    items: Vec<Entry>,
}

#[OpenApi(tag = "crate::api::Tag::Grants")]
impl Api {
    /// List grants
    ///
    /// By number, which is the order in which they were submitted.
    #[oai(path = "/api/grants", method = "get", operation_id = "listGrants")]
    async fn list(
        &self,
        reader: GrantReader,
        state: Query<Option<State>>,
        programme: Query<Option<Uuid>>,
        household: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Grant>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        if !reader.capabilities.sees("grant") {
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

    /// One grant
    #[oai(path = "/api/grants/:id", method = "get", operation_id = "getGrant")]
    async fn get(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Stored<Grant>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "grant", id.0).await?))
    }

    /// Every movement of a grant's money
    #[oai(path = "/api/grants/:id/ledger", method = "get", operation_id = "getGrantLedger")]
    async fn ledger(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Json<Ledger>> {
        scope::record(&self.0.db, &reader, "grant", id.0).await?;
        Ok(Json(Ledger { items: budget::entries(&self.0, reader.org, id.0).await? }))
    }

    /// A programme's money now
    #[oai(path = "/api/programmes/:id/budget", method = "get", operation_id = "getProgrammeBudget")]
    async fn budget(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Json<Budget>> {
        Ok(Json(budget::of(&self.0, reader.org, id.0).await?))
    }
}
