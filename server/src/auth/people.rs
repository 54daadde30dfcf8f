//! What a person does about their own safety, and an administrator about a person's: passwords, second steps, sessions.

use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::{Reader, Role, RoleManager, invitations, password, second, store};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::check;
use crate::clock::Millis;
use crate::db::{Tx, wall};
use crate::error::{Error, Result};
use crate::feed;
use crate::members::api::Invitation;
use crate::wire::Page;

pub struct Api(pub App);

#[derive(ApiResponse)]
enum Done {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// How an account is protected.
#[derive(Object)]
struct Security {
    /// Since when there is a second step.
    second_step_since: Option<Millis>,
    /// A role of this person must have one.
    second_step_required: bool,
    recovery_codes_left: i64,
}

#[derive(Object)]
struct NewPassword {
    current: String,
    password: String,
}

#[derive(Object)]
struct Confirmation {
    /// The password, once more.
    password: String,
}

#[derive(Object)]
struct Code {
    /// Six digits of the authenticator app.
    code: String,
}

/// Shown once; each replaces the app one time.
#[derive(Object)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// Where somebody is signed in.
#[derive(Object, sqlx::FromRow)]
#[oai(rename = "OpenSession")]
struct Line {
    id: Uuid,
    member: Uuid,
    device: Uuid,
    device_name: String,
    opened_at: Millis,
    last_seen_at: Millis,
    expires_at: Millis,
    /// The session that asks.
    current: bool,
}

#[derive(Object)]
struct Reset {
    /// Also take the second step away, for who lost their authenticator.
    #[oai(default)]
    second_step: bool,
}

/// Which roles sign in with a second step.
#[derive(Object)]
struct SignInRules {
    /// Built-in roles by name (`custom`: all of the organisation's own), and single ones of its own by id.
    #[oai(validator(max_items = 50))]
    second_step_roles: Vec<String>,
}

#[OpenApi(tag = "crate::api::Tag::Sessions")]
impl Api {
    /// How my account is protected
    #[oai(path = "/api/me/security", method = "get", operation_id = "mySecurity")]
    async fn security(&self, reader: Reader) -> Result<Json<Security>> {
        let state = second::state(&self.0, reader.account).await?;
        Ok(Json(Security {
            second_step_since: state.totp_since,
            second_step_required: state.required,
            recovery_codes_left: state.codes_left,
        }))
    }

    /// Change my password
    ///
    /// Ends every other session of the account.
    #[oai(path = "/api/me/password", method = "put", operation_id = "changePassword")]
    async fn change_password(&self, request: &Request, reader: Reader, body: Json<NewPassword>) -> Result<Done> {
        let NewPassword { current, password } = body.0;
        self.confirm(request, &reader, current.clone()).await?;
        if current == password {
            return Err(Error::refused("password_reused", "Choose another password than the one before.").field("password"));
        }
        let hash = password::hash(password.clone()).await?;
        password::fit(&password, &[&second::state(&self.0, reader.account).await?.login, &reader.name])?;
        let (account, own, now) = (reader.account, reader.session, self.0.clock.now());
        let actor = actor(&reader, now);
        // An account has one password and sessions in all its organisations.
        let work = self.0.db.write(move |tx| {
            Box::pin(async move {
                let set =
                    "UPDATE account SET password_hash = $2, reset_hash = NULL, failures = 0, locked_until = 0 WHERE id = $1";
                tx.query(set).bind(account).bind(hash).run().await?;
                let end = "UPDATE session SET ended_at = $2, ended_reason = 'password changed'
                               WHERE account = $1 AND ended_at IS NULL AND id <> $3 RETURNING id";
                let ended: Vec<(Uuid,)> = tx.query(end).bind(account).bind(now).bind(own).all().await?;
                audit::note(tx, &actor, actor.member.unwrap_or_default(), "account.password", ("person", account)).await?;
                Ok(ended)
            })
        });
        let ended = wall::beyond(work).await?;
        ended.into_iter().for_each(|(session,)| self.0.sessions.forget(session));
        Ok(Done::Done)
    }

    /// Begin to set up a second step
    ///
    /// Show `uri` as a QR code to an authenticator app, then confirm with its first code.
    #[oai(path = "/api/me/second-step", method = "post", operation_id = "beginSecondStep")]
    async fn begin(&self, request: &Request, reader: Reader, body: Json<Confirmation>) -> Result<Json<second::Offer>> {
        self.confirm(request, &reader, body.0.password).await?;
        let state = second::state(&self.0, reader.account).await?;
        if state.totp_since.is_some() {
            return Err(Error::conflict("second_step_exists", "There is a second step already; take it away first."));
        }
        Ok(Json(second::offer(&self.0, reader.account, &state).await?))
    }

    /// Confirm the second step with the app's first code
    ///
    /// Answers ten recovery codes, this once.
    #[oai(path = "/api/me/second-step/confirm", method = "post", operation_id = "confirmSecondStep")]
    async fn confirm_second(&self, reader: Reader, body: Json<Code>) -> Result<Json<RecoveryCodes>> {
        self.0.limiter.attempt(&format!("code {}", reader.account), self.0.clock.now())?;
        let state = second::state(&self.0, reader.account).await?;
        let codes = second::confirm(&self.0, reader.account, &state, &body.0.code).await?;
        let recovery_codes = codes
            .ok_or_else(|| Error::refused("second_step_wrong", "This code is wrong or was used already.").field("code"))?;
        self.note(&reader, "account.totp_on").await?;
        Ok(Json(RecoveryCodes { recovery_codes }))
    }

    /// Ten new recovery codes; those before end
    #[oai(path = "/api/me/second-step/codes", method = "post", operation_id = "newRecoveryCodes")]
    async fn codes(&self, request: &Request, reader: Reader, body: Json<Confirmation>) -> Result<Json<RecoveryCodes>> {
        self.confirm(request, &reader, body.0.password).await?;
        if second::state(&self.0, reader.account).await?.totp_since.is_none() {
            return Err(Error::conflict("second_step_missing", "There is no second step."));
        }
        let account = reader.account;
        let recovery_codes = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let crypto = tx.crypto.clone();
                    second::new_codes(tx, &crypto, account).await
                })
            })
            .await?;
        self.note(&reader, "account.recovery_codes").await?;
        Ok(Json(RecoveryCodes { recovery_codes }))
    }

    /// Take my second step away
    #[oai(path = "/api/me/second-step/remove", method = "post", operation_id = "removeSecondStep")]
    async fn remove_second(&self, request: &Request, reader: Reader, body: Json<Confirmation>) -> Result<Done> {
        self.confirm(request, &reader, body.0.password).await?;
        if second::state(&self.0, reader.account).await?.required {
            return Err(Error::conflict("second_step_required", "Your role signs in with a second step."));
        }
        let account = reader.account;
        self.0.db.write(move |tx| Box::pin(async move { second::remove(tx, account).await })).await?;
        self.note(&reader, "account.totp_off").await?;
        Ok(Done::Done)
    }

    /// Where somebody is signed in
    ///
    /// The caller's own open sessions; an administrator's organisation's, or those of one `member`.
    #[oai(path = "/api/sessions/open", method = "get", operation_id = "listSessions")]
    async fn sessions(&self, reader: Reader, member: Query<Option<Uuid>>) -> Result<Json<Page<Line>>> {
        let all = reader.device_manager().is_ok() && member.0.is_some();
        let items = self
            .0
            .db
            .query(
                "SELECT s.id, s.member, s.device, d.name AS device_name, s.created_at AS opened_at, d.last_seen_at, s.expires_at,
                     s.id = $3 AS current
                 FROM session s JOIN device d ON d.id = s.device AND d.account = s.account
                 WHERE s.org = $1 AND s.member = $2 AND s.ended_at IS NULL AND s.expires_at > $4
                 ORDER BY d.last_seen_at DESC, s.id LIMIT 200",
            )
            .bind(reader.org)
            .bind(if all { member.0 } else { Some(reader.id) })
            .bind(reader.session)
            .bind(self.0.clock.now())
            .all()
            .await?;
        Ok(Json(Page { items, next: None }))
    }

    /// End a session
    ///
    /// One's own; an administrator any of the organisation's. What its device has not sent stays on it.
    #[oai(path = "/api/sessions/open/:id", method = "delete", operation_id = "endSession")]
    async fn end_session(&self, reader: Reader, id: Path<Uuid>) -> Result<Done> {
        let (all, session, now) = (reader.device_manager().is_ok(), id.0, self.0.clock.now());
        let actor = actor(&reader, now);
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let end = "UPDATE session SET ended_at = $4, ended_reason = 'ended'
                               WHERE org = $1 AND id = $2 AND ended_at IS NULL AND ($5 OR member = $3) RETURNING member";
                    let query = tx.query(end).bind(actor.org).bind(session).bind(actor.member).bind(now).bind(all);
                    let (member,): (Uuid,) = query.optional().await?.ok_or_else(|| Error::not_found("session"))?;
                    audit::note(tx, &actor, member, "session.end", ("session", session)).await
                })
            })
            .await?;
        self.0.sessions.forget(session);
        Ok(Done::Done)
    }

    /// Reset a member's password
    ///
    /// The password ends with every session; only the link of the answer leads back in, by choosing another one. Nobody
    /// but its owner ever knows a password.
    #[oai(path = "/api/members/:id/reset", method = "post", operation_id = "resetMember")]
    async fn reset(&self, admin: RoleManager, id: Path<Uuid>, body: Json<Reset>) -> Result<Json<Invitation>> {
        if id.0 == admin.id {
            return Err(Error::conflict("own_role", "Change your own password instead."));
        }
        let (now, with_second) = (self.0.clock.now(), body.0.second_step);
        let actor = actor(&admin, now);
        // It looks whether the account opens other organisations' doors, and ends all its sessions.
        let work = self.0.db.write(move |tx| Box::pin(async move { reset(tx, &actor, id.0, with_second, false).await }));
        let (token, ended) = wall::beyond(work).await?;
        ended.into_iter().for_each(|session| self.0.sessions.forget(session));
        Ok(Json(Invitation { invitation_url: format!("{}/join#{token}", self.0.config.public_url) }))
    }

    /// Who signs in with a second step
    #[oai(path = "/api/organisation/sign-in", method = "get", operation_id = "getSignInRules")]
    async fn rules(&self, admin: RoleManager) -> Result<Json<SignInRules>> {
        let roles: Vec<(String,)> =
            self.0.db.query("SELECT role FROM sign_in_rule WHERE org = $1 ORDER BY role").bind(admin.org).all().await?;
        Ok(Json(SignInRules { second_step_roles: roles.into_iter().map(|(role,)| role).collect() }))
    }

    /// Say which roles sign in with a second step
    ///
    /// Who has none yet sets it up when signing in next.
    #[oai(path = "/api/organisation/sign-in", method = "put", operation_id = "setSignInRules")]
    async fn set_rules(&self, admin: RoleManager, body: Json<SignInRules>) -> Result<Json<SignInRules>> {
        let mut roles = body.0.second_step_roles;
        roles.sort();
        roles.dedup();
        let actor = actor(&admin, self.0.clock.now());
        let kept = roles.clone();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let org = actor.org;
                    let before: Vec<(String,)> =
                        tx.query("SELECT role FROM sign_in_rule WHERE org = $1 ORDER BY role").bind(org).all().await?;
                    let before: Vec<String> = before.into_iter().map(|(role,)| role).collect();
                    tx.query("DELETE FROM sign_in_rule WHERE org = $1").bind(org).run().await?;
                    for role in &kept {
                        let custom = own_role(tx, org, role).await?;
                        tx.query("INSERT INTO sign_in_rule (org, role, custom_role) VALUES ($1, $2, $3)")
                            .bind(org)
                            .bind(role.as_str())
                            .bind(custom)
                            .run()
                            .await?;
                    }
                    let mut feeds = feed::lock(tx, org, [org]).await?;
                    let (was, now) = (serde_json::json!({ "roles": before }), serde_json::json!({ "roles": kept }));
                    let what = (Some(&was), Some(&now));
                    audit::append(tx, &mut feeds, org, &actor, "organisation.sign_in_rules", ("organisation", org), what)
                        .await
                })
            })
            .await?;
        Ok(Json(SignInRules { second_step_roles: roles }))
    }
}

/// One of the organisation's own roles, by its id; nothing for a built-in one.
///
/// # Errors
/// 422 for what is neither.
async fn own_role(tx: &mut Tx, org: Uuid, role: &str) -> Result<Option<Uuid>> {
    if Role::parse(role).is_some() {
        return Ok(None);
    }
    let known: Option<(Uuid,)> = tx
        .query("SELECT id FROM custom_role WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(Uuid::parse_str(role).ok().filter(|id| id.to_string() == role))
        .optional()
        .await?;
    let (id,) = known.ok_or_else(|| Error::invalid("second_step_roles", "There is no such role."))?;
    Ok(Some(id))
}

fn actor(reader: &super::Member, at: Millis) -> Actor {
    Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at }
}

/// Ends an account's password and sessions, and answers the link that leads back in.
///
/// # Errors
/// 404; unless `everywhere`, 409 `several_organisations` when the account opens other doors too: one organisation has no
/// hold on those.
pub async fn reset(
    tx: &mut Tx,
    actor: &Actor,
    member: Uuid,
    with_second: bool,
    everywhere: bool,
) -> Result<(String, Vec<Uuid>)> {
    let row: Option<(Uuid, i64)> = tx
        .query(
            "SELECT m.account, (SELECT count(*) FROM member o WHERE o.account = m.account AND o.org <> m.org AND o.active)
             FROM member m WHERE m.org = $1 AND m.id = $2 AND m.active",
        )
        .bind(actor.org)
        .bind(member)
        .optional()
        .await?;
    let (account, elsewhere) = row.ok_or_else(|| Error::not_found("member"))?;
    if elsewhere > 0 && !everywhere {
        let message = "This person also works for another organisation; whoever runs the server resets their password.";
        return Err(Error::conflict("several_organisations", message));
    }
    let forget = "UPDATE account SET reset_hash = COALESCE(password_hash, reset_hash), password_hash = NULL WHERE id = $1";
    tx.query(forget).bind(account).run().await?;
    if with_second {
        second::remove(tx, account).await?;
    }
    let end = "UPDATE session SET ended_at = $2, ended_reason = 'password reset' WHERE account = $1 AND ended_at IS NULL RETURNING id";
    let ended: Vec<(Uuid,)> = tx.query(end).bind(account).bind(actor.at).all().await?;
    let token = invitations::create(tx, Some((actor.org, member)), actor.at).await?;
    audit::note(tx, actor, member, "member.reset", ("person", member)).await?;
    Ok((token, ended.into_iter().map(|(session,)| session).collect()))
}

impl Api {
    /// The person gives their password once more: a phone left lying about is not enough.
    async fn confirm(&self, request: &Request, reader: &Reader, password: String) -> Result<()> {
        check::text("password", &password, 200)?;
        let address = crate::web::client_address(request, &self.0.config);
        self.0.limiter.attempt(&format!("confirm {} {address}", reader.account), self.0.clock.now())?;
        let login = second::state(&self.0, reader.account).await?.login;
        let account = store::account_by_login(&self.0, &login).await?.ok_or_else(|| Error::not_found("account"))?;
        store::locked(&account, self.0.clock.now())?;
        if !password::verify(password, account.password_hash.clone()).await? {
            store::failed(&self.0, &account).await?;
            return Err(Error::refused("wrong_password", "This is not your password.").field("password"));
        }
        Ok(())
    }

    async fn note(&self, reader: &Reader, action: &'static str) -> Result<()> {
        let (actor, account) = (actor(reader, self.0.clock.now()), reader.account);
        let own = reader.id;
        self.0
            .db
            .write(move |tx| Box::pin(async move { audit::note(tx, &actor, own, action, ("person", account)).await }))
            .await
    }
}
