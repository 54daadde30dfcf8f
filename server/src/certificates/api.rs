//! How certificates are read and written: one's own, those of one's team, and all for whoever manages members.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Certificate, NewCertificate, StepKind, Term, Withdrawal, store};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::Reader;
use crate::error::{Error, Result};

pub struct Api(pub App);

#[derive(Object)]
struct Certificates {
    items: Vec<Certificate>,
}

#[OpenApi(tag = "crate::api::Tag::Members")]
impl Api {
    /// Certificates that the caller may see
    ///
    /// The own, those of the own team, all for whoever manages members; those that expire first lead.
    #[oai(path = "/api/certificates", method = "get", operation_id = "listCertificates")]
    async fn list(&self, reader: Reader, member: Query<Option<Uuid>>) -> Result<Json<Certificates>> {
        Ok(Json(Certificates { items: store::list(&self.0.db, &store::Seer::of(&reader), member.0, None).await? }))
    }

    /// Add a certificate
    #[oai(path = "/api/certificates", method = "post", operation_id = "addCertificate")]
    async fn add(&self, by: Reader, new: Json<NewCertificate>) -> Result<Json<Certificate>> {
        demand_staff(&by)?;
        new.check()?;
        let (actor, seer) = (self.actor(&by), store::Seer::of(&by));
        let id = self.0.db.write(move |tx| Box::pin(async move { store::add(tx, &actor, &seer, new.0).await })).await?;
        self.one(&by, id).await
    }

    /// Renew a certificate
    ///
    /// What it was before stays in its history.
    #[oai(path = "/api/certificates/:id/renew", method = "post", operation_id = "renewCertificate")]
    async fn renew(&self, by: Reader, id: Path<Uuid>, term: Json<Term>) -> Result<Json<Certificate>> {
        term.check()?;
        self.step(&by, id.0, StepKind::Renew, term.0, String::new()).await
    }

    /// Withdraw a certificate
    #[oai(path = "/api/certificates/:id/withdraw", method = "post", operation_id = "withdrawCertificate")]
    async fn withdraw(&self, by: Reader, id: Path<Uuid>, why: Json<Withdrawal>) -> Result<Json<Certificate>> {
        why.check()?;
        let term = Term { number: None, issued_on: None, expires_on: None };
        self.step(&by, id.0, StepKind::Withdraw, term, why.reason.trim().to_owned()).await
    }
}

impl Api {
    fn actor(&self, by: &Reader) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }

    async fn step(&self, by: &Reader, id: Uuid, kind: StepKind, term: Term, reason: String) -> Result<Json<Certificate>> {
        demand_staff(by)?;
        let (actor, seer) = (self.actor(by), store::Seer::of(by));
        let what = (kind, term, reason);
        self.0.db.write(move |tx| Box::pin(async move { store::step(tx, &actor, &seer, id, what).await })).await?;
        self.one(by, id).await
    }

    async fn one(&self, by: &Reader, id: Uuid) -> Result<Json<Certificate>> {
        let mut found = store::list(&self.0.db, &store::Seer::of(by), None, Some(id)).await?;
        found.pop().map(Json).ok_or_else(|| Error::not_found("certificate"))
    }
}

fn demand_staff(by: &Reader) -> Result<()> {
    match by.role.staff() {
        true => Ok(()),
        false => Err(Error::forbidden("Certificates are of the organisation's staff.")),
    }
}
