//! How the world reads trainings, and how their modules are kept; sessions are written by commands.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Module, ModuleFacts, State, Training, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{ProgrammeEditor, ProgrammeReader};
use crate::error::{Error, Result};
use crate::wire::{Page, Stored};
use crate::{places, scope};

pub struct Api(pub App);

/// What becomes of a module; `revision` is the one that was looked at, none when it is new.
#[derive(Object)]
struct SaveTrainingModule {
    module: ModuleFacts,
    revision: Option<i64>,
}

#[derive(Object)]
struct TrainingModules {
    items: Vec<Module>,
}

#[derive(Object)]
struct HouseholdTrainings {
    items: Vec<Training>,
}

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// All training modules
    #[oai(path = "/api/training/modules", method = "get", operation_id = "listTrainingModules")]
    async fn modules(&self, reader: ProgrammeReader) -> Result<Stored<TrainingModules>> {
        let items = places::stored(&self.0.db, reader.org, "training_module").await?.unwrap_or_default();
        Ok(Stored::new(format!("{{\"items\":[{items}]}}")))
    }

    /// Make a training module, or change it
    #[oai(path = "/api/training/modules/:id", method = "put", operation_id = "saveTrainingModule")]
    async fn save_module(
        &self,
        by: ProgrammeEditor,
        id: Path<Uuid>,
        wanted: Json<SaveTrainingModule>,
    ) -> Result<Json<Module>> {
        let SaveTrainingModule { module, revision } = wanted.0;
        module.check()?;
        let actor = Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() };
        let work =
            self.0.db.write(move |tx| Box::pin(async move { store::put_module(tx, &actor, id.0, module, revision).await }));
        Ok(Json(work.await?))
    }

    /// List training sessions
    ///
    /// By number, which is the order in which they were planned.
    #[oai(path = "/api/trainings", method = "get", operation_id = "listTrainings")]
    async fn list(
        &self,
        reader: ProgrammeReader,
        state: Query<Option<State>>,
        module: Query<Option<Uuid>>,
        place: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Training>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        demand_households(&reader)?;
        let wanted =
            store::Wanted { state: state.0, module: module.0, place: place.0, after: after.0, limit: limit.0.unwrap_or(50) };
        store::list(&self.0, &reader, wanted).await
    }

    /// One training session, with its roll
    #[oai(path = "/api/trainings/:id", method = "get", operation_id = "getTraining")]
    async fn get(&self, reader: ProgrammeReader, id: Path<Uuid>) -> Result<Stored<Training>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "training", id.0).await?))
    }

    /// The training sessions that a household was invited to, latest first
    #[oai(path = "/api/households/:id/trainings", method = "get", operation_id = "listHouseholdTrainings")]
    async fn of_household(&self, reader: ProgrammeReader, id: Path<Uuid>) -> Result<Stored<HouseholdTrainings>> {
        demand_households(&reader)?;
        scope::record(&self.0.db, &reader, "household", id.0).await?;
        let items = store::of_household(&self.0, &reader, id.0).await?;
        Ok(Stored::new(format!("{{\"items\":[{items}]}}")))
    }
}

/// Sessions name households.
fn demand_households(reader: &ProgrammeReader) -> Result<()> {
    match reader.capabilities.sees("training") {
        true => Ok(()),
        false => Err(Error::forbidden("This role does not read households.")),
    }
}
