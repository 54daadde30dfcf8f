//! Writing an import: everything in one transaction, with the entries that phones pull and an event for each record.
//!
//! What takes time (sealing, packing, hashing) is done before it begins, at the revision that the village will most
//! likely have; only villages that somebody else changed meanwhile are done again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::households::{Draft, Judged};
use super::store::{self, Row};
use super::{Counts, Progress, places as file_of_places};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::{Millis, new_id};
use crate::crypto::Crypto;
use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::feed::{self, Locked};
use crate::households::{Household, store as kept};
use crate::packed;
use crate::places::Place;
use crate::{numbers, scope};

/// Rows that are written between two looks at the progress.
const SOME: usize = 1_000;

/// A household as its tables take it.
struct Ready {
    household: Household,
    reference: Option<Vec<u8>>,
    row: Vec<Arg>,
    body: Vec<u8>,
    change: String,
}

impl Ready {
    fn new(crypto: &Crypto, org: Uuid, household: Household, reference: Option<Vec<u8>>) -> Result<Self> {
        let sealed = kept::sealed(crypto, &household);
        Ok(Self {
            row: kept::row(crypto, org, &household)?,
            body: packed::pack(serde_json::to_string(&sealed)?),
            change: audit::created(&sealed)?,
            household,
            reference,
        })
    }

    fn at(self, crypto: &Crypto, org: Uuid, revision: i64) -> Result<Self> {
        if self.household.revision == revision {
            return Ok(self);
        }
        Self::new(crypto, org, Household { revision, ..self.household }, self.reference)
    }
}

fn household(draft: Draft, number: String, by: Uuid, now: Millis, revision: i64) -> (Household, Option<Vec<u8>>) {
    let household = Household {
        id: new_id(),
        number: Some(number),
        place: draft.village,
        facts: draft.facts,
        photo: None,
        photo_placeholder: None,
        consent_at: None,
        consents: Vec::new(),
        merged_into: None,
        merges: Vec::new(),
        last_visit_at: None,
        registered_by: by,
        registered_at: now,
        updated_at: now,
        revision,
    };
    (household, draft.reference)
}

pub async fn households(app: &App, org: Uuid, import: &Row, judged: Judged, progress: &Progress) -> Result<()> {
    let now = app.clock.now();
    let actor = import.actor(org, now);
    let Judged { drafts, places, counts, .. } = judged;
    progress.of(drafts.len() * 2);
    let numbers = numbers::many(app, org, "HH", drafts.len()).await?;
    let revisions: Vec<(Uuid, i64)> =
        app.db.query("SELECT id, revision FROM feed WHERE org = $1 AND kind = 'place'").bind(org).all().await?;
    let revisions: HashMap<Uuid, i64> = revisions.into_iter().collect();
    let (crypto, by, steps) = (app.crypto.clone(), import.member, progress.clone());
    let ready = tokio::task::spawn_blocking(move || -> Result<Vec<Ready>> {
        let one = |(draft, number): (Draft, String)| {
            steps.step();
            let revision = revisions.get(&draft.village).copied().unwrap_or_default() + 1;
            let (household, reference) = household(draft, number, by, now, revision);
            Ready::new(&crypto, org, household, reference)
        };
        drafts.into_iter().zip(numbers).map(one).collect()
    });
    let ready = ready.await.map_err(crate::error::Error::unexpected)??;
    let (id, steps, crypto) = (import.id, progress.clone(), app.crypto.clone());
    app.db.write(move |tx| Box::pin(async move { write(tx, crypto, (actor, id), places, ready, counts, steps).await })).await
}

async fn write(
    tx: &mut Tx,
    crypto: Arc<Crypto>,
    (actor, id): (Actor, Uuid),
    places: Vec<Place>,
    ready: Vec<Ready>,
    counts: Counts,
    progress: Progress,
) -> Result<()> {
    if !claim(tx, &actor, id, counts).await? {
        return Ok(());
    }
    let org = actor.org;
    let villages: BTreeSet<Uuid> = ready.iter().map(|one| one.household.place).collect();
    let mut feeds = add_places(tx, &actor, id, &places, villages).await?;
    let mut ready = ready.into_iter();
    loop {
        let some: Vec<Ready> = ready.by_ref().take(SOME).collect();
        if some.is_empty() {
            break;
        }
        let (mut rows, mut entries, mut items, mut events) = (vec![], vec![], vec![], vec![]);
        for one in some {
            let (place, household) = (one.household.place, one.household.id);
            let revision = feeds.revision(place);
            let one = one.at(&crypto, org, revision)?;
            rows.push(one.row);
            entries.push(feed::row(org, place, ("household", household), revision, false, one.body));
            items.push(store::item(org, id, ("household", household), place, revision, one.reference));
            events.push(Entry { feed: place, subject: household, change: one.change });
            progress.step();
        }
        tx.insert_many(kept::INTO, rows).await?;
        tx.insert_many(feed::INTO, entries).await?;
        tx.insert_many(store::ITEMS, items).await?;
        audit::append_many(tx, &mut feeds, &actor, "household.import", "household", events).await?;
    }
    tx.query(
        "INSERT INTO duplicate_look (org, household, mark)
         SELECT org, id, import FROM import_item WHERE org = $1 AND import = $2 AND kind = 'household'
         ON CONFLICT (org, household) DO UPDATE SET mark = excluded.mark",
    )
    .bind(org)
    .bind(id)
    .run()
    .await?;
    end(tx, &actor, id, &mut feeds, counts, !places.is_empty()).await
}

pub async fn places(app: &App, org: Uuid, import: &Row, judged: file_of_places::Judged) -> Result<()> {
    let actor = import.actor(org, app.clock.now());
    let (id, counts) = (import.id, judged.counts);
    let places: Vec<Place> = judged.places.into_iter().map(|(_, place)| place).collect();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                if !claim(tx, &actor, id, counts).await? {
                    return Ok(());
                }
                let mut feeds = add_places(tx, &actor, id, &places, BTreeSet::new()).await?;
                end(tx, &actor, id, &mut feeds, counts, true).await
            })
        })
        .await
}

/// Whoever gets here first writes; an attempt that was thought lost finds it done.
async fn claim(tx: &mut Tx, actor: &Actor, id: Uuid, counts: Counts) -> Result<bool> {
    let done = "UPDATE import SET state = 'done', counts = $3, fault = NULL, updated_at = $4
                WHERE org = $1 AND id = $2 AND state = 'committing'";
    let counts = serde_json::to_string(&counts)?;
    Ok(tx.query(done).bind(actor.org).bind(id).bind(counts).bind(actor.at).run().await? == 1)
}

/// Adds places, and locks the organisation's feed and those of the villages.
async fn add_places(tx: &mut Tx, actor: &Actor, import: Uuid, places: &[Place], villages: BTreeSet<Uuid>) -> Result<Locked> {
    let org = actor.org;
    let feed = |place: &Place| -> Vec<Arg> { vec![org.into(), place.id.into(), "place".into(), 0_i64.into()] };
    tx.insert_many("INSERT INTO feed (org, id, kind, revision)", places.iter().map(feed).collect()).await?;
    let mut feeds = feed::lock(tx, org, villages.into_iter().chain([org])).await?;
    let revision = feeds.revision(org);
    let (mut rows, mut entries, mut items, mut events) = (vec![], vec![], vec![], vec![]);
    for place in places {
        let Place { id, parent, level, code, name, lat, lon, .. } = place.clone();
        let key: [Arg; 4] = [org.into(), id.into(), parent.into(), level.into()];
        let rest: [Arg; 4] = [code.into(), name.into(), lat.into(), lon.into()];
        rows.push([key, rest].concat());
        let body = packed::pack(serde_json::to_string(place)?);
        entries.push(feed::row(org, org, ("place", id), revision, false, body));
        items.push(store::item(org, import, ("place", id), org, revision, None));
        events.push(Entry { feed: org, subject: id, change: audit::created(place)? });
    }
    tx.insert_many("INSERT INTO place (org, id, parent, level, code, name, lat, lon)", rows).await?;
    tx.insert_many(feed::INTO, entries).await?;
    tx.insert_many(store::ITEMS, items).await?;
    audit::append_many(tx, &mut feeds, actor, "place.import", "place", events).await?;
    Ok(feeds)
}

/// Notes it, forgets the file, and shows new places to those who work above them.
async fn end(tx: &mut Tx, actor: &Actor, id: Uuid, feeds: &mut Locked, counts: Counts, placed: bool) -> Result<()> {
    let change = (Some(&serde_json::json!({})), Some(&serde_json::to_value(counts)?));
    audit::append(tx, feeds, actor.org, actor, "import.commit", ("import", id), change).await?;
    store::forget(tx, actor.org, id).await?;
    if placed {
        scope::spell_out_all(tx, actor.org, actor.at).await?;
    }
    Ok(())
}
