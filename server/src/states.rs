//! The state machines as a page (`docs/states.md`) and as the phone's copy, both written from the code that decides.

use std::fmt::Write;

use serde_json::Value;

use crate::{enrolments, grants, groups, milestones, trainings, visits};

/// Every way of a machine.
macro_rules! ways {
    ($state:ty, $event:ty) => {
        ways(
            &<$state>::ALL.iter().map(|state| (*state, state.as_str())).collect::<Vec<_>>(),
            &<$event>::ALL.iter().map(|event| (*event, event.as_str())).collect::<Vec<_>>(),
            |state, event| state.transition(event).ok(),
        )
    };
}

/// Marks a machine's way in.
const BEGIN: &str = "[*]";

/// `docs/states.md`, whole.
pub fn page() -> String {
    let mut text = String::from(
        "# States\n\nWritten by `kilele states` from the machines in the code; a test fails when they differ. Who may do what, and\n\
         under which conditions, stands in each feature's `commands.rs`.\n",
    );
    diagram(&mut text, "Visit", &["planned", "submitted"], &ways!(visits::State, visits::machine::Event));
    diagram(&mut text, "Enrolment", &["applied"], &ways!(enrolments::State, enrolments::Event));
    diagram(&mut text, "Milestone", &["not_started"], &ways!(milestones::State, milestones::Event));
    diagram(&mut text, "Business group", &["active"], &ways!(groups::State, groups::machine::Event));
    diagram(&mut text, "Training", &["scheduled"], &ways!(trainings::State, trainings::machine::Event));
    diagram(&mut text, "Grant", &["draft"], &ways!(grants::State, grants::Event));
    diagram(&mut text, "Part of a grant", &["scheduled"], &ways!(grants::TrancheState, grants::TrancheEvent));
    diagram(&mut text, "Report on the use of a grant", &["due"], &ways!(grants::UseState, grants::UseEvent));
    text
}

/// Machines of which the phone has a copy.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Copied {
    /// `pwa/src/assess/ways.json`
    Enrolment,
    /// `pwa/src/ladder/ways.json`
    Milestone,
    /// `pwa/src/grants/ways.json`
    Grant,
}

/// The phone's copy: for each state, which event leads where.
pub fn phone(machine: Copied) -> String {
    let (states, ways): (Vec<&str>, Vec<Way>) = match machine {
        Copied::Enrolment => {
            (enrolments::State::ALL.map(|s| s.as_str()).to_vec(), ways!(enrolments::State, enrolments::Event))
        }
        Copied::Milestone => {
            (milestones::State::ALL.map(|s| s.as_str()).to_vec(), ways!(milestones::State, milestones::Event))
        }
        Copied::Grant => (grants::State::ALL.iter().map(|s| s.as_str()).collect(), ways!(grants::State, grants::Event)),
    };
    let open = |state: &str| -> serde_json::Map<String, Value> {
        ways.iter().filter(|way| way.0 == state).map(|way| (way.1.to_owned(), way.2.into())).collect()
    };
    let by_state: serde_json::Map<String, Value> =
        states.iter().map(|state| ((*state).to_owned(), open(state).into())).collect();
    format!("{:#}\n", Value::Object(by_state))
}

type Way = (&'static str, &'static str, &'static str);

fn ways<S: Copy + PartialEq, E: Copy>(
    states: &[(S, &'static str)],
    events: &[(E, &'static str)],
    transition: impl Fn(S, E) -> Option<S>,
) -> Vec<Way> {
    let named = |wanted: S| states.iter().find(|(state, _)| *state == wanted).map_or("", |(_, name)| *name);
    let all = states.iter().flat_map(|from| events.iter().map(move |by| (from, by)));
    all.filter_map(|((from, name), (by, event))| Some((*name, *event, named(transition(*from, *by)?)))).collect()
}

fn diagram(text: &mut String, title: &str, first: &[&str], ways: &[Way]) {
    let _ = write!(text, "\n## {title}\n\n```mermaid\nstateDiagram-v2\n");
    for state in first {
        let _ = writeln!(text, "    {BEGIN} --> {state}");
    }
    for (from, event, to) in ways {
        let _ = writeln!(text, "    {from} --> {to}: {event}");
    }
    let mut ends: Vec<&str> = ways.iter().map(|way| way.2).filter(|to| ways.iter().all(|way| way.0 != *to)).collect();
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        let _ = writeln!(text, "    {end} --> {BEGIN}");
    }
    text.push_str("```\n");
}

#[cfg(test)]
mod tests {
    use super::Copied;

    #[test]
    fn the_page_and_the_phones_copies_are_what_the_code_does() {
        assert!(super::page() == include_str!("../../docs/states.md"), "run: kilele states > docs/states.md");
        for (machine, path, copy) in [
            (Copied::Enrolment, "assess", include_str!("../../pwa/src/assess/ways.json")),
            (Copied::Milestone, "ladder", include_str!("../../pwa/src/ladder/ways.json")),
            (Copied::Grant, "grants", include_str!("../../pwa/src/grants/ways.json")),
        ] {
            let name = format!("{machine:?}").to_lowercase();
            assert!(super::phone(machine) == copy, "run: kilele states --phone {name} > pwa/src/{path}/ways.json");
        }
    }
}
