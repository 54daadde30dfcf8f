//! The organisation's own chain: every few minutes the heads of its feeds' chains, hashed onto the seal before and signed
//! by the server. An event that changes after its feed was sealed shows even when its feed's chain was made anew.

use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::clock::Millis;
use crate::crypto::{hex, sha256};
use crate::error::Result;

/// Feeds in one seal; the next one takes the rest.
const SOME: i64 = 5_000;

/// A feed, the sequence of its newest event, and that event's hash.
pub type Head = (Uuid, i64, String);

/// Seals what was appended in every organisation since its last seal. Answers how many seals were made.
///
/// # Errors
/// When the database does not answer.
pub async fn all(app: &App) -> Result<usize> {
    let orgs: Vec<(Uuid,)> = app.db.query("SELECT DISTINCT org FROM feed WHERE audit_sequence > audit_sealed").all().await?;
    let mut made = 0;
    for (org,) in orgs {
        made += usize::from(one(app, org).await?);
    }
    Ok(made)
}

async fn one(app: &App, org: Uuid) -> Result<bool> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                // In the order in which commands lock them.
                let take = tx.pick(
                    "UPDATE feed SET audit_sealed = audit_sequence WHERE org = $1 AND id IN (
                         SELECT id FROM feed WHERE org = $1 AND audit_sequence > audit_sealed ORDER BY id LIMIT $2)
                     RETURNING id, audit_sequence, audit_head",
                    "UPDATE feed SET audit_sealed = audit_sequence WHERE org = $1 AND id IN (
                         SELECT id FROM feed WHERE org = $1 AND audit_sequence > audit_sealed ORDER BY id LIMIT $2 FOR UPDATE)
                     RETURNING id, audit_sequence, audit_head",
                );
                let mut taken: Vec<(Uuid, i64, Option<Vec<u8>>)> = tx.query(take).bind(org).bind(SOME).all().await?;
                if taken.is_empty() {
                    return Ok(false);
                }
                taken.sort_unstable_by_key(|(feed, ..)| *feed);
                let heads: Vec<Head> =
                    taken.into_iter().map(|(feed, at, head)| (feed, at, hex(&head.unwrap_or_default()))).collect();
                let heads = serde_json::to_string(&heads)?;
                let last: Option<(i64, Vec<u8>)> = tx
                    .query("SELECT sequence, hash FROM audit_seal WHERE org = $1 ORDER BY sequence DESC LIMIT 1")
                    .bind(org)
                    .optional()
                    .await?;
                let (sequence, previous) = last.map_or((1, None), |(last, hash)| (last + 1, Some(hash)));
                let hash = digest(org, sequence, now, &heads, previous.as_deref());
                let signature = tx.crypto.sign(&message(&hash));
                tx.query("INSERT INTO audit_seal (org, sequence, at, heads, hash, signature) VALUES ($1, $2, $3, $4, $5, $6)")
                    .bind(org)
                    .bind(sequence)
                    .bind(now)
                    .bind(heads)
                    .bind(hash)
                    .bind(signature)
                    .run()
                    .await?;
                Ok(true)
            })
        })
        .await
}

fn digest(org: Uuid, sequence: i64, at: Millis, heads: &str, previous: Option<&[u8]>) -> [u8; 32] {
    sha256(json!([org, sequence, at, heads, previous.map(hex)]).to_string().as_bytes())
}

/// What the server signs: nothing else that it signs looks like this.
fn message(hash: &[u8]) -> Vec<u8> {
    format!("kilele-audit-seal|{}", hex(hash)).into_bytes()
}

#[derive(sqlx::FromRow)]
struct Row {
    sequence: i64,
    at: Millis,
    heads: String,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

/// The heads of every seal up to the first that does not fit, and where that is.
pub async fn read(app: &App, org: Uuid) -> Result<(Vec<Vec<Head>>, Option<i64>)> {
    let rows: Vec<Row> = app
        .db
        .query("SELECT sequence, at, heads, hash, signature FROM audit_seal WHERE org = $1 ORDER BY sequence")
        .bind(org)
        .all()
        .await?;
    let (mut seals, mut previous) = (Vec::with_capacity(rows.len()), None::<Vec<u8>>);
    for (expected, row) in (1..).zip(rows) {
        let fits = row.sequence == expected
            && row.hash == digest(org, row.sequence, row.at, &row.heads, previous.as_deref())
            && app.crypto.verify_own(&message(&row.hash), &row.signature);
        let Some(heads) = serde_json::from_str(&row.heads).ok().filter(|_| fits) else {
            return Ok((seals, Some(expected)));
        };
        seals.push(heads);
        previous = Some(row.hash);
    }
    Ok((seals, None))
}
