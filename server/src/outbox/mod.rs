//! The sealed outbox: what a phone could not send itself, sealed to the server's key and signed by the phone's own, so
//! that whoever carries it delivers it, and nobody on the way reads or changes it. `docs/sync.md` has the formats.

pub mod api;
pub mod captures;
mod deliver;
pub mod import;
mod keys;
mod store;
pub mod upload;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use deliver::deliver;
pub use keys::{Keys, OutboxKey, key_id};
pub use store::{Kept, kept};

use crate::app::App;
use crate::crypto::{hex, sha256, unb64};
use crate::error::{Error, Result};

/// The `info` of each kind of sealing.
const COMMAND_INFO: &str = "kilele-outbox-1";
const CAPTURE_INFO: &str = "kilele-capture-1";
/// A sealed command has at most this many characters (a command has at most 100 kB).
const LONGEST: usize = 200_000;

/// One sealed command. Everything outside `sealed` is bound to it as additional data.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct OutboxItem {
    /// 1
    pub v: i64,
    /// command
    pub what: String,
    /// Which of the server's keys it is sealed to.
    pub key: String,
    pub org: String,
    pub member: String,
    pub device: String,
    /// The command's id.
    pub id: String,
    /// The encapsulated key of HPKE, base64url.
    pub enc: String,
    /// The ciphertext, base64url: `{ "command": "<exact JSON text>", "proof": "<base64url>" }`.
    pub sealed: String,
}

/// What is inside: the command's own text, and the device's word for it.
#[derive(Deserialize)]
struct Inside {
    command: String,
    proof: String,
}

/// Who made an item, by its own word.
#[derive(Clone, Copy)]
struct Maker {
    org: Uuid,
    member: Uuid,
    device: Uuid,
}

impl OutboxItem {
    fn maker(&self) -> Result<Maker> {
        let id = |text: &str| Uuid::parse_str(text).map_err(|_| invalid("An id is not one."));
        Ok(Maker { org: id(&self.org)?, member: id(&self.member)?, device: id(&self.device)? })
    }

    /// Opens the seal.
    ///
    /// # Errors
    /// `outbox_invalid`, `outbox_key_unknown` or `outbox_seal_invalid`.
    fn open(&self, app: &App) -> Result<Inside> {
        let Self { v, what, key, org, member, device, id, enc, sealed } = self;
        if *v != 1 || what != "command" || sealed.len() > LONGEST || enc.len() > 200 {
            return Err(invalid("The item has another form, or is too large."));
        }
        if !app.outbox.knows(key) {
            return Err(Error::refused("outbox_key_unknown", "This was sealed for another server."));
        }
        let aad = format!("{v}|{what}|{org}|{member}|{device}|{id}");
        let clear = unb64(enc)
            .zip(unb64(sealed))
            .and_then(|(enc, sealed)| app.outbox.open_sealed(key, &enc, COMMAND_INFO, &aad, &sealed))
            .ok_or_else(|| Error::refused("outbox_seal_invalid", "The seal of this item is broken."))?;
        serde_json::from_slice(&clear).map_err(|_| invalid("Inside the seal is something else."))
    }
}

/// What the device signs for a command.
fn signed(maker: &Maker, command: &str) -> String {
    let Maker { org, member, device } = maker;
    format!("kilele-outbox|{org}|{member}|{device}|{}", hex(&sha256(command.as_bytes())))
}

fn invalid(message: &str) -> Error {
    Error::refused("outbox_invalid", message)
}
