//! What can be done to a household: registered once, corrected field by field.

use super::{Facts, Household, Register, Update, store};
use crate::commands::{Applied, Context};
use crate::conflicts::{self, Clash};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::media::evidence;
use crate::planted::Mistake;
use crate::{audit, duplicates, feed, places, scope};
use serde_json::Value;

pub async fn register(tx: &mut Tx, context: &Context, body: Register) -> Result<Applied> {
    let by = context.reader.registrar()?;
    let place = body.household.place;
    let mut facts = body.household.facts;
    facts.check()?;
    let mut feeds = places::lock_village(tx, context, place).await?;
    let id = body.household.id;
    let photo = body.evidence.iter().find(|capture| capture.slot == "front").map(|capture| capture.id);
    let household = Household {
        id,
        number: Some(context.number.clone()),
        place,
        facts,
        photo,
        photo_placeholder: None,
        consent_at: None,
        consents: Vec::new(),
        merged_into: None,
        merges: Vec::new(),
        last_visit_at: None,
        registered_by: by.id,
        registered_at: context.now,
        updated_at: context.now,
        revision: feeds.revision(place),
    };
    store::add(tx, &context.app.crypto, &feeds, &household).await?;
    duplicates::look_soon(tx, by.org, id, context.now).await?;
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, place, ("household", id), capture).await?;
    }
    let after = store::sealed(&context.app.crypto, &household);
    let change = (None::<&Household>, Some(&after));
    audit::append(tx, &mut feeds, place, &context.actor(), "household.register", ("household", id), change).await?;
    Applied::to(id, household.revision)
}

/// Fields a person may set after registration.
pub const EDITABLE: &[&str] = &[
    "head_name",
    "head_sex",
    "head_birth_date",
    "national_id",
    "phone",
    "members",
    "lat",
    "lon",
    "accuracy_m",
    "monthly_income_minor",
    "electricity",
    "clean_water",
    "disability",
    "notes",
];

pub async fn update(tx: &mut Tx, context: &Context, body: Update) -> Result<Applied> {
    let by = context.reader.registrar()?;
    let crypto = &context.app.crypto;
    let place = store::feed_of(tx, by.org, body.id).await?;
    scope::demand_household(tx, context, body.id, place, "household").await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let before = store::current(tx, crypto, by.org, place, body.id).await?;
    let mut record = serde_json::to_value(&before)?;
    let mut clashes = Vec::new();
    for (field, change) in body.changes {
        if !EDITABLE.contains(&field.as_str()) {
            return Err(Error::invalid(&field, "This field cannot be changed."));
        }
        let (was, now) = (change.was.unwrap_or_default(), change.now.unwrap_or_default());
        let held = record[&field].clone();
        if same(&held, &was) {
            record[&field] = now;
        } else if !same(&held, &now) {
            clashes.push(Clash { field, base: was, theirs: held, mine: now, author: None });
        }
    }
    let mut after = parse(record)?;
    after.facts.check()?;
    after.updated_at = context.now;
    after.revision = feeds.revision(place);
    store::put(tx, crypto, &feeds, &after).await?;
    let compared = |household: &Household| {
        let Facts { head_name, head_birth_date, national_id, .. } = household.facts.clone();
        (head_name, head_birth_date, national_id)
    };
    if compared(&before) != compared(&after) {
        duplicates::look_soon(tx, by.org, body.id, context.now).await?;
    }
    let changed = (store::sealed(crypto, &before), store::sealed(crypto, &after));
    let change = (Some(&changed.0), Some(&changed.1));
    audit::append(tx, &mut feeds, place, &context.actor(), "household.update", ("household", body.id), change).await?;
    conflicts::refresh(tx, context, &feeds, place, &after).await?;
    let conflict = !clashes.is_empty();
    if context.app.planted.has(Mistake::DropOnConflict) {
        return Applied::to(body.id, after.revision);
    }
    for clash in clashes {
        conflicts::open(tx, context, &mut feeds, place, ("household", body.id), clash).await?;
    }
    Ok(Applied { conflict, ..Applied::to(body.id, after.revision)? })
}

/// Equal as values: 12 and 12.0 are one number, whichever side wrote it.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => one == other,
    }
}

/// A changed record back in its type: a value of the wrong form names what is wrong.
pub fn parse(record: Value) -> Result<Household> {
    // Not the parser's own words: they repeat the value, and answers are kept in clear.
    serde_json::from_value(record).map_err(|_| Error::refused("invalid", "A value does not have the form of its field."))
}
