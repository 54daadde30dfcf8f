//! `POST /api/sync`.

use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::{MIN_SCHEMA, Stats, SyncAnswer, SyncRequest, captures, pull};
use crate::app::App;
use crate::auth::Reader;
use crate::commands::{self, Outcome};
use crate::error::{Error, Result};
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
        for command in &body.commands {
            match commands::run(app, &reader, &command.0).await {
                Ok(outcome) => results.push(outcome),
                // Ours to mend: answer what is done; the phone sends the rest again.
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    error.log();
                    break;
                }
            }
        }
        if let Some(stats) = body.stats {
            note_stats(app, &reader, stats).await?;
        }
        let ledger = captures::compare(app, &reader, &body.have).await?;
        let news = pull::pull(app, &reader, &body.cursors).await?;
        let json = |part: serde_json::Result<String>| part.map_err(Error::from);
        Ok(Stored::new(format!(
            "{{\"results\":{},\"feeds\":{{{}}},\"gone\":{},\"acknowledged\":{},\"want\":{},\"unknown\":{},\
             \"server_time\":{},\"min_schema\":{MIN_SCHEMA},\"more\":{}}}",
            json(serde_json::to_string(&results))?,
            news.feeds,
            json(serde_json::to_string(&news.gone))?,
            json(serde_json::to_string(&ledger.acknowledged))?,
            json(serde_json::to_string(&ledger.want))?,
            json(serde_json::to_string(&ledger.unknown))?,
            app.clock.now(),
            news.more,
        )))
    }
}

/// The phone's own figures, for those who look after it; written only when they changed.
async fn note_stats(app: &App, reader: &Reader, stats: Stats) -> Result<()> {
    let text = serde_json::to_string(&stats)?;
    if text.len() > 500 {
        return Err(Error::bad_request("stats_too_large", "These figures are too long."));
    }
    let (device, account) = (reader.device, reader.account);
    let same: Option<(Option<String>,)> = app
        .db
        .query("SELECT stats FROM device WHERE id = $1 AND account = $2")
        .bind(device)
        .bind(account)
        .optional()
        .await?;
    if same.is_some_and(|(kept,)| kept.as_ref() == Some(&text)) {
        return Ok(());
    }
    let update = "UPDATE device SET stats = $3 WHERE id = $1 AND account = $2";
    app.db.write(move |tx| Box::pin(tx.query(update).bind(device).bind(account).bind(text).run())).await.map(drop)
}
