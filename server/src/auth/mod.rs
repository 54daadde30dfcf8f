//! Who is calling, and what that lets them do.

pub mod access;
pub mod api;
pub mod invitations;
mod kept;
pub mod keys;
mod limiter;
pub mod limits;
pub mod memberships;
pub mod oidc;
mod password;
pub mod people;
pub mod roles;
pub(crate) mod second;
pub mod store;
pub mod tokens;
pub mod totp;

use uuid::Uuid;

pub use access::{
    Admin, Approver, Assessor, Colleague, DeviceManager, Enroller, FigureReader, GrantApprover, GrantReader, HomeReader,
    HouseholdReader, Importer, MemberManager, Overseer, Photographer, PlaceImporter, PlaceManager, PlaceReader, Planner,
    PlatformAdmin, PolicyEditor, Preparer, ProgrammeEditor, ProgrammeReader, Reader, Recorder, Registrar, Releaser,
    Reviewer, RoleManager, Settler, TeamPlanner, VisitReader,
};
pub use limiter::{Backoff, Limiter};
pub use password::hash as hash_password;
pub use roles::{Capabilities, Capability, Reach, Role};
pub use tokens::Sessions;

/// A signed-in person in one organisation, on one device.
#[derive(Clone, Debug)]
pub struct Member {
    pub org: Uuid,
    pub id: Uuid,
    pub account: Uuid,
    pub session: Uuid,
    pub device: Uuid,
    pub role: Role,
    /// The table's lines for the role, less the modules that are off.
    pub capabilities: Capabilities,
    /// What the role would allow if the organisation had not switched the module off.
    pub off: Capabilities,
    pub name: String,
}
