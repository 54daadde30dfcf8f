//! What a file is and how large, judged by its first bytes and before any pixel is decoded.

use image::ImageFormat;

use crate::derive::FULL;
use crate::markers::{self, Markers};
use crate::{Limits, Quarantine, decode, jpeg, limits, pixels};

/// The picture formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
}

impl Format {
    /// The registered media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// What a header says, within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    pub format: Format,
    /// Pixels as stored, before the EXIF orientation is applied.
    pub width: u32,
    pub height: u32,
    /// Peak memory of [`crate::derive`] in bytes, to hold a permit for.
    pub estimated_bytes: u64,
}

/// Looks at a file with the default [`Limits`].
///
/// # Errors
/// The reason the file will never become a picture here. `Ok` is no promise that it decodes.
pub fn inspect(bytes: &[u8]) -> Result<Picture, Quarantine> {
    inspect_within(bytes, &Limits::default())
}

/// Looks at a file with limits of one's own.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_within(bytes: &[u8], limits: &Limits) -> Result<Picture, Quarantine> {
    look(bytes, limits).map(|(picture, _)| picture)
}

/// The picture, and for a JPEG what its markers say.
pub(crate) fn look(bytes: &[u8], limits: &Limits) -> Result<(Picture, Option<Markers>), Quarantine> {
    match sniff(bytes)? {
        Format::Jpeg => look_at_jpeg(bytes, limits).map(|(p, m)| (p, Some(m))),
        Format::Png => look_at_other(bytes, Format::Png, ImageFormat::Png, limits),
        Format::WebP => look_at_other(bytes, Format::WebP, ImageFormat::WebP, limits),
        Format::Gif => look_at_other(bytes, Format::Gif, ImageFormat::Gif, limits),
    }
}

fn sniff(bytes: &[u8]) -> Result<Format, Quarantine> {
    if bytes.starts_with(&[0xFF, 0xD8]) {
        return Ok(Format::Jpeg);
    }
    let kind = infer::get(bytes).ok_or(Quarantine::NotAPicture)?;
    match kind.mime_type() {
        "image/png" => Ok(Format::Png),
        "image/webp" => Ok(Format::WebP),
        "image/gif" => Ok(Format::Gif),
        _ if kind.matcher_type() == infer::MatcherType::Image => Err(Quarantine::Unsupported),
        _ => Err(Quarantine::NotAPicture),
    }
}

fn look_at_jpeg(bytes: &[u8], limits: &Limits) -> Result<(Picture, Markers), Quarantine> {
    let markers = markers::read(bytes, limits.scans)?;
    let (width, height) = (markers.width, markers.height);
    let most = if markers.buffered { limits.progressive_pixels } else { limits.baseline_pixels };
    limits::check(width, height, bytes.len(), most)?;
    if markers.scans > limits.scans {
        return Err(Quarantine::Bomb);
    }
    if !markers.complete {
        return Err(Quarantine::Truncated);
    }
    let factor = jpeg::scale(width, height, FULL);
    let decoded = factor.scale(width as usize) * factor.scale(height as usize) * 4;
    let kept = if markers.buffered { markers.coefficient_bytes } else { 0 };
    let estimated_bytes = decoded as u64 + kept + working_bytes(width, height);
    Ok((Picture { format: Format::Jpeg, width, height, estimated_bytes }, markers))
}

fn look_at_other(
    bytes: &[u8],
    format: Format,
    kind: ImageFormat,
    limits: &Limits,
) -> Result<(Picture, Option<Markers>), Quarantine> {
    let (width, height, decoded) = decode::header(bytes, kind)?;
    if width == 0 || height == 0 {
        return Err(Quarantine::Unsupported);
    }
    limits::check(width, height, bytes.len(), limits.other_pixels)?;
    // Sixteen-bit and grey pictures are copied once to eight-bit colour.
    let copied = u64::from(width) * u64::from(height) * 4;
    let estimated_bytes = decoded + copied + working_bytes(width, height);
    Ok((Picture { format, width, height, estimated_bytes }, None))
}

/// The full-size derivative: resized, turned upright, its coefficients for optimised tables.
fn working_bytes(width: u32, height: u32) -> u64 {
    let (width, height) = pixels::fitted(width, height, FULL);
    u64::from(width) * u64::from(height) * 4 * 3
}
