//! How the world reads and writes programmes and cycles.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Cycle, CycleFacts, Programme, ProgrammeFacts, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{Member, ProgrammeEditor, ProgrammeReader};
use crate::error::Result;
use crate::places;
use crate::wire::Stored;

pub struct Api(pub App);

/// What becomes of a programme; `revision` is the one that was looked at, none when it is new.
#[derive(Object)]
struct SaveProgramme {
    programme: ProgrammeFacts,
    revision: Option<i64>,
}

/// What becomes of a cycle; `revision` as in a programme.
#[derive(Object)]
struct SaveCycle {
    cycle: CycleFacts,
    revision: Option<i64>,
}

#[derive(Object)]
struct Programmes {
    items: Vec<Programme>,
    cycles: Vec<Cycle>,
}

#[OpenApi(tag = "crate::api::Tag::Programmes")]
impl Api {
    /// All programmes with their cycles
    #[oai(path = "/api/programmes", method = "get", operation_id = "listProgrammes")]
    async fn list(&self, reader: ProgrammeReader) -> Result<Stored<Programmes>> {
        let items = places::stored(&self.0.db, reader.org, "programme").await?.unwrap_or_default();
        let cycles = places::stored(&self.0.db, reader.org, "cycle").await?.unwrap_or_default();
        Ok(Stored::new(format!("{{\"items\":[{items}],\"cycles\":[{cycles}]}}")))
    }

    /// Make a programme or change it
    ///
    /// The id is made by the caller, so that it may ask again.
    #[oai(path = "/api/programmes/:id", method = "put", operation_id = "saveProgramme")]
    async fn save(&self, by: ProgrammeEditor, id: Path<Uuid>, wanted: Json<SaveProgramme>) -> Result<Json<Programme>> {
        let SaveProgramme { mut programme, revision } = wanted.0;
        programme.check()?;
        let actor = self.actor(&by);
        let work =
            self.0.db.write(move |tx| Box::pin(async move { store::put(tx, &actor, id.0, programme, revision).await }));
        Ok(Json(work.await?))
    }

    /// Make a cycle of a programme or change it
    #[oai(path = "/api/cycles/:id", method = "put", operation_id = "saveCycle")]
    async fn save_cycle(&self, by: ProgrammeEditor, id: Path<Uuid>, wanted: Json<SaveCycle>) -> Result<Json<Cycle>> {
        let SaveCycle { mut cycle, revision } = wanted.0;
        cycle.check()?;
        let actor = self.actor(&by);
        let work =
            self.0.db.write(move |tx| Box::pin(async move { store::put_cycle(tx, &actor, id.0, cycle, revision).await }));
        Ok(Json(work.await?))
    }
}

impl Api {
    fn actor(&self, by: &Member) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }
}
