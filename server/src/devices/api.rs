//! How the world reads about devices, and ends one.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::{Json, Response};
use uuid::Uuid;

use super::{Devices, store};
use crate::app::App;
use crate::auth::Reader;
use crate::error::Result;
use crate::outbox;

pub struct Api(pub App);

#[derive(poem_openapi::ApiResponse)]
enum Revoked {
    /// Its sessions have ended. What was made on it before may still be delivered.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "crate::api::Tag::Devices")]
impl Api {
    /// Devices, and what was captured on them and has not arrived
    ///
    /// An administrator sees all, a supervisor their team's, everybody their own. Latest contact first.
    #[oai(path = "/api/devices", method = "get", operation_id = "listDevices")]
    async fn list(&self, reader: Reader) -> Result<Json<Devices>> {
        let devices = store::list(&self.0, &reader).await?;
        let kept = outbox::kept(&self.0, &reader).await?;
        Ok(Json(Devices { devices, kept, server_time: self.0.clock.now() }))
    }

    /// Revoke a device
    ///
    /// An administrator revokes it for everybody of the organisation who works on it, a member for themselves. From now
    /// on its sessions are answered with 401 `device_revoked`; it delivers what it still holds, and wipes itself.
    #[oai(path = "/api/devices/:id/revoke", method = "post", operation_id = "revokeDevice")]
    async fn revoke(&self, reader: Reader, id: Path<Uuid>) -> Result<Response<Revoked>> {
        store::revoke(&self.0, &reader, id.0).await?;
        Ok(Response::new(Revoked::Done))
    }
}
