//! Subscribing a device to web push, and how a person wants to be told.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::confirm::{self, Addresses, Sent};
use super::deliveries;
use super::kinds::Channel;
use super::told::{self, Choice, Told};
use super::unreached::{self, Unreached};
use crate::app::App;
use crate::audit::Actor;
use crate::auth::{MemberManager, Reader, Role};
use crate::check;
use crate::clock::new_id;
use crate::crypto::{point, unb64};
use crate::db::wall;
use crate::error::{Error, Result};
use crate::jobs;
use crate::members;
use crate::wire::Page;

pub struct Api(pub App);

/// What a test says, in both languages.
const TEST: (&str, &str) = ("Notifications work on this phone", "Arifa zinafanya kazi kwenye simu hii");

/// What the browser's `PushSubscription` holds; keys in base64url.
#[derive(Object)]
pub struct Subscription {
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    /// en or sw
    pub language: String,
}

/// Which of the own addresses: `email` or `sms`.
#[derive(Object)]
#[oai(rename = "ToldWhich")]
pub struct Which {
    pub channel: Channel,
}

/// The code that came there.
#[derive(Object)]
#[oai(rename = "ToldCode")]
pub struct Code {
    pub channel: Channel,
    pub code: String,
}

/// The address that the administrator looked at.
#[derive(Object)]
#[oai(rename = "VouchFor")]
pub struct Vouch {
    pub channel: Channel,
    pub address: String,
}

#[derive(ApiResponse)]
enum Done {
    /// Done.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "crate::api::Tag::Notifications")]
impl Api {
    /// Subscribe this device
    #[oai(path = "/api/push/subscription", method = "put", operation_id = "subscribePush")]
    async fn subscribe(&self, reader: Reader, subscription: Json<Subscription>) -> Result<Done> {
        let Subscription { endpoint, p256dh, auth, language } = subscription.0;
        check::text("endpoint", &endpoint, 1000)?;
        check::one_of("language", &language, &["en", "sw"])?;
        self.0.push.allows(&endpoint)?;
        let key = unb64(&p256dh).filter(|k| point(k).is_ok());
        if key.is_none() || unb64(&auth).is_none_or(|a| a.len() != 16) {
            return Err(Error::invalid("p256dh", "These are not the keys of a push subscription."));
        }
        let now = self.0.clock.now();
        // A browser has one address for push, whichever organisation the people on it belong to.
        let subscribed = self.0.db.write(move |tx| {
            Box::pin(
                tx.query(
                    "INSERT INTO push_subscription (endpoint, org, member, device, p256dh, auth, language, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                         ON CONFLICT (endpoint) DO UPDATE SET org = excluded.org, member = excluded.member,
                             device = excluded.device, p256dh = excluded.p256dh, auth = excluded.auth,
                             language = excluded.language",
                )
                .bind(endpoint)
                .bind(reader.org)
                .bind(reader.id)
                .bind(reader.device)
                .bind(p256dh)
                .bind(auth)
                .bind(language)
                .bind(now)
                .run(),
            )
        });
        wall::beyond(subscribed).await?;
        Ok(Done::Done)
    }

    /// Unsubscribe a device
    #[oai(path = "/api/push/subscription", method = "delete", operation_id = "unsubscribePush")]
    async fn unsubscribe(&self, reader: Reader, endpoint: Query<String>) -> Result<Done> {
        check::text("endpoint", &endpoint, 1000)?;
        let delete = "DELETE FROM push_subscription WHERE endpoint = $1 AND org = $2 AND member = $3";
        self.0
            .db
            .write(move |tx| Box::pin(tx.query(delete).bind(endpoint.0).bind(reader.org).bind(reader.id).run()))
            .await?;
        Ok(Done::Done)
    }

    /// Send a test push to the caller's own devices
    #[oai(path = "/api/push/test", method = "post", operation_id = "testPush")]
    async fn test(&self, reader: Reader) -> Result<Done> {
        let now = self.0.clock.now();
        let endpoints: Vec<(String,)> = self
            .0
            .db
            .query("SELECT endpoint FROM push_subscription WHERE org = $1 AND member = $2")
            .bind(reader.org)
            .bind(reader.id)
            .all()
            .await?;
        if endpoints.is_empty() {
            return Err(Error::conflict("not_subscribed", "None of your devices is subscribed."));
        }
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    for (endpoint,) in endpoints {
                        let job = jobs::New { kind: "push", dedupe: format!("test:{}", new_id()), run_at: now };
                        let text = json!({ "en": TEST.0, "sw": TEST.1 });
                        let payload = json!({ "v": 1, "kind": "test", "url": "/inbox", "at": now, "text": text });
                        jobs::enqueue(tx, reader.org, job, &json!({ "endpoint": endpoint, "payload": payload })).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.0.jobs.notify_one();
        Ok(Done::Done)
    }

    /// Remind the caller of an entry again, in an hour
    #[oai(path = "/api/inbox/:id/later", method = "post", operation_id = "remindLater")]
    async fn later(&self, reader: Reader, id: Path<Uuid>) -> Result<Done> {
        let (now, whose) = (self.0.clock.now(), (reader.org, reader.id));
        self.0.db.write(move |tx| Box::pin(deliveries::again(tx, now, whose, id.0))).await?;
        Ok(Done::Done)
    }

    /// Who was not reached: messages to act on, not read for a day
    ///
    /// A supervisor sees the own team, whoever manages members sees all. Whoever waits longest leads.
    #[oai(path = "/api/unreached", method = "get", operation_id = "listUnreached")]
    async fn unreached(&self, reader: Reader) -> Result<Json<Page<Unreached>>> {
        Ok(Json(Page { items: unreached::list(&self.0, &reader).await?, next: None }))
    }

    /// How the caller wants to be told, and what there is to choose from
    #[oai(path = "/api/me/told", method = "get", operation_id = "getTold")]
    async fn told(&self, reader: Reader) -> Result<Json<Choice>> {
        Ok(Json(told::of(&self.0, &reader).await?))
    }

    /// Choose how to be told
    ///
    /// All of it; kinds that are not named are as the registry says. The inbox itself has everything, always.
    #[oai(path = "/api/me/told", method = "put", operation_id = "setTold")]
    async fn set_told(&self, reader: Reader, wanted: Json<Told>) -> Result<Done> {
        let checked = told::checked(wanted.0)?;
        let whose = (reader.org, reader.id);
        self.0.db.write(move |tx| Box::pin(told::keep(tx, whose, checked))).await?;
        Ok(Done::Done)
    }

    /// Send a code to an address of the caller's
    ///
    /// An address is used once its code was typed. Six digits, good for 15 minutes; another one after half a minute, then
    /// after ever longer.
    #[oai(path = "/api/me/told/code", method = "post", operation_id = "sendToldCode")]
    async fn send_code(&self, reader: Reader, which: Json<Which>) -> Result<Json<Sent>> {
        Ok(Json(confirm::send(&self.0, &reader, which.0.channel).await?))
    }

    /// Confirm an address by the code that came there
    #[oai(path = "/api/me/told/confirm", method = "post", operation_id = "confirmTold")]
    async fn confirm(&self, reader: Reader, code: Json<Code>) -> Result<Done> {
        let at = self.0.clock.now();
        let actor = Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at };
        confirm::confirm(&self.0, actor, &reader, code.0.channel, code.0.code).await?;
        Ok(Done::Done)
    }

    /// Where e-mails and text messages to a member go
    ///
    /// That somebody looked stands in the audit.
    #[oai(path = "/api/members/:id/told", method = "get", operation_id = "memberTold")]
    async fn member_told(&self, admin: MemberManager, id: Path<Uuid>) -> Result<Json<Addresses>> {
        Ok(Json(confirm::of_member(&self.0, self.actor(&admin), &admin, id.0).await?))
    }

    /// Vouch for a member's address
    ///
    /// For numbers that no code can be sent to, where the administrator knows whose they are. It stands in the audit.
    #[oai(path = "/api/members/:id/told/vouch", method = "post", operation_id = "vouchTold")]
    async fn vouch(&self, admin: MemberManager, id: Path<Uuid>, vouch: Json<Vouch>) -> Result<Done> {
        let actor = self.actor(&admin);
        let Vouch { channel, address } = vouch.0;
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    members::store::demand_may_give(tx, &admin, Some(id.0), (Role::Mentor, None)).await?;
                    confirm::vouch(tx, actor, &admin, id.0, channel, &address).await
                })
            })
            .await?;
        Ok(Done::Done)
    }
}

impl Api {
    fn actor(&self, admin: &MemberManager) -> Actor {
        Actor { org: admin.org, member: Some(admin.id), device: Some(admin.device), at: self.0.clock.now() }
    }
}
