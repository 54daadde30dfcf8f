//! Proofs of access: a handler or store function that takes one can only be reached by someone who may.
//! This is the only file that makes them.

use std::sync::Arc;

use poem::Request;
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::{Member, Role, tokens};
use crate::app::App;
use crate::error::{Error, Result};

macro_rules! proof {
    ($(#[$doc:meta])* $name:ident, $method:ident, $roles:pat, $refusal:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<Member>);

        impl std::ops::Deref for $name {
            type Target = Member;
            fn deref(&self) -> &Member {
                &self.0
            }
        }

        impl Reader {
            #[doc = concat!("The stronger proof, or 403.\n\n# Errors\n", $refusal)]
            pub fn $method(&self) -> Result<$name> {
                match self.role {
                    $roles => Ok($name(Arc::clone(&self.0))),
                    #[allow(unreachable_patterns, reason = "some proofs take every role")]
                    _ => Err(Error::forbidden($refusal)),
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
    /// May read what its feeds hold. Every signed-in member is one; without feeds there are no rows.
    Reader, reader, _, "Only members may read."
);
proof!(
    /// May record households, visits and evidence.
    Recorder, recorder, Role::Mentor | Role::Supervisor, "Only mentors and supervisors record visits and households."
);
proof!(
    /// May plan visits: for the team, a mentor for oneself.
    Planner, planner, Role::Mentor | Role::Supervisor, "Only mentors and supervisors plan visits."
);
proof!(
    /// May approve and return what others recorded, and settle conflicts.
    Approver, approver, Role::Supervisor, "Only supervisors decide on visits."
);
proof!(
    /// May manage members and places.
    Admin, admin, Role::OrgAdmin, "Only the organisation's administrators may do this."
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
    registry.create_security_scheme("bearer", scheme("http", Some("bearer"), None, "For integrations."));
}

/// The caller of this request.
///
/// # Errors
/// 401 without a valid access token or when its session has ended; 403 when a browser sent it from another site.
pub async fn authenticate(request: &Request) -> Result<Reader> {
    let app: &App = request.data().ok_or_else(|| Error::unexpected(anyhow::anyhow!("no app in the request")))?;
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
    Ok(Reader(tokens::member(app, &token).await?))
}

/// The reader of a session whose token is about to be answered; that it arrives is not yet known.
pub async fn of_session(app: &App, session: uuid::Uuid) -> Result<Reader> {
    Ok(Reader(Arc::new(super::store::confirm(app, session, 0).await?)))
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
