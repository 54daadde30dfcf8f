//! When and where a picture was taken, and which way is up, out of its EXIF block.

use std::io::Cursor;
use std::ops::Range;

use exif::{Exif, In, Reader, Tag, Value};

use crate::Format;

/// What EXIF says about the moment of capture. Nothing of it stays in the derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExifFacts {
    /// Milliseconds since 1970. EXIF has no time zone: the camera's local time taken as UTC.
    pub taken_at: Option<i64>,
    /// Degrees, north and east positive; both or neither.
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

/// The facts and the orientation 1–8 (1 when unknown). `tiff` is a JPEG's EXIF block; other
/// formats are searched for one.
pub(crate) fn read(bytes: &[u8], tiff: Option<Range<usize>>, format: Format) -> (ExifFacts, u32) {
    let mut reader = Reader::new();
    // Many phones write one bad field; without this all the others would be lost with it.
    reader.continue_on_error(true);
    let found = match tiff.and_then(|range| bytes.get(range)) {
        Some(block) => reader.read_raw(block.to_vec()),
        None if format == Format::Jpeg => return (ExifFacts::default(), 1),
        None => reader.read_from_container(&mut Cursor::new(bytes)),
    };
    let Ok(exif) = found.or_else(|error| error.distill_partial_result(|_| {})) else {
        return (ExifFacts::default(), 1);
    };
    let orientation = exif
        .get_field(Tag::Orientation, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(1);
    // HEIC's own turn counts, and the decoder has done it.
    #[cfg(feature = "heic")]
    let orientation = if format == Format::Heic { 1 } else { orientation };
    let (lat, lon) = place(&exif).unzip();
    (ExifFacts { taken_at: taken_at(&exif), lat, lon }, orientation)
}

fn taken_at(exif: &Exif) -> Option<i64> {
    [Tag::DateTimeOriginal, Tag::DateTimeDigitized, Tag::DateTime]
        .into_iter()
        .filter_map(|tag| exif.get_field(tag, In::PRIMARY))
        .find_map(|field| match &field.value {
            Value::Ascii(lines) => milliseconds(lines.first()?),
            _ => None,
        })
}

fn milliseconds(text: &[u8]) -> Option<i64> {
    let at = exif::DateTime::from_ascii(text).ok()?;
    let whole =
        (1..=12).contains(&at.month) && (1..=31).contains(&at.day) && at.hour < 24 && at.minute < 60 && at.second <= 60;
    if !whole || at.year < 1970 {
        return None;
    }
    let days = days_since_1970(i64::from(at.year), i64::from(at.month), i64::from(at.day));
    let minutes = (days * 24 + i64::from(at.hour)) * 60 + i64::from(at.minute);
    Some((minutes * 60 + i64::from(at.second)) * 1000)
}

/// Howard Hinnant's `days_from_civil`, for years after 0.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of them.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn place(exif: &Exif) -> Option<(f64, f64)> {
    let lat = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b"S")?;
    let lon = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b"W")?;
    // Cameras without a fix write zeroes.
    let known = lat.abs() <= 90.0 && lon.abs() <= 180.0 && (lat != 0.0 || lon != 0.0);
    known.then_some((lat, lon))
}

fn degrees(exif: &Exif, tag: Tag, side: Tag, negative: &[u8]) -> Option<f64> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else {
        return None;
    };
    let mut angle = 0.0;
    for (part, unit) in parts.iter().zip([1.0, 60.0, 3600.0]) {
        angle += part.to_f64() / unit;
    }
    let Value::Ascii(sides) = &exif.get_field(side, In::PRIMARY)?.value else {
        return None;
    };
    let angle = if sides.first()?.starts_with(negative) { -angle } else { angle };
    angle.is_finite().then_some(angle)
}
