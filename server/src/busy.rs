//! When more is asked than can be answered: what comes on top is refused at once, with a time to come back, instead of
//! making everybody wait and the memory grow. Phones keep their work and do come back.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response};
use tokio::sync::Semaphore;

use crate::clock::random;
use crate::error::{Error, Result};

/// Whoever was refused may come again after one to so many seconds: not all at the same moment.
const AGAIN: u64 = 5;

/// 503 with `Retry-After`.
pub fn refused() -> Error {
    let mut error = Error::unavailable("The server has more to do than it can. Try again in a moment.");
    error.retry_after = Some(1 + u64::from(random::<1>()[0]) % AGAIN);
    error
}

/// Bytes of large bodies on their way in, of all requests together: thirty-two of the largest.
pub const BODIES: usize = 64 << 20;

/// So many requests are worked on at once. They come here whole: a slow sender takes nobody's turn. Uploads, which are as
/// slow as their phones, are bounded by what they write, and the live channel by its sockets.
pub struct Busy(pub usize);

impl<E: Endpoint> Middleware<E> for Busy {
    type Output = WithTurns<E>;

    fn transform(&self, inner: E) -> Self::Output {
        WithTurns { inner, turns: Semaphore::new(self.0) }
    }
}

pub struct WithTurns<E> {
    inner: E,
    turns: Semaphore,
}

impl<E: Endpoint> Endpoint for WithTurns<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let counted =
            path.starts_with("/api/") && path != "/api/live" && path != "/api/health" && !path.starts_with("/api/uploads");
        let turn = if counted { Some(self.turns.try_acquire().map_err(|_| refused())?) } else { None };
        let response = self.inner.call(request).await.map(IntoResponse::into_response);
        drop(turn);
        response
    }
}

/// Memory for what is large and on its way in, of all requests together. Small bodies need none of it: whoever sends many
/// large ones slowly keeps nobody else out.
#[derive(Clone)]
pub struct Bodies(Arc<Semaphore>);

/// What one body holds of it; given back when the request has been answered.
pub struct Held(Option<tokio::sync::OwnedSemaphorePermit>);

const KIB: usize = 1024;

impl Bodies {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / KIB)))
    }

    /// Adds room for `bytes` to what is held.
    ///
    /// # Errors
    /// 503 when there is none.
    pub fn hold(&self, held: &mut Held, bytes: usize) -> Result<()> {
        let kib = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        let more = self.0.clone().try_acquire_many_owned(kib).map_err(|_| refused())?;
        match &mut held.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

impl Held {
    pub const NOTHING: Self = Self(None);
}
