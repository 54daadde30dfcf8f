//! How the world reads grants, their ledger and a programme's budget; they are written by commands.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use uuid::Uuid;

use super::budget::{self, Budget, Entry};
use super::paper::Size;
use super::printed::{self, Papers};
use super::{Grant, State, store};
use crate::app::App;
use crate::auth::{GrantReader, Reader};
use crate::error::{Error, Result};
use crate::paper::Language;
use crate::scope;
use crate::wire::{Page, Pdf, Stored};

pub struct Api(pub App);

#[derive(Object)]
struct Ledger {
    items: Vec<Entry>,
}

/// What a paper is written in.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum PaperLanguage {
    En,
    Sw,
}

/// What a receipt is printed on; a phone's page is as long as what stands on it.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum ReceiptSize {
    A4,
    A6,
    Phone,
}

impl From<PaperLanguage> for Language {
    fn from(language: PaperLanguage) -> Self {
        match language {
            PaperLanguage::En => Self::En,
            PaperLanguage::Sw => Self::Sw,
        }
    }
}

impl From<ReceiptSize> for Size {
    fn from(size: ReceiptSize) -> Self {
        match size {
            ReceiptSize::A4 => Self::A4,
            ReceiptSize::A6 => Self::A6,
            ReceiptSize::Phone => Self::Phone,
        }
    }
}

#[OpenApi(tag = "crate::api::Tag::Grants")]
impl Api {
    /// List grants
    ///
    /// By number, which is the order in which they were submitted.
    #[oai(path = "/api/grants", method = "get", operation_id = "listGrants")]
    async fn list(
        &self,
        reader: GrantReader,
        state: Query<Option<State>>,
        programme: Query<Option<Uuid>>,
        household: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Grant>>> {
        if after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_cursor", "`after` is not from this list."));
        }
        if !reader.capabilities.sees("grant") {
            return Err(Error::forbidden("This role does not read households."));
        }
        let wanted = store::Wanted {
            state: state.0,
            programme: programme.0,
            household: household.0,
            after: after.0,
            limit: limit.0.unwrap_or(50),
        };
        store::list(&self.0, &reader, wanted).await
    }

    /// One grant
    #[oai(path = "/api/grants/:id", method = "get", operation_id = "getGrant")]
    async fn get(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Stored<Grant>> {
        Ok(Stored::new(scope::record(&self.0.db, &reader, "grant", id.0).await?))
    }

    /// A grant's whole file as PDF
    ///
    /// Application, decisions, payments, photos, signatures, and the hashes that prove them, on A4. In the organisation's
    /// language unless another is asked for. That it was read stands in the audit.
    #[oai(path = "/api/grants/:id/file.pdf", method = "get", operation_id = "getGrantFile")]
    async fn file(&self, reader: GrantReader, id: Path<Uuid>, language: Query<Option<PaperLanguage>>) -> Result<Pdf> {
        let grant: Grant = serde_json::from_str(&scope::record(&self.0.db, &reader, "grant", id.0).await?)?;
        let reader = reader.again();
        printed::note(&self.0, &reader, id.0).await?;
        let name = grant.number.clone().unwrap_or_else(|| id.0.to_string());
        let papers = Papers::of(&self.0, &reader, grant, language.0.map(Into::into)).await?;
        Ok(Pdf { name, bytes: papers.file(&reader).await?.into() })
    }

    /// The receipt for one part of a grant as PDF
    ///
    /// Also for the beneficiary whose household received it. Its code says `KILELE-R1.` and base64url of JSON: g number,
    /// t part, a amount in minor units, c currency, d when, k acknowledgement, h the first half of the signature's SHA-256.
    #[oai(path = "/api/grants/:id/receipts/:acknowledgement", method = "get", operation_id = "getGrantReceipt")]
    async fn receipt(
        &self,
        reader: Reader,
        id: Path<Uuid>,
        acknowledgement: Path<String>,
        language: Query<Option<PaperLanguage>>,
        size: Query<Option<ReceiptSize>>,
    ) -> Result<Pdf> {
        let one = acknowledgement.0.strip_suffix(".pdf").unwrap_or(&acknowledgement.0);
        let one: Uuid = one.parse().map_err(|_| Error::not_found("acknowledgement"))?;
        let grant: Grant = match reader.home_reader() {
            Ok(_) => printed::of_household(&self.0, &reader, id.0).await?,
            Err(_) => {
                let reader = reader.grant_reader()?;
                serde_json::from_str(&scope::record(&self.0.db, &reader, "grant", id.0).await?)?
            }
        };
        let name = format!("{}-{one}", grant.number.as_deref().unwrap_or("receipt"));
        let papers = Papers::of(&self.0, &reader, grant, language.0.map(Into::into)).await?;
        let size = size.0.map_or(Size::A6, Into::into);
        let bytes = papers.receipt(one, size).await?.into();
        printed::note(&self.0, &reader, id.0).await?;
        Ok(Pdf { name, bytes })
    }

    /// Every movement of a grant's money
    #[oai(path = "/api/grants/:id/ledger", method = "get", operation_id = "getGrantLedger")]
    async fn ledger(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Json<Ledger>> {
        scope::record(&self.0.db, &reader, "grant", id.0).await?;
        Ok(Json(Ledger { items: budget::entries(&self.0, reader.org, id.0).await? }))
    }

    /// A programme's money now
    #[oai(path = "/api/programmes/:id/budget", method = "get", operation_id = "getProgrammeBudget")]
    async fn budget(&self, reader: GrantReader, id: Path<Uuid>) -> Result<Json<Budget>> {
        Ok(Json(budget::of(&self.0, reader.org, id.0).await?))
    }
}
