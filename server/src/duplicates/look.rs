//! Looking for duplicates: households that were registered or changed are compared with all others of the organisation, a
//! minute's work at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use uuid::Uuid;

use super::store::ordered;
use crate::app::App;
use crate::clock::{MINUTE, Millis, new_id};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::imports::alike::{Index, Person, Score};
use crate::jobs;
use crate::packed;

/// Has a household compared with all others: within a minute, together with what else changes in it.
pub async fn look_soon(tx: &mut Tx, org: Uuid, household: Uuid, now: Millis) -> Result<()> {
    tx.query(
        "INSERT INTO duplicate_look (org, household, mark) VALUES ($1, $2, $3)
         ON CONFLICT (org, household) DO UPDATE SET mark = excluded.mark",
    )
    .bind(org)
    .bind(household)
    .bind(new_id())
    .later()
    .await?;
    let minute = now / MINUTE + 1;
    let new = jobs::New { kind: "duplicates", dedupe: format!("duplicates {org} {minute}"), run_at: minute * MINUTE };
    jobs::enqueue(tx, org, new, &()).await
}

/// Has every household compared again, at once. Answers how many.
pub async fn look_now(tx: &mut Tx, org: Uuid, now: Millis) -> Result<i64> {
    tx.query(
        "INSERT INTO duplicate_look (org, household, mark)
         SELECT org, id, $2 FROM household WHERE org = $1 AND merged_into IS NULL ORDER BY id
         ON CONFLICT (org, household) DO UPDATE SET mark = excluded.mark",
    )
    .bind(org)
    .bind(new_id())
    .run()
    .await?;
    let (count,): (i64,) = tx.query("SELECT count(*) FROM duplicate_look WHERE org = $1").bind(org).one().await?;
    let new = jobs::New { kind: "duplicates", dedupe: format!("duplicates {org} {}", new_id()), run_at: now };
    jobs::enqueue(tx, org, new, &()).await?;
    Ok(count)
}

/// What nobody asked for yet: households that were there before, or came from a file.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let waiting: Vec<(Uuid,)> = app.db.query("SELECT DISTINCT org FROM duplicate_look").all().await?;
    for (org,) in waiting {
        let dedupe = format!("duplicates {org} {}", now / MINUTE + 1);
        let work = app.db.write(move |tx| {
            Box::pin(async move {
                let new = jobs::New { kind: "duplicates", dedupe, run_at: now };
                jobs::enqueue(tx, org, new, &()).await
            })
        });
        work.await?;
    }
    Ok(())
}

/// A pair that was found.
struct Found {
    pair: (Uuid, Uuid),
    score: Score,
    same_id: bool,
}

type Marks = HashMap<Uuid, Uuid>;

/// Compares what is marked with everybody.
///
/// # Errors
/// When the database does not answer: it is done again.
pub async fn job(app: &App, org: Uuid) -> Result<()> {
    // As imports: the whole register in memory, one at a time.
    let _turn = app.tables.acquire().await.map_err(Error::unexpected)?;
    let marks: Vec<(Uuid, Uuid)> =
        app.db.query("SELECT household, mark FROM duplicate_look WHERE org = $1").bind(org).all().await?;
    if marks.is_empty() {
        return Ok(());
    }
    let marks: Marks = marks.into_iter().collect();
    let kept = kept(app, org).await?;
    let places: Vec<(Uuid, Option<Uuid>)> =
        app.db.query("SELECT id, parent FROM place WHERE org = $1").bind(org).all().await?;
    let wanted = marks.clone();
    let compared = tokio::task::spawn_blocking(move || compare(kept, &places.into_iter().collect(), &wanted));
    let found = compared.await.map_err(Error::unexpected)??;
    let now = app.clock.now();
    app.db.write(move |tx| Box::pin(async move { settle(tx, org, &marks, found, now).await })).await
}

type Kept = (Uuid, Uuid, Option<Vec<u8>>, Vec<u8>);

/// All households that stand for themselves, as they are kept: a page at a time, so that nobody waits for them.
async fn kept(app: &App, org: Uuid) -> Result<Vec<Kept>> {
    const SOME: i64 = 2_000;
    let (mut all, mut last): (Vec<Kept>, _) = (Vec::new(), Uuid::nil());
    loop {
        let page: Vec<Kept> = app
            .db
            .query(
                "SELECT h.id, h.feed, h.national_id_hash, e.body FROM household h
                 JOIN feed_entry e ON e.org = h.org AND e.id = h.id AND e.feed = h.feed
                 WHERE h.org = $1 AND h.id > $2 AND h.merged_into IS NULL AND NOT e.deleted
                 ORDER BY h.id LIMIT CAST($3 AS BIGINT)",
            )
            .bind(org)
            .bind(last)
            .bind(SOME)
            .all()
            .await?;
        let full = page.len() as i64 == SOME;
        last = page.last().map_or(last, |(id, ..)| *id);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

/// CPU work: seconds for the largest registers.
fn compare(kept: Vec<Kept>, above: &HashMap<Uuid, Option<Uuid>>, marks: &Marks) -> Result<Vec<Found>> {
    #[derive(Deserialize)]
    struct Head {
        head_name: String,
        #[serde(default)]
        head_birth_date: Option<String>,
    }
    let (mut index, mut ids) = (Index::default(), Vec::with_capacity(kept.len()));
    let mut people: Vec<Person> = Vec::with_capacity(kept.len());
    let mut by_national_id: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (id, village, national_id, body) in kept {
        let head: Head = serde_json::from_str(&packed::open(&body)?)?;
        let parent = above.get(&village).copied().flatten();
        let person = Person::new(&head.head_name, head.head_birth_date.as_deref(), village, parent);
        if let Some(national_id) = national_id {
            by_national_id.entry(national_id).or_default().push(ids.len());
        }
        index.add(person.clone());
        people.push(person);
        ids.push(id);
    }
    let mut found: BTreeMap<(Uuid, Uuid), Found> = BTreeMap::new();
    let mut note = |one: usize, other: usize, score: Score, same_id: bool| {
        let pair = ordered((ids[one], ids[other]));
        found.entry(pair).or_insert(Found { pair, score, same_id }).same_id |= same_id;
    };
    for at in (0..ids.len()).filter(|at| marks.contains_key(&ids[*at])) {
        for (other, score) in index.find_like(at) {
            note(at, other, score, false);
        }
    }
    for same in by_national_id.into_values().filter(|same| same.len() > 1) {
        for (n, one) in same.iter().enumerate() {
            for other in &same[n + 1..] {
                if marks.contains_key(&ids[*one]) || marks.contains_key(&ids[*other]) {
                    note(*one, *other, people[*one].score(&people[*other]), true);
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Keeps what was found; open pairs that are no longer alike go. What a person decided stays decided.
async fn settle(tx: &mut Tx, org: Uuid, marks: &Marks, found: Vec<Found>, now: Millis) -> Result<()> {
    // What changed meanwhile has another mark, and is compared again.
    for mark in marks.values().collect::<BTreeSet<_>>() {
        tx.query("DELETE FROM duplicate_look WHERE org = $1 AND mark = $2").bind(org).bind(*mark).run().await?;
    }
    let open: Vec<(Uuid, Uuid)> = tx
        .query("SELECT one, other FROM duplicate WHERE org = $1 AND state = 'open' ORDER BY one, other")
        .bind(org)
        .all()
        .await?;
    let alike: BTreeSet<(Uuid, Uuid)> = found.iter().map(|one| one.pair).collect();
    let compared = |(one, other): &(Uuid, Uuid)| marks.contains_key(one) || marks.contains_key(other);
    for (one, other) in open.into_iter().filter(|pair| compared(pair) && !alike.contains(pair)) {
        tx.query("DELETE FROM duplicate WHERE org = $1 AND one = $2 AND other = $3 AND state = 'open'")
            .bind(org)
            .bind(one)
            .bind(other)
            .run()
            .await?;
    }
    for Found { pair: (one, other), score, same_id } in found {
        let rank = if same_id { 100 + score.sum() } else { score.sum() };
        tx.query(
            "INSERT INTO duplicate (org, one, other, rank, score, name_score, sound_score, birth_score, place_score, same_id,
                 state, found_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11)
             ON CONFLICT (org, one, other) DO UPDATE SET rank = excluded.rank, score = excluded.score,
                 name_score = excluded.name_score, sound_score = excluded.sound_score, birth_score = excluded.birth_score,
                 place_score = excluded.place_score, same_id = excluded.same_id",
        )
        .bind(org)
        .bind(one)
        .bind(other)
        .bind(rank)
        .bind(score.sum())
        .bind(score.name)
        .bind(score.sound)
        .bind(score.birth)
        .bind(score.place)
        .bind(same_id)
        .bind(now)
        .later()
        .await?;
    }
    Ok(())
}
