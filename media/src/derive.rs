//! One upload becomes three clean pictures and what is known about them.

use fast_image_resize::Resizer;
use image::ImageFormat;

use crate::inspect::look;
use crate::pixels::Pixels;
use crate::{ExifFacts, Format, Limits, Quarantine, decode, encode, facts, jpeg, measure};

/// Long sides of the derivatives in pixels. A smaller picture is never enlarged.
pub const FULL: u32 = 1600;
pub const CARD: u32 = 480;
pub const THUMB: u32 = 160;

/// Upright JPEGs without metadata, and measurements.
#[derive(Clone, Debug)]
pub struct Derived {
    /// JPEG bytes, long side at most [`FULL`], [`CARD`] and [`THUMB`].
    pub full: Vec<u8>,
    pub card: Vec<u8>,
    pub thumb: Vec<u8>,
    /// Pixels of `full`, upright.
    pub width: u32,
    pub height: u32,
    /// ThumbHash in standard base64.
    pub placeholder: String,
    /// 0 for a white picture, 1 for a black one (1 − mean luma of the card).
    pub darkness: f32,
    /// Variance of the Laplacian on the card; under about 100 a photo looks blurred.
    pub blur: f32,
    pub exif: ExifFacts,
}

/// Decodes, turns upright, strips and shrinks a picture. Takes tens of milliseconds of CPU.
///
/// # Errors
/// The reason to set the upload aside. A picture that is cut short never yields `Ok`.
pub fn derive(bytes: &[u8], limits: &Limits) -> Result<Derived, Quarantine> {
    let (picture, markers) = look(bytes, limits)?;
    let tiff = markers.as_ref().and_then(|m| m.exif.clone());
    let (exif, orientation) = facts::read(bytes, tiff, picture.format == Format::Jpeg);
    let decoded = match (&markers, picture.format) {
        (Some(markers), _) => jpeg::decode(bytes, markers, FULL, limits.scans)?,
        (None, Format::WebP) => decode::pixels(bytes, ImageFormat::WebP, limits)?,
        (None, Format::Gif) => decode::pixels(bytes, ImageFormat::Gif, limits)?,
        (None, _) => decode::pixels(bytes, ImageFormat::Png, limits)?,
    };
    let mut resizer = Resizer::new();
    let full = fit(decoded, &mut resizer)?.upright(orientation);
    let card = full.shrunk(&mut resizer, CARD)?;
    let thumb = card.shrunk(&mut resizer, THUMB)?;
    let luma = measure::luma(&card);
    Ok(Derived {
        full: write(&full, 82)?,
        card: write(&card, 80)?,
        thumb: write(&thumb, 76)?,
        width: full.width,
        height: full.height,
        placeholder: measure::placeholder(&thumb, &mut resizer)?,
        darkness: measure::darkness(&luma),
        blur: measure::blur(&luma, card.width as usize, card.height as usize),
        exif,
    })
}

/// Shrinks to [`FULL`], keeping a picture that fits where it lies.
fn fit(decoded: Pixels, resizer: &mut Resizer) -> Result<Pixels, Quarantine> {
    if decoded.width.max(decoded.height) <= FULL {
        return Ok(decoded);
    }
    decoded.shrunk(resizer, FULL)
}

/// Encoding what was decoded fails only without memory; the upload is then not to be blamed, but
/// neither can it be shown.
fn write(pixels: &Pixels, quality: i32) -> Result<Vec<u8>, Quarantine> {
    encode::jpeg(pixels, quality).map_err(|_| Quarantine::Unsupported)
}
