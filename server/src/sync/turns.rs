//! Turns for long pulls: few at once, and whoever lacks least goes first.
//!
//! A hundred phones that begin together would all be done at the very end if they went around in a ring. Served like
//! this, each is done when its own part is, half of them in half the time, and none later than before. A phone that
//! begins is let in before all others, because its first answer is short and makes it usable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

/// One turn in so many goes to whoever has waited longest: nobody waits for ever while others come.
const FAIR: u64 = 8;

#[derive(Clone)]
pub struct Turns(Arc<Mutex<Queue>>);

struct Queue {
    free: usize,
    /// By what is lacking, then by arrival.
    waiting: BTreeMap<(i64, u64), oneshot::Sender<Turn>>,
    arrivals: u64,
    given: u64,
}

/// Ends when it is dropped.
pub struct Turn(Turns);

impl Turns {
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free: at_once, waiting: BTreeMap::new(), arrivals: 0, given: 0 })))
    }

    /// Waits for a turn; `lacking` is how far behind this phone is.
    pub async fn take(&self, lacking: i64) -> Turn {
        let told = {
            let mut queue = self.0.lock().expect("no panic while held");
            if queue.free > 0 {
                queue.free -= 1;
                return Turn(self.clone());
            }
            let (tell, told) = oneshot::channel();
            queue.arrivals += 1;
            let place = (lacking, queue.arrivals);
            queue.waiting.insert(place, tell);
            told
        };
        // The sender is dropped only after it has sent: the queue lives as long as this reference to it.
        told.await.unwrap_or_else(|_| Turn(self.clone()))
    }
}

impl Queue {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.given += 1;
        let first = self.waiting.keys().next().copied()?;
        let longest = self.waiting.keys().min_by_key(|(_, arrival)| *arrival).copied()?;
        self.waiting.remove(if self.given.is_multiple_of(FAIR) { &longest } else { &first })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.0.0.lock().expect("no panic while held");
            let next = queue.next();
            queue.free += usize::from(next.is_none());
            next
        };
        // Whoever went away meanwhile gives the turn back, by this very function.
        if let Some(next) = next {
            drop(next.send(Turn(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In which order waiting phones are let in, by what each lacks.
    async fn order(lacking: &[i64]) -> Vec<i64> {
        let (turns, served) = (Turns::new(1), Arc::new(Mutex::new(Vec::new())));
        let busy = turns.take(0).await;
        let phones = lacking.iter().map(|&lacks| {
            let (turns, served) = (turns.clone(), served.clone());
            async move {
                let turn = turns.take(lacks).await;
                served.lock().expect("no panic while held").push(lacks);
                drop(turn);
            }
        });
        let all = futures_util::future::join_all(phones);
        futures_util::future::join(all, async { drop(busy) }).await;
        served.lock().expect("no panic while held").clone()
    }

    #[tokio::test]
    async fn who_lacks_least_goes_first() {
        assert_eq!(order(&[900, 300, 0, 600]).await, [0, 300, 600, 900]);
    }

    #[tokio::test]
    async fn who_waits_longest_is_not_forgotten() {
        let many: Vec<i64> = std::iter::once(900).chain(1..40).collect();
        let place = order(&many).await.iter().position(|&lacks| lacks == 900).expect("it was let in");
        assert!(place < FAIR as usize, "let in at place {place}");
    }

    #[tokio::test]
    async fn whoever_goes_away_takes_no_turn_along() {
        let turns = Turns::new(1);
        let busy = turns.take(0).await;
        let gone = tokio::spawn({
            let turns = turns.clone();
            async move { drop(turns.take(1).await) }
        });
        while turns.0.lock().expect("no panic while held").waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        gone.abort();
        drop(gone.await);
        drop(busy);
        drop(turns.take(2).await);
        assert_eq!(turns.0.lock().expect("no panic while held").free, 1);
    }
}
