//! Proofs of access: a handler or store function that takes one can only be reached by someone who may.
//! This is the only file that makes them.

use std::sync::Arc;

use poem::Request;
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::{Capability, Member, keys, tokens};
use crate::app::App;
use crate::clock::Millis;
use crate::crypto::{unb64, verify_device};
use crate::db::wall;
use crate::error::{Error, Result};

/// In whose name a page means to act.
pub const MEMBER: &str = "kilele-member";

macro_rules! proof {
    ($(#[$doc:meta])* $name:ident, $method:ident, [$($any:ident),*], $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<Member>);

        impl std::ops::Deref for $name {
            type Target = Member;
            fn deref(&self) -> &Member {
                &self.0
            }
        }

        impl $name {
            /// The plain proof, to ask it for another.
            pub fn again(&self) -> Reader {
                Reader(Arc::clone(&self.0))
            }
        }

        impl Reader {
            #[doc = concat!("The stronger proof, or 403.\n\n# Errors\n", $refusal)]
            pub fn $method(&self) -> Result<$name> {
                let any: &[Capability] = &[$(Capability::$any),*];
                // A proof without a capability takes every member.
                match any.is_empty() || any.iter().any(|one| self.capabilities.has(*one)) {
                    true => Ok($name(Arc::clone(&self.0))),
                    // What the organisation has switched off is not there.
                    false if any.iter().any(|one| self.off.has(*one)) => Err(Error::module_off()),
                    false => Err(Error::forbidden($refusal)),
                }
            }
        }

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                register(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                vec!["cookie", "bearer"]
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut poem::RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(authenticate(request).await?.$method()?)
            }
        }
    };
}

proof!(
    /// Somebody who is signed in. Without feeds there are no rows.
    Reader, reader, [], "Only members may read."
);
proof!(
    /// May read the households its feeds hold.
    HouseholdReader, household_reader, [ReadHouseholds], "This role does not read households."
);
proof!(
    /// May read the visits its feeds hold.
    VisitReader, visit_reader, [ReadVisits], "This role does not read visits."
);
proof!(
    /// May register and correct households, and keep their groups and trainings.
    Registrar, registrar, [WriteHouseholds], "This role does not register households."
);
proof!(
    /// May record visits.
    Recorder, recorder, [RecordVisits], "This role does not record visits."
);
proof!(
    /// May deliver pictures that were announced with a household, a visit, an enrolment, a survey or a grant.
    Photographer, photographer, [RecordVisits, WriteHouseholds, DecideEnrolments, PrepareGrants], "This role does not take pictures."
);
proof!(
    /// May plan visits of one's own.
    Planner, planner, [PlanOwn, Plan], "This role does not plan visits."
);
proof!(
    /// May plan visits for others.
    TeamPlanner, team_planner, [Plan], "A mentor plans only their own visits."
);
proof!(
    /// May approve and return what others recorded.
    Approver, approver, [DecideVisits], "This role does not decide on visits."
);
proof!(
    /// May read programmes, and the assessments, enrolments and groups its feeds hold.
    ProgrammeReader, programme_reader, [ReadProgrammes], "This role does not read programmes."
);
proof!(
    /// May make and change programmes and their cycles.
    ProgrammeEditor, programme_editor, [ManageProgrammes], "This role does not manage programmes."
);
proof!(
    /// May assess households and apply for them.
    Assessor, assessor, [Assess], "This role does not assess households."
);
proof!(
    /// May verify, approve and otherwise move enrolments.
    Enroller, enroller, [DecideEnrolments], "This role does not decide on enrolments."
);
proof!(
    /// May make grant policies and change them.
    PolicyEditor, policy_editor, [ManagePolicies], "This role does not manage grant policies."
);
proof!(
    /// May read the grants its feeds hold.
    GrantReader, grant_reader, [ReadGrants], "This role does not read grants."
);
proof!(
    /// May prepare grants, and record receipts and how they were used.
    Preparer, preparer, [PrepareGrants], "This role does not prepare grants."
);
proof!(
    /// May review grants and verify their use.
    Reviewer, reviewer, [ReviewGrants], "This role does not review grants."
);
proof!(
    /// May approve grants; whether any or within a limit, `grants::change` asks.
    GrantApprover, grant_approver, [ApproveGrants, ApproveWithin], "This role does not approve grants."
);
proof!(
    /// May release money and take it back.
    Releaser, releaser, [ReleaseGrants], "This role does not release money."
);
proof!(
    /// May settle conflicts.
    Settler, settler, [SettleConflicts], "This role does not settle conflicts."
);
proof!(
    /// May see who else works here.
    Colleague, colleague, [ReadMembers], "This role does not see the organisation's people."
);
proof!(
    /// May see the organisation's places.
    PlaceReader, place_reader, [ReadPlaces], "This role does not see the organisation's places."
);
proof!(
    /// May bring in places from a file.
    PlaceImporter, place_importer, [ImportPlaces], "This role does not import places."
);
proof!(
    /// May bring in places or households from a file; which of them, `imports::Kind::demand` asks.
    Importer, importer, [ImportHouseholds, ImportPlaces], "This role does not import."
);
proof!(
    /// May add places.
    PlaceManager, place_manager, [ManagePlaces], "This role does not add places."
);
proof!(
    /// May add, change and invite members.
    MemberManager, member_manager, [ManageMembers], "This role does not manage members."
);
proof!(
    /// May make roles, and give those that manage members or the organisation.
    RoleManager, role_manager, [ManageRoles], "This role does not manage roles."
);
proof!(
    /// May see and end every device of the organisation.
    DeviceManager, device_manager, [ManageDevices], "This role does not manage devices."
);
proof!(
    /// May change the organisation itself.
    Admin, admin, [ManageOrganisation], "Only the organisation's administrators may do this."
);
proof!(
    /// May see the figures of what its feeds hold.
    FigureReader, figure_reader, [ReadFigures], "This role does not see figures."
);
proof!(
    /// Administers the installation, whatever the role in an organisation.
    PlatformAdmin, platform_admin, [ManagePlatform], "This is for the platform's administrators."
);
proof!(
    /// May see the figures of all organisations, and no record of any.
    Overseer, overseer, [ReadAcross], "This is for oversight."
);
proof!(
    /// A beneficiary, who sees the own household.
    HomeReader, home_reader, [ReadHome], "This is for beneficiaries."
);

fn register(registry: &mut Registry) {
    let scheme = |ty, scheme, name, description| MetaSecurityScheme {
        ty,
        description: Some(description),
        name,
        key_in: name.map(|_| "cookie"),
        scheme,
        bearer_format: scheme.map(|_| "JWT"),
        flows: None,
        openid_connect_url: None,
    };
    let cookie = "The browser's HttpOnly cookie; unsafe methods also need the header X-Kilele: 1.";
    registry.create_security_scheme("cookie", scheme("apiKey", None, Some(tokens::ACCESS_COOKIE), cookie));
    registry.create_security_scheme(
        "bearer",
        scheme("http", Some("bearer"), None, "For integrations: an access token, or an API key."),
    );
}

/// The caller of this request.
///
/// # Errors
/// 401 without a valid access token, when its session has ended or is not that of `Kilele-Member`; 403 when a browser sent it from another site.
pub async fn authenticate(request: &Request) -> Result<Reader> {
    let app: &App = request.data().ok_or_else(|| Error::unexpected(anyhow::anyhow!("no app in the request")))?;
    if let Some(key) = request.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).map(str::trim)
        && key.starts_with(keys::MARK)
    {
        let member = keys::member(app, key, request).await?;
        app.limits.person(request.uri().path(), &member, app.clock.now())?;
        wall::stand(member.org);
        return Ok(Reader(Arc::new(member)));
    }
    let token = match request.header("authorization").and_then(|h| h.strip_prefix("Bearer ")) {
        Some(bearer) => bearer.trim().to_owned(),
        None => {
            let cookie = tokens::cookie(request, tokens::ACCESS_COOKIE, &app.config);
            let cookie = cookie.ok_or_else(|| Error::unauthorised("not_signed_in", "Sign in first."))?;
            if !request.method().is_safe() {
                same_site(request)?;
            }
            cookie
        }
    };
    let member = tokens::member(app, &token).await?;
    app.limits.person(request.uri().path(), &member, app.clock.now())?;
    // Several people share a browser and its cookies: a page that says whose it is never acts as another.
    if request.header(MEMBER).is_some_and(|id| id != member.id.to_string()) {
        return Err(Error::unauthorised("other_person", "This session belongs to somebody else."));
    }
    if !ACROSS.iter().any(|door| request.uri().path().starts_with(door)) {
        wall::stand(member.org);
    }
    Ok(Reader(member))
}

/// Doors behind which several organisations are: the platform, oversight's figures, a person's own memberships. They
/// check themselves what they answer.
const ACROSS: &[&str] = &["/api/platform/", "/api/figures/organisations", "/api/sessions/switch", "/api/me/main"];

/// The reader of a session whose token is about to be answered; that it arrives is not yet known.
pub async fn of_session(app: &App, session: uuid::Uuid) -> Result<Reader> {
    Ok(Reader(Arc::new(super::store::confirm(app, session, 0).await?)))
}

/// Somebody for whom a device's own signature vouches, without a session.
pub struct ByDevice {
    pub reader: Reader,
    pub revoked_at: Option<Millis>,
    /// When the maker's membership ended.
    pub ended_at: Option<Millis>,
    /// Milliseconds to add to the device's time, as far as it said.
    pub clock_offset: Millis,
}

/// The maker of something that carries its device's signature over `message`.
///
/// # Errors
/// 422 `unknown_device` when this member has no such device here, `proof_invalid` when the signature is not its own.
pub async fn by_device(
    app: &App,
    (org, member, device): (uuid::Uuid, uuid::Uuid, uuid::Uuid),
    message: &str,
    proof: &str,
) -> Result<ByDevice> {
    let unknown = || Error::refused("unknown_device", "Nobody here vouches for this device.");
    let known = super::store::known_device(app, org, member, device).await?.ok_or_else(unknown)?;
    let proof = unb64(proof).unwrap_or_default();
    if !known.public_key.is_some_and(|key| verify_device(&key, message.as_bytes(), &proof)) {
        return Err(Error::refused("proof_invalid", "The device's signature does not fit."));
    }
    let clock_offset = known.clock_offset.unwrap_or_default();
    let (revoked_at, ended_at) = (known.revoked_at, known.ended_at);
    Ok(ByDevice { reader: Reader(Arc::new(known.member)), revoked_at, ended_at, clock_offset })
}

/// Cookies are SameSite=Strict; this is the second lock: an own header that no foreign form can send.
pub fn same_site(request: &Request) -> Result<()> {
    let foreign = request.header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    if foreign || request.header("x-kilele").is_none() {
        let message = "The request does not come from the application itself (X-Kilele is missing).";
        return Err(Error::new(poem::http::StatusCode::FORBIDDEN, "cross_site", message));
    }
    Ok(())
}
