//! What an administrator does about personal data: takes it out for a household or a member, erases it, says how long
//! things are kept.

use poem_openapi::param::Path;
use poem_openapi::payload::{Attachment, AttachmentType, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::erase::{self, Why};
use super::{Erasure, Proof, person, retention};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::Admin;
use crate::check;
use crate::db::wall;
use crate::error::{Error, Result};
use crate::households;
use crate::scope;
use crate::trainings;
use crate::wire::Page;

pub struct Api(pub App);

#[derive(Object)]
#[oai(rename = "Why")]
struct Asked {
    /// For example how and when the person asked; kept sealed, and signed, in the proof. Nowhere else.
    reason: String,
}

#[derive(Object)]
struct Retention {
    #[oai(validator(max_items = 20))]
    rules: Vec<retention::Rule>,
}

#[derive(ApiResponse)]
enum Taken {
    /// All that is kept of the household or the member, as JSON; pictures by their addresses.
    #[oai(status = 200, content_type = "application/json")]
    Out(Attachment<Vec<u8>>),
}

#[OpenApi(tag = "crate::api::Tag::Privacy")]
impl Api {
    /// Take out all that is kept of a household
    #[oai(path = "/api/households/:id/export", method = "get", operation_id = "exportHousehold")]
    async fn export(&self, admin: Admin, id: Path<Uuid>) -> Result<Taken> {
        let app = &self.0;
        let household = scope::record(&app.db, &admin, "household", id.0).await?;
        let (visits, evidence, signatures) = households::api::belongings(app, &admin, id.0).await?;
        let (assessments, enrolments) = households::api::programme_records(app, admin.org, id.0).await?;
        let (groups, surveys) = households::api::group_records(app, admin.org, id.0).await?;
        let trainings = trainings::store::taken_out(app, admin.org, id.0).await?;
        let wanted = audit::Wanted { subject: Some(id.0), limit: 10_000, ..audit::Wanted::default() };
        let events = audit::list(app, &admin, &wanted).await?;
        let events: Vec<serde_json::Value> = events.iter().filter_map(poem_openapi::types::ToJSON::to_json).collect();
        let actor = self.actor(&admin);
        let (place, at) = (id.0, actor.at);
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
             \"assessments\":[{assessments}],\"enrolments\":[{enrolments}],\"groups\":[{groups}],\"surveys\":[{surveys}],\"trainings\":{trainings},\
             \"pictures\":\"/api/media/{{evidence}}/full\",\"events\":{events}}}\n",
            app.crypto.open_text(&household),
            app.crypto.open_text(&visits)
        );
        Ok(taken(text, format!("household-{}.json", id.0)))
    }

    /// Erase a household's personal data
    ///
    /// Names, numbers, words, places, pictures and signatures go, here and on phones; figures, the chains of audit and
    /// signatures, and the proof stay. There is no way back.
    #[oai(path = "/api/households/:id/erase", method = "post", operation_id = "eraseHousehold")]
    async fn erase(&self, admin: Admin, id: Path<Uuid>, why: Json<Asked>) -> Result<Json<Erasure>> {
        let app = &self.0;
        scope::record(&app.db, &admin, "household", id.0).await?;
        check::name("reason", &why.reason)?;
        let actor = self.actor(&admin);
        let reason = why.0.reason;
        let work =
            app.db.write(move |tx| Box::pin(async move { erase::family(tx, &actor, id.0, Why::asked(&reason)).await }));
        work.await?;
        app.jobs.notify_one();
        self.proof(&admin, id.0).await
    }

    /// Take out all that is kept of a member
    ///
    /// Their account, phones, sessions and messages, and what they did, by numbers: households have exports of their own.
    #[oai(path = "/api/members/:id/export", method = "get", operation_id = "exportMember")]
    async fn export_member(&self, admin: Admin, id: Path<Uuid>) -> Result<Taken> {
        let actor = self.actor(&admin);
        let text = person::export(&self.0, &admin, id.0, actor.at).await?;
        let member = id.0;
        let note = self.0.db.write(move |tx| {
            Box::pin(async move { audit::note(tx, &actor, actor.org, "member.export", ("person", member)).await })
        });
        note.await?;
        Ok(taken(text, format!("member-{member}.json")))
    }

    /// Erase a member's personal data
    ///
    /// Their membership ends; name, login, password, second step, phones' names and messages go, here and on colleagues'
    /// phones. What they recorded stays as nobody's, with both chains and the proof; a signed statement keeps the name
    /// that was read out. There is no way back. 409 `several_organisations` for a person who works elsewhere too.
    #[oai(path = "/api/members/:id/erase", method = "post", operation_id = "eraseMember")]
    async fn erase_member(&self, admin: Admin, id: Path<Uuid>, why: Json<Asked>) -> Result<Json<Erasure>> {
        let app = &self.0;
        scope::of_organisation(&app.db, admin.org, "person", id.0).await.map_err(|_| Error::not_found("member"))?;
        check::name("reason", &why.reason)?;
        if id.0 == admin.id {
            return Err(Error::conflict("own_role", "Nobody takes away their own administration."));
        }
        let (actor, reason) = (self.actor(&admin), why.0.reason);
        // It looks whether the account opens other organisations' doors.
        let work =
            app.db.write(move |tx| Box::pin(async move { person::erase(tx, &actor, id.0, Why::asked(&reason)).await }));
        wall::beyond(work).await?;
        app.sessions.forget_all();
        self.proof(&admin, id.0).await
    }

    /// What was erased, with proof
    #[oai(path = "/api/erasures", method = "get", operation_id = "listErasures")]
    async fn list(&self, admin: Admin) -> Result<Json<Page<Erasure>>> {
        let rows: Vec<Proof> = self
            .0
            .db
            .query(
                "SELECT subject, kind, class, at, member, counts, reason, signature FROM erased
                 WHERE org = $1 AND kind <> 'part' ORDER BY at DESC, subject LIMIT 500",
            )
            .bind(admin.org)
            .all()
            .await?;
        let items = rows.into_iter().map(|row| row.shown(&self.0.crypto, admin.org)).collect::<Result<_>>()?;
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
        let actor = self.actor(&admin);
        let rules = wanted.0.rules;
        self.0.db.write(move |tx| Box::pin(async move { retention::set(tx, &actor, &rules).await })).await?;
        Ok(Json(Retention { rules: retention::rules(&self.0, admin.org).await? }))
    }
}

impl Api {
    fn actor(&self, admin: &Admin) -> Actor {
        Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() }
    }

    async fn proof(&self, admin: &Admin, subject: Uuid) -> Result<Json<Erasure>> {
        let row: Option<Proof> = self
            .0
            .db
            .query(
                "SELECT subject, kind, class, at, member, counts, reason, signature FROM erased
                 WHERE org = $1 AND subject = $2",
            )
            .bind(admin.org)
            .bind(subject)
            .optional()
            .await?;
        let row = row.ok_or_else(|| Error::not_found("erasure"))?;
        Ok(Json(row.shown(&self.0.crypto, admin.org)?))
    }
}

fn taken(text: String, name: String) -> Taken {
    Taken::Out(Attachment::new(text.into_bytes()).attachment_type(AttachmentType::Attachment).filename(name))
}
