//! How accounts, devices and sessions are kept.

use uuid::Uuid;

use super::Member;
use super::roles::{Kept, Read};
use super::tokens::{self, REFRESH_LIFE};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::clock::{HOUR, MINUTE, Millis, new_id};
use crate::db::{Tx, wall};
use crate::error::{Error, Result};

#[derive(sqlx::FromRow)]
pub struct Account {
    pub id: Uuid,
    pub password_hash: Option<String>,
    pub failures: i64,
    pub locked_until: Millis,
}

pub async fn account_by_login(app: &App, login: &str) -> Result<Option<Account>> {
    app.db
        .query("SELECT id, password_hash, failures, locked_until FROM account WHERE login = $1")
        .bind(login)
        .optional()
        .await
}

/// # Errors
/// 429 while the account waits after wrong passwords.
pub fn locked(account: &Account, now: Millis) -> Result<()> {
    let wait = account.locked_until - now;
    if wait > 0 { Err(Error::too_many(wait as u64 / 1000 + 1)) } else { Ok(()) }
}

/// A wrong password: from the tenth in a row on, the account waits, twice as long each time up to an hour. That it waits
/// stands in the audit of its organisations.
pub async fn failed(app: &App, account: &Account) -> Result<()> {
    let (id, now) = (account.id, app.clock.now());
    let noted = app.db.write(move |tx| {
        Box::pin(async move {
            // Counted in the table: of many wrong ones at once each counts.
            let count = "UPDATE account SET failures = failures + 1 WHERE id = $1 RETURNING failures";
            let (failures,): (i64,) = tx.query(count).bind(id).one().await?;
            if failures < 10 {
                return Ok(());
            }
            let until = now + (MINUTE << (failures - 10).min(6)).min(HOUR);
            tx.query("UPDATE account SET locked_until = $2 WHERE id = $1").bind(id).bind(until).run().await?;
            let members: Vec<(Uuid, Uuid)> =
                tx.query("SELECT org, id FROM member WHERE account = $1 AND active").bind(id).all().await?;
            for (org, member) in members {
                let actor = Actor { org, member: None, device: None, at: now };
                audit::note(tx, &actor, member, "account.locked", ("person", member)).await?;
            }
            Ok(())
        })
    });
    wall::beyond(noted).await
}

#[derive(sqlx::FromRow)]
pub struct MemberRow {
    pub org: Uuid,
    pub id: Uuid,
    pub account: Uuid,
}

/// The account's active membership: the main one, or the oldest.
pub async fn membership(app: &App, account: Uuid) -> Result<Option<MemberRow>> {
    app.db
        .query("SELECT org, id, account FROM member WHERE account = $1 AND active AND joined ORDER BY main DESC, created_at, id LIMIT 1")
        .bind(account)
        .optional()
        .await
}

/// What signs the phone's requests and signatures, as it introduced itself.
#[derive(Clone)]
pub struct Device {
    pub id: Uuid,
    pub name: String,
    pub public_key: Option<Vec<u8>>,
}

/// A started or renewed session: the secrets that go to the device.
pub struct Issued {
    pub session: Uuid,
    pub generation: i64,
    pub refresh_token: String,
}

/// What a revoked device is told, whatever it asks: deliver what you hold, then wipe yourself.
pub fn revoked() -> Error {
    Error::unauthorised("device_revoked", "An administrator has ended this device's access.")
}

/// Opens a session on a device, whose key is bound from now on.
///
/// # Errors
/// 401 `device_revoked`; 409 `device_key_changed` when this account already used the device id with another key.
pub async fn open_session(tx: &mut Tx, member: MemberRow, device: Device, now: Millis) -> Result<Issued> {
    let known: Option<(Option<Vec<u8>>, Option<Millis>)> = tx
        .query("SELECT public_key, revoked_at FROM device WHERE id = $1 AND account = $2")
        .bind(device.id)
        .bind(member.account)
        .optional()
        .await?;
    if matches!(known, Some((_, Some(_)))) {
        return Err(revoked());
    }
    if let Some((Some(key), _)) = known
        && device.public_key.as_ref().is_some_and(|new| *new != key)
    {
        return Err(Error::conflict(
            "device_key_changed",
            "This device signed in before with another key; use a new device id.",
        ));
    }
    tx.query(
        "INSERT INTO device (id, account, name, public_key, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (id, account) DO UPDATE SET name = excluded.name, last_seen_at = excluded.last_seen_at,
             public_key = COALESCE(device.public_key, excluded.public_key)",
    )
    .bind(device.id)
    .bind(member.account)
    .bind(device.name)
    .bind(device.public_key)
    .bind(now)
    .run()
    .await?;
    let (refresh_token, hash) = tokens::new_refresh();
    let session = new_id();
    tx.query(
        "INSERT INTO session (id, org, member, account, device, generation, confirmed, current_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, 1, 0, $6, $7, $8)",
    )
    .bind(session)
    .bind(member.org)
    .bind(member.id)
    .bind(member.account)
    .bind(device.id)
    .bind(hash)
    .bind(now)
    .bind(now + REFRESH_LIFE)
    .run()
    .await?;
    tx.query("UPDATE account SET failures = 0, locked_until = 0 WHERE id = $1").bind(member.account).run().await?;
    Ok(Issued { session, generation: 1, refresh_token })
}

#[derive(sqlx::FromRow)]
pub struct Family {
    pub id: Uuid,
    pub device: Uuid,
    pub generation: i64,
    pub confirmed: i64,
    pub current_hash: Vec<u8>,
    pub expires_at: Millis,
    pub ended_at: Option<Millis>,
    pub public_key: Option<Vec<u8>>,
    pub revoked_at: Option<Millis>,
}

/// The session that a refresh token, newest or one before, belongs to.
pub async fn family(app: &App, hash: &[u8]) -> Result<Option<Family>> {
    app.db
        .query(
            "SELECT s.id, s.device, s.generation, s.confirmed, s.current_hash, s.expires_at, s.ended_at, d.public_key, d.revoked_at
             FROM session s JOIN device d ON d.id = s.device AND d.account = s.account
             WHERE s.current_hash = $1 OR s.previous_hash = $1",
        )
        .bind(hash)
        .optional()
        .await
}

/// Gives the family its next token. `generation` is the one that was seen: a lost race answers `None`.
pub async fn rotate(app: &App, family: &Family, used: Vec<u8>, now: Millis) -> Result<Option<Issued>> {
    let (id, seen) = (family.id, family.generation);
    let (refresh_token, hash) = tokens::new_refresh();
    let changed = app
        .db
        .write(move |tx| {
            Box::pin(
                tx.query(
                    "UPDATE session SET generation = generation + 1, current_hash = $3, previous_hash = $4, expires_at = $5
                     WHERE id = $1 AND generation = $2 AND ended_at IS NULL",
                )
                .bind(id)
                .bind(seen)
                .bind(hash)
                .bind(used)
                .bind(now + REFRESH_LIFE)
                .run(),
            )
        })
        .await?;
    Ok((changed == 1).then_some(Issued { session: id, generation: seen + 1, refresh_token }))
}

/// Ends a session for good.
pub async fn end(app: &App, session: Uuid, reason: &'static str) -> Result<()> {
    let now = app.clock.now();
    let update = "UPDATE session SET ended_at = $2, ended_reason = $3 WHERE id = $1 AND ended_at IS NULL";
    app.db.write(move |tx| Box::pin(tx.query(update).bind(session).bind(now).bind(reason).run())).await?;
    app.sessions.forget(session);
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Live {
    org: Uuid,
    member: Uuid,
    account: Uuid,
    device: Uuid,
    confirmed: i64,
    ended_at: Option<Millis>,
    active: bool,
    #[sqlx(flatten)]
    kept: Kept,
    name: String,
    last_seen_at: Millis,
    revoked_at: Option<Millis>,
}

/// The member of a session; notes that the token of `generation` reached its device.
///
/// # Errors
/// 401 `session_ended` or `device_revoked`.
pub async fn confirm(app: &App, session: Uuid, generation: i64) -> Result<Member> {
    let ended = || Error::unauthorised("session_ended", "This session has ended; sign in again.");
    let live: Option<Live> = app
        .db
        .query(
            "SELECT s.org, s.member, s.account, s.device, s.confirmed, s.ended_at, m.active, a.name, d.last_seen_at, d.revoked_at,
                 m.role, a.platform, r.scope AS reach, r.levels, o.modules
             FROM session s JOIN member m ON m.org = s.org AND m.id = s.member JOIN organisation o ON o.id = m.org
             LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
             JOIN account a ON a.id = s.account JOIN device d ON d.id = s.device AND d.account = s.account
             WHERE s.id = $1",
        )
        .bind(session)
        .optional()
        .await?;
    if live.as_ref().is_some_and(|l| l.revoked_at.is_some()) {
        return Err(revoked());
    }
    let live = live.filter(|l| l.ended_at.is_none() && l.active).ok_or_else(ended)?;
    let now = app.clock.now();
    if live.confirmed < generation || now - live.last_seen_at > 10 * MINUTE {
        let (device, account) = (live.device, live.account);
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    let confirm = "UPDATE session SET confirmed = $2 WHERE id = $1 AND confirmed < $2";
                    tx.query(confirm).bind(session).bind(generation).run().await?;
                    let seen = "UPDATE device SET last_seen_at = $3 WHERE id = $1 AND account = $2";
                    tx.query(seen).bind(device).bind(account).bind(now).run().await
                })
            })
            .await?;
    }
    let Read { role, capabilities, off, .. } = live.kept.read().ok_or_else(ended)?;
    Ok(Member {
        org: live.org,
        id: live.member,
        account: live.account,
        session,
        device: live.device,
        role,
        capabilities,
        off,
        name: live.name,
    })
}

/// A member on one of their devices, whether or not anybody is signed in there.
pub struct KnownDevice {
    pub member: Member,
    pub public_key: Option<Vec<u8>>,
    pub revoked_at: Option<Millis>,
    pub clock_offset: Option<Millis>,
    /// When the membership ended.
    pub ended_at: Option<Millis>,
}

/// The device as its member introduced it. A member who left is still found: what they made before may come.
pub async fn known_device(app: &App, org: Uuid, member: Uuid, device: Uuid) -> Result<Option<KnownDevice>> {
    let row: Option<Known> = app
        .db
        .query(
            "SELECT m.account, a.name, d.public_key, d.revoked_at, d.clock_offset, m.ended_at,
                 m.role, a.platform, r.scope AS reach, r.levels, o.modules
             FROM member m JOIN account a ON a.id = m.account JOIN device d ON d.account = m.account AND d.id = $3
             JOIN organisation o ON o.id = m.org
             LEFT JOIN custom_role r ON r.org = m.org AND r.id = m.custom_role
             WHERE m.org = $1 AND m.id = $2 AND m.joined",
        )
        .bind(org)
        .bind(member)
        .bind(device)
        .optional()
        .await?;
    let Some(Known { account, name, public_key, revoked_at, clock_offset, ended_at, kept }) = row else { return Ok(None) };
    let Some(Read { role, capabilities, off, .. }) = kept.read() else { return Ok(None) };
    let member = Member { org, id: member, account, session: Uuid::nil(), device, role, capabilities, off, name };
    Ok(Some(KnownDevice { member, public_key, revoked_at, clock_offset, ended_at }))
}

/// Whether a password is the one that an administrator has reset.
pub async fn was_reset(app: &App, org: Uuid, member: Uuid, password: String) -> Result<bool> {
    let row: Option<(Option<String>,)> = app
        .db
        .query("SELECT a.reset_hash FROM member m JOIN account a ON a.id = m.account WHERE m.org = $1 AND m.id = $2")
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    match row.and_then(|(hash,)| hash) {
        Some(hash) => super::password::verify(password, Some(hash)).await,
        None => Ok(false),
    }
}

#[derive(sqlx::FromRow)]
struct Known {
    account: Uuid,
    name: String,
    public_key: Option<Vec<u8>>,
    revoked_at: Option<Millis>,
    clock_offset: Option<Millis>,
    ended_at: Option<Millis>,
    #[sqlx(flatten)]
    kept: Kept,
}

/// Sets a member's password; every session of the account ends.
pub async fn set_password(tx: &mut Tx, org: Uuid, member: Uuid, hash: String, now: Millis) -> Result<MemberRow> {
    let row: Option<MemberRow> = tx
        .query("SELECT org, id, account FROM member WHERE org = $1 AND id = $2 AND active")
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    let row = row.ok_or_else(|| Error::not_found("member"))?;
    tx.query("UPDATE account SET password_hash = $2, reset_hash = NULL, failures = 0, locked_until = 0 WHERE id = $1")
        .bind(row.account)
        .bind(hash)
        .run()
        .await?;
    tx.query("UPDATE session SET ended_at = $2, ended_reason = 'password changed' WHERE account = $1 AND ended_at IS NULL")
        .bind(row.account)
        .bind(now)
        .run()
        .await?;
    Ok(row)
}
