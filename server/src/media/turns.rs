//! One request at a time continues an upload. A phone whose line broke comes back before the server has noticed:
//! the newer request asks the older one to stop with what it has, and waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, watch};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Longer than storing what an older request holds takes, unless the storage is down.
const PATIENCE: Duration = Duration::from_secs(20);

/// The uploads that are being continued on this copy of the server; another copy is told by the database.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Uuid, Entry>>);

struct Entry {
    lock: Arc<tokio::sync::Mutex<()>>,
    stop: watch::Sender<bool>,
    /// Requests that hold this entry or wait for it.
    users: usize,
}

/// Held while an upload is continued.
pub struct Turn {
    _use: Use,
    _guard: OwnedMutexGuard<()>,
    stop: watch::Receiver<bool>,
}

/// Keeps the entry alive, also while waiting.
struct Use {
    id: Uuid,
    app: crate::app::App,
}

impl Turns {
    /// Waits for the turn, asking whoever has it to come to an end.
    ///
    /// # Errors
    /// 503 when the older request does not end in time.
    pub async fn take(app: &crate::app::App, id: Uuid) -> Result<Turn> {
        let lock = app.turns.with(|all| {
            let entry =
                all.entry(id).or_insert_with(|| Entry { lock: Arc::default(), stop: watch::channel(false).0, users: 0 });
            entry.users += 1;
            entry.stop.send_replace(true);
            entry.lock.clone()
        });
        let using = Use { id, app: app.clone() };
        let waited = tokio::time::timeout(PATIENCE, lock.lock_owned()).await;
        let guard = waited.map_err(|_| Error::unavailable("An older request still continues this upload."))?;
        let stop = app.turns.with(|all| {
            let (stop, told) = watch::channel(false);
            if let Some(entry) = all.get_mut(&id) {
                entry.stop = stop;
            }
            told
        });
        Ok(Turn { _use: using, _guard: guard, stop })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Uuid, Entry>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Turn {
    /// Resolves when somebody else wants to go on with this upload.
    pub async fn wanted(&mut self) {
        if self.stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.app.turns.with(|all| {
            if let Some(entry) = all.get_mut(&self.id) {
                entry.users -= 1;
                if entry.users == 0 {
                    all.remove(&self.id);
                }
            }
        });
    }
}
