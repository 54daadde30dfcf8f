//! API keys: another program acts in a member's name, in the areas its key names and no others, until it expires.

use poem::Request;
use poem::http::Method;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::roles::{Kept as KeptRole, Read};
use super::{Member, RoleManager};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::check;
use crate::clock::{DAY, MINUTE, Millis, new_id, random};
use crate::crypto::{b64, sha256};
use crate::error::{Error, Result};
use crate::wire::Page;

/// How a key begins, so that people, logs and secret scanners recognise one.
pub const MARK: &str = "kilele_key_";
const LONGEST: Millis = 366 * DAY;
/// Keys that work at once in one organisation.
const MOST: i64 = 50;

/// What a key may name, with `:read` or `:write`, and the addresses that belong to it. All other addresses are closed to
/// keys: sessions, passwords, keys themselves, phones' own doors.
const AREAS: &[(&str, &[&str])] = &[
    ("households", &["/api/households"]),
    ("visits", &["/api/visits"]),
    ("commands", &["/api/commands"]),
    ("media", &["/api/media", "/api/uploads"]),
    ("signatures", &["/api/signatures"]),
    ("places", &["/api/places"]),
    ("imports", &["/api/imports"]),
    ("members", &["/api/members"]),
    ("audit", &["/api/audit", "/api/audit.csv"]),
];

/// Below its areas, what is an administrator's own hand over people's accounts and data: never a program's.
const CLOSED: &[&str] = &["/reset", "/invitation", "/hand-over", "/export", "/erase"];

/// The scope that a request needs; `None` is closed to keys.
fn needed(method: &Method, path: &str) -> Option<String> {
    if CLOSED.iter().any(|end| path.ends_with(end)) {
        return None;
    }
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let (area, _) = AREAS.iter().find(|(_, roots)| roots.iter().any(|root| below(root)))?;
    Some(format!("{area}:{}", if method.is_safe() { "read" } else { "write" }))
}

#[derive(sqlx::FromRow)]
struct Row {
    org: Uuid,
    id: Uuid,
    member: Uuid,
    account: Uuid,
    name: String,
    scopes: String,
    expires_at: Millis,
    last_used_at: Option<Millis>,
    revoked_at: Option<Millis>,
    active: bool,
    #[sqlx(flatten)]
    kept: KeptRole,
}

/// The member in whose name a key acts.
///
/// # Errors
/// 401 `key_invalid` or `key_expired`; 403 `key_scope` when it does not name this address's area.
pub async fn member(app: &App, key: &str, request: &Request) -> Result<Member> {
    let invalid = || Error::unauthorised("key_invalid", "This API key is not valid.");
    let row: Option<Row> = app
        .db
        .query(
            "SELECT k.org, k.id, k.member, m.account, a.name, k.scopes, k.expires_at, k.last_used_at, k.revoked_at, m.active,
                 m.role, a.platform, r.scope AS reach, r.levels, o.modules
             FROM api_key k JOIN member m ON m.org = k.org AND m.id = k.member JOIN account a ON a.id = m.account
             JOIN organisation o ON o.id = m.org LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
             WHERE k.hash = $1",
        )
        .bind(sha256(key.as_bytes()))
        .optional()
        .await?;
    let row = row.filter(|row| row.active && row.revoked_at.is_none()).ok_or_else(invalid)?;
    let now = app.clock.now();
    if row.expires_at <= now {
        return Err(Error::unauthorised("key_expired", "This API key has expired."));
    }
    let scopes: Vec<String> = serde_json::from_str(&row.scopes)?;
    if !needed(request.method(), request.uri().path()).is_some_and(|scope| scopes.contains(&scope)) {
        return Err(Error::new(poem::http::StatusCode::FORBIDDEN, "key_scope", "This API key is not for this."));
    }
    if row.last_used_at.is_none_or(|last| now - last > MINUTE) {
        let (org, id) = (row.org, row.id);
        let used = "UPDATE api_key SET last_used_at = $3 WHERE org = $1 AND id = $2";
        app.db.write(move |tx| Box::pin(tx.query(used).bind(org).bind(id).bind(now).run())).await?;
    }
    let Read { role, capabilities, off, .. } = row.kept.read().ok_or_else(invalid)?;
    Ok(Member {
        org: row.org,
        id: row.member,
        account: row.account,
        session: Uuid::nil(),
        device: row.id,
        role,
        capabilities,
        off,
        name: row.name,
    })
}

pub struct Api(pub App);

/// A key as it is shown: what opens doors is known only to the program that has it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ApiKey {
    id: Uuid,
    name: String,
    /// In whose name it acts.
    member: Uuid,
    scopes: Vec<String>,
    created_by: Uuid,
    created_at: Millis,
    expires_at: Millis,
    last_used_at: Option<Millis>,
    revoked_at: Option<Millis>,
}

#[derive(Object)]
struct NewApiKey {
    name: String,
    /// In whose name and reach it acts.
    member: Uuid,
    /// An area with `:read` or `:write`: households, visits, commands, media, signatures, places, imports, members, audit.
    #[oai(validator(min_items = 1, max_items = 20))]
    scopes: Vec<String>,
    /// At most a year ahead.
    expires_at: Millis,
}

#[derive(Object)]
struct MadeApiKey {
    id: Uuid,
    /// Shown this once; sent as `Authorization: Bearer …`.
    key: String,
}

#[derive(ApiResponse)]
enum Revoked {
    /// It opens nothing any more.
    #[oai(status = 204)]
    Done,
}

#[derive(sqlx::FromRow)]
struct Kept {
    id: Uuid,
    name: String,
    member: Uuid,
    scopes: String,
    created_by: Uuid,
    created_at: Millis,
    expires_at: Millis,
    last_used_at: Option<Millis>,
    revoked_at: Option<Millis>,
}

#[OpenApi(tag = "crate::api::Tag::Keys")]
impl Api {
    /// The organisation's API keys
    #[oai(path = "/api/keys", method = "get", operation_id = "listKeys")]
    async fn list(&self, admin: RoleManager) -> Result<Json<Page<ApiKey>>> {
        let rows: Vec<Kept> = self
            .0
            .db
            .query(
                "SELECT id, name, member, scopes, created_by, created_at, expires_at, last_used_at, revoked_at FROM api_key
                 WHERE org = $1 ORDER BY created_at DESC, id LIMIT 500",
            )
            .bind(admin.org)
            .all()
            .await?;
        let shown = |row: Kept| -> Result<ApiKey> {
            let Kept { id, name, member, scopes, created_by, created_at, expires_at, last_used_at, revoked_at } = row;
            let scopes = serde_json::from_str(&scopes)?;
            Ok(ApiKey { id, name, member, scopes, created_by, created_at, expires_at, last_used_at, revoked_at })
        };
        Ok(Json(Page { items: rows.into_iter().map(shown).collect::<Result<_>>()?, next: None }))
    }

    /// Make an API key
    #[oai(path = "/api/keys", method = "post", operation_id = "createKey")]
    async fn create(&self, admin: RoleManager, body: Json<NewApiKey>) -> Result<Json<MadeApiKey>> {
        let NewApiKey { name, member, mut scopes, expires_at } = body.0;
        check::name("name", &name)?;
        let now = self.0.clock.now();
        if expires_at <= now || expires_at > now + LONGEST {
            return Err(Error::invalid("expires_at", "A key lives at most a year."));
        }
        scopes.sort();
        scopes.dedup();
        let known = |scope: &String| {
            scope
                .split_once(':')
                .is_some_and(|(area, how)| AREAS.iter().any(|(a, _)| *a == area) && matches!(how, "read" | "write"))
        };
        if !scopes.iter().all(known) {
            return Err(Error::invalid("scopes", "There is no such scope."));
        }
        let secret: [u8; 32] = random();
        let key = format!("{MARK}{}", b64(&secret));
        let (id, hash) = (new_id(), sha256(key.as_bytes()));
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: now };
        let scopes = serde_json::to_string(&scopes)?;
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let added = tx
                        .query(
                            "INSERT INTO api_key (org, id, name, member, hash, scopes, created_by, created_at, expires_at)
                             SELECT m.org, $2, $4, m.id, $5, $6, $7, $8, $9 FROM member m
                             WHERE m.org = $1 AND m.id = $3 AND m.active",
                        )
                        .bind(actor.org)
                        .bind(id)
                        .bind(member)
                        .bind(name.trim())
                        .bind(hash)
                        .bind(scopes)
                        .bind(actor.member)
                        .bind(now)
                        .bind(expires_at)
                        .run()
                        .await?;
                    if added == 0 {
                        return Err(Error::not_found("member").field("member"));
                    }
                    let open = "SELECT count(*) FROM api_key WHERE org = $1 AND revoked_at IS NULL AND expires_at > $2";
                    let (open,): (i64,) = tx.query(open).bind(actor.org).bind(now).one().await?;
                    if open > MOST {
                        return Err(Error::conflict("too_many_keys", "There are 50 keys already; revoke one first."));
                    }
                    audit::note(tx, &actor, actor.org, "key.create", ("key", id)).await
                })
            })
            .await?;
        Ok(Json(MadeApiKey { id, key }))
    }

    /// Revoke an API key
    #[oai(path = "/api/keys/:id", method = "delete", operation_id = "revokeKey")]
    async fn revoke(&self, admin: RoleManager, id: Path<Uuid>) -> Result<Revoked> {
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() };
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let revoke = "UPDATE api_key SET revoked_at = $3 WHERE org = $1 AND id = $2 AND revoked_at IS NULL";
                    if tx.query(revoke).bind(actor.org).bind(id.0).bind(actor.at).run().await? == 0 {
                        return Err(Error::not_found("key"));
                    }
                    audit::note(tx, &actor, actor.org, "key.revoke", ("key", id.0)).await
                })
            })
            .await?;
        Ok(Revoked::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_area_names_is_closed() {
        let scope = |method, path| needed(&method, path);
        assert_eq!(scope(Method::GET, "/api/households/x/timeline").as_deref(), Some("households:read"));
        assert_eq!(scope(Method::POST, "/api/commands").as_deref(), Some("commands:write"));
        assert_eq!(scope(Method::GET, "/api/audit.csv").as_deref(), Some("audit:read"));
        for closed in [
            "/api/keys",
            "/api/me",
            "/api/me/password",
            "/api/sessions",
            "/api/sync",
            "/api/householdsx",
            "/api/members/x/reset",
        ] {
            assert_eq!(scope(Method::GET, closed), None, "{closed}");
        }
    }
}
