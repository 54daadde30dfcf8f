//! Colour profiles: pictures in other colours than sRGB look the same afterwards, without a profile.

use image::codecs::{png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use kilele_media::{Limits, derive};
use moxcms::{ColorProfile, Layout, TransformOptions};
use turbojpeg::Subsamp;

use crate::pictures::{BLUE, GREEN, RED, WHITE, close, jpeg, jpeg_with, open, quarters, with_segment};

/// An sRGB profile in which red and green are exchanged: whoever ignores it shows it.
fn swapped() -> Vec<u8> {
    let mut profile = ColorProfile::new_srgb();
    (profile.red_colorant, profile.green_colorant) = (profile.green_colorant, profile.red_colorant);
    profile.cicp = None;
    profile.encode().expect("a profile")
}

/// The profile in a JPEG's segments, in `pieces`, the last one first.
fn with_profile(jpeg: &[u8], profile: &[u8], pieces: usize) -> Vec<u8> {
    let mut out = jpeg.to_vec();
    for (number, piece) in (1_u8..).zip(profile.chunks(profile.len().div_ceil(pieces))) {
        let body = [b"ICC_PROFILE\0".as_slice(), &[number, pieces as u8], piece].concat();
        out = with_segment(&out, 0xE2, &body);
    }
    out
}

fn corners(picture: &[u8]) -> [image::Rgb<u8>; 4] {
    let full = open(&derive(picture, &Limits::default()).expect("derived").full);
    let (w, h) = full.dimensions();
    [(w / 4, h / 4), (w * 3 / 4, h / 4), (w / 4, h * 3 / 4), (w * 3 / 4, h * 3 / 4)].map(|(x, y)| *full.get_pixel(x, y))
}

#[track_caller]
fn look(picture: &[u8], colours: [[u8; 3]; 4]) {
    for (found, wanted) in corners(picture).into_iter().zip(colours) {
        assert!(close(found, wanted), "{found:?}, not {wanted:?}");
    }
}

const SWAPPED: [[u8; 3]; 4] = [[30, 200, 30], [180, 30, 40], [50, 30, 200], WHITE];

fn png(picture: &RgbImage, profile: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = PngEncoder::new(&mut out);
    encoder.set_icc_profile(profile).expect("a profile");
    encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).expect("a PNG");
    out
}

#[test]
fn a_profile_is_found_in_every_format() {
    let picture = quarters(320, 240);
    let whole = jpeg_with(&picture, |c| c.set_subsamp(Subsamp::None).expect("subsampling"));
    look(&with_profile(&whole, &swapped(), 1), SWAPPED);
    look(&with_profile(&whole, &swapped(), 3), SWAPPED);
    look(&png(&picture, swapped()), SWAPPED);
    let mut webp = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.set_icc_profile(swapped()).expect("a profile");
    encoder.write_image(&picture, 320, 240, ExtendedColorType::Rgb8).expect("a WebP");
    look(&webp, SWAPPED);
}

#[test]
fn a_wide_gamut_photo_keeps_its_colours() {
    // The same light, said in Display P3 as an iPhone does.
    let (srgb, p3) = (ColorProfile::new_srgb(), ColorProfile::new_display_p3());
    let change = srgb.create_transform_8bit(Layout::Rgb, &p3, Layout::Rgb, TransformOptions::default()).expect("a change");
    let before = quarters(320, 240);
    let mut said = vec![0; before.as_raw().len()];
    change.transform(&before, &mut said).expect("changed");
    let said = RgbImage::from_raw(320, 240, said).expect("rows");
    assert!(said.get_pixel(240, 60).0[0] > GREEN[0] + 40, "the fixture is not in another gamut");
    let profile = p3.encode().expect("a profile");
    look(&with_profile(&jpeg(&said), &profile, 1), [RED, GREEN, BLUE, WHITE]);
    look(&png(&said, profile), [RED, GREEN, BLUE, WHITE]);
}

#[test]
fn srgb_by_name_and_broken_profiles_change_nothing() {
    let plain = jpeg(&quarters(320, 240));
    let without = derive(&plain, &Limits::default()).expect("derived").full;
    let same = ColorProfile::new_srgb().encode().expect("a profile");
    let cut = &same[..same.len() / 2];
    let huge = [swapped(), vec![0; 60_000]].concat();
    let mut missing = with_profile(&plain, &swapped(), 3);
    let second = missing.windows(14).position(|w| w.starts_with(b"ICC_PROFILE\0") && w[12] == 2).expect("a piece");
    missing[second + 12] = 9;
    for bytes in
        [with_profile(&plain, &same, 1), with_profile(&plain, cut, 1), with_profile(&plain, b"no profile", 1), missing]
    {
        assert_eq!(derive(&bytes, &Limits::default()).expect("derived").full, without);
    }
    // Bytes behind a profile's own length are not part of it.
    look(&with_profile(&plain, &huge, 1), SWAPPED);
}

#[test]
fn grey_pictures_follow_a_grey_profile() {
    let grey = image::GrayImage::from_pixel(64, 64, image::Luma([128]));
    let mut out = Vec::new();
    let mut encoder = PngEncoder::new(&mut out);
    encoder.set_icc_profile(ColorProfile::new_gray_with_gamma(1.0).encode().expect("a profile")).expect("set");
    encoder.write_image(&grey, 64, 64, ExtendedColorType::L8).expect("a PNG");
    // Half the light is 188 in sRGB.
    let found = corners(&out)[0];
    assert!(close(found, [188; 3]), "{found:?}");
}

#[test]
fn no_profile_is_left_in_a_derivative() {
    let derived = derive(&with_profile(&jpeg(&quarters(320, 240)), &swapped(), 1), &Limits::default()).expect("derived");
    for bytes in [derived.full, derived.card, derived.thumb] {
        assert!(!bytes.windows(11).any(|w| w == b"ICC_PROFILE"));
    }
}
