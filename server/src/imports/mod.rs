//! Places and households from a file: read, mapped, looked at row by row, then all of it or nothing, and undone as a whole.
//!
//! The file lies sealed in the database until it is done, so that any copy of the server can work on it. Looking at it
//! and writing it are jobs; what is written is one transaction. docs/imports.md tells it to people.

pub mod alike;
pub mod api;
mod commit;
mod fields;
mod households;
mod places;
mod run;
pub mod store;
pub mod table;
mod undo;
mod values;
mod xlsx;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use run::{job, places_at_once, sweep};

use crate::auth::{Capability, Importer};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// The largest file.
pub const LARGEST: usize = 25 << 20;
/// Rows of a file, its header not counted.
pub const MOST_ROWS: usize = 100_000;
pub const MOST_COLUMNS: usize = 100;
/// Faults that are kept and shown; all are counted.
pub const MOST_FAULTS: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ImportKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Households,
    Places,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Households => "households",
            Self::Places => "places",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Households, Self::Places].into_iter().find(|kind| kind.as_str() == text)
    }

    /// # Errors
    /// 403 when this role imports the other kind only.
    pub fn demand(self, by: &Importer) -> Result<()> {
        let needed = match self {
            Self::Households => Capability::ImportHouseholds,
            Self::Places => Capability::ImportPlaces,
        };
        match by.capabilities.has(needed) {
            true => Ok(()),
            false if by.off.has(needed) => Err(Error::module_off()),
            false => Err(Error::forbidden("This role does not import these.")),
        }
    }
}

/// uploaded → checking → checked → committing → done → undoing → undone. What goes wrong for good is `failed`; a file
/// can be looked at again from `checked` and `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ImportState", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Uploaded,
    Checking,
    Checked,
    Committing,
    Done,
    Undoing,
    Undone,
    Failed,
}

const STATES: [State; 8] = [
    State::Uploaded,
    State::Checking,
    State::Checked,
    State::Committing,
    State::Done,
    State::Undoing,
    State::Undone,
    State::Failed,
];

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Committing => "committing",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        STATES.into_iter().find(|state| state.as_str() == text)
    }

    /// A job works on it.
    pub fn running(self) -> bool {
        matches!(self, Self::Checking | Self::Committing | Self::Undoing)
    }

    /// The one way from state to state.
    ///
    /// # Errors
    /// 409 `wrong_state`.
    pub fn transition(self, to: Self) -> Result<Self> {
        let allowed = matches!(
            (self, to),
            (Self::Uploaded | Self::Checked | Self::Failed, Self::Checking)
                | (Self::Checked, Self::Committing)
                | (Self::Done, Self::Undoing)
        );
        if allowed { Ok(to) } else { Err(Error::conflict("wrong_state", "This import is not at that step.")) }
    }
}

/// A column of the file and what it means.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "ImportColumn")]
pub struct Column {
    pub header: String,
    /// Empty: not used.
    pub field: String,
    /// Its first values.
    pub samples: Vec<String>,
}

/// What was found in the file.
#[derive(Clone, Copy, Debug, Default, Object, Serialize, Deserialize)]
#[oai(rename = "ImportCounts")]
pub struct Counts {
    pub rows: i64,
    /// Households or places that will be added.
    pub new: i64,
    /// Other people of those households.
    pub members: i64,
    /// Places that the households' rows name and that will be added with them.
    pub places: i64,
    /// Households that are not added because they seem to be there already.
    pub skipped: i64,
    /// Score 90 and above.
    pub flagged: i64,
    /// 75 to 89.
    pub likely: i64,
    /// 60 to 74.
    pub possible: i64,
    pub faults: i64,
}

/// An import as it is shown.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Import {
    pub id: Uuid,
    pub kind: Kind,
    /// The file's name.
    pub file: String,
    pub state: State,
    /// Who began it.
    pub member: Uuid,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub rows: i64,
    /// Of `total`, while something is under way.
    pub done: i64,
    pub total: i64,
    pub create_places: bool,
    /// Empty in a list.
    pub columns: Vec<Column>,
    pub counts: Option<Counts>,
    /// Why it failed or went back: import_stale, import_touched, crashed, or what the database refused.
    pub fault: Option<String>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "ImportFault", skip_serializing_if_is_none)]
pub struct Fault {
    /// As spreadsheets count; the header is row 1.
    pub row: i64,
    /// The column's header in the file, or what is missing.
    pub column: String,
    pub field: String,
    /// Stable; the application has words for it in each language.
    pub code: String,
    /// In English.
    pub message: String,
    /// The row that this one is at odds with.
    pub other_row: Option<i64>,
}

/// A row that may be a household that is there already, or another row of the file.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "ImportDuplicate", skip_serializing_if_is_none)]
pub struct Alike {
    pub row: i64,
    /// The name in the file.
    pub name: String,
    /// 0 to 100: ≥ 90 flagged, 75–89 likely, 60–74 possible.
    pub score: i64,
    /// What counted: of 40, 30, 20 and 10.
    pub name_score: i64,
    pub sound_score: i64,
    pub birth_score: i64,
    pub place_score: i64,
    /// The same national id, which alone is enough.
    pub same_id: bool,
    /// The household that it may be.
    pub household: Option<Uuid>,
    pub household_name: Option<String>,
    pub household_number: Option<String>,
    /// Or the row.
    pub other_row: Option<i64>,
    pub other_name: Option<String>,
    /// Whether the row will be added: as a person decided, else as proposed (not when flagged).
    pub take: bool,
}

/// Above this a row is not added unless a person says so.
pub const FLAG: i64 = 90;
pub const LIKELY: i64 = 75;
pub const POSSIBLE: i64 = 60;

/// A person's decisions: row → whether it is added.
pub type Decisions = BTreeMap<i64, bool>;

/// What a look at the file found; kept sealed until it is done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub faults: Vec<Fault>,
    pub alike: Vec<Alike>,
}

impl Report {
    /// Rows that are not added, given what a person decided.
    pub fn skipped(&self, decisions: &Decisions) -> std::collections::BTreeSet<i64> {
        let proposed = |row: &i64| self.alike.iter().any(|one| one.row == *row && one.score >= FLAG);
        let rows: std::collections::BTreeSet<i64> = self.alike.iter().map(|one| one.row).collect();
        rows.into_iter().filter(|row| !decisions.get(row).copied().unwrap_or_else(|| !proposed(row))).collect()
    }

    /// Rows with a flagged likeness.
    pub fn flagged(&self) -> std::collections::BTreeSet<(i64, Option<Uuid>)> {
        self.alike.iter().filter(|one| one.score >= FLAG).map(|one| (one.row, one.household)).collect()
    }
}

/// How far the work of this process is; others read what the database was last told.
#[derive(Default)]
pub struct Running(Mutex<HashMap<Uuid, Progress>>);

#[derive(Clone, Default)]
pub struct Progress {
    done: Arc<AtomicI64>,
    total: Arc<AtomicI64>,
}

impl Progress {
    pub fn of(&self, total: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total as i64, Ordering::Relaxed);
    }

    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub fn at(&self) -> (i64, i64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

impl Running {
    pub fn begin(&self, import: Uuid) -> Progress {
        let progress = Progress::default();
        self.0.lock().expect("no panic while held").insert(import, progress.clone());
        progress
    }

    pub fn end(&self, import: Uuid) {
        self.0.lock().expect("no panic while held").remove(&import);
    }

    pub fn at(&self, import: Uuid) -> Option<(i64, i64)> {
        self.0.lock().expect("no panic while held").get(&import).map(Progress::at)
    }
}
