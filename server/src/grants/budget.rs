//! A programme's money: what is committed to approved grants and what has left for them. Every movement is a ledger entry,
//! written in the transaction that changes the programme's sums under the lock of its row: the last lock that is taken.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Grant;
use crate::app::App;
use crate::audit::Actor;
use crate::clock::{Millis, new_id};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::programmes;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "LedgerKind", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Commit,
    Uncommit,
    Release,
    Reverse,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Uncommit => "uncommit",
            Self::Release => "release",
            Self::Reverse => "reverse",
        }
    }
}

/// One movement. Amounts are positive; the kind says the direction.
#[derive(Object, sqlx::FromRow)]
#[oai(rename = "LedgerEntry")]
pub struct Entry {
    pub id: Uuid,
    pub tranche: Option<Uuid>,
    pub kind: String,
    pub amount_minor: i64,
    pub at: Millis,
    /// None when time did it.
    pub member: Option<Uuid>,
    pub reference: String,
    pub reason: String,
    /// The entry that this one takes back.
    pub reverses: Option<Uuid>,
}

/// A programme's money at the moment of asking.
#[derive(Object)]
pub struct Budget {
    pub budget_minor: Option<i64>,
    /// Of approved grants.
    pub committed_minor: i64,
    /// Of that, what has left and did not come back.
    pub released_minor: i64,
    /// What can still be approved; none without a budget.
    pub remaining_minor: Option<i64>,
    pub as_of: Millis,
}

/// What moves, and what people say of it.
pub struct Movement<'m> {
    pub kind: Kind,
    pub amount_minor: i64,
    pub tranche: Option<Uuid>,
    pub reference: &'m str,
    pub reason: &'m str,
}

/// Moves money of the grant's programme.
///
/// # Errors
/// 422 `no_budget` when the programme has none, `over_budget` when it is not enough; `reference_taken` when the programme
/// has paid under this reference before.
pub async fn moved(tx: &mut Tx, actor: &Actor, grant: &Grant, movement: Movement<'_>) -> Result<()> {
    let org = actor.org;
    let amount = movement.amount_minor;
    let (committed, released) = match movement.kind {
        Kind::Commit => (amount, 0),
        Kind::Uncommit => (-amount, 0),
        Kind::Release => (0, amount),
        Kind::Reverse => (0, -amount),
    };
    let budget = programmes::store::current(tx, org, grant.programme).await?.budget_minor;
    let changed = tx
        .query(
            "UPDATE programme SET budget_minor = $5, committed_minor = committed_minor + $3, released_minor = released_minor + $4
             WHERE org = $1 AND id = $2 AND released_minor + $4 <= committed_minor + $3
                 AND ($3 <= 0 OR committed_minor + $3 <= CAST($5 AS BIGINT))",
        )
        .bind(org)
        .bind(grant.programme)
        .bind(committed)
        .bind(released)
        .bind(budget)
        .run()
        .await?;
    if changed == 0 {
        return Err(match budget {
            None => Error::refused("no_budget", "This programme has no budget; without one nothing is approved."),
            Some(_) => Error::refused("over_budget", "The programme's budget is not enough for this."),
        });
    }
    let taken_back = match movement.kind {
        Kind::Release => {
            new_reference(tx, org, grant.programme, movement.reference).await?;
            None
        }
        Kind::Reverse => Some(release_of(tx, org, grant.id, movement.tranche).await?),
        Kind::Commit | Kind::Uncommit => None,
    };
    tx.query(
        "INSERT INTO ledger (org, id, programme, grant_id, tranche, kind, amount_minor, at, member, reference, reason, reverses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(org)
    .bind(new_id())
    .bind(grant.programme)
    .bind(grant.id)
    .bind(movement.tranche)
    .bind(movement.kind.as_str())
    .bind(amount)
    .bind(actor.at)
    .bind(actor.member)
    .bind(movement.reference)
    .bind(movement.reason)
    .bind(taken_back)
    .later()
    .await
}

/// A bank's reference names one payment: twice is a slip, or worse. The programme's row is locked.
async fn new_reference(tx: &mut Tx, org: Uuid, programme: Uuid, reference: &str) -> Result<()> {
    if reference.is_empty() {
        return Ok(());
    }
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM ledger WHERE org = $1 AND programme = $2 AND kind = 'release' AND reference = $3 LIMIT 1")
        .bind(org)
        .bind(programme)
        .bind(reference)
        .optional()
        .await?;
    match taken {
        Some(_) => {
            Err(Error::refused("reference_taken", "A payment with this reference is there already.").field("reference"))
        }
        None => Ok(()),
    }
}

/// The entry by which this part left.
async fn release_of(tx: &mut Tx, org: Uuid, grant: Uuid, tranche: Option<Uuid>) -> Result<Uuid> {
    let row: Option<(Uuid,)> = tx
        .query("SELECT id FROM ledger WHERE org = $1 AND grant_id = $2 AND tranche = $3 AND kind = 'release'")
        .bind(org)
        .bind(grant)
        .bind(tranche)
        .optional()
        .await?;
    row.map(|(id,)| id).ok_or_else(|| Error::refused("wrong_state", "Nothing of this part has left."))
}

/// The programme's money now.
///
/// # Errors
/// 404 for a programme of nobody.
pub async fn of(app: &App, org: Uuid, programme: Uuid) -> Result<Budget> {
    let facts = crate::scope::of_organisation(&app.db, org, "programme", programme).await?;
    let facts: programmes::Programme = serde_json::from_str(&facts)?;
    let (committed_minor, released_minor): (i64, i64) = app
        .db
        .query("SELECT committed_minor, released_minor FROM programme WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(programme)
        .one()
        .await?;
    let remaining_minor = facts.budget_minor.map(|budget| budget - committed_minor);
    Ok(Budget { budget_minor: facts.budget_minor, committed_minor, released_minor, remaining_minor, as_of: app.clock.now() })
}

/// A grant's entries, oldest first.
pub async fn entries(app: &App, org: Uuid, grant: Uuid) -> Result<Vec<Entry>> {
    app.db
        .query(
            "SELECT id, tranche, kind, amount_minor, at, member, reference, reason, reverses FROM ledger
             WHERE org = $1 AND grant_id = $2 ORDER BY at, id",
        )
        .bind(org)
        .bind(grant)
        .all()
        .await
}
