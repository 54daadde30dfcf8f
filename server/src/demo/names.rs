//! Names and numbers that are made up, the same at every start.

use serde_json::{Value, json};

use crate::clock::new_id;

pub const VILLAGES: [&str; 12] = [
    "Kambi ya Juu",
    "Mlimani",
    "Chemchemi",
    "Baraka",
    "Mti Mmoja",
    "Daraja Mbili",
    "Upendo",
    "Kisimani",
    "Bondeni",
    "Jua Kali",
    "Mwangaza",
    "Shauri Moyo",
];

const WOMEN: [&str; 24] = [
    "Achieng", "Akinyi", "Atieno", "Chebet", "Esther", "Faith", "Fatuma", "Halima", "Jane", "Joyce", "Kemunto", "Mary",
    "Mercy", "Moraa", "Mwende", "Naliaka", "Nekesa", "Njeri", "Rehema", "Ruth", "Wambui", "Wanjiru", "Zainab", "Zipporah",
];
const MEN: [&str; 20] = [
    "Abdi", "Barasa", "Charles", "Daniel", "Elijah", "Hassan", "James", "John", "Joseph", "Kamau", "Kiprono", "Kiptoo",
    "Mutua", "Mwangi", "Ochieng", "Odhiambo", "Omar", "Peter", "Samuel", "Wafula",
];
const FAMILIES: [&str; 24] = [
    "Achola", "Barasa", "Cherono", "Gathoni", "Hassan", "Kamau", "Karanja", "Kilonzo", "Kiptanui", "Koech", "Langat",
    "Makokha", "Moraa", "Muthoni", "Mutiso", "Mwaura", "Nyaboke", "Nyambura", "Ochieng", "Okoth", "Omondi", "Onyango",
    "Simiyu", "Wekesa",
];

/// Xorshift: small, and the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Up to about 500 m in degrees.
    pub fn offset(&mut self) -> f64 {
        (self.below(1000) as f64 - 500.0) / 100_000.0
    }
}

pub struct Household {
    pub head: String,
    pub members: Vec<Value>,
}

/// A head and who lives with them.
pub fn household(woman: bool, born: usize, dice: &mut Dice) -> Household {
    let first = if woman { dice.pick(&WOMEN) } else { dice.pick(&MEN) };
    let family = dice.pick(&FAMILIES);
    let head = format!("{first} {family}");
    let person = |name: String, sex: &str, year: usize, relationship: &str, participant: bool| {
        json!({ "id": new_id(), "name": name, "sex": sex, "birth_date": format!("{year}-07-01"),
                "relationship": relationship, "participant": participant })
    };
    let sex = if woman { "female" } else { "male" };
    let mut members = vec![person(head.clone(), sex, born, "head", true)];
    if dice.below(3) > 0 {
        let (first, sex) = if woman { (dice.pick(&MEN), "male") } else { (dice.pick(&WOMEN), "female") };
        members.push(person(format!("{first} {family}"), sex, born + 2, "spouse", false));
    }
    for child in 0..dice.below(5) {
        let (first, sex) = if dice.below(2) == 0 { (dice.pick(&WOMEN), "female") } else { (dice.pick(&MEN), "male") };
        members.push(person(format!("{first} {family}"), sex, (born + 20 + 3 * child).min(2024), "child", false));
    }
    Household { head, members }
}
