//! What a beneficiary's account sees: the own household, its visits and signatures, the next visit, and nothing else.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::HomeReader;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::households::Household;
use crate::signatures::Signature;
use crate::visits::{State, Visit};
use crate::{feed, packed};

pub struct Api(pub App);

/// A visit as the household sees it: what was said to it, not what colleagues wrote to each other.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct HomeVisit {
    pub number: Option<String>,
    pub state: State,
    pub mentor_name: String,
    pub planned_at: Option<Millis>,
    pub started_at: Option<Millis>,
    pub topics: Vec<String>,
    pub recommendations: String,
    pub action_items: String,
}

/// A signature of the household, with the text that was agreed to.
#[derive(Object)]
pub struct HomeSignature {
    pub id: Uuid,
    pub signer_name: String,
    pub statement: String,
    pub language: String,
    pub signed_at: Millis,
    pub sha256: String,
}

#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Home {
    pub household: Household,
    /// The next one that is planned.
    pub next_visit: Option<HomeVisit>,
    /// Those that took place, newest first; at most 100.
    pub visits: Vec<HomeVisit>,
    pub signatures: Vec<HomeSignature>,
}

#[OpenApi(tag = "crate::api::Tag::Households")]
impl Api {
    /// A beneficiary's own household
    ///
    /// The one that the account belongs to; there is no way to ask for another.
    #[oai(path = "/api/home", method = "get", operation_id = "home")]
    async fn home(&self, reader: HomeReader) -> Result<Json<Home>> {
        let (app, org) = (&self.0, reader.org);
        let kept: Option<(Uuid, Vec<u8>)> = app
            .db
            .query(
                "SELECT h.id, e.body FROM member m JOIN household h ON h.org = m.org AND h.id = m.household
                 JOIN feed_entry e ON e.org = h.org AND e.feed = h.feed AND e.id = h.id AND NOT e.deleted
                 WHERE m.org = $1 AND m.id = $2",
            )
            .bind(org)
            .bind(reader.id)
            .optional()
            .await?;
        let (id, body) = kept.ok_or_else(|| Error::not_found("household"))?;
        self.note(&reader, id).await?;
        let household: Household = serde_json::from_str(&app.crypto.open_text(&packed::open(&body)?))?;
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
            .bind(id)
            .all()
            .await?;
        let (mut visits, mut planned) = (Vec::new(), Vec::new());
        for (body, mentor) in rows {
            let visit: Visit = serde_json::from_str(&packed::open(&body)?)?;
            let list = if visit.state == State::Planned { &mut planned } else { &mut visits };
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
        let today = app.clock.now() - crate::clock::DAY;
        let next_visit = planned.into_iter().filter(|v| v.planned_at >= Some(today)).min_by_key(|v| v.planned_at);
        let rows: Vec<(Vec<u8>,)> = app
            .db
            .query(
                "SELECT e.body FROM signature s
                 JOIN feed_entry e ON e.org = s.org AND e.id = s.id AND NOT e.deleted
                 WHERE s.org = $1 AND s.subject IN (SELECT id FROM visit WHERE org = $1 AND household = $2
                     UNION SELECT id FROM household WHERE org = $1 AND id = $2)
                 ORDER BY s.received_at DESC, s.id LIMIT 100",
            )
            .bind(org)
            .bind(id)
            .all()
            .await?;
        let mut signatures = Vec::new();
        for (body,) in rows {
            let Signature { id, signer_name, statement, language, signed_at, sha256, .. } =
                serde_json::from_str(&packed::open(&body)?)?;
            signatures.push(HomeSignature { id, signer_name, statement, language, signed_at, sha256 });
        }
        Ok(Json(Home { household, next_visit, visits, signatures }))
    }
}

impl Api {
    /// That a file was opened stands in the reader's own chain, whoever reads it.
    async fn note(&self, reader: &HomeReader, household: Uuid) -> Result<()> {
        let at = self.0.clock.now();
        let actor = Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at };
        let own = reader.id;
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut feeds = feed::lock(tx, actor.org, [own]).await?;
                    let nothing = (None::<&()>, None::<&()>);
                    audit::append(tx, &mut feeds, own, &actor, "household.read", ("household", household), nothing).await
                })
            })
            .await
    }
}
