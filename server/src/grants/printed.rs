//! What a grant's papers are made of: the records, who everybody is, the pictures and the signatures.

use std::collections::HashMap;

use kilele_media::{StoreError, Variant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::paper::{self, GrantFile, MOST_PHOTOS, Occasion, Photo, Position, Receipt, Signed};
use super::{Acknowledgement, Grant};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::Reader;
use crate::crypto::{b64, hex, sha256};
use crate::error::{Error, Result};
use crate::groups::Group;
use crate::households::Household;
use crate::media::{Evidence, State};
use crate::orgs::Organisation;
use crate::paper::{Figures, Language};
use crate::policies::{QuestionKind, Words};
use crate::signatures::{Content, Signature, verify};
use crate::{enrolments, feed, packed, places, programmes};

/// More evidence than any grant has.
const MOST: i64 = 1_000;

pub struct Papers<'a> {
    app: &'a App,
    org: Uuid,
    grant: Grant,
    organisation: Organisation,
    language: Language,
    names: HashMap<Uuid, String>,
}

impl<'a> Papers<'a> {
    /// The language is the organisation's, unless another is asked for.
    pub async fn of(app: &'a App, reader: &Reader, grant: Grant, language: Option<Language>) -> Result<Self> {
        let org = reader.org;
        let organisation: Organisation =
            kept(app, org, org, "organisation", org).await?.ok_or_else(|| Error::not_found("organisation"))?;
        let own = if organisation.locale == "sw" { Language::Sw } else { Language::En };
        Ok(Self { app, org, grant, organisation, language: language.unwrap_or(own), names: HashMap::new() })
    }

    /// The whole file.
    pub async fn file(mut self, reader: &Reader) -> Result<Vec<u8>> {
        let grant = self.grant.clone();
        let facts = &grant.policy.facts;
        let group = self.group().await?;
        let received = self.acknowledgements().await?;
        let mut file = GrantFile {
            organisation: self.head(),
            language: self.language,
            printed_at: self.app.clock.now(),
            printed_by: reader.name.clone(),
            number: grant.number.clone(),
            state: key(&grant.state),
            programme: self.programme().await?,
            place: self.place().await?,
            applicants: self.applicants(group.as_ref()).await?,
            group: group.map(|group| group.name),
            policy: paper::Policy { key: facts.key.clone(), name: self.words(&facts.name), version: grant.policy.version },
            plan: paper::Plan {
                description: grant.plan.description.clone(),
                projected_income_minor: grant.plan.projected_income_minor,
                monthly_expenses_minor: grant.plan.monthly_expenses_minor,
                startup_minor: grant.plan.startup_minor,
                items: Vec::new(),
            },
            answers: self.answers(),
            amount: self.amount(),
            note: grant.note.clone(),
            submitted_by: self.name(grant.submitted_by).await?,
            submitted_at: grant.submitted_at,
            history: Vec::new(),
            tranches: Vec::new(),
            acknowledgements: Vec::new(),
            utilisation: None,
            photos: self.photos(&received).await?,
            signatures: self.signatures(grant.id).await?,
            proofs: self.proofs().await?,
        };
        for item in grant.plan.items {
            file.plan.items.push(paper::Item { what: item.what, quantity: item.quantity, unit_minor: item.unit_minor });
        }
        for step in grant.history {
            let by = self.named(step.by).await?;
            file.history.push(paper::Step {
                event: key(&step.event),
                by,
                at: step.at,
                reason: step.reason,
                score: step.score,
            });
        }
        for part in &grant.tranches {
            let released_by = self.named(part.released_by).await?;
            file.tranches.push(paper::Tranche {
                number: part.number,
                amount_minor: part.amount_minor,
                state: key(&part.state),
                method: part.method.as_ref().map(key),
                reference: part.reference.clone(),
                released_by,
                released_on: part.released_on.clone(),
                acknowledged_at: part.acknowledged_at,
                note: part.note.clone(),
            });
        }
        for one in received {
            file.acknowledgements.push(paper::Acknowledgement {
                part: self.number_of(&one),
                amount_minor: one.amount_minor,
                counted: one.counted,
                flag: one.flag.as_ref().map(key),
                note: one.note,
                position: position(&one.position),
                received_by: self.signatures(one.id).await?.pop().map_or_else(String::new, |signed| signed.signer_name),
                recorded_by: self.name(one.recorded_by).await?,
                received_at: one.received_at,
            });
        }
        if let Some(used) = grant.utilisation {
            let items = used.items.into_iter();
            file.utilisation = Some(paper::Utilisation {
                state: key(&used.state),
                due_on: used.due_on,
                items: items
                    .map(|one| paper::Spent { what: one.what, amount_minor: one.amount_minor, on: one.on })
                    .collect(),
                spent_minor: used.spent_minor,
                note: used.note,
                submitted_by: self.named(used.submitted_by).await?,
                submitted_at: used.submitted_at,
                decided_by: self.named(used.decided_by).await?,
                decided_at: used.decided_at,
                decision_note: used.decision_note,
            });
        }
        written(self.app, move || paper::file(file)).await
    }

    /// The receipt for what one acknowledgement confirms.
    ///
    /// # Errors
    /// 404 when it is not of this grant.
    pub async fn receipt(mut self, acknowledgement: Uuid, size: paper::Size) -> Result<Vec<u8>> {
        let received = self.acknowledgements().await?;
        let one = received.into_iter().find(|one| one.id == acknowledgement);
        let one = one.ok_or_else(|| Error::not_found("acknowledgement"))?;
        let group = self.group().await?;
        let applicants = self.applicants(group.as_ref()).await?;
        let names: Vec<String> = applicants.into_iter().map(|applicant| applicant.name).collect();
        let part = self.grant.tranches.iter().find(|part| part.id == one.tranche).cloned();
        let receipt = Receipt {
            organisation: self.head(),
            language: self.language,
            printed_at: self.app.clock.now(),
            grant: self.grant.number.clone().unwrap_or_default(),
            policy: self.words(&self.grant.policy.facts.name),
            programme: self.programme().await?,
            place: self.place().await?,
            recipient: group.map_or_else(|| names.join(", "), |group| group.name),
            part: self.number_of(&one),
            parts: self.grant.tranches.iter().map(|part| part.number).max().unwrap_or(1),
            amount_minor: one.amount_minor,
            method: part.as_ref().and_then(|part| part.method.as_ref()).map(key),
            reference: part.as_ref().map(|part| part.reference.clone()).unwrap_or_default(),
            released_on: part.and_then(|part| part.released_on),
            acknowledgement,
            received_at: one.received_at,
            recorded_by: self.name(one.recorded_by).await?,
            counted: one.counted,
            flag: one.flag.as_ref().map(key),
            signature: self.signatures(acknowledgement).await?.pop(),
        };
        written(self.app, move || paper::receipt(&receipt, size)).await
    }

    fn head(&self) -> paper::Organisation {
        let of = &self.organisation;
        paper::Organisation {
            name: of.display_name.clone().unwrap_or_else(|| of.name.clone()),
            letterhead: of.letterhead.clone().unwrap_or_default(),
            logo: of.logo.clone(),
            currency: of.currency.clone(),
            time_zone: of.time_zone.clone(),
        }
    }

    fn words(&self, words: &Words) -> String {
        if self.language == Language::En { words.en.clone() } else { words.sw.clone() }
    }

    /// What was asked for the amount, in words.
    fn answers(&self) -> Vec<(String, String)> {
        let figures = Figures::new(&self.organisation.currency, &self.organisation.time_zone, self.language);
        let questions = self.grant.policy.facts.questions.iter();
        let answered = questions.filter_map(|question| Some((question, self.grant.answers.get(&question.key)?)));
        let said = answered.map(|(question, answer)| {
            let text = match (question.kind, answer.as_i64()) {
                (QuestionKind::Whole, Some(number)) => match question.unit.as_deref() {
                    Some("percent") => format!("{} %", figures.count(number)),
                    Some("money") => figures.money(number),
                    Some(unit) => format!("{} {unit}", figures.count(number)),
                    None => figures.count(number),
                },
                _ => {
                    let chosen = answer.as_str().unwrap_or_default();
                    let option = question.options.iter().find(|option| option.key == chosen);
                    option.map_or_else(|| chosen.to_owned(), |option| self.words(&option.label))
                }
            };
            (self.words(&question.label), text)
        });
        said.collect()
    }

    fn amount(&self) -> paper::Amount {
        let amount = &self.grant.amount;
        let label = |key: &str| {
            let factor = self.grant.policy.facts.factors.iter().find(|factor| factor.key == key);
            factor.map_or_else(|| key.to_owned(), |factor| self.words(&factor.label))
        };
        paper::Amount {
            base_minor: amount.base_minor,
            factors: amount.factors.iter().map(|factor| (label(&factor.key), factor.by)).collect(),
            raw_minor: amount.raw_minor,
            amount_minor: amount.amount_minor,
            clamped: amount.clamped.as_ref().map(key),
            phone_minor: self.grant.phone_amount_minor,
        }
    }

    fn number_of(&self, one: &Acknowledgement) -> i64 {
        self.grant.tranches.iter().find(|part| part.id == one.tranche).map_or(0, |part| part.number)
    }

    async fn programme(&self) -> Result<String> {
        let found = kept::<programmes::Programme>(self.app, self.org, self.org, "programme", self.grant.programme).await?;
        Ok(found.map_or_else(String::new, |programme| programme.facts.name))
    }

    async fn place(&self) -> Result<String> {
        let found = kept::<places::Place>(self.app, self.org, self.org, "place", self.grant.place).await?;
        Ok(found.map_or_else(String::new, |place| place.name))
    }

    async fn group(&self) -> Result<Option<Group>> {
        let Some(group) = self.grant.group else { return Ok(None) };
        kept(self.app, self.org, self.grant.place, "group", group).await
    }

    async fn applicants(&self, group: Option<&Group>) -> Result<Vec<paper::Applicant>> {
        let place = self.place().await?;
        let mut applicants = Vec::new();
        for id in &self.grant.households {
            let household: Option<Household> = kept(self.app, self.org, self.grant.place, "household", *id).await?;
            let member = group.and_then(|group| group.members.iter().find(|member| member.household == *id));
            applicants.push(paper::Applicant {
                name: household.map_or_else(String::new, |household| household.facts.head_name),
                role: member.map_or_else(String::new, |member| key(&member.role)),
                place: place.clone(),
            });
        }
        Ok(applicants)
    }

    async fn acknowledgements(&self) -> Result<Vec<Acknowledgement>> {
        let rows: Vec<(Vec<u8>,)> = self
            .app
            .db
            .query(
                "SELECT e.body FROM acknowledgement a
                 JOIN feed_entry e ON e.org = a.org AND e.feed = a.feed AND e.id = a.id AND NOT e.deleted
                 WHERE a.org = $1 AND a.grant_id = $2 ORDER BY a.created_at, a.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(self.org)
            .bind(self.grant.id)
            .bind(MOST)
            .all()
            .await?;
        rows.into_iter().map(|(body,)| Ok(serde_json::from_str(&packed::open(&body)?)?)).collect()
    }

    /// Pictures of the application, the receipts and the reports; their bytes are read one after the other.
    async fn photos(&mut self, received: &[Acknowledgement]) -> Result<Vec<Photo>> {
        let rows: Vec<(Vec<u8>,)> = self
            .app
            .db
            .query(
                "SELECT e.body FROM evidence x
                 JOIN feed_entry e ON e.org = x.org AND e.feed = x.feed AND e.id = x.id AND NOT e.deleted
                 WHERE x.org = $1 AND (x.subject = $2
                     OR x.subject IN (SELECT a.id FROM acknowledgement a WHERE a.org = $1 AND a.grant_id = $2)
                     OR x.subject IN (SELECT u.id FROM utilisation u WHERE u.org = $1 AND u.grant_id = $2))
                 ORDER BY x.captured_at, x.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(self.org)
            .bind(self.grant.id)
            .bind(MOST)
            .all()
            .await?;
        let mut photos = Vec::new();
        for (body,) in rows {
            let evidence: Evidence = serde_json::from_str(&packed::open(&body)?)?;
            let part = received.iter().find(|one| one.id == evidence.subject).map(|one| self.number_of(one));
            let of = match part {
                Some(part) => Occasion::Part(part),
                None if evidence.subject == self.grant.id => Occasion::Application,
                None => Occasion::Use,
            };
            let shown = photos.len() < MOST_PHOTOS && evidence.state == State::Ready;
            photos.push(Photo {
                slot: evidence.slot.clone(),
                of,
                jpeg: if shown { self.bytes(&evidence.sha256).await? } else { None },
                quarantined: evidence.reason.filter(|_| evidence.state == State::Quarantined),
                sha256: evidence.sha256,
                captured_at: Some(evidence.captured_at),
                by: self.name(evidence.captured_by).await?,
                position: evidence.lat.zip(evidence.lon).map(|(lat, lon)| Position {
                    lat,
                    lon,
                    accuracy: evidence.accuracy_m,
                }),
            });
        }
        Ok(photos)
    }

    async fn bytes(&self, sha256: &str) -> Result<Option<Vec<u8>>> {
        match self.app.store.get(&self.org.to_string(), sha256, Variant::Card).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Signatures of a record; of the grant, also those of its receipts.
    async fn signatures(&self, subject: Uuid) -> Result<Vec<Signed>> {
        let rows: Vec<(Uuid, Vec<u8>)> = self
            .app
            .db
            .query(
                "SELECT s.id, e.body FROM signature s
                 JOIN feed_entry e ON e.org = s.org AND e.feed = s.feed AND e.id = s.id AND NOT e.deleted
                 WHERE s.org = $1 AND (s.subject = $2
                     OR s.subject IN (SELECT a.id FROM acknowledgement a WHERE a.org = $1 AND a.grant_id = $2))
                 ORDER BY s.received_at, s.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(self.org)
            .bind(subject)
            .bind(MOST)
            .all()
            .await?;
        let mut signatures = Vec::new();
        for (id, body) in rows {
            let record: Signature = serde_json::from_str(&packed::open(&body)?)?;
            let kept = verify::kept(self.app, self.org, id).await?;
            // What was erased, or cannot be read, has no lines to draw.
            let content = kept.text().and_then(|text| Content::parse(&text)).ok();
            let home: Option<Household> = match record.household {
                Some(one) => self::kept(self.app, self.org, self.grant.place, "household", one).await?,
                None => None,
            };
            signatures.push(Signed {
                witness: content.as_ref().and_then(|content| content.witness.clone()),
                ink: content.map(|content| content.ink()),
                signer_name: record.signer_name,
                signer_role: record.signer_role,
                household: home.map_or_else(String::new, |home| home.facts.head_name),
                statement: record.statement,
                language: record.language,
                signed_at: record.signed_at,
                received_at: record.received_at,
                sha256: record.sha256,
                sequence: record.sequence,
                server_signature: record.server_signature,
                device_key: kept.device_key.map(|key| hex(&sha256(&key))[..32].to_owned()),
                verified: verify::verify(self.app, self.org, id).await?.valid,
            });
        }
        Ok(signatures)
    }

    async fn proofs(&self) -> Result<paper::Proofs> {
        type Heads = (i64, Option<Vec<u8>>, i64, Option<Vec<u8>>);
        let (audits, audit, signed, signature): Heads = self
            .app
            .db
            .query(
                "SELECT audit_sequence, audit_head, signature_sequence, signature_head FROM feed WHERE org = $1 AND id = $2",
            )
            .bind(self.org)
            .bind(self.grant.place)
            .one()
            .await?;
        Ok(paper::Proofs {
            audit_head: audit.map(|hash| (audits, hex(&hash))),
            signature_head: signature.map(|hash| (signed, hex(&hash))),
            server_key: b64(self.app.crypto.public_key()),
        })
    }

    async fn named(&mut self, member: Option<Uuid>) -> Result<Option<String>> {
        match member {
            Some(member) => Ok(Some(self.name(member).await?)),
            None => Ok(None),
        }
    }

    /// What a member is called; read once each.
    async fn name(&mut self, member: Uuid) -> Result<String> {
        if let Some(name) = self.names.get(&member) {
            return Ok(name.clone());
        }
        let row: Option<(String,)> = self
            .app
            .db
            .query("SELECT a.name FROM member m JOIN account a ON a.id = m.account WHERE m.org = $1 AND m.id = $2")
            .bind(self.org)
            .bind(member)
            .optional()
            .await?;
        let name = row.map(|(name,)| name).unwrap_or_default();
        self.names.insert(member, name.clone());
        Ok(name)
    }
}

/// A beneficiary's grant: one that their own household applied for.
///
/// # Errors
/// 404.
pub async fn of_household(app: &App, reader: &Reader, grant: Uuid) -> Result<Grant> {
    let row: Option<(Uuid,)> = app
        .db
        .query(
            "SELECT g.feed FROM grant_file g JOIN grant_household h ON h.org = g.org AND h.grant_id = g.id
             JOIN member m ON m.org = h.org AND m.household = h.household
             WHERE g.org = $1 AND g.id = $2 AND m.id = $3",
        )
        .bind(reader.org)
        .bind(grant)
        .bind(reader.id)
        .optional()
        .await?;
    let (feed,) = row.ok_or_else(|| Error::not_found("grant"))?;
    kept(app, reader.org, feed, "grant", grant).await?.ok_or_else(|| Error::not_found("grant"))
}

/// A record, whoever asks: the caller knows that they may have what is printed of it.
async fn kept<T: DeserializeOwned>(app: &App, org: Uuid, feed: Uuid, kind: &str, id: Uuid) -> Result<Option<T>> {
    let row: Option<(Vec<u8>,)> = app
        .db
        .query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $2 AND kind = $3 AND id = $4 AND NOT deleted")
        .bind(org)
        .bind(feed)
        .bind(kind)
        .bind(id)
        .optional()
        .await?;
    row.map(|(body,)| Ok(serde_json::from_str(&packed::open(&body)?)?)).transpose()
}

/// Written off the async threads, as many at once as there are cores.
async fn written(app: &App, write: impl FnOnce() -> Result<Vec<u8>> + Send + 'static) -> Result<Vec<u8>> {
    let _writer = app.decoders.acquire().await.map_err(Error::unexpected)?;
    tokio::task::spawn_blocking(write).await.map_err(Error::unexpected)?
}

fn position(position: &enrolments::Position) -> Option<Position> {
    let (lat, lon) = position.lat.zip(position.lon)?;
    Some(Position { lat, lon, accuracy: position.accuracy_m })
}

/// How the API names it.
fn key(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(key)) => key,
        _ => String::new(),
    }
}

/// Who opened whose file stands in the reader's own chain.
pub async fn note(app: &App, reader: &Reader, grant: Uuid) -> Result<()> {
    let actor = Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at: app.clock.now() };
    let own = reader.id;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let mut feeds = feed::lock(tx, actor.org, [own]).await?;
                let nothing = (None::<&()>, None::<&()>);
                audit::append(tx, &mut feeds, own, &actor, "grant.read", ("grant", grant), nothing).await
            })
        })
        .await
}
