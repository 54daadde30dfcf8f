//! What a beneficiary's account sees and says: the own household, its visits, grants and signatures, and nothing else.

mod store;

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::HomeReader;
use crate::clock::Millis;
use crate::commands::{Applied, Context, Door, RecordRef};
use crate::consents;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;
use crate::grants;
use crate::households::Household;
use crate::policies::Words;
use crate::signatures::verify::{self, Verification};
use crate::visits::State;

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

/// A part of a grant as the household sees it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct HomePart {
    pub id: Uuid,
    pub number: i64,
    pub amount_minor: i64,
    pub state: grants::TrancheState,
    /// When it was received, or else paid.
    pub at: Option<Millis>,
    /// The acknowledgement that counted.
    pub receipt: Option<Uuid>,
}

/// A grant as the household sees it: what was asked, agreed and paid, not what colleagues wrote to each other.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct HomeGrant {
    pub id: Uuid,
    pub number: Option<String>,
    /// Of the policy.
    pub name: Words,
    pub state: grants::State,
    pub amount_minor: i64,
    pub submitted_at: Millis,
    pub parts: Vec<HomePart>,
    /// Until when a report on its use is awaited: `YYYY-MM-DD`.
    pub use_due: Option<String>,
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
    /// Its own and those of its groups, newest first.
    pub grants: Vec<HomeGrant>,
    /// Of what several households signed, only its own.
    pub signatures: Vec<HomeSignature>,
}

/// That a part of a grant did not come as it is written.
#[derive(Object, Deserialize)]
pub struct Dispute {
    pub tranche: Uuid,
    pub reason: String,
}

/// Why the household does not agree any more.
#[derive(Object, Deserialize)]
pub struct Withdrawal {
    pub reason: String,
}

#[OpenApi(tag = "crate::api::Tag::Households")]
impl Api {
    /// A beneficiary's own household
    ///
    /// The one that the account belongs to; there is no way to ask for another.
    #[oai(path = "/api/home", method = "get", operation_id = "home")]
    async fn home(&self, reader: HomeReader) -> Result<Json<Home>> {
        let (app, org) = (&self.0, reader.org);
        let household = store::household(app, &reader).await?;
        self.note(&reader, household.id).await?;
        let (next_visit, visits) = store::visits(app, org, household.id).await?;
        let grants = store::grants(app, org, household.id).await?;
        let signatures = store::signatures(app, org, &household).await?;
        Ok(Json(Home { household, next_visit, visits, grants, signatures }))
    }

    /// Prove a signature of the own household
    ///
    /// Checks text, strokes, hash, the device's and the server's signature, and the chain.
    #[oai(path = "/api/home/signatures/:id/verify", method = "get", operation_id = "verifyOwnSignature")]
    async fn prove(&self, reader: HomeReader, id: Path<Uuid>) -> Result<Json<Verification>> {
        let household = store::household(&self.0, &reader).await?;
        let own = store::signatures(&self.0, reader.org, &household).await?;
        if !own.iter().any(|one| one.id == id.0) {
            return Err(Error::not_found("signature"));
        }
        Ok(Json(verify::verify(&self.0, reader.org, id.0).await?))
    }

    /// Withdraw the own household's consent
    ///
    /// It stays in the history when it was given and when it was withdrawn, and why.
    #[oai(path = "/api/home/consent/withdraw", method = "post", operation_id = "withdrawOwnConsent")]
    async fn withdraw(&self, reader: HomeReader, body: Json<Withdrawal>) -> Result<Json<RecordRef>> {
        let reason = body.0.reason;
        self.say(reader, move |tx, context, household| {
            Box::pin(async move { consents::withdraw_by_household(tx, context, household, &reason).await })
        })
        .await
    }

    /// Say that a part of a grant did not come as it is written
    ///
    /// It is looked at by those who look after grants; until then it counts as not received.
    #[oai(path = "/api/home/disputes", method = "post", operation_id = "disputeOwnGrant")]
    async fn dispute(&self, reader: HomeReader, body: Json<Dispute>) -> Result<Json<RecordRef>> {
        let Dispute { tranche, reason } = body.0;
        self.say(reader, move |tx, context, household| {
            Box::pin(async move { grants::dispute_by_household(tx, context, household, tranche, &reason).await })
        })
        .await
    }
}

type Said<'t> = std::pin::Pin<Box<dyn Future<Output = Result<Applied>> + Send + 't>>;

impl Api {
    /// What a household says itself: as a command is, with its account as the person who gave it.
    async fn say(
        &self,
        reader: HomeReader,
        work: impl for<'t> FnOnce(&'t mut Tx, &'t Context, Uuid) -> Said<'t> + Send + 'static,
    ) -> Result<Json<RecordRef>> {
        let household = store::household(&self.0, &reader).await?.id;
        let now = self.0.clock.now();
        let (app, door, number) = (self.0.clone(), Door::Rest, String::new());
        let context = Context { app, reader: reader.again(), door, at: now, now, number };
        let applied = self.0.db.write(move |tx| Box::pin(async move { work(tx, &context, household).await })).await?;
        self.0.jobs.notify_one();
        let (id, revision) = applied.record.unwrap_or_default();
        Ok(Json(RecordRef { id, revision }))
    }

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
