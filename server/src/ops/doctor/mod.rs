//! Whether an installation has what it needs, and how to mend what it lacks. Looks only: nothing is migrated, and what it
//! writes to try a storage it removes.

mod database;
mod machine;
mod mail;
mod places;
mod secrets;
mod traces;
mod web;

use std::fmt;

use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// It works, and should be better before people rely on it.
    Warning,
    /// It does not work, or is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// `secret`, `public_url`, `tls` and so on: stable, for programs.
    pub what: &'static str,
    pub state: State,
    pub said: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn good(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, state: State::Good, said: said.into(), mend: None }
    }

    fn warning(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, state: State::Warning, said: said.into(), mend: Some(mend.into()) }
    }

    fn bad(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, state: State::Bad, said: said.into(), mend: Some(mend.into()) }
    }
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { what, state, said, mend } in &self.findings {
            let word = match state {
                State::Good => "ok  ",
                State::Warning => "WARN",
                State::Bad => "BAD ",
            };
            writeln!(f, "{word} {what:<14} {said}")?;
            if let Some(mend) = mend {
                writeln!(f, "     {:<14} → {mend}", "")?;
            }
        }
        let (warnings, bad) = (self.count(State::Warning), self.count(State::Bad));
        writeln!(f, "{} things looked at: {bad} bad, {warnings} warnings", self.findings.len())
    }
}

/// Looks at everything, whether or not a server runs.
pub async fn examine(config: &Config, clock: &Clock) -> Report {
    let mut findings = Vec::new();
    findings.push(secrets::secret(config));
    findings.extend(web::public(config).await);
    findings.push(web::proxies(config));
    findings.push(secrets::vapid(config));
    findings.push(mail::server(config).await);
    findings.extend(machine::look(config, clock));
    findings.extend(database::look(config, clock).await);
    findings.push(places::storage(config).await);
    findings.extend(places::backups(config, clock).await);
    findings.extend(traces::collector(config).await);
    Report { findings }
}
