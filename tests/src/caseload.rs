//! A caseload as large as they get: each household with twenty records, as a year of work leaves them.

use kilele::clock::{DAY, Millis};
use kilele::crypto::{hex, sha256};
use kilele_media::drawn;
use serde_json::{Value, json};

use crate::people::command;
use crate::{Person, id, signing};

/// Records of each household: itself, its photo, four visits with two photos and a signature each, two planned ones.
pub const RECORDS: usize = 20;

/// What was made.
pub struct Caseload {
    pub households: Vec<String>,
    /// Visits planned for the days around now, and their households.
    pub this_week: Vec<(String, String)>,
    /// Every photo announced, with bytes that can be delivered.
    pub photos: Vec<(Value, Vec<u8>)>,
}

/// Makes `households` in this mentor's villages; one of seventeen has a visit planned for this week.
pub async fn make(mentor: &Person, households: usize, now: Millis) -> Caseload {
    let villages = mentor.session["member"]["places"].as_array().unwrap().clone();
    let mut all = Caseload { households: Vec::new(), this_week: Vec::new(), photos: Vec::new() };
    let mut commands: Vec<Value> = Vec::new();
    for n in 0..households {
        let home = id();
        let head = format!("{} {} {}", pick(GIVEN, n), pick(FAMILY, n / 3), pick(FAMILY, n * 7 + 1));
        let face = all.photo(n * 9, "front", now - 300 * DAY);
        commands.push(command(
            "household.register",
            json!({ "household": {
                "id": home, "place": villages[n % villages.len()], "head_name": head,
                "head_sex": if n % 3 == 0 { "male" } else { "female" }, "head_birth_date": format!("{}-0{}-1{}", 1950 + n % 50, 1 + n % 9, n % 10),
                "national_id": format!("{:08}", 20_000_000 + dice(n) % 19_999_999), "phone": format!("07{:08}", dice(n + 7919) % 99_999_999),
                "members": (0..2 + n % 4).map(|m| json!({ "id": id(), "name": format!("{} {}", pick(GIVEN, n + m * 5), pick(FAMILY, n / 3)), "birth_date": format!("{}-03-1{}", 1990 + (n + m) % 30, m), "relationship": "child" })).collect::<Vec<_>>(),
                "lat": -0.3 + dice(n) as f64 % 9973.0 / 1e5, "lon": 36.0 + dice(n + 1) as f64 % 9973.0 / 1e5, "accuracy_m": 4 + n % 30,
                "monthly_income_minor": (1500 + dice(n) % 7000) * 100, "electricity": n % 3 == 0, "clean_water": n % 2 == 0, "disability": n % 9 == 0 },
                "evidence": [face] }),
        ));
        for round in 0..4 {
            let at = now - (300 - 70 * round as i64 - n as i64 % 60) * DAY + dice(n + round) as i64 % (DAY / 3);
            let visit = id();
            let photos =
                [all.photo(n * 9 + 1 + round * 2, "front", at), all.photo(n * 9 + 2 + round * 2, "back", at + 60_000)];
            commands.push(command("visit.submit", json!({
                "id": visit, "household": home, "kind": "scheduled", "started_at": at, "ended_at": at + 1_500_000, "topics": ["business", "savings"],
                "observations": said(n + round), "recommendations": said(n * 3 + round), "action_items": "", "support_needed": "",
                "business_status": pick(&["thriving", "stable", "struggling"], n + round), "income_minor": (900 + dice(n + round) % 4000) * 100,
                "lat": -0.3 + dice(n + round) as f64 % 9973.0 / 1e5, "lon": 36.0 + dice(n) as f64 % 9973.0 / 1e5, "accuracy_m": 9,
                "evidence": photos, "signature": signing::signature(mentor, &visit, &json!(head)),
            })));
        }
        for later in 0..2 {
            let visit = id();
            let this_week = later == 0 && n % 17 == 0;
            let days = if this_week { n as i64 % 6 - 2 } else { 20 + 30 * later + n as i64 % 40 };
            commands.push(command(
                "visit.plan",
                json!({ "id": visit, "household": home, "mentor": mentor.member(), "kind": "scheduled",
                "planned_at": now + days * DAY }),
            ));
            if this_week {
                all.this_week.push((visit, home.clone()));
            }
        }
        all.households.push(home);
    }
    // Each answer brings what the one before it did: cursors keep them small.
    let mut cursors = json!({});
    for batch in commands.chunks(49) {
        let answer = mentor.sync(&cursors, batch).await;
        let results = answer["results"].as_array().unwrap();
        assert!(results.len() == batch.len() && results.iter().all(|r| r["status"] == "applied"), "{}", answer["results"]);
        for (feed, news) in answer["feeds"].as_object().unwrap() {
            cursors[feed] = news["revision"].clone();
        }
    }
    all
}

impl Caseload {
    /// A small picture that no other is like, so that its hash costs what a hash costs.
    fn photo(&mut self, seed: usize, slot: &str, at: Millis) -> Value {
        let bytes = picture(seed);
        let capture = json!({ "id": id(), "slot": slot, "mime": "image/jpeg", "bytes": bytes.len(), "sha256": hex(&sha256(&bytes)),
            "width": 1200, "height": 1600, "captured_at": at, "lat": -0.3 + dice(seed) as f64 % 9973.0 / 1e5,
            "lon": 36.0 + dice(seed + 1) as f64 % 9973.0 / 1e5, "accuracy_m": 5 + seed % 20 });
        self.photos.push((capture.clone(), bytes));
        capture
    }
}

/// A JPEG of a few hundred bytes; each seed gives another picture.
pub fn picture(seed: usize) -> Vec<u8> {
    let colour = |n: usize| format!("#{:06x}", dice(seed * 5 + n) & 0xff_ffff);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 24\"><rect width=\"32\" height=\"24\" fill=\"{}\"/>\
         <circle cx=\"{}\" cy=\"{}\" r=\"7\" fill=\"{}\"/><rect x=\"{}\" width=\"9\" height=\"24\" fill=\"{}\"/></svg>",
        colour(0),
        dice(seed) % 32,
        dice(seed + 1) % 24,
        colour(1),
        dice(seed + 2) % 24,
        colour(2)
    );
    let mut bytes = drawn::jpeg(&svg, 32, 24).unwrap();
    // A comment after the start of the picture: two drawings that look the same still differ.
    let comment = format!("{seed:08}-{}", id());
    let marker = [&[0xff, 0xfe][..], &(comment.len() as u16 + 2).to_be_bytes(), comment.as_bytes()].concat();
    bytes.splice(2..2, marker);
    bytes
}

/// Hashes a number: the same at every run.
fn dice(n: usize) -> usize {
    let mut x = (n as u64).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 31;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 33) as usize
}

fn pick<'a>(from: &[&'a str], n: usize) -> &'a str {
    from[dice(n) % from.len()]
}

/// A sentence or two, as people write them.
fn said(n: usize) -> String {
    let sentence = |n: usize| format!("{} {} {}.", pick(WHO, n), pick(DOES, n * 13 + 5), pick(WHAT, n * 29 + 11));
    format!("{} {}", sentence(n), sentence(n + 4001))
}

const GIVEN: &[&str] = &[
    "Achieng", "Akinyi", "Chebet", "Esther", "Fatuma", "Halima", "Kemunto", "Moraa", "Naliaka", "Njeri", "Rehema", "Wambui",
    "Abdi", "Daniel", "Kiprono", "Mutua", "Ochieng", "Peter", "Wafula",
];
const FAMILY: &[&str] = &[
    "Achola", "Barasa", "Cherono", "Gathoni", "Karanja", "Kilonzo", "Koech", "Langat", "Makokha", "Mutiso", "Nyambura",
    "Okoth", "Omondi", "Simiyu", "Wekesa",
];
const WHO: &[&str] = &[
    "The hen house",
    "Her vegetable stall",
    "The second son",
    "The savings group",
    "The kitchen garden",
    "The new roof",
    "Her knitting",
    "The neighbour's cow",
    "The shop by the road",
    "The eldest daughter",
];
const DOES: &[&str] = &[
    "does better than in the spring and",
    "was damaged by the rain but",
    "brought in KES 450 this month and",
    "needs a licence before it",
    "is looked after by the children and",
    "has moved closer to the market and",
    "was sold last week because it",
    "lost two customers but",
    "is kept in a written book now and",
];
const WHAT: &[&str] = &[
    "will be larger by the next visit",
    "still pays the school fees",
    "takes most of her mornings",
    "needs feed until the harvest",
    "shares the water point with four families",
    "is the main income at present",
    "should be looked at again in two weeks",
    "may join the group's next round",
    "stands on rented ground",
    "can be left to the sister",
];
