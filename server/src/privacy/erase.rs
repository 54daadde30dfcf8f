//! Erasing one household's personal data: names, numbers, words, places, pictures and signatures go; the figures, the
//! chains of audit and signatures, and the proof of it stay.

use kilele_media::Variant;
use uuid::Uuid;

use super::{Counts, Proof};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed;
use crate::jobs;
use crate::{assessments, enrolments, grants, groups, households, visits};

/// What belongs to household $2: itself, its visits, its enrolments, the groups it was in and their surveys, and the
/// grants it had alone. A grant of a group is the others' too: it stays, without what this household signed.
macro_rules! subjects {
    () => {
        "(SELECT id FROM visit WHERE org = $1 AND household = $2
             UNION ALL SELECT id FROM enrolment WHERE org = $1 AND household = $2
             UNION ALL SELECT business_group FROM business_group_member WHERE org = $1 AND household = $2
             UNION ALL SELECT s.id FROM survey s JOIN business_group_member g
                 ON g.org = s.org AND g.business_group = s.business_group WHERE s.org = $1 AND g.household = $2
             UNION ALL SELECT id FROM grant_file WHERE org = $1 AND household = $2
             UNION ALL SELECT a.id FROM acknowledgement a JOIN grant_file g ON g.org = a.org AND g.id = a.grant_id
                 WHERE a.org = $1 AND g.household = $2
             UNION ALL SELECT u.id FROM utilisation u JOIN grant_file g ON g.org = u.org AND g.id = u.grant_id
                 WHERE u.org = $1 AND g.household = $2
             UNION ALL SELECT id FROM household WHERE org = $1 AND id = $2)"
    };
}

/// Why: the class of retention, or `request`; and what was said of it.
#[derive(Clone, Copy)]
pub struct Why<'w> {
    pub class: &'w str,
    pub reason: Option<&'w str>,
}

impl<'w> Why<'w> {
    /// It was its time.
    pub fn past(class: &'w str) -> Self {
        Self { class, reason: None }
    }

    pub fn asked(reason: &'w str) -> Self {
        Self { class: "request", reason: Some(reason.trim()) }
    }
}

/// Keeps the proof of an erasure.
pub async fn prove(tx: &mut Tx, actor: &Actor, kind: &str, why: Why<'_>, subject: Uuid, counts: &Counts) -> Result<()> {
    let crypto = tx.crypto.clone();
    let mut proof = Proof {
        subject,
        kind: kind.to_owned(),
        class: why.class.to_owned(),
        at: actor.at,
        member: actor.member,
        counts: serde_json::to_string(counts)?,
        reason: why.reason.map(|reason| format!("\"{}\"", crypto.seal(reason))),
        signature: Vec::new(),
    };
    proof.signature = crypto.sign(proof.message(&crypto, actor.org)?.as_bytes());
    tx.query(
        "INSERT INTO erased (org, subject, kind, class, at, member, counts, signature, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (org, subject, at) DO NOTHING",
    )
    .bind(actor.org)
    .bind(subject)
    .bind(proof.kind)
    .bind(proof.class)
    .bind(proof.at)
    .bind(proof.member)
    .bind(proof.counts)
    .bind(proof.signature)
    .bind(proof.reason)
    .run()
    .await
    .map(drop)
}

/// # Errors
/// 409 `erased` when this subject's data was erased before.
pub async fn demand_kept(tx: &mut Tx, org: Uuid, subject: Uuid) -> Result<()> {
    let known: Option<(Millis,)> =
        tx.query("SELECT at FROM erased WHERE org = $1 AND subject = $2 LIMIT 1").bind(org).bind(subject).optional().await?;
    match known {
        Some(_) => Err(Error::conflict("erased", "This was erased already.")),
        None => Ok(()),
    }
}

/// Ids of one table's rows that belong to the household.
async fn ids(tx: &mut Tx, sql: &'static str, org: Uuid, household: Uuid) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = tx.query(sql).bind(org).bind(household).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Erases a household, and those that were found to be it.
///
/// # Errors
/// As [`household`].
pub async fn family(tx: &mut Tx, actor: &Actor, id: Uuid, why: Why<'_>) -> Result<Counts> {
    let merged = ids(tx, "SELECT id FROM household WHERE org = $1 AND merged_into = $2", actor.org, id).await?;
    for one in merged {
        match household(tx, actor, one, why).await {
            Err(error) if error.code() == "erased" => {}
            erased => _ = erased?,
        }
    }
    household(tx, actor, id, why).await
}

/// Erases a household. Its pictures' bytes go by a job, as soon as this is committed.
///
/// # Errors
/// 404; 409 `erased` when it was erased before.
pub async fn household(tx: &mut Tx, actor: &Actor, id: Uuid, why: Why<'_>) -> Result<Counts> {
    let org = actor.org;
    let place = households::store::feed_of(tx, org, id).await?;
    demand_kept(tx, org, id).await?;
    let told: Vec<(Uuid, Uuid)> = tx
        .query(concat!("SELECT member, id FROM inbox WHERE org = $1 AND subject IN ", subjects!()))
        .bind(org)
        .bind(id)
        .all()
        .await?;
    let far = Elsewhere::of(tx, org, id).await?.feeds();
    let mut feeds = feed::lock(tx, org, told.iter().map(|(member, _)| *member).chain(far).chain([place])).await?;
    let elsewhere = Elsewhere::of(tx, org, id).await?;
    if !elsewhere.feeds().into_iter().all(|feed| feeds.holds(feed)) {
        return Err(Error::unavailable("It moved just now. Try again."));
    }
    let Elsewhere { granted, received, grouped, surveyed, pictures, signed } = &elsewhere;
    let crypto = tx.crypto.clone();
    let mut counts = Counts::default();

    let visited = ids(tx, "SELECT id FROM visit WHERE org = $1 AND household = $2", org, id).await?;
    let open = ids(tx, "SELECT id FROM conflict WHERE org = $1 AND record = $2", org, id).await?;

    let mut record = households::store::current(tx, &crypto, org, place, id).await?;
    let names = names_of(&record.facts);
    let number = record.number.clone().unwrap_or_else(|| "–".into());
    record.facts = households::Facts::of_nobody(number);
    (record.photo, record.photo_placeholder) = (None, None);
    // That it agreed, and when, stays; what was said of it goes, and what other households told of it.
    record.consents.iter_mut().for_each(|step| step.reason.clear());
    record.merges.iter_mut().for_each(|merged| merged.fields.clear());
    (record.updated_at, record.revision) = (actor.at, feeds.revision(place));
    households::store::put(tx, &crypto, &feeds, &record).await?;
    for visit in &visited {
        let mut visit = visits::store::current(tx, org, place, *visit).await?;
        visit.findings.forget();
        visit.note = None;
        (visit.updated_at, visit.revision) = (actor.at, feeds.revision(place));
        visits::store::put(tx, &feeds, &visit).await?;
    }
    let assessed = ids(tx, "SELECT id FROM assessment WHERE org = $1 AND household = $2", org, id).await?;
    for one in &assessed {
        let mut assessment = assessments::store::current(tx, org, place, *one).await?;
        assessment.answers.clear();
        assessment.note.clear();
        // Each factor tells of its answers; the score alone does not.
        assessment.factors.clear();
        assessment.failed.clear();
        assessment.blocks.clear();
        (assessment.updated_at, assessment.revision) = (actor.at, feeds.revision(place));
        feeds.put(tx, place, "assessment", *one, &assessment).await?;
    }
    let enrolled = ids(tx, "SELECT id FROM enrolment WHERE org = $1 AND household = $2", org, id).await?;
    for one in &enrolled {
        let mut enrolment = enrolments::store::current(tx, org, place, *one).await?;
        enrolment.position = None;
        enrolment.history.iter_mut().for_each(|step| step.reason.clear());
        enrolment.milestones.iter_mut().for_each(|rung| rung.reason.clear());
        (enrolment.updated_at, enrolment.revision) = (actor.at, feeds.revision(place));
        enrolments::store::put(tx, &feeds, &enrolment).await?;
    }
    for (one, feed) in granted {
        let mut grant = grants::store::current(tx, org, *feed, *one).await?;
        grant.forget();
        (grant.updated_at, grant.revision) = (actor.at, feeds.revision(*feed));
        grants::store::put(tx, &feeds, &grant).await?;
    }
    for (one, feed) in received {
        let mut receipt = grants::store::acknowledgement(tx, org, *feed, *one).await?;
        (receipt.note, receipt.position, receipt.revision) = (String::new(), Default::default(), feeds.revision(*feed));
        feeds.put(tx, *feed, "acknowledgement", *one, &receipt).await?;
    }
    for (one, feed) in grouped {
        let mut group = groups::store::current(tx, org, *feed, *one).await?;
        group.forget(&names);
        (group.updated_at, group.revision) = (actor.at, feeds.revision(*feed));
        groups::store::put(tx, &feeds, &group).await?;
    }
    for (one, feed) in surveyed {
        let mut survey = groups::store::survey(tx, org, *feed, *one).await?;
        survey.findings.forget();
        survey.revision = feeds.revision(*feed);
        feeds.put(tx, *feed, "survey", *one, &survey).await?;
    }
    for (kind, gone) in [("evidence", pictures), ("signature", signed)] {
        for (one, feed) in gone {
            feeds.remove(tx, *feed, kind, *one).await?;
        }
    }
    for one in &open {
        feeds.remove(tx, place, "conflict", *one).await?;
    }
    for (member, entry) in &told {
        feeds.remove(tx, *member, "inbox", *entry).await?;
    }
    let hashes: Vec<(String,)> = tx.query(HASHES).bind(org).bind(id).all().await?;
    let forget =
        concat!("UPDATE signature SET record = $3 WHERE org = $1 AND (household = $2 OR subject IN ", subjects!(), ")");
    tx.query(forget).bind(org).bind(id).bind(Vec::<u8>::new()).run().await?;
    for sql in GONE {
        tx.query(sql).bind(org).bind(id).run().await?;
    }
    let kept =
        granted.len() + received.len() + visited.len() + assessed.len() + enrolled.len() + grouped.len() + surveyed.len();
    counts.records = 1 + (kept + open.len() + told.len()) as i64;
    counts.pictures = pictures.len() as i64;
    counts.signatures = signed.len() as i64;
    for subject in [&[id][..], &visited, &assessed, &enrolled, &open, &elsewhere.ids()].concat() {
        let events = audit::forget(tx, org, subject).await?;
        counts.events += events;
        if events > 0 && subject != id {
            prove(tx, actor, "part", Why::past(why.class), subject, &Counts { events, ..Counts::default() }).await?;
        }
    }
    for (sha256,) in hashes {
        let new =
            jobs::New { kind: "media.forget", dedupe: format!("forget {org} {sha256} {}", actor.at), run_at: actor.at };
        jobs::enqueue(tx, org, new, &sha256).await?;
    }
    prove(tx, actor, "household", why, id, &counts).await?;
    let nothing = (None::<&()>, None::<&()>);
    audit::append(tx, &mut feeds, place, actor, "household.erase", ("household", id), nothing).await?;
    Ok(counts)
}

/// What may stand in another village's feed, each with that feed: when a household moves, the groups it had left, their
/// surveys and grants that are over stay behind.
struct Elsewhere {
    granted: Vec<(Uuid, Uuid)>,
    received: Vec<(Uuid, Uuid)>,
    grouped: Vec<(Uuid, Uuid)>,
    surveyed: Vec<(Uuid, Uuid)>,
    pictures: Vec<(Uuid, Uuid)>,
    signed: Vec<(Uuid, Uuid)>,
}

impl Elsewhere {
    async fn of(tx: &mut Tx, org: Uuid, household: Uuid) -> Result<Self> {
        let mut found = Vec::with_capacity(6);
        for sql in [GRANTED, RECEIVED, GROUPS, SURVEYS, PICTURES, SIGNATURES] {
            found.push(tx.query(sql).bind(org).bind(household).all::<(Uuid, Uuid)>().await?);
        }
        let mut found = found.into_iter();
        let mut next = || found.next().unwrap_or_default();
        Ok(Self { granted: next(), received: next(), grouped: next(), surveyed: next(), pictures: next(), signed: next() })
    }

    fn all(&self) -> impl Iterator<Item = &(Uuid, Uuid)> {
        let Self { granted, received, grouped, surveyed, pictures, signed } = self;
        [granted, received, grouped, surveyed, pictures, signed].into_iter().flatten()
    }

    fn ids(&self) -> Vec<Uuid> {
        self.all().map(|(id, _)| *id).collect()
    }

    fn feeds(&self) -> Vec<Uuid> {
        self.all().map(|(_, feed)| *feed).collect()
    }
}

/// The words of the names in a household, by which what is called after it is known.
fn names_of(facts: &households::Facts) -> Vec<String> {
    let names = facts.members.iter().map(|member| member.name.as_str()).chain([facts.head_name.as_str()]);
    let words = names.flat_map(str::split_whitespace).filter(|word| word.chars().count() > 2);
    words.map(str::to_lowercase).collect()
}

const GRANTED: &str = "SELECT id, feed FROM grant_file WHERE org = $1 AND household = $2";
const RECEIVED: &str = "SELECT a.id, a.feed FROM acknowledgement a JOIN grant_file g ON g.org = a.org AND g.id = a.grant_id
     WHERE a.org = $1 AND g.household = $2";
const GROUPS: &str = "SELECT b.id, b.feed FROM business_group b JOIN business_group_member g
     ON g.org = b.org AND g.business_group = b.id WHERE b.org = $1 AND g.household = $2";
const SURVEYS: &str = "SELECT s.id, s.feed FROM survey s JOIN business_group_member g
     ON g.org = s.org AND g.business_group = s.business_group WHERE s.org = $1 AND g.household = $2";
const PICTURES: &str = concat!("SELECT id, feed FROM evidence WHERE org = $1 AND subject IN ", subjects!());
const SIGNATURES: &str = concat!(
    "SELECT s.id, e.feed FROM signature s JOIN feed_entry e ON e.org = s.org AND e.id = s.id AND NOT e.deleted
     WHERE s.org = $1 AND (s.household = $2 OR s.subject IN ",
    subjects!(),
    ")"
);
const HASHES: &str = concat!("SELECT DISTINCT sha256 FROM evidence WHERE org = $1 AND subject IN ", subjects!());

/// In this order: what names another goes first. Of a signature its place in the chain stays, with the hash of what was
/// signed.
const GONE: [&str; 7] = [
    "DELETE FROM duplicate WHERE org = $1 AND (one = $2 OR other = $2)",
    concat!(
        "DELETE FROM upload_sealed WHERE org = $1 AND upload IN (SELECT id FROM upload WHERE org = $1
             AND evidence IN (SELECT id FROM evidence WHERE org = $1 AND subject IN ",
        subjects!(),
        "))"
    ),
    concat!(
        "DELETE FROM upload WHERE org = $1 AND evidence IN (SELECT id FROM evidence WHERE org = $1 AND subject IN ",
        subjects!(),
        ")"
    ),
    concat!("DELETE FROM evidence WHERE org = $1 AND subject IN ", subjects!()),
    concat!("DELETE FROM capture WHERE org = $1 AND subject IN ", subjects!()),
    concat!("DELETE FROM inbox WHERE org = $1 AND subject IN ", subjects!()),
    "DELETE FROM conflict WHERE org = $1 AND record = $2",
];

/// Removes a picture's bytes, unless other evidence has the same.
///
/// # Errors
/// When database or storage do not answer; then it is tried again.
pub async fn forget_picture(app: &App, org: Uuid, body: &str) -> Result<()> {
    let sha256: String = serde_json::from_str(body)?;
    let named: Option<(Uuid,)> = app
        .db
        .query("SELECT id FROM evidence WHERE org = $1 AND sha256 = $2 LIMIT 1")
        .bind(org)
        .bind(sha256.as_str())
        .optional()
        .await?;
    if named.is_some() {
        return Ok(());
    }
    for variant in [Variant::Original, Variant::Full, Variant::Card, Variant::Thumb] {
        app.store.delete(&org.to_string(), &sha256, variant).await?;
    }
    app.db
        .write(move |tx| {
            Box::pin(async move {
                for sql in [
                    "DELETE FROM derivative WHERE org = $1 AND sha256 = $2",
                    "DELETE FROM blob WHERE org = $1 AND sha256 = $2",
                ] {
                    tx.query(sql).bind(org).bind(sha256.as_str()).run().await?;
                }
                Ok(())
            })
        })
        .await
}
