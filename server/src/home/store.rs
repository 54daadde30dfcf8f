//! What is kept of the own household: read by its account's household and by nothing that the caller says.

use uuid::Uuid;

use super::{HomeGrant, HomePart, HomeSignature, HomeVisit};
use crate::app::App;
use crate::auth::HomeReader;
use crate::clock::DAY;
use crate::error::{Error, Result};
use crate::grants::{Grant, TrancheState, UseState};
use crate::households::Household;
use crate::packed;
use crate::signatures::Signature;
use crate::visits::{State, Visit};

pub async fn household(app: &App, reader: &HomeReader) -> Result<Household> {
    let kept: Option<(Vec<u8>,)> = app
        .db
        .query(
            "SELECT e.body FROM member m JOIN household h ON h.org = m.org AND h.id = m.household
             JOIN feed_entry e ON e.org = h.org AND e.feed = h.feed AND e.id = h.id AND NOT e.deleted
             WHERE m.org = $1 AND m.id = $2",
        )
        .bind(reader.org)
        .bind(reader.id)
        .optional()
        .await?;
    let (body,) = kept.ok_or_else(|| Error::not_found("household"))?;
    Ok(serde_json::from_str(&app.crypto.open_text(&packed::open(&body)?))?)
}

/// The next one that is planned, and those that took place.
pub async fn visits(app: &App, org: Uuid, household: Uuid) -> Result<(Option<HomeVisit>, Vec<HomeVisit>)> {
    let rows: Vec<(Vec<u8>, String)> = app
        .db
        .query(
            "SELECT e.body, a.name FROM visit v
             JOIN feed_entry e ON e.org = v.org AND e.feed = v.feed AND e.id = v.id AND NOT e.deleted
             JOIN member m ON m.org = v.org AND m.id = v.mentor JOIN account a ON a.id = m.account
             WHERE v.org = $1 AND v.household = $2 AND v.state NOT IN ('cancelled', 'missed')
             ORDER BY COALESCE(v.started_at, v.planned_at) DESC, v.id LIMIT 100",
        )
        .bind(org)
        .bind(household)
        .all()
        .await?;
    let (mut took_place, mut planned) = (Vec::new(), Vec::new());
    for (body, mentor) in rows {
        let visit: Visit = serde_json::from_str(&packed::open(&body)?)?;
        let list = if visit.state == State::Planned { &mut planned } else { &mut took_place };
        list.push(HomeVisit {
            number: visit.number,
            state: visit.state,
            mentor_name: mentor,
            planned_at: visit.planned_at,
            started_at: visit.findings.started_at,
            topics: visit.findings.topics,
            recommendations: visit.findings.recommendations,
            action_items: visit.findings.action_items,
        });
    }
    let today = app.clock.now() - DAY;
    let next = planned.into_iter().filter(|v| v.planned_at >= Some(today)).min_by_key(|v| v.planned_at);
    Ok((next, took_place))
}

pub async fn grants(app: &App, org: Uuid, household: Uuid) -> Result<Vec<HomeGrant>> {
    let rows: Vec<(Vec<u8>,)> = app
        .db
        .query(
            "SELECT e.body FROM grant_household h JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
             JOIN feed_entry e ON e.org = g.org AND e.feed = g.feed AND e.id = g.id AND NOT e.deleted
             WHERE h.org = $1 AND h.household = $2 ORDER BY g.submitted_at DESC, g.id LIMIT 100",
        )
        .bind(org)
        .bind(household)
        .all()
        .await?;
    rows.into_iter().map(|(body,)| Ok(shown(serde_json::from_str(&packed::open(&body)?)?))).collect()
}

fn shown(grant: Grant) -> HomeGrant {
    let parts = grant.tranches.into_iter().filter(|part| part.state != TrancheState::Reversed);
    let awaited = grant.utilisation.filter(|report| matches!(report.state, UseState::Due | UseState::Returned));
    HomeGrant {
        id: grant.id,
        number: grant.number,
        name: grant.policy.facts.name,
        state: grant.state,
        amount_minor: grant.amount.amount_minor,
        submitted_at: grant.submitted_at,
        parts: parts
            .map(|part| HomePart {
                id: part.id,
                number: part.number,
                amount_minor: part.amount_minor,
                state: part.state,
                at: part.acknowledged_at.or(part.released_at),
                receipt: part.acknowledgement,
            })
            .collect(),
        use_due: awaited.map(|report| report.due_on),
    }
}

/// Under its visits, its own record, its grants and their receipts. Of what several households signed, only its own.
pub async fn signatures(app: &App, org: Uuid, household: &Household) -> Result<Vec<HomeSignature>> {
    let rows: Vec<(Vec<u8>, bool)> = app
        .db
        .query(
            "WITH own AS (SELECT g.id, (SELECT count(*) FROM grant_household o WHERE o.org = g.org AND o.grant_id = g.id) > 1 AS shared
                 FROM grant_household h JOIN grant_file g ON g.org = h.org AND g.id = h.grant_id
                 WHERE h.org = $1 AND h.household = $2),
             about AS (SELECT id, $2 <> $2 AS shared FROM visit WHERE org = $1 AND household = $2
                 UNION SELECT id, $2 <> $2 FROM household WHERE org = $1 AND id = $2
                 UNION SELECT id, shared FROM own
                 UNION SELECT a.id, own.shared FROM acknowledgement a JOIN own ON own.id = a.grant_id WHERE a.org = $1)
             SELECT e.body, about.shared FROM signature s JOIN about ON about.id = s.subject
             JOIN feed_entry e ON e.org = s.org AND e.id = s.id AND NOT e.deleted
             WHERE s.org = $1 ORDER BY s.received_at DESC, s.id LIMIT 100",
        )
        .bind(org)
        .bind(household.id)
        .all()
        .await?;
    let mut own = Vec::new();
    for (body, shared) in rows {
        let signature: Signature = serde_json::from_str(&packed::open(&body)?)?;
        if shared && !signature.is_for(household.id, &household.facts.head_name) {
            continue;
        }
        let Signature { id, signer_name, statement, language, signed_at, sha256, .. } = signature;
        own.push(HomeSignature { id, signer_name, statement, language, signed_at, sha256 });
    }
    Ok(own)
}
