//! How households are kept: columns to ask for in their table, the record itself in its feed entry.

use uuid::Uuid;

use super::Household;
use crate::app::App;
use crate::auth::Reader;
use crate::check;
use crate::crypto::Crypto;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// The record as it is stored: id and phone sealed.
pub fn sealed(crypto: &Crypto, household: &Household) -> Household {
    let mut sealed = household.clone();
    sealed.facts.national_id = sealed.facts.national_id.map(|id| crypto.seal(&id));
    sealed.facts.phone = sealed.facts.phone.map(|phone| crypto.seal(&phone));
    sealed
}

/// Writes a household (new or changed) to its table and its feed.
pub async fn put(tx: &mut Tx, crypto: &Crypto, feeds: &Locked, household: &Household) -> Result<()> {
    let org = feeds.org;
    let hash = |kind: &str, value: &Option<String>| value.as_ref().map(|v| crypto.lookup(org, kind, v));
    let facts = &household.facts;
    tx.query(
        "INSERT INTO household (org, id, feed, number, name_key, national_id_hash, phone_hash, last_visit_at, registered_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (org, id) DO UPDATE SET feed = excluded.feed, name_key = excluded.name_key,
             national_id_hash = excluded.national_id_hash, phone_hash = excluded.phone_hash, last_visit_at = excluded.last_visit_at",
    )
    .bind(org)
    .bind(household.id)
    .bind(household.place)
    .bind(household.number.clone().unwrap_or_default())
    .bind(facts.head_name.to_lowercase())
    .bind(hash("national_id", &facts.national_id))
    .bind(hash("phone", &facts.phone))
    .bind(household.last_visit_at)
    .bind(household.registered_at)
    .run()
    .await?;
    feeds.put(tx, household.place, "household", household.id, &sealed(crypto, household)).await
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
pub async fn list(app: &App, reader: &Reader, wanted: Wanted) -> Result<Stored<Page<Household>>> {
    let q = wanted.q.trim().to_lowercase();
    let phone = check::phone(&q).ok().map(|p| app.crypto.lookup(reader.org, "phone", &p));
    let national_id = check::national_id(&q).ok().map(|()| app.crypto.lookup(reader.org, "national_id", &q));
    let after = wanted.after.unwrap_or_default();
    let (after_name, after_number) = after.split_once(SEPARATOR).unwrap_or_default();
    let like = format!("%{}%", q.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    let (items, count, last): (Option<String>, i64, Option<String>) = app
        .db
        .query(LIST)
        .bind(reader.org)
        .bind(reader.id)
        .bind(after_name)
        .bind(after_number)
        .bind(wanted.place)
        .bind(like)
        .bind(national_id)
        .bind(phone)
        .bind(wanted.limit)
        .one()
        .await?;
    let next = last.filter(|_| count == wanted.limit);
    Ok(page(items.map(|i| app.crypto.open_text(&i).into_owned()), next))
}

/// Sorts before everything a name may hold, so that the joined text sorts like the pair.
const SEPARATOR: char = '\u{1}';

/// One row for a whole page: first which households, by the index of names, then their stored texts, which the
/// database joins. Nothing is parsed or written again.
const LIST: &str = "
SELECT string_agg(e.body, ',' ORDER BY p.name_key, p.number), count(*), max(p.name_key || '\u{1}' || p.number)
FROM (SELECT h.id, h.feed, h.name_key, h.number
      FROM household h
      WHERE h.org = $1 AND (h.name_key, h.number) > ($3, $4)
        AND h.feed IN (SELECT m.feed FROM member_feed m WHERE m.org = $1 AND m.member = $2)
        AND ($5 IS NULL OR h.feed = $5)
        AND ($6 = '%%' OR h.name_key LIKE $6 ESCAPE '!' OR lower(h.number) LIKE $6 ESCAPE '!'
             OR h.national_id_hash = $7 OR h.phone_hash = $8)
      ORDER BY h.name_key, h.number LIMIT $9) AS p
JOIN feed_entry e ON e.org = $1 AND e.id = p.id AND e.feed = p.feed";
