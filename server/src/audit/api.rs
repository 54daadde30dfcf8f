//! How an administrator reads the audit: page by page, or all of it as a table.

use futures_util::stream;
use poem::Body;
use poem_openapi::param::Query;
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::store::{self, Cursor, Wanted};
use super::{Actor, note};
use crate::app::App;
use crate::auth::Admin;
use crate::clock::Millis;
use crate::db::wall;
use crate::error::{Error, Result};
use crate::wire::Page;

pub struct Api(pub App);

/// A field that changed; values that are sealed at rest show as •••.
#[derive(Object)]
#[oai(rename = "AuditChange", skip_serializing_if_is_none)]
pub struct Change {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Who did what, when, with what, to what.
#[derive(Object)]
#[oai(rename = "AuditEvent", skip_serializing_if_is_none)]
pub struct Event {
    /// The chain it stands in, and its place there.
    pub feed: Uuid,
    pub sequence: i64,
    pub at: Millis,
    /// Nobody: the server itself.
    pub member: Option<Uuid>,
    pub member_name: Option<String>,
    pub device_name: Option<String>,
    /// For example `visit.approve`.
    pub action: String,
    pub subject_kind: String,
    pub subject: Uuid,
    /// A number or a name by which people know it.
    pub subject_name: Option<String>,
    pub changes: Vec<Change>,
    /// What changed was erased because a person asked for it; that it changed is still proved.
    pub erased: bool,
}

#[derive(ApiResponse)]
enum Table {
    /// The events as CSV, latest first.
    #[oai(status = 200, content_type = "text/csv")]
    Csv(Binary<Body>, #[oai(header = "Content-Disposition")] String),
}

#[OpenApi(tag = "crate::api::Tag::Audit")]
impl Api {
    /// What happened in the organisation
    ///
    /// Latest first. `action` is a whole one (`visit.approve`) or the first part of many (`visit`). Times are
    /// milliseconds: `from` included, `until` not.
    #[oai(path = "/api/audit", method = "get", operation_id = "listAudit")]
    #[expect(clippy::too_many_arguments, reason = "each filter is a parameter")]
    async fn list(
        &self,
        admin: Admin,
        from: Query<Option<Millis>>,
        until: Query<Option<Millis>>,
        member: Query<Option<Uuid>>,
        subject: Query<Option<Uuid>>,
        #[oai(validator(max_length = 60, pattern = "^[a-z_]+(\\.[a-z_]+)?$"))] action: Query<Option<String>>,
        #[oai(validator(max_length = 100))] after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))] limit: Query<Option<i64>>,
    ) -> Result<Json<Page<Event>>> {
        let after = after.0.as_deref().map(Cursor::parse).transpose()?;
        let limit = limit.0.unwrap_or(50);
        let wanted = wanted(from, until, member, subject, action, after, limit);
        let items = store::list(&self.0, &admin, &wanted).await?;
        let next = items.last().filter(|_| items.len() as i64 == limit).map(Cursor::text);
        Ok(Json(Page { items, next }))
    }

    /// All of it as a table
    ///
    /// The same filters. That it was taken out is itself noted.
    #[oai(path = "/api/audit.csv", method = "get", operation_id = "exportAudit")]
    async fn export(
        &self,
        admin: Admin,
        from: Query<Option<Millis>>,
        until: Query<Option<Millis>>,
        member: Query<Option<Uuid>>,
        subject: Query<Option<Uuid>>,
        #[oai(validator(max_length = 60, pattern = "^[a-z_]+(\\.[a-z_]+)?$"))] action: Query<Option<String>>,
    ) -> Result<Table> {
        let now = self.0.clock.now();
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: now };
        let own = admin.id;
        self.0
            .db
            .write(move |tx| Box::pin(async move { note(tx, &actor, own, "audit.export", ("person", own)).await }))
            .await?;
        let wanted = wanted(from, until, member, subject, action, None, SOME);
        let name = format!("attachment; filename=\"kilele-audit-{}.csv\"", admin.org);
        Ok(Table::Csv(Binary(Body::from_bytes_stream(rows(self.0.clone(), admin, wanted))), name))
    }
}

/// Events that are read and sent at once.
const SOME: i64 = 1_000;

fn wanted(
    from: Query<Option<Millis>>,
    until: Query<Option<Millis>>,
    member: Query<Option<Uuid>>,
    subject: Query<Option<Uuid>>,
    action: Query<Option<String>>,
    after: Option<Cursor>,
    limit: i64,
) -> Wanted {
    Wanted { from: from.0, until: until.0, member: member.0, subject: subject.0, action: action.0, after, limit }
}

/// Page after page, so that years of events need no memory.
fn rows(app: App, admin: Admin, wanted: Wanted) -> impl stream::Stream<Item = std::io::Result<bytes::Bytes>> {
    let first = Some((wanted, true));
    stream::try_unfold(first, move |state| {
        let (app, admin) = (app.clone(), admin.clone());
        async move {
            let Some((mut wanted, head)) = state else { return Ok(None) };
            // The answer's body is read after the request: the wall is put up again.
            let events = wall::within(admin.org, store::list(&app, &admin, &wanted)).await.map_err(std::io::Error::other)?;
            let more = events.len() as i64 == wanted.limit;
            wanted.after =
                events.last().map(|last| Cursor::parse(&Cursor::text(last))).transpose().map_err(std::io::Error::other)?;
            let text = table(&events, head).map_err(std::io::Error::other)?;
            Ok(Some((bytes::Bytes::from(text), more.then_some((wanted, false)))))
        }
    })
}

fn table(events: &[Event], head: bool) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let unexpected = |error: csv::Error| Error::unexpected(error);
    if head {
        let names =
            ["time", "who", "device", "action", "kind", "subject", "name", "field", "before", "after", "chain", "event"];
        csv.write_record(names).map_err(unexpected)?;
    }
    for event in events {
        let at = chrono::DateTime::from_timestamp_millis(event.at).map(|at| at.to_rfc3339()).unwrap_or_default();
        let none = Change { field: String::new(), before: None, after: None };
        let changes = if event.changes.is_empty() { std::slice::from_ref(&none) } else { &event.changes[..] };
        for change in changes {
            let or = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
            let row = [
                at.clone(),
                or(&event.member_name),
                or(&event.device_name),
                event.action.clone(),
                event.subject_kind.clone(),
                event.subject.to_string(),
                or(&event.subject_name),
                change.field.clone(),
                or(&change.before),
                or(&change.after),
                event.feed.to_string(),
                event.sequence.to_string(),
            ];
            csv.write_record(&row).map_err(unexpected)?;
        }
    }
    csv.into_inner().map_err(|error| Error::unexpected(anyhow::anyhow!("{error}")))
}

/// A cell that begins like a formula is none: spreadsheets must not run what somebody typed into a note.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
