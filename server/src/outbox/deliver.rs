//! From a sealed item to the same handler, and the same answer, as in a sync batch.

use serde_json::Value;
use uuid::Uuid;

use super::{Inside, OutboxItem, invalid, signed, store};
use crate::app::App;
use crate::auth::access::{self, ByDevice};
use crate::commands::{self, Door, Outcome};
use crate::error::{Error, Result};

/// Applies what is inside, or repeats its first answer. Whatever is wrong rejects this item only.
///
/// # Errors
/// Only when it is the server's fault: the same item may come again.
pub async fn deliver(app: &App, item: &OutboxItem) -> Result<Outcome> {
    match attempt(app, item).await {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_ours() => Err(error),
        Err(error) => Ok(Outcome::rejected(item.id.chars().take(64).collect(), &error)),
    }
}

async fn attempt(app: &App, item: &OutboxItem) -> Result<Outcome> {
    let maker = item.maker()?;
    let Inside { command, proof } = item.open(app)?;
    let known = access::by_device(app, (maker.org, maker.member, maker.device), &signed(&maker, &command), &proof).await;
    let ByDevice { reader, revoked_at, clock_offset } = match known {
        Ok(known) => known,
        Err(error) if error.code() == "unknown_device" => {
            store::keep(app, &maker, item, &error).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let raw: Value = serde_json::from_str(&command).map_err(|_| invalid("The command is not JSON."))?;
    if raw["id"].as_str() != Some(&item.id) || Uuid::parse_str(&item.id).is_err() {
        return Err(invalid("The command has another id than its item."));
    }
    let made = raw["at"].as_i64().unwrap_or(i64::MAX).saturating_add(clock_offset);
    if revoked_at.is_some_and(|revoked| made >= revoked) {
        let late = "This was made after the device was revoked.";
        return commands::refuse(app, &reader, &raw, Error::unauthorised("device_revoked", late)).await;
    }
    commands::run(app, &reader, &raw, &Door::Outbox).await
}
