//! What comes out of bytes that are not a good picture: a reason, and never a panic.

use image::ImageFormat;
use kilele_media::{Limits, Quarantine, derive, inspect};

use crate::pictures::{jpeg, jpeg_with, photo, progressive, quarters, with_exif, written};

fn refused(bytes: &[u8]) -> Quarantine {
    derive(bytes, &Limits::default()).expect_err("refused")
}

#[test]
fn files_that_are_no_pictures() {
    let files: [&[u8]; 7] = [
        b"",
        b"\xFF",
        b"just some text, called photo.jpg",
        b"%PDF-1.7 and so on",
        b"PK\x03\x04 a zip",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    ];
    for file in files {
        assert_eq!(refused(file), Quarantine::NotAPicture, "{file:?}");
        assert_eq!(inspect(file), Err(Quarantine::NotAPicture));
    }
}

#[test]
fn pictures_of_other_kinds() {
    let files: [&[u8]; 3] = [
        b"\x00\x00\x00\x1Cftypavif\x00\x00\x00\x00avifmif1 and more",
        b"II*\x00\x08\x00\x00\x00 and so on",
        b"BM and so on",
    ];
    for file in files {
        assert_eq!(refused(file), Quarantine::Unsupported, "{file:?}");
    }
    let lossless = jpeg_with(&quarters(64, 48), |c| c.set_lossless(true).expect("lossless"));
    assert_eq!(refused(&lossless), Quarantine::Unsupported);
    let arithmetic = jpeg_with(&quarters(64, 48), |c| c.set_arithmetic(true).expect("arithmetic"));
    assert_eq!(refused(&arithmetic), Quarantine::Unsupported);
}

#[test]
fn a_jpeg_cut_anywhere_is_truncated() {
    let small = jpeg(&quarters(48, 32));
    for cut in 2..small.len() {
        assert_eq!(refused(&small[..cut]), Quarantine::Truncated, "cut at {cut} of {}", small.len());
    }
    for whole in [with_exif(&jpeg(&photo(900, 600)), 6), progressive(&photo(900, 600))] {
        for part in 1..200 {
            let cut = whole.len() * part / 200;
            assert_eq!(refused(&whole[..cut]), Quarantine::Truncated, "cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn a_cut_hidden_by_a_false_end_is_found_by_the_decoder() {
    for whole in [jpeg(&photo(900, 600)), progressive(&photo(900, 600))] {
        for part in [30, 50, 70, 90, 99] {
            let cut = [&whole[..whole.len() * part / 100], &[0xFF, 0xD9]].concat();
            assert_eq!(refused(&cut), Quarantine::Truncated, "{part} %");
        }
    }
}

#[test]
fn other_formats_cut_short() {
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let whole = written(photo(400, 300), format);
        for part in [20, 40, 60, 80, 95] {
            let cut = &whole[..whole.len() * part / 100];
            assert_eq!(refused(cut), Quarantine::Truncated, "{format:?} at {part} %");
        }
    }
}

#[test]
fn bombs() {
    let png = |width: u32, height: u32| {
        let mut bytes = written(quarters(8, 8), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc32(&bytes[12..29]).to_be_bytes();
        bytes[29..33].copy_from_slice(&sum);
        bytes
    };
    assert_eq!(refused(&png(50_000, 50_000)), Quarantine::Bomb);
    assert_eq!(refused(&png(8_000, 8_000)), Quarantine::Bomb);
    assert_eq!(inspect(&png(50_000, 50_000)), Err(Quarantine::Bomb));
    let mut gif = written(quarters(8, 8), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xFF; 4]);
    assert_eq!(refused(&gif), Quarantine::Bomb);
    // The size of a JPEG lies behind its frame marker: length, precision, height, width.
    let huge = |mut bytes: Vec<u8>, marker: u8| {
        let at = bytes.windows(2).position(|w| w == [0xFF, marker]).expect("a frame") + 5;
        bytes[at..at + 4].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
        bytes
    };
    assert_eq!(refused(&huge(jpeg(&quarters(64, 64)), 0xC0)), Quarantine::Bomb);
    assert_eq!(refused(&huge(progressive(&quarters(64, 64)), 0xC2)), Quarantine::Bomb);
}

#[test]
fn an_honest_picture_over_the_limit_is_too_large() {
    let limits =
        Limits { baseline_pixels: 500_000, progressive_pixels: 100_000, other_pixels: 100_000, ..Limits::default() };
    assert_eq!(derive(&jpeg(&photo(900, 600)), &limits).err(), Some(Quarantine::TooLarge));
    assert_eq!(derive(&progressive(&photo(400, 300)), &limits).err(), Some(Quarantine::TooLarge));
    assert!(derive(&jpeg(&photo(400, 300)), &limits).is_ok());
    assert_eq!(derive(&written(photo(400, 300), ImageFormat::Png), &limits).err(), Some(Quarantine::TooLarge));
}

#[test]
fn too_many_scans() {
    let whole = progressive(&quarters(64, 64));
    assert_eq!(derive(&whole, &Limits { scans: 4, ..Limits::default() }).err(), Some(Quarantine::Bomb));
    // The last scan, again and again.
    let last = whole.windows(2).rposition(|w| w == [0xFF, 0xDA]).expect("a scan");
    let scan = &whole[last..whole.len() - 2];
    let bytes = [&whole[..last], &scan.repeat(500), &[0xFF, 0xD9]].concat();
    assert_eq!(refused(&bytes), Quarantine::Bomb);
}

#[test]
fn each_reason_has_its_code_and_sentence() {
    let all = [
        (Quarantine::NotAPicture, "not_a_picture"),
        (Quarantine::Truncated, "truncated"),
        (Quarantine::TooLarge, "too_large"),
        (Quarantine::Bomb, "bomb"),
        (Quarantine::Unsupported, "unsupported"),
        (Quarantine::Heic, "heic"),
        (Quarantine::Polyglot, "polyglot"),
        (Quarantine::HashMismatch, "hash_mismatch"),
    ];
    for (reason, code) in all {
        assert_eq!(reason.code(), code);
        assert!(reason.to_string().ends_with('.'));
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))))
}
