//! Pictures for tests: drawn at test time, nobody's photograph.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kilele::crypto::{hex, sha256};
use kilele_media::drawn;
use serde_json::{Value, json};

use crate::id;

/// A drawn scene as JPEG bytes; the same seed draws the same.
pub fn photo(seed: u64) -> Vec<u8> {
    // Drawing takes a hundred times as long as everything else a story does with it.
    static DRAWN: Mutex<BTreeMap<u64, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut drawn = DRAWN.lock().expect("nobody panics while drawing");
    drawn.entry(seed).or_insert_with(|| drawn::jpeg(&drawn::scene(seed), 640, 480).expect("the drawing renders")).clone()
}

/// A photo of exactly so many bytes (at least 200 kB): drawn, with comments of noise behind the start marker.
pub fn padded(seed: u64, bytes: usize) -> Vec<u8> {
    pad(&photo(seed % 16), seed, bytes)
}

/// A JPEG made as long as that, and unlike any other, without changing the picture.
pub fn pad(drawn: &[u8], seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = seed.wrapping_mul(2).wrapping_add(1);
    let mut left = bytes.checked_sub(drawn.len()).expect("room for the drawing");
    let mut out = drawn[..2].to_vec();
    while left > 0 {
        // A segment has two bytes of marker, two of length, and never leaves less than that for the next.
        let whole = if left > 65_537 { 60_000 } else { left };
        out.extend([0xff, 0xfe]);
        out.extend((whole as u16 - 2).to_be_bytes());
        out.extend((4..whole).map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        }));
        left -= whole;
    }
    out.extend(&drawn[2..]);
    assert_eq!(out.len(), bytes);
    out
}

/// What a phone announces of these bytes.
pub fn capture(bytes: &[u8], slot: &str) -> Value {
    json!({
        "id": id(), "slot": slot, "mime": "image/jpeg", "bytes": bytes.len(), "sha256": hex(&sha256(bytes)),
        "width": 640, "height": 480, "captured_at": 1_790_000_000_000_i64,
    })
}

/// The JPEG with an EXIF block that says 1°17′24″ S, 36°49′12″ E.
pub fn with_place(jpeg: &[u8]) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let angle = |parts: [u32; 3]| parts.iter().flat_map(|part| [part.to_le_bytes(), 1_u32.to_le_bytes()].concat()).collect();
    let (latitude, longitude): (Vec<u8>, Vec<u8>) = (angle([1, 17, 24]), angle([36, 49, 12]));
    // Header 8, first directory 18, the place's directory 54, then the two angles of 24 bytes each.
    let place = [
        entry(1, 2, 2, *b"S\0\0\0"),
        entry(2, 5, 3, 80_u32.to_le_bytes()),
        entry(3, 2, 2, *b"E\0\0\0"),
        entry(4, 5, 3, 104_u32.to_le_bytes()),
    ];
    let first = [&1_u16.to_le_bytes()[..], &entry(0x8825, 4, 1, 26_u32.to_le_bytes()), &[0; 4]].concat();
    let second = [&4_u16.to_le_bytes()[..], &place.concat(), &[0; 4]].concat();
    let block = [b"Exif\0\0II*\0\x08\0\0\0", &first[..], &second, &latitude, &longitude].concat();
    let length = (block.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &block, &jpeg[2..]].concat()
}
