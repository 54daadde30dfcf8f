//! HEIC, which iPhones write: decoded with the feature `heic`, kept for later without it.

use kilele_media::{Limits, derive, inspect};

const QUARTERS: &[u8] = include_bytes!("../../../tests/fixtures/quarters.heic");

#[cfg(not(feature = "heic"))]
#[test]
fn is_kept_for_later() {
    use kilele_media::Quarantine;
    for bytes in [QUARTERS, b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic and more"] {
        assert_eq!(derive(bytes, &Limits::default()).err(), Some(Quarantine::Heic));
        assert_eq!(inspect(bytes).err(), Some(Quarantine::Heic));
    }
    assert!(Quarantine::Heic.to_string().contains("kept for later"));
}

#[cfg(feature = "heic")]
#[test]
fn is_decoded_upright() {
    use crate::pictures::{BLUE, GREEN, RED, WHITE, close, open};
    let picture = inspect(QUARTERS).expect("a picture");
    assert_eq!((picture.format.mime(), picture.width, picture.height), ("image/heic", 320, 240));
    let derived = derive(QUARTERS, &Limits::default()).expect("derived");
    assert_eq!(derived.exif.taken_at, Some(1_772_721_015_000));
    let full = open(&derived.full);
    assert_eq!(full.dimensions(), (320, 240));
    for ((x, y), colour) in [(80, 60), (240, 60), (80, 180), (240, 180)].into_iter().zip([RED, GREEN, BLUE, WHITE]) {
        let found = *full.get_pixel(x, y);
        assert!(close(found, colour), "{found:?} at {x},{y}");
    }
}

#[cfg(feature = "heic")]
#[test]
fn is_refused_when_it_is_cut_or_too_large() {
    for part in 1..100 {
        let cut = &QUARTERS[..QUARTERS.len() * part / 100];
        assert!(derive(cut, &Limits::default()).is_err(), "{part} %");
    }
    let small = Limits { other_pixels: 10_000, ..Limits::default() };
    assert!(derive(QUARTERS, &small).is_err());
    let mut noise = crate::pictures::Noise(11);
    for _ in 0..300 {
        let mut bytes = QUARTERS.to_vec();
        let at = noise.below(bytes.len());
        bytes[at] ^= 1 << noise.below(8);
        let _ = derive(&bytes, &Limits::default());
    }
}
