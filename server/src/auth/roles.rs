//! Who may do what: the one table that every proof of access asks, capability by role.

pub use super::kept::{Kept, Read};

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a member is in the organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Mentor,
    Supervisor,
    /// Monitoring and evaluation.
    Evaluator,
    ProgrammeManager,
    /// The executive who approves.
    Approver,
    OrgAdmin,
    /// Sees figures of all organisations, and no person's record.
    Oversight,
    /// Sees the own household.
    Beneficiary,
    /// One that the organisation made itself.
    Custom,
}

/// The built-in roles in the order of the table's columns.
pub const ROLES: [Role; 8] = [
    Role::Mentor,
    Role::Supervisor,
    Role::Evaluator,
    Role::ProgrammeManager,
    Role::Approver,
    Role::OrgAdmin,
    Role::Oversight,
    Role::Beneficiary,
];

/// A part of the product that a role has a level in, and that an organisation may switch off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Module {
    Households,
    Visits,
    Figures,
    Programmes,
    Grants,
    Places,
    Members,
    Organisation,
    /// A beneficiary's own household.
    Home,
    /// Figures across organisations.
    Across,
    Platform,
}

/// How far a role reaches in a module; each level holds those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    None,
    Read,
    Contribute,
    Manage,
    Approve,
}

/// Whose rows a role sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "RoleScope", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Organisation,
    /// The places assigned and what lies below: a mentor's caseload, a supervisor's area.
    Places,
    /// As `places`, and the places of those who answer to the member.
    Team,
    /// What is the member's own, and no place.
    Own,
}

macro_rules! table {
    ($($name:ident $text:literal $module:ident $level:ident $roles:literal)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Capability { $($name),* }

        /// One line a capability: its name, where it belongs in custom roles, and who has it among the built-in ones.
        pub const TABLE: &[(Capability, &str, Module, Level, &str)] =
            &[$((Capability::$name, $text, Module::$module, Level::$level, $roles)),*];
    };
}

table! {
    //                                                                        M S E P A O V B
    //                                                                        e u v r p r i e
    //                                                                        n p a o p g e n
    //                                                                        t e l g r . w e
    ReadHouseholds     "households.read"      Households   Read       "● ● ● ● ● ● · ·"
    WriteHouseholds    "households.write"     Households   Contribute "● ● ● ● · · · ·"
    SettleConflicts    "conflicts.settle"     Households   Manage     "· ● ● ● · · · ·"
    ImportHouseholds   "households.import"    Households   Approve    "· · ● ● · ● · ·"
    ReadVisits         "visits.read"          Visits       Read       "● ● ● ● ● ● · ·"
    RecordVisits       "visits.record"        Visits       Contribute "● ● ● ● · · · ·"
    PlanOwn            "visits.plan_own"      Visits       Contribute "● ● ● ● · · · ·"
    Plan               "visits.plan"          Visits       Manage     "· ● · ● · · · ·"
    DecideVisits       "visits.decide"        Visits       Approve    "· ● ● ● · · · ·"
    ReadFigures        "figures.read"         Figures      Read       "· ● ● ● ● ● · ·"
    ReadProgrammes     "programmes.read"      Programmes   Read       "● ● ● ● ● ● · ·"
    Assess             "programmes.assess"    Programmes   Contribute "● ● ● ● · · · ·"
    ManageProgrammes   "programmes.manage"    Programmes   Manage     "· · · ● · ● · ·"
    DecideEnrolments   "enrolments.decide"    Programmes   Approve    "· ● ● ● · · · ·"
    ManagePolicies     "policies.manage"      Programmes Manage     "· · ● ● · ● · ·"
    ReadGrants         "grants.read"          Grants     Read       "● ● ● ● ● ● · ·"
    PrepareGrants      "grants.prepare"       Grants     Contribute "● ● · ● · · · ·"
    ReviewGrants       "grants.review"        Grants     Manage     "· ● ● ● · · · ·"
    ApproveWithin      "grants.approve_within" Grants    Approve    "· · · ● ● · · ·"
    ApproveGrants      "grants.approve"       Grants     Approve    "· · · · ● · · ·"
    ReleaseGrants      "grants.release"       Grants     Approve    "· · · ● · · · ·"
    ReadPlaces         "places.read"          Places       Read       "● ● ● ● ● ● · ·"
    ImportPlaces       "places.import"        Places       Contribute "· · ● ● · ● · ·"
    ManagePlaces       "places.manage"        Places       Manage     "· · · · · ● · ·"
    ReadMembers        "members.read"         Members      Read       "● ● ● ● ● ● · ·"
    ManageMembers      "members.manage"       Members      Manage     "· · · · · ● · ·"
    ManageRoles        "roles.manage"         Members      Approve    "· · · · · ● · ·"
    ManageDevices      "devices.manage"       Members      Manage     "· · · · · ● · ·"
    ManageOrganisation "organisation.manage"  Organisation Manage     "· · · · · ● · ·"
    ReadHome           "home.read"            Home         Read       "· · · · · · · ●"
    ReadAcross         "figures.across"       Across       Read       "· · · · · · ● ·"
    // An account's, whatever its role: see `account.platform`.
    ManagePlatform     "platform.manage"      Platform     Manage     "· · · · · · · ·"
}

/// Modules a custom role may reach into.
pub const GRANTABLE: [Module; 8] = [
    Module::Households,
    Module::Visits,
    Module::Programmes,
    Module::Grants,
    Module::Figures,
    Module::Places,
    Module::Members,
    Module::Organisation,
];
/// Modules an organisation may switch off.
pub const OPTIONAL: [Module; 4] = [Module::Households, Module::Visits, Module::Figures, Module::Home];

/// No feed has such an id: version and variant are not those of a UUIDv7.
const VIEW: u128 = 0x5ee5 << 64;

/// What a member may do: a set of the table's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u64);

impl Capabilities {
    fn of(wanted: impl Fn(&(Capability, &str, Module, Level, &str)) -> bool) -> Self {
        Self(TABLE.iter().filter(|line| wanted(line)).fold(0, |set, line| set | 1_u64 << line.0 as u32))
    }

    /// Those of a built-in role.
    pub fn built_in(role: Role) -> Self {
        let Some(column) = ROLES.iter().position(|r| *r == role) else { return Self::default() };
        Self::of(|(.., roles)| roles.split(' ').nth(column) == Some("●"))
    }

    /// Those of a custom role.
    pub fn granted(levels: &Levels) -> Self {
        let reach = |module| levels.get(&module).copied().unwrap_or_default();
        Self::of(|(_, _, module, level, _)| GRANTABLE.contains(module) && reach(*module) >= *level)
    }

    pub fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1_u64 << capability as u32)
    }

    /// Those of modules that are on, and those of modules that are off.
    pub fn split(self, modules: &[Module]) -> (Self, Self) {
        let off = Self::of(|(_, _, module, ..)| OPTIONAL.contains(module) && !modules.contains(module));
        (Self(self.0 & !off.0), Self(self.0 & off.0))
    }

    pub fn has(self, capability: Capability) -> bool {
        self.0 & 1_u64 << capability as u32 != 0
    }

    /// By the names the PWA shows doors for.
    pub fn names(self) -> Vec<String> {
        TABLE.iter().filter(|line| self.has(line.0)).map(|line| line.1.to_owned()).collect()
    }

    /// Whether records of this kind are shown: households and visits stand in one feed.
    pub fn sees(self, kind: &str) -> bool {
        match kind {
            "household" | "conflict" => self.has(Capability::ReadHouseholds),
            "visit" | "evidence" | "signature" => self.has(Capability::ReadVisits),
            "person" => self.has(Capability::ReadMembers),
            "place" => self.has(Capability::ReadPlaces),
            "programme" | "cycle" | "policy" | "training_module" => self.has(Capability::ReadProgrammes),
            // All are of households.
            "assessment" | "enrolment" | "group" | "survey" | "training" => self.sees("household") && self.sees("programme"),
            "grant" | "acknowledgement" => self.sees("household") && self.has(Capability::ReadGrants),
            _ => true,
        }
    }

    /// Which kinds are shown, as a cursor that a device keeps; `None` when all are.
    pub fn view(self) -> Option<Uuid> {
        let kinds = ["household", "visit", "person", "place", "programme", "grant"];
        let seen = kinds.iter().enumerate().filter(|(_, kind)| self.sees(kind)).fold(0, |set, (at, _)| set | 1 << at);
        (seen + 1 < 1 << kinds.len()).then(|| Uuid::from_u128(VIEW | seen))
    }

    /// Whether a cursor is one of [`Self::view`].
    pub fn is_view(cursor: &str) -> bool {
        cursor.parse::<Uuid>().is_ok_and(|id| id.as_u128() & !0xff == VIEW)
    }
}

/// A custom role's level in each module; a module that is not named is `none`.
pub type Levels = BTreeMap<Module, Level>;

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Supervisor => "supervisor",
            Self::Evaluator => "evaluator",
            Self::ProgrammeManager => "programme_manager",
            Self::Approver => "approver",
            Self::OrgAdmin => "org_admin",
            Self::Oversight => "oversight",
            Self::Beneficiary => "beneficiary",
            Self::Custom => "custom",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ROLES.into_iter().chain([Self::Custom]).find(|role| role.as_str() == text)
    }

    /// Whose rows a built-in role sees.
    pub fn reach(self) -> Reach {
        match self {
            Self::Mentor | Self::Supervisor => Reach::Places,
            Self::Evaluator | Self::ProgrammeManager | Self::Approver | Self::OrgAdmin => Reach::Organisation,
            Self::Oversight | Self::Beneficiary | Self::Custom => Reach::Own,
        }
    }

    /// Whether the role belongs to the organisation's staff, who share its places, people and texts.
    pub fn staff(self) -> bool {
        !matches!(self, Self::Oversight | Self::Beneficiary)
    }
}

impl Reach {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Places => "places",
            Self::Team => "team",
            Self::Own => "own",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Organisation, Self::Places, Self::Team, Self::Own].into_iter().find(|reach| reach.as_str() == text)
    }
}

impl Module {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Households => "households",
            Self::Visits => "visits",
            Self::Figures => "figures",
            Self::Programmes => "programmes",
            Self::Grants => "grants",
            Self::Places => "places",
            Self::Members => "members",
            Self::Organisation => "organisation",
            Self::Home => "home",
            Self::Across => "across",
            Self::Platform => "platform",
        }
    }

    /// The optional modules that a list names.
    pub fn listed(text: &str) -> Vec<Self> {
        OPTIONAL.into_iter().filter(|module| text.split(' ').any(|name| name == module.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_mark_for_every_role() {
        assert!(TABLE.len() <= 64);
        for (_, name, .., roles) in TABLE {
            let marks: Vec<_> = roles.split(' ').collect();
            assert_eq!(marks.len(), ROLES.len(), "{name}");
            assert!(marks.iter().all(|mark| ["●", "·"].contains(mark)), "{name}");
        }
    }

    #[test]
    fn levels_hold_those_before_them_and_modules_can_go() {
        let levels = Levels::from([(Module::Visits, Level::Approve), (Module::Members, Level::Read)]);
        let granted = Capabilities::granted(&levels);
        assert!(granted.has(Capability::DecideVisits) && granted.has(Capability::ReadVisits));
        assert!(!granted.has(Capability::ReadHouseholds) && !granted.has(Capability::ManageMembers));
        assert!(!granted.sees("household") && granted.sees("visit") && granted.sees("inbox"));
        assert!(!granted.split(&[Module::Households]).0.has(Capability::ReadVisits));
        let all = Levels::from([(Module::Platform, Level::Approve), (Module::Across, Level::Approve)]);
        assert_eq!(Capabilities::granted(&all), Capabilities::default(), "nobody gives the platform away");
    }
}
