//! The state machines as a page (`docs/states.md`) and as the phone's copy, both written from the code that decides.

use std::fmt::Write;

use crate::{enrolments, visits};

/// Marks a machine's way in.
const BEGIN: &str = "[*]";

/// `docs/states.md`, whole.
pub fn page() -> String {
    let visit =
        ways(&visits::State::ALL.map(|s| (s, s.as_str())), &visits::machine::Event::ALL.map(|e| (e, e.as_str())), |s, e| {
            s.transition(e).ok()
        });
    let enrolment =
        ways(&enrolments::State::ALL.map(|s| (s, s.as_str())), &enrolments::Event::ALL.map(|e| (e, e.as_str())), |s, e| {
            s.transition(e).ok()
        });
    let mut text = String::from(
        "# States\n\nWritten by `kilele states` from the machines in the code; a test fails when they differ. Who may do what, and\n\
         under which conditions, stands in each feature's `commands.rs`.\n",
    );
    diagram(&mut text, "Visit", &["planned", "submitted"], &visit);
    diagram(&mut text, "Enrolment", &["applied"], &enrolment);
    text
}

/// `pwa/src/assess/ways.json`: for each state of an enrolment, which event leads where.
pub fn enrolment_ways() -> String {
    let mut by_state = serde_json::Map::new();
    for state in enrolments::State::ALL {
        let open = enrolments::Event::ALL.iter().filter_map(|e| Some((e.as_str(), state.transition(*e).ok()?.as_str())));
        let open: serde_json::Map<_, _> = open.map(|(event, to)| (event.to_owned(), to.into())).collect();
        by_state.insert(state.as_str().into(), open.into());
    }
    format!("{:#}\n", serde_json::Value::Object(by_state))
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
    #[test]
    fn the_page_and_the_phones_copy_are_what_the_code_does() {
        assert!(super::page() == include_str!("../../docs/states.md"), "run: kilele states > docs/states.md");
        let phone = include_str!("../../pwa/src/assess/ways.json");
        assert!(super::enrolment_ways() == phone, "run: kilele states --phone > pwa/src/assess/ways.json");
    }
}
