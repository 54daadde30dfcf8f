//! Pictures that were set aside for what the server could not read then, and that this one can: they are taken up again.

use std::slice::from_ref;

use kilele_media::Quarantine;
use serde_json::json;
use uuid::Uuid;

use super::{State, evidence};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::error::Result;
use crate::{feed, jobs};

/// What a server built without a feature sets aside, and this one reads.
pub const READABLE: &[Quarantine] = if cfg!(feature = "heic") { from_ref(&Quarantine::Heic) } else { &[] };

/// Has those that were set aside for one of `reasons` derived anew, as if they had just come; how many. One that was taken
/// again meanwhile stays as it is. The server makes the sizes when it runs.
///
/// # Errors
/// When the database does not answer; what was taken up until then stays so.
pub async fn take_up(app: &App, reasons: &[Quarantine]) -> Result<u64> {
    let mut count = 0;
    let mut after = (Uuid::nil(), Uuid::nil());
    while !reasons.is_empty() {
        let aside: Vec<(Uuid, Uuid, Uuid)> = app
            .db
            .query(
                "SELECT org, id, feed FROM evidence WHERE state = 'quarantined' AND (org > $1 OR (org = $1 AND id > $2))
                 ORDER BY org, id LIMIT 200",
            )
            .bind(after.0)
            .bind(after.1)
            .all()
            .await?;
        let Some((org, id, _)) = aside.last() else { break };
        after = (*org, *id);
        for (org, id, feed) in aside {
            count += u64::from(one(app, (org, id, feed), reasons).await?);
        }
    }
    Ok(count)
}

async fn one(app: &App, (org, id, place): (Uuid, Uuid, Uuid), reasons: &[Quarantine]) -> Result<bool> {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let mut feeds = feed::lock(tx, org, [place]).await?;
                let before = evidence::current(tx, org, place, id).await?;
                let fits = before.reason.as_deref().is_some_and(|reason| codes.contains(&reason));
                if before.state != State::Quarantined || !fits || before.superseded_by.is_some() {
                    return Ok(false);
                }
                let mut record = before.clone();
                (record.state, record.reason) = (State::Received, None);
                (record.updated_at, record.revision) = (now, feeds.revision(place));
                evidence::put(tx, &feeds, place, &record).await?;
                let job = jobs::New { kind: "media.derive", dedupe: format!("derive:{id}:{now}"), run_at: now };
                jobs::enqueue(tx, org, job, &json!({ "evidence": id })).await?;
                let actor = Actor { org, member: None, device: None, at: now };
                let change = (Some(&before), Some(&record));
                audit::append(tx, &mut feeds, place, &actor, "evidence.derive", ("evidence", id), change).await?;
                Ok(true)
            })
        })
        .await
}
