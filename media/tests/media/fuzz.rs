//! Damages pictures at random for a while: derive never panics, and what it makes is a picture.
//!
//! `KILELE_FUZZ_SECONDS` (3 a target) says how long, `KILELE_TEST_SEED` where to begin; a failure prints the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use image::ImageFormat;
use kilele_media::{Ink, Limits, derive, drawn, inspect};
use turbojpeg::Subsamp;

use crate::pictures::{Noise, exif, jpeg, jpeg_with, open, photo, progressive, with_exif, with_segment, written};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs `case` with fresh noise until the time is over; a seed that fails is printed and fails again.
fn soak(name: &str, mut case: impl FnMut(&mut Noise)) {
    let first = number("KILELE_TEST_SEED", 20_261_120);
    let time = Duration::from_secs(number("KILELE_FUZZ_SECONDS", 3));
    println!("{name}: KILELE_TEST_SEED={first}");
    let begun = Instant::now();
    let mut cases = 0;
    while begun.elapsed() < time {
        let seed = first + cases;
        if catch_unwind(AssertUnwindSafe(|| case(&mut Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)))).is_err() {
            panic!("{name} failed; again with KILELE_TEST_SEED={seed} KILELE_FUZZ_SECONDS=1");
        }
        cases += 1;
    }
    println!("{name}: {cases} cases");
    assert!(cases > 0);
}

fn damage(seed: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=noise.below(6) {
        if bytes.is_empty() {
            break;
        }
        // Half of the damage goes to the header, where it does most.
        let end = if noise.below(2) == 0 { bytes.len().min(700) } else { bytes.len() };
        let at = noise.below(end);
        let to = bytes.len().min(at + 1 + noise.below(40));
        match noise.below(7) {
            0 | 1 => bytes[at] ^= 1 << noise.below(8),
            2 => bytes[at] = [0, 0xFF, 0x7F, 0x80][noise.below(4)],
            3 => drop(bytes.drain(at..to)),
            4 => bytes.insert(at, noise.next() as u8),
            5 => bytes[at..to].fill(noise.next() as u8),
            _ => {
                let piece = bytes[at..to].to_vec();
                let place = noise.below(bytes.len());
                bytes.splice(place..place, piece);
            }
        }
    }
    bytes
}

fn check(bytes: &[u8]) {
    // As the server: no larger than its limits, and small enough to try many.
    let limits =
        Limits { baseline_pixels: 1 << 20, progressive_pixels: 1 << 20, other_pixels: 1 << 20, ..Limits::default() };
    let Ok(derived) = derive(bytes, &limits) else { return };
    assert!(inspect(bytes).is_ok());
    assert!(derived.width.max(derived.height) <= kilele_media::FULL);
    assert_eq!(open(&derived.full).dimensions(), (derived.width, derived.height));
    open(&derived.card);
    open(&derived.thumb);
    assert!((0.0..=1.0).contains(&derived.darkness) && derived.blur >= 0.0);
}

#[test]
fn damaged_jpegs() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().expect("a profile");
    let profile = [b"ICC_PROFILE\0\x01\x01".as_slice(), &profile].concat();
    let seeds = [
        with_exif(&jpeg(&photo(96, 64)), 6),
        progressive(&photo(96, 64)),
        with_segment(&jpeg(&photo(48, 64)), 0xE2, &profile),
        jpeg_with(&photo(64, 64), |c| c.set_subsamp(Subsamp::Sub4x1).expect("4:1:1")),
    ];
    soak("damaged_jpegs", |noise| check(&damage(&seeds[noise.below(seeds.len())], noise)));
}

#[test]
fn damaged_pictures_of_other_kinds() {
    let seeds = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif].map(|format| written(photo(64, 48), format));
    soak("damaged_pictures_of_other_kinds", |noise| check(&damage(&seeds[noise.below(seeds.len())], noise)));
}

/// Where no checksum or code stands before the parsers of EXIF and colour profiles.
#[test]
fn damaged_metadata() {
    let plain = jpeg(&photo(48, 32));
    let (place, profiles) = (
        exif(6),
        [moxcms::ColorProfile::new_display_p3(), moxcms::ColorProfile::new_gray_with_gamma(2.2)]
            .map(|profile| profile.encode().expect("a profile")),
    );
    soak("damaged_metadata", |noise| {
        let profile = damage(&profiles[noise.below(2)], noise);
        let bytes = with_segment(&plain, 0xE1, &[b"Exif\0\0", &damage(&place, noise)[..]].concat());
        let bytes = with_segment(&bytes, 0xE2, &[b"ICC_PROFILE\0\x01\x01", &profile[..]].concat());
        let derived = derive(&bytes, &Limits::default()).expect("metadata never spoils a picture");
        assert_eq!((derived.width + derived.height, open(&derived.full).width()), (80, derived.width));
    });
}

#[cfg(feature = "heic")]
#[test]
fn damaged_heics() {
    let seed = include_bytes!("../../../tests/fixtures/quarters.heic");
    soak("damaged_heics", |noise| check(&damage(seed, noise)));
}

/// What a phone sends as strokes, before it is known to be strokes.
#[test]
fn nonsense_instead_of_ink() {
    soak("nonsense_instead_of_ink", |noise| {
        let sent = serde_json::to_vec(&drawn::scribble(noise.next())).expect("written");
        let Ok(ink) = serde_json::from_slice::<Ink>(&damage(&sent, noise)) else { return };
        if !ink.is_trivial() {
            assert!(ink.png(64).expect("drawn").starts_with(b"\x89PNG"));
        }
    });
}

#[test]
fn nonsense_from_pens() {
    soak("nonsense_from_pens", |noise| {
        let mut ink = drawn::scribble(noise.next());
        for _ in 0..=noise.below(8) {
            let stroke = noise.below(ink.strokes.len());
            let stroke = &mut ink.strokes[stroke];
            if !stroke.is_empty() {
                let point = noise.below(stroke.len());
                let value = [i32::MIN, i32::MAX, 0, -1, noise.next() as i32, noise.next() as i32 % 4000];
                stroke[point][noise.below(4)] = value[noise.below(6)];
            }
        }
        let ink = Ink { width: noise.next() as u32, ..ink };
        assert!(ink.svg().ends_with("</svg>"));
        assert!(ink.png(64).expect("drawn").starts_with(b"\x89PNG"));
        assert!(ink.pdf().expect("drawn").starts_with(b"%PDF"));
        let _ = ink.is_trivial();
    });
}
