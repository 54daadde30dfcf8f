//! One upload becomes three clean pictures and what is known about them.

use crate::inspect::look;
use crate::surface::Surface;
use crate::{ExifFacts, Limits, Quarantine, decode, facts, likeness, measure};
use fast_image_resize::Resizer;

/// Long sides of the derivatives in pixels. A smaller picture is never enlarged.
pub const FULL: u32 = 1600;
pub const CARD: u32 = 480;
pub const THUMB: u32 = 160;
/// JPEG qualities of the three: at these none is more than 0.1 of SSIMULACRA2 under the peers at 80 (docs/media.md).
const QUALITY: [u8; 3] = [81, 80, 80];

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
    /// Pixels of the picture that came in, upright.
    pub original: (u32, u32),
    /// ThumbHash in standard base64.
    pub placeholder: String,
    /// To find near duplicates by [`crate::apart`]; none for an even surface.
    pub likeness: Option<u64>,
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
    derive_at(bytes, limits, QUALITY)
}

/// As [`derive`], at other qualities: for the bench, which looks for the best.
///
/// # Errors
/// As [`derive`].
pub fn derive_at(bytes: &[u8], limits: &Limits, quality: [u8; 3]) -> Result<Derived, Quarantine> {
    let (picture, markers) = look(bytes, limits)?;
    let tiff = markers.as_ref().and_then(|m| m.exif.clone());
    let (exif, orientation) = facts::read(bytes, tiff, picture.format);
    let made = match decode::planes(bytes, markers.as_ref(), limits)? {
        Some(planes) => made(planes, orientation, quality)?,
        None => {
            let mut decoded = decode::any(bytes, picture.format, markers.as_ref(), limits)?;
            // Colours cost less to convert when there are fewer of them.
            decoded.pixels = decoded.pixels.fitted(&mut Resizer::new(), FULL)?;
            made(decoded.into_srgb(), orientation, quality)?
        }
    };
    let turned = orientation >= 5;
    let original = if turned { (picture.height, picture.width) } else { (picture.width, picture.height) };
    Ok(Derived { original, exif, ..made })
}

/// The three pictures and the measurements; `original` and `exif` are left to the caller.
fn made(decoded: impl Surface, orientation: u32, quality: [u8; 3]) -> Result<Derived, Quarantine> {
    let mut resizer = Resizer::new();
    let full = decoded.fitted(&mut resizer, FULL)?.upright(orientation);
    let card = full.shrunk(&mut resizer, CARD)?;
    let thumb = card.shrunk(&mut resizer, THUMB)?;
    let (width, height) = full.size();
    let (luma, across, down) = (card.luma(), card.size().0 as usize, card.size().1 as usize);
    let small = thumb.pixels();
    Ok(Derived {
        full: write(&full, quality[0])?,
        card: write(&card, quality[1])?,
        thumb: write(&thumb, quality[2])?,
        width,
        height,
        original: (width, height),
        placeholder: measure::placeholder(&small, &mut resizer)?,
        likeness: likeness::of(&small, &mut resizer)?,
        darkness: measure::darkness(&luma),
        blur: measure::blur(&luma, across, down),
        exif: ExifFacts::default(),
    })
}

/// Encoding what was decoded fails only without memory; the upload is then not to be blamed, but
/// neither can it be shown.
fn write(picture: &impl Surface, quality: u8) -> Result<Vec<u8>, Quarantine> {
    picture.jpeg(quality).ok_or(Quarantine::Unsupported)
}
