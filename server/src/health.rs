//! Is it alive, is it ready, and what should the start screen say?

use std::time::Duration;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use tokio::sync::Mutex;

use crate::app::App;
use crate::clock::Millis;
use crate::demo;
use crate::error::Result;
use crate::platform::{Mode, mode};

pub struct Api(pub App);

#[derive(Object)]
struct Health {
    status: String,
}

/// Each part as `ok` or `down`.
#[derive(Object)]
struct Readiness {
    status: String,
    database: String,
    media: String,
}

#[derive(ApiResponse)]
enum Ready {
    /// Every part answers.
    #[oai(status = 200)]
    Yes(Json<Readiness>),
    /// A part does not answer.
    #[oai(status = 503)]
    No(Json<Readiness>),
}

#[derive(Object)]
struct OrganisationName {
    name: String,
    code: String,
}

/// A demonstration account; these exist only in a demo organisation.
#[derive(Object)]
struct DemoAccount {
    login: String,
    password: String,
    role: String,
    name: String,
}

/// What the start screen needs before anybody has signed in.
#[derive(Object)]
struct Start {
    version: String,
    organisation: Option<OrganisationName>,
    /// Nobody has used the one-time set-up link yet.
    setup_required: bool,
    demo_accounts: Vec<DemoAccount>,
    languages: Vec<String>,
    /// What browsers subscribe to push with, base64url.
    vapid_public_key: String,
    /// What people call the identity provider by which they may sign in, if there is one.
    #[oai(skip_serializing_if_is_none)]
    identity_provider: Option<String>,
}

/// The last round trip through the storage, so that being asked often costs it nothing.
#[derive(Default)]
pub struct Canary(Mutex<Option<(Millis, bool)>>);

impl Canary {
    /// Whether bytes could be written and read back, at most 10 s ago; a failure is looked at again after one.
    async fn sings(&self, app: &App) -> bool {
        let mut last = self.0.lock().await;
        let now = app.clock.now();
        if let Some((at, sang)) = *last
            && (0..if sang { 10_000 } else { 1_000 }).contains(&(now - at))
        {
            return sang;
        }
        let sang = matches!(tokio::time::timeout(Duration::from_secs(5), app.store.canary()).await, Ok(Ok(())));
        *last = Some((now, sang));
        sang
    }
}

#[OpenApi(tag = "crate::api::Tag::Health")]
impl Api {
    /// The process is alive
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn health(&self) -> Json<Health> {
        Json(Health { status: "ok".into() })
    }

    /// The process can do its work
    #[oai(path = "/health/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> Ready {
        let database: Result<(i64,)> = self.0.db.query("SELECT count(*) FROM organisation").one().await;
        let media = self.0.canary.sings(&self.0).await;
        let word = |ok: bool| if ok { "ok" } else { "down" }.to_owned();
        let ready = database.is_ok() && media;
        let answer = Json(Readiness { status: word(ready), database: word(database.is_ok()), media: word(media) });
        if ready { Ready::Yes(answer) } else { Ready::No(answer) }
    }

    /// What the start screen needs
    #[oai(path = "/api/start", method = "get", operation_id = "start")]
    async fn start(&self) -> Result<Json<Start>> {
        let organisation: Option<(String, String, bool)> =
            self.0.db.query("SELECT name, code, demo FROM organisation ORDER BY created_at, id LIMIT 1").optional().await?;
        let single = mode::now(&self.0.db).await? == Mode::Single;
        let is_demo = organisation.as_ref().is_some_and(|(_, _, demo)| *demo);
        let account = |a: &demo::Account| DemoAccount {
            login: a.login.into(),
            password: demo::PASSWORD.into(),
            role: a.role.as_str().into(),
            name: a.name.into(),
        };
        Ok(Json(Start {
            version: env!("CARGO_PKG_VERSION").into(),
            setup_required: organisation.is_none(),
            // With several, nobody who is not signed in learns of any.
            organisation: organisation.filter(|_| single).map(|(name, code, _)| OrganisationName { name, code }),
            demo_accounts: if is_demo { demo::ACCOUNTS.iter().map(account).collect() } else { vec![] },
            languages: vec!["en".into(), "sw".into()],
            vapid_public_key: self.0.push.public_key.clone(),
            identity_provider: self.0.config.oidc_issuer.as_ref().map(|_| self.0.config.oidc_name.clone()),
        }))
    }
}
