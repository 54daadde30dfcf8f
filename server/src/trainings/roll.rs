//! The roll: who was there, recorded on any number of phones. It merges household by household; where two recorded
//! differently, both values are kept until a supervisor settles it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::commands::{opened, reach, save};
use super::machine::Event;
use super::{Attend, MOST, Mark, State, Training, store};
use crate::commands::{Applied, Context};
use crate::conflicts::{self, Clash};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;

pub async fn attend(tx: &mut Tx, context: &Context, body: Attend) -> Result<Applied> {
    let by = context.reader.registrar()?;
    if body.marks.is_empty() || body.marks.len() > MOST as usize {
        return Err(Error::invalid("marks", format!("Between 1 and {MOST} households.")));
    }
    body.marks.iter().filter_map(|change| change.now).try_for_each(Mark::check)?;
    let (mut feeds, before) = opened(tx, context, body.id).await?;
    let mut training = before.clone();
    training.state = training.state.transition(Event::Attend)?;
    let mut clashes = Vec::new();
    for change in body.marks {
        let Some(seat) = training.seats.iter_mut().find(|seat| seat.household == change.household) else {
            return Err(Error::refused("not_invited", "This household is not invited to the training.").field("marks"));
        };
        if seat.mark == change.was {
            (seat.mark, seat.by, seat.at) = (change.now, Some(by.id), Some(context.at.min(context.now)));
        } else if seat.mark != change.now {
            let (base, theirs, mine) = (value(change.was)?, value(seat.mark)?, value(change.now)?);
            let author = seat.by.zip(seat.at);
            clashes.push(Clash { field: change.household.to_string(), base, theirs, mine, author });
        }
    }
    count(tx, context, &mut feeds, &before, &training).await?;
    let applied = save(tx, context, &mut feeds, Some(&before), training.clone(), "training.attend").await?;
    conflicts::refresh_held(tx, context, &feeds, training.place, training.id, &held(&training)?).await?;
    let conflict = !clashes.is_empty();
    for clash in clashes {
        conflicts::open(tx, context, &mut feeds, training.place, ("training", training.id), clash).await?;
    }
    Ok(Applied { conflict, ..applied })
}

/// The value that came later counts: somebody who settles conflicts said so. `field` is the household.
pub async fn settle(tx: &mut Tx, context: &Context, feeds: &mut Locked, id: Uuid, field: &str, mine: Value) -> Result<()> {
    let place = store::feed_of(tx, feeds.org, id).await?;
    let before = store::current(tx, feeds.org, place, id).await?;
    let mut training = before.clone();
    training.state = training.state.transition(Event::Attend)?;
    let gone = || Error::refused("not_invited", "This household is not invited to the training any more.");
    let seat = training.seats.iter_mut().find(|seat| seat.household.to_string() == field).ok_or_else(gone)?;
    seat.mark = serde_json::from_value(mine)?;
    (seat.by, seat.at) = (Some(context.reader.id), Some(context.now));
    count(tx, context, feeds, &before, &training).await?;
    save(tx, context, feeds, Some(&before), training, "training.attend").await.map(drop)
}

/// Of one that was held, whoever is found to have been there counts at once.
async fn count(tx: &mut Tx, context: &Context, feeds: &mut Locked, before: &Training, after: &Training) -> Result<()> {
    if after.state != State::Held {
        return Ok(());
    }
    let known = before.present();
    let new: Vec<Uuid> = after.present().into_iter().filter(|one| !known.contains(one)).collect();
    reach(tx, context, feeds, after, &new).await
}

fn value(mark: Option<Mark>) -> Result<Value> {
    Ok(serde_json::to_value(mark)?)
}

/// By household, as conflicts name their fields.
fn held(training: &Training) -> Result<Value> {
    let marks: Result<Map<String, Value>> =
        training.seats.iter().map(|seat| Ok((seat.household.to_string(), value(seat.mark)?))).collect();
    Ok(Value::Object(marks?))
}
