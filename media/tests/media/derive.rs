//! What comes out of a good picture.

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use image::{ImageFormat, Rgba, RgbaImage};
use kilele_media::{Format, Limits, derive, inspect};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::pictures::{
    BLUE, GREEN, RED, WHITE, close, jpeg, jpeg_with, open, photo, progressive, quarters, with_exif, with_segment, written,
};

fn sizes(derived: &kilele_media::Derived) -> [(u32, u32); 3] {
    [&derived.full, &derived.card, &derived.thumb].map(|bytes| open(bytes).dimensions())
}

#[test]
fn a_large_photo_becomes_three_sizes() {
    let derived = derive(&jpeg(&photo(3000, 2000)), &Limits::default()).expect("derived");
    assert_eq!(sizes(&derived), [(1600, 1067), (480, 320), (160, 107)]);
    assert_eq!((derived.width, derived.height), (1600, 1067));
    assert!((20..=40).contains(&derived.placeholder.len()), "{}", derived.placeholder);
}

/// The bodies of all segments of this kind before the pixels.
fn segments(jpeg: &[u8], marker: u8) -> Vec<&[u8]> {
    let (mut found, mut at) = (Vec::new(), 2);
    while jpeg[at + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] == marker {
            found.push(&jpeg[at + 4..at + 2 + length]);
        }
        at += 2 + length;
    }
    found
}

/// As planes (even sizes) and as pixels: colours at half the size, and tables of codes made for this picture.
#[test]
fn all_three_are_written_with_halved_colours_and_their_own_codes() {
    const DHT: u8 = 0xC4;
    let plain = jpeg(&photo(64, 64));
    for size in [(2000, 1500), (1999, 1333)] {
        let derived = derive(&jpeg(&photo(size.0, size.1)), &Limits::default()).expect("derived");
        for bytes in [&derived.full, &derived.card, &derived.thumb] {
            // Baseline: precision, height, width, three components, each with its number, sampling and table.
            let frame = segments(bytes, 0xC0);
            assert_eq!(frame.len(), 1);
            assert_eq!([7, 10, 13].map(|at| frame[0][at]), [0x22, 0x11, 0x11], "{size:?}");
            let tables = segments(bytes, DHT).concat();
            assert!(tables != segments(&plain, DHT).concat(), "{size:?}: the tables of Annex K");
        }
    }
}

#[test]
fn the_placeholder_has_the_colours_of_the_picture() {
    let derived = derive(&jpeg(&quarters(320, 240)), &Limits::default()).expect("derived");
    let hash = STANDARD.decode(derived.placeholder).expect("base64");
    let (w, h, rgba) = thumbhash::thumb_hash_to_rgba(&hash).expect("a ThumbHash");
    for ((x, y), colour) in [(1, 1), (3, 1), (1, 3), (3, 3)].into_iter().zip([RED, GREEN, BLUE, WHITE]) {
        let at = (h * y / 4 * w + w * x / 4) * 4;
        // A blur of some two dozen waves: the strongest channel is the right one, and white is the lightest.
        let found = [rgba[at], rgba[at + 1], rgba[at + 2]];
        for (a, b) in found.into_iter().zip(colour) {
            assert!(a.abs_diff(b) < 90, "{found:?} for {colour:?}");
        }
    }
}

#[test]
fn a_small_picture_is_never_enlarged() {
    let derived = derive(&jpeg(&quarters(120, 90)), &Limits::default()).expect("derived");
    assert_eq!(sizes(&derived), [(120, 90); 3]);
    let dot = derive(&jpeg(&quarters(1, 1)), &Limits::default()).expect("derived");
    assert_eq!(sizes(&dot), [(1, 1); 3]);
    let dot = derive(&written(quarters(1, 1), ImageFormat::Png), &Limits::default()).expect("derived");
    assert_eq!(sizes(&dot), [(1, 1); 3]);
}

#[test]
fn a_strip_keeps_its_short_side() {
    let derived = derive(&jpeg(&quarters(5000, 1)), &Limits::default()).expect("derived");
    assert_eq!(sizes(&derived), [(1600, 1), (480, 1), (160, 1)]);
}

#[test]
fn every_orientation_reads_upright() {
    // Colours of the upright corners, clockwise from top left, by EXIF's definition of each value.
    let upright = [
        [RED, GREEN, WHITE, BLUE],
        [GREEN, RED, BLUE, WHITE],
        [WHITE, BLUE, RED, GREEN],
        [BLUE, WHITE, GREEN, RED],
        [RED, BLUE, WHITE, GREEN],
        [BLUE, RED, GREEN, WHITE],
        [WHITE, GREEN, RED, BLUE],
        [GREEN, WHITE, BLUE, RED],
    ];
    let stored = jpeg(&quarters(320, 240));
    for (orientation, corners) in (1..).zip(upright) {
        let derived = derive(&with_exif(&stored, orientation), &Limits::default()).expect("derived");
        let full = open(&derived.full);
        let (w, h) = full.dimensions();
        assert_eq!((w, h), if orientation < 5 { (320, 240) } else { (240, 320) }, "orientation {orientation}");
        assert_eq!((derived.width, derived.height), (w, h));
        let places = [(w / 4, h / 4), (w * 3 / 4, h / 4), (w * 3 / 4, h * 3 / 4), (w / 4, h * 3 / 4)];
        for ((x, y), colour) in places.into_iter().zip(corners) {
            let found = *full.get_pixel(x, y);
            assert!(close(found, colour), "orientation {orientation} at {x},{y}: {found:?}, not {colour:?}");
        }
    }
}

#[test]
fn metadata_is_read_and_then_gone() {
    let tagged = with_exif(&jpeg(&photo(800, 600)), 6);
    let tagged = with_segment(&tagged, 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SecretXmp</x:xmpmeta>");
    let tagged = with_segment(&tagged, 0xFE, b"SecretComment");
    let derived = derive(&tagged, &Limits::default()).expect("derived");
    assert_eq!(derived.exif.taken_at, Some(1_772_721_015_000));
    let (lat, lon) = (derived.exif.lat.expect("lat"), derived.exif.lon.expect("lon"));
    assert!((lat + 1.29).abs() < 1e-6 && (lon - 36.82).abs() < 1e-6, "{lat}, {lon}");
    for bytes in [&derived.full, &derived.card, &derived.thumb] {
        for word in ["Exif", "Secret", "xap", "2026:03:05"] {
            assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} survived");
        }
        for marker in 0xE1..=0xFE_u8 {
            let head = &bytes[..600.min(bytes.len())];
            assert!(!head.windows(2).any(|w| w == [0xFF, marker]), "segment {marker:x} survived");
        }
    }
}

#[test]
fn one_bad_exif_field_does_not_lose_the_orientation() {
    let mut tagged = with_exif(&jpeg(&quarters(320, 240)), 6);
    let make = tagged.windows(4).position(|w| w == [0x01, 0x0F, 0x00, 0x02]).expect("the maker's field");
    // Its value is said to lie far behind the end.
    tagged[make + 4..make + 12].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0x7F, 0, 0, 0]);
    let derived = derive(&tagged, &Limits::default()).expect("derived");
    assert_eq!((derived.width, derived.height), (240, 320));
}

#[test]
fn all_kinds_of_jpeg_are_decoded() {
    let picture = quarters(2400, 1800);
    let corner = |bytes: &[u8]| *open(&derive(bytes, &Limits::default()).expect("derived").full).get_pixel(100, 100);
    assert!(close(corner(&progressive(&picture)), RED));
    for sampling in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub1x2, Subsamp::Sub4x1] {
        let bytes = jpeg_with(&picture, |c| c.set_subsamp(sampling).expect("subsampling"));
        assert!(close(corner(&bytes), RED), "{sampling:?}");
    }
    let grey = jpeg_with(&picture, |c| c.set_subsamp(Subsamp::Gray).expect("grey"));
    let luma = (f32::from(RED[0]) * 0.299 + f32::from(RED[1]) * 0.587 + f32::from(RED[2]) * 0.114) as u8;
    assert!(close(corner(&grey), [luma; 3]));
}

#[test]
fn four_inks_become_three_lights() {
    let (width, height) = (640, 480);
    // Stored inverted as Adobe does: full red light, no green or blue, no black ink.
    let pixels = [255_u8, 20, 20, 255].repeat(width * height);
    let image = Image { pixels: pixels.as_slice(), width, pitch: width * 4, height, format: PixelFormat::CMYK };
    let mut compressor = Compressor::new().expect("compressor");
    compressor.set_colorspace(turbojpeg::Colorspace::CMYK).expect("CMYK");
    let bytes = compressor.compress_to_vec(image).expect("jpeg");
    let derived = derive(&bytes, &Limits::default()).expect("derived");
    let found = *open(&derived.full).get_pixel(50, 50);
    assert!(close(found, [255, 20, 20]), "{found:?}");
}

#[test]
fn other_formats_are_decoded_and_laid_on_white() {
    let half =
        RgbaImage::from_fn(2000, 1000, |x, _| if x < 1000 { Rgba([200, 30, 30, 255]) } else { Rgba([200, 30, 30, 0]) });
    for (format, known) in
        [(ImageFormat::Png, Format::Png), (ImageFormat::WebP, Format::WebP), (ImageFormat::Gif, Format::Gif)]
    {
        let bytes = written(half.clone(), format);
        assert_eq!(inspect(&bytes).expect("a picture").format, known);
        let derived = derive(&bytes, &Limits::default()).expect("derived");
        assert_eq!(sizes(&derived), [(1600, 800), (480, 240), (160, 80)], "{format:?}");
        let full = open(&derived.full);
        assert!(close(*full.get_pixel(100, 100), RED), "{format:?}");
        assert!(close(*full.get_pixel(1500, 100), [255; 3]), "{format:?}");
    }
    let deep = image::DynamicImage::ImageRgb8(quarters(300, 200)).into_rgb16();
    let derived = derive(&written(deep, ImageFormat::Png), &Limits::default()).expect("derived");
    assert!(close(*open(&derived.full).get_pixel(20, 20), RED));
    let grey = image::DynamicImage::ImageRgb8(quarters(300, 200)).into_luma8();
    assert!(derive(&written(grey, ImageFormat::Png), &Limits::default()).is_ok());
}

#[test]
fn of_an_animation_the_first_frame_is_the_picture() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in [RED, BLUE, GREEN] {
        let frame = RgbaImage::from_pixel(300, 200, Rgba([colour[0], colour[1], colour[2], 255]));
        encoder.encode_frame(image::Frame::new(frame)).expect("frame");
    }
    drop(encoder);
    let derived = derive(&bytes, &Limits::default()).expect("derived");
    assert_eq!(sizes(&derived), [(300, 200), (300, 200), (160, 107)]);
    let found = *open(&derived.full).get_pixel(150, 100);
    assert!(close(found, RED), "{found:?}");
}

#[test]
fn a_film_behind_the_picture_is_dropped() {
    let mut moving = jpeg(&quarters(300, 200));
    moving.extend_from_slice(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom and the film");
    let derived = derive(&moving, &Limits::default()).expect("derived");
    assert!(!derived.full.windows(4).any(|w| w == b"ftyp"));
}

#[test]
fn the_size_that_came_in_is_known() {
    let derived = derive(&with_exif(&jpeg(&photo(2000, 1000)), 6), &Limits::default()).expect("derived");
    assert_eq!((derived.original, derived.width, derived.height), ((1000, 2000), 800, 1600));
}

#[test]
fn dark_and_blurred_pictures_are_told_from_good_ones() {
    let numbers = |picture: &image::RgbImage| {
        let derived = derive(&jpeg(picture), &Limits::default()).expect("derived");
        (derived.darkness, derived.blur)
    };
    let flat = |v: u8| image::RgbImage::from_pixel(600, 400, image::Rgb([v; 3]));
    assert!(numbers(&flat(0)).0 > 0.99 && numbers(&flat(255)).0 < 0.01);
    let checks = image::RgbImage::from_fn(480, 320, |x, y| image::Rgb([if (x / 8 + y / 8) % 2 == 0 { 40 } else { 210 }; 3]));
    let soft = image::imageops::blur(&checks, 6.0);
    assert!(numbers(&checks).1 > 20.0 * numbers(&soft).1, "{} and {}", numbers(&checks).1, numbers(&soft).1);
}

#[test]
fn the_estimate_is_small_for_a_phone_photo() {
    let bytes = jpeg(&quarters(4000, 3000));
    let picture = inspect(&bytes).expect("a picture");
    assert_eq!((picture.width, picture.height), (4000, 3000));
    // Without libjpeg-turbo every photo is decoded at full size.
    let most = if cfg!(feature = "turbojpeg") { 48 << 20 } else { 56 << 20 };
    assert!(picture.estimated_bytes < most, "{}", picture.estimated_bytes);
    let slow = inspect(&progressive(&quarters(4000, 3000))).expect("a picture");
    assert!(slow.estimated_bytes > picture.estimated_bytes + (30 << 20), "{}", slow.estimated_bytes);
}
