//! Pixels of any format within the limits, and the colour profile that explains them.

use std::io::{Cursor, ErrorKind};

use image::error::{ImageError, LimitErrorKind};
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::inspect::Format;
use crate::markers::Markers;
use crate::pixels::Pixels;
#[cfg(feature = "turbojpeg")]
use crate::planes::Planes;
use crate::{Limits, Quarantine, colours, derive, jpeg};

/// What was decoded, not yet in sRGB.
pub(crate) struct Decoded {
    pub pixels: Pixels,
    profile: Option<Vec<u8>>,
    /// The four channels are inks; `true`: stored inverted.
    inks: Option<bool>,
}

impl Decoded {
    /// The pixels in sRGB. Cheaper after shrinking.
    pub fn into_srgb(self) -> Pixels {
        let Self { mut pixels, profile, inks } = self;
        match (inks, profile) {
            (Some(inverted), profile) => colours::inks_to_srgb(&mut pixels, inverted, profile.as_deref()),
            (None, Some(profile)) => colours::to_srgb(&mut pixels, &profile),
            (None, None) => {}
        }
        pixels
    }
}

/// Decodes what [`crate::inspect`] found, a JPEG at a reduced size.
pub(crate) fn any(bytes: &[u8], format: Format, markers: Option<&Markers>, limits: &Limits) -> Result<Decoded, Quarantine> {
    match (format, markers) {
        (Format::Jpeg, Some(markers)) => {
            let pixels = jpeg::decode(bytes, markers, derive::FULL, limits.scans)?;
            let inks = (markers.components == 4).then_some(markers.adobe);
            Ok(Decoded { pixels, profile: markers.profile(bytes), inks })
        }
        #[cfg(feature = "heic")]
        (Format::Heic, _) => crate::heic::decode(bytes).map(|(pixels, profile)| Decoded { pixels, profile, inks: None }),
        (Format::Png, _) => pixels(bytes, ImageFormat::Png, limits),
        (Format::WebP, _) => pixels(bytes, ImageFormat::WebP, limits),
        (Format::Gif, _) => pixels(bytes, ImageFormat::Gif, limits),
        _ => Err(Quarantine::Unsupported),
    }
}

/// The planes of a JPEG at a reduced size, where nothing needs its pixels: in sRGB already, and of even size.
#[cfg(feature = "turbojpeg")]
pub(crate) fn planes(bytes: &[u8], markers: Option<&Markers>, limits: &Limits) -> Result<Option<Planes>, Quarantine> {
    match markers {
        Some(markers)
            if markers.components == 3 && !markers.profile(bytes).is_some_and(|profile| colours::moved_by(&profile)) =>
        {
            jpeg::decode_planes(bytes, markers, derive::FULL, limits.scans)
        }
        _ => Ok(None),
    }
}

/// The decoder in Rust alone gives pixels only.
#[cfg(not(feature = "turbojpeg"))]
pub(crate) fn planes(_: &[u8], _: Option<&Markers>, _: &Limits) -> Result<Option<Pixels>, Quarantine> {
    Ok(None)
}

/// Width, height, and the bytes that decoding to eight-bit colour takes, from the header alone.
pub(crate) fn header(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<(u32, u32, u64), Quarantine> {
    // Sizes are judged by the caller, who can tell a bomb from a large picture; memory here, for a packed profile or
    // text in front of the pixels may swell to anything.
    let decoder = reader(bytes, format, limits).into_decoder().map_err(|error| reason(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    // Lossy WebP and every GIF are kept in another form until the last row.
    let beside = match format {
        ImageFormat::WebP => 4 * pixels,
        ImageFormat::Gif => 4 * pixels,
        _ => 0,
    };
    let copied = match decoder.color_type() {
        ColorType::Rgb8 | ColorType::Rgba8 => 0,
        _ => 4 * pixels,
    };
    Ok((width, height, decoder.total_bytes().saturating_add(beside).saturating_add(copied)))
}

/// Pixels at full size, transparency laid on white.
fn pixels(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<Decoded, Quarantine> {
    let mut decoder = reader(bytes, format, limits).into_decoder().map_err(|error| reason(&error))?;
    let mut allowed = allowed(limits);
    allowed.reserve(decoder.total_bytes()).map_err(|error| reason(&error))?;
    decoder.set_limits(allowed).map_err(|error| reason(&error))?;
    let profile = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
    let (width, height) = (image.width(), image.height());
    let (channels, data) = match image {
        // The two common shapes are used where they lie: no second copy of a large picture.
        DynamicImage::ImageRgb8(rgb) => (3, rgb.into_raw()),
        DynamicImage::ImageRgba8(rgba) => (4, rgba.into_raw()),
        other if other.color().has_alpha() => (4, other.into_rgba8().into_raw()),
        other => (3, other.into_rgb8().into_raw()),
    };
    Ok(Decoded { pixels: Pixels { width, height, channels, data }.on_white(), profile, inks: None })
}

fn allowed(limits: &Limits) -> image::Limits {
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.decoder_bytes);
    allowed
}

/// Bytes for the rows and chunks of a PNG, beside its pixels: a profile or text that unpacks to more is passed over.
const PNG_CHUNKS: u64 = 8 << 20;

fn reader<'a>(bytes: &'a [u8], format: ImageFormat, limits: &Limits) -> ImageReader<Cursor<&'a [u8]>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = allowed(limits);
    if format == ImageFormat::Png {
        allowed.max_alloc = allowed.max_alloc.map(|most| most.min(PNG_CHUNKS));
    }
    reader.limits(allowed);
    reader
}

fn reason(error: &ImageError) -> Quarantine {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::InsufficientMemory => Quarantine::TooLarge,
            _ => Quarantine::Bomb,
        },
        ImageError::Unsupported(_) => Quarantine::Unsupported,
        ImageError::IoError(error) if error.kind() != ErrorKind::UnexpectedEof => Quarantine::Unsupported,
        _ => Quarantine::Truncated,
    }
}
