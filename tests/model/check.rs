//! The promises of DESIGN §4, checked at the end of a history.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::history::{Record, Typed};
use crate::phone::Phone;
use crate::world::World;

pub async fn promises(world: &World, phones: &[Phone], record: &Record) -> Result<(), String> {
    in_order(record)?;
    answered(record)?;
    once(world, record).await?;
    authors(record)?;
    decided_as_seen(record)?;
    for phone in phones {
        converged(world, phone).await?;
    }
    let server = everything(world).await;
    record.typed.iter().try_for_each(|typed| kept(record, &server, typed))?;
    rejected_are_kept(world, record).await
}

fn answer<'r>(record: &'r Record, command: &str) -> &'r Value {
    record.answers.get(command).unwrap_or(&Value::Null)
}

/// Everything that was made has been answered, and nothing was refused but for a reason that lies in the history.
fn answered(record: &Record) -> Result<(), String> {
    for (_, about, command) in &record.made {
        let answer = answer(record, command);
        match (answer["status"].as_str(), answer["code"].as_str()) {
            (Some("applied" | "conflict"), _) => {}
            // Somebody else was faster, or it was not theirs to do.
            (Some("rejected"), Some("wrong_state" | "forbidden" | "stale")) => {}
            _ => return Err(format!("what a phone made arrives: {command} about {about} was answered {answer}")),
        }
    }
    Ok(())
}

async fn once(world: &World, record: &Record) -> Result<(), String> {
    for (visit, command) in &record.planned {
        let events = world.count("SELECT count(*) FROM audit WHERE subject = $1 AND action = 'visit.plan'", visit).await;
        let wanted = i64::from(answer(record, command)["status"] == "applied");
        if events != wanted {
            return Err(format!("a command takes effect once: visit {visit} was planned {events} times, not {wanted}"));
        }
    }
    let took_effect = |command: &str| i64::from(answer(record, command)["status"] == "applied");
    let mut submitted: BTreeMap<&str, i64> = BTreeMap::new();
    for (visit, command) in &record.submitted {
        *submitted.entry(visit).or_default() += took_effect(command);
    }
    for (visit, wanted) in submitted {
        let events = world.count("SELECT count(*) FROM audit WHERE subject = $1 AND action = 'visit.submit'", visit).await;
        let pictures = world.count("SELECT count(*) FROM evidence WHERE subject = $1", visit).await;
        let signatures = world.count("SELECT count(*) FROM signature WHERE subject = $1", visit).await;
        // Two pictures with the first time it is handed in, a signature with each.
        if (events, pictures, signatures) != (wanted, 2 * wanted.min(1), wanted) {
            return Err(format!(
                "a command takes effect once: visit {visit} was handed in {events} times, not {wanted}, with {pictures} pictures and {signatures} signatures"
            ));
        }
        let decisions: i64 = record.decided.iter().filter(|d| d.visit == visit).map(|d| took_effect(&d.command)).sum();
        let sql = "SELECT count(*) FROM audit WHERE subject = $1 AND action IN ('visit.approve', 'visit.return')";
        let events = world.count(sql, visit).await;
        if events != decisions {
            return Err(format!("a command takes effect once: visit {visit} was decided {events} times, not {decisions}"));
        }
    }
    let mut updates: BTreeMap<&str, i64> = BTreeMap::new();
    for typed in &record.typed {
        *updates.entry(&typed.household).or_default() += i64::from(answer(record, &typed.command)["status"] != "rejected");
    }
    for (household, wanted) in updates {
        let sql = "SELECT count(*) FROM audit a WHERE a.subject = $1 AND a.action = 'household.update'
                   AND NOT EXISTS (SELECT 1 FROM audit s WHERE s.org = a.org AND s.feed = a.feed
                       AND s.sequence = a.sequence + 1 AND s.action = 'conflict.settle_mine')";
        let events = world.count(sql, household).await;
        if events != wanted {
            return Err(format!("a command takes effect once: {household} was updated {events} times, not {wanted}"));
        }
    }
    Ok(())
}

/// What one phone did to one record took effect in the order it was done: feed revisions only rise.
fn in_order(record: &Record) -> Result<(), String> {
    let mut last: BTreeMap<(usize, &str), (i64, &str)> = BTreeMap::new();
    for (phone, about, command) in &record.made {
        let answer = answer(record, command);
        if answer["status"] == "rejected" {
            // Its own plan came before it, so the server must know the visit.
            if answer["code"] == "not_found" && last.contains_key(&(*phone, about.as_str())) {
                return Err(format!("the order of a record is kept: {command} came before what phone {phone} did first"));
            }
            continue;
        }
        let revision = answer["record"]["revision"].as_i64().unwrap_or_default();
        let before = last.insert((*phone, about), (revision, command));
        if let Some((earlier, first)) = before.filter(|(earlier, _)| *earlier >= revision) {
            return Err(format!(
                "the order of a record is kept: phone {phone} did {first} before {command}, but revisions are {earlier} and {revision}"
            ));
        }
    }
    Ok(())
}

/// A decision stands only on what was looked at: nothing that took effect on the visit lies between.
fn decided_as_seen(record: &Record) -> Result<(), String> {
    for decided in &record.decided {
        let verdict = answer(record, &decided.command);
        if verdict["status"] == "rejected" {
            continue;
        }
        let at = verdict["record"]["revision"].as_i64().unwrap_or_default();
        for (_, about, command) in &record.made {
            let between = answer(record, command)["record"]["revision"].as_i64().unwrap_or_default();
            if *about == decided.visit && decided.looked_at < between && between < at {
                return Err(format!(
                    "a decision stands on what was looked at: {command} came between {} and {at}",
                    decided.looked_at
                ));
            }
        }
    }
    Ok(())
}

/// A mentor does nothing to another's visit.
fn authors(record: &Record) -> Result<(), String> {
    for meddled in &record.meddled {
        let answer = answer(record, &meddled.command);
        if answer["code"] != "forbidden" {
            return Err(format!("nobody changes another's visit: {answer}"));
        }
    }
    Ok(())
}

/// The phone holds exactly what a new phone of the same person would get.
async fn converged(world: &World, phone: &Phone) -> Result<(), String> {
    let mut fresh = Phone::new(phone.person, BTreeMap::new());
    loop {
        let answer = world.people[phone.person].sync(&json!(fresh.cursors), &[]).await;
        fresh.take(&answer, world.now());
        if answer["more"] == false {
            break;
        }
    }
    if phone.cursors != fresh.cursors {
        return Err(format!("all phones converge: cursors {:?}, a new phone has {:?}", phone.cursors, fresh.cursors));
    }
    // A phone began where its feeds stood: what lies before, it never asked for.
    for (key, held) in &phone.records {
        if fresh.records.get(key) != Some(held) {
            return Err(format!("all phones converge: {key:?} is {held:?}, a new phone has {:?}", fresh.records.get(key)));
        }
    }
    let begun = phone.begun();
    for (key, (kind, body)) in &fresh.records {
        let revision = body["revision"].as_i64().unwrap_or_default();
        let expected = begun.get(&key.0).is_none_or(|begun| revision > *begun);
        if expected && body.get("revision").is_some() && !phone.records.contains_key(key) {
            return Err(format!("all phones converge: {kind} {key:?} is missing on a phone"));
        }
    }
    Ok(())
}

/// Records and conflicts of the two villages, as the supervisor sees them.
async fn everything(world: &World) -> Vec<Value> {
    let mut phone = Phone::new(crate::world::GRACE, BTreeMap::new());
    loop {
        let answer = world.people[crate::world::GRACE].sync(&json!(phone.cursors), &[]).await;
        phone.take(&answer, world.now());
        if answer["more"] == false {
            return phone.records.into_values().map(|(_, body)| body).collect();
        }
    }
}

/// A typed value stands, or somebody saw it and set another, or a conflict shows it.
fn kept(record: &Record, server: &[Value], typed: &Typed) -> Result<(), String> {
    let Typed { household, field, now, command, .. } = typed;
    if answer(record, command)["status"] == "rejected" {
        return Ok(());
    }
    let stands = server.iter().any(|r| r["id"] == **household && r[*field] == *now);
    let conflict = server
        .iter()
        .any(|c| c["record"] == **household && c["field"] == *field && (c["mine"] == *now || c["theirs"] == *now));
    let seen = record.typed.iter().any(|later| {
        later.household == *household
            && later.field == *field
            && later.was == *now
            && answer(record, &later.command)["status"] == "applied"
    });
    if stands || conflict || seen {
        return Ok(());
    }
    Err(format!("a typed value disappeared: {field} = {now} of {household}, {}", answer(record, command)))
}

/// What was refused is kept with the refusal.
async fn rejected_are_kept(world: &World, record: &Record) -> Result<(), String> {
    for (id, _) in record.answers.iter().filter(|(_, answer)| answer["status"] == "rejected") {
        let sql = "SELECT count(*) FROM command_log WHERE id = $1 AND rejected IS NOT NULL";
        if world.count(sql, id).await != 1 {
            return Err(format!("a typed value disappeared: {id} was rejected and not kept"));
        }
    }
    Ok(())
}
