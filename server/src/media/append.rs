//! Taking the bytes of a request, piece by piece: what arrived before a cut is kept, and all requests together hold
//! little memory.

use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use kilele_media::Piece;
use poem::Body;
use poem::http::StatusCode;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use super::protocol::Checksum;
use super::turns::Turn;
use super::tus::{Upload, acknowledge};
use super::{finish, tus};
use crate::app::App;
use crate::error::{Error, Result};

/// A piece is written to the storage at this size, or when the body ends, rests or is cut.
const PIECE: usize = 1 << 20;
/// A body that rests this long has its bytes written; the line may be dead without anybody having noticed.
const REST: Duration = Duration::from_secs(1);
/// A body that rests this often is taken for cut.
const RESTS: u32 = 60;
/// When somebody else wants to go on, what is still on its way is taken until it rests this long …
const LAST_REST: Duration = Duration::from_millis(150);
/// … but not for longer than this.
const LAST: Duration = Duration::from_secs(2);
/// What all requests together hold of pieces not yet written, in KiB. When it is used up, pieces get smaller.
pub const MEMORY: usize = 32 << 10;

/// What a request offers.
pub struct Offer {
    pub offset: i64,
    pub checksum: Option<Checksum>,
    pub body: Body,
}

/// Appends a body. Answers where the upload stands then.
///
/// # Errors
/// 409 when the offset is not where the upload stands; 413 beyond its length; 460 when the chunk or the whole has
/// another hash; 400 when the body was cut.
pub async fn append(app: &App, org: Uuid, mut upload: Upload, offer: Offer, turn: Turn) -> Result<Upload> {
    if offer.offset != upload.received {
        return Err(Error::conflict("offset_mismatch", format!("The upload stands at {}.", upload.received)));
    }
    let mut taking = Taking { app, org, upload: &mut upload, held: Held::default(), staged: Vec::new(), turn };
    let taken = taking.take(offer.checksum, offer.body).await;
    // The turn is held to the end: who comes next finds the upload finished, or as it was left.
    let Taking { staged, held, turn: _turn, .. } = taking;
    if !staged.is_empty() {
        // A chunk that is not what its checksum says is discarded.
        drop(app.store.drop_pieces(&upload.name(), &staged).await);
    }
    taken?;
    if !held.bytes.is_empty() {
        // All of it came at once and is small: straight to its place.
        let Held { bytes, memory: _memory, .. } = held;
        finish::finish(app, org, &mut upload, stream::iter(bytes.into_iter().map(Ok)).boxed()).await?;
    } else if upload.received == upload.length && !upload.done {
        resume(app, org, &mut upload).await?;
    }
    Ok(upload)
}

/// All bytes are here as pieces: store them under their hash.
pub async fn resume(app: &App, org: Uuid, upload: &mut Upload) -> Result<()> {
    let pieces = app.store.read_pieces(&upload.name(), &upload.pieces()?);
    let pieces = pieces.unwrap_or_else(|gap| stream::iter([Err(gap)]).boxed());
    finish::finish(app, org, upload, pieces).await
}

/// Bytes in memory, and the permits for them.
#[derive(Default)]
struct Held<'a> {
    bytes: Vec<Bytes>,
    length: usize,
    memory: Option<SemaphorePermit<'a>>,
}

struct Taking<'a, 'u> {
    app: &'a App,
    org: Uuid,
    upload: &'u mut Upload,
    held: Held<'a>,
    /// Written, and waiting for the checksum of the chunk.
    staged: Vec<Piece>,
    turn: Turn,
}

enum Next {
    Bytes(Bytes),
    Wanted,
    Rest,
    End,
    Cut,
}

impl Taking<'_, '_> {
    /// Leaves the whole upload in `held` when it came in one small body.
    async fn take(&mut self, checksum: Option<Checksum>, body: Body) -> Result<()> {
        let mut body = Box::pin(body.into_bytes_stream());
        let mut hash = checksum.as_ref().map(|c| digest::Context::new(c.algorithm));
        let (start, mut rests, mut length) = (self.upload.received, 0, 0);
        let mut wanted: Option<Instant> = None;
        let whole = loop {
            let next = tokio::select! {
                biased;
                next = body.next() => match next {
                    Some(Ok(bytes)) => Next::Bytes(bytes),
                    Some(Err(_)) => Next::Cut,
                    None => Next::End,
                },
                () = self.turn.wanted(), if wanted.is_none() => Next::Wanted,
                () = tokio::time::sleep(if wanted.is_some() { LAST_REST } else { REST }) => Next::Rest,
            };
            let late = wanted.is_some_and(|at| at.elapsed() > LAST);
            match next {
                Next::Bytes(bytes) => {
                    rests = 0;
                    length += bytes.len() as i64;
                    if start + length > self.upload.length {
                        return Err(Error::new(
                            StatusCode::PAYLOAD_TOO_LARGE,
                            "too_large",
                            "More bytes than the upload's length.",
                        ));
                    }
                    if let Some(hash) = &mut hash {
                        hash.update(&bytes);
                    }
                    self.hold(bytes, checksum.is_some()).await?;
                }
                Next::Wanted => wanted = Some(Instant::now()),
                Next::Rest if wanted.is_some() => break false,
                Next::Rest => {
                    rests += 1;
                    self.write(checksum.is_some()).await?;
                    if rests > RESTS {
                        break false;
                    }
                }
                Next::Cut => break false,
                Next::End => break true,
            }
            if late {
                break false;
            }
        };
        let matches = match (&checksum, hash) {
            (Some(told), Some(hash)) => hash.finish().as_ref() == told.value,
            _ => true,
        };
        if whole && !matches {
            return Err(finish::mismatch("This chunk is not what its checksum says; send it again."));
        }
        if whole && start == 0 && length == self.upload.length && self.held.length as i64 == length && length > 0 {
            return Ok(());
        }
        if whole || checksum.is_none() {
            self.write(false).await?;
        }
        self.held = Held::default();
        if whole && !self.staged.is_empty() {
            acknowledge(self.app, self.org, self.upload, &self.staged).await?;
            self.staged.clear();
        }
        if whole { Ok(()) } else { Err(Error::bad_request("cut", "The request was cut; what arrived is kept.")) }
    }

    /// Takes bytes into memory if there is room, and writes what is held when it is enough or when there is none.
    async fn hold(&mut self, bytes: Bytes, stage: bool) -> Result<()> {
        // Never more than a piece at once, so that the permits for it exist.
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let part = bytes.split_to(bytes.len().min(PIECE));
            let kib = part.len().div_ceil(1024) as u32;
            let free = self.app.receiving.try_acquire_many(kib);
            let memory = match free {
                Ok(memory) => memory,
                Err(_) => {
                    // Whoever waits holds nothing, so somebody always goes on.
                    self.write(stage).await?;
                    self.app.receiving.acquire_many(kib).await.map_err(Error::unexpected)?
                }
            };
            match &mut self.held.memory {
                Some(all) => all.merge(memory),
                none => *none = Some(memory),
            }
            self.held.length += part.len();
            // A copy: the original is a view into the connection's larger buffer.
            self.held.bytes.push(Bytes::copy_from_slice(&part));
            if self.held.length >= PIECE {
                self.write(stage).await?;
            }
        }
        Ok(())
    }

    /// Writes what is held as a piece; it counts at once unless a checksum is awaited.
    async fn write(&mut self, stage: bool) -> Result<()> {
        if self.held.bytes.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let at = self.staged.last().map_or(self.upload.received as u64, |p| p.offset + p.length);
        let piece = self.app.store.put_piece(&self.upload.name(), at, held.bytes).await?;
        self.staged.push(piece);
        if !stage && !self.staged.is_empty() {
            acknowledge(self.app, self.org, self.upload, &self.staged).await?;
            self.staged.clear();
        }
        Ok(())
    }
}

/// A whole upload from memory, as the server's own demonstration sends it.
pub async fn deliver(app: &App, org: Uuid, upload: Upload, bytes: Bytes) -> Result<()> {
    let turn = super::turns::Turns::take(app, upload.id).await?;
    append(app, org, upload, Offer { offset: 0, checksum: None, body: bytes.into() }, turn).await.map(drop)
}

/// The upload as it stands, once nobody else is at it.
pub async fn settled(app: &App, by: &crate::auth::Reader, id: Uuid) -> Result<(Upload, Turn)> {
    // First whether it is the caller's at all: nobody stops the upload of somebody else.
    tus::find(app, by, id).await?;
    let turn = super::turns::Turns::take(app, id).await?;
    Ok((tus::find(app, by, id).await?, turn))
}
