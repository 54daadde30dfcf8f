//! How certificates are kept: what holds now in one row, each step of its life in a row of its own.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Certificate, NewCertificate, Step, StepKind, Term};
use crate::audit::{self, Actor};
use crate::auth::{Member, Reader};
use crate::clock::{Millis, new_id};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::feed;

/// Whose certificates somebody sees: their own, those of whoever answers to them, or all.
pub struct Seer {
    org: Uuid,
    id: Uuid,
    all: bool,
}

impl Seer {
    pub fn of(reader: &Reader) -> Self {
        let member: &Member = reader;
        Self { org: member.org, id: member.id, all: reader.member_manager().is_ok() }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    member: Uuid,
    member_name: String,
    name: String,
    issued_by: String,
    state: String,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    certificate: Uuid,
    kind: String,
    number: String,
    issued_on: Option<String>,
    expires_on: Option<String>,
    reason: String,
    by_member: Uuid,
    by_name: String,
    at: Millis,
}

pub async fn list(db: &Db, seer: &Seer, member: Option<Uuid>, id: Option<Uuid>) -> Result<Vec<Certificate>> {
    let rows: Vec<Row> = db
        .query(
            "SELECT c.id, c.member, a.name AS member_name, c.name, c.issued_by, c.state FROM certificate c
             JOIN member m ON m.org = c.org AND m.id = c.member JOIN account a ON a.id = m.account
             WHERE c.org = $1 AND (m.id = $2 OR m.supervisor = $2 OR $3)
                 AND ($4 IS NULL OR c.member = $4) AND ($5 IS NULL OR c.id = $5)
             ORDER BY c.state, COALESCE(c.expires_on, '9999'), c.name, c.id LIMIT 2000",
        )
        .bind(seer.org)
        .bind(seer.id)
        .bind(seer.all)
        .bind(member)
        .bind(id)
        .all()
        .await?;
    let steps: Vec<StepRow> = db
        .query(
            "SELECT s.certificate, s.kind, s.number, s.issued_on, s.expires_on, s.reason, s.by_member, b.name AS by_name, s.at
             FROM certificate_step s
             JOIN certificate c ON c.org = s.org AND c.id = s.certificate
             JOIN member m ON m.org = c.org AND m.id = c.member
             JOIN member w ON w.org = s.org AND w.id = s.by_member JOIN account b ON b.id = w.account
             WHERE s.org = $1 AND (m.id = $2 OR m.supervisor = $2 OR $3)
                 AND ($4 IS NULL OR c.member = $4) AND ($5 IS NULL OR c.id = $5)
             ORDER BY s.certificate, s.sequence",
        )
        .bind(seer.org)
        .bind(seer.id)
        .bind(seer.all)
        .bind(member)
        .bind(id)
        .all()
        .await?;
    let mut of: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for row in steps {
        let kind = StepKind::parse(&row.kind).ok_or_else(|| anyhow::anyhow!("a step is {}", row.kind))?;
        let StepRow { certificate, number, issued_on, expires_on, reason, by_member, by_name, at, .. } = row;
        let step = Step { kind, number, issued_on, expires_on, reason, by: by_member, by_name, at };
        of.entry(certificate).or_default().push(step);
    }
    Ok(rows.into_iter().map(|row| shown(row, &mut of)).collect())
}

fn shown(row: Row, of: &mut HashMap<Uuid, Vec<Step>>) -> Certificate {
    let history = of.remove(&row.id).unwrap_or_default();
    let holds = history.iter().rev().find(|step| step.kind != StepKind::Withdraw);
    Certificate {
        id: row.id,
        member: row.member,
        member_name: row.member_name,
        name: row.name,
        issued_by: row.issued_by,
        withdrawn: row.state == "withdrawn",
        number: holds.map(|step| step.number.clone()).unwrap_or_default(),
        issued_on: holds.and_then(|step| step.issued_on.clone()),
        expires_on: holds.and_then(|step| step.expires_on.clone()),
        history,
    }
}

pub async fn add(tx: &mut Tx, actor: &Actor, seer: &Seer, new: NewCertificate) -> Result<Uuid> {
    let (org, id, member) = (actor.org, new_id(), new.member.unwrap_or(seer.id));
    let row: Option<(Uuid,)> = tx
        .query(
            "SELECT id FROM member WHERE org = $1 AND id = $2 AND active AND role NOT IN ('oversight', 'beneficiary')
                 AND (id = $3 OR supervisor = $3 OR $4)",
        )
        .bind(org)
        .bind(member)
        .bind(seer.id)
        .bind(seer.all)
        .optional()
        .await?;
    row.ok_or_else(|| Error::not_found("member").field("member"))?;
    tx.query(
        "INSERT INTO certificate (org, id, member, name, issued_by, state, expires_on, created_at)
         VALUES ($1, $2, $3, $4, $5, 'valid', $6, $7)",
    )
    .bind(org)
    .bind(id)
    .bind(member)
    .bind(new.name.trim())
    .bind(new.issued_by.trim())
    .bind(new.term.expires_on.clone())
    .bind(actor.at)
    .run()
    .await?;
    append(tx, actor, (id, member, 1), (StepKind::Add, new.term, String::new())).await?;
    Ok(id)
}

/// # Errors
/// 404 for one that the caller does not see; 409 `withdrawn`.
pub async fn step(tx: &mut Tx, actor: &Actor, seer: &Seer, id: Uuid, what: (StepKind, Term, String)) -> Result<()> {
    let org = actor.org;
    let whose: Option<(Uuid,)> = tx
        .query(
            "SELECT m.id FROM certificate c JOIN member m ON m.org = c.org AND m.id = c.member
             WHERE c.org = $1 AND c.id = $2 AND (m.id = $3 OR m.supervisor = $3 OR $4)",
        )
        .bind(org)
        .bind(id)
        .bind(seer.id)
        .bind(seer.all)
        .optional()
        .await?;
    let (member,) = whose.ok_or_else(|| Error::not_found("certificate"))?;
    // Whoever does something with it at the same moment waits for its row.
    let changed = match what.0 {
        StepKind::Withdraw => {
            tx.query("UPDATE certificate SET state = 'withdrawn' WHERE org = $1 AND id = $2 AND state = 'valid'")
                .bind(org)
                .bind(id)
                .run()
                .await?
        }
        _ => {
            tx.query("UPDATE certificate SET expires_on = $3 WHERE org = $1 AND id = $2 AND state = 'valid'")
                .bind(org)
                .bind(id)
                .bind(what.1.expires_on.clone())
                .run()
                .await?
        }
    };
    if changed == 0 {
        return Err(Error::conflict("withdrawn", "This certificate was withdrawn already."));
    }
    let (last,): (i64,) = tx
        .query("SELECT max(sequence) FROM certificate_step WHERE org = $1 AND certificate = $2")
        .bind(org)
        .bind(id)
        .one()
        .await?;
    append(tx, actor, (id, member, last + 1), what).await
}

async fn append(
    tx: &mut Tx,
    actor: &Actor,
    (id, member, sequence): (Uuid, Uuid, i64),
    (kind, term, reason): (StepKind, Term, String),
) -> Result<()> {
    tx.query(
        "INSERT INTO certificate_step (org, certificate, sequence, kind, number, issued_on, expires_on, reason, by_member, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(actor.org)
    .bind(id)
    .bind(sequence)
    .bind(kind.as_str())
    .bind(term.number.as_deref().unwrap_or_default().trim())
    .bind(term.issued_on.clone())
    .bind(term.expires_on.clone())
    .bind(reason.as_str())
    .bind(actor.member)
    .bind(actor.at)
    .run()
    .await?;
    let action = match kind {
        StepKind::Add => "certificate.add",
        StepKind::Renew => "certificate.renew",
        StepKind::Withdraw => "certificate.withdraw",
    };
    let said = serde_json::json!({ "member": member, "issued_on": term.issued_on, "expires_on": term.expires_on });
    let mut feeds = feed::lock(tx, actor.org, [member]).await?;
    let change = (None::<&serde_json::Value>, Some(&said));
    audit::append(tx, &mut feeds, member, actor, action, ("certificate", id), change).await
}
