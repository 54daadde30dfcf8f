//! How households are kept: columns to ask for in their table, the record itself in its feed entry.

use serde_json::Value;
use uuid::Uuid;

use super::{Card, Household};
use crate::app::App;
use crate::auth::HouseholdReader;
use crate::check;
use crate::crypto::Crypto;
use crate::db::{Arg, Db, Query, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::packed;
use crate::quality;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// The record as it is stored: id and phone sealed.
pub fn sealed(crypto: &Crypto, household: &Household) -> Household {
    let mut sealed = household.clone();
    sealed.facts.national_id = sealed.facts.national_id.map(|id| crypto.seal(&id));
    sealed.facts.phone = sealed.facts.phone.map(|phone| crypto.seal(&phone));
    for merged in &mut sealed.merges {
        for field in ["national_id", "phone"] {
            if let Some(change) = merged.fields.get_mut(field) {
                for value in [&mut change.was, &mut change.now] {
                    if let Some(Value::String(text)) = value {
                        *text = crypto.seal(text);
                    }
                }
            }
        }
    }
    sealed
}

/// Ids of household $2 and of all that are one with it.
macro_rules! family {
    () => {
        "(SELECT $2 UNION SELECT f.id FROM household f WHERE f.org = $1 AND f.merged_into = $2
              UNION SELECT f.merged_into FROM household f WHERE f.org = $1 AND f.id = $2 AND f.merged_into IS NOT NULL
              UNION SELECT f.id FROM household i JOIN household f ON f.org = i.org AND f.merged_into = i.merged_into
              WHERE i.org = $1 AND i.id = $2)"
    };
}
pub(crate) use family;

/// Locks the feed of a household, and those of all that are one with it.
pub async fn lock_family(tx: &mut Tx, org: Uuid, household: Uuid, place: Uuid) -> Result<Locked> {
    const FEEDS: &str = concat!("SELECT feed FROM household WHERE org = $1 AND id IN ", family!());
    let feeds: Vec<(Uuid,)> = tx.query(FEEDS).bind(org).bind(household).all().await?;
    feed::lock(tx, org, feeds.into_iter().map(|(feed,)| feed).chain([place])).await
}

/// Writes a changed household to its table and its feed.
pub async fn put(tx: &mut Tx, crypto: &Crypto, feeds: &Locked, household: &Household) -> Result<()> {
    let sql = "INSERT INTO household
             (org, id, feed, number, name_key, national_id_hash, phone_hash, last_visit_at, registered_at, card, gaps)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (org, id) DO UPDATE SET feed = excluded.feed, name_key = excluded.name_key, card = excluded.card, gaps = excluded.gaps,
             national_id_hash = excluded.national_id_hash, phone_hash = excluded.phone_hash, last_visit_at = excluded.last_visit_at";
    columns(tx.query(sql), crypto, feeds.org, household)?.later().await?;
    feeds.put(tx, household.place, "household", household.id, &sealed(crypto, household)).await
}

/// Writes a new household. That its id is new is looked at in the same trip.
pub async fn add(tx: &mut Tx, crypto: &Crypto, feeds: &Locked, household: &Household) -> Result<()> {
    let sql = "INSERT INTO household
             (org, id, feed, number, name_key, national_id_hash, phone_hash, last_visit_at, registered_at, card, gaps)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (org, id) DO NOTHING";
    let exists = || Error::refused("exists", "A household with this id is registered already.");
    columns(tx.query(sql), crypto, feeds.org, household)?.later_or(exists).await?;
    feeds.put(tx, household.place, "household", household.id, &sealed(crypto, household)).await
}

fn columns<'t>(query: Query<&'t mut Tx>, crypto: &Crypto, org: Uuid, household: &Household) -> Result<Query<&'t mut Tx>> {
    Ok(row(crypto, org, household)?.into_iter().fold(query, Query::bind))
}

/// The table's columns, for many households at once.
pub const INTO: &str = "INSERT INTO household
     (org, id, feed, number, name_key, national_id_hash, phone_hash, last_visit_at, registered_at, card, gaps)";

/// A row for [`INTO`].
pub fn row(crypto: &Crypto, org: Uuid, household: &Household) -> Result<Vec<Arg>> {
    let hash = |kind: &str, value: &Option<String>| value.as_ref().map(|v| crypto.lookup(org, kind, v));
    let facts = &household.facts;
    Ok(vec![
        org.into(),
        household.id.into(),
        household.place.into(),
        household.number.clone().unwrap_or_default().into(),
        facts.head_name.to_lowercase().into(),
        hash("national_id", &facts.national_id).into(),
        hash("phone", &facts.phone).into(),
        household.last_visit_at.into(),
        household.registered_at.into(),
        serde_json::to_string(&Card::of(household))?.into(),
        quality::gaps(facts).into(),
    ])
}

/// The feed a household lives in, wherever the caller may look.
pub async fn feed_of(tx: &mut Tx, org: Uuid, household: Uuid) -> Result<Uuid> {
    let row: Option<(Uuid,)> =
        tx.query("SELECT feed FROM household WHERE org = $1 AND id = $2").bind(org).bind(household).optional().await?;
    row.map(|(feed,)| feed).ok_or_else(|| Error::not_found("household"))
}

/// The record, opened; its feed must be locked.
pub async fn current(tx: &mut Tx, crypto: &Crypto, org: Uuid, feed: Uuid, id: Uuid) -> Result<Household> {
    let body = scope::current(tx, org, feed, id, "household").await?;
    Ok(serde_json::from_str(&crypto.open_text(&body))?)
}

/// What a list asks for. `q`: part of a name or number, or a whole national id or phone number.
pub struct Wanted {
    pub q: String,
    pub place: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of households by name.
pub async fn list(app: &App, reader: &HouseholdReader, wanted: Wanted) -> Result<Stored<Page<Card>>> {
    let q = wanted.q.trim().to_lowercase();
    let phone = check::phone(&q).ok().map(|p| app.crypto.lookups(reader.org, "phone", &p));
    let [phone, old_phone] = phone.map_or([None, None], |both| both.map(Some));
    let national_id = check::national_id(&q).ok().map(|()| app.crypto.lookups(reader.org, "national_id", &q));
    let [national_id, old_national_id] = national_id.map_or([None, None], |both| both.map(Some));
    let after = wanted.after.unwrap_or_default();
    let (after_name, after_number) = after.split_once(SEPARATOR).unwrap_or_default();
    let like = format!("%{}%", q.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    let query = app.db.query(if q.is_empty() { LIST } else { FIND });
    let query = query.bind(reader.org).bind(reader.id).bind(after_name).bind(after_number).bind(wanted.place);
    let query = match q.is_empty() {
        true => query.bind(wanted.limit),
        false => {
            let query = query.bind(wanted.limit).bind(like).bind(national_id).bind(phone);
            query.bind(old_national_id).bind(old_phone)
        }
    };
    let (items, count, last): (Option<String>, i64, Option<String>) = query.one().await?;
    let next = last.filter(|_| count == wanted.limit);
    Ok(page(items, next))
}

/// Sorts before everything a name may hold, so that the joined text sorts like the pair.
const SEPARATOR: char = '\u{1}';

/// One row for a whole page, joined from the cards by the database in the inner query's order: nothing is parsed,
/// sorted or written again.
macro_rules! page_of {
    ($condition:literal) => {
        concat!(
            "SELECT string_agg(p.card, ','), count(*), max(p.name_key || '\u{1}' || p.number)
             FROM (SELECT h.card, h.name_key, h.number
                   FROM household h
                   WHERE h.org = $1 AND (h.name_key, h.number) > ($3, $4) AND h.merged_into IS NULL
                     AND h.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
                     AND ($5 IS NULL OR h.feed = $5)",
            $condition,
            " ORDER BY h.name_key, h.number LIMIT CAST($6 AS BIGINT)) AS p"
        )
    };
}

/// The list has a text of its own, without `LIKE`: it is planned once (see [`Db::query`]).
const LIST: &str = page_of!("");
const FIND: &str = page_of!(
    " AND (h.name_key LIKE $7 ESCAPE '!' OR lower(h.number) LIKE $7 ESCAPE '!' OR h.national_id_hash IN ($8, $10)
           OR h.phone_hash IN ($9, $11))"
);

/// Gives a card, and what is not known, to households that were kept before there were any. Answers how many.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub async fn fill_cards(db: &Db) -> Result<usize> {
    const SOME: usize = 200;
    let mut filled = 0;
    loop {
        let rows: Vec<(Uuid, Vec<u8>)> = db
            .query(
                "SELECT h.org, e.body FROM household h
                 JOIN feed_entry e ON e.org = h.org AND e.feed = h.feed AND e.id = h.id
                 WHERE h.card = '' OR h.gaps < 0 LIMIT CAST($1 AS BIGINT)",
            )
            .bind(SOME as i64)
            .all()
            .await?;
        let last = rows.len() < SOME;
        filled += rows.len();
        db.write(move |tx| Box::pin(fill(tx, rows))).await?;
        if last {
            return Ok(filled);
        }
    }
}

async fn fill(tx: &mut Tx, rows: Vec<(Uuid, Vec<u8>)>) -> Result<()> {
    for (org, body) in rows {
        let household: Household = serde_json::from_str(&packed::open(&body)?)?;
        tx.query("UPDATE household SET card = $3, gaps = $4 WHERE org = $1 AND id = $2")
            .bind(org)
            .bind(household.id)
            .bind(serde_json::to_string(&Card::of(&household))?)
            .bind(quality::gaps(&household.facts))
            .run()
            .await?;
    }
    Ok(())
}
