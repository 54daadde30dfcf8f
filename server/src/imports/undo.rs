//! Undoing an import as a whole: only while nobody has touched what it made.

use uuid::Uuid;

use super::store::Row;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::db::{Arg, Tx};
use crate::error::{Error, Result};
use crate::feed;
use crate::packed;
use crate::scope;

/// Households and places of import $2 that somebody has worked with since, and how.
const TOUCHED: &str = "
    SELECT t.id, COALESCE(h.number, p.name, ''), min(t.why) FROM (
        SELECT i.id, 'changed' AS why FROM import_item i
            JOIN feed_entry e ON e.org = i.org AND e.id = i.id AND e.feed = i.feed
            WHERE i.org = $1 AND i.import = $2 AND (e.revision <> i.revision OR e.deleted)
        UNION ALL SELECT i.id, 'visits' FROM import_item i JOIN visit v ON v.org = i.org AND v.household = i.id
            WHERE i.org = $1 AND i.import = $2
        UNION ALL SELECT i.id, 'pictures' FROM import_item i JOIN evidence v ON v.org = i.org AND v.subject = i.id
            WHERE i.org = $1 AND i.import = $2
        UNION ALL SELECT i.id, 'conflicts' FROM import_item i JOIN conflict c ON c.org = i.org AND c.record = i.id
            WHERE i.org = $1 AND i.import = $2
        UNION ALL SELECT i.id, 'people' FROM member m JOIN import_item i ON i.org = m.org AND i.id = m.household
            WHERE m.org = $1 AND i.import = $2
        UNION ALL SELECT i.id, 'people' FROM member_place m JOIN import_item i ON i.org = m.org AND i.id = m.place
            WHERE m.org = $1 AND i.import = $2
        UNION ALL SELECT i.id, 'places' FROM import_item i JOIN place c ON c.org = i.org AND c.parent = i.id
            WHERE i.org = $1 AND i.import = $2 AND i.kind = 'place' AND NOT EXISTS (
                SELECT 1 FROM import_item o WHERE o.org = $1 AND o.import = $2 AND o.id = c.id)
        UNION ALL SELECT i.id, 'households' FROM import_item i JOIN household c ON c.org = i.org AND c.feed = i.id
            WHERE i.org = $1 AND i.import = $2 AND i.kind = 'place' AND NOT EXISTS (
                SELECT 1 FROM import_item o WHERE o.org = $1 AND o.import = $2 AND o.id = c.id)
    ) AS t LEFT JOIN household h ON h.org = $1 AND h.id = t.id LEFT JOIN place p ON p.org = $1 AND p.id = t.id
    GROUP BY t.id, h.number, p.name ORDER BY t.id LIMIT 20";

/// # Errors
/// 409 `import_touched`, with up to twenty of what was touched and how.
pub async fn demand_untouched(tx: &mut Tx, org: Uuid, import: Uuid) -> Result<()> {
    let touched: Vec<(Uuid, String, String)> = tx.query(TOUCHED).bind(org).bind(import).all().await?;
    if touched.is_empty() {
        return Ok(());
    }
    let records: Vec<_> =
        touched.into_iter().map(|(id, name, why)| serde_json::json!({ "id": id, "name": name, "why": why })).collect();
    let message = "Somebody has worked with what this import made: it cannot be undone as a whole.";
    Err(Error::conflict("import_touched", message).details(serde_json::json!({ "records": records })))
}

/// What an import made: kind, id, feed.
type Item = (String, Uuid, Uuid);

pub async fn all(app: &App, org: Uuid, import: &Row) -> Result<()> {
    let (id, actor) = (import.id, import.actor(org, app.clock.now()));
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let undone = "UPDATE import SET state = 'undone', fault = NULL, updated_at = $3
                              WHERE org = $1 AND id = $2 AND state = 'undoing'";
                if tx.query(undone).bind(org).bind(id).bind(actor.at).run().await? == 0 {
                    return Ok(());
                }
                let items: Vec<Item> = tx
                    .query("SELECT kind, id, feed FROM import_item WHERE org = $1 AND import = $2 ORDER BY id")
                    .bind(org)
                    .bind(id)
                    .all()
                    .await?;
                let mut feeds = feed::lock(tx, org, items.iter().map(|(.., feed)| *feed).chain([org])).await?;
                demand_untouched(tx, org, id).await?;
                for sql in GONE {
                    tx.query(sql).bind(org).bind(id).run().await?;
                }
                let kind = |kind: &str| if kind == "place" { "place" } else { "household" };
                let stone = |(what, id, feed): &Item| -> Vec<Arg> {
                    let body = packed::pack(format!("{{\"id\":\"{id}\"}}"));
                    feed::row(org, *feed, (kind(what), *id), feeds.revision(*feed), true, body)
                };
                let stones = items.iter().map(stone).collect();
                tx.insert_many(feed::INTO, stones).await?;
                for (what, action) in [("household", "household.import_undo"), ("place", "place.import_undo")] {
                    let some = items.iter().filter(|(kind, ..)| kind == what);
                    let event = |(_, id, feed): &Item| Entry { feed: *feed, subject: *id, change: "null".into() };
                    audit::append_many(tx, &mut feeds, &actor, action, what, some.map(event).collect()).await?;
                }
                let nothing = (None::<&()>, None::<&()>);
                audit::append(tx, &mut feeds, org, &actor, "import.undo", ("import", id), nothing).await?;
                if items.iter().any(|(kind, ..)| kind == "place") {
                    scope::spell_out_all(tx, org, actor.at).await?;
                }
                Ok(())
            })
        })
        .await
}

macro_rules! items {
    ($kind:literal) => {
        concat!("(SELECT id FROM import_item WHERE org = $1 AND import = $2", $kind, ")")
    };
}

/// A village's feed stays, for its chain of events and for the stones in it; nobody follows it any more.
const GONE: [&str; 6] = [
    concat!("DELETE FROM duplicate WHERE org = $1 AND (one IN ", items!(""), " OR other IN ", items!(""), ")"),
    concat!("DELETE FROM duplicate_look WHERE org = $1 AND household IN ", items!("")),
    concat!("DELETE FROM household WHERE org = $1 AND id IN ", items!(" AND kind = 'household'")),
    concat!("DELETE FROM feed_entry WHERE org = $1 AND id IN ", items!("")),
    concat!("DELETE FROM place WHERE org = $1 AND id IN ", items!(" AND kind = 'place'")),
    concat!("UPDATE feed SET kind = 'gone' WHERE org = $1 AND id IN ", items!(" AND kind = 'place'")),
];
