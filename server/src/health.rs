//! Is it alive, is it ready, and what should the start screen say?

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use crate::app::App;
use crate::demo;
use crate::error::Result;

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
        let media = self.0.store.canary().await;
        let word = |ok: bool| if ok { "ok" } else { "down" }.to_owned();
        let ready = database.is_ok() && media.is_ok();
        let answer = Json(Readiness { status: word(ready), database: word(database.is_ok()), media: word(media.is_ok()) });
        if ready { Ready::Yes(answer) } else { Ready::No(answer) }
    }

    /// What the start screen needs
    #[oai(path = "/api/start", method = "get", operation_id = "start")]
    async fn start(&self) -> Result<Json<Start>> {
        let organisation: Option<(String, String, bool)> =
            self.0.db.query("SELECT name, code, demo FROM organisation ORDER BY created_at, id LIMIT 1").optional().await?;
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
            organisation: organisation.map(|(name, code, _)| OrganisationName { name, code }),
            demo_accounts: if is_demo { demo::ACCOUNTS.iter().map(account).collect() } else { vec![] },
            languages: vec!["en".into(), "sw".into()],
            vapid_public_key: self.0.push.public_key.clone(),
        }))
    }
}
