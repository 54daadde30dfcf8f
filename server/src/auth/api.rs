//! Signing in and out, renewing a session, and the one-time links.

use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::memberships::{self, Membership};
use super::store::{self, Device, Issued, MemberRow};
use super::tokens::{self, ACCESS_COOKIE, REFRESH_COOKIE};
use super::{Reader, Role, access, invitations, password, second};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::check;
use crate::clock::{Millis, new_id};
use crate::crypto::{point, unb64, verify_device};
use crate::error::{Error, Result};
use crate::members::{self, NewMember, Person};
use crate::orgs::{self, Organisation};
use crate::outbox::OutboxKey;
use crate::{feed, scope};

pub struct Api(pub App);

/// The device a person signs in on.
#[derive(Clone, Object)]
pub struct DeviceInfo {
    pub id: Uuid,
    pub name: String,
    /// SPKI of a non-extractable ECDSA P-256 key, base64url; phones have one.
    pub public_key: Option<String>,
}

#[derive(Object)]
struct SignIn {
    login: String,
    password: String,
    /// Of the authenticator app, or a recovery code, when the answer was `second_step` or `second_step_setup`.
    code: Option<String>,
    device: DeviceInfo,
    /// Also answer the tokens in the body, for integrations without cookies.
    #[oai(default)]
    tokens: bool,
    /// Several people share this browser: the refresh token comes in the answer too, beside the cookies, so that each
    /// can have their own session back.
    #[oai(default)]
    shared: bool,
}

#[derive(Object)]
struct Setup {
    token: String,
    organisation_name: String,
    organisation_code: String,
    name: String,
    login: String,
    password: String,
    device: DeviceInfo,
    /// Several people share this browser: the refresh token comes in the answer too, beside the cookies, so that each
    /// can have their own session back.
    #[oai(default)]
    shared: bool,
}

#[derive(Object)]
struct Join {
    token: String,
    password: String,
    device: DeviceInfo,
    /// Several people share this browser: the refresh token comes in the answer too, beside the cookies, so that each
    /// can have their own session back.
    #[oai(default)]
    shared: bool,
}

#[derive(Object)]
struct Token {
    token: String,
}

/// Whom an invitation is for.
#[derive(Object)]
struct Invitee {
    name: String,
    login: String,
    role: Role,
    organisation_name: String,
    /// The person has an account already, and joins with its password.
    has_password: bool,
}

#[derive(Object)]
struct Refresh {
    device: Uuid,
    /// `refresh_challenge` of the answer that brought the refresh token. Who does not know it is told it by 401
    /// `refresh_challenge` (in `details.challenge`), and asks again.
    challenge: Option<String>,
    /// ECDSA P-256 by the device's key over `kilele-refresh|{device}|{challenge}`, raw r‖s, base64url.
    proof: Option<String>,
    /// For integrations without cookies, and for people who share a browser.
    refresh_token: Option<String>,
    /// Several people share this browser: the refresh token comes in the answer too, beside the cookies, so that each
    /// can have their own session back.
    #[oai(default)]
    shared: bool,
}

/// The account a person signs in with.
#[derive(Object, sqlx::FromRow)]
pub struct AccountView {
    pub id: Uuid,
    pub login: String,
    pub name: String,
    pub locale: String,
}

/// Who is signed in, where, and what they may do.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SessionView {
    pub account: AccountView,
    pub member: Person,
    pub organisation: Organisation,
    pub capabilities: Vec<String>,
    /// The name of the organisation's own role, if it is one.
    pub role_name: Option<String>,
    /// Organisations the person may go to; none in single mode.
    pub memberships: Vec<Membership>,
    pub device: Uuid,
    pub access_expires_at: Millis,
    pub server_time: Millis,
    /// What the phone seals its outbox to.
    pub outbox_key: OutboxKey,
    /// What the device signs to renew this session; comes with a new refresh token.
    pub refresh_challenge: Option<String>,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    /// Of a second step that was set up while signing in: shown this once.
    pub recovery_codes: Option<Vec<String>>,
}

/// How a session's tokens reach whoever asked.
#[derive(PartialEq, Clone, Copy)]
pub(super) enum Carry {
    Cookies,
    Body,
    /// Cookies, and the refresh token in the body.
    Both,
}

impl Carry {
    pub(super) const fn chosen(body: bool, shared: bool) -> Self {
        match (body, shared) {
            (true, _) => Self::Body,
            (false, true) => Self::Both,
            (false, false) => Self::Cookies,
        }
    }
}

#[derive(ApiResponse)]
enum SignedOut {
    /// Signed out.
    #[oai(status = 204)]
    Done(#[oai(header = "Set-Cookie")] String),
}

#[OpenApi(tag = "crate::api::Tag::Sessions")]
impl Api {
    /// Sign in
    #[oai(path = "/api/sessions", method = "post", operation_id = "signIn")]
    async fn sign_in(&self, request: &Request, body: Json<SignIn>) -> Result<Response<Json<SessionView>>> {
        let SignIn { login, password, code, device, tokens, shared } = body.0;
        let now = self.0.clock.now();
        let login = login.trim().to_lowercase();
        if !tokens {
            access::same_site(request)?;
        }
        check::text("login", &login, 80)?;
        check::text("password", &password, 200)?;
        let address = crate::web::client_address(request, &self.0.config);
        self.0.limiter.attempt(&format!("address {address}"), now)?;
        self.0.backoff.demand(&address, now)?;
        self.0.limiter.attempt(&format!("login {login}"), now)?;
        let device = parse_device(device)?;
        let account = store::account_by_login(&self.0, &login).await?;
        account.as_ref().map_or(Ok(()), |account| store::locked(account, now))?;
        let wrong = || Error::unauthorised("wrong_credentials", "Login or password is wrong.");
        let fits = password::verify(password, account.as_ref().and_then(|a| a.password_hash.clone())).await?;
        if !fits {
            self.0.backoff.failed(&address, now);
        }
        let account = account.ok_or_else(wrong)?;
        if !fits {
            store::failed(&self.0, &account).await?;
            return Err(wrong());
        }
        let member = store::membership(&self.0, account.id).await?.ok_or_else(wrong)?;
        let second = second::pass(&self.0, &account, code.as_deref()).await;
        if matches!(&second, Err(error) if error.code() == "second_step_wrong") {
            self.0.backoff.failed(&address, now);
        }
        let second = second?;
        let issued = self
            .open(member, device, if second.by_recovery_code { "account.recovery_code" } else { "session.open" })
            .await?;
        self.answer_with(issued, Carry::chosen(tokens, shared), second.recovery_codes).await
    }

    /// Renew a session
    ///
    /// The refresh token rotates: the one before is taken again only while the newest has not been used.
    #[oai(path = "/api/sessions/refresh", method = "post", operation_id = "refreshSession")]
    async fn refresh(&self, request: &Request, body: Json<Refresh>) -> Result<Response<Json<SessionView>>> {
        let ended = || Error::unauthorised("session_ended", "This session has ended; sign in again.");
        // Without cookies only for those who have none: a page that brings its own token wants them.
        let in_body = body.refresh_token.is_some() && !body.shared;
        if !in_body {
            access::same_site(request)?;
        }
        let token = body.refresh_token.clone().or_else(|| tokens::cookie(request, REFRESH_COOKIE, &self.0.config));
        let token = token.ok_or_else(|| Error::unauthorised("not_signed_in", "Sign in first."))?;
        let hash = tokens::refresh_hash(&token).ok_or_else(ended)?;
        let family = store::family(&self.0, &hash).await?.ok_or_else(ended)?;
        if family.revoked_at.is_some() {
            return Err(store::revoked());
        }
        let now = self.0.clock.now();
        if family.ended_at.is_some() || family.expires_at <= now {
            return Err(ended());
        }
        let reused = family.current_hash != hash && family.confirmed >= family.generation;
        let challenge = tokens::challenge(&hash);
        let proven = match &family.public_key {
            // The answer with the challenge was lost, or this is an older client: no reason to end anything.
            Some(_) if !reused && body.challenge.as_ref() != Some(&challenge) => {
                let message = "Sign this challenge with the device's key.";
                let details = serde_json::json!({ "challenge": challenge });
                return Err(Error::unauthorised("refresh_challenge", message).details(details));
            }
            Some(key) => {
                let message = format!("kilele-refresh|{}|{challenge}", family.device);
                let proof = body.proof.as_deref().and_then(unb64).unwrap_or_default();
                verify_device(key, message.as_bytes(), &proof)
            }
            None => true,
        };
        if reused || !proven || body.device != family.device {
            store::end(&self.0, family.id, if reused { "reused" } else { "wrong device" }).await?;
            let message = "This session was used from elsewhere and has ended for safety; sign in again.";
            return Err(Error::unauthorised("session_reused", message));
        }
        let issued = store::rotate(&self.0, &family, hash, now).await?;
        let issued = issued.ok_or_else(|| Error::unavailable("Another request is renewing this session."))?;
        self.answer(issued, Carry::chosen(in_body, body.shared)).await
    }

    /// Sign out
    #[oai(path = "/api/sessions/current", method = "delete", operation_id = "signOut")]
    async fn sign_out(&self, reader: Reader) -> Result<Response<SignedOut>> {
        store::end(&self.0, reader.session, "signed out").await?;
        let config = &self.0.config;
        let delete = "DELETE FROM push_subscription WHERE org = $1 AND member = $2 AND device = $3";
        let (org, member, device) = (reader.org, reader.id, reader.device);
        self.0.db.write(move |tx| Box::pin(tx.query(delete).bind(org).bind(member).bind(device).run())).await?;
        let done = SignedOut::Done(tokens::set_cookie(ACCESS_COOKIE, "", config));
        Ok(Response::new(done).header("set-cookie", tokens::set_cookie(REFRESH_COOKIE, "", config)))
    }

    /// Who is signed in
    #[oai(path = "/api/me", method = "get", operation_id = "me")]
    async fn me(&self, reader: Reader) -> Result<Json<SessionView>> {
        Ok(Json(self.view(&reader, 0).await?))
    }

    /// First set-up, by the link that the server printed
    #[oai(path = "/api/setup", method = "post", operation_id = "setUp")]
    async fn set_up(&self, request: &Request, body: Json<Setup>) -> Result<Response<Json<SessionView>>> {
        access::same_site(request)?;
        let Setup { token, organisation_name, organisation_code, name, login, password, device, shared } = body.0;
        let device = parse_device(device)?;
        let now = self.0.clock.now();
        let address = crate::web::client_address(request, &self.0.config);
        self.0.limiter.attempt(&format!("setup {address}"), now)?;
        if invitations::look(&self.0, &token).await?.org.is_some() {
            return Err(Error::refused("invitation_invalid", "This link is an invitation, not the set-up link."));
        }
        let hash = password::hash(password).await?;
        let member = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    invitations::consume(tx, &token, now).await?;
                    let actor = Actor { org: new_id(), member: None, device: None, at: now };
                    orgs::create(tx, &actor, &organisation_code, &organisation_name, false).await?;
                    let new = NewMember { name, login, role: Role::OrgAdmin, locale: "en".into(), ..NewMember::default() };
                    let person = members::store::add(tx, &actor, new).await?;
                    let row = store::set_password(tx, actor.org, person.id, hash, now).await?;
                    // Whoever has the set-up link administers the installation.
                    tx.query("UPDATE account SET platform = TRUE WHERE id = $1").bind(row.account).run().await?;
                    Ok(row)
                })
            })
            .await?;
        let issued = self.open(member, device, "session.setup").await?;
        self.answer(issued, Carry::chosen(false, shared)).await
    }

    /// Whom an invitation is for
    #[oai(path = "/api/join/preview", method = "post", operation_id = "previewInvitation")]
    async fn preview(&self, request: &Request, body: Json<Token>) -> Result<Json<Invitee>> {
        access::same_site(request)?;
        let address = crate::web::client_address(request, &self.0.config);
        self.0.limiter.attempt(&format!("join {address}"), self.0.clock.now())?;
        let invitation = invitations::look(&self.0, &body.token).await?;
        let row: Option<(String, String, String, String)> = self
            .0
            .db
            .query(
                "SELECT a.name, a.login, m.role, o.name FROM member m JOIN account a ON a.id = m.account
                 JOIN organisation o ON o.id = m.org WHERE m.org = $1 AND m.id = $2",
            )
            .bind(invitation.org)
            .bind(invitation.member)
            .optional()
            .await?;
        let (name, login, role, organisation_name) = row.ok_or_else(|| Error::not_found("invitation"))?;
        let role = Role::parse(&role).ok_or_else(|| Error::not_found("invitation"))?;
        let has_password = match invitation.org.zip(invitation.member) {
            Some((org, member)) => memberships::own_password(&self.0, org, member).await?.is_some(),
            None => false,
        };
        Ok(Json(Invitee { name, login, role, organisation_name, has_password }))
    }

    /// Accept an invitation by choosing a password
    #[oai(path = "/api/join", method = "post", operation_id = "join")]
    async fn join(&self, request: &Request, body: Json<Join>) -> Result<Response<Json<SessionView>>> {
        access::same_site(request)?;
        let Join { token, password, device, shared } = body.0;
        let device = parse_device(device)?;
        let now = self.0.clock.now();
        let address = crate::web::client_address(request, &self.0.config);
        self.0.limiter.attempt(&format!("join {address}"), now)?;
        let whom = invitations::look(&self.0, &token).await?;
        let (org, member) = whom.org.zip(whom.member).ok_or_else(|| Error::not_found("invitation"))?;
        let hash = match memberships::own_password(&self.0, org, member).await? {
            None => {
                if store::was_reset(&self.0, org, member, password.clone()).await? {
                    let message = "Choose another password than the one before.";
                    return Err(Error::refused("password_reused", message).field("password"));
                }
                Some(password::hash(password).await?)
            }
            Some(known) => {
                self.0.limiter.attempt(&format!("join {member}"), now)?;
                if !password::verify(password, Some(known)).await? {
                    return Err(Error::unauthorised("wrong_credentials", "This is not the password of your account."));
                }
                None
            }
        };
        let member = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let whom = invitations::consume(tx, &token, now).await?;
                    let (org, member) = whom.org.zip(whom.member).ok_or_else(|| Error::not_found("invitation"))?;
                    if let Some(hash) = hash {
                        store::set_password(tx, org, member, hash, now).await?;
                    }
                    memberships::joined(tx, org, member).await
                })
            })
            .await?;
        // A role that needs a second step, or a person who has one: they go on by signing in.
        let state = second::state(&self.0, member.account).await?;
        if state.required || state.totp_since.is_some() {
            return Err(Error::unauthorised("second_step", "The password is set. Sign in with it and your second step."));
        }
        let issued = self.open(member, device, "session.join").await?;
        self.answer(issued, Carry::chosen(false, shared)).await
    }
}

impl Api {
    /// Opens a session and writes it into the person's audit chain.
    pub(super) async fn open(&self, member: MemberRow, device: Device, action: &'static str) -> Result<Issued> {
        let now = self.0.clock.now();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (org, id) = (member.org, member.id);
                    let actor = Actor { org, member: Some(id), device: Some(device.id), at: now };
                    let issued = store::open_session(tx, member, device, now).await?;
                    let mut feeds = feed::lock(tx, org, [id]).await?;
                    let nothing = (None::<&()>, None::<&()>);
                    audit::append(tx, &mut feeds, id, &actor, action, ("session", issued.session), nothing).await?;
                    Ok(issued)
                })
            })
            .await
    }

    pub(super) async fn answer(&self, issued: Issued, carry: Carry) -> Result<Response<Json<SessionView>>> {
        self.answer_with(issued, carry, None).await
    }

    async fn answer_with(
        &self,
        issued: Issued,
        carry: Carry,
        codes: Option<Vec<String>>,
    ) -> Result<Response<Json<SessionView>>> {
        let app = &self.0;
        let (access, expires) = tokens::issue(app, issued.session, issued.generation)?;
        let reader = access::of_session(app, issued.session).await?;
        let mut view = self.view(&reader, expires).await?;
        view.recovery_codes = codes;
        view.refresh_challenge = tokens::refresh_hash(&issued.refresh_token).map(|hash| tokens::challenge(&hash));
        if carry == Carry::Body {
            view.access_token = Some(access);
            view.refresh_token = Some(issued.refresh_token);
            return Ok(Response::new(Json(view)));
        }
        if carry == Carry::Both {
            view.refresh_token = Some(issued.refresh_token.clone());
        }
        Ok(Response::new(Json(view))
            .header("set-cookie", tokens::set_cookie(ACCESS_COOKIE, &access, &app.config))
            .header("set-cookie", tokens::set_cookie(REFRESH_COOKIE, &issued.refresh_token, &app.config)))
    }

    async fn view(&self, reader: &Reader, expires: Millis) -> Result<SessionView> {
        let db = &self.0.db;
        let account: AccountView =
            db.query("SELECT id, login, name, locale FROM account WHERE id = $1").bind(reader.account).one().await?;
        let member = scope::of_organisation(db, reader.org, "person", reader.id).await?;
        let organisation = scope::of_organisation(db, reader.org, "organisation", reader.org).await?;
        let role_name: Option<(String,)> = db
            .query(
                "SELECT r.name FROM member m JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
                 WHERE m.org = $1 AND m.id = $2",
            )
            .bind(reader.org)
            .bind(reader.id)
            .optional()
            .await?;
        Ok(SessionView {
            role_name: role_name.map(|(name,)| name),
            memberships: memberships::of(db, reader.account).await?,
            account,
            member: serde_json::from_str(&member)?,
            organisation: serde_json::from_str(&organisation)?,
            capabilities: reader.capabilities.names(),
            device: reader.device,
            access_expires_at: expires,
            server_time: self.0.clock.now(),
            outbox_key: self.0.outbox.announced.clone(),
            refresh_challenge: None,
            access_token: None,
            refresh_token: None,
            recovery_codes: None,
        })
    }
}

pub(super) fn parse_device(info: DeviceInfo) -> Result<Device> {
    check::text("device", &info.name, 200)?;
    let invalid = || Error::invalid("device", "The device's key is not an ECDSA P-256 public key.");
    let public_key = match &info.public_key {
        None => None,
        Some(text) => Some(unb64(text).filter(|key| point(key).is_ok()).ok_or_else(invalid)?),
    };
    Ok(Device { id: info.id, name: info.name, public_key })
}
