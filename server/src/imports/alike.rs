//! Who may be the same person: name 40, sounds alike 30, birth date 20, place 10. ≥ 90 is flagged, 75–89 likely, 60–74
//! possible; a person decides.
//!
//! Nobody can compare everyone with everyone. Two people are compared when they share two parts of their names by sound, or
//! a birth date, or the village and one part: others reach 60 only by half a birth date.

use std::collections::HashMap;

use uuid::Uuid;

use super::POSSIBLE;

/// Of one name, at most so many are compared with each other; the latest ones.
const BLOCK: usize = 300;
/// Candidates that are kept of a row.
pub const KEPT: usize = 3;
/// Parts of a name that count.
const PARTS: usize = 5;

/// Year, month, day.
type Birth = (u16, u8, u8);

/// What is compared of a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The parts in order of the alphabet: people write them in any order.
    name: String,
    sounds: Vec<u32>,
    /// How often each letter is in it.
    letters: [u8; 32],
    birth: Option<Birth>,
    village: Uuid,
    /// What lies above the village.
    above: Option<Uuid>,
}

/// What counted, out of 40, 30, 20 and 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub name: i64,
    pub sound: i64,
    pub birth: i64,
    pub place: i64,
}

impl Score {
    pub fn sum(self) -> i64 {
        self.name + self.sound + self.birth + self.place
    }
}

impl Person {
    /// `birth` as `YYYY-MM-DD`.
    pub fn new(name: &str, birth: Option<&str>, village: Uuid, above: Option<Uuid>) -> Self {
        let mut parts: Vec<String> = name.split(|c: char| !c.is_alphanumeric() && c != '\'').map(plain).collect();
        parts.retain(|part| !part.is_empty());
        parts.sort_unstable();
        let mut sounds: Vec<u32> = parts.iter().take(PARTS).map(|part| sound(part)).collect();
        sounds.sort_unstable();
        sounds.dedup();
        let birth = birth.and_then(|text| {
            let mut numbers = text.split('-');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        });
        let name = parts.join(" ");
        let mut letters = [0; 32];
        name.bytes().take(64).for_each(|letter| letters[usize::from(letter % 32)] += 1);
        Self { name, letters, sounds, birth, village, above }
    }

    /// No likeness of the names is above this; many times quicker than the likeness itself.
    fn best_name(&self, other: &Self) -> i64 {
        let common: u32 = self.letters.iter().zip(&other.letters).map(|(one, other)| u32::from(*one.min(other))).sum();
        let (common, one, other) = (f64::from(common), self.name.len().min(64) as f64, other.name.len().min(64) as f64);
        let jaro = (common / one.max(1.0) + common / other.max(1.0) + 1.0) / 3.0;
        let likeness = jaro + 0.4 * (1.0 - jaro).max(0.0);
        if likeness < 0.8 { 0 } else { (40.0 * likeness).round() as i64 }
    }

    /// Everything but the name, which takes longest.
    fn rest(&self, other: &Self) -> Score {
        let common = self.sounds.iter().filter(|one| other.sounds.contains(one)).count();
        let most = self.sounds.len().max(other.sounds.len()).max(1);
        let sound = (30 * common / most) as i64;
        let place = match () {
            () if self.village == other.village => 10,
            () if self.above.is_some() && self.above == other.above => 5,
            () => 0,
        };
        Score { name: 0, sound, birth: birth(self.birth, other.birth), place }
    }

    pub fn score(&self, other: &Self) -> Score {
        Score { name: name_score(&self.name, &other.name), ..self.rest(other) }
    }
}

/// The same day 20. Half of it when day and month are swapped, or when one of them is only a year, which registries
/// write as its first day.
fn birth(one: Option<Birth>, other: Option<Birth>) -> i64 {
    let (Some((year, month, day)), Some((other_year, other_month, other_day))) = (one, other) else { return 0 };
    let first = |month, day| (month, day) == (1, 1);
    match year == other_year {
        true if (month, day) == (other_month, other_day) => 20,
        true if (month, day) == (other_day, other_month) || first(month, day) || first(other_month, other_day) => 10,
        _ => 0,
    }
}

/// 40 × likeness (Jaro–Winkler), and nothing below 0.8: that is chance.
fn name_score(one: &str, other: &str) -> i64 {
    if one.is_empty() || other.is_empty() {
        return 0;
    }
    if one == other {
        return 40;
    }
    let likeness = winkler(one.as_bytes(), other.as_bytes());
    if likeness < 0.8 { 0 } else { (40.0 * likeness).round() as i64 }
}

fn winkler(a: &[u8], b: &[u8]) -> f64 {
    let (mut taken, mut matched) = ([false; 64], [0_u8; 64]);
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut count = 0;
    for (at, letter) in a.iter().enumerate() {
        let until = (at + reach + 1).min(b.len());
        if let Some(found) = (at.saturating_sub(reach)..until).find(|i| !taken[*i] && b[*i] == *letter) {
            taken[found] = true;
            matched[count] = *letter;
            count += 1;
        }
    }
    if count == 0 {
        return 0.0;
    }
    let others = b.iter().enumerate().filter(|(i, _)| taken[*i]).map(|(_, letter)| letter);
    let moved = others.zip(&matched[..count]).filter(|(one, other)| one != other).count() as f64 / 2.0;
    let count = count as f64;
    let jaro = (count / a.len() as f64 + count / b.len() as f64 + (count - moved) / count) / 3.0;
    let start = a.iter().zip(b).take(4).take_while(|(one, other)| one == other).count() as f64;
    jaro + start * 0.1 * (1.0 - jaro)
}

/// A part of a name in small plain letters.
fn plain(part: &str) -> String {
    let letter = |c: char| match c {
        'à'..='å' | 'ā' => 'a',
        'è'..='ë' | 'ē' => 'e',
        'ì'..='ï' | 'ĩ' | 'ī' => 'i',
        'ò'..='ö' | 'ø' | 'ō' => 'o',
        'ù'..='ü' | 'ũ' | 'ū' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'ý' | 'ÿ' => 'y',
        other => other,
    };
    part.chars().flat_map(char::to_lowercase).map(letter).filter(|c| c.is_alphanumeric()).collect()
}

/// How a part sounds, as a number: letters that languages of the region hear or write alike become one, vowels after the
/// first go, doubles are one.
fn sound(part: &str) -> u32 {
    let mut text = part.to_owned();
    for (from, to) in [
        ("ph", "f"),
        ("ck", "k"),
        ("sh", "s"),
        ("th", "t"),
        ("dh", "d"),
        ("gh", "g"),
        ("bh", "b"),
        ("ch", "c"),
        ("ng", "n"),
        ("ny", "n"),
        ("mb", "b"),
        ("nd", "d"),
        ("nj", "j"),
    ] {
        text = text.replace(from, to);
    }
    let mut hash: u32 = 0x811c_9dc5;
    let mut last = ' ';
    for (at, letter) in text.chars().enumerate() {
        let heard = match letter {
            'q' | 'k' => 'k',
            'l' | 'r' => 'l',
            's' | 'z' | 'x' => 's',
            'f' | 'v' => 'f',
            'i' | 'y' | 'e' => 'i',
            'o' | 'u' => 'u',
            other => other,
        };
        let silent = heard == 'h' || (at > 0 && matches!(heard, 'a' | 'i' | 'u' | 'w'));
        if silent || heard == last {
            continue;
        }
        last = heard;
        hash = (hash ^ heard as u32).wrapping_mul(0x0100_0193);
    }
    hash
}

/// Everybody who is known so far, found by what they may have in common.
#[derive(Default)]
pub struct Index {
    people: Vec<Person>,
    by_sounds: HashMap<(u32, u32), Vec<u32>>,
    by_birth: HashMap<Birth, Vec<u32>>,
    by_birth_sound: HashMap<(Birth, u32), Vec<u32>>,
    by_birth_village: HashMap<(Birth, Uuid), Vec<u32>>,
    by_village: HashMap<(Uuid, u32), Vec<u32>>,
    /// For whom each was looked at last.
    seen: Vec<u32>,
    round: u32,
}

fn pairs(sounds: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let single = (sounds.len() == 1).then(|| (sounds[0], sounds[0]));
    single.into_iter().chain((0..sounds.len()).flat_map(move |i| (i + 1..sounds.len()).map(move |j| (sounds[i], sounds[j]))))
}

impl Index {
    /// The people most like this one, best first, with their numbers in the order in which they were added.
    pub fn find(&mut self, person: &Person) -> Vec<(usize, Score)> {
        self.find_others(person, None)
    }

    /// The people most like one of them.
    pub fn find_like(&mut self, at: usize) -> Vec<(usize, Score)> {
        let person = self.people[at].clone();
        self.find_others(&person, Some(at))
    }

    fn find_others(&mut self, person: &Person, own: Option<usize>) -> Vec<(usize, Score)> {
        self.round += 1;
        if let Some(own) = own {
            self.seen[own] = self.round;
        }
        let Self { people, by_sounds, by_birth, by_birth_sound, by_birth_village, by_village, seen, round } = self;
        let mut best: Vec<(usize, Score)> = Vec::new();
        let mut blocks: Vec<&Vec<u32>> = Vec::new();
        if let Some(birth) = person.birth {
            blocks.extend(person.sounds.iter().filter_map(|sound| by_birth_sound.get(&(birth, *sound))));
            blocks.extend(by_birth_village.get(&(birth, person.village)));
            blocks.extend(by_birth.get(&birth));
        }
        blocks.extend(pairs(&person.sounds).filter_map(|pair| by_sounds.get(&pair)));
        blocks.extend(person.sounds.iter().filter_map(|sound| by_village.get(&(person.village, *sound))));
        for block in blocks {
            for at in block.iter().rev().take(BLOCK) {
                let at = *at as usize;
                if std::mem::replace(&mut seen[at], *round) == *round {
                    continue;
                }
                let rest = person.rest(&people[at]);
                let floor = if best.len() == KEPT { best[KEPT - 1].1.sum() + 1 } else { POSSIBLE };
                if rest.sum() + 40 < floor || rest.sum() + person.best_name(&people[at]) < floor {
                    continue;
                }
                let score = Score { name: name_score(&person.name, &people[at].name), ..rest };
                if score.sum() >= floor {
                    best.push((at, score));
                    best.sort_by_key(|(at, score)| (-score.sum(), *at));
                    best.truncate(KEPT);
                }
            }
        }
        best
    }

    pub fn add(&mut self, person: Person) {
        let number = self.people.len() as u32;
        for pair in pairs(&person.sounds) {
            self.by_sounds.entry(pair).or_default().push(number);
        }
        for sound in &person.sounds {
            self.by_village.entry((person.village, *sound)).or_default().push(number);
        }
        if let Some(birth) = person.birth {
            for sound in &person.sounds {
                self.by_birth_sound.entry((birth, *sound)).or_default().push(number);
            }
            self.by_birth_village.entry((birth, person.village)).or_default().push(number);
            self.by_birth.entry(birth).or_default().push(number);
        }
        self.people.push(person);
        self.seen.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Uuid = Uuid::from_u128(1);
    const THERE: Uuid = Uuid::from_u128(2);

    fn person(name: &str, birth: &str, village: Uuid) -> Person {
        Person::new(name, (!birth.is_empty()).then_some(birth), village, Some(Uuid::from_u128(9)))
    }

    #[test]
    fn the_parts_add_up_as_the_rule_says() {
        let score = |a: &Person, b: &Person| {
            let Score { name, sound, birth, place } = a.score(b);
            assert_eq!(a.score(b), b.score(a));
            (name, sound, birth, place)
        };
        let zawadi = person("Zawadi Chebet", "1987-04-21", HERE);
        assert_eq!(score(&zawadi, &person("CHEBET, Zawadi", "1987-04-21", HERE)), (40, 30, 20, 10));
        assert_eq!(score(&zawadi, &person("Zawadi Chebet", "1987-04-21", THERE)), (40, 30, 20, 5));
        assert_eq!(score(&zawadi, &person("Zawadi Chebet", "", HERE)), (40, 30, 0, 10));
        assert_eq!(score(&zawadi, &person("Zawadi Chebet", "1987-01-01", HERE)), (40, 30, 10, 10));
        assert_eq!(score(&person("A B", "1987-03-04", HERE), &person("A B", "1987-04-03", HERE)), (40, 30, 10, 10));
        let (name, sound, ..) = score(&zawadi, &person("Sawadi Cheptoo", "1990-01-02", HERE));
        assert!((32..40).contains(&name) && sound == 15, "{name} {sound}");
        assert_eq!(score(&zawadi, &person("Peter Otieno", "1950-02-03", THERE)).0, 0);
    }

    #[test]
    fn what_sounds_alike_is_heard_alike() {
        for (one, other) in [
            ("Wanjiru", "Wanjilu"),
            ("Mohammed", "Muhamed"),
            ("Fatuma", "Fatma"),
            ("Philip", "Filip"),
            ("Onyango", "Oniango"),
            ("Catherine", "Catharine"),
        ] {
            assert_eq!(sound(&plain(one)), sound(&plain(other)), "{one} {other}");
        }
        assert_ne!(sound("achieng"), sound("atieno"));
    }

    #[test]
    fn the_index_finds_what_comparing_everyone_finds() {
        let given = ["Achieng", "Akinyi", "Chebet", "Esther", "Fatuma", "Fatma", "Halima", "Moraa", "Njeri", "Rehema"];
        let family = ["Achola", "Barasa", "Cherono", "Kamau", "Karanja", "Koech", "Langat", "Okoth", "Wekesa", "Simiyu"];
        let all: Vec<Person> = (0..600_usize)
            .map(|n| {
                let name = format!("{} {}", given[n * 7 % 10], family[(n / 10 + n * 3) % 10]);
                person(
                    &name,
                    &format!("19{}-0{}-1{}", 50 + n % 40, 1 + n % 9, n % 10),
                    if n % 3 == 0 { HERE } else { THERE },
                )
            })
            .collect();
        let mut index = Index::default();
        for (at, one) in all.iter().enumerate() {
            let mut expected: Vec<i64> =
                all[..at].iter().map(|other| one.score(other).sum()).filter(|s| *s >= POSSIBLE).collect();
            expected.sort_unstable_by_key(|score| -score);
            expected.truncate(KEPT);
            let found: Vec<i64> = index.find(one).iter().map(|(_, score)| score.sum()).collect();
            assert_eq!(found, expected, "{at}");
            index.add(one.clone());
        }
    }
}
