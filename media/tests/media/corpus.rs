//! Every file of the hostile corpus ends as a reason or as a right picture, never as garbage called a photo.

use kilele_media::{Limits, derive, inspect};

use crate::fixtures::{Fate, corpus};
use crate::pictures::{BLUE, GREEN, RED, WHITE, close, open};

#[test]
fn every_hostile_file_ends_as_it_must() {
    let all = corpus();
    assert!(all.len() > 100, "{} files", all.len());
    let mut wrong = Vec::new();
    for file in &all {
        let outcome = derive(&file.bytes, &Limits::default());
        match (file.fate, outcome) {
            (Fate::Quarantined(reasons), Err(reason)) => {
                if !reasons.contains(&reason.code()) {
                    wrong.push(format!("{}: {}, not one of {reasons:?}", file.name, reason.code()));
                }
            }
            (Fate::Quarters, Ok(derived)) => {
                let full = open(&derived.full);
                assert_eq!(full.dimensions(), (320, 240), "{}", file.name);
                for ((x, y), colour) in
                    [(80, 60), (240, 60), (80, 180), (240, 180)].into_iter().zip([RED, GREEN, BLUE, WHITE])
                {
                    let found = *full.get_pixel(x, y);
                    assert!(close(found, colour), "{}: {found:?} at {x},{y}", file.name);
                }
                for word in [&b"<script"[..], b"<html", b"PK\x05\x06", b"ftyp", b"Comment"] {
                    assert!(!derived.full.windows(word.len()).any(|w| w == word), "{}: {word:?} survived", file.name);
                }
            }
            (fate, outcome) => {
                wrong.push(format!("{}: {fate:?}, but {:?}", file.name, outcome.map(|d| (d.width, d.height))))
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_small_part_of_the_file_is_judged_without_decoding() {
    for file in corpus() {
        if file.name.starts_with("pixels.") || file.name.starts_with("scans") {
            let begun = std::time::Instant::now();
            assert!(inspect(&file.bytes).is_err(), "{}", file.name);
            // Not a benchmark: unpacking any of these would take minutes and gigabytes.
            assert!(begun.elapsed().as_secs() < 5, "{}", file.name);
        }
    }
}
