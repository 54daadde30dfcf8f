//! A grant's file and a receipt as they may come from the field: made up, plain data, for tests and the bench.

use kilele::grants::paper::{
    Acknowledgement, Amount, Applicant, GrantFile, Item, Occasion, Organisation, Photo, Plan, Policy, Position, Proofs,
    Receipt, Signed, Spent, Step, Tranche, Utilisation,
};
use kilele::paper::Language;
use kilele_media::drawn;
use uuid::Uuid;

/// 4 March 2026, 11:05 in Nairobi.
const NOW: i64 = 1_772_611_500_000;
const DAY: i64 = 86_400_000;

pub const STATEMENT_EN: &str = "I, Wanjikũ wa Kamau of the household of Wanjikũ wa Kamau, confirm that I received KES 8,750, part 1 of the grant \
     GRA-2026-00012, from Grace Achieng Odhiambo of Tumaini Trust on 2 March 2026, and that I agree to the photo being \
     kept as evidence of it.";
pub const STATEMENT_SW: &str = "Mimi, Wanjikũ wa Kamau wa kaya ya Wanjikũ wa Kamau, ninathibitisha kwamba nilipokea KES 8,750, sehemu ya 1 ya \
     ruzuku GRA-2026-00012, kutoka kwa Grace Achieng Odhiambo wa Tumaini Trust tarehe 2 Machi 2026, na kwamba \
     ninakubali picha ihifadhiwe kama ushahidi.";

fn in_language(language: Language, en: &str, sw: &str) -> String {
    if language == Language::En { en.into() } else { sw.into() }
}

/// Hexadecimal that looks like a hash, from a number.
pub fn hash(seed: usize) -> String {
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    [word(), word(), word(), word()].concat()
}

/// The size `card` of a photo.
pub fn card(seed: u64) -> Vec<u8> {
    let (width, height) = if seed.is_multiple_of(3) { (480, 360) } else { (360, 480) };
    drawn::jpeg(&drawn::scene(seed), width, height).expect("a picture")
}

pub fn organisation() -> Organisation {
    Organisation {
        name: "Tumaini Trust".into(),
        letterhead: "P.O. Box 4711, 60200 Meru, Kenya\n+254 20 555 0147 · office@tumaini.example".into(),
        logo: None,
        currency: "KES".into(),
        time_zone: "Africa/Nairobi".into(),
    }
}

pub fn photo(at: usize) -> Photo {
    let slots = ["site", "front", "receipt", "back"];
    Photo {
        slot: slots[at % slots.len()].into(),
        of: [Occasion::Application, Occasion::Part(1), Occasion::Use][at % 3],
        jpeg: Some(card(at as u64)),
        quarantined: None,
        sha256: hash(at),
        captured_at: Some(NOW - (40 - at as i64) * DAY),
        by: ["Amina Yusuf Mwangi", "Joseph Kiprotich"][at % 2].into(),
        position: Some(Position { lat: 0.047_123, lon: 37.649_81 + at as f64 / 1e4, accuracy: Some(8.0) }),
    }
}

pub fn signed(language: Language, at: usize, name: &str) -> Signed {
    Signed {
        signer_name: name.into(),
        signer_role: "beneficiary".into(),
        household: name.into(),
        witness: (at == 1).then(|| "Peter Mutua".into()),
        statement: in_language(language, STATEMENT_EN, STATEMENT_SW),
        language: language.code().into(),
        signed_at: NOW - 2 * DAY,
        received_at: NOW - DAY,
        sha256: hash(1000 + at),
        sequence: 17 + at as i64,
        server_signature: format!("{}{}", "kQ7mXw2vB_", hash(2000 + at)) + "0cRjY-4nLq8A",
        device_key: Some(hash(3000 + at)[..32].into()),
        ink: Some(drawn::scribble(at as u64)),
        verified: true,
    }
}

/// With so many photos and items.
pub fn file(language: Language, photos: usize, items: usize) -> GrantFile {
    let things = [
        ("Dairy goats, two does in milk", "Mbuzi wa maziwa, majike wawili"),
        ("Timber and iron sheets for the goat house", "Mbao na mabati ya banda la mbuzi"),
        ("Feed and minerals for three months", "Chakula na madini kwa miezi mitatu"),
        ("Vaccination and visits of the animal health worker", "Chanjo na ziara za mhudumu wa mifugo"),
    ];
    let thing = |at: usize| in_language(language, things[at % 4].0, things[at % 4].1);
    let step = |event: &str, by: &str, days: i64, reason: &str, score| Step {
        event: event.into(),
        by: Some(by.into()),
        at: NOW - days * DAY,
        reason: reason.into(),
        score,
    };
    let applicant = |name: &str, role: &str| Applicant { name: name.into(), role: role.into(), place: "Gatunga".into() };
    GrantFile {
        organisation: organisation(),
        language,
        printed_at: NOW,
        printed_by: "Grace Achieng Odhiambo".into(),
        number: Some("GRA-2026-00012".into()),
        state: "disbursing".into(),
        programme: "Ustawi wa Kaya 2026".into(),
        place: "Gatunga, Tharaka".into(),
        group: Some("Upendo Women's Goat Keepers".into()),
        applicants: vec![
            applicant("Wanjikũ wa Kamau", "leader"),
            applicant("Fatuma Abdi Noor", "treasurer"),
            applicant("Mũgĩthi Njoroge", "secretary"),
        ],
        policy: Policy { key: "SB".into(), name: in_language(language, "Seed grant", "Ruzuku ya kuanzia"), version: 3 },
        plan: Plan {
            description: in_language(
                language,
                "Three households keep dairy goats together. They sell the milk at the market of Gatunga twice a week and \
                 share what they earn. The kids are sold at the end of the year, and each household keeps one doe.",
                "Kaya tatu zinafuga mbuzi wa maziwa pamoja. Zinauza maziwa kwenye soko la Gatunga mara mbili kwa wiki na \
                 kugawana mapato. Watoto wa mbuzi huuzwa mwisho wa mwaka, na kila kaya inabaki na jike mmoja.",
            ),
            projected_income_minor: 640_000,
            monthly_expenses_minor: 210_000,
            startup_minor: 1_725_000,
            items: (0..items)
                .map(|at| Item { what: thing(at), quantity: 1 + at as i64 % 3, unit_minor: 250_000 + at as i64 * 12_550 })
                .collect(),
        },
        answers: vec![
            (in_language(language, "Kind of business", "Aina ya biashara"), in_language(language, "Livestock", "Mifugo")),
            (
                in_language(language, "How remote is the place?", "Mahali pako mbali kiasi gani?"),
                in_language(language, "Remote", "Mbali"),
            ),
            (in_language(language, "Training completed", "Mafunzo yaliyokamilika"), "92 %".into()),
        ],
        amount: Amount {
            base_minor: 1_500_000,
            factors: vec![
                (in_language(language, "Size of the group", "Ukubwa wa kikundi"), 9_000),
                (in_language(language, "Kind of business", "Aina ya biashara"), 11_500),
                (in_language(language, "Place", "Mahali"), 10_500),
                (in_language(language, "Training", "Mafunzo"), 11_000),
            ],
            raw_minor: 1_793_100,
            amount_minor: 1_793_100,
            clamped: None,
            phone_minor: None,
        },
        note: String::new(),
        submitted_by: "Amina Yusuf Mwangi".into(),
        submitted_at: NOW - 40 * DAY,
        history: vec![
            step("submit", "Amina Yusuf Mwangi", 40, "", None),
            step("review", "Joseph Kiprotich", 33, "", None),
            step(
                "recommend",
                "Joseph Kiprotich",
                31,
                "The shed stands and is dry. The three households know what goats need and have kept books for two months.",
                Some(84),
            ),
            step("approve", "Esther Nyambura Kariuki", 20, "", None),
            step("release", "Daniel Otieno", 3, "", None),
        ],
        tranches: vec![
            Tranche {
                number: 1,
                amount_minor: 875_000,
                state: "acknowledged".into(),
                method: Some("mobile_money".into()),
                reference: "QGH7X2K9LM".into(),
                released_by: Some("Daniel Otieno".into()),
                released_on: Some("2026-03-01".into()),
                acknowledged_at: Some(NOW - 2 * DAY),
                note: String::new(),
            },
            Tranche { number: 2, amount_minor: 918_100, state: "scheduled".into(), ..Tranche::default() },
        ],
        acknowledgements: vec![Acknowledgement {
            part: 1,
            amount_minor: 875_000,
            counted: true,
            flag: None,
            note: String::new(),
            position: Some(Position { lat: 0.047_123, lon: 37.649_81, accuracy: Some(8.0) }),
            received_by: "Mercy Kanini".into(),
            recorded_by: "Amina Yusuf Mwangi".into(),
            received_at: NOW - 2 * DAY,
        }],
        utilisation: Some(Utilisation {
            state: "submitted".into(),
            due_on: "2026-05-31".into(),
            items: (0..items.min(6))
                .map(|at| Spent { what: thing(at), amount_minor: 120_000 + at as i64 * 8_050, on: "2026-03-02".into() })
                .collect(),
            spent_minor: (0..items.min(6) as i64).map(|at| 120_000 + at * 8_050).sum(),
            note: in_language(language, "One receipt is torn.", "Risiti moja imechanika."),
            submitted_by: Some("Amina Yusuf Mwangi".into()),
            submitted_at: Some(NOW - DAY),
            ..Utilisation::default()
        }),
        photos: (0..photos).map(photo).collect(),
        signatures: vec![
            signed(language, 0, "Wanjikũ wa Kamau"),
            signed(language, 1, "Fatuma Abdi Noor"),
            signed(language, 2, "Mũgĩthi Njoroge"),
        ],
        proofs: Proofs {
            audit_head: Some((4711, hash(5000))),
            signature_head: Some((19, hash(5001))),
            server_key: "m3Zc0Qe1W8dT2bRkYxN5uVj7HsLpAfGi9oKzXwCvBqM".into(),
        },
    }
}

/// Where anything can be empty, it is.
pub fn empty(language: Language) -> GrantFile {
    let full = file(language, 0, 0);
    GrantFile {
        organisation: Organisation { letterhead: String::new(), ..organisation() },
        printed_by: String::new(),
        number: None,
        state: "draft".into(),
        group: None,
        applicants: vec![],
        plan: Plan::default(),
        answers: vec![],
        amount: Amount::default(),
        history: vec![],
        tranches: vec![],
        acknowledgements: vec![],
        utilisation: None,
        signatures: vec![],
        proofs: Proofs::default(),
        ..full
    }
}

pub fn receipt(language: Language) -> Receipt {
    Receipt {
        organisation: organisation(),
        language,
        printed_at: NOW,
        grant: "GRA-2026-00012".into(),
        policy: in_language(language, "Seed grant", "Ruzuku ya kuanzia"),
        programme: "Ustawi wa Kaya 2026".into(),
        place: "Gatunga, Tharaka".into(),
        recipient: "Wanjikũ wa Kamau".into(),
        part: 1,
        parts: 2,
        amount_minor: 875_000,
        method: Some("mobile_money".into()),
        reference: "QGH7X2K9LM".into(),
        released_on: Some("2026-03-01".into()),
        acknowledgement: Uuid::from_u128(0x0195_5d2c_7a10_7c31_9f4e_2b8d_6a90_c1e7),
        received_at: NOW - 2 * DAY,
        recorded_by: "Amina Yusuf Mwangi".into(),
        counted: true,
        flag: None,
        signature: Some(signed(language, 0, "Wanjikũ wa Kamau")),
    }
}
