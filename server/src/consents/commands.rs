//! What can be done with a household's consent: given under a text that was read out, and withdrawn with a reason.

use serde_json::json;
use uuid::Uuid;

use super::{ConsentEvent, ConsentStep, Give, PURPOSES, STATEMENT, THUMB_SLOT, Withdraw, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::households::{self, Household};
use crate::media::evidence;
use crate::notifications::{self, Notice, kinds};
use crate::signatures::{self, Content};
use crate::{audit, check, members, scope};

pub async fn give(tx: &mut Tx, context: &Context, body: Give) -> Result<Applied> {
    let by = context.reader.registrar()?;
    check::one_of("purpose", &body.purpose, PURPOSES)?;
    if let Some(language) = &body.language {
        check::one_of("language", language, &["en", "sw"])?;
    }
    let thumb = body.evidence.iter().find(|capture| capture.slot == THUMB_SLOT).map(|capture| capture.id);
    let content = body.signature.as_ref().map(|signed| Content::parse(&signed.record)).transpose()?;
    if content.is_none() && thumb.is_none() {
        return Err(Error::refused("consent_unsigned", "A consent is signed, or has the picture of a thumb mark."));
    }
    if content.as_ref().is_some_and(|content| content.template != STATEMENT) {
        return Err(Error::refused("signature_invalid", "This is not the text of a consent.").field("signature"));
    }
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let before = households::store::current(tx, &context.app.crypto, by.org, place, body.household).await?;
    let subject = ("household", body.household);
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, place, subject, capture).await?;
    }
    if let Some(signed) = body.signature {
        signatures::receive(tx, context, &mut feeds, place, subject, signed).await?;
    }
    let step = ConsentStep {
        id: body.id,
        event: ConsentEvent::Given,
        purpose: body.purpose,
        version: content.as_ref().map(|content| content.version).or(body.version),
        language: content.as_ref().map(|content| content.language.clone()).or(body.language),
        signature: content.as_ref().map(|content| content.id),
        picture: thumb,
        by: by.id,
        at: context.at.min(context.now),
        reason: String::new(),
    };
    save(tx, context, &mut feeds, before, step, "consent.give").await
}

pub async fn withdraw(tx: &mut Tx, context: &Context, body: Withdraw) -> Result<Applied> {
    let by = context.reader.registrar()?;
    let place = households::store::feed_of(tx, by.org, body.household).await?;
    scope::demand_household(tx, context, body.household, place, "household").await?;
    let supervisor = members::store::supervisor_of(tx, by.org, by.id).await?;
    end(tx, context, place, body.household, &body.reason, supervisor.into_iter().collect()).await
}

/// As `consent.withdraw`, by the household itself. Whoever registered it hears of it, and who looks after them.
pub async fn withdraw_by_household(tx: &mut Tx, context: &Context, household: Uuid, reason: &str) -> Result<Applied> {
    let org = context.reader.org;
    let place = households::store::feed_of(tx, org, household).await?;
    let registrar = households::store::current(tx, &context.app.crypto, org, place, household).await?.registered_by;
    let supervisor = members::store::supervisor_of(tx, org, registrar).await?;
    end(tx, context, place, household, reason, [Some(registrar), supervisor].into_iter().flatten().collect()).await
}

async fn end(
    tx: &mut Tx,
    context: &Context,
    place: Uuid,
    household: Uuid,
    reason: &str,
    told: Vec<Uuid>,
) -> Result<Applied> {
    let by = &context.reader;
    check::text("reason", reason, 2000)?;
    if reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    // Nobody is told of a household in a village they do not see.
    let mut hear = Vec::new();
    for member in told {
        if members::store::demand_sees(tx, by.org, member, place).await.is_ok() {
            hear.push(member);
        }
    }
    let mut feeds = feed::lock(tx, by.org, [place].into_iter().chain(hear.iter().copied())).await?;
    let before = households::store::current(tx, &context.app.crypto, by.org, place, household).await?;
    let given = before.consents.last().filter(|step| step.event == ConsentEvent::Given).cloned();
    let given = given.ok_or_else(|| Error::refused("no_consent", "There is no consent that could be withdrawn."))?;
    let (at, reason) = (context.at.min(context.now), reason.trim().to_owned());
    let step = ConsentStep { event: ConsentEvent::Withdrawn, by: by.id, at, reason, ..given };
    for member in hear {
        let names = json!({
            "household_name": before.facts.head_name, "by_name": context.reader.name, "note": step.reason,
        });
        let notice = Notice { kind: &kinds::CONSENT_WITHDRAWN, member, subject: ("household", before.id), params: names };
        notifications::notify(tx, context.now, &feeds, notice).await?;
    }
    save(tx, context, &mut feeds, before, step, "consent.withdraw").await
}

async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Household,
    step: ConsentStep,
    action: &str,
) -> Result<Applied> {
    let (crypto, place, org) = (&context.app.crypto, before.place, context.reader.org);
    store::add(tx, org, before.id, &step, context.now).await?;
    let mut after = before.clone();
    after.consents.push(step);
    after.consent_at = consent_at(&after.consents);
    after.updated_at = context.now;
    after.revision = feeds.revision(place);
    households::store::put(tx, crypto, feeds, &after).await?;
    let (was, now) = (households::store::sealed(crypto, &before), households::store::sealed(crypto, &after));
    let subject = ("household", after.id);
    audit::append(tx, feeds, place, &context.actor(), action, subject, (Some(&was), Some(&now))).await?;
    Applied::to(after.id, after.revision)
}

/// Since when the household agrees. A consent that was given before the latest withdrawal and comes after it, from a
/// phone that was away, does not lift it.
fn consent_at(steps: &[ConsentStep]) -> Option<i64> {
    let withdrawn = steps.iter().filter(|step| step.event == ConsentEvent::Withdrawn).map(|step| step.at).max();
    let given = steps.iter().rev().find(|step| step.event == ConsentEvent::Given)?;
    let ended = steps.last().is_some_and(|last| last.event == ConsentEvent::Withdrawn);
    (!ended && withdrawn.is_none_or(|withdrawn| given.at >= withdrawn)).then_some(given.at)
}
