//! JPEG by libjpeg-turbo: it shrinks in the DCT, so most of a large photo is never computed.

use turbojpeg::{Colorspace, Compressor, Decompressor, Error, Image, PixelFormat, ScalingFactor, Subsamp, YuvImage};

use super::scaled;
use crate::Quarantine;
use crate::markers::Markers;
use crate::pixels::Pixels;
use crate::planes::{self, Planes};

/// Denominators the DCT shrinks by in vector code; those between save pixels but cost more time.
const DENOMINATORS: [u32; 4] = [8, 4, 2, 1];

/// What to decode `width` × `height` at: the most shrinking that leaves `long` pixels on the long side.
pub(crate) fn scale(width: u32, height: u32, long: u32) -> u32 {
    let side = width.max(height);
    DENOMINATORS.into_iter().find(|denominator| scaled(side, *denominator) >= long).unwrap_or(1)
}

/// Pixels of a JPEG, shrunk while decoding to no less than `long` on the long side. Four components stay inks.
pub(crate) fn decode(bytes: &[u8], markers: &Markers, long: u32, most_scans: u32) -> Result<Pixels, Quarantine> {
    let denominator = scale(markers.width, markers.height, long);
    let (width, height) = (scaled(markers.width, denominator), scaled(markers.height, denominator));
    let format = if markers.components == 4 { PixelFormat::CMYK } else { PixelFormat::RGB };
    let (channels, pitch) = (format.size(), width as usize * format.size());
    let mut data = vec![0; pitch * height as usize];
    let image = Image { pixels: data.as_mut_slice(), width: width as usize, pitch, height: height as usize, format };
    judged(decompressor(denominator, most_scans)?.decompress(&markers.tidied(bytes), image))?;
    Ok(Pixels { width, height, channels, data })
}

/// As [`decode`], without turning brightness and colours into pixels; none for a JPEG that holds others, or of an odd size.
pub(crate) fn decode_planes(
    bytes: &[u8],
    markers: &Markers,
    long: u32,
    most_scans: u32,
) -> Result<Option<Planes>, Quarantine> {
    let tidied = markers.tidied(bytes);
    let denominator = scale(markers.width, markers.height, long);
    let mut decompressor = decompressor(denominator, most_scans)?;
    let header = decompressor.read_header(&tidied).map_err(|error| reason(&error))?;
    let shared = match header.subsamp {
        Subsamp::None => (1, 1),
        Subsamp::Sub2x1 => (2, 1),
        Subsamp::Sub1x2 => (1, 2),
        Subsamp::Sub2x2 => (2, 2),
        _ => return Ok(None),
    };
    let (width, height) = (scaled(markers.width, denominator), scaled(markers.height, denominator));
    if header.colorspace != Colorspace::YCbCr || !planes::fits(width, height) {
        return Ok(None);
    }
    let mut data = vec![0; planes::room(width, height, shared)];
    let image = YuvImage {
        pixels: data.as_mut_slice(),
        width: width as usize,
        align: 1,
        height: height as usize,
        subsamp: header.subsamp,
    };
    judged(decompressor.decompress_to_yuv(&tidied, image))?;
    Ok(Some(Planes { width, height, shared, data }))
}

fn decompressor(denominator: u32, most_scans: u32) -> Result<Decompressor, Quarantine> {
    let mut decompressor = Decompressor::new().map_err(|_| Quarantine::Unsupported)?;
    let factor = ScalingFactor::new(1, denominator as usize);
    decompressor.set_scaling_factor(factor).map_err(|_| Quarantine::Unsupported)?;
    decompressor.set_scan_limit(most_scans).map_err(|_| Quarantine::Unsupported)?;
    Ok(decompressor)
}

fn judged(outcome: Result<(), Error>) -> Result<(), Quarantine> {
    match outcome {
        Err(Error::TurboJpegError(message)) if is_harmless(&message) => Ok(()),
        Err(error) => Err(reason(&error)),
        Ok(()) => Ok(()),
    }
}

/// The one warning that leaves every pixel right: bytes between the last row and the end. Only the first warning is told,
/// and none can follow this one; other harmless ones are seen to in [`Markers::tidied`].
fn is_harmless(message: &str) -> bool {
    message.contains("extraneous bytes before marker") && message.ends_with("0xd9")
}

/// The decoder has no codes on this side of its interface, only its sentences.
fn reason(error: &Error) -> Quarantine {
    let message = error.to_string();
    let says = |word: &str| message.contains(word);
    if says("more than") && says("scans") {
        Quarantine::Bomb
    } else if says("nsupported") || says("not implemented") || says("not supported") {
        Quarantine::Unsupported
    } else {
        Quarantine::Truncated
    }
}

/// JPEG bytes of `pixels` at `quality` (1–100): 4:2:0, optimised tables, no metadata. Fails only without memory.
pub(crate) fn encode(pixels: &Pixels, quality: u8) -> Option<Vec<u8>> {
    let mut compressor = compressor(quality)?;
    compressor.set_subsamp(Subsamp::Sub2x2).ok()?;
    let width = pixels.width as usize;
    let image = Image {
        pixels: pixels.data.as_slice(),
        width,
        pitch: width * pixels.channels,
        height: pixels.height as usize,
        format: if pixels.channels == 4 { PixelFormat::RGBX } else { PixelFormat::RGB },
    };
    compressor.compress_to_vec(image).ok()
}

/// As [`encode`], of planes whose colours are halved.
pub(crate) fn encode_planes(planes: &Planes, quality: u8) -> Option<Vec<u8>> {
    let image = YuvImage {
        pixels: planes.data.as_slice(),
        width: planes.width as usize,
        align: 1,
        height: planes.height as usize,
        subsamp: Subsamp::Sub2x2,
    };
    compressor(quality)?.compress_yuv_to_vec(image).ok()
}

fn compressor(quality: u8) -> Option<Compressor> {
    let mut compressor = Compressor::new().ok()?;
    compressor.set_quality(quality.into()).ok()?;
    compressor.set_optimize(true).ok()?;
    Some(compressor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markers;

    #[test]
    fn shrinks_as_far_as_leaves_enough() {
        for (side, denominator) in
            [(13_000, 8), (12_800, 8), (12_791, 4), (6_400, 4), (6_396, 2), (3_200, 2), (3_198, 1), (1, 1)]
        {
            assert_eq!(scale(side, side / 2, 1600), denominator, "{side}");
            assert_eq!(scale(side / 2, side, 1600), denominator, "{side}");
        }
    }

    /// The markers are counted before: the decoder itself is told as well.
    #[test]
    fn the_decoder_stops_after_so_many_scans() {
        let mut compressor = compressor(80).expect("a compressor");
        compressor.set_progressive(true).expect("in several scans");
        let image = Image { pixels: &[90_u8; 64 * 64 * 3][..], width: 64, pitch: 192, height: 64, format: PixelFormat::RGB };
        let jpeg = compressor.compress_to_vec(image).expect("a JPEG");
        let markers = markers::read(&jpeg, 40).expect("within forty scans");
        assert!(decode(&jpeg, &markers, 1600, 40).is_ok());
        assert_eq!(decode(&jpeg, &markers, 1600, 2).err(), Some(Quarantine::Bomb));
    }
}
