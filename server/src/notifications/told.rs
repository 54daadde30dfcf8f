//! How a person wants to be told: addresses, channels for each kind, quiet hours, language.

use chrono_tz::Tz;
use poem_openapi::Object;
use uuid::Uuid;

use super::confirm::{self, AddressState};
use super::kinds::{self, Channel, Group, Kind};
use super::quiet::{self, Quiet};
use crate::app::App;
use crate::auth::Reader;
use crate::check;
use crate::crypto::Crypto;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::orgs::Organisation;
use crate::{packed, scope};

/// How one is told. What is not said is as the registry says.
#[derive(Object)]
pub struct Told {
    /// en or sw: of e-mails and text messages
    pub language: String,
    /// For e-mails; empty: none.
    pub email: String,
    /// For text messages, as `+254712345678`; empty: none.
    pub phone: String,
    /// Quiet hours where the organisation is, `21:00` to `06:00`; both empty: none.
    pub quiet_from: String,
    pub quiet_until: String,
    pub kinds: Vec<ToldKind>,
}

/// By what one is told of a kind. Everything stands in the inbox.
#[derive(Object)]
pub struct ToldKind {
    pub kind: String,
    pub channels: Vec<Channel>,
}

/// What one may choose from, and what one chose.
#[derive(Object)]
#[oai(rename = "ToldChoice")]
pub struct Choice {
    pub told: Told,
    /// What each of these kinds says. Kinds that the caller's role never hears of are not among them.
    pub words: Vec<KindWords>,
    /// Channels that this installation has.
    pub channels: Vec<Channel>,
    /// Where each address that is kept stands: those that are not confirmed are not used.
    pub addresses: Vec<AddressState>,
    /// The time zone of the quiet hours.
    pub time_zone: String,
}

/// A kind in words.
#[derive(Object)]
pub struct KindWords {
    pub kind: String,
    /// What it belongs to.
    pub group: Group,
    /// By what one is told unless one chose otherwise.
    pub by: Vec<Channel>,
    pub en: String,
    pub sw: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    language: String,
    quiet_from: Option<i64>,
    quiet_until: Option<i64>,
    email: Option<Vec<u8>>,
    email_confirmed: Option<String>,
    phone: Option<Vec<u8>>,
    phone_confirmed: Option<String>,
}

/// Addresses are sealed for their own purpose.
pub fn address(crypto: &Crypto, sealed: Option<&[u8]>) -> Option<String> {
    crypto.open_bytes("told", sealed?).and_then(|bytes| String::from_utf8(bytes).ok())
}

/// # Errors
/// When the database does not answer.
pub async fn of(app: &App, reader: &Reader) -> Result<Choice> {
    let row: Row = app
        .db
        .query(
            "SELECT COALESCE(t.language, a.locale) AS language, t.quiet_from, t.quiet_until, t.email,
                 t.email_confirmed, t.phone, t.phone_confirmed
             FROM member m JOIN account a ON a.id = m.account LEFT JOIN told t ON t.org = m.org AND t.member = m.id
             WHERE m.org = $1 AND m.id = $2",
        )
        .bind(reader.org)
        .bind(reader.id)
        .one()
        .await?;
    let chosen: Vec<(String, String)> = app
        .db
        .query("SELECT kind, channels FROM told_kind WHERE org = $1 AND member = $2")
        .bind(reader.org)
        .bind(reader.id)
        .all()
        .await?;
    let hears = |kind: &&&Kind| kind.hears(reader.capabilities);
    let words = kinds::ALL.iter().filter(hears).map(|kind| KindWords {
        kind: kind.key.into(),
        group: kind.group(),
        by: kind.way.by.to_vec(),
        en: kind.en.one.into(),
        sw: kind.sw.one.into(),
    });
    let kinds = kinds::ALL.iter().filter(hears).map(|kind| {
        let own = chosen.iter().find(|(key, _)| key == kind.key).map(|(_, channels)| channels.as_str());
        ToldKind { kind: kind.key.into(), channels: channels(kind, own) }
    });
    let confirmed = [
        (Channel::Email, row.email.is_some(), row.email_confirmed),
        (Channel::Sms, row.phone.is_some(), row.phone_confirmed),
    ];
    let addresses = confirm::states(app, reader, confirmed).await?;
    let time = |minutes: Option<i64>| minutes.map(quiet::shown).unwrap_or_default();
    let told = Told {
        language: row.language,
        email: address(&app.crypto, row.email.as_deref()).unwrap_or_default(),
        phone: address(&app.crypto, row.phone.as_deref()).unwrap_or_default(),
        quiet_from: time(row.quiet_from),
        quiet_until: time(row.quiet_until),
        kinds: kinds.collect(),
    };
    let organisation = scope::of_organisation(&app.db, reader.org, "organisation", reader.org).await?;
    let organisation: Organisation = serde_json::from_str(&organisation)?;
    let there = Channel::ALL.into_iter().filter(|one| *one != Channel::Email || app.mail.is_some());
    Ok(Choice { told, words: words.collect(), channels: there.collect(), addresses, time_zone: organisation.time_zone })
}

/// The channels of a kind: as the person chose, else as the registry says.
pub fn channels(kind: &Kind, own: Option<&str>) -> Vec<Channel> {
    match own {
        Some(own) => own.split_ascii_whitespace().filter_map(Channel::parse).collect(),
        None => kind.way.by.to_vec(),
    }
}

/// What was typed, in the form that is kept.
pub struct Checked {
    language: String,
    quiet: Option<Quiet>,
    email: String,
    phone: String,
    kinds: Vec<(&'static str, String)>,
}

/// # Errors
/// 422 `invalid` with the field.
pub fn checked(told: Told) -> Result<Checked> {
    check::one_of("language", &told.language, &["en", "sw"])?;
    let (from, until) = (told.quiet_from.trim(), told.quiet_until.trim());
    let time = |field, text| quiet::parse(text).ok_or_else(|| Error::invalid(field, "A time of day looks like 21:00."));
    let quiet = match (from, until) {
        ("", "") => None,
        _ => Some(Quiet { from: time("quiet_from", from)?, until: time("quiet_until", until)? }),
    };
    let email = told.email.trim();
    if email.chars().count() > 254 || (!email.is_empty() && super::email::parsed(email).is_none()) {
        return Err(Error::invalid("email", "This is not an e-mail address."));
    }
    let phone = match told.phone.trim() {
        "" => String::new(),
        typed => check::phone(typed)?,
    };
    if told.kinds.len() > kinds::ALL.len() {
        return Err(Error::invalid("kinds", "Each kind once."));
    }
    let mut kept: Vec<(&'static str, String)> = Vec::new();
    for ToldKind { kind, mut channels } in told.kinds {
        let kind = Kind::of(&kind).ok_or_else(|| Error::invalid("kinds", "Nobody is told of this."))?;
        if kept.iter().any(|(key, _)| *key == kind.key) {
            return Err(Error::invalid("kinds", "Each kind once."));
        }
        channels.sort_unstable();
        channels.dedup();
        // As the registry says: then what the registry will say holds too.
        if channels != kind.way.by {
            let names: Vec<&str> = channels.iter().map(|one| one.as_str()).collect();
            kept.push((kind.key, names.join(" ")));
        }
    }
    Ok(Checked { language: told.language, quiet, email: email.to_owned(), phone, kinds: kept })
}

/// # Errors
/// When the database does not answer.
pub async fn keep(tx: &mut Tx, (org, member): (Uuid, Uuid), told: Checked) -> Result<()> {
    type Sealed = Option<Vec<u8>>;
    let before: Option<(Sealed, Sealed)> =
        tx.query("SELECT email, phone FROM told WHERE org = $1 AND member = $2").bind(org).bind(member).optional().await?;
    let (email, phone) = before.unwrap_or_default();
    let mut sealed = Vec::new();
    for (channel, before, now) in [(Channel::Email, email, &told.email), (Channel::Sms, phone, &told.phone)] {
        let same = address(&tx.crypto, before.as_deref()).unwrap_or_default() == *now;
        if !same {
            // Another address is another person's until somebody shows that it is not.
            confirm::forget(tx, (org, member), channel).await?;
        }
        sealed.push(((!now.is_empty()).then(|| tx.crypto.seal_bytes("told", now.as_bytes())), same));
    }
    let [(email, same_email), (phone, same_phone)] = &sealed[..] else { return Ok(()) };
    tx.query(
        "INSERT INTO told (org, member, language, quiet_from, quiet_until, email, phone) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (org, member) DO UPDATE SET language = excluded.language, quiet_from = excluded.quiet_from,
             quiet_until = excluded.quiet_until, email = excluded.email, phone = excluded.phone,
             email_confirmed = CASE WHEN $8 THEN told.email_confirmed END,
             phone_confirmed = CASE WHEN $9 THEN told.phone_confirmed END",
    )
    .bind(org)
    .bind(member)
    .bind(told.language)
    .bind(told.quiet.map(|quiet| quiet.from))
    .bind(told.quiet.map(|quiet| quiet.until))
    .bind(email.clone())
    .bind(phone.clone())
    .bind(*same_email)
    .bind(*same_phone)
    .run()
    .await?;
    tx.query("DELETE FROM told_kind WHERE org = $1 AND member = $2").bind(org).bind(member).run().await?;
    for (kind, channels) in told.kinds {
        tx.query("INSERT INTO told_kind (org, member, kind, channels) VALUES ($1, $2, $3, $4)")
            .bind(org)
            .bind(member)
            .bind(kind)
            .bind(channels)
            .run()
            .await?;
    }
    Ok(())
}

/// Where an organisation is.
pub async fn zone(tx: &mut Tx, org: Uuid) -> Result<Tz> {
    let row: Option<(Vec<u8>,)> =
        tx.query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $1 AND id = $1").bind(org).optional().await?;
    let Some((body,)) = row else { return Ok(Tz::UTC) };
    let organisation: Organisation = serde_json::from_str(&packed::open(&body)?)?;
    Ok(organisation.time_zone.parse().unwrap_or(Tz::UTC))
}

/// Where e-mails and text messages to a member go, in clear: for the export of what is kept of them.
///
/// # Errors
/// When the database does not answer.
pub async fn addresses(app: &App, org: Uuid, member: Uuid) -> Result<(Option<String>, Option<String>)> {
    type Sealed = Option<Vec<u8>>;
    let row: Option<(Sealed, Sealed)> = app
        .db
        .query("SELECT email, phone FROM told WHERE org = $1 AND member = $2")
        .bind(org)
        .bind(member)
        .optional()
        .await?;
    let (email, phone) = row.unwrap_or_default();
    Ok((address(&app.crypto, email.as_deref()), address(&app.crypto, phone.as_deref())))
}
