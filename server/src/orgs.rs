//! The organisation: its record, the statements people sign under, and how a new one comes to be.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::{self, Actor};
use crate::check;
use crate::clock::new_id;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;
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
    /// Topics a visit may have; the PWA has their texts.
    pub topics: Vec<String>,
    /// What a visit needs before it can be submitted.
    pub required_slots: Vec<String>,
}

/// A text that people sign under; `{household}`, `{mentor}`, `{date}` and `{organisation}` are filled in on the phone.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Statement {
    pub id: Uuid,
    pub key: String,
    pub version: i64,
    pub language: String,
    pub text: String,
}

/// What ships, by language.
pub const STATEMENTS: [(&str, &str); 2] = [
    (
        "en",
        "I, of the household of {household}, confirm that {mentor} of {organisation} visited us on {date}, that what is \
         recorded of this visit was read to me, and that I agree to the photos being kept as evidence of the visit.",
    ),
    (
        "sw",
        "Mimi, wa kaya ya {household}, ninathibitisha kwamba {mentor} wa {organisation} alitutembelea tarehe {date}, kwamba \
         nilisomewa yaliyoandikwa kuhusu ziara hii, na kwamba ninakubali picha zihifadhiwe kama ushahidi wa ziara.",
    ),
];

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
        topics: TOPICS.iter().map(|t| (*t).into()).collect(),
        required_slots: REQUIRED_SLOTS.iter().map(|s| (*s).into()).collect(),
    };
    feeds.put(tx, org, "organisation", org, &organisation).await?;
    for (language, text) in STATEMENTS {
        let statement =
            Statement { id: new_id(), key: "visit".into(), version: 1, language: language.into(), text: text.into() };
        feeds.put(tx, org, "statement", statement.id, &statement).await?;
    }
    let change = (None::<&Organisation>, Some(&organisation));
    audit::append(tx, &mut feeds, org, actor, "organisation.create", ("organisation", org), change).await?;
    Ok(organisation)
}
