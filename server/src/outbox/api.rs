//! `POST /api/outbox`: sealed commands from a phone that cannot sign in now, or from whoever carries its copy.

use poem::Request;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::{OutboxItem, deliver};
use crate::app::App;
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
}
