//! `POST /api/outbox`: sealed commands from a phone that cannot sign in now, or from whoever carries its copy; and what
//! becomes of those that were put aside.

use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::{OutboxItem, deliver, store};
use crate::app::App;
use crate::auth::Reader;
use crate::commands::Outcome;
use crate::error::{Error, Result};

pub struct Api(pub App);

const MOST_ITEMS: usize = 50;
/// Requests a minute from one address: a whole office may be behind it.
const MOST_REQUESTS: usize = 300;

#[derive(Object)]
struct Outbox {
    /// At most 50.
    items: Vec<OutboxItem>,
}

#[derive(Object)]
struct Delivered {
    /// In the order of the items; shorter when the server broke off: send the rest again.
    results: Vec<Outcome>,
}

#[derive(Object)]
struct Settlement {
    /// Apply it after all; else it stays as it is and is not asked about again.
    take: bool,
}

#[derive(ApiResponse)]
enum Settled {
    /// Taken, or left.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "crate::api::Tag::Sync")]
impl Api {
    /// Deliver sealed commands
    ///
    /// Needs no session: each item carries its device's own signature. Takes effect once, by the command's id, whichever
    /// door it comes by. An item with a wrong key, seal or proof rejects only itself.
    #[oai(path = "/api/outbox", method = "post", operation_id = "deliverOutbox")]
    async fn outbox(&self, request: &Request, body: Json<Outbox>) -> Result<Json<Delivered>> {
        let app = &self.0;
        let address = crate::web::client_address(request, &app.config);
        app.limiter.attempt_of(MOST_REQUESTS, &format!("outbox {address}"), app.clock.now())?;
        if body.items.len() > MOST_ITEMS {
            return Err(Error::bad_request("batch_too_large", "At most 50 items at once."));
        }
        let mut results = Vec::with_capacity(body.items.len());
        for item in &body.items {
            match deliver(app, item).await {
                Ok(outcome) => results.push(outcome),
                // Ours to mend: answer what is done; the rest comes again.
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => {
                    error.log();
                    break;
                }
            }
        }
        Ok(Json(Delivered { results }))
    }

    /// Settle an item that was put aside
    ///
    /// `GET /api/devices` lists them. An administrator settles any; a supervisor what their team made after leaving. What
    /// cannot be applied answers 422 with its own code and goes on waiting.
    #[oai(path = "/api/outbox/:id/settle", method = "post", operation_id = "settleKept")]
    async fn settle(&self, reader: Reader, id: Path<Uuid>, body: Json<Settlement>) -> Result<Settled> {
        store::settle(&self.0, &reader, id.0, body.take).await?;
        Ok(Settled::Done)
    }
}
