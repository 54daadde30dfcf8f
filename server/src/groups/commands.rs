//! What can be done to a group. Each command locks the village's feed first, then looks again, then decides.

use uuid::Uuid;

use super::machine::Event;
use super::{Change, Dissolve, Form, Group, Health, Member, State, check_facts, store};
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::milestones::{self, Happening};
use crate::{audit, check, enrolments, households, programmes, scope};

pub async fn form(tx: &mut Tx, context: &Context, body: Form) -> Result<Applied> {
    let by = context.reader.registrar()?;
    check_facts(&body.name, &body.members)?;
    check::date("formed_on", Some(&body.formed_on))?;
    let place = village(tx, context, &body.members).await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    programmes::store::current(tx, by.org, body.programme).await?;
    for member in &body.members {
        // It may have moved before its village was locked.
        if households::store::feed_of(tx, by.org, member.household).await? != place {
            return Err(other_village());
        }
        demand_free(tx, by.org, body.programme, member.household).await?;
    }
    let group = Group {
        id: body.id,
        number: Some(context.number.clone()),
        place,
        programme: body.programme,
        name: body.name.trim().into(),
        kind: body.kind,
        members: body.members,
        health: Health::Yellow,
        health_note: String::new(),
        health_at: context.at.min(context.now),
        health_by: by.id,
        state: State::Active,
        reason: String::new(),
        mentor: by.id,
        formed_on: body.formed_on,
        created_at: context.now,
        updated_at: context.now,
        revision: 0,
    };
    store::add(tx, &feeds, &group).await?;
    reach(tx, context, &mut feeds, &group, &group.households()).await?;
    save(tx, context, &mut feeds, None, group, "group.form").await
}

pub async fn change(tx: &mut Tx, context: &Context, body: Change) -> Result<Applied> {
    context.reader.registrar()?;
    check_facts(&body.name, &body.members)?;
    let (mut feeds, before) = opened(tx, context, body.id, body.revision).await?;
    let mut group = before.clone();
    group.state = group.state.transition(Event::Change)?;
    if village(tx, context, &body.members).await? != before.place {
        return Err(other_village());
    }
    let new: Vec<Uuid> =
        body.members.iter().map(|member| member.household).filter(|one| !before.households().contains(one)).collect();
    for household in &new {
        demand_free(tx, feeds.org, group.programme, *household).await?;
    }
    (group.name, group.kind, group.members) = (body.name.trim().into(), body.kind, body.members);
    reach(tx, context, &mut feeds, &group, &new).await?;
    save(tx, context, &mut feeds, Some(&before), group, "group.change").await
}

pub async fn dissolve(tx: &mut Tx, context: &Context, body: Dissolve) -> Result<Applied> {
    context.reader.registrar()?;
    check::text("reason", &body.reason, 2000)?;
    let (mut feeds, before) = opened(tx, context, body.id, body.revision).await?;
    let mut group = before.clone();
    group.state = group.state.transition(Event::Dissolve)?;
    if body.reason.trim().chars().count() < 3 {
        return Err(Error::invalid("reason", "Say in a few words why."));
    }
    group.reason = body.reason.trim().into();
    save(tx, context, &mut feeds, Some(&before), group, "group.dissolve").await
}

/// The group as it was looked at, with its feed locked.
async fn opened(tx: &mut Tx, context: &Context, id: Uuid, revision: i64) -> Result<(Locked, Group)> {
    let org = context.reader.org;
    let feed = store::feed_of(tx, org, id).await?;
    scope::demand_then(tx, context, feed, "group").await?;
    let feeds = feed::lock(tx, org, [feed]).await?;
    let group = store::current(tx, org, feed, id).await?;
    if group.revision != revision {
        return Err(Error::refused("stale", "The group has changed since you looked at it; look again."));
    }
    Ok((feeds, group))
}

/// The one village of these households, each of which the caller sees.
async fn village(tx: &mut Tx, context: &Context, members: &[Member]) -> Result<Uuid> {
    let mut one = None;
    for member in members {
        let place = households::store::feed_of(tx, context.reader.org, member.household).await?;
        scope::demand_then(tx, context, place, "household").await?;
        if *one.get_or_insert(place) != place {
            return Err(other_village());
        }
    }
    one.ok_or_else(|| Error::not_found("household"))
}

fn other_village() -> Error {
    Error::refused("other_village", "The households of a group live in one village.").field("members")
}

/// The household takes part in the programme, and is in no group of it.
async fn demand_free(tx: &mut Tx, org: Uuid, programme: Uuid, household: Uuid) -> Result<()> {
    if store::of_household(tx, org, household, programme).await?.is_some() {
        let message = "The household is in another group of this programme.";
        return Err(Error::refused("in_group", message).field("members"));
    }
    enrolments::store::demand_active(tx, org, household, programme).await.map_err(|error| error.field("members"))
}

/// Those who come into a group have reached the second milestone.
async fn reach(tx: &mut Tx, context: &Context, feeds: &mut Locked, group: &Group, new: &[Uuid]) -> Result<()> {
    let reached = Happening { number: 2, event: milestones::Event::Complete, cause: "group", subject: group.id };
    milestones::happened(tx, context, feeds, group.place, new, Some(group.programme), reached).await
}

pub(super) async fn save(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    before: Option<&Group>,
    mut group: Group,
    action: &str,
) -> Result<Applied> {
    let place = group.place;
    (group.updated_at, group.revision) = (context.now, feeds.revision(place));
    store::put(tx, feeds, &group).await?;
    let change = (before, Some(&group));
    audit::append(tx, feeds, place, &context.actor(), action, ("group", group.id), change).await?;
    Applied::to(group.id, group.revision)
}
