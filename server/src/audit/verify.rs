//! Walking the chains: every feed's from its first event to its head, and the organisation's over them.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use super::{Actor, material, seal};
use crate::app::App;
use crate::clock::Millis;
use crate::crypto::{Crypto, hex, sha256};
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::privacy::Proof;

#[derive(sqlx::FromRow)]
struct Event {
    sequence: i64,
    at: Millis,
    member: Option<Uuid>,
    device: Option<Uuid>,
    action: String,
    subject_kind: String,
    subject: Uuid,
    change: String,
    digest: Option<Vec<u8>>,
    hash: Vec<u8>,
}

/// How an event stands to its hash.
enum Fit {
    Whole,
    /// Its change was erased; the rest fits.
    Erased,
    /// Erased, and of the first version: only its place in the chain is proved.
    Place,
    No,
}

impl Event {
    /// Whether its hash is over `change` and the rest of it.
    fn hashes(&self, org: Uuid, feed: Uuid, change: &str, before: Option<&[u8]>) -> bool {
        let actor = Actor { org, member: self.member, device: self.device, at: self.at };
        let subject = (self.subject_kind.as_str(), self.subject);
        self.hash == sha256(&material(org, feed, self.sequence, &actor, &self.action, subject, change, before))
    }

    fn fits(&self, crypto: &Crypto, org: Uuid, feed: Uuid, before: Option<&[u8]>) -> Fit {
        let hash = |change: &str| self.hashes(org, feed, change, before);
        match &self.digest {
            Some(digest) if !self.change.is_empty() || digest.len() > 32 => Fit::No,
            Some(digest) if digest.is_empty() => Fit::Place,
            Some(digest) if hash(&hex(digest)) => Fit::Erased,
            Some(_) => Fit::No,
            None if hash(&hex(&crypto.audit(&self.change))) || hash(&self.change) => Fit::Whole,
            None => Fit::No,
        }
    }
}

/// What was found of one organisation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub organisation: String,
    pub feeds: i64,
    pub events: i64,
    pub seals: i64,
    /// Events whose change was erased, as an erasure of their subject says.
    pub erased: i64,
    /// What does not fit, in words.
    pub broken: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organisation, feeds, events, seals, erased, broken } = self;
        writeln!(
            f,
            "{organisation}: {events} events in {feeds} feeds, {seals} seals, {erased} erased, {} broken",
            broken.len()
        )?;
        broken.iter().try_for_each(|what| writeln!(f, "  {what}"))
    }
}

/// Sealed heads of one feed: sequence and hash.
type Sealed = Vec<(i64, String)>;

/// Walks one feed's chain from its first event to the head in the feed's row.
///
/// Answers how many events were checked, or the first sequence that does not fit.
pub async fn verify(app: &App, org: Uuid, feed: Uuid) -> Result<Result<i64, i64>> {
    walk(&app.db, &app.crypto, org, feed, &Sealed::new(), &mut HashSet::new(), &mut 0).await
}

/// Events that are read at once.
const SOME: i64 = 2_000;

async fn walk(
    db: &Db,
    crypto: &Crypto,
    org: Uuid,
    feed: Uuid,
    sealed: &Sealed,
    subjects: &mut HashSet<Uuid>,
    erased: &mut i64,
) -> Result<Result<i64, i64>> {
    let (length, head): (i64, Option<Vec<u8>>) = db
        .query("SELECT audit_sequence, audit_head FROM feed WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(feed)
        .one()
        .await?;
    let (mut before, mut seen): (Option<Vec<u8>>, i64) = (None, 0);
    let mut sealed = sealed.iter().peekable();
    loop {
        let events: Vec<Event> = db
            .query(
                "SELECT sequence, at, member, device, action, subject_kind, subject, change, digest, hash FROM audit
                 WHERE org = $1 AND feed = $2 AND sequence > $3 AND sequence <= $4 ORDER BY sequence LIMIT CAST($5 AS BIGINT)",
            )
            .bind(org)
            .bind(feed)
            .bind(seen)
            // What is appended while this is read is the next one's business.
            .bind(length)
            .bind(SOME)
            .all()
            .await?;
        let last = (events.len() as i64) < SOME;
        for event in events {
            match event.fits(crypto, org, feed, before.as_deref()) {
                _ if event.sequence != seen + 1 => return Ok(Err(seen + 1)),
                Fit::No => return Ok(Err(seen + 1)),
                Fit::Whole => {}
                Fit::Erased | Fit::Place => {
                    *erased += 1;
                    subjects.insert(event.subject);
                }
            }
            seen = event.sequence;
            while let Some((_, hash)) = sealed.next_if(|(sequence, _)| *sequence <= seen) {
                if *hash != hex(&event.hash) {
                    return Ok(Err(seen));
                }
            }
            before = Some(event.hash);
        }
        if last {
            break;
        }
    }
    // More than the head counts would be events that nobody appended.
    let (more,): (i64,) = db
        .query("SELECT count(*) FROM audit a JOIN feed f ON f.org = a.org AND f.id = a.feed WHERE a.org = $1 AND a.feed = $2 AND a.sequence > f.audit_sequence")
        .bind(org)
        .bind(feed)
        .one()
        .await?;
    let fits = seen == length && before == head && more == 0 && sealed.next().is_none();
    Ok(if fits { Ok(length) } else { Err(seen + 1) })
}

/// Verifies all chains of one organisation, and that nothing was erased without an erasure.
pub async fn organisation(app: &App, org: Uuid, code: &str) -> Result<Report> {
    let mut report = Report { organisation: code.to_owned(), ..Report::default() };
    let (seals, broken) = seal::read(app, org).await?;
    report.seals = seals.len() as i64;
    report.broken.extend(broken.map(|at| format!("the organisation's chain breaks at seal {at}")));
    let mut sealed: HashMap<Uuid, Sealed> = HashMap::new();
    for (feed, sequence, hash) in seals.into_iter().flatten() {
        sealed.entry(feed).or_default().push((sequence, hash));
    }
    let feeds: Vec<(Uuid, String)> =
        app.db.query("SELECT id, kind FROM feed WHERE org = $1 ORDER BY id").bind(org).all().await?;
    let mut subjects = HashSet::new();
    for (feed, kind) in feeds {
        report.feeds += 1;
        let heads = sealed.remove(&feed).unwrap_or_default();
        match walk(&app.db, &app.crypto, org, feed, &heads, &mut subjects, &mut report.erased).await? {
            Ok(events) => report.events += events,
            Err(at) => report.broken.push(format!("the chain of {kind} {feed} breaks at event {at}")),
        }
    }
    report.broken.extend(sealed.into_keys().map(|feed| format!("feed {feed} was sealed and is gone")));
    let erasures = proofs(app, org, &mut report).await?;
    report
        .broken
        .extend(subjects.difference(&erasures).map(|subject| format!("events of {subject} were erased without an erasure")));
    Ok(report)
}

/// Whom an erasure names; one that this server did not sign is none.
async fn proofs(app: &App, org: Uuid, report: &mut Report) -> Result<HashSet<Uuid>> {
    let proofs: Vec<Proof> = app
        .db
        .query("SELECT subject, kind, class, at, member, counts, reason, signature FROM erased WHERE org = $1")
        .bind(org)
        .all()
        .await?;
    let mut named = HashSet::new();
    for proof in proofs {
        if proof.holds(&app.crypto, org) {
            named.insert(proof.subject);
        } else {
            report.broken.push(format!("the proof of the erasure of {} is not this server's", proof.subject));
        }
    }
    Ok(named)
}

/// Takes away what changed in every event of a subject; that it changed, when and by whom stays provable. Answers how
/// many there were.
pub async fn forget(tx: &mut Tx, org: Uuid, subject: Uuid) -> Result<i64> {
    let places: Vec<(Uuid, i64)> = tx
        .query("SELECT feed, sequence FROM audit WHERE org = $1 AND subject = $2 AND digest IS NULL AND change <> 'null'")
        .bind(org)
        .bind(subject)
        .all()
        .await?;
    for (feed, sequence) in &places {
        // An event of the first version covers its text: without it, only its place in the chain is left.
        let digest = digest(tx, org, *feed, *sequence).await?.unwrap_or_default();
        tx.query("UPDATE audit SET change = '', digest = $4 WHERE org = $1 AND feed = $2 AND sequence = $3")
            .bind(org)
            .bind(*feed)
            .bind(*sequence)
            .bind(digest)
            .run()
            .await?;
    }
    Ok(places.len() as i64)
}

/// What an event's hash covers of its change; nothing when that is the text itself.
async fn digest(tx: &mut Tx, org: Uuid, feed: Uuid, sequence: i64) -> Result<Option<Vec<u8>>> {
    let mut events: Vec<Event> = tx
        .query(
            "SELECT sequence, at, member, device, action, subject_kind, subject, change, digest, hash FROM audit
             WHERE org = $1 AND feed = $2 AND sequence IN ($3, $4) ORDER BY sequence DESC",
        )
        .bind(org)
        .bind(feed)
        .bind(sequence)
        .bind(sequence - 1)
        .all()
        .await?;
    let before = events.pop_if(|event| event.sequence < sequence).map(|event| event.hash);
    let Some(event) = events.pop() else { return Ok(None) };
    let digest = tx.crypto.audit(&event.change);
    Ok(event.hashes(org, feed, &hex(&digest), before.as_deref()).then_some(digest))
}

/// Whether an event's change may be sealed by another key without a break in its chain.
pub async fn reseals(tx: &mut Tx, org: Uuid, feed: Uuid, sequence: i64) -> Result<bool> {
    Ok(digest(tx, org, feed, sequence).await?.is_some())
}
