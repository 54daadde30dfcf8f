//! What the platform's administrators do: organisations, their first administrators, and the mode.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::mode::{self, Coverage, Mode};
use super::store;
use crate::app::App;
use crate::audit::Actor;
use crate::auth::PlatformAdmin;
use crate::check;
use crate::clock::Millis;
use crate::error::{Error, Result};

pub struct Api(pub App);

/// An organisation as the platform's administrators see it: no record of it.
#[derive(Object, sqlx::FromRow)]
pub struct Tenant {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub created_at: Millis,
    /// Active members.
    pub members: i64,
    pub member_limit: i64,
}

#[derive(Object)]
struct Tenants {
    items: Vec<Tenant>,
    /// How many there may be.
    limit: i64,
}

#[derive(Clone, Object)]
pub struct NewOrganisation {
    pub code: String,
    pub name: String,
    pub admin_name: String,
    pub admin_login: String,
    /// The administrator has an account here already: they join with their own password.
    pub admin_existing: Option<bool>,
    /// en or sw
    pub locale: String,
    /// ISO 4217
    pub currency: Option<String>,
    /// As in the IANA's list, such as Africa/Nairobi.
    pub time_zone: Option<String>,
}

/// The new organisation's id, and the link for its administrator; it works once, for seven days.
#[derive(Object)]
struct NewTenant {
    id: Uuid,
    invitation_url: String,
}

#[derive(Object)]
struct NewAdmin {
    name: String,
    login: String,
    existing: Option<bool>,
    /// en or sw
    locale: String,
}

#[derive(Object)]
struct Link {
    invitation_url: String,
}

#[derive(Object)]
struct Limit {
    member_limit: i64,
}

/// How the installation runs, and whether every row has its organisation.
#[derive(Object)]
struct ModeView {
    mode: Mode,
    coverage: Coverage,
    /// Every row has its organisation.
    complete: bool,
}

#[derive(Object)]
struct ModeChange {
    mode: Mode,
}

#[OpenApi(tag = "crate::api::Tag::Platform")]
impl Api {
    /// The organisations of this installation
    #[oai(path = "/api/platform/organisations", method = "get", operation_id = "listOrganisations")]
    async fn list(&self, _by: PlatformAdmin) -> Result<Json<Tenants>> {
        Ok(Json(Tenants { items: store::list(&self.0).await?, limit: self.0.config.organisations.into() }))
    }

    /// Create an organisation and invite its first administrator
    ///
    /// Only in multi mode, and as many as the installation's limit allows.
    #[oai(path = "/api/platform/organisations", method = "post", operation_id = "createOrganisation")]
    async fn create(&self, by: PlatformAdmin, new: Json<NewOrganisation>) -> Result<Json<NewTenant>> {
        self.demand_multi().await?;
        let (actor, most) = (self.actor(&by), i64::from(self.0.config.organisations));
        let made = self.0.db.write(move |tx| Box::pin(async move { store::create(tx, &actor, most, new.0).await })).await?;
        Ok(Json(NewTenant { id: made.0, invitation_url: self.link(&made.1) }))
    }

    /// Invite a further administrator
    #[oai(path = "/api/platform/organisations/:id/admins", method = "post", operation_id = "inviteAdmin")]
    async fn invite(&self, by: PlatformAdmin, id: Path<Uuid>, new: Json<NewAdmin>) -> Result<Json<Link>> {
        self.demand_multi().await?;
        let known: Option<(Uuid,)> =
            self.0.db.query("SELECT id FROM organisation WHERE id = $1").bind(id.0).optional().await?;
        known.ok_or_else(|| Error::not_found("organisation"))?;
        let actor = Actor { org: id.0, member: None, device: None, ..self.actor(&by) };
        let NewAdmin { name, login, existing, locale } = new.0;
        let who = (name, login, existing.unwrap_or(false));
        let token = self.0.db.write(move |tx| Box::pin(async move { store::invite(tx, &actor, who, locale).await })).await?;
        Ok(Json(Link { invitation_url: self.link(&token) }))
    }

    /// How many members an organisation may have
    #[oai(path = "/api/platform/organisations/:id/limit", method = "put", operation_id = "limitOrganisation")]
    async fn limit(&self, by: PlatformAdmin, id: Path<Uuid>, limit: Json<Limit>) -> Result<Json<Limit>> {
        let most = limit.member_limit;
        if !(1..=100_000).contains(&most) {
            return Err(Error::invalid("member_limit", "Between 1 and 100,000."));
        }
        let actor = self.actor(&by);
        self.0.db.write(move |tx| Box::pin(async move { store::set_limit(tx, &actor, id.0, most).await })).await?;
        Ok(Json(Limit { member_limit: most }))
    }

    /// The mode, and whether every row has its organisation
    #[oai(path = "/api/platform/mode", method = "get", operation_id = "getMode")]
    async fn mode(&self, _by: PlatformAdmin) -> Result<Json<ModeView>> {
        let coverage = mode::coverage(&self.0.db).await?;
        Ok(Json(ModeView { mode: mode::now(&self.0.db).await?, complete: coverage.complete(), coverage }))
    }

    /// Go multi, or back
    ///
    /// Refused with 409 `coverage_incomplete` while a row has no organisation. Going back hides the selector and loses
    /// nothing.
    #[oai(path = "/api/platform/mode", method = "put", operation_id = "changeMode")]
    async fn change_mode(&self, by: PlatformAdmin, wanted: Json<ModeChange>) -> Result<Json<ModeView>> {
        let coverage = mode::set(&self.0, self.actor(&by), wanted.mode).await?;
        Ok(Json(ModeView { mode: wanted.mode, complete: coverage.complete(), coverage }))
    }
}

impl Api {
    fn actor(&self, by: &PlatformAdmin) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }

    fn link(&self, token: &str) -> String {
        format!("{}/join#{token}", self.0.config.public_url)
    }

    async fn demand_multi(&self) -> Result<()> {
        match mode::now(&self.0.db).await? {
            Mode::Multi => Ok(()),
            Mode::Single => Err(Error::conflict("mode_single", "This installation has one organisation; go multi first.")),
        }
    }
}

/// Names that `check` would not see through.
pub fn check_money_and_time(currency: Option<&str>, time_zone: Option<&str>) -> Result<()> {
    let capitals = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    if currency.is_some_and(|currency| !capitals(currency)) {
        return Err(Error::invalid("currency", "A currency has three capital letters, such as KES."));
    }
    if let Some(zone) = time_zone {
        check::text("time_zone", zone, 60)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        if zone.is_empty() || !zone.bytes().all(fits) || (zone != "UTC" && !zone.contains('/')) {
            return Err(Error::invalid("time_zone", "A time zone is named as Africa/Nairobi is."));
        }
    }
    Ok(())
}
