//! HEIC, the iPhone's format, in Rust alone (feature `heic`, off by default: HEVC is under patents in some countries).

use heic_decoder::HeifError;

use crate::inspect::working_bytes;
use crate::pixels::Pixels;
use crate::{Format, Limits, Picture, Quarantine, limits};

/// Planes of four bytes a sample, as tiles and put together or filtered, and the colours.
const BYTES_PER_PIXEL: u64 = 24;

pub(crate) fn look(bytes: &[u8], limits: &Limits) -> Result<Picture, Quarantine> {
    if !ends_with_a_box(bytes) {
        return Err(Quarantine::Truncated);
    }
    let info = heic_decoder::probe(bytes).map_err(|error| reason(&error))?;
    let side = |n: usize| u32::try_from(n).map_err(|_| Quarantine::Bomb);
    let (width, height) = (side(info.width)?, side(info.height)?);
    let coded = info.coded_width as u64 * info.coded_height as u64;
    if width == 0 || height == 0 || coded > limits.other_pixels {
        return Err(if coded == 0 { Quarantine::Unsupported } else { Quarantine::TooLarge });
    }
    limits::check(width, height, bytes.len(), limits.other_pixels)?;
    let estimated_bytes = coded * BYTES_PER_PIXEL + working_bytes(width, height, 3);
    Ok(Picture { format: Format::Heic, width, height, estimated_bytes })
}

/// The file is boxes from its first byte to its last (ISO 14496-12, 4.2): nothing is cut off, and nothing hangs behind.
fn ends_with_a_box(mut bytes: &[u8]) -> bool {
    while let Some((&[a, b, c, d, ..], _)) = bytes.split_first_chunk::<8>() {
        let size = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => return true,
            1 => match bytes.get(8..16).and_then(|long| long.try_into().ok()).map(u64::from_be_bytes) {
                Some(long) if long >= 16 => long,
                _ => return false,
            },
            short => short.into(),
        };
        match usize::try_from(size).ok().filter(|size| *size >= 8).and_then(|size| bytes.get(size..)) {
            Some(rest) => bytes = rest,
            None => return false,
        }
    }
    bytes.is_empty()
}

/// Upright pixels and the colour profile.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Pixels, Option<Vec<u8>>), Quarantine> {
    let image = heic_decoder::decode(bytes).map_err(|error| reason(&error))?;
    let colours = image.to_rgb8().map_err(|error| reason(&error))?;
    let (width, height) = (image.width as u32, image.height as u32);
    Ok((Pixels { width, height, channels: 3, data: colours.data }, image.metadata.icc_profile))
}

fn reason(error: &HeifError) -> Quarantine {
    match error {
        HeifError::Unsupported(_) => Quarantine::Unsupported,
        _ => Quarantine::Truncated,
    }
}
