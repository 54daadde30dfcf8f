//! Decodes a JPEG at the smallest size that is still large enough, and refuses damaged ones.

use turbojpeg::{Decompressor, Error, Image, PixelFormat, ScalingFactor};

use crate::Quarantine;
use crate::markers::Markers;
use crate::pixels::Pixels;

/// Fractions the DCT shrinks by in vector code; those between save pixels but cost more time.
const SCALES: [(usize, usize); 4] = [(1, 8), (1, 4), (1, 2), (1, 1)];

/// The smallest decode of `width` × `height` whose long side is at least `long`, or the whole.
pub(crate) fn scale(width: u32, height: u32, long: u32) -> ScalingFactor {
    let side = width.max(height) as usize;
    SCALES
        .iter()
        .map(|(num, denom)| ScalingFactor::new(*num, *denom))
        .find(|factor| factor.scale(side) >= long as usize)
        .unwrap_or(ScalingFactor::ONE)
}

/// Pixels of a JPEG, shrunk while decoding to no less than `long` on the long side.
pub(crate) fn decode(bytes: &[u8], markers: &Markers, long: u32, most_scans: u32) -> Result<Pixels, Quarantine> {
    let factor = scale(markers.width, markers.height, long);
    let width = factor.scale(markers.width as usize);
    let height = factor.scale(markers.height as usize);
    let cmyk = markers.components == 4;
    let format = if cmyk { PixelFormat::CMYK } else { PixelFormat::RGB };
    let channels = format.size();
    let mut data = vec![0; width * height * channels];
    let image = Image { pixels: data.as_mut_slice(), width, pitch: width * channels, height, format };
    let mut decompressor = Decompressor::new().map_err(|_| Quarantine::Unsupported)?;
    decompressor.set_scaling_factor(factor).map_err(|_| Quarantine::Unsupported)?;
    decompressor.set_scan_limit(most_scans).map_err(|_| Quarantine::Unsupported)?;
    match decompressor.decompress(bytes, image) {
        Ok(()) => {}
        Err(Error::TurboJpegError(message)) if is_harmless(&message) => {}
        Err(error) => return Err(reason(&error)),
    }
    if cmyk {
        ink_to_light(&mut data, markers.adobe);
    }
    Ok(Pixels { width: width as u32, height: height as u32, channels, data })
}

/// Warnings that real phones' files cause and that leave every pixel right.
fn is_harmless(message: &str) -> bool {
    message.contains("Invalid SOS parameters for sequential JPEG")
        || message.contains("unknown JFIF revision")
        || message.contains("Unknown Adobe color transform")
        || (message.contains("extraneous bytes before marker") && message.ends_with("0xd9"))
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

/// Four inks to RGBX without a colour profile. Adobe stores inks inverted (255 is none).
fn ink_to_light(data: &mut [u8], inverted: bool) {
    for pixel in data.chunks_exact_mut(4) {
        let light = |ink: u8| u32::from(if inverted { ink } else { 255 - ink });
        let black = light(pixel[3]);
        for value in &mut pixel[..3] {
            *value = (light(*value) * black / 255) as u8;
        }
    }
}
