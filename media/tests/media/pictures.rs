//! Pictures made in code, so that no test needs a file.
#![allow(dead_code, reason = "the example uses a part")]

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

pub const RED: [u8; 3] = [200, 30, 30];
pub const GREEN: [u8; 3] = [30, 180, 40];
pub const BLUE: [u8; 3] = [30, 50, 200];
pub const WHITE: [u8; 3] = [250, 250, 250];

/// Four coloured quarters: red, green above blue, white.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => WHITE,
        })
    })
}

/// Waves and grain: as hard to compress as a photo.
pub fn photo(width: u32, height: u32) -> RgbImage {
    let mut noise = Noise(7);
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |step: f32, turn: f32| ((x as f32 / step + turn).sin() * (y as f32 / step).cos() * 60.0) as i32;
        let grain = (noise.next() % 24) as i32;
        let value = |base: i32| (base + grain).clamp(0, 255) as u8;
        Rgb([value(120 + wave(37.0, 0.0)), value(110 + wave(53.0, 1.0)), value(90 + wave(91.0, 2.0))])
    })
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    jpeg_with(picture, |_| {})
}

pub fn jpeg_with(picture: &RgbImage, set: impl FnOnce(&mut Compressor)) -> Vec<u8> {
    let mut compressor = Compressor::new().expect("compressor");
    compressor.set_quality(85).expect("quality");
    compressor.set_subsamp(Subsamp::Sub2x2).expect("subsampling");
    set(&mut compressor);
    let width = picture.width() as usize;
    let image = Image {
        pixels: picture.as_raw().as_slice(),
        width,
        pitch: width * 3,
        height: picture.height() as usize,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).expect("jpeg")
}

pub fn progressive(picture: &RgbImage) -> Vec<u8> {
    jpeg_with(picture, |c| c.set_progressive(true).expect("progressive"))
}

pub fn written(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).expect("written");
    out.into_inner()
}

/// A TIFF block with orientation, time, place and words that must not survive.
pub fn exif(orientation: u16) -> Vec<u8> {
    let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
    let text = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
    let angle = |d, m, s| {
        Value::Rational(vec![Rational { num: d, denom: 1 }, Rational { num: m, denom: 1 }, Rational { num: s, denom: 10 }])
    };
    let fields = [
        field(Tag::Orientation, Value::Short(vec![orientation])),
        field(Tag::Make, text("SecretPhoneMaker")),
        field(Tag::DateTimeOriginal, text("2026:03:05 14:30:15")),
        field(Tag::GPSLatitudeRef, text("S")),
        field(Tag::GPSLatitude, angle(1, 17, 240)),
        field(Tag::GPSLongitudeRef, text("E")),
        field(Tag::GPSLongitude, angle(36, 49, 120)),
    ];
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut out = Cursor::new(Vec::new());
    writer.write(&mut out, false).expect("exif");
    out.into_inner()
}

/// The JPEG with a segment of `marker` put behind its first two bytes.
pub fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("segment").to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

pub fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    with_segment(jpeg, 0xE1, &[b"Exif\0\0".as_slice(), &exif(orientation)].concat())
}

pub fn open(jpeg: &[u8]) -> RgbImage {
    let image = turbojpeg::decompress(jpeg, PixelFormat::RGB).expect("a whole JPEG");
    RgbImage::from_raw(image.width as u32, image.height as u32, image.pixels).expect("rows")
}

pub fn close(a: Rgb<u8>, b: [u8; 3]) -> bool {
    a.0.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 24)
}

/// xorshift: the same numbers each time.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
