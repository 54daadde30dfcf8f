//! Recording an assessment: counted again by the same data as on the phone, qualified, and never changed after.

use super::{Assessment, Record, instrument, qualify, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::Result;
use crate::{audit, check, feed, households, programmes, scope};

pub async fn record(tx: &mut Tx, context: &Context, body: Record) -> Result<Applied> {
    let by = context.reader.assessor()?;
    check::text("note", &body.note, 2000)?;
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let counted = instrument::find(&body.instrument, body.version)?.count(&body.answers)?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let programme = programmes::store::current(tx, by.org, body.programme).await?;
    let household = households::store::current(tx, &context.app.crypto, by.org, place, body.household).await?;
    let (qualification, blocks) = qualify::qualify(tx, by.org, &programme, &household, &body, &counted).await?;
    let assessment = Assessment {
        id: body.id,
        household: body.household,
        place,
        programme: body.programme,
        instrument: body.instrument,
        version: body.version,
        answers: body.answers,
        consent: body.consent,
        note: body.note.trim().into(),
        // A phone that counts otherwise is to be heard of; what it shows comes right with the next sync.
        phone_score: Some(body.score).filter(|score| *score != counted.score),
        score: counted.score,
        outcome: counted.outcome,
        failed: counted.failed,
        factors: counted.factors,
        qualification,
        blocks,
        assessed_by: by.id,
        assessed_at: context.at,
        created_at: context.now,
        updated_at: context.now,
        revision: feeds.revision(place),
    };
    store::add(tx, &feeds, &assessment).await?;
    let change = (None::<&Assessment>, Some(&assessment));
    let subject = ("assessment", assessment.id);
    audit::append(tx, &mut feeds, place, &context.actor(), "assessment.record", subject, change).await?;
    Applied::to(assessment.id, assessment.revision)
}
