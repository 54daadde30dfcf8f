//! Recording an assessment: counted again by the same data as on the phone, qualified, and never changed after.

use super::{Assessment, Qualification, Record, Stage, instrument, qualify, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::enrolments;
use crate::error::Result;
use crate::feed::{self, Locked};
use crate::milestones::{self, Happening};
use crate::{audit, check, households, programmes, scope};

pub async fn record(tx: &mut Tx, context: &Context, body: Record) -> Result<Applied> {
    let by = context.reader.assessor()?;
    check::text("note", &body.note, 2000)?;
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let counted = instrument::find(&body.instrument, body.version)?.count(&body.answers)?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let programme = programmes::store::current(tx, by.org, body.programme).await?;
    let household = households::store::current(tx, &context.app.crypto, by.org, place, body.household).await?;
    let (qualification, blocks) = match body.stage {
        Stage::Baseline => qualify::qualify(tx, by.org, &programme, &household, &body, &counted).await?,
        Stage::Midterm | Stage::Graduation => {
            enrolments::store::demand_active(tx, by.org, body.household, body.programme).await?;
            qualify::demand_instrument(&programme, &body)?;
            (counted.then.into(), counted.failed.clone())
        }
    };
    let assessment = Assessment {
        id: body.id,
        household: body.household,
        place,
        programme: body.programme,
        stage: body.stage,
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
    reach(tx, context, &mut feeds, &assessment).await?;
    Applied::to(assessment.id, assessment.revision)
}

/// What it completes of the household's ladder: the mid-term by having been made, the last rung when the outcome lets pass.
async fn reach(tx: &mut Tx, context: &Context, feeds: &mut Locked, assessment: &Assessment) -> Result<()> {
    let number = match assessment.stage {
        Stage::Midterm => 7,
        Stage::Graduation if assessment.qualification == Qualification::Qualified => 12,
        _ => return Ok(()),
    };
    let event = milestones::Event::Complete;
    let reached = Happening { number, event, cause: "assessment", subject: assessment.id };
    let (of, programme) = (&[assessment.household], Some(assessment.programme));
    milestones::happened(tx, context, feeds, assessment.place, of, programme, reached).await
}
