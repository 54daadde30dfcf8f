//! Places: the tree from county to village. Each place has a feed; households live in the feed of their village.

use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{ApiRequest, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Member, PlaceImporter, PlaceManager, PlaceReader};
use crate::check;
use crate::commands::Context;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::imports;
use crate::packed;
use crate::scope;
use crate::wire::{Page, Stored, page};

/// Names of the levels, from the top.
pub const LEVELS: &[&str] = &["county", "sub_county", "village"];

/// A place as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Place {
    pub id: Uuid,
    pub parent: Option<Uuid>,
    /// 0 county, 1 sub-county, 2 village
    pub level: i64,
    pub level_name: String,
    pub code: String,
    pub name: String,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

#[derive(Clone, Object, Deserialize)]
pub struct NewPlace {
    pub id: Uuid,
    pub parent: Option<Uuid>,
    pub code: String,
    pub name: String,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

/// Adds a place, its feed, and shows it to everybody who works above it.
pub async fn add(tx: &mut Tx, actor: &Actor, new: NewPlace) -> Result<Place> {
    let code = new.code.trim().to_uppercase();
    check::name("name", &new.name)?;
    check::name("code", &code)?;
    check::place(new.lat, new.lon, None)?;
    let level = match new.parent {
        None => 0,
        Some(parent) => {
            let row: Option<(i64,)> = tx
                .query("SELECT level FROM place WHERE org = $1 AND id = $2")
                .bind(actor.org)
                .bind(parent)
                .optional()
                .await?;
            row.ok_or_else(|| Error::not_found("place").field("parent"))?.0 + 1
        }
    };
    let Some(level_name) = LEVELS.get(level as usize) else {
        return Err(Error::invalid("parent", "Nothing can lie below a village."));
    };
    let taken: Option<(Uuid,)> = tx
        .query("SELECT id FROM place WHERE org = $1 AND code = $2 UNION SELECT id FROM feed WHERE org = $1 AND id = $3")
        .bind(actor.org)
        .bind(code.clone())
        .bind(new.id)
        .optional()
        .await?;
    if taken.is_some() {
        return Err(Error::conflict("code_taken", format!("There is a place with the code {code} already.")).field("code"));
    }
    let name = new.name.trim().to_owned();
    let place = Place {
        id: new.id,
        parent: new.parent,
        level,
        level_name: (*level_name).into(),
        code,
        name,
        lat: new.lat,
        lon: new.lon,
    };
    tx.query("INSERT INTO place (org, id, parent, level, code, name, lat, lon) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(actor.org)
        .bind(place.id)
        .bind(place.parent)
        .bind(place.level)
        .bind(place.code.clone())
        .bind(place.name.clone())
        .bind(place.lat)
        .bind(place.lon)
        .run()
        .await?;
    feed::create(tx, actor.org, place.id, "place").await?;
    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
    feeds.put(tx, actor.org, "place", place.id, &place).await?;
    audit::append(tx, &mut feeds, actor.org, actor, "place.add", ("place", place.id), (None::<&Place>, Some(&place)))
        .await?;
    Ok(place)
}

/// Locks the feed of a place that the member sees and that is a village: households live there, not in counties and not
/// in an inbox.
///
/// # Errors
/// 404 for both, so that nobody learns of places beyond their own.
pub async fn lock_village(tx: &mut Tx, context: &Context, place: Uuid) -> Result<Locked> {
    let member: &Member = &context.reader;
    let (feeds, level) = feed::lock_place(tx, member, place).await?;
    match level {
        Some(2) => Ok(feeds),
        Some(_) => Err(Error::not_found("village").field("place")),
        None => {
            // A village that went to somebody else: what was made before is still taken.
            scope::demand_then(tx, context, place, "place").await?;
            let village: Option<(Uuid,)> = tx
                .query("SELECT id FROM place WHERE org = $1 AND id = $2 AND level = 2")
                .bind(member.org)
                .bind(place)
                .optional()
                .await?;
            village.map(|_| feeds).ok_or_else(|| Error::not_found("village").field("place"))
        }
    }
}

pub struct Api(pub App);

/// A table as text, whichever way its sender calls it.
#[derive(ApiRequest)]
enum Table {
    #[oai(content_type = "text/csv")]
    Csv(PlainText<String>),
    Plain(PlainText<String>),
}

/// How many rows of an import were added.
#[derive(Object)]
pub struct Imported {
    pub added: i64,
}

#[OpenApi(tag = "crate::api::Tag::Places")]
impl Api {
    /// All places of the organisation
    #[oai(path = "/api/places", method = "get", operation_id = "listPlaces")]
    async fn list(&self, reader: PlaceReader) -> Result<Stored<Page<Place>>> {
        Ok(page(stored(&self.0.db, reader.org, "place").await?, None))
    }

    /// Add a place
    #[oai(path = "/api/places", method = "post", operation_id = "addPlace")]
    async fn add(&self, admin: PlaceManager, place: Json<NewPlace>) -> Result<Json<Place>> {
        let actor = actor(&self.0, &admin);
        let added = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let place = add(tx, &actor, place.0).await?;
                    scope::spell_out_around(tx, actor.org, place.id, actor.at).await?;
                    Ok(place)
                })
            })
            .await?;
        Ok(Json(added))
    }

    /// Import places from CSV
    ///
    /// Columns `code,parent_code,name,lat,lon` under any of their usual headers. All rows or none. For programs and small
    /// files: `/api/imports` shows every fault, takes more, and can be undone.
    #[oai(path = "/api/places/import", method = "post", operation_id = "importPlaces")]
    async fn import(&self, admin: PlaceImporter, csv: Table) -> Result<Json<Imported>> {
        let (Table::Csv(text) | Table::Plain(text)) = csv;
        let places = imports::places_at_once(&self.0, (admin.org, admin.id), &text.0, MOST).await?;
        let actor = actor(&self.0, &admin);
        let added = places.len() as i64;
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    for Place { id, parent, code, name, lat, lon, .. } in places {
                        add(tx, &actor, NewPlace { id, parent, code, name, lat, lon }).await?;
                    }
                    scope::spell_out_all(tx, actor.org, actor.at).await
                })
            })
            .await?;
        Ok(Json(Imported { added }))
    }
}

/// The organisation feed's records of one kind, joined by the database.
pub async fn stored(db: &Db, org: Uuid, kind: &'static str) -> Result<Option<String>> {
    let (items,): (Option<String>,) = db
        .query("SELECT string_agg(hex(body), ',' ORDER BY id) FROM feed_entry WHERE org = $1 AND feed = $1 AND kind = $2 AND NOT deleted")
        .bind(org)
        .bind(kind)
        .one()
        .await?;
    items.as_deref().map(packed::open_list).transpose()
}

fn actor(app: &App, admin: &Member) -> Actor {
    Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: app.clock.now() }
}

/// At most this many places come in one file that is added at once; more of them by `/api/imports`.
const MOST: usize = 5_000;
