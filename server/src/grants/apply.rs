//! Applying for a grant: the plan, the amount counted again by the policy, what must have happened before, and every
//! household's signature.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::people::{SUBMITTING, supervisor, tell};
use super::{BusinessPlan, Event, Grant, PERFORMANCE, SEED, State, Step, Submit, needs, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::groups::{self, Group};
use crate::media::evidence;
use crate::milestones::{self, Happening};
use crate::notifications::kinds;
use crate::policies::{self, PolicyFacts, Unit};
use crate::signatures::{self, Content, SignedRecord};
use crate::{audit, check, households, scope};

/// What the households sign under.
pub const TEMPLATE: &str = "grant_application";

pub async fn submit(tx: &mut Tx, context: &Context, body: Submit) -> Result<Applied> {
    let by = context.reader.preparer()?;
    check::text("note", &body.note, 2000)?;
    let place = match (body.household, body.group) {
        (Some(household), None) => households::store::feed_of(tx, by.org, household).await?,
        (None, Some(group)) => groups::store::feed_of(tx, by.org, group).await?,
        _ => return Err(Error::invalid("household", "A grant is for a household or for a group.")),
    };
    scope::demand_then(tx, context, place, "household").await?;
    let above = supervisor(tx, by.org, by.id).await?;
    let mut feeds = feed::lock(tx, by.org, [Some(place), above].into_iter().flatten()).await?;
    let before = match store::find(tx, by.org, body.id).await? {
        Some(feed) if feed != place => return Err(Error::refused("other_household", "This grant is somebody else's.")),
        Some(_) => Some(store::current(tx, by.org, place, body.id).await?),
        None => None,
    };
    let group = match body.group {
        Some(id) => Some(active(groups::store::current(tx, by.org, place, id).await?)?),
        None => None,
    };
    let households: Vec<Uuid> = match &group {
        Some(group) => group.members.iter().map(|member| member.household).collect(),
        None => body.household.into_iter().collect(),
    };
    let mut grant = match &before {
        Some(before) => again(before, &body)?,
        None => new(tx, context, place, &body, &households).await?,
    };
    check_plan(&body.plan, body.amount_minor)?;
    let facts = grant.policy.facts.clone();
    facts.demand_answers(&body.answers)?;
    grant.amount = facts.amount(&body.answers, grant.households.len());
    grant.phone_amount_minor = Some(body.amount_minor).filter(|phone| *phone != grant.amount.amount_minor);
    viable(&facts, &body.plan, grant.amount.amount_minor)?;
    needs::demand_enrolled(tx, (by.org, place), grant.programme, &grant.households).await?;
    needs::demand_first(tx, by.org, &facts, grant.id, &grant.households).await?;
    needs::demand(tx, (by.org, place, context.now), &facts, group.as_ref(), &grant.households).await?;
    (grant.plan, grant.answers, grant.note) = (body.plan, body.answers, body.note.trim().into());
    (grant.submitted_by, grant.submitted_at) = (by.id, context.now);
    grant.step(Event::Submit, Some(by.id), context.now, "")?;

    let subject = ("grant", grant.id);
    if before.is_none() {
        store::add(tx, &feeds, &grant).await?;
    }
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, place, subject, capture).await?;
    }
    demand_signed(&grant.households, &body.signatures)?;
    for signed in body.signatures {
        signatures::receive(tx, context, &mut feeds, place, subject, signed).await?;
    }
    climb(tx, context, &mut feeds, &grant).await?;
    if let Some(above) = above {
        tell(tx, context, &feeds, &grant, &kinds::GRANT_SUBMITTED, above, "").await?;
    }
    save(tx, context, &mut feeds, before.as_ref(), grant, "grant.submit").await
}

fn active(group: Group) -> Result<Group> {
    match group.state {
        groups::State::Active => Ok(group),
        groups::State::Dissolved => Err(Error::refused("dissolved", "This group was dissolved.")),
    }
}

/// A returned one that is handed in again: by what and for whom stays.
fn again(before: &Grant, body: &Submit) -> Result<Grant> {
    if (before.household, before.group, before.policy.id) != (body.household, body.group, body.policy) {
        return Err(Error::refused("other_household", "This grant is for somebody else, or by another policy."));
    }
    if body.revision != Some(before.revision) {
        return Err(Error::refused("stale", "The grant has changed since you looked at it; look again."));
    }
    before.state.transition(Event::Submit)?;
    Ok(Grant { reviewed_by: None, review_score: None, ..before.clone() })
}

async fn new(tx: &mut Tx, context: &Context, place: Uuid, body: &Submit, households: &[Uuid]) -> Result<Grant> {
    let by = &context.reader;
    let policy = policies::store::version(tx, by.org, body.policy, body.version).await?;
    let fits = match policy.facts.unit {
        Unit::Household => body.household.is_some(),
        Unit::Group => body.group.is_some(),
        Unit::Either => true,
    };
    if !fits {
        return Err(Error::refused("other_unit", "This grant is not for such an applicant."));
    }
    let amount = policy.facts.amount(&body.answers, households.len());
    Ok(Grant {
        id: body.id,
        number: Some(context.number.clone()),
        place,
        programme: policy.facts.programme,
        policy,
        household: body.household,
        group: body.group,
        savings_group: None,
        households: households.to_vec(),
        plan: body.plan.clone(),
        answers: body.answers.clone(),
        amount,
        phone_amount_minor: None,
        note: String::new(),
        state: State::Draft,
        submitted_by: by.id,
        submitted_at: context.now,
        reviewed_by: None,
        review_score: None,
        approved_by: None,
        approved_at: None,
        tranches: vec![],
        utilisation: None,
        history: Vec::<Step>::new(),
        created_at: context.now,
        updated_at: context.now,
        revision: 0,
    })
}

fn check_plan(plan: &BusinessPlan, amount: i64) -> Result<()> {
    check::text("description", &plan.description, 4000)?;
    if plan.description.trim().is_empty() {
        return Err(Error::invalid("description", "Say what the business is."));
    }
    for (field, money) in [
        ("projected_income_minor", plan.projected_income_minor),
        ("monthly_expenses_minor", plan.monthly_expenses_minor),
        ("startup_minor", plan.startup_minor),
        ("amount_minor", amount),
    ] {
        check::money(field, Some(money))?;
    }
    if !(1..=100).contains(&plan.items.len()) {
        return Err(Error::invalid("items", "One to 100 items."));
    }
    let mut sum = 0_i64;
    for item in &plan.items {
        check::name("items", &item.what)?;
        check::money("items", Some(item.unit_minor))?;
        if !(1..=10_000).contains(&item.quantity) || item.unit_minor == 0 {
            return Err(Error::invalid("items", "An item has a number and a price."));
        }
        // Each is at most 10^15, and there are at most a hundred.
        sum += item.quantity * item.unit_minor;
    }
    match sum == amount {
        true => Ok(()),
        false => Err(Error::refused("items_differ", "The items do not come to the amount asked for.").field("items")),
    }
}

/// Every household signs for itself. A signature that does not say for which (phones of before) counts for one of them.
fn demand_signed(households: &[Uuid], signatures: &[SignedRecord]) -> Result<()> {
    let (mut named, mut unnamed) = (BTreeSet::new(), 0);
    for content in signatures.iter().filter_map(|signed| Content::parse(&signed.record).ok()) {
        match content.household {
            _ if content.template != TEMPLATE => {}
            Some(one) if !households.contains(&one) => {
                let message = "Somebody signed for a household that does not apply.";
                return Err(Error::refused("signature_invalid", message).field("signatures"));
            }
            Some(one) => _ = named.insert(one),
            None => unnamed += 1,
        }
    }
    match named.len() + unnamed < households.len() {
        true => Err(Error::refused("signature_missing", "Every household that applies signs.").field("signatures")),
        false => Ok(()),
    }
}

/// The policy's own checks of the plan.
fn viable(facts: &PolicyFacts, plan: &BusinessPlan, amount: i64) -> Result<()> {
    if facts.covers_expenses && plan.projected_income_minor < plan.monthly_expenses_minor {
        let message = "The projected income does not cover the monthly expenses.";
        return Err(Error::refused("expenses_not_covered", message).field("projected_income_minor"));
    }
    let most = facts.startup_most.map(|most| i128::from(amount) * i128::from(most) / 10_000);
    if most.is_some_and(|most| i128::from(plan.startup_minor) > most) {
        return Err(
            Error::refused("startup_too_high", "The start-up costs are too high for this grant.").field("startup_minor")
        );
    }
    Ok(())
}

/// What an application means for the ladders of its households.
async fn climb(tx: &mut Tx, context: &Context, feeds: &mut Locked, grant: &Grant) -> Result<()> {
    use milestones::Event::{Complete, Start};
    let rungs: &[(i64, milestones::Event)] = match grant.policy.facts.key.as_str() {
        SEED => &[(3, Complete), (4, Complete), (5, Start)],
        PERFORMANCE => &[(10, Complete)],
        _ => &[],
    };
    for (number, event) in rungs {
        let happening = Happening { number: *number, event: *event, cause: "grant", subject: grant.id };
        let whose = (&grant.households, Some(grant.programme));
        milestones::happened(tx, context, feeds, grant.place, whose.0, whose.1, happening).await?;
    }
    Ok(())
}

/// Writes a grant as it is now, with its event.
pub(super) async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Option<&Grant>,
    mut grant: Grant,
    action: &str,
) -> Result<Applied> {
    let place = grant.place;
    (grant.updated_at, grant.revision) = (context.now, feeds.revision(place));
    store::put(tx, feeds, &grant).await?;
    audit::append(tx, feeds, place, &context.actor(), action, ("grant", grant.id), (before, Some(&grant))).await?;
    Applied::to(grant.id, grant.revision)
}

/// Whoever reviews, approves or releases has not submitted.
pub(super) fn demand_not_submitter(grant: &Grant, member: Uuid) -> Result<()> {
    grant.demand_other(member, SUBMITTING)
}
