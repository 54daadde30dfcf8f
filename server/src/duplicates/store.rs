//! How pairs are kept and read: whoever asks sees only pairs of which both households are in their places.

use uuid::Uuid;

use super::{Level, State};
use crate::app::App;
use crate::auth::{HouseholdReader, Member};
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::{Error, Result};

/// The smaller id first.
pub fn ordered((one, other): (Uuid, Uuid)) -> (Uuid, Uuid) {
    if one <= other { (one, other) } else { (other, one) }
}

/// Sets a pair's state; nothing when it was never found.
pub async fn decide(tx: &mut Tx, org: Uuid, pair: (Uuid, Uuid), state: &'static str, by: Uuid, at: Millis) -> Result<()> {
    let (one, other) = ordered(pair);
    tx.query("UPDATE duplicate SET state = $4, decided_by = $5, decided_at = $6 WHERE org = $1 AND one = $2 AND other = $3")
        .bind(org)
        .bind(one)
        .bind(other)
        .bind(state)
        .bind(by)
        .bind(at)
        .later()
        .await
}

/// A pair's state, and where both households live.
#[derive(sqlx::FromRow)]
pub struct Known {
    pub state: String,
    pub here: Uuid,
    pub there: Uuid,
}

pub async fn known(tx: &mut Tx, member: &Member, pair: (Uuid, Uuid)) -> Result<Known> {
    let (one, other) = ordered(pair);
    let known: Option<Known> = tx
        .query(
            "SELECT d.state, a.feed AS here, b.feed AS there FROM duplicate d
             JOIN household a ON a.org = d.org AND a.id = d.one JOIN household b ON b.org = d.org AND b.id = d.other
             JOIN member_feed m ON m.org = d.org AND m.member = $4 AND m.feed = a.feed
             JOIN member_feed n ON n.org = d.org AND n.member = $4 AND n.feed = b.feed
             WHERE d.org = $1 AND d.one = $2 AND d.other = $3",
        )
        .bind(member.org)
        .bind(one)
        .bind(other)
        .bind(member.id)
        .optional()
        .await?;
    known.ok_or_else(|| Error::not_found("pair"))
}

#[derive(sqlx::FromRow)]
struct Row {
    one: Uuid,
    other: Uuid,
    rank: i64,
    score: i64,
    name_score: i64,
    sound_score: i64,
    birth_score: i64,
    place_score: i64,
    same_id: bool,
    found_at: Millis,
    decided_by: Option<Uuid>,
    decided_at: Option<Millis>,
    one_card: String,
    other_card: String,
}

/// What a list asks for.
pub struct Wanted {
    pub state: State,
    /// Pairs with this household.
    pub household: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of pairs, the most alike first: their texts, and where the next page begins.
pub async fn list(app: &App, reader: &HouseholdReader, wanted: Wanted) -> Result<(Vec<String>, Option<String>)> {
    let (rank, one, other) = cursor(wanted.after.as_deref())?;
    let rows: Vec<Row> = app
        .db
        .query(
            "SELECT d.one, d.other, d.rank, d.score, d.name_score, d.sound_score, d.birth_score, d.place_score, d.same_id,
                 d.found_at, d.decided_by, d.decided_at, a.card AS one_card, b.card AS other_card
             FROM duplicate d
             JOIN household a ON a.org = d.org AND a.id = d.one JOIN household b ON b.org = d.org AND b.id = d.other
             WHERE d.org = $1 AND d.state = $3
               AND a.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
               AND b.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $2)
               AND ($3 = 'merged' OR (a.merged_into IS NULL AND b.merged_into IS NULL))
               AND ($4 IS NULL OR d.one = $4 OR d.other = $4)
               AND (d.rank < $5 OR (d.rank = $5 AND (d.one > $6 OR (d.one = $6 AND d.other > $7))))
             ORDER BY d.rank DESC, d.one, d.other LIMIT CAST($8 AS BIGINT)",
        )
        .bind(reader.org)
        .bind(reader.id)
        .bind(wanted.state.as_str())
        .bind(wanted.household)
        .bind(rank)
        .bind(one)
        .bind(other)
        .bind(wanted.limit)
        .all()
        .await?;
    let full = rows.len() as i64 == wanted.limit;
    let next = rows.last().filter(|_| full).map(|last| format!("{}~{}~{}", last.rank, last.one, last.other));
    Ok((rows.into_iter().map(|row| row.shown(wanted.state)).collect(), next))
}

impl Row {
    /// The cards are texts already.
    fn shown(self, state: State) -> String {
        let Self { one_card, other_card, rank, score, name_score, sound_score, birth_score, place_score, .. } = self;
        let mut rest = serde_json::json!({
            "level": Level::of(rank), "score": score, "name_score": name_score, "sound_score": sound_score,
            "birth_score": birth_score, "place_score": place_score, "same_id": self.same_id, "state": state,
            "found_at": self.found_at,
        });
        if let Some(by) = self.decided_by {
            rest["decided_by"] = by.to_string().into();
            rest["decided_at"] = self.decided_at.into();
        }
        format!("{{\"one\":{one_card},\"other\":{other_card},{}", &rest.to_string()[1..])
    }
}

/// Where a page begins.
fn cursor(after: Option<&str>) -> Result<(i64, Uuid, Uuid)> {
    let Some(after) = after else { return Ok((i64::MAX, Uuid::nil(), Uuid::nil())) };
    let mut parts = after.split('~');
    let mut read = || Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?));
    read().ok_or_else(|| Error::bad_request("invalid_cursor", "`after` is not from this list."))
}
