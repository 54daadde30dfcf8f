//! What administrators see of the backups: when, how large, how it ended. Never where they lie.

use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::store;
use crate::app::App;
use crate::auth::Admin;
use crate::clock::{HOUR, Millis};
use crate::error::Result;

pub struct Api(pub App);

/// How it stands: good, the last one failed or is older than 26 hours, or nobody asked for backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "BackupState", rename_all = "snake_case")]
pub enum State {
    Good,
    Failed,
    Late,
    Off,
}

/// The installation's backups, as far as an organisation's administrators are concerned.
#[derive(Object)]
#[oai(rename = "Backups", skip_serializing_if_is_none)]
pub struct Backups {
    pub state: State,
    /// When the last good one began.
    pub made_at: Option<Millis>,
    /// How much it holds, pictures included.
    pub bytes: Option<i64>,
    pub pictures: Option<i64>,
    /// Pictures that the storage did not have when it was made.
    pub missing: Option<i64>,
    /// When the last attempt failed, unless a good one came after it.
    pub failed_at: Option<Millis>,
    /// One is being made.
    pub running: bool,
}

/// From when on the last one is late: a day, and two hours in which it is made.
const LATE: Millis = 26 * HOUR;

#[OpenApi(tag = "crate::api::Tag::Platform")]
impl Api {
    /// How the backups stand
    #[oai(path = "/api/backups", method = "get", operation_id = "backups")]
    async fn backups(&self, _admin: Admin) -> Result<Json<Backups>> {
        let (last, good) = store::latest(&self.0.db).await?;
        let failed = last.as_ref().filter(|run| run.state == "failed");
        let late = good.as_ref().is_none_or(|run| self.0.clock.now() - run.started_at > LATE);
        let state = match (&self.0.config.backup_url, failed) {
            (None, _) if good.is_none() => State::Off,
            (_, Some(_)) => State::Failed,
            (_, None) if late => State::Late,
            _ => State::Good,
        };
        Ok(Json(Backups {
            state,
            made_at: good.as_ref().map(|run| run.started_at),
            bytes: good.as_ref().and_then(|run| run.bytes),
            pictures: good.as_ref().and_then(|run| run.objects),
            missing: good.as_ref().and_then(|run| run.missing).filter(|missing| *missing > 0),
            failed_at: failed.and_then(|run| run.ended_at),
            running: last.is_some_and(|run| run.state == "running"),
        }))
    }
}
