//! How the world reads pairs, says that two are two, and has the register looked through again. Merging is a command.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Pair, State, look_now, store};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{HouseholdReader, Settler};
use crate::error::{Error, Result};
use crate::feed;
use crate::wire::{Page, Stored, page};

pub struct Api(pub App);

/// What a person decided of a pair.
#[derive(Object)]
pub struct Decision {
    /// Two households; `false` takes it back.
    pub distinct: bool,
}

/// How many households are being compared.
#[derive(Object)]
pub struct Looking {
    pub households: i64,
}

#[OpenApi(tag = "crate::api::Tag::Households")]
impl Api {
    /// Households that may be the same
    ///
    /// Pairs, the most alike first: those of which the caller sees both households.
    #[oai(path = "/api/duplicates", method = "get", operation_id = "listDuplicates")]
    async fn list(
        &self,
        reader: HouseholdReader,
        state: Query<Option<State>>,
        household: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Pair>>> {
        let wanted = store::Wanted {
            state: state.0.unwrap_or_default(),
            household: household.0,
            after: after.0,
            limit: limit.0.unwrap_or(50),
        };
        let (pairs, next) = store::list(&self.0, &reader, wanted).await?;
        Ok(page(Some(pairs.join(",")), next))
    }

    /// Say that two are two
    ///
    /// Remembered, so that nobody is asked again; and can be taken back. 409 `merged` when they were merged.
    #[oai(path = "/api/duplicates/:one/:other", method = "put", operation_id = "decideDuplicate")]
    async fn decide(
        &self,
        by: Settler,
        one: Path<Uuid>,
        other: Path<Uuid>,
        decision: Json<Decision>,
    ) -> Result<Json<Decision>> {
        let actor = self.actor(&by);
        let pair = store::ordered((one.0, other.0));
        let wanted = if decision.0.distinct { State::Distinct } else { State::Open };
        let work = self.0.db.write(move |tx| {
            Box::pin(async move {
                let known = store::known(tx, &by, pair).await?;
                let mut feeds = feed::lock(tx, actor.org, [known.here, known.there]).await?;
                let known = store::known(tx, &by, pair).await?;
                if known.state == State::Merged.as_str() {
                    return Err(Error::conflict("merged", "They were merged: undo that first."));
                }
                if known.state == wanted.as_str() {
                    return Ok(());
                }
                store::decide(tx, actor.org, pair, wanted.as_str(), by.id, actor.at).await?;
                let action = if wanted == State::Distinct { "duplicate.distinct" } else { "duplicate.reopen" };
                for (household, other, feed) in [(pair.0, pair.1, known.here), (pair.1, pair.0, known.there)] {
                    let said = serde_json::json!({ "other": other });
                    let change = (Some(&serde_json::json!({})), Some(&said));
                    audit::append(tx, &mut feeds, feed, &actor, action, ("household", household), change).await?;
                }
                Ok(())
            })
        });
        work.await?;
        Ok(decision)
    }

    /// Look for duplicates again
    ///
    /// Compares all households of the organisation; what is found is there a little later.
    #[oai(path = "/api/duplicates/look", method = "post", operation_id = "lookForDuplicates")]
    async fn look(&self, by: Settler) -> Result<Json<Looking>> {
        let actor = self.actor(&by);
        let work = self.0.db.write(move |tx| Box::pin(async move { look_now(tx, actor.org, actor.at).await }));
        let households = work.await?;
        self.0.jobs.notify_one();
        Ok(Json(Looking { households }))
    }
}

impl Api {
    fn actor(&self, by: &Settler) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }
}
