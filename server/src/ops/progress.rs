//! How far long work is: on a terminal in one line that is written again and again, elsewhere nothing.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Cheap enough to be told of every row.
pub struct Progress {
    shown: bool,
    last: Mutex<Option<Instant>>,
}

/// No reader sees more.
const OFTEN: Duration = Duration::from_millis(100);

impl Progress {
    /// For a person before a terminal.
    pub fn shown() -> Self {
        Self { shown: std::io::stderr().is_terminal(), last: Mutex::default() }
    }

    /// For the server's own work.
    pub fn silent() -> Self {
        Self { shown: false, last: Mutex::default() }
    }

    /// `done` of `all`, where that is known.
    pub fn say(&self, what: &str, done: u64, all: Option<u64>) {
        if !self.shown {
            return;
        }
        let mut last = self.last.lock().expect("no panic while held");
        if all != Some(done) && last.is_some_and(|at| at.elapsed() < OFTEN) {
            return;
        }
        *last = Some(Instant::now());
        let said = match all {
            Some(all) if all > 0 => format!("{} {} {done} of {all}", bar(done, all), what),
            _ => format!("{what} {done}"),
        };
        let mut out = std::io::stderr().lock();
        drop(write!(out, "\r\x1b[2K{said}"));
        drop(out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && self.last.lock().is_ok_and(|last| last.is_some()) {
            drop(write!(std::io::stderr(), "\r\x1b[2K"));
        }
    }
}

fn bar(done: u64, all: u64) -> String {
    const WIDE: u64 = 20;
    let full = (done.min(all) * WIDE / all) as usize;
    format!("[{}{}]", "#".repeat(full), " ".repeat(WIDE as usize - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills() {
        assert_eq!(bar(0, 7), "[                    ]");
        assert_eq!(bar(7, 14), "[##########          ]");
        assert_eq!(bar(9, 7), "[####################]");
    }
}
