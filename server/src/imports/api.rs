//! How the world reaches imports: send a file, say what its columns mean, look, decide, write, undo.

use poem::http::StatusCode;
use poem::{Request, RequestBody};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object, OpenApi};
use serde::Deserialize;
use uuid::Uuid;

use super::{Alike, Column, Fault, Import, Kind, LARGEST, State, fields, store, table, undo};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{Capability, Importer, Role};
use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::wire::Page;
use crate::{check, feed};

pub struct Api(pub App);

/// A table as bytes, whatever its sender calls it; nothing is read before the caller is known.
pub struct File(poem::Body);

const TYPES: [&str; 5] = [
    "text/csv",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "text/plain",
];

impl<'a> ApiExtractor<'a> for File {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let binary = || MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }));
        let content = TYPES.map(|content_type| MetaMediaType { content_type, schema: binary() }).into();
        Some(MetaRequest { description: Some("At most 25 MB and 100,000 rows."), content, required: true })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let kind = request.content_type().and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !TYPES.contains(&kind) {
            let message = "A file is sent as text/csv, as a workbook or as application/octet-stream.";
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message).into());
        }
        Ok(Self(body.take()?))
    }
}

/// What the columns mean.
#[derive(Clone, Object)]
#[oai(rename = "ImportMapping")]
struct Mapping {
    /// A field for each column in the file's order, or an empty text.
    #[oai(validator(max_items = 100))]
    fields: Vec<String>,
    /// Of households: add villages that are not there, by the names of county, sub-county and village.
    #[oai(default)]
    create_places: bool,
}

/// Whether a row is added, though it may be there already.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ImportDecision")]
struct Decision {
    row: i64,
    take: bool,
}

#[derive(Clone, Object, Deserialize)]
#[oai(rename = "ImportDecisions")]
struct Decided {
    #[oai(validator(max_items = 10000))]
    rows: Vec<Decision>,
}

#[derive(ApiResponse)]
enum Discarded {
    /// The file is gone.
    #[oai(status = 204)]
    Done,
}

#[derive(ApiResponse)]
enum Template {
    #[oai(status = 200, content_type = "text/csv; charset=utf-8")]
    Csv(PlainText<String>, #[oai(header = "content-disposition")] String),
}

/// Files that wait at once in an organisation.
const WAITING: i64 = 20;
/// Faults or duplicates in one answer.
const PAGE: usize = 500;

#[OpenApi(tag = "crate::api::Tag::Imports")]
impl Api {
    /// Imports of the organisation, latest first
    #[oai(path = "/api/imports", method = "get", operation_id = "listImports")]
    async fn list(&self, by: Importer) -> Result<Json<Page<Import>>> {
        let mut items = Vec::new();
        for row in store::list(&self.0.db, &by).await? {
            items.push(store::alive(&self.0, by.org, row).await?.shown(&self.0, false)?);
        }
        Ok(Json(Page { items, next: None }))
    }

    /// Send a file
    ///
    /// CSV (any usual separator and encoding) or XLSX (its first sheet). Answers its columns, with a guess of what each
    /// means. Nothing is added before it was looked at and committed. A file that is not committed is kept for a week.
    #[oai(path = "/api/imports", method = "post", operation_id = "createImport")]
    async fn create(
        &self,
        by: Importer,
        kind: Query<Kind>,
        #[oai(validator(max_length = 200))] name: Query<Option<String>>,
        file: File,
    ) -> Result<Json<Import>> {
        let (app, kind) = (&self.0, kind.0);
        kind.demand(&by)?;
        let file_name = name.0.unwrap_or_default();
        check::text("name", &file_name, 200)?;
        let bytes = file.0.into_bytes_limit(LARGEST).await.map_err(|error| match error {
            poem::error::ReadBodyError::PayloadTooLarge => {
                Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A file has at most 25 MB.")
            }
            _ => Error::bad_request("cut", "The request was cut."),
        })?;
        let said = store::aliases(&app.db, by.org, kind).await?;
        let turn = app.tables.clone().acquire_owned().await.map_err(Error::unexpected)?;
        let read = bytes.clone();
        let columns = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let table = table::read(&read)?;
            let fields = fields::guess(kind, &table.head, &said);
            let column = |(at, (header, field)): (usize, (&String, String))| Column {
                header: header.clone(),
                field,
                samples: table.samples(at),
            };
            let columns: Vec<Column> = table.head.iter().zip(fields).enumerate().map(column).collect();
            Ok::<_, Error>((columns, table.len() as i64))
        });
        // A file that makes its reader panic is one that cannot be read.
        let (columns, rows) = columns.await.map_err(|_| table::unreadable())??;
        let (id, actor) = (new_id(), self.actor(&by));
        let new = store::New { id, kind, file: file_name, rows, columns, bytes };
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut feeds = feed::lock(tx, actor.org, [actor.org]).await?;
                    let waiting = "SELECT count(*) FROM import WHERE org = $1 AND state NOT IN ('done', 'undone')";
                    let (waiting,): (i64,) = tx.query(waiting).bind(actor.org).one().await?;
                    if waiting >= WAITING {
                        let message = "Twenty files wait already: commit or discard one first.";
                        return Err(Error::conflict("too_many_imports", message));
                    }
                    store::add(tx, &actor, new).await?;
                    let nothing = (None::<&()>, None::<&()>);
                    audit::append(tx, &mut feeds, actor.org, &actor, "import.upload", ("import", id), nothing).await
                })
            })
            .await?;
        self.shown(&by, id).await
    }

    /// A file to begin with
    #[oai(path = "/api/imports/template", method = "get", operation_id = "importTemplate")]
    async fn template(&self, by: Importer, kind: Query<Kind>) -> Result<Template> {
        kind.demand(&by)?;
        let name = format!("attachment; filename=\"kilele-{}.csv\"", kind.as_str());
        Ok(Template::Csv(PlainText(fields::template(kind.0)), name))
    }

    /// One import
    #[oai(path = "/api/imports/:id", method = "get", operation_id = "getImport")]
    async fn get(&self, by: Importer, id: Path<Uuid>) -> Result<Json<Import>> {
        self.shown(&by, id.0).await
    }

    /// Discard a file that was not committed
    #[oai(path = "/api/imports/:id", method = "delete", operation_id = "discardImport")]
    async fn discard(&self, by: Importer, id: Path<Uuid>) -> Result<Discarded> {
        let (actor, id) = (self.actor(&by), id.0);
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let row = store::lock(tx, &by, id).await?;
                    if !matches!(row.state()?, State::Uploaded | State::Checked | State::Failed) {
                        return Err(Error::conflict("wrong_state", "This import is not at that step."));
                    }
                    store::remove(tx, actor.org, id).await?;
                    audit::note(tx, &actor, actor.org, "import.discard", ("import", id)).await
                })
            })
            .await?;
        Ok(Discarded::Done)
    }

    /// Look at every row, and add nothing
    ///
    /// The mapping is remembered for the organisation's next file. What was decided before is forgotten.
    #[oai(path = "/api/imports/:id/check", method = "post", operation_id = "checkImport")]
    async fn check(&self, by: Importer, id: Path<Uuid>, mapping: Json<Mapping>) -> Result<Json<Import>> {
        let (app, id, Mapping { fields, create_places }) = (self.0.clone(), id.0, mapping.0);
        let row = store::get(&app.db, &by, id).await?;
        let mut columns = row.columns(&app)?;
        fit(row.kind()?, columns.len(), &fields)?;
        if create_places && (!by.capabilities.has(Capability::ImportPlaces) || by.role == Role::Custom) {
            return Err(Error::forbidden("This role does not import places."));
        }
        columns.iter_mut().zip(fields).for_each(|(column, field)| column.field = field);
        let (now, again) = (app.clock.now(), by.clone());
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    let row = store::lock(tx, &by, id).await?;
                    store::begin(tx, by.org, &row, State::Checking, now).await?;
                    store::map(tx, by.org, &row, &columns, create_places).await
                })
            })
            .await?;
        self.0.jobs.notify_one();
        self.shown(&again, id).await
    }

    /// What is wrong with which row
    #[oai(path = "/api/imports/:id/faults", method = "get", operation_id = "listImportFaults")]
    async fn faults(&self, by: Importer, id: Path<Uuid>, after: Query<Option<i64>>) -> Result<Json<Page<Fault>>> {
        let row = store::get(&self.0.db, &by, id.0).await?;
        let report = store::report(&self.0, by.org, row.id).await?;
        Ok(Json(paged(report.faults, after.0)?))
    }

    /// Rows that may be there already, most alike first
    #[oai(path = "/api/imports/:id/duplicates", method = "get", operation_id = "listImportDuplicates")]
    async fn duplicates(&self, by: Importer, id: Path<Uuid>, after: Query<Option<i64>>) -> Result<Json<Page<Alike>>> {
        let row = store::get(&self.0.db, &by, id.0).await?;
        let report = store::report(&self.0, by.org, row.id).await?;
        let skipped = report.skipped(&row.decisions()?);
        let mut page = paged(report.alike, after.0)?;
        for one in &mut page.items {
            one.take = !skipped.contains(&one.row);
            let Some(household) = one.household else { continue };
            // As it is called now, and only to one who sees it.
            let card: Option<(String, String)> = self
                .0
                .db
                .query(
                    "SELECT h.number, h.card FROM household h WHERE h.org = $1 AND h.id = $2
                     AND h.feed IN (SELECT feed FROM member_feed WHERE org = $1 AND member = $3)",
                )
                .bind(by.org)
                .bind(household)
                .bind(by.id)
                .optional()
                .await?;
            if let Some((number, card)) = card {
                let card: serde_json::Value = serde_json::from_str(&card)?;
                one.household_name = card["head_name"].as_str().map(str::to_owned);
                one.household_number = Some(number);
            }
        }
        Ok(Json(page))
    }

    /// Decide which rows are added though they may be there already
    #[oai(path = "/api/imports/:id/decisions", method = "put", operation_id = "decideImport")]
    async fn decide(&self, by: Importer, id: Path<Uuid>, decided: Json<Decided>) -> Result<Json<Import>> {
        let (id, again) = (id.0, by.clone());
        store::get(&self.0.db, &by, id).await?;
        let report = store::report(&self.0, by.org, id).await?;
        let rows: std::collections::BTreeSet<i64> = report.alike.iter().map(|one| one.row).collect();
        if let Some(one) = decided.0.rows.iter().find(|one| !rows.contains(&one.row)) {
            return Err(Error::invalid("rows", format!("Nothing is to be decided about row {}.", one.row)));
        }
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let row = store::lock(tx, &by, id).await?;
                    let (Some(mut counts), State::Checked) = (row.counts()?, row.state()?) else {
                        return Err(Error::conflict("wrong_state", "This import is not at that step."));
                    };
                    let mut decisions = row.decisions()?;
                    let all = counts.new + counts.skipped;
                    decisions.extend(decided.0.rows.iter().map(|one| (one.row, one.take)));
                    counts.skipped = report.skipped(&decisions).len() as i64;
                    counts.new = all - counts.skipped;
                    store::decide(tx, by.org, id, &decisions, counts).await
                })
            })
            .await?;
        self.shown(&again, id).await
    }

    /// Add all rows
    ///
    /// All of them or none; refused while a row has a fault. It is looked at once more: if somebody registered one of these
    /// people meanwhile, nothing is added and the import is `checked` again, with `import_stale`.
    #[oai(path = "/api/imports/:id/commit", method = "post", operation_id = "commitImport")]
    async fn commit(&self, by: Importer, id: Path<Uuid>) -> Result<Json<Import>> {
        let (id, now, again) = (id.0, self.0.clock.now(), by.clone());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let row = store::lock(tx, &by, id).await?;
                    one_at_a_time(tx, by.org, id).await?;
                    row.state()?.transition(State::Committing)?;
                    match row.counts()? {
                        Some(counts) if counts.faults > 0 => {
                            let message = format!("{} faults: correct the file, then send it again.", counts.faults);
                            return Err(Error::conflict("import_faults", message));
                        }
                        Some(counts) if counts.new > 0 => {}
                        _ => return Err(Error::conflict("import_nothing", "Nothing in this file is to be added.")),
                    }
                    store::begin(tx, by.org, &row, State::Committing, now).await
                })
            })
            .await?;
        self.0.jobs.notify_one();
        self.shown(&again, id).await
    }

    /// Undo an import
    ///
    /// Refused with 409 `import_touched`, and what and how, when somebody has worked with what it made.
    #[oai(path = "/api/imports/:id/undo", method = "post", operation_id = "undoImport")]
    async fn undo(&self, by: Importer, id: Path<Uuid>) -> Result<Json<Import>> {
        let (id, now, again) = (id.0, self.0.clock.now(), by.clone());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let row = store::lock(tx, &by, id).await?;
                    one_at_a_time(tx, by.org, id).await?;
                    row.state()?.transition(State::Undoing)?;
                    undo::demand_untouched(tx, by.org, id).await?;
                    store::begin(tx, by.org, &row, State::Undoing, now).await
                })
            })
            .await?;
        self.0.jobs.notify_one();
        self.shown(&again, id).await
    }
}

impl Api {
    fn actor(&self, by: &Importer) -> Actor {
        Actor { org: by.org, member: Some(by.id), device: Some(by.device), at: self.0.clock.now() }
    }

    async fn shown(&self, by: &Importer, id: Uuid) -> Result<Json<Import>> {
        let row = store::get(&self.0.db, by, id).await?;
        Ok(Json(store::alive(&self.0, by.org, row).await?.shown(&self.0, true)?))
    }
}

/// Two imports that are written at once would not see each other's rows. The organisation's feed is the lock.
async fn one_at_a_time(tx: &mut crate::db::Tx, org: Uuid, id: Uuid) -> Result<()> {
    feed::lock(tx, org, [org]).await?;
    let other = "SELECT id FROM import WHERE org = $1 AND id <> $2 AND state IN ('committing', 'undoing') LIMIT 1";
    let other: Option<(Uuid,)> = tx.query(other).bind(org).bind(id).optional().await?;
    match other {
        None => Ok(()),
        Some(_) => Err(Error::conflict("import_running", "Another import is being written. Try again when it is done.")),
    }
}

/// A field for each column, none twice, and those that every row needs.
fn fit(kind: Kind, columns: usize, mapped: &[String]) -> Result<()> {
    let wrong = |message: String| Err(Error::invalid("fields", message));
    if mapped.len() != columns {
        return wrong(format!("This file has {columns} columns."));
    }
    let has = |field: &str| mapped.iter().any(|one| one == field);
    for (at, field) in mapped.iter().enumerate().filter(|(_, field)| !field.is_empty()) {
        if !fields::known(kind, field) {
            return wrong("There is no such field.".into());
        }
        if mapped[..at].contains(field) {
            return wrong(format!("Two columns mean {field}."));
        }
    }
    let complete = match kind {
        Kind::Households => (has("head_name") || has("first_name")) && (has("place_code") || has("village")),
        Kind::Places => has("code") && has("name"),
    };
    if complete {
        Ok(())
    } else {
        Err(Error::refused("mapping_incomplete", "A name and a place are needed.").field("fields"))
    }
}

fn paged<T>(all: Vec<T>, after: Option<i64>) -> Result<Page<T>>
where
    T: poem_openapi::types::Type + poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON,
{
    let from = after.unwrap_or_default();
    let from =
        usize::try_from(from).map_err(|_| Error::bad_request("invalid_cursor", "This is not a `next` of a page before."))?;
    let next = (all.len() > from.saturating_add(PAGE)).then(|| (from + PAGE).to_string());
    Ok(Page { items: all.into_iter().skip(from).take(PAGE).collect(), next })
}
