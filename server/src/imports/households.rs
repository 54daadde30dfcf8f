//! Rows as households: every value in its form, every row in its village, nobody twice without being pointed out.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::alike::{Index, Person};
use super::places::{Known, Tree};
use super::table::Table;
use super::values::{self, Wrong};
use super::{Alike, Counts, Decisions, Fault, MOST_FAULTS, Progress, Report};
use crate::clock::new_id;
use crate::crypto::Crypto;
use crate::households::{Facts, Person as Member};
use crate::places::Place;

/// A household that is there already, as far as likeness asks.
pub struct There {
    pub id: Uuid,
    pub village: Uuid,
    pub name: String,
    pub birth: Option<String>,
    pub national_id: Option<Vec<u8>>,
}

/// Everything that rows are compared with.
pub struct Before {
    pub org: Uuid,
    pub places: Known,
    pub create_places: bool,
    pub households: Vec<There>,
    /// Hashes of registry numbers that were imported before.
    pub references: HashSet<Vec<u8>>,
}

/// A row as it will be added.
pub struct Draft {
    pub row: i64,
    pub village: Uuid,
    pub facts: Facts,
    pub reference: Option<Vec<u8>>,
}

#[derive(Default)]
pub struct Judged {
    pub drafts: Vec<Draft>,
    /// To be added before them, those above first.
    pub places: Vec<Place>,
    pub report: Report,
    /// Without what was skipped.
    pub counts: Counts,
}

/// A row's cells by field, and where its faults go.
pub struct Row<'a> {
    pub table: &'a Table,
    pub at: usize,
    pub columns: &'a HashMap<&'a str, usize>,
}

impl<'a> Row<'a> {
    pub fn get(&self, field: &str) -> &'a str {
        self.columns.get(field).map_or("", |column| self.table.cell(self.at, *column))
    }

    pub fn fault(&self, field: &str, code: Wrong, other_row: Option<i64>) -> Fault {
        let column = self.columns.get(field).map_or_else(|| field.to_owned(), |column| self.table.head[*column].clone());
        let message = values::words(code).to_owned();
        Fault { row: self.table.row(self.at), column, field: field.to_owned(), code: code.to_owned(), message, other_row }
    }

    /// Nothing when the cell is empty; a fault when it does not fit.
    pub fn value<T>(&self, field: &str, read: impl Fn(&str) -> Result<T, Wrong>, faults: &mut Vec<Fault>) -> Option<T> {
        let cell = self.get(field);
        if cell.is_empty() {
            return None;
        }
        match read(cell) {
            Ok(value) => Some(value),
            Err(code) => {
                faults.push(self.fault(field, code, None));
                None
            }
        }
    }

    /// Both or none.
    pub fn position(&self, faults: &mut Vec<Fault>) -> (Option<f64>, Option<f64>) {
        let before = faults.len();
        let lat = self.value("lat", |cell| values::degrees(cell, 90.0), faults);
        let lon = self.value("lon", |cell| values::degrees(cell, 180.0), faults);
        if faults.len() == before && lat.is_some() != lon.is_some() {
            faults.push(self.fault("lat", "bad_coordinates", None));
        }
        (lat, lon)
    }
}

/// Where each field stands.
pub fn columns(fields: &[String]) -> HashMap<&str, usize> {
    fields.iter().enumerate().filter(|(_, field)| !field.is_empty()).map(|(at, field)| (field.as_str(), at)).collect()
}

fn head_name(row: &Row<'_>) -> Result<String, Wrong> {
    let whole = row.get("head_name");
    if !whole.is_empty() {
        return values::name(whole);
    }
    values::name(&["first_name", "middle_name", "last_name"].map(|part| row.get(part)).join(" "))
}

fn facts(row: &Row<'_>, faults: &mut Vec<Fault>) -> Facts {
    let mut facts = Facts::of_nobody(String::new());
    match head_name(row) {
        Ok(name) => facts.head_name = name,
        Err(code) => {
            let field = if row.columns.contains_key("head_name") { "head_name" } else { "first_name" };
            faults.push(row.fault(field, code, None));
        }
    }
    facts.head_sex = row.value("head_sex", values::sex, faults);
    facts.head_birth_date = row.value("head_birth_date", values::date, faults);
    facts.national_id = row.value("national_id", values::national_id, faults);
    facts.phone = row.value("phone", values::phone, faults);
    (facts.lat, facts.lon) = row.position(faults);
    facts.monthly_income_minor = row.value("monthly_income", values::money, faults);
    facts.electricity = row.value("electricity", values::yes_no, faults);
    facts.clean_water = row.value("clean_water", values::yes_no, faults);
    facts.disability = row.value("disability", values::yes_no, faults);
    facts.notes = row.value("notes", |cell| values::text(cell, 4000), faults);
    facts
}

fn member(row: &Row<'_>, relationship: &str, faults: &mut Vec<Fault>) -> Option<Member> {
    let name = head_name(row).map_err(|code| faults.push(row.fault("head_name", code, None))).ok()?;
    let sex = row.value("head_sex", values::sex, faults);
    let birth_date = row.value("head_birth_date", values::date, faults);
    Some(Member { id: new_id(), name, sex, birth_date, relationship: relationship.to_owned(), participant: false })
}

/// A registry's household may take several rows: its head, and everybody else. Rows without a number stand alone.
fn groups(table: &Table, columns: &HashMap<&str, usize>) -> Vec<Vec<usize>> {
    let (Some(reference), true) = (columns.get("reference"), columns.contains_key("relationship")) else {
        return (0..table.len()).map(|at| vec![at]).collect();
    };
    let mut of: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in 0..table.len() {
        let cell = table.cell(at, *reference);
        let known = (!cell.is_empty()).then(|| *of.entry(cell).or_insert(groups.len()));
        match known {
            Some(group) if group < groups.len() => groups[group].push(at),
            _ => groups.push(vec![at]),
        }
    }
    groups
}

/// The head's row of a group, and the others with their relationship.
fn divided<'a>(rows: &[Row<'a>], faults: &mut Vec<Fault>) -> (Option<usize>, Vec<(usize, &'static str)>) {
    if !rows[0].columns.contains_key("relationship") {
        return (Some(0), Vec::new());
    }
    let (mut head, mut others): (Option<usize>, Vec<_>) = (None, Vec::new());
    for (at, row) in rows.iter().enumerate() {
        match values::relationship(row.get("relationship")) {
            // Whoever stands alone and says nothing is the head.
            Err("missing") if rows.len() == 1 => head = Some(at),
            Ok("head") if head.is_some() => {
                faults.push(row.fault("relationship", "two_heads", head.map(|h| rows[h].table.row(rows[h].at))))
            }
            Ok("head") => head = Some(at),
            Ok(other) => others.push((at, other)),
            Err(code) => faults.push(row.fault("relationship", code, None)),
        }
    }
    if head.is_none() && faults.is_empty() {
        faults.push(rows[0].fault("relationship", "no_head", None));
    }
    (head, others)
}

/// Looks at every row. CPU work: it takes seconds for the largest files.
pub fn judge(
    table: &Table,
    fields: &[String],
    before: Before,
    decisions: &Decisions,
    crypto: &Crypto,
    progress: &Progress,
) -> Judged {
    let columns = columns(fields);
    let mut judged = Judged::default();
    let mut tree = Tree::new(&before.places);
    let mut count = 0_i64;
    let mut ids: HashMap<String, i64> = HashMap::new();
    let mut references: HashMap<&str, i64> = HashMap::new();
    let groups = groups(table, &columns);
    progress.of(groups.len() * 2);
    let wide: Vec<Fault> = table
        .wide
        .iter()
        .map(|row| Fault {
            row: i64::from(*row),
            column: String::new(),
            field: String::new(),
            code: "too_many_cells".into(),
            message: values::words("too_many_cells").into(),
            other_row: None,
        })
        .collect();
    keep(&mut judged.report.faults, &mut count, wide);
    for group in groups {
        progress.step();
        let mut faults = Vec::new();
        let rows: Vec<Row<'_>> = group.iter().map(|at| Row { table, at: *at, columns: &columns }).collect();
        let (head, others) = divided(&rows, &mut faults);
        let row = &rows[head.unwrap_or_default()];
        let number = table.row(row.at);
        let mut facts = facts(row, &mut faults);
        facts.members =
            others.iter().filter_map(|(at, relationship)| member(&rows[*at], relationship, &mut faults)).collect();
        if facts.members.len() > 60 {
            faults.push(row.fault("relationship", "too_many_members", None));
        }
        if let Some(first) = facts.national_id.as_ref().and_then(|id| ids.insert(id.clone(), number)) {
            faults.push(row.fault("national_id", "id_twice", Some(first)));
        }
        let reference = row.get("reference");
        let mut kept = None;
        if !reference.is_empty() {
            if let Some(first) = references.insert(reference, number) {
                faults.push(row.fault("reference", "reference_twice", Some(first)));
            }
            let hashes = crypto.lookups(before.org, "import_reference", reference);
            if hashes.iter().any(|hash| before.references.contains(hash)) {
                faults.push(row.fault("reference", "reference_there", None));
            }
            kept = hashes.into_iter().next();
        }
        let village = tree.village(row, before.create_places, &mut faults);
        match village {
            Some(village) if faults.is_empty() => judged.drafts.push(Draft { row: number, village, facts, reference: kept }),
            _ => keep(&mut judged.report.faults, &mut count, faults),
        }
    }
    alike(&mut judged, &before, &tree, crypto, progress);
    let skipped = judged.report.skipped(decisions);
    judged.report.alike.iter_mut().for_each(|one| one.take = !skipped.contains(&one.row));
    let mut best: BTreeMap<i64, i64> = BTreeMap::new();
    judged.report.alike.iter().for_each(|one| {
        best.entry(one.row).and_modify(|s| *s = (*s).max(one.score)).or_insert(one.score);
    });
    let between = |from, until| best.values().filter(|score| (from..until).contains(*score)).count() as i64;
    judged.drafts.retain(|draft| !skipped.contains(&draft.row));
    judged.places = tree.added(judged.drafts.iter().map(|draft| draft.village));
    judged.counts = Counts {
        rows: table.len() as i64,
        new: judged.drafts.len() as i64,
        members: judged.drafts.iter().map(|draft| draft.facts.members.len() as i64).sum(),
        places: judged.places.len() as i64,
        skipped: skipped.len() as i64,
        flagged: between(super::FLAG, 101),
        likely: between(super::LIKELY, super::FLAG),
        possible: between(super::POSSIBLE, super::LIKELY),
        faults: count,
    };
    judged
}

/// As many as are shown; all are counted.
pub fn keep(kept: &mut Vec<Fault>, count: &mut i64, new: Vec<Fault>) {
    *count += new.len() as i64;
    let room = MOST_FAULTS.saturating_sub(kept.len());
    kept.extend(new.into_iter().take(room));
}

/// Compares each draft with every household that is there, and with those above it in the file.
fn alike(judged: &mut Judged, before: &Before, tree: &Tree<'_>, crypto: &Crypto, progress: &Progress) {
    let mut index = Index::default();
    let mut ids: HashMap<&[u8], usize> = HashMap::new();
    for (at, there) in before.households.iter().enumerate() {
        if let Some(hash) = &there.national_id {
            ids.insert(hash, at);
        }
        index.add(Person::new(&there.name, there.birth.as_deref(), there.village, tree.above(there.village)));
    }
    let mut found = Vec::new();
    for draft in &judged.drafts {
        progress.step();
        let facts = &draft.facts;
        let person =
            Person::new(&facts.head_name, facts.head_birth_date.as_deref(), draft.village, tree.above(draft.village));
        let hashes = facts.national_id.as_ref().map(|id| crypto.lookups(before.org, "national_id", id));
        let same = hashes.iter().flatten().find_map(|hash| ids.get(&hash[..]).copied());
        let mut candidates = index.find(&person);
        if let Some(same) = same.filter(|same| !candidates.iter().any(|(at, _)| at == same)) {
            let there = &before.households[same];
            let other = Person::new(&there.name, there.birth.as_deref(), there.village, tree.above(there.village));
            candidates.insert(0, (same, person.score(&other)));
        }
        for (at, score) in candidates {
            let there = before.households.get(at);
            let row = there.is_none().then(|| &judged.drafts[at - before.households.len()]);
            let same_id = same == Some(at);
            found.push(Alike {
                row: draft.row,
                name: facts.head_name.clone(),
                score: if same_id { 100 } else { score.sum() },
                name_score: score.name,
                sound_score: score.sound,
                birth_score: score.birth,
                place_score: score.place,
                same_id,
                household: there.map(|there| there.id),
                household_name: None,
                household_number: None,
                other_row: row.map(|row| row.row),
                other_name: row.map(|row| row.facts.head_name.clone()),
                take: true,
            });
        }
        index.add(person);
    }
    found.sort_by_key(|one| (-one.score, one.row));
    judged.report.alike = found;
}
