//! Is it alive, is it ready, and what should the start screen say?

use std::time::Duration;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use tokio::sync::Mutex;

use crate::app::App;
use crate::clock::{MINUTE, Millis};
use crate::demo;
use crate::error::{Error, Result};
use crate::notifications::Channel;
use crate::platform::{Mode, mode};

pub struct Api(pub App);

#[derive(Object)]
struct Health {
    status: String,
    /// The server's clock.
    time: Millis,
    /// Seconds since this process began.
    uptime: u64,
    version: String,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case", rename = "PartState")]
pub enum Word {
    Ok,
    Down,
    /// It works, and is behind with its work.
    Late,
    /// It is not set up.
    Off,
}

impl Word {
    fn of(good: bool) -> Self {
        if good { Self::Ok } else { Self::Down }
    }

    pub fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::Off)
    }
}

/// Every part of the server.
#[derive(Clone, Copy)]
pub struct Parts {
    database: Word,
    media: Word,
    jobs: Word,
    push: Word,
    email: Word,
}

impl Parts {
    pub fn words(&self) -> impl Iterator<Item = (&'static str, Word)> + use<> {
        let Self { database, media, jobs, push, email } = *self;
        [("database", database), ("media", media), ("jobs", jobs), ("push", push), ("email", email)].into_iter()
    }
}

/// A job that is due waits this long at most while the runners keep up.
const LATE: Millis = 10 * MINUTE;

/// A database that takes longer for a glance is as good as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the job that is due longest has waited for this process; the tries of what fails are due later each time.
pub async fn late(app: &App) -> Result<Millis> {
    let now = app.clock.now();
    let oldest: (Option<Millis>,) = app
        .db
        .query("SELECT min(run_at) FROM job WHERE state = 'queued' AND run_at <= $1 AND lease_until <= $1")
        .bind(now)
        .one()
        .await?;
    // What fell due while nobody ran is not late yet.
    Ok(oldest.0.map_or(0, |at| now - at.max(app.metrics.begun_at())))
}

/// Looks at each part; at the storage not more often than every ten seconds.
pub async fn look(app: &App) -> Parts {
    // Asked by what shares out requests: it is not to wait as long as a request would for a connection.
    let looked = async { Ok::<_, Error>((late(app).await?, app.db.takes().await)) };
    let (database, jobs) = match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok((late, takes))) => (Word::of(takes), if late <= LATE { Word::Ok } else { Word::Late }),
        _ => (Word::Down, Word::Down),
    };
    let email = match &app.mail {
        Some(_) => Word::of(app.metrics.carries(Channel::Email)),
        None => Word::Off,
    };
    Parts {
        database,
        media: Word::of(app.canary.sings(app).await),
        jobs,
        push: Word::of(app.metrics.carries(Channel::Push)),
        email,
    }
}

/// Each part, and all of them together.
#[derive(Object)]
struct Readiness {
    /// `ok`; `degraded`: something does not work, or is late; `down`: this copy can do no work.
    status: String,
    time: Millis,
    uptime: u64,
    version: String,
    database: Word,
    media: Word,
    jobs: Word,
    push: Word,
    email: Word,
}

impl Readiness {
    fn of(app: &App, parts: Parts) -> Self {
        let Parts { database, media, jobs, push, email } = parts;
        let works = database.is_good() && media.is_good();
        let good = parts.words().all(|(_, word)| word.is_good());
        Self {
            status: if good {
                "ok"
            } else if works {
                "degraded"
            } else {
                "down"
            }
            .into(),
            time: app.clock.now(),
            uptime: app.metrics.uptime(),
            version: env!("CARGO_PKG_VERSION").into(),
            database,
            media,
            jobs,
            push,
            email,
        }
    }
}

#[derive(ApiResponse)]
enum Ready {
    /// It does its work.
    #[oai(status = 200)]
    Yes(Json<Readiness>),
    /// A part that it needs does not answer.
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
        let version = env!("CARGO_PKG_VERSION").into();
        Json(Health { status: "ok".into(), time: self.0.clock.now(), uptime: self.0.metrics.uptime(), version })
    }

    /// Every part, and whether all of them work: for people and monitoring
    #[oai(path = "/api/health", method = "get", operation_id = "healthOfParts")]
    async fn parts(&self) -> Ready {
        let answer = Readiness::of(&self.0, look(&self.0).await);
        if answer.status == "ok" { Ready::Yes(Json(answer)) } else { Ready::No(Json(answer)) }
    }

    /// The process can do its work: for what shares out requests among copies
    #[oai(path = "/health/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> Ready {
        // Nobody is helped by a copy that gets no requests because a mail server is down.
        let answer = Readiness::of(&self.0, look(&self.0).await);
        if answer.status == "down" { Ready::No(Json(answer)) } else { Ready::Yes(Json(answer)) }
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
