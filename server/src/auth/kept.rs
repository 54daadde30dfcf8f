//! A member's role as the database keeps it, and as the table of roles understands it.

use super::roles::{Capabilities, Capability, Module, Reach, Role};

/// A member's role as its row keeps it.
#[derive(sqlx::FromRow)]
pub struct Kept {
    pub role: String,
    /// Of the custom role, when it is one.
    pub reach: Option<String>,
    pub levels: Option<String>,
    /// The organisation's modules.
    pub modules: String,
    pub platform: bool,
}

impl Kept {
    /// What the member is and may do; `None` when the row names no role of this server.
    pub fn read(&self) -> Option<Read> {
        let role = Role::parse(&self.role)?;
        let (reach, capabilities) = match (role, &self.reach, &self.levels) {
            (Role::Custom, Some(reach), Some(levels)) => {
                (Reach::parse(reach)?, Capabilities::granted(&serde_json::from_str(levels).ok()?))
            }
            (Role::Custom, ..) => return None,
            (role, ..) => (role.reach(), Capabilities::built_in(role)),
        };
        let (on, off) = capabilities.split(&Module::listed(&self.modules));
        let capabilities = if self.platform { on.with(Capability::ManagePlatform) } else { on };
        Some(Read { role, reach, capabilities, off })
    }
}

/// A member's role, understood.
pub struct Read {
    pub role: Role,
    pub reach: Reach,
    pub capabilities: Capabilities,
    /// What the role would allow if the organisation had not switched the module off.
    pub off: Capabilities,
}
