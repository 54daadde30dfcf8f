//! An address is used once its owner typed the code that was sent there, or an administrator vouched for it: whoever
//! mistypes a number must not have a stranger told, and a person without a gateway must not be shut out.

use aws_lc_rs::rand;
use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use super::email::Letter;
use super::kinds::Channel;
use super::outcome::Outcome;
use super::sms::Sms;
use super::told::address;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{MemberManager, Reader};
use crate::clock::{DAY, HOUR, MINUTE, Millis, new_id};
use crate::crypto::Crypto;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::orgs::Organisation;
use crate::scope;

/// So long a code is good, and so often it may be mistyped.
const LIFE: Millis = 15 * MINUTE;
const TRIES: i64 = 5;
/// Codes of one channel in a day.
const MOST: i64 = 10;

/// How it is known that messages to an address reach its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Confirmed {
    /// They typed the code that was sent there.
    Code,
    /// An administrator knows it to be theirs.
    Vouched,
    /// It was in use before there were codes.
    Before,
}

impl Confirmed {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "code" => Some(Self::Code),
            "vouched" => Some(Self::Vouched),
            "before" => Some(Self::Before),
            _ => None,
        }
    }
}

/// Where an address of the caller's stands.
#[derive(Object)]
#[oai(rename = "ToldAddress", skip_serializing_if_is_none)]
pub struct AddressState {
    pub channel: Channel,
    /// None: it is not used yet.
    pub confirmed: Option<Confirmed>,
    /// Whether this installation can send a code there; where it cannot, an administrator may vouch for the address.
    pub can_send: bool,
    /// Until when the code that was sent is good.
    pub code_until: Option<Millis>,
    /// From when on another may be sent.
    pub again_at: Option<Millis>,
}

/// A code is on its way.
#[derive(Object)]
#[oai(rename = "ToldCodeSent")]
pub struct Sent {
    pub code_until: Millis,
    pub again_at: Millis,
}

/// A member's addresses, for whoever manages members.
#[derive(Object)]
#[oai(rename = "MemberTold", skip_serializing_if_is_none)]
pub struct Addresses {
    pub email: Option<String>,
    pub email_confirmed: Option<Confirmed>,
    pub phone: Option<String>,
    pub phone_confirmed: Option<Confirmed>,
}

type Sealed = Option<Vec<u8>>;

/// The address of a channel: as it is kept, and how it was confirmed.
async fn kept(tx: &mut Tx, org: Uuid, member: Uuid, channel: Channel) -> Result<(Vec<u8>, Option<String>)> {
    let sql = match channel {
        Channel::Email => "SELECT email, email_confirmed FROM told WHERE org = $1 AND member = $2",
        Channel::Sms => "SELECT phone, phone_confirmed FROM told WHERE org = $1 AND member = $2",
        Channel::Push => return Err(Error::invalid("channel", "Only e-mail addresses and phone numbers are confirmed.")),
    };
    let row: Option<(Sealed, Option<String>)> = tx.query(sql).bind(org).bind(member).optional().await?;
    match row {
        Some((Some(sealed), confirmed)) => Ok((sealed, confirmed)),
        _ => Err(Error::conflict("no_address", "There is no such address to confirm.")),
    }
}

/// Marks the address that was read, unless it has become another one meanwhile. Answers whether it did.
async fn mark(tx: &mut Tx, org: Uuid, member: Uuid, channel: Channel, sealed: &[u8], how: &'static str) -> Result<bool> {
    let sql = match channel {
        Channel::Email => "UPDATE told SET email_confirmed = $4 WHERE org = $1 AND member = $2 AND email = $3",
        _ => "UPDATE told SET phone_confirmed = $4 WHERE org = $1 AND member = $2 AND phone = $3",
    };
    Ok(tx.query(sql).bind(org).bind(member).bind(sealed).bind(how).run().await? > 0)
}

/// What is kept of a code: good for this member's address alone.
fn mac(crypto: &Crypto, org: Uuid, member: Uuid, address: &str, code: &str) -> Vec<u8> {
    crypto.mac("told code", format!("{org} {member} {address} {code}").as_bytes())
}

/// After how long another one may be sent.
fn wait(sent: i64) -> Millis {
    (30_000 << (sent - 1).clamp(0, 12)).min(HOUR)
}

/// Sends a code to an address that is not confirmed yet.
///
/// # Errors
/// 409 `no_address`, `already_confirmed`, `not_set_up`; 422 `address_refused`; 429 with the wait; 503 when it could not be
/// sent now.
pub async fn send(app: &App, reader: &Reader, channel: Channel) -> Result<Sent> {
    let (org, member, now) = (reader.org, reader.id, app.clock.now());
    let mut random = [0; 4];
    rand::fill(&mut random).map_err(|_| Error::unexpected(anyhow::anyhow!("no randomness")))?;
    let code = format!("{:06}", u32::from_be_bytes(random) % 1_000_000);
    let typed = code.clone();
    let sends = can_send(app, channel);
    let (to, sent, language) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let (sealed, confirmed) = kept(tx, org, member, channel).await?;
                if confirmed.is_some() {
                    return Err(Error::conflict("already_confirmed", "This address is confirmed already."));
                }
                if !sends {
                    return Err(Error::conflict("not_set_up", "This installation cannot send anything there."));
                }
                let to = address(&tx.crypto, Some(&sealed)).ok_or_else(|| Error::not_found("address"))?;
                let before: Option<(i64, Millis)> = tx
                    .query("SELECT sent, sent_at FROM told_code WHERE org = $1 AND member = $2 AND channel = $3")
                    .bind(org)
                    .bind(member)
                    .bind(channel.as_str())
                    .optional()
                    .await?;
                let (was, was_at) = before.unwrap_or_default();
                let sent = if now - was_at >= DAY { 0 } else { was };
                let free = if sent >= MOST { was_at + DAY } else { was_at + wait(sent) };
                if sent > 0 && now < free {
                    return Err(Error::too_many(((free - now).max(1000) as u64).div_ceil(1000)));
                }
                let hash = mac(&tx.crypto, org, member, &to, &typed);
                // Whoever asks twice at the same moment gets one.
                let made = tx
                    .query(
                        "INSERT INTO told_code (org, member, channel, code, expires_at, tries, sent, sent_at)
                         VALUES ($1, $2, $3, $4, $5, 0, $6, $7)
                         ON CONFLICT (org, member, channel) DO UPDATE SET code = excluded.code,
                             expires_at = excluded.expires_at, tries = 0, sent = excluded.sent, sent_at = excluded.sent_at
                         WHERE told_code.sent = $8 AND told_code.sent_at = $9",
                    )
                    .bind(org)
                    .bind(member)
                    .bind(channel.as_str())
                    .bind(hash)
                    .bind(now + LIFE)
                    .bind(sent + 1)
                    .bind(now)
                    .bind(was)
                    .bind(was_at)
                    .run()
                    .await?;
                if made == 0 {
                    return Err(Error::too_many((wait(1) / 1000) as u64));
                }
                let (language,): (String,) = tx
                    .query(
                        "SELECT COALESCE(t.language, a.locale) FROM member m JOIN account a ON a.id = m.account
                         LEFT JOIN told t ON t.org = m.org AND t.member = m.id WHERE m.org = $1 AND m.id = $2",
                    )
                    .bind(org)
                    .bind(member)
                    .one()
                    .await?;
                Ok((to, sent + 1, language))
            })
        })
        .await?;
    match carry(app, org, channel, &to, &language, &code).await? {
        Outcome::Sent => Ok(Sent { code_until: now + LIFE, again_at: now + wait(sent) }),
        Outcome::Refused(_) | Outcome::Gone => {
            Err(Error::refused("address_refused", "Nothing can be sent to this address.").field(field(channel)))
        }
        Outcome::Noted => Err(Error::conflict("not_set_up", "This installation cannot send anything there.")),
        Outcome::Later(_) | Outcome::Resting(_) => {
            let mut error = Error::unavailable("The code could not be sent now. Try again in a while.");
            error.retry_after = Some((wait(sent) / 1000) as u64);
            Err(error)
        }
    }
}

pub fn field(channel: Channel) -> &'static str {
    if channel == Channel::Email { "email" } else { "phone" }
}

fn can_send(app: &App, channel: Channel) -> bool {
    match channel {
        Channel::Push => false,
        Channel::Email => app.mail.is_some(),
        Channel::Sms => !matches!(app.sms, Sms::Console),
    }
}

/// The code itself, at once and not by a job: nowhere but in the message it stands in clear.
async fn carry(app: &App, org: Uuid, channel: Channel, to: &str, language: &str, code: &str) -> Result<Outcome> {
    let swahili = language == "sw";
    let Some(mail) = app.mail.as_ref().filter(|_| channel == Channel::Email) else {
        let text = match swahili {
            true => format!("Kilele: namba yako ya kuthibitisha ni {code}. Inatumika kwa dakika 15."),
            false => format!("Kilele: your code is {code}. It is good for 15 minutes."),
        };
        return Ok(app.sms.send(new_id(), to, &text, app.clock.now()).await);
    };
    let organisation = scope::of_organisation(&app.db, org, "organisation", org).await?;
    let organisation: Organisation = serde_json::from_str(&organisation)?;
    let sentence = match swahili {
        true => format!("Namba yako ya kuthibitisha ni {code}"),
        false => format!("Your code is {code}"),
    };
    let why = match swahili {
        true => "Iandike katika Kilele ndani ya dakika 15, ili upashwe habari hapa. Kama hukuiomba, usifanye chochote.",
        false => "Type it in Kilele within 15 minutes, to be told here. If you did not ask for it, do nothing.",
    };
    let letter = Letter {
        to,
        id: new_id().to_string(),
        organisation: organisation.display_name.as_deref().unwrap_or(&organisation.name),
        sentence: &sentence,
        language,
        url: &format!("{}/me/told", app.config.public_url),
        why: Some(why),
    };
    Ok(mail.send(letter).await)
}

/// What came of a code that was typed.
enum Typed {
    Right,
    Wrong(i64),
    Late,
    None,
}

/// Confirms an address by the code that was sent there.
///
/// # Errors
/// 422 `code_wrong` with how many tries are left, `code_expired`, `code_spent`; 409 `no_address`.
pub async fn confirm(app: &App, actor: Actor, reader: &Reader, channel: Channel, code: String) -> Result<()> {
    let (org, member) = (reader.org, reader.id);
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(12).collect();
    // A wrong one is counted, and counting is kept: it is no error of the transaction.
    let typed = app.db.write(move |tx| Box::pin(check(tx, actor, (org, member), channel, code))).await?;
    match typed {
        Typed::Right => Ok(()),
        Typed::Wrong(0) | Typed::None => {
            Err(Error::refused("code_spent", "This code is not good any more. Have another one sent.").field("code"))
        }
        Typed::Wrong(left) => Err(Error::refused("code_wrong", "This is not the code that was sent.")
            .field("code")
            .details(serde_json::json!({ "left": left }))),
        Typed::Late => {
            Err(Error::refused("code_expired", "This code was good for 15 minutes. Have another one sent.").field("code"))
        }
    }
}

async fn check(tx: &mut Tx, actor: Actor, (org, member): (Uuid, Uuid), channel: Channel, code: String) -> Result<Typed> {
    let (sealed, _) = kept(tx, org, member, channel).await?;
    let row: Option<(Vec<u8>, Millis, i64)> = tx
        .query(
            "UPDATE told_code SET tries = tries + 1
             WHERE org = $1 AND member = $2 AND channel = $3 AND code IS NOT NULL AND tries < $4
             RETURNING code, expires_at, tries",
        )
        .bind(org)
        .bind(member)
        .bind(channel.as_str())
        .bind(TRIES)
        .optional()
        .await?;
    let Some((hash, expires_at, tries)) = row else { return Ok(Typed::None) };
    if actor.at >= expires_at {
        return Ok(Typed::Late);
    }
    let to = address(&tx.crypto, Some(&sealed)).unwrap_or_default();
    let right = aws_lc_rs::constant_time::verify_slices_are_equal(&hash, &mac(&tx.crypto, org, member, &to, &code)).is_ok();
    if !right || !mark(tx, org, member, channel, &sealed, "code").await? {
        return Ok(Typed::Wrong(TRIES - tries));
    }
    forget(tx, (org, member), channel).await?;
    audit::note(tx, &actor, member, "told.confirm", ("person", member)).await?;
    Ok(Typed::Right)
}

/// The code on its way is good for nothing any more; how many there were stays counted.
pub async fn forget(tx: &mut Tx, (org, member): (Uuid, Uuid), channel: Channel) -> Result<()> {
    tx.query("UPDATE told_code SET code = NULL WHERE org = $1 AND member = $2 AND channel = $3")
        .bind(org)
        .bind(member)
        .bind(channel.as_str())
        .run()
        .await
        .map(drop)
}

/// An administrator knows the address that they looked at to be the member's.
///
/// # Errors
/// 404; 409 `no_address`; 409 `stale` when it is another one by now.
pub async fn vouch(
    tx: &mut Tx,
    actor: Actor,
    by: &MemberManager,
    member: Uuid,
    channel: Channel,
    looked_at: &str,
) -> Result<()> {
    let known: Option<(Uuid,)> =
        tx.query("SELECT id FROM member WHERE org = $1 AND id = $2").bind(by.org).bind(member).optional().await?;
    known.ok_or_else(|| Error::not_found("member"))?;
    let (sealed, _) = kept(tx, by.org, member, channel).await?;
    let same = address(&tx.crypto, Some(&sealed)).is_some_and(|one| one == looked_at.trim());
    if !same || !mark(tx, by.org, member, channel, &sealed, "vouched").await? {
        return Err(Error::conflict("stale", "The address is another one by now; look again."));
    }
    forget(tx, (by.org, member), channel).await?;
    let mut feeds = crate::feed::lock(tx, by.org, [by.org]).await?;
    let change = (None::<&()>, Some(&serde_json::json!({ "channel": channel })));
    audit::append(tx, &mut feeds, by.org, &actor, "told.vouch", ("person", member), change).await
}

/// A member's addresses; that they were looked at is written down.
///
/// # Errors
/// 404.
pub async fn of_member(app: &App, actor: Actor, by: &MemberManager, member: Uuid) -> Result<Addresses> {
    type Row = (Sealed, Option<String>, Sealed, Option<String>);
    let org = by.org;
    let row: Option<Row> = app
        .db
        .query(
            "SELECT t.email, t.email_confirmed, t.phone, t.phone_confirmed
             FROM member m LEFT JOIN told t ON t.org = m.org AND t.member = m.id WHERE m.org = $1 AND m.id = $2",
        )
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    let (email, email_confirmed, phone, phone_confirmed) = row.ok_or_else(|| Error::not_found("member"))?;
    app.db
        .write(move |tx| Box::pin(async move { audit::note(tx, &actor, org, "told.read", ("person", member)).await }))
        .await?;
    let how = |text: Option<String>| text.as_deref().and_then(Confirmed::parse);
    Ok(Addresses {
        email: address(&app.crypto, email.as_deref()),
        email_confirmed: how(email_confirmed),
        phone: address(&app.crypto, phone.as_deref()),
        phone_confirmed: how(phone_confirmed),
    })
}

/// Channel, hash, until when, wrong tries, how many were sent, and when the last one was.
type Code = (String, Option<Vec<u8>>, Millis, i64, i64, Millis);

/// Where the caller's own addresses stand.
///
/// # Errors
/// When the database does not answer.
pub async fn states(
    app: &App,
    reader: &Reader,
    confirmed: [(Channel, bool, Option<String>); 2],
) -> Result<Vec<AddressState>> {
    let now = app.clock.now();
    let codes: Vec<Code> = app
        .db
        .query("SELECT channel, code, expires_at, tries, sent, sent_at FROM told_code WHERE org = $1 AND member = $2")
        .bind(reader.org)
        .bind(reader.id)
        .all()
        .await?;
    let there = confirmed.into_iter().filter(|(_, there, _)| *there);
    Ok(there
        .map(|(channel, _, how)| {
            let confirmed = how.as_deref().and_then(Confirmed::parse);
            let code = codes.iter().find(|(name, ..)| name == channel.as_str()).filter(|_| confirmed.is_none());
            let live = code.filter(|(_, code, until, tries, ..)| code.is_some() && *until > now && *tries < TRIES);
            let again = code.map(|(.., sent, at)| if *sent >= MOST { at + DAY } else { at + wait(*sent) });
            AddressState {
                channel,
                confirmed,
                can_send: can_send(app, channel),
                code_until: live.map(|(_, _, until, ..)| *until),
                again_at: again.filter(|at| *at > now),
            }
        })
        .collect())
}
