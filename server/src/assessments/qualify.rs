//! Qualification: score, programme area, capacity, no earlier participation and consent (DOMAIN §2).

use uuid::Uuid;

use super::counting::Counting;
use super::instrument::{Then, find};
use super::{Qualification, Record, Stage};
use crate::consents;
use crate::db::Tx;
use crate::enrolments::State;
use crate::error::{Error, Result};
use crate::households::Household;
use crate::households::store::family;
use crate::programmes::{self, Programme, Status};

impl From<Then> for Qualification {
    fn from(then: Then) -> Self {
        match then {
            Then::Qualifies => Self::Qualified,
            Then::Review => Self::NeedsReview,
            Then::No => Self::NotQualified,
        }
    }
}

/// Later assessments are made by the instrument that the programme names for their stage.
///
/// # Errors
/// 422 `other_instrument`.
pub fn demand_instrument(programme: &Programme, body: &Record) -> Result<()> {
    let named = match body.stage {
        Stage::Graduation => programme.graduation_instrument.as_deref().zip(programme.graduation_version),
        _ => Some((&*programme.instrument, programme.version)),
    };
    match named == Some((&*body.instrument, body.version)) {
        true => Ok(()),
        false => {
            let message = "The programme assesses by another instrument at this stage.";
            Err(Error::refused("other_instrument", message).field("instrument"))
        }
    }
}

/// The verdict and what stands in the way. The household's feed must be locked.
pub async fn qualify(
    tx: &mut Tx,
    org: Uuid,
    programme: &Programme,
    household: &Household,
    body: &Record,
    counted: &Counting,
) -> Result<(Qualification, Vec<String>)> {
    let mut blocks: Vec<String> = counted.failed.clone();
    let same_instrument = (&*programme.instrument, programme.version) == (&*body.instrument, body.version);
    let looked_at = [
        (counted.then != Then::Review, counted.outcome.as_str()),
        (same_instrument, "instrument"),
        (programme.status == Status::Open, "closed"),
        (body.consent && !consents::store::withdrawn(tx, org, household.id).await?, "consent"),
        (programmes::store::covers(tx, org, programme, household.place).await?, "area"),
        (!programmes::store::full(tx, org, programme.id).await?, "capacity"),
        (!took_part(tx, org, programme, household).await?, "earlier"),
    ];
    blocks.extend(looked_at.iter().filter(|(fine, _)| !fine).map(|(_, what)| (*what).to_owned()));
    for known in &find(&body.instrument, body.version)?.requires {
        let there = match known.as_str() {
            "national_id" => household.facts.national_id.is_some(),
            "phone" => household.facts.phone.is_some(),
            _ => signed(tx, org, household).await?,
        };
        if !there {
            blocks.push(known.clone());
        }
    }
    let verdict = match (counted.then, blocks.is_empty()) {
        (Then::No, _) => Qualification::NotQualified,
        (_, true) => Qualification::Qualified,
        (_, false) => Qualification::NeedsReview,
    };
    Ok((verdict, blocks))
}

/// Somebody who took part in any programme, or is under way in this one.
async fn took_part(tx: &mut Tx, org: Uuid, programme: &Programme, household: &Household) -> Result<bool> {
    let rows: Vec<(Uuid, String)> = tx
        .query(concat!("SELECT programme, state FROM enrolment WHERE org = $1 AND household IN ", family!()))
        .bind(org)
        .bind(household.id)
        .all()
        .await?;
    Ok(rows.iter().any(|(of, state)| {
        State::parse(state).is_some_and(|state| state.took_part() || (*of == programme.id && !state.is_closed()))
    }))
}

/// A signature of the household itself or of one of its visits.
async fn signed(tx: &mut Tx, org: Uuid, household: &Household) -> Result<bool> {
    let row: Option<(Uuid,)> = tx
        .query(concat!(
            "SELECT s.id FROM signature s WHERE s.org = $1 AND (s.subject IN ",
            family!(),
            "
                 OR s.subject IN (SELECT v.id FROM visit v WHERE v.org = $1 AND v.household IN ",
            family!(),
            ")) LIMIT 1"
        ))
        .bind(org)
        .bind(household.id)
        .optional()
        .await?;
    Ok(row.is_some())
}
