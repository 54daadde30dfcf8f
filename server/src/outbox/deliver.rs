//! From a sealed item to the same handler, and the same answer, as in a sync batch.

use serde_json::Value;
use uuid::Uuid;

use super::{Inside, OutboxItem, invalid, signed, store};
use crate::app::App;
use crate::auth::access::{self, ByDevice};
use crate::clock::Millis;
use crate::commands::{self, Door, Outcome};
use crate::error::{Error, Result};

/// Applies what is inside, or repeats its first answer. Whatever is wrong rejects this item only.
///
/// # Errors
/// Only when it is the server's fault: the same item may come again.
pub async fn deliver(app: &App, item: &OutboxItem) -> Result<Outcome> {
    match attempt(app, item, false).await {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_ours() => Err(error),
        Err(error) => Ok(Outcome::rejected(item.id.chars().take(64).collect(), &error)),
    }
}

/// With `late`, also what was made after the membership ended: somebody looked at it and takes it after all.
pub(super) async fn attempt(app: &App, item: &OutboxItem, late: bool) -> Result<Outcome> {
    let maker = item.maker()?;
    let Inside { command, proof } = item.open(app)?;
    let known = access::by_device(app, (maker.org, maker.member, maker.device), &signed(&maker, &command), &proof).await;
    let ByDevice { reader, revoked_at, ended_at, clock_offset } = match known {
        Ok(known) => known,
        Err(error) if error.code() == "unknown_device" => {
            store::keep(app, &maker, item, &error).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let raw: Value = serde_json::from_str(&command).map_err(|_| invalid("The command is not JSON."))?;
    let id = Uuid::parse_str(&item.id).map_err(|_| invalid("An id is not one."))?;
    if raw["id"].as_str() != Some(&item.id) {
        return Err(invalid("The command has another id than its item."));
    }
    let made = raw["at"].as_i64().unwrap_or(i64::MAX).saturating_add(clock_offset);
    if revoked_at.is_some_and(|revoked| made >= revoked) && !late {
        let late = "This was made after the device was revoked.";
        return commands::refuse(app, &reader, &raw, Error::unauthorised("device_revoked", late)).await;
    }
    let shown = newest(&raw, id).saturating_add(clock_offset);
    if ended_at.is_some_and(|ended| made.max(shown) >= ended) && !late {
        // What was taken or refused before it was put aside stays answered.
        if let Some(known) = commands::answered(app, &reader, &raw).await? {
            return Ok(known);
        }
        let error = Error::refused(
            store::AFTER,
            "This was made after the membership ended. It is kept for a supervisor or an administrator to look at.",
        );
        store::keep(app, &maker, item, &error).await?;
        return Err(error);
    }
    commands::run(app, &reader, &raw, &Door::Outbox).await
}

/// The newest time by the device's clock that the command itself bears witness to: in its id, when its pictures were
/// taken, when somebody signed. A time that was set back in `at` alone shows.
fn newest(raw: &Value, id: Uuid) -> Millis {
    let of_id = (id.get_version_num() == 7).then(|| id.as_u64_pair().0 >> 16).and_then(|at| Millis::try_from(at).ok());
    let body = &raw["body"];
    let pictures = body["evidence"].as_array().into_iter().flatten().filter_map(|one| one["captured_at"].as_i64());
    let signed = body["signature"]["record"].as_str().and_then(|record| serde_json::from_str::<Value>(record).ok());
    let signed = signed.and_then(|record| record["signed_at"].as_i64());
    of_id.into_iter().chain(pictures).chain(signed).max().unwrap_or(Millis::MIN)
}
