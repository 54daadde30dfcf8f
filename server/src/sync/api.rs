//! `POST /api/sync`.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::{MIN_SCHEMA, SyncAnswer, SyncRequest, captures, pull, report, restored};
use crate::app::App;
use crate::auth::Reader;
use crate::commands::{self, Door, Outcome};
use crate::devices;
use crate::error::{Error, Result};
use crate::planted::Mistake;
use crate::wire::Stored;

pub struct Api(pub App);

const MOST_COMMANDS: usize = 50;
const MOST_CAPTURES: usize = 500;

#[OpenApi(tag = "crate::api::Tag::Sync")]
impl Api {
    /// Push and pull
    ///
    /// Commands take effect once, in order; one that is rejected does not hold back the others.
    #[oai(path = "/api/sync", method = "post", operation_id = "sync")]
    async fn sync(&self, reader: Reader, body: Json<SyncRequest>) -> Result<Stored<SyncAnswer>> {
        let app = &self.0;
        let body = body.0;
        if body.commands.len() > MOST_COMMANDS || body.have.len() > MOST_CAPTURES || body.cursors.len() > 100_000 {
            return Err(Error::bad_request("batch_too_large", "At most 50 commands and 500 captures at once."));
        }
        let mut results: Vec<Outcome> = Vec::with_capacity(body.commands.len());
        let followed = body.cursors.iter().filter_map(|(feed, cursor)| Some((feed.parse().ok()?, *cursor))).collect();
        let door = Door::Sync(Arc::new(followed));
        let mut commands: Vec<_> = body.commands.iter().collect();
        if app.planted.has(Mistake::Reorder) {
            commands.reverse();
        }
        // After a restoration: before what this phone has new, what the server lost is to come again. It broke off.
        if restored::is_behind(app, &body.cursors) {
            commands.clear();
        }
        for command in commands {
            // A batch that comes again: a look at each answer instead of work that would be undone.
            let again = results.last().is_some_and(|last| last.status == "duplicate");
            let known = if again { commands::answered(app, &reader, &command.0).await } else { Ok(None) };
            let outcome = match known {
                Ok(None) => commands::run(app, &reader, &command.0, &door).await,
                Ok(Some(outcome)) => Ok(outcome),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(outcome) => results.push(outcome),
                // Ours to mend: answer what is done; the phone sends the rest again.
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    error.log();
                    break;
                }
            }
        }
        let phone = body.stats.is_some();
        if let Some(stats) = body.stats {
            report::note(app, &reader, stats).await?;
        }
        if !body.lost.is_empty() {
            devices::store::note_losses(app, &reader, body.lost).await?;
        }
        let ledger = captures::compare(app, &reader, &body.have).await?;
        if phone && body.have.len() < MOST_CAPTURES {
            captures::note_dropped(app, &reader, &body.have).await?;
        }
        // Too old to read records as they are now; what it brought has been taken.
        let (news, code) = if body.schema < MIN_SCHEMA {
            (pull::News::default(), Some("update_required"))
        } else {
            (pull::pull(app, &reader, &body.cursors).await?, None)
        };
        let json = |part: serde_json::Result<String>| part.map_err(Error::from);
        Ok(Stored::new(format!(
            "{{\"results\":{},\"feeds\":{{{}}},\"gone\":{},\"reset\":{},\"acknowledged\":{},\"want\":{},\"unknown\":{},\
             \"server_time\":{},\"min_schema\":{MIN_SCHEMA},\"code\":{},\"outbox_key\":{},\"more\":{}}}",
            json(serde_json::to_string(&results))?,
            news.feeds,
            json(serde_json::to_string(&news.gone))?,
            json(serde_json::to_string(&news.reset))?,
            json(serde_json::to_string(&ledger.acknowledged))?,
            json(serde_json::to_string(&ledger.want))?,
            json(serde_json::to_string(&ledger.unknown))?,
            app.clock.now(),
            json(serde_json::to_string(&code))?,
            json(serde_json::to_string(&app.outbox.announced))?,
            news.more,
        )))
    }
}
