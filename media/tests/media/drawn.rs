//! Drawn people and places: the same each time, never the same for two seeds, and real pictures.

use kilele_media::{Limits, derive, drawn};

#[test]
fn a_seed_is_a_person_and_a_place() {
    for seed in 0..60 {
        assert_eq!(drawn::face(seed), drawn::face(seed));
        assert_ne!(drawn::face(seed), drawn::face(seed + 1));
        assert_ne!(drawn::scene(seed), drawn::scene(seed + 1));
        assert_ne!(drawn::scribble(seed), drawn::scribble(seed + 1));
    }
}

#[test]
fn drawings_become_evidence_like_photos() {
    for seed in 0..12 {
        for (svg, width, height) in [(drawn::face(seed), 480, 640), (drawn::scene(seed), 640, 480)] {
            let derived = derive(&drawn::jpeg(&svg, width, height).expect("drawn"), &Limits::default()).expect("derived");
            assert_eq!((derived.width, derived.height), (width, height));
            // An empty one takes 3,000; the encoder in Rust spends less on the same picture.
            let least = if cfg!(feature = "turbojpeg") { 12_000 } else { 8_000 };
            assert!(derived.full.len() > least, "seed {seed} is almost empty: {}", derived.full.len());
            assert!((0.1..0.9).contains(&derived.darkness), "seed {seed}: {}", derived.darkness);
        }
    }
}

#[test]
fn what_cannot_be_drawn_says_so() {
    assert!(drawn::jpeg("no drawing", 10, 10).is_err());
    assert!(drawn::jpeg(&drawn::face(1), 0, 10).is_err());
}
