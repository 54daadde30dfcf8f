//! What an administrator does about personal data: takes it out for a household, erases it, says how long things are kept.

use poem_openapi::param::Path;
use poem_openapi::payload::{Attachment, AttachmentType, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::{Erasure, erase, message, retention};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::Admin;
use crate::check;
use crate::clock::Millis;
use crate::crypto::b64;
use crate::error::Result;
use crate::households;
use crate::scope;
use crate::wire::Page;

pub struct Api(pub App);

#[derive(Object)]
struct Why {
    /// For example how and when the person asked; kept with the proof.
    reason: String,
}

#[derive(Object)]
struct Retention {
    #[oai(validator(max_items = 20))]
    rules: Vec<retention::Rule>,
}

#[derive(ApiResponse)]
enum Taken {
    /// All that is kept of the household, as JSON; pictures by their addresses.
    #[oai(status = 200, content_type = "application/json")]
    Out(Attachment<Vec<u8>>),
}

#[derive(sqlx::FromRow)]
struct Row {
    subject: Uuid,
    kind: String,
    class: String,
    at: Millis,
    member: Option<Uuid>,
    counts: String,
    signature: Vec<u8>,
}

#[OpenApi(tag = "crate::api::Tag::Privacy")]
impl Api {
    /// Take out all that is kept of a household
    #[oai(path = "/api/households/:id/export", method = "get", operation_id = "exportHousehold")]
    async fn export(&self, admin: Admin, id: Path<Uuid>) -> Result<Taken> {
        let app = &self.0;
        let household = scope::record(&app.db, &admin, "household", id.0).await?;
        let (visits, evidence, signatures) = households::api::belongings(app, admin.org, id.0).await?;
        let wanted = audit::Wanted { subject: Some(id.0), limit: 10_000, ..audit::Wanted::default() };
        let events = audit::list(app, &admin, &wanted).await?;
        let events: Vec<serde_json::Value> = events.iter().filter_map(poem_openapi::types::ToJSON::to_json).collect();
        let at = app.clock.now();
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at };
        let place = id.0;
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    let feed = households::store::feed_of(tx, actor.org, place).await?;
                    audit::note(tx, &actor, feed, "household.export", ("household", place)).await
                })
            })
            .await?;
        let events = serde_json::to_string(&events)?;
        let text = format!(
            "{{\"taken_out_at\":{at},\"household\":{},\"visits\":[{}],\"evidence\":[{evidence}],\"signatures\":[{signatures}],\
             \"pictures\":\"/api/media/{{evidence}}/full\",\"events\":{events}}}\n",
            app.crypto.open_text(&household),
            app.crypto.open_text(&visits)
        );
        let name = format!("household-{}.json", id.0);
        Ok(Taken::Out(Attachment::new(text.into_bytes()).attachment_type(AttachmentType::Attachment).filename(name)))
    }

    /// Erase a household's personal data
    ///
    /// Names, numbers, words, places, pictures and signatures go, here and on phones; figures, the chains of audit and
    /// signatures, and the proof stay. There is no way back.
    #[oai(path = "/api/households/:id/erase", method = "post", operation_id = "eraseHousehold")]
    async fn erase(&self, admin: Admin, id: Path<Uuid>, why: Json<Why>) -> Result<Json<Erasure>> {
        let app = &self.0;
        scope::record(&app.db, &admin, "household", id.0).await?;
        check::name("reason", &why.reason)?;
        let at = app.clock.now();
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at };
        app.db.write(move |tx| Box::pin(async move { erase::household(tx, &actor, id.0, "request").await })).await?;
        app.jobs.notify_one();
        let rows: Vec<Row> = app
            .db
            .query("SELECT subject, kind, class, at, member, counts, signature FROM erased WHERE org = $1 AND subject = $2")
            .bind(admin.org)
            .bind(id.0)
            .all()
            .await?;
        let row = rows.into_iter().next().ok_or_else(|| crate::error::Error::not_found("erasure"))?;
        Ok(Json(shown(admin.org, row)?))
    }

    /// What was erased, with proof
    #[oai(path = "/api/erasures", method = "get", operation_id = "listErasures")]
    async fn list(&self, admin: Admin) -> Result<Json<Page<Erasure>>> {
        let rows: Vec<Row> = self
            .0
            .db
            .query(
                "SELECT subject, kind, class, at, member, counts, signature FROM erased WHERE org = $1 AND kind <> 'part'
                 ORDER BY at DESC, subject LIMIT 500",
            )
            .bind(admin.org)
            .all()
            .await?;
        let items = rows.into_iter().map(|row| shown(admin.org, row)).collect::<Result<_>>()?;
        Ok(Json(Page { items, next: None }))
    }

    /// How long things are kept
    #[oai(path = "/api/organisation/retention", method = "get", operation_id = "getRetention")]
    async fn rules(&self, admin: Admin) -> Result<Json<Retention>> {
        Ok(Json(Retention { rules: retention::rules(&self.0, admin.org).await? }))
    }

    /// Say how long things are kept
    #[oai(path = "/api/organisation/retention", method = "put", operation_id = "setRetention")]
    async fn set_rules(&self, admin: Admin, wanted: Json<Retention>) -> Result<Json<Retention>> {
        let actor = Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() };
        let rules = wanted.0.rules;
        self.0.db.write(move |tx| Box::pin(async move { retention::set(tx, &actor, &rules).await })).await?;
        Ok(Json(Retention { rules: retention::rules(&self.0, admin.org).await? }))
    }
}

fn shown(org: Uuid, row: Row) -> Result<Erasure> {
    let Row { subject, kind, class, at, member, counts, signature } = row;
    let message = message(org, subject, &kind, &class, at, member, &counts);
    let counts = serde_json::from_str(&counts)?;
    Ok(Erasure { subject, kind, class, at, member, counts, signature: b64(&signature), message })
}
