//! Feeds: the unit of sync, of scope and of write order. Whoever changes a record first locks its feed.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::auth::Member;
use crate::db::{Arg, Hint, Tx};
use crate::error::{Error, Result};
use crate::packed;

/// Feeds whose next revision this transaction holds; the row lock orders all writers of a feed.
pub struct Locked {
    pub org: Uuid,
    held: BTreeMap<Uuid, Head>,
}

/// Where a feed and its two chains stand.
pub struct Head {
    pub revision: i64,
    pub audit: (i64, Option<Vec<u8>>),
    pub signature: (i64, Option<Vec<u8>>),
}

type HeadRow = (i64, i64, Option<Vec<u8>>, i64, Option<Vec<u8>>);

/// Takes the next revision of each feed, in id order, so that two transactions never wait for each other in a ring.
///
/// # Errors
/// 404 when a feed does not exist in this organisation.
pub async fn lock(tx: &mut Tx, org: Uuid, feeds: impl IntoIterator<Item = Uuid>) -> Result<Locked> {
    let mut held: BTreeMap<Uuid, Head> = BTreeMap::new();
    let mut ids: Vec<Uuid> = feeds.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let row: Option<HeadRow> = tx
            .query(
                "UPDATE feed SET revision = revision + 1 WHERE org = $1 AND id = $2
                 RETURNING revision, audit_sequence, audit_head, signature_sequence, signature_head",
            )
            .bind(org)
            .bind(id)
            .optional()
            .await?;
        held.insert(id, head(tx, org, id, row.ok_or_else(|| Error::not_found("place"))?));
    }
    Ok(Locked { org, held })
}

/// Locks a place's feed and answers the level of the place, if this member sees it: one trip for both.
///
/// # Errors
/// As [`lock`].
pub async fn lock_place(tx: &mut Tx, member: &Member, place: Uuid) -> Result<(Locked, Option<i64>)> {
    let org = member.org;
    type Row = (i64, i64, Option<Vec<u8>>, i64, Option<Vec<u8>>, Option<i64>);
    let row: Option<Row> = tx
        .query(
            "UPDATE feed SET revision = revision + 1 WHERE org = $1 AND id = $2
             RETURNING revision, audit_sequence, audit_head, signature_sequence, signature_head,
                 (SELECT p.level FROM member_feed m JOIN place p ON p.org = m.org AND p.id = m.feed
                  WHERE m.org = $1 AND m.member = $3 AND m.feed = $2)",
        )
        .bind(org)
        .bind(place)
        .bind(member.id)
        .optional()
        .await?;
    let (revision, audit_at, audit, signature_at, signature, level) = row.ok_or_else(|| Error::not_found("place"))?;
    let head = head(tx, org, place, (revision, audit_at, audit, signature_at, signature));
    Ok((Locked { org, held: BTreeMap::from([(place, head)]) }, level))
}

fn head(tx: &mut Tx, org: Uuid, feed: Uuid, row: HeadRow) -> Head {
    let (revision, audit_at, audit, signature_at, signature) = row;
    tx.hints.push(Hint { org, feed, revision });
    Head { revision, audit: (audit_at, audit), signature: (signature_at, signature) }
}

impl Locked {
    /// The revision that this transaction writes in `feed`.
    ///
    /// # Panics
    /// When the feed was not locked: a mistake in the code, never in the input.
    pub fn revision(&self, feed: Uuid) -> i64 {
        self.held.get(&feed).expect("the feed was locked").revision
    }

    /// Whether the feed was locked.
    pub fn holds(&self, feed: Uuid) -> bool {
        self.held.contains_key(&feed)
    }

    pub fn head(&mut self, feed: Uuid) -> &mut Head {
        self.held.get_mut(&feed).expect("the feed was locked")
    }

    /// Writes the record's latest state, as the API shows it. `body` must begin with its `id`.
    pub async fn put(&self, tx: &mut Tx, feed: Uuid, kind: &'static str, id: Uuid, body: &impl Serialize) -> Result<()> {
        let body = serde_json::to_string(body)?;
        debug_assert!(body.starts_with(&format!("{{\"id\":\"{id}\"")), "a record begins with its id");
        self.entry(tx, feed, kind, id, false, body).await
    }

    /// Leaves a tombstone, so that devices drop the record.
    pub async fn remove(&self, tx: &mut Tx, feed: Uuid, kind: &'static str, id: Uuid) -> Result<()> {
        self.entry(tx, feed, kind, id, true, format!("{{\"id\":\"{id}\"}}")).await
    }

    async fn entry(&self, tx: &mut Tx, feed: Uuid, kind: &'static str, id: Uuid, deleted: bool, body: String) -> Result<()> {
        // A record never becomes one of another kind: an id that a device made must not hit somebody's record.
        tx.query(
            "INSERT INTO feed_entry (org, feed, id, kind, revision, deleted, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (org, feed, id) DO UPDATE
                 SET revision = excluded.revision, deleted = excluded.deleted, body = excluded.body
                 WHERE feed_entry.kind = excluded.kind",
        )
        .bind(self.org)
        .bind(feed)
        .bind(id)
        .bind(kind)
        .bind(self.revision(feed))
        .bind(deleted)
        .bind(packed::pack(body))
        .later_or(|| Error::refused("exists", "Another record has this id."))
        .await
    }
}

/// Columns of a feed's entry, for many of them at once: of records that are new, with ids of the server's own.
pub const INTO: &str = "INSERT INTO feed_entry (org, feed, id, kind, revision, deleted, body)";

/// A row for [`INTO`].
pub fn row(org: Uuid, feed: Uuid, (kind, id): (&str, Uuid), revision: i64, deleted: bool, packed: Vec<u8>) -> Vec<Arg> {
    vec![org.into(), feed.into(), id.into(), kind.into(), revision.into(), deleted.into(), packed.into()]
}

/// A new, empty feed: for a place, a person or the organisation.
pub async fn create(tx: &mut Tx, org: Uuid, id: Uuid, kind: &'static str) -> Result<()> {
    tx.query("INSERT INTO feed (org, id, kind, revision) VALUES ($1, $2, $3, 0)")
        .bind(org)
        .bind(id)
        .bind(kind)
        .run()
        .await?;
    Ok(())
}
