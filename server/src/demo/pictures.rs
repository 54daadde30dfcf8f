//! Drawn faces and places, sent in as a phone would send photos.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use kilele_media::drawn;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::auth::Reader;
use crate::clock::{Millis, new_id};
use crate::crypto::{hex, sha256};
use crate::error::{Error, Result};
use crate::media::{append, tus};

/// Different surroundings; households share them.
const SCENES: usize = 24;

pub struct Pictures {
    faces: Vec<Drawn>,
    scenes: Vec<Drawn>,
}

/// A picture's bytes and what a capture says of them.
pub struct Drawn {
    bytes: Bytes,
    sha256: String,
    width: u32,
    height: u32,
}

impl Pictures {
    pub fn face(&self, index: usize) -> &Drawn {
        &self.faces[index % self.faces.len()]
    }

    pub fn scene(&self, index: usize) -> &Drawn {
        &self.scenes[index % self.scenes.len()]
    }
}

impl Drawn {
    /// The announcement of this picture.
    pub fn capture(&self, slot: &str, at: Millis) -> Value {
        json!({
            "id": new_id(), "slot": slot, "mime": "image/jpeg", "bytes": self.bytes.len(), "sha256": self.sha256,
            "width": self.width, "height": self.height, "captured_at": at,
        })
    }
}

pub fn is_woman(index: usize) -> bool {
    drawn::is_woman(index as u64)
}

/// Draws everything, on all cores.
pub async fn draw(households: usize) -> Result<Pictures> {
    let faces = many(households, 600, 800, drawn::face);
    let scenes = many(SCENES.min(households), 800, 600, drawn::scene);
    let (faces, scenes) = tokio::try_join!(faces, scenes)?;
    Ok(Pictures { faces, scenes })
}

async fn many(count: usize, width: u32, height: u32, svg: fn(u64) -> String) -> Result<Vec<Drawn>> {
    let draw = move |seed: u64| -> Result<Drawn> {
        let bytes =
            drawn::jpeg(&svg(seed), width, height).map_err(|e| Error::unexpected(anyhow::anyhow!("drawing: {e}")))?;
        Ok(Drawn { sha256: hex(&sha256(&bytes)), bytes: bytes.into(), width, height })
    };
    let drawn = futures_util::stream::iter(0..count as u64).map(|seed| tokio::task::spawn_blocking(move || draw(seed)));
    // Not all at once: each holds a canvas.
    drawn.buffered(2).map(|drawn| drawn.map_err(Error::unexpected).flatten()).try_collect().await
}

/// Uploads the bytes of an announced capture.
pub async fn deliver(app: &App, by: &Reader, picture: &Drawn, capture: &Value) -> Result<()> {
    let id: Uuid = serde_json::from_value(capture["id"].clone())?;
    let bytes = picture.bytes.clone();
    let upload = tus::create(app, by, id, bytes.len() as i64, String::new(), None).await?;
    if upload.done {
        return Ok(());
    }
    append::deliver(app, by.org, upload, bytes).await
}
