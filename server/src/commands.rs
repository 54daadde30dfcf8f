//! Every write is a command: one handler, whether it comes by REST or in a sync batch; each takes effect once.

use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, ParseResult, ToJSON, Type};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

use crate::app::App;
use crate::audit::Actor;
use crate::auth::Reader;
use crate::clock::Millis;
use crate::crypto::MARK;
use crate::db::{Query, Tx};
use crate::error::{Error, Result};
use crate::planted::Mistake;
use crate::{
    assessments, conflicts, consents, enrolments, grants, groups, households, milestones, notifications, numbers, trainings,
    visits,
};

/// A command as it arrives; `body` fits `kind`.
#[derive(Deserialize)]
struct Envelope {
    id: Uuid,
    at: Millis,
    #[serde(flatten)]
    action: Action,
}

macro_rules! actions {
    ($($name:literal => $variant:ident($body:ty): $apply:path),* $(,)?) => {
        /// What a command does.
        #[derive(Clone, Deserialize)]
        #[serde(tag = "kind", content = "body")]
        pub enum Action {
            $(#[serde(rename = $name)] $variant($body)),*
        }

        /// The kinds this server knows, in the order of the documentation.
        pub const KINDS: &[&str] = &[$($name),*];

        impl Action {
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            async fn apply(self, tx: &mut Tx, context: &Context) -> Result<Applied> {
                match self { $(Self::$variant(body) => $apply(tx, context, body).await),* }
            }
        }

        fn register_bodies(registry: &mut Registry) {
            $(<$body as Type>::register(registry);)*
        }

        fn body_schemas() -> Vec<MetaSchemaRef> {
            vec![$(<$body as Type>::schema_ref()),*]
        }
    };
}

actions! {
    "household.register" => RegisterHousehold(households::Register): households::register,
    "household.update" => UpdateHousehold(households::Update): households::update,
    "household.merge" => MergeHouseholds(households::Merge): households::merge,
    "household.unmerge" => UnmergeHousehold(households::Unmerge): households::unmerge,
    "household.move" => MoveHousehold(households::Move): households::relocate,
    "consent.give" => GiveConsent(consents::Give): consents::give,
    "consent.withdraw" => WithdrawConsent(consents::Withdraw): consents::withdraw,
    "visit.plan" => PlanVisit(visits::Plan): visits::plan,
    "visit.start" => StartVisit(visits::Start): visits::start,
    "visit.submit" => SubmitVisit(visits::Submit): visits::submit,
    "visit.cancel" => CancelVisit(visits::Cancel): visits::cancel,
    "visit.miss" => MissVisit(visits::Miss): visits::miss,
    "visit.approve" => ApproveVisit(visits::Approve): visits::approve,
    "visit.return" => ReturnVisit(visits::Return): visits::send_back,
    "assessment.record" => RecordAssessment(assessments::Record): assessments::record,
    "enrolment.apply" => ApplyForProgramme(enrolments::Apply): enrolments::apply,
    "enrolment.move" => MoveEnrolment(enrolments::Move): enrolments::change,
    "milestone.move" => MoveMilestone(milestones::Move): milestones::change,
    "group.form" => FormGroup(groups::Form): groups::form,
    "group.change" => ChangeGroup(groups::Change): groups::change,
    "group.dissolve" => DissolveGroup(groups::Dissolve): groups::dissolve,
    "group.survey" => SurveyGroup(groups::Take): groups::take,
    "training.schedule" => ScheduleTraining(trainings::Schedule): trainings::schedule,
    "training.change" => ChangeTraining(trainings::Change): trainings::change,
    "training.cancel" => CancelTraining(trainings::Cancel): trainings::cancel,
    "training.attend" => AttendTraining(trainings::Attend): trainings::attend,
    "training.hold" => HoldTraining(trainings::Hold): trainings::hold,
    "grant.submit" => SubmitGrant(grants::Submit): grants::submit,
    "grant.move" => MoveGrant(grants::Move): grants::change,
    "grant.release" => ReleaseGrant(grants::Release): grants::release,
    "grant.acknowledge" => AcknowledgeGrant(grants::Acknowledge): grants::acknowledge,
    "grant.tranche" => MoveTranche(grants::ChangeTranche): grants::tranche,
    "grant.utilise" => UtiliseGrant(grants::Utilise): grants::utilise,
    "grant.verify" => VerifyGrant(grants::Verify): grants::verify,
    "conflict.settle" => SettleConflict(conflicts::Settle): conflicts::settle,
    "inbox.read" => ReadInbox(notifications::Read): notifications::read,
}

/// By which door a command came: it decides whether its device may not yet have heard of a change of places.
#[derive(Clone)]
pub enum Door {
    Rest,
    /// The cursors that came with it: the feeds that the device still follows, and how far it has heard of them.
    Sync(Arc<HashMap<Uuid, i64>>),
    Outbox,
}

/// What a handler may use besides its transaction and its body.
pub struct Context {
    pub app: App,
    pub reader: Reader,
    pub door: Door,
    /// The device's time when the command was made.
    pub at: Millis,
    pub now: Millis,
    /// A number for people, when the kind of command gives one.
    pub number: String,
}

impl Context {
    pub fn actor(&self) -> Actor {
        Actor { org: self.reader.org, member: Some(self.reader.id), device: Some(self.reader.device), at: self.now }
    }
}

/// A record that a command changed, and whether everything in it went through.
pub struct Applied {
    pub record: Option<(Uuid, i64)>,
    pub conflict: bool,
}

impl Applied {
    pub fn to(record: Uuid, revision: i64) -> Result<Self> {
        Ok(Self { record: Some((record, revision)), conflict: false })
    }
}

/// The record a command changed and the feed revision that holds it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct RecordRef {
    pub id: Uuid,
    pub revision: i64,
}

/// A command's answer. `status`: applied, duplicate (with the `first` answer), conflict (kept, and a conflict is open)
/// or rejected (`code`, `message`).
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
#[oai(rename = "CommandResult", skip_serializing_if_is_none)]
pub struct Outcome {
    pub id: String,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<RecordRef>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<Box<Outcome>>,
}

impl Outcome {
    fn of(id: String, status: &str) -> Self {
        Self { id, status: status.into(), code: None, message: None, field: None, record: None, first: None }
    }

    pub fn rejected(id: String, error: &Error) -> Self {
        let problem = &error.problem;
        Self {
            code: Some(problem.code.clone()),
            message: Some(problem.message.clone()),
            field: problem.field.clone(),
            ..Self::of(id, "rejected")
        }
    }
}

/// Applies one command, or repeats its first answer.
///
/// # Errors
/// Only when it is the server's fault: then nothing is remembered and the same command may come again.
pub async fn run(app: &App, reader: &Reader, raw: &Value, door: &Door) -> Result<Outcome> {
    let id_text = raw.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let envelope = match parse(raw) {
        Ok(envelope) => envelope,
        Err(error) => return remember_malformed(app, reader, raw, &id_text, error).await,
    };
    let number = match envelope.action {
        Action::RegisterHousehold(_) => numbers::next(app, reader.org, "HH").await?,
        Action::PlanVisit(_) | Action::SubmitVisit(_) => numbers::next(app, reader.org, "VIS").await?,
        Action::ApplyForProgramme(_) => numbers::next(app, reader.org, "ENR").await?,
        Action::SubmitGrant(_) => numbers::next(app, reader.org, "GRT").await?,
        Action::ScheduleTraining(_) => numbers::next(app, reader.org, "TRN").await?,
        Action::FormGroup(_) => numbers::next(app, reader.org, "GRP").await?,
        _ => String::new(),
    };
    let now = app.clock.now();
    let kind = envelope.action.kind();
    let (id, at) = (envelope.id, envelope.at);
    let context = Context { app: app.clone(), reader: reader.clone(), door: door.clone(), at, now, number };
    let action = envelope.action;
    let result = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let applied = action.apply(tx, &context).await?;
                let mut outcome = Outcome::of(id.to_string(), if applied.conflict { "conflict" } else { "applied" });
                outcome.record = applied.record.map(|(id, revision)| RecordRef { id, revision });
                let jobs = tx.jobs;
                let log = remember(tx, &context.reader, (id, kind, at), now, &outcome, None)?;
                if context.app.planted.has(Mistake::ApplyTwice) {
                    log.later().await?;
                } else {
                    log.later_or(|| Error::refused(ANSWERED, "This command was answered.")).await?;
                }
                Ok((outcome, jobs))
            })
        })
        .await;
    match result {
        Ok((outcome, jobs)) => {
            if jobs {
                app.jobs.notify_one();
            }
            Ok(outcome)
        }
        Err(error) if error.code() == ANSWERED => first_answer(app, reader, id).await,
        Err(error) if error.is_ours() => Err(error),
        Err(error) => remember_rejected(app, reader, raw, id, kind, at, error).await,
    }
}

fn parse(raw: &Value) -> Result<Envelope> {
    if holds(raw, &|text| text.contains('\0') || text.contains(MARK)) {
        return Err(Error::refused("invalid_text", "A text holds a character that cannot be stored."));
    }
    if let Some(kind) = raw.get("kind").and_then(Value::as_str)
        && !KINDS.contains(&kind)
    {
        return Err(Error::refused("unknown_command", "This server does not know this kind of command."));
    }
    Envelope::deserialize(raw).map_err(|e| {
        // The parser's own words repeat the value; answers are kept in clear, so only what kind of fault it was.
        let fault =
            if e.to_string().contains("missing field") { e.to_string() } else { "a value has the wrong form".into() };
        Error::refused("invalid_command", format!("The command does not have the form of its kind: {fault}."))
    })
}

/// PostgreSQL cannot keep a NUL in a text, and nobody types the mark of a sealed one; better to say so here than in
/// the middle of a write.
fn holds(value: &Value, wrong: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wrong(text),
        Value::Array(items) => items.iter().any(|item| holds(item, wrong)),
        Value::Object(fields) => fields.iter().any(|(key, value)| wrong(key) || holds(value, wrong)),
        _ => false,
    }
}

/// Whoever comes second with an id finds it answered, and all that it did meanwhile is undone. PostgreSQL lets it wait
/// until the first is committed; SQLite writes one after the other anyway.
const ANSWERED: &str = "answered";

/// Claims the id and keeps its answer at once: the last statement of the work.
fn remember<'t>(
    tx: &'t mut Tx,
    reader: &Reader,
    (id, kind, at): (Uuid, &'static str, Millis),
    now: Millis,
    answer: &Outcome,
    rejected: Option<String>,
) -> Result<Query<&'t mut Tx>> {
    Ok(tx
        .query(
            "INSERT INTO command_log (org, id, member, device, kind, device_at, at, answer, rejected)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (org, id) DO NOTHING",
        )
        .bind(reader.org)
        .bind(id)
        .bind(reader.id)
        .bind(reader.device)
        .bind(kind)
        .bind(at)
        .bind(now)
        .bind(serde_json::to_string(answer)?)
        .bind(rejected))
}

async fn first_answer(app: &App, reader: &Reader, id: Uuid) -> Result<Outcome> {
    lookup(app, reader, id).await?.ok_or_else(|| Error::unavailable("Try again."))
}

/// The first answer to a command that may have come before.
pub async fn answered(app: &App, reader: &Reader, raw: &Value) -> Result<Option<Outcome>> {
    let id = raw.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    match id.filter(|_| !app.planted.has(Mistake::ApplyTwice)) {
        Some(id) => lookup(app, reader, id).await,
        None => Ok(None),
    }
}

async fn lookup(app: &App, reader: &Reader, id: Uuid) -> Result<Option<Outcome>> {
    let row: Option<(Uuid, String)> = app
        .db
        .query("SELECT member, answer FROM command_log WHERE org = $1 AND id = $2")
        .bind(reader.org)
        .bind(id)
        .optional()
        .await?;
    let Some((member, answer)) = row else { return Ok(None) };
    if member != reader.id {
        let error = Error::refused("command_id_taken", "Another person's command has this id.");
        return Ok(Some(Outcome::rejected(id.to_string(), &error)));
    }
    let first: Outcome = serde_json::from_str(&answer)?;
    let record = first.record.clone();
    Ok(Some(Outcome { record, first: Some(Box::new(first)), ..Outcome::of(id.to_string(), "duplicate") }))
}

/// A rejection is an answer too: given once, and what the person typed is kept with it (sealed).
async fn remember_rejected(
    app: &App,
    reader: &Reader,
    raw: &Value,
    id: Uuid,
    kind: &'static str,
    at: Millis,
    error: Error,
) -> Result<Outcome> {
    let outcome = Outcome::rejected(id.to_string(), &error);
    let body = app.crypto.seal(&raw.to_string());
    let (by, now, answer) = (reader.clone(), app.clock.now(), outcome.clone());
    let kept = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let written = remember(tx, &by, (id, kind, at), now, &answer, Some(body))?.run().await?;
                Ok(written == 1)
            })
        })
        .await?;
    if kept { Ok(outcome) } else { first_answer(app, reader, id).await }
}

/// Refuses a command without looking at what it would do; what was typed is kept with the refusal.
pub async fn refuse(app: &App, reader: &Reader, raw: &Value, error: Error) -> Result<Outcome> {
    let id = raw["id"].as_str().unwrap_or_default().to_owned();
    remember_malformed(app, reader, raw, &id, error).await
}

async fn remember_malformed(app: &App, reader: &Reader, raw: &Value, id_text: &str, error: Error) -> Result<Outcome> {
    match Uuid::parse_str(id_text) {
        Ok(id) => {
            let at = raw.get("at").and_then(Value::as_i64).unwrap_or_default();
            remember_rejected(app, reader, raw, id, "unknown", at, error).await
        }
        Err(_) => Ok(Outcome::rejected(id_text.chars().take(64).collect(), &error)),
    }
}

/// A command on the wire: parsed here rather than by the framework, so that one bad command rejects only itself.
#[derive(Clone, Debug)]
pub struct RawCommand(pub Value);

impl Type for RawCommand {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Command".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("Command".into())
    }

    fn register(registry: &mut Registry) {
        register_bodies(registry);
        registry.create_schema::<Self, _>("Command".into(), |_| {
            let string = |schema: MetaSchema| MetaSchemaRef::Inline(Box::new(schema));
            let mut kind = MetaSchema::new("string");
            kind.enum_items = KINDS.iter().map(|k| Value::from(*k)).collect();
            let mut schema = MetaSchema::new("object");
            schema.description =
                Some("id: UUIDv7 made on the device. at: the device's time in milliseconds. body: fits kind.");
            schema.required = vec!["id", "kind", "at", "body"];
            schema.properties = vec![
                ("id", Uuid::schema_ref()),
                ("kind", string(kind)),
                ("at", i64::schema_ref()),
                ("body", string(MetaSchema { any_of: body_schemas(), ..MetaSchema::ANY })),
            ];
            schema
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for RawCommand {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(Self(value.unwrap_or_default()))
    }
}

impl ToJSON for RawCommand {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

/// The doors of commands that do not come in a sync batch.
pub struct Api(pub App);

#[poem_openapi::OpenApi(tag = "crate::api::Tag::Commands")]
impl Api {
    /// Apply one command
    ///
    /// The same handler and the same answer as in a sync batch. A rejection answers 422, a repeated command 200.
    #[oai(path = "/api/commands", method = "post", operation_id = "command")]
    async fn command(
        &self,
        reader: Reader,
        command: poem_openapi::payload::Json<RawCommand>,
    ) -> Result<poem_openapi::payload::Json<Outcome>> {
        let outcome = run(&self.0, &reader, &command.0.0, &Door::Rest).await?;
        if outcome.status == "rejected" {
            let mut error = Error::refused(&outcome.code.unwrap_or_default(), outcome.message.unwrap_or_default());
            error.problem.field = outcome.field;
            return Err(error);
        }
        Ok(poem_openapi::payload::Json(outcome))
    }
}
