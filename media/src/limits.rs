//! How much picture the server is willing to decode.

use crate::Quarantine;

/// Ceilings that are checked on the header, before a pixel is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of a single-scan JPEG, which is decoded in a window of a few rows.
    pub baseline_pixels: u64,
    /// Pixels of a JPEG in several scans: all its coefficients are in memory at once.
    pub progressive_pixels: u64,
    /// Pixels of a PNG, WebP or GIF, which are decoded at full size.
    pub other_pixels: u64,
    /// Scans of a JPEG. Encoders write about 10; each one costs a pass over the whole picture.
    pub scans: u32,
    /// Bytes the PNG, WebP or GIF decoder may allocate.
    pub decoder_bytes: u64,
    /// Bytes one picture may take in all ([`crate::Picture::estimated_bytes`]).
    pub peak_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Without libjpeg-turbo every photo is decoded at full size.
            baseline_pixels: if cfg!(feature = "turbojpeg") { 120_000_000 } else { 40_000_000 },
            progressive_pixels: 30_000_000,
            other_pixels: 50_000_000,
            scans: 40,
            decoder_bytes: 160 << 20,
            // The decoder of HEIC takes ten times the memory of the others: twelve megapixels just fit.
            peak_bytes: if cfg!(feature = "heic") { 320 << 20 } else { 160 << 20 },
        }
    }
}

/// Real photos spend more than a byte on 20 pixels; flat drawings rarely less than one on 100.
const PIXELS_PER_BYTE: u64 = 100;

/// Passes a picture of `width` × `height` in `bytes` bytes, or says which kind of too big it is.
pub(crate) fn check(width: u32, height: u32, bytes: usize, most: u64) -> Result<(), Quarantine> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= most {
        Ok(())
    } else if pixels > bytes as u64 * PIXELS_PER_BYTE {
        Err(Quarantine::Bomb)
    } else {
        Err(Quarantine::TooLarge)
    }
}
