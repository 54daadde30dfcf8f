//! What a file is and how large, judged by its first bytes and before any pixel is decoded.

use image::ImageFormat;

use crate::derive::FULL;
use crate::markers::{self, Markers};
use crate::{Limits, Quarantine, decode, jpeg, limits, pixels, polyglot};

/// The picture formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    #[cfg(feature = "heic")]
    Heic,
}

impl Format {
    /// The registered media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            #[cfg(feature = "heic")]
            Self::Heic => "image/heic",
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
    let (picture, markers) = match sniff(bytes)? {
        Format::Jpeg => look_at_jpeg(bytes, limits).map(|(p, m)| (p, Some(m))),
        Format::Png => look_at_other(bytes, Format::Png, ImageFormat::Png, limits).map(|p| (p, None)),
        Format::WebP => look_at_other(bytes, Format::WebP, ImageFormat::WebP, limits).map(|p| (p, None)),
        Format::Gif => look_at_other(bytes, Format::Gif, ImageFormat::Gif, limits).map(|p| (p, None)),
        #[cfg(feature = "heic")]
        Format::Heic => crate::heic::look(bytes, limits).map(|p| (p, None)),
    }?;
    if picture.estimated_bytes > limits.peak_bytes {
        return Err(Quarantine::TooLarge);
    }
    Ok((picture, markers))
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
        #[cfg(feature = "heic")]
        "image/heif" => Ok(Format::Heic),
        #[cfg(not(feature = "heic"))]
        "image/heif" => Err(Quarantine::Heic),
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
    if markers.end.is_none() {
        return Err(Quarantine::Truncated);
    }
    if polyglot::carries_more(bytes, markers.end, markers.comments.iter().filter_map(|c| bytes.get(c.clone()))) {
        return Err(Quarantine::Polyglot);
    }
    let denominator = jpeg::scale(width, height, FULL);
    let (across, down) = (jpeg::scaled(width, denominator), jpeg::scaled(height, denominator));
    let decoded = u64::from(across) * u64::from(down) * u64::from(markers.components.max(3));
    let kept = if markers.buffered { markers.coefficient_bytes } else { 0 };
    let copied = if markers.is_odd() { bytes.len() as u64 } else { 0 };
    let estimated_bytes = decoded + kept + copied + working_bytes(width, height, markers.components.max(3));
    Ok((Picture { format: Format::Jpeg, width, height, estimated_bytes }, markers))
}

fn look_at_other(bytes: &[u8], format: Format, kind: ImageFormat, limits: &Limits) -> Result<Picture, Quarantine> {
    let (width, height, decoded) = decode::header(bytes, kind, limits)?;
    if width == 0 || height == 0 {
        return Err(Quarantine::Unsupported);
    }
    limits::check(width, height, bytes.len(), limits.other_pixels)?;
    let end = (format != Format::Gif).then(|| polyglot::end_of(bytes, format == Format::Png)).flatten();
    // A decoder that has all rows asks for no more; without its last chunk the file was cut all the same.
    if format != Format::Gif && end.is_none_or(|end| end > bytes.len()) {
        return Err(Quarantine::Truncated);
    }
    if polyglot::carries_more(bytes, end, std::iter::empty()) {
        return Err(Quarantine::Polyglot);
    }
    let estimated_bytes = decoded + working_bytes(width, height, 4);
    Ok(Picture { format, width, height, estimated_bytes })
}

/// Besides the decoded pixels: the full-size derivative, resized and then turned upright, the resizer's columns, the
/// encoder's rows and coefficients, and the decoders' own tables.
pub(crate) fn working_bytes(width: u32, height: u32, channels: u8) -> u64 {
    let (across, down) = pixels::fitted(width, height, FULL);
    let full = u64::from(across) * u64::from(down);
    full * u64::from(channels) * 2 + full * 3 + (2 << 20)
}
