//! How the world reads and writes grant policies.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Policy, PolicyFacts, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{PolicyEditor, ProgrammeReader};
use crate::error::Result;
use crate::places;
use crate::wire::Stored;

pub struct Api(pub App);

/// What becomes of a policy; `revision` is the one that was looked at, none when it is new.
#[derive(Object)]
struct SavePolicy {
    policy: PolicyFacts,
    revision: Option<i64>,
}

#[derive(Object)]
struct Policies {
    items: Vec<Policy>,
}

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// All grant policies
    #[oai(path = "/api/policies", method = "get", operation_id = "listPolicies")]
    async fn list(&self, reader: ProgrammeReader) -> Result<Stored<Policies>> {
        let items = places::stored(&self.0.db, reader.org, "policy").await?.unwrap_or_default();
        Ok(Stored::new(format!("{{\"items\":[{items}]}}")))
    }

    /// Make a grant policy, or its next version
    ///
    /// Grants that are under way keep the version they were made under.
    #[oai(path = "/api/policies/:id", method = "put", operation_id = "savePolicy")]
    async fn save(&self, by: PolicyEditor, id: Path<Uuid>, wanted: Json<SavePolicy>) -> Result<Json<Policy>> {
        let SavePolicy { mut policy, revision } = wanted.0;
        policy.check()?;
        let actor = Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() };
        let work = self.0.db.write(move |tx| Box::pin(async move { store::put(tx, &actor, id.0, policy, revision).await }));
        Ok(Json(work.await?))
    }
}
