//! Feeds: the unit of sync, of scope and of write order. Whoever changes a record first locks its feed.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::db::{Hint, Tx};
use crate::error::{Error, Result};

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
        let (revision, audit_at, audit, signature_at, signature) = row.ok_or_else(|| Error::not_found("place"))?;
        tx.hints.push(Hint { org, feed: id, revision });
        held.insert(id, Head { revision, audit: (audit_at, audit), signature: (signature_at, signature) });
    }
    Ok(Locked { org, held })
}

impl Locked {
    /// The revision that this transaction writes in `feed`.
    ///
    /// # Panics
    /// When the feed was not locked: a mistake in the code, never in the input.
    pub fn revision(&self, feed: Uuid) -> i64 {
        self.held.get(&feed).expect("the feed was locked").revision
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
        let written = tx
            .query(
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
            .bind(body)
            .run()
            .await?;
        if written == 0 {
            return Err(Error::refused("exists", "Another record has this id."));
        }
        Ok(())
    }
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
