//! Certificates of staff: what somebody may show that they can, until when, and how that came about.

pub mod api;
mod store;

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};

/// What was done with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "CertificateStepKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Add,
    Renew,
    Withdraw,
}

impl StepKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Renew => "renew",
            Self::Withdraw => "withdraw",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Add, Self::Renew, Self::Withdraw].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One step: appended, never changed.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "CertificateStep")]
pub struct Step {
    pub kind: StepKind,
    pub number: String,
    pub issued_on: Option<String>,
    pub expires_on: Option<String>,
    /// Of a withdrawal.
    pub reason: String,
    pub by: Uuid,
    pub by_name: String,
    pub at: Millis,
}

/// A certificate, with all that was done with it, latest last. Whether it has expired, the calendar says.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Certificate {
    pub id: Uuid,
    pub member: Uuid,
    pub member_name: String,
    pub name: String,
    pub issued_by: String,
    pub withdrawn: bool,
    /// As the latest addition or renewal says.
    pub number: String,
    pub issued_on: Option<String>,
    pub expires_on: Option<String>,
    pub history: Vec<Step>,
}

/// A certificate to be; `member` is whose it is, the caller unless said.
#[derive(Clone, Object)]
pub struct NewCertificate {
    pub member: Option<Uuid>,
    pub name: String,
    pub issued_by: String,
    #[oai(flatten)]
    pub term: Term,
}

/// From when until when it holds.
#[derive(Clone, Object)]
#[oai(rename = "CertificateTerm")]
pub struct Term {
    pub number: Option<String>,
    /// `YYYY-MM-DD`
    pub issued_on: Option<String>,
    /// None: it never expires.
    pub expires_on: Option<String>,
}

/// Why it holds no more.
#[derive(Clone, Object)]
#[oai(rename = "CertificateWithdrawal")]
pub struct Withdrawal {
    pub reason: String,
}

impl Term {
    fn check(&self) -> Result<()> {
        check::text("number", self.number.as_deref().unwrap_or_default(), 120)?;
        check::date("issued_on", self.issued_on.as_deref())?;
        check::date("expires_on", self.expires_on.as_deref())?;
        // Written like this, days compare as texts.
        match self.issued_on.as_ref().zip(self.expires_on.as_ref()) {
            Some((issued, expires)) if expires <= issued => {
                Err(Error::invalid("expires_on", "It expires after the day on which it was issued."))
            }
            _ => Ok(()),
        }
    }
}

impl NewCertificate {
    fn check(&self) -> Result<()> {
        check::name("name", &self.name)?;
        check::name("issued_by", &self.issued_by)?;
        self.term.check()
    }
}

impl Withdrawal {
    fn check(&self) -> Result<()> {
        check::text("reason", &self.reason, 500)?;
        match self.reason.trim().chars().count() < 3 {
            true => Err(Error::invalid("reason", "Say in a few words why.")),
            false => Ok(()),
        }
    }
}
