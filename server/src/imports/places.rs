//! Places of a file, and places that the rows of households name.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::households::{Row, columns, keep};
use super::table::Table;
use super::{Counts, Fault, Progress, Report, values};
use crate::clock::new_id;
use crate::places::{LEVELS, Place};

/// What an organisation has.
pub struct Known {
    pub all: Vec<Place>,
    /// Those whose households the importer sees.
    pub seen: HashSet<Uuid>,
}

/// The level of villages.
const VILLAGE: i64 = 2;

/// Finds villages by code or by their names from the top, and makes those that are missing.
pub struct Tree<'a> {
    known: &'a Known,
    by_code: HashMap<String, usize>,
    by_name: HashMap<(i64, String), Vec<usize>>,
    by_id: HashMap<Uuid, usize>,
    made: Vec<Place>,
    made_at: HashMap<Uuid, usize>,
    by_path: HashMap<(Option<Uuid>, String), Uuid>,
    codes: HashSet<String>,
}

/// A name without what people add to it.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let ends: &[&[&str]] = &[&["sub", "county"], &["subcounty"], &["county"], &["village"]];
    let end = ends.iter().find(|end| words.len() > end.len() && words.ends_with(end)).map_or(0, |end| end.len());
    words[..words.len() - end].join(" ")
}

impl<'a> Tree<'a> {
    pub fn new(known: &'a Known) -> Self {
        let mut by_name: HashMap<(i64, String), Vec<usize>> = HashMap::new();
        let mut by_path = HashMap::new();
        for (at, place) in known.all.iter().enumerate() {
            by_name.entry((place.level, plain(&place.name))).or_default().push(at);
            by_path.insert((place.parent, plain(&place.name)), place.id);
        }
        let codes: HashMap<String, usize> =
            known.all.iter().enumerate().map(|(at, place)| (place.code.clone(), at)).collect();
        Self {
            codes: codes.keys().cloned().collect(),
            by_code: codes,
            by_id: known.all.iter().enumerate().map(|(at, place)| (place.id, at)).collect(),
            by_name,
            by_path,
            known,
            made: Vec::new(),
            made_at: HashMap::new(),
        }
    }

    fn place(&self, id: Uuid) -> Option<&Place> {
        self.by_id.get(&id).map(|at| &self.known.all[*at]).or_else(|| self.made_at.get(&id).map(|at| &self.made[*at]))
    }

    /// What lies above a village.
    pub fn above(&self, village: Uuid) -> Option<Uuid> {
        self.place(village).and_then(|place| place.parent)
    }

    fn named(&self, id: Option<Uuid>, name: &str) -> bool {
        name.is_empty() || id.and_then(|id| self.place(id)).is_some_and(|place| plain(&place.name) == plain(name))
    }

    /// The village of a row.
    pub fn village(&mut self, row: &Row<'_>, create: bool, faults: &mut Vec<Fault>) -> Option<Uuid> {
        let code = row.get("place_code").to_uppercase();
        let (county, sub, village) = (row.get("county"), row.get("sub_county"), row.get("village"));
        let field = if code.is_empty() { "village" } else { "place_code" };
        let mut wrong = |what| {
            faults.push(row.fault(field, what, None));
            None
        };
        if !code.is_empty() {
            return match self.by_code.get(&code).map(|at| &self.known.all[*at]) {
                Some(place) if place.level != VILLAGE => wrong("place_not_village"),
                Some(place) if self.known.seen.contains(&place.id) => Some(place.id),
                _ => wrong("place_unknown"),
            };
        }
        if plain(village).is_empty() {
            return wrong("missing");
        }
        let same = self.by_name.get(&(VILLAGE, plain(village))).into_iter().flatten().map(|at| &self.known.all[*at]);
        let fits = |place: &&Place| {
            let above = place.parent.and_then(|id| self.place(id)).and_then(|sub| sub.parent);
            self.known.seen.contains(&place.id) && self.named(place.parent, sub) && self.named(above, county)
        };
        let found: Vec<Uuid> = same.filter(fits).map(|place| place.id).collect();
        match found[..] {
            [one] => Some(one),
            [] if create && !plain(county).is_empty() && !plain(sub).is_empty() => {
                match self.make(&[county, sub, village]) {
                    Some(village) => Some(village),
                    None => wrong("too_long"),
                }
            }
            [] => wrong("place_unknown"),
            _ => wrong("place_ambiguous"),
        }
    }

    /// The place at the end of a path of names; those that are missing are made.
    fn make(&mut self, path: &[&str]) -> Option<Uuid> {
        let mut parent = None;
        for (level, name) in path.iter().enumerate() {
            let name = values::name(name).ok()?;
            let key = (parent, plain(&name));
            let id = match self.by_path.get(&key) {
                Some(known) => *known,
                None => {
                    let above = parent.and_then(|id| self.place(id)).map(|place| place.code.clone());
                    let place = Place {
                        id: new_id(),
                        parent,
                        level: level as i64,
                        level_name: LEVELS[level].into(),
                        code: self.code(above, &name),
                        name,
                        lat: None,
                        lon: None,
                    };
                    let id = place.id;
                    self.by_path.insert(key, id);
                    self.made_at.insert(id, self.made.len());
                    self.made.push(place);
                    id
                }
            };
            parent = Some(id);
        }
        parent
    }

    /// A code that nobody has: the one above and the name's letters.
    fn code(&mut self, above: Option<String>, name: &str) -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric()).take(12).flat_map(char::to_uppercase).collect::<String>();
        let above = above.map(|code| format!("{}-", code.chars().take(90).collect::<String>())).unwrap_or_default();
        let plain = format!("{above}{letters}");
        let mut code = plain.clone();
        let mut n = 2;
        while !self.codes.insert(code.clone()) {
            code = format!("{plain}-{n}");
            n += 1;
        }
        code
    }

    /// What must be added for these villages, those above first.
    pub fn added(&self, villages: impl Iterator<Item = Uuid>) -> Vec<Place> {
        let made: HashMap<Uuid, &Place> = self.made.iter().map(|place| (place.id, place)).collect();
        let mut needed: HashSet<Uuid> = HashSet::new();
        for village in villages {
            let mut at = Some(village);
            while let Some(place) = at.and_then(|id| made.get(&id)).filter(|place| needed.insert(place.id)) {
                at = place.parent;
            }
        }
        let mut places: Vec<Place> = self.made.iter().filter(|place| needed.contains(&place.id)).cloned().collect();
        places.sort_by_key(|place| place.level);
        places
    }
}

#[derive(Default)]
pub struct Judged {
    pub places: Vec<(i64, Place)>,
    pub report: Report,
    pub counts: Counts,
}

/// Looks at every row of a file of places.
pub fn judge(table: &Table, fields: &[String], known: &Known, progress: &Progress) -> Judged {
    let columns = columns(fields);
    progress.of(table.len());
    let mut judged = Judged::default();
    let mut count = 0;
    let there: HashMap<&str, (Uuid, i64)> = known.all.iter().map(|p| (p.code.as_str(), (p.id, p.level))).collect();
    let code_of = |at: usize| Row { table, at, columns: &columns }.get("code").to_uppercase();
    let codes: Vec<String> = (0..table.len()).map(code_of).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, code) in codes.iter().enumerate() {
        first.entry(code).or_insert(at);
    }
    let parents: Vec<String> =
        (0..table.len()).map(|at| Row { table, at, columns: &columns }.get("parent_code").to_uppercase()).collect();
    let ids: Vec<Uuid> = codes.iter().map(|_| new_id()).collect();
    // How deep a row lies: never far, so that a ring of parents ends.
    let level = |at: usize| {
        let (mut at, mut level) = (at, 0);
        loop {
            let parent = parents[at].as_str();
            if parent.is_empty() {
                return level;
            }
            if let Some((_, above)) = there.get(parent) {
                return level + above + 1;
            }
            level += 1;
            match first.get(parent) {
                Some(next) if level <= VILLAGE => at = *next,
                _ => return level,
            }
        }
    };
    for at in 0..table.len() {
        progress.step();
        let mut faults = Vec::new();
        let row = Row { table, at, columns: &columns };
        let code = codes[at].as_str();
        match values::name(code) {
            Err(wrong) => faults.push(row.fault("code", wrong, None)),
            Ok(_) if first[code] != at => faults.push(row.fault("code", "code_twice", Some(table.row(first[code])))),
            Ok(_) if there.contains_key(code) => faults.push(row.fault("code", "code_taken", None)),
            Ok(_) => {}
        }
        let name =
            values::name(row.get("name")).map_err(|wrong| faults.push(row.fault("name", wrong, None))).unwrap_or_default();
        let (lat, lon) = row.position(&mut faults);
        let parent = parents[at].as_str();
        let above = there.get(parent).map(|(id, _)| *id).or_else(|| first.get(parent).map(|at| ids[*at]));
        let level = level(at);
        if !parent.is_empty() && above.is_none() {
            faults.push(row.fault("parent_code", "parent_unknown", None));
        } else if level > VILLAGE {
            faults.push(row.fault("parent_code", "too_deep", None));
        }
        if faults.is_empty() {
            let place = Place {
                id: ids[at],
                parent: above.filter(|_| !parent.is_empty()),
                level,
                level_name: LEVELS[level as usize].into(),
                code: code.to_owned(),
                name,
                lat,
                lon,
            };
            judged.places.push((table.row(at), place));
        } else {
            keep(&mut judged.report.faults, &mut count, faults);
        }
    }
    judged.places.sort_by_key(|(row, place)| (place.level, *row));
    judged.counts = Counts { rows: table.len() as i64, new: judged.places.len() as i64, faults: count, ..Counts::default() };
    judged
}
