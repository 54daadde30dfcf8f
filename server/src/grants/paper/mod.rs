//! A grant on paper: the whole file, and the receipt for one part. Plain data in, PDF out; no I/O.

mod file;
mod receipt;
mod texts;

use kilele_media::Ink;
use uuid::Uuid;

pub use file::{MOST_PHOTOS, file};
pub use receipt::{Size, code, receipt};

use crate::clock::Millis;
use crate::paper::{Figures, Furniture, Language, Letterhead};
use texts::Texts;

/// Whose paper it is.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// As it calls itself.
    pub name: String,
    pub letterhead: String,
    /// A `data:` address, as the organisation's record has it.
    pub logo: Option<String>,
    pub currency: String,
    pub time_zone: String,
}

/// Texts of policies and questions come in the language that is printed; states, events, slots and flags as their keys.
#[derive(Clone, Debug)]
pub struct GrantFile {
    pub organisation: Organisation,
    pub language: Language,
    pub printed_at: Millis,
    pub printed_by: String,
    pub number: Option<String>,
    pub state: String,
    pub programme: String,
    pub place: String,
    /// Of a group.
    pub group: Option<String>,
    pub applicants: Vec<Applicant>,
    pub policy: Policy,
    pub plan: Plan,
    /// What was asked for the amount, and the answers.
    pub answers: Vec<(String, String)>,
    pub amount: Amount,
    pub note: String,
    pub submitted_by: String,
    pub submitted_at: Millis,
    pub history: Vec<Step>,
    pub tranches: Vec<Tranche>,
    pub acknowledgements: Vec<Acknowledgement>,
    pub utilisation: Option<Utilisation>,
    pub photos: Vec<Photo>,
    pub signatures: Vec<Signed>,
    pub proofs: Proofs,
}

#[derive(Clone, Debug)]
pub struct Applicant {
    pub name: String,
    /// leader, treasurer, secretary, member; empty for a household alone.
    pub role: String,
    pub place: String,
}

#[derive(Clone, Debug)]
pub struct Policy {
    pub key: String,
    pub name: String,
    pub version: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub description: String,
    pub projected_income_minor: i64,
    pub monthly_expenses_minor: i64,
    pub startup_minor: i64,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub what: String,
    pub quantity: i64,
    pub unit_minor: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Amount {
    pub base_minor: i64,
    /// What each is called, and by how many ten-thousandths it counts.
    pub factors: Vec<(String, i64)>,
    pub raw_minor: i64,
    pub amount_minor: i64,
    /// least or most
    pub clamped: Option<String>,
    /// What the phone had counted, when it was another.
    pub phone_minor: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub event: String,
    /// None when time did it.
    pub by: Option<String>,
    pub at: Millis,
    pub reason: String,
    pub score: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct Tranche {
    pub number: i64,
    pub amount_minor: i64,
    pub state: String,
    pub method: Option<String>,
    pub reference: String,
    pub released_by: Option<String>,
    /// `2026-03-04`
    pub released_on: Option<String>,
    pub acknowledged_at: Option<Millis>,
    pub note: String,
}

#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub lat: f64,
    pub lon: f64,
    /// Metres.
    pub accuracy: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Acknowledgement {
    pub part: i64,
    pub amount_minor: i64,
    pub counted: bool,
    /// Why it was not counted.
    pub flag: Option<String>,
    pub note: String,
    pub position: Option<Position>,
    /// Who signed for it.
    pub received_by: String,
    pub recorded_by: String,
    pub received_at: Millis,
}

#[derive(Clone, Debug, Default)]
pub struct Utilisation {
    pub state: String,
    pub due_on: String,
    pub items: Vec<Spent>,
    pub spent_minor: i64,
    pub note: String,
    pub submitted_by: Option<String>,
    pub submitted_at: Option<Millis>,
    pub decided_by: Option<String>,
    pub decided_at: Option<Millis>,
    pub decision_note: String,
}

#[derive(Clone, Debug)]
pub struct Spent {
    pub what: String,
    pub amount_minor: i64,
    pub on: String,
}

/// What a photo was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Application,
    /// The receipt of this part.
    Part(i64),
    Use,
}

#[derive(Clone, Debug)]
pub struct Photo {
    pub slot: String,
    pub of: Occasion,
    /// The size `card`; none while it has not arrived.
    pub jpeg: Option<Vec<u8>>,
    /// Set aside instead of shown: why.
    pub quarantined: Option<String>,
    pub sha256: String,
    pub captured_at: Option<Millis>,
    pub by: String,
    pub position: Option<Position>,
}

#[derive(Clone, Debug)]
pub struct Signed {
    pub signer_name: String,
    pub signer_role: String,
    /// For whose household, where that is said.
    pub household: String,
    pub witness: Option<String>,
    pub statement: String,
    /// In which the statement was shown.
    pub language: String,
    pub signed_at: Millis,
    pub received_at: Millis,
    pub sha256: String,
    pub sequence: i64,
    /// Base64url.
    pub server_signature: String,
    /// Of the device's key, if it had one.
    pub device_key: Option<String>,
    pub ink: Option<Ink>,
    /// Text, strokes, hash, both keys and the chain fit.
    pub verified: bool,
}

/// What ties the file to the records it was made of.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// The last entry of the village's audit chain: its number and its hash.
    pub audit_head: Option<(i64, String)>,
    /// The last signature of the village's chain: its number and the chain's hash.
    pub signature_head: Option<(i64, String)>,
    /// The key by which the server signs, as `kilele doctor` shows it.
    pub server_key: String,
}

/// One part of a grant, received and signed for.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub organisation: Organisation,
    pub language: Language,
    pub printed_at: Millis,
    pub grant: String,
    pub policy: String,
    pub programme: String,
    pub place: String,
    /// Who received it: the households or their group.
    pub recipient: String,
    pub part: i64,
    pub parts: i64,
    pub amount_minor: i64,
    pub method: Option<String>,
    pub reference: String,
    pub released_on: Option<String>,
    pub acknowledgement: Uuid,
    pub received_at: Millis,
    pub recorded_by: String,
    pub counted: bool,
    pub flag: Option<String>,
    /// None when it is not to be had: the receipt says so.
    pub signature: Option<Signed>,
}

/// What both have in common.
struct Writer {
    texts: &'static Texts,
    language: Language,
    figures: Figures,
}

impl Writer {
    fn new(language: Language, of: &Organisation) -> Self {
        let figures = Figures::new(&of.currency, &of.time_zone, language);
        Self { texts: Texts::of(language), language, figures }
    }

    fn word(&self, kind: &str, key: &str) -> String {
        texts::word(self.language, kind, key).to_owned()
    }

    /// A time, or nothing.
    fn time(&self, at: Option<Millis>) -> String {
        at.map_or_else(String::new, |at| self.figures.time(at))
    }

    fn position(&self, position: Option<Position>) -> String {
        let Some(Position { lat, lon, accuracy }) = position else { return String::new() };
        let near = accuracy.map_or_else(String::new, |metres| format!(" ± {metres:.0} m"));
        format!("{lat:.5}, {lon:.5}{near}")
    }

    fn furniture(&self, of: &Organisation, title: &str, foot: String) -> Furniture {
        let page = match self.language {
            Language::En => |page, of| format!("Page {page} of {of}"),
            Language::Sw => |page, of| format!("Ukurasa {page} kati ya {of}"),
        };
        Furniture { head: (of.name.clone(), title.into()), foot, page }
    }
}

impl Organisation {
    fn head(&self) -> Letterhead<'_> {
        Letterhead { name: &self.name, lines: &self.letterhead, logo: self.logo.as_deref() }
    }
}
