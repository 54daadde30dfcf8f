//! A person with several memberships: which there are, going from one organisation to another, and where to begin.

use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::api::{self, Carry, SessionView};
use super::store::{self, Device, MemberRow};
use super::{Reader, Role, access};
use crate::app::App;
use crate::clock::Millis;
use crate::db::{Db, Tx, wall};
use crate::error::{Error, Result};
use crate::members::Person;
use crate::platform::Mode;
use crate::platform::mode;
use crate::{feed, scope};

pub struct Api(pub App);

/// An organisation that the person may go to.
#[derive(Object)]
pub struct Membership {
    pub member: Uuid,
    pub organisation: Uuid,
    pub name: String,
    pub code: String,
    pub role: Role,
    /// Where signing in begins.
    pub main: bool,
    pub since: Millis,
}

/// The account's active memberships; in single mode there is no selector, and so none are told.
pub async fn of(db: &Db, account: Uuid) -> Result<Vec<Membership>> {
    if mode::now(db).await? == Mode::Single {
        return Ok(Vec::new());
    }
    type Row = (Uuid, Uuid, String, String, String, bool, Millis);
    let query = db
        .query(
            "SELECT m.id, m.org, o.name, o.code, m.role, m.main, m.created_at
             FROM member m JOIN organisation o ON o.id = m.org WHERE m.account = $1 AND m.active AND m.joined
             ORDER BY m.main DESC, o.name, m.id",
        )
        .bind(account);
    // Of all organisations, but of one's own account.
    let rows: Vec<Row> = wall::beyond(query.all()).await?;
    let read = |(member, organisation, name, code, role, main, since): Row| {
        Some(Membership { member, organisation, name, code, role: Role::parse(&role)?, main, since })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Whether an invitation to this membership must be answered with the password that the account has: another
/// organisation was there first, and nobody but its administrators gives the person a new one.
///
/// # Errors
/// 409 `join_first_elsewhere` when the account has no password yet.
pub async fn own_password(app: &App, org: Uuid, member: Uuid) -> Result<Option<String>> {
    let row: Option<(Option<String>, i64)> = app
        .db
        .query(
            "SELECT a.password_hash, (SELECT count(*) FROM member e WHERE e.account = m.account AND e.org <> m.org
                 AND (e.created_at < m.created_at OR e.created_at = m.created_at AND e.id < m.id))
             FROM member m JOIN account a ON a.id = m.account WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    match row {
        Some((_, 0)) | None => Ok(None),
        Some((Some(hash), _)) => Ok(Some(hash)),
        Some((None, _)) => {
            let message = "This account has an earlier invitation, from another organisation; accept that one first.";
            Err(Error::conflict("join_first_elsewhere", message))
        }
    }
}

/// The invitation was accepted: from now on the membership is one.
pub async fn joined(tx: &mut Tx, org: Uuid, member: Uuid) -> Result<MemberRow> {
    let sql = "UPDATE member SET joined = TRUE WHERE org = $1 AND id = $2 AND active RETURNING org, id, account";
    let row: Option<MemberRow> = tx.query(sql).bind(org).bind(member).optional().await?;
    let row = row.ok_or_else(|| Error::not_found("member"))?;
    // Only now do colleagues see the name that the account has.
    let (name,): (String,) = tx.query("SELECT name FROM account WHERE id = $1").bind(row.account).one().await?;
    let mut person: Person = serde_json::from_str(&scope::current(tx, org, org, member, "person").await?)?;
    if person.name != name {
        person.name = name;
        let feeds = feed::lock(tx, org, [org]).await?;
        feeds.put(tx, org, "person", member, &person).await?;
    }
    Ok(row)
}

#[derive(Object)]
struct Switch {
    /// The membership to go to.
    member: Uuid,
    /// Several people, or several organisations of one, share this browser: the refresh token comes in the answer too.
    #[oai(default)]
    shared: bool,
}

#[derive(Object)]
struct Main {
    member: Uuid,
}

#[derive(ApiResponse)]
enum Kept {
    /// From now on signing in begins there.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "crate::api::Tag::Sessions")]
impl Api {
    /// Go to another organisation
    ///
    /// Opens a session there on the same device; the one here stays, so that what waits on the phone still arrives.
    #[oai(path = "/api/sessions/switch", method = "post", operation_id = "switchOrganisation")]
    async fn switch(&self, request: &Request, reader: Reader, body: Json<Switch>) -> Result<Response<Json<SessionView>>> {
        let memberships = of(&self.0.db, reader.account).await?;
        let wanted = memberships.iter().find(|m| m.member == body.member).ok_or_else(|| Error::not_found("membership"))?;
        let row = MemberRow { org: wanted.organisation, id: wanted.member, account: reader.account };
        let known: Option<(String,)> = self
            .0
            .db
            .query("SELECT name FROM device WHERE id = $1 AND account = $2")
            .bind(reader.device)
            .bind(reader.account)
            .optional()
            .await?;
        let (name,) = known.ok_or_else(store::revoked)?;
        let device = Device { id: reader.device, name, public_key: None };
        let sessions = api::Api(self.0.clone());
        let issued = sessions.open(row, device, "session.switch").await?;
        // As the request came, so goes the answer.
        let carry = Carry::chosen(request.header("authorization").is_some(), body.shared);
        if carry != Carry::Body {
            access::same_site(request)?;
        }
        sessions.answer(issued, carry).await
    }

    /// Choose where signing in begins
    #[oai(path = "/api/me/main", method = "put", operation_id = "chooseMain")]
    async fn main(&self, reader: Reader, body: Json<Main>) -> Result<Kept> {
        let memberships = of(&self.0.db, reader.account).await?;
        let wanted = memberships.iter().find(|m| m.member == body.member).ok_or_else(|| Error::not_found("membership"))?;
        let (account, org, member) = (reader.account, wanted.organisation, wanted.member);
        let update = "UPDATE member SET main = (org = $2 AND id = $3) WHERE account = $1";
        self.0.db.write(move |tx| Box::pin(tx.query(update).bind(account).bind(org).bind(member).run())).await?;
        Ok(Kept::Done)
    }
}
