//! One member's personal data: taken out for them, and erased. Their account becomes nobody's; what they recorded, the
//! figures, and the chains of audit and signatures stay.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Counts;
use super::erase::{Why, demand_kept, prove};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Admin, second};
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::members::{MemberChange, Person, store};
use crate::notifications::addresses;
use crate::{feed, scope};

/// Rows of one kind in an export.
const MOST: i64 = 10_000;

/// A query, and the names of its columns: up to five, the first an id.
type Part = (&'static str, &'static str, [&'static str; 5]);
type Columns = (Uuid, Option<String>, Option<Millis>, Option<Millis>, Option<Millis>);

/// Of organisation $1, member $2 and account $3.
const PARTS: [Part; 9] = [
    (
        "devices",
        "SELECT id, name, created_at, last_seen_at, revoked_at FROM device WHERE account = $3 AND $1 = $1 AND $2 = $2",
        ["id", "name", "created_at", "last_seen_at", "revoked_at"],
    ),
    (
        "sessions",
        "SELECT id, ended_reason, created_at, expires_at, ended_at FROM session WHERE org = $1 AND member = $2 AND account = $3",
        ["id", "ended_reason", "created_at", "expires_at", "ended_at"],
    ),
    (
        "keys",
        "SELECT id, name, created_at, expires_at, last_used_at FROM api_key WHERE org = $1 AND member = $2 AND $3 = $3",
        ["id", "name", "created_at", "expires_at", "last_used_at"],
    ),
    (
        "inbox",
        "SELECT id, kind, created_at, read_at, CAST(NULL AS BIGINT) FROM inbox WHERE org = $1 AND member = $2 AND $3 = $3",
        ["id", "kind", "created_at", "read_at", ""],
    ),
    (
        "pushes",
        "SELECT device, language, created_at, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT) FROM push_subscription WHERE org = $1 AND member = $2 AND $3 = $3",
        ["device", "language", "created_at", "", ""],
    ),
    (
        "deliveries",
        "SELECT inbox, channel, created_at, settled_at, CAST(NULL AS BIGINT) FROM delivery WHERE org = $1 AND member = $2 AND $3 = $3",
        ["inbox", "channel", "created_at", "settled_at", ""],
    ),
    (
        "visits",
        "SELECT id, number, planned_at, started_at, submitted_at FROM visit WHERE org = $1 AND mentor = $2 AND $3 = $3",
        ["id", "number", "planned_at", "started_at", "submitted_at"],
    ),
    (
        "pictures",
        "SELECT id, slot, captured_at, received_at, CAST(NULL AS BIGINT) FROM evidence WHERE org = $1 AND captured_by = $2 AND $3 = $3",
        ["id", "slot", "captured_at", "received_at", ""],
    ),
    (
        "certificates",
        "SELECT s.certificate, c.name || ', ' || c.issued_by || ', ' || s.kind || ', ' || s.number || ', '
             || COALESCE(s.issued_on, '') || '–' || COALESCE(s.expires_on, '') || ' ' || s.reason, s.at, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)
         FROM certificate c JOIN certificate_step s ON s.org = c.org AND s.certificate = c.id
         WHERE c.org = $1 AND c.member = $2 AND $3 = $3 ORDER BY s.at, s.sequence",
        ["id", "certificate", "at", "", ""],
    ),
];

/// All that is kept of a member, as JSON.
///
/// # Errors
/// 404.
pub async fn export(app: &App, admin: &Admin, id: Uuid, at: Millis) -> Result<String> {
    let person = scope::of_organisation(&app.db, admin.org, "person", id).await?;
    let person: Value = serde_json::from_str(&person)?;
    type Account = (Uuid, String, String, String, Millis, Option<Millis>);
    let account: Option<Account> = app
        .db
        .query(
            "SELECT a.id, a.login, a.name, a.locale, a.created_at, a.totp_since
             FROM member m JOIN account a ON a.id = m.account WHERE m.org = $1 AND m.id = $2",
        )
        .bind(admin.org)
        .bind(id)
        .optional()
        .await?;
    let (account, login, name, locale, created_at, second_step_since) = account.ok_or_else(|| Error::not_found("member"))?;
    let mut out = json!({
        "taken_out_at": at,
        "member": person,
        "account": { "id": account, "login": login, "name": name, "locale": locale, "created_at": created_at,
                     "second_step_since": second_step_since },
    });
    let (email, phone) = addresses(app, admin.org, id).await?;
    out["told"] = json!({ "email": email, "phone": phone });
    for (part, sql, names) in PARTS {
        let rows: Vec<Columns> = app.db.query(sql).bind(admin.org).bind(id).bind(account).all().await?;
        out[part] = rows.into_iter().take(MOST as usize).map(|row| line(row, names)).collect();
    }
    let by = audit::Wanted { member: Some(id), limit: MOST, ..audit::Wanted::default() };
    let of = audit::Wanted { subject: Some(id), limit: MOST, ..audit::Wanted::default() };
    for (part, wanted) in [("events_by", by), ("events_of", of)] {
        let events = audit::list(app, admin, &wanted).await?;
        out[part] = events.iter().filter_map(poem_openapi::types::ToJSON::to_json).collect();
    }
    Ok(format!("{out}\n"))
}

fn line((id, text, first, second, third): Columns, names: [&str; 5]) -> Value {
    let values = [json!(id), json!(text), json!(first), json!(second), json!(third)];
    let named = names.into_iter().zip(values).filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
}

/// Ends the membership and makes its account nobody's. The keys of their phones stay: they prove what was signed there,
/// and what was made before still arrives.
///
/// # Errors
/// 404; 409 `erased`; 409 `several_organisations` when the account is also another organisation's: one has no hold on it.
pub async fn erase(tx: &mut Tx, actor: &Actor, id: Uuid, why: Why<'_>) -> Result<Counts> {
    let org = actor.org;
    let row: Option<(Uuid, i64)> = tx
        .query(
            "SELECT m.account, (SELECT count(*) FROM member o WHERE o.account = m.account AND o.org <> m.org)
             FROM member m WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(id)
        .optional()
        .await?;
    let (account, elsewhere) = row.ok_or_else(|| Error::not_found("member"))?;
    demand_kept(tx, org, id).await?;
    if elsewhere > 0 {
        let message = "This person also belongs to another organisation; whoever runs the server erases their account.";
        return Err(Error::conflict("several_organisations", message));
    }
    // Whoever changes the member meanwhile waits.
    feed::lock(tx, org, [org]).await?;
    let before: Person = serde_json::from_str(&scope::current(tx, org, org, id, "person").await?)?;
    let Person { role, custom_role, household, .. } = before;
    let out = MemberChange { role, supervisor: None, places: vec![], active: false, custom_role, household };
    let left = store::set(tx, actor, id, out, "member.change").await?;

    let name = format!("Former member {}", &id.simple().to_string()[28..]);
    let nobody =
        "UPDATE account SET login = $2, name = $3, locale = 'en', password_hash = NULL, reset_hash = NULL, platform = FALSE
                  WHERE id = $1";
    tx.query(nobody).bind(account).bind(format!("erased-{account}")).bind(name.as_str()).run().await?;
    second::remove(tx, account).await?;
    for (sql, who) in GONE {
        let who = if who == Whose::Account { account } else { id };
        tx.query(sql).bind(org).bind(who).bind(actor.at).run().await?;
    }
    let told: Vec<(Uuid,)> =
        tx.query("DELETE FROM inbox WHERE org = $1 AND member = $2 RETURNING id").bind(org).bind(id).all().await?;

    let mut feeds = feed::lock(tx, org, [org, id]).await?;
    for (entry,) in &told {
        feeds.remove(tx, id, "inbox", *entry).await?;
    }
    let nobody = Person { name, household: None, ..left };
    feeds.put(tx, org, "person", id, &nobody).await?;
    let events = audit::forget(tx, org, id).await?;
    let counts = Counts { records: 2 + told.len() as i64, events, ..Counts::default() };
    prove(tx, actor, "member", why, id, &counts).await?;
    let nothing = (None::<&()>, None::<&()>);
    audit::append(tx, &mut feeds, org, actor, "member.erase", ("person", id), nothing).await?;
    Ok(counts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Member,
    Account,
}

/// Of organisation $1, at $3. A phone that comes by again hears that it was revoked, delivers, and wipes itself.
const GONE: [(&str, Whose); 13] = [
    ("UPDATE member SET household = NULL WHERE org = $1 AND id = $2 AND $3 = $3", Whose::Member),
    (
        "UPDATE device SET name = '–', stats = NULL, revoked_at = COALESCE(revoked_at, $3) WHERE account = $2 AND $1 = $1",
        Whose::Account,
    ),
    (
        "UPDATE session SET ended_at = $3, ended_reason = 'erased' WHERE org = $1 AND account = $2 AND ended_at IS NULL",
        Whose::Account,
    ),
    ("UPDATE api_key SET revoked_at = $3 WHERE org = $1 AND member = $2 AND revoked_at IS NULL", Whose::Member),
    ("DELETE FROM push_subscription WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM told WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM told_code WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM told_kind WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM invitation WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM device_loss WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    (
        "DELETE FROM certificate_step WHERE org = $1 AND $3 = $3
             AND certificate IN (SELECT id FROM certificate WHERE org = $1 AND member = $2)",
        Whose::Member,
    ),
    ("DELETE FROM certificate WHERE org = $1 AND member = $2 AND $3 = $3", Whose::Member),
    ("DELETE FROM oidc_identity WHERE account = $2 AND $1 = $1 AND $3 = $3", Whose::Account),
];
