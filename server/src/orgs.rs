//! The organisation: its record and settings, the statements people sign under, and how a new one comes to be.

use base64::Engine;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::Admin;
use crate::auth::roles::{Module, OPTIONAL};
use crate::check;
use crate::clock::{Millis, new_id};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::feed;
use crate::packed;
use crate::platform::api::check_money_and_time;
use crate::scope;
use crate::visits::{REQUIRED_SLOTS, TOPICS};

/// The organisation as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Organisation {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub locale: String,
    pub currency: String,
    pub time_zone: String,
    pub demo: bool,
    /// What it is; nothing until somebody says.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKind>,
    /// It tries things out before it works in earnest.
    #[serde(default)]
    pub is_pilot: bool,
    /// From which day on it works in earnest: `2026-03-01`.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_live: Option<String>,
    /// Topics a visit may have; the PWA has their texts.
    pub topics: Vec<String>,
    /// What a visit needs before it can be submitted.
    pub required_slots: Vec<String>,
    /// Whether phones send the camera's own file instead of a small copy. Records of older servers do not say.
    #[serde(default)]
    pub keep_originals: bool,
    /// Modules that are on: households, visits, figures, home.
    #[serde(default = "all_modules")]
    pub modules: Vec<Module>,
    /// How the organisation calls itself on its screens; else its name.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Lines under the name on what is printed.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letterhead: Option<String>,
    /// A small picture: `data:image/png;base64,…` or jpeg.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    Ministry,
    Office,
    Agency,
    Ngo,
    Commission,
}

fn all_modules() -> Vec<Module> {
    OPTIONAL.into()
}

/// What an administrator may change of the organisation; what is not named stays.
#[derive(Clone, Default, Object)]
pub struct OrganisationChange {
    pub keep_originals: Option<bool>,
    /// en or sw: what new members are offered first
    pub locale: Option<String>,
    /// ISO 4217
    pub currency: Option<String>,
    pub time_zone: Option<String>,
    /// Modules that are on; a module that is off is gone from menus, API and sync.
    pub modules: Option<Vec<Module>>,
    /// Empty: the name itself.
    pub display_name: Option<String>,
    pub letterhead: Option<String>,
    /// `data:image/png;base64,…` or jpeg, at most 40,000 characters; empty: none.
    pub logo: Option<String>,
    pub kind: Option<OrganisationKind>,
    pub is_pilot: Option<bool>,
    /// `2026-03-01`; empty: not said.
    pub go_live: Option<String>,
}

/// A text that people sign under; `{household}`, `{mentor}`, `{date}` and `{organisation}` are filled in on the phone, of a
/// grant also `{programme}`, `{amount}` and `{group}`.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Statement {
    pub id: Uuid,
    pub key: String,
    pub version: i64,
    pub language: String,
    pub text: String,
}

/// Key, language, text.
pub type Shipped = (&'static str, &'static str, &'static str);

/// What ships.
pub const STATEMENTS: [Shipped; 8] = [
    (
        "visit",
        "en",
        "I, of the household of {household}, confirm that {mentor} of {organisation} visited us on {date}, that what is \
         recorded of this visit was read to me, and that I agree to the photos being kept as evidence of the visit.",
    ),
    (
        "visit",
        "sw",
        "Mimi, wa kaya ya {household}, ninathibitisha kwamba {mentor} wa {organisation} alitutembelea tarehe {date}, kwamba \
         nilisomewa yaliyoandikwa kuhusu ziara hii, na kwamba ninakubali picha zihifadhiwe kama ushahidi wa ziara.",
    ),
    (
        "consent",
        "en",
        "I, of the household of {household}, agree that {organisation} keeps what we tell about our household and photos of \
         us, uses them to see whether we can take part in its programme and to accompany us in it, and shows them only to \
         those who work for the programme. {mentor} read this to me on {date}. I know that we may say no, and that I can \
         take this consent back at any time without losing anything that is ours.",
    ),
    (
        "consent",
        "sw",
        "Mimi, wa kaya ya {household}, ninakubali kwamba {organisation} itunze tunayoeleza kuhusu kaya yetu pamoja na picha \
         zetu, iyatumie kuona kama tunaweza kushiriki katika programu yake na kutusaidia ndani yake, na iyaonyeshe tu kwa \
         wanaofanya kazi ya programu. {mentor} amenisomea maneno haya tarehe {date}. Ninajua kwamba tunaweza kukataa, na \
         kwamba ninaweza kuondoa idhini hii wakati wowote bila kupoteza chochote kilicho chetu.",
    ),
    (
        "grant_application",
        "en",
        "I, of the household of {household}, ask for {amount} from the programme {programme} of {organisation}. The plan and what \
         the money is for were read to me by {mentor} on {date}; I agree with them, I will use the money for that alone, \
         and I will show the receipts.",
    ),
    (
        "grant_application",
        "sw",
        "Mimi, wa kaya ya {household}, ninaomba {amount} kutoka programu ya {programme} ya {organisation}. {mentor} alinisomea \
         mpango na matumizi ya fedha tarehe {date}; ninakubaliana nayo, nitatumia fedha kwa hayo tu, na nitaonyesha risiti.",
    ),
    (
        "grant_acknowledgement",
        "en",
        "I, of the household of {household}, have received {amount} from the programme {programme} of {organisation} on {date}, \
         in the presence of {mentor}. Nobody has asked me for a part of it or for anything in return.",
    ),
    (
        "grant_acknowledgement",
        "sw",
        "Mimi, wa kaya ya {household}, nimepokea {amount} kutoka programu ya {programme} ya {organisation} tarehe {date}, mbele \
         ya {mentor}. Hakuna aliyeniomba sehemu ya fedha hizo wala kitu chochote kwa malipo.",
    ),
];

/// Gives every organisation the statements that ship since it was made. Answers how many were added.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub async fn fill_statements(db: &Db, now: Millis) -> Result<usize> {
    let whole = "SELECT o.id FROM organisation o JOIN feed f ON f.org = o.id AND f.id = o.id AND f.kind = 'organisation'
                 ORDER BY o.id";
    let orgs: Vec<(Uuid,)> = db.query(whole).all().await?;
    let mut added = 0;
    for (org,) in orgs {
        if !missing(db, org).await?.is_empty() {
            added += db.write(move |tx| Box::pin(async move { fill(tx, org, now).await })).await?;
        }
    }
    Ok(added)
}

fn statement(key: &str, language: &str, text: &str) -> Statement {
    Statement { id: new_id(), key: key.into(), version: 1, language: language.into(), text: text.into() }
}

async fn fill(tx: &mut Tx, org: Uuid, now: Millis) -> Result<usize> {
    let mut feeds = feed::lock(tx, org, [org]).await?;
    // Another copy of the server may have been first.
    let bodies: Vec<(Vec<u8>,)> = tx.query(KEPT).bind(org).all().await?;
    let missing = beyond(bodies)?;
    for (key, language, text) in &missing {
        let statement = statement(key, language, text);
        feeds.put(tx, org, "statement", statement.id, &statement).await?;
        let actor = Actor { org, member: None, device: None, at: now };
        let (subject, change) = (("statement", statement.id), (None::<&Statement>, Some(&statement)));
        audit::append(tx, &mut feeds, org, &actor, "statement.add", subject, change).await?;
    }
    Ok(missing.len())
}

const KEPT: &str = "SELECT body FROM feed_entry WHERE org = $1 AND feed = $1 AND kind = 'statement' AND NOT deleted";

async fn missing(db: &Db, org: Uuid) -> Result<Vec<Shipped>> {
    beyond(db.query(KEPT).bind(org).all().await?)
}

/// What ships and is not among these, in no version.
fn beyond(bodies: Vec<(Vec<u8>,)>) -> Result<Vec<Shipped>> {
    let opened = bodies.into_iter().map(|(body,)| Ok(serde_json::from_str(&packed::open(&body)?)?));
    let kept: Vec<Statement> = opened.collect::<Result<_>>()?;
    let there = |key: &str, language: &str| kept.iter().any(|one| one.key == key && one.language == language);
    Ok(STATEMENTS.into_iter().filter(|(key, language, _)| !there(key, language)).collect())
}

/// A new organisation with its feed and its statements.
///
/// # Errors
/// 409 `code_taken`.
pub async fn create(tx: &mut Tx, actor: &Actor, code: &str, name: &str, demo: bool) -> Result<Organisation> {
    let code = code.trim().to_uppercase();
    check::name("organisation_name", name)?;
    if !(2..=20).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Error::invalid("organisation_code", "A code has 2 to 20 letters, digits or hyphens."));
    }
    let org = actor.org;
    let added = tx
        .query("INSERT INTO organisation (id, code, name, demo, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (code) DO NOTHING")
        .bind(org)
        .bind(code.clone())
        .bind(name.trim())
        .bind(demo)
        .bind(actor.at)
        .run()
        .await?;
    if added == 0 {
        return Err(
            Error::conflict("code_taken", "There is an organisation with this code already.").field("organisation_code")
        );
    }
    feed::create(tx, org, org, "organisation").await?;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let organisation = Organisation {
        id: org,
        code,
        name: name.trim().into(),
        locale: "en".into(),
        currency: "KES".into(),
        time_zone: "Africa/Nairobi".into(),
        demo,
        kind: None,
        is_pilot: false,
        go_live: None,
        topics: TOPICS.iter().map(|t| (*t).into()).collect(),
        required_slots: REQUIRED_SLOTS.iter().map(|s| (*s).into()).collect(),
        keep_originals: false,
        modules: all_modules(),
        display_name: None,
        letterhead: None,
        logo: None,
    };
    feeds.put(tx, org, "organisation", org, &organisation).await?;
    for (key, language, text) in STATEMENTS {
        let statement = statement(key, language, text);
        feeds.put(tx, org, "statement", statement.id, &statement).await?;
    }
    let change = (None::<&Organisation>, Some(&organisation));
    audit::append(tx, &mut feeds, org, actor, "organisation.create", ("organisation", org), change).await?;
    Ok(organisation)
}

/// Changes the settings; phones have them with their next sync.
///
/// # Errors
/// 404 when the organisation has no record.
pub async fn change(tx: &mut Tx, actor: &Actor, change: OrganisationChange) -> Result<Organisation> {
    let org = actor.org;
    checked(&change)?;
    let mut feeds = feed::lock(tx, org, [org]).await?;
    let stored: Option<(Vec<u8>,)> =
        tx.query("SELECT body FROM feed_entry WHERE org = $1 AND feed = $1 AND id = $1").bind(org).optional().await?;
    let before: Organisation =
        serde_json::from_str(&packed::open(&stored.ok_or_else(|| Error::not_found("organisation"))?.0)?)?;
    let text = |new: Option<String>, old: &Option<String>| match new {
        Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        None => old.clone(),
    };
    let after = Organisation {
        keep_originals: change.keep_originals.unwrap_or(before.keep_originals),
        locale: change.locale.unwrap_or_else(|| before.locale.clone()),
        currency: change.currency.unwrap_or_else(|| before.currency.clone()),
        time_zone: change.time_zone.unwrap_or_else(|| before.time_zone.clone()),
        modules: change.modules.map_or_else(|| before.modules.clone(), tidy),
        display_name: text(change.display_name, &before.display_name),
        letterhead: text(change.letterhead, &before.letterhead),
        logo: text(change.logo, &before.logo),
        kind: change.kind.or(before.kind),
        is_pilot: change.is_pilot.unwrap_or(before.is_pilot),
        go_live: text(change.go_live, &before.go_live),
        ..before.clone()
    };
    if after.modules != before.modules {
        let names: Vec<&str> = after.modules.iter().map(|module| module.as_str()).collect();
        tx.query("UPDATE organisation SET modules = $2 WHERE id = $1").bind(org).bind(names.join(" ")).run().await?;
        scope::spell_out_all(tx, org, actor.at).await?;
    }
    feeds.put(tx, org, "organisation", org, &after).await?;
    let what = (Some(&before), Some(&after));
    audit::append(tx, &mut feeds, org, actor, "organisation.change", ("organisation", org), what).await?;
    Ok(after)
}

/// In the order of the code, each once.
fn tidy(wanted: Vec<Module>) -> Vec<Module> {
    OPTIONAL.into_iter().filter(|module| wanted.contains(module)).collect()
}

const LARGEST_LOGO: usize = 40_000;

fn checked(change: &OrganisationChange) -> Result<()> {
    if let Some(locale) = &change.locale {
        check::one_of("locale", locale, &["en", "sw"])?;
    }
    check::date("go_live", change.go_live.as_deref().map(str::trim).filter(|day| !day.is_empty()))?;
    check_money_and_time(change.currency.as_deref(), change.time_zone.as_deref())?;
    check::text("display_name", change.display_name.as_deref().unwrap_or_default(), 120)?;
    check::text("letterhead", change.letterhead.as_deref().unwrap_or_default(), 500)?;
    if let Some(modules) = &change.modules {
        if let Some(module) = modules.iter().find(|module| !OPTIONAL.contains(module)) {
            let message = format!("{} is never off.", module.as_str());
            return Err(Error::invalid("modules", message));
        }
        if modules.contains(&Module::Visits) && !modules.contains(&Module::Households) {
            return Err(Error::invalid("modules", "Visits are visits of households: both, or households alone."));
        }
    }
    if let Some(logo) = change.logo.as_deref().filter(|logo| !logo.is_empty()) {
        let bytes = ["png", "jpeg"].iter().find_map(|kind| {
            let text = logo.strip_prefix(&format!("data:image/{kind};base64,"))?;
            let bytes = base64::prelude::BASE64_STANDARD.decode(text).ok()?;
            let magic: &[u8] = if *kind == "png" { b"\x89PNG\r\n\x1a\n" } else { &[0xff, 0xd8, 0xff] };
            bytes.starts_with(magic).then_some(bytes)
        });
        if logo.len() > LARGEST_LOGO || bytes.is_none() {
            return Err(Error::invalid("logo", "A logo is a PNG or JPEG of at most 30 kB."));
        }
    }
    Ok(())
}

pub struct Api(pub App);

#[OpenApi(tag = "crate::api::Tag::Members")]
impl Api {
    /// Change the organisation's settings
    #[oai(path = "/api/organisation", method = "put", operation_id = "changeOrganisation")]
    async fn change(&self, admin: Admin, wanted: Json<OrganisationChange>) -> Result<Json<Organisation>> {
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() };
        let changed = self.0.db.write(move |tx| Box::pin(async move { change(tx, &actor, wanted.0).await })).await?;
        // Whoever is signed in has what is on from now on.
        self.0.sessions.forget_all();
        Ok(Json(changed))
    }
}
