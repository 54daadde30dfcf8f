//! Decodes PNG, WebP and GIF (first frame) within a memory limit.

use std::io::{Cursor, ErrorKind};

use image::error::{ImageError, LimitErrorKind};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::pixels::Pixels;
use crate::{Limits, Quarantine};

/// Width, height and the bytes a decode takes, from the header alone.
pub(crate) fn header(bytes: &[u8], format: ImageFormat) -> Result<(u32, u32, u64), Quarantine> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // Sizes are judged by the caller, who can tell a bomb from a large picture.
    reader.no_limits();
    let decoder = reader.into_decoder().map_err(|error| reason(&error))?;
    let (width, height) = decoder.dimensions();
    Ok((width, height, decoder.total_bytes()))
}

/// Pixels at full size, transparency laid on white.
pub(crate) fn pixels(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<Pixels, Quarantine> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = image::Limits::default();
    allowed.max_alloc = Some(limits.decoder_bytes);
    reader.limits(allowed);
    let image = reader.decode().map_err(|error| reason(&error))?;
    let (width, height) = (image.width(), image.height());
    let (channels, data) = match image {
        // The two common shapes are used where they lie: no second copy of a large picture.
        DynamicImage::ImageRgb8(rgb) => (3, rgb.into_raw()),
        DynamicImage::ImageRgba8(rgba) => (4, rgba.into_raw()),
        other if other.color().has_alpha() => (4, other.into_rgba8().into_raw()),
        other => (3, other.into_rgb8().into_raw()),
    };
    Ok(Pixels { width, height, channels, data }.on_white())
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
