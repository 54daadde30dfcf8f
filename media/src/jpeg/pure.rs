//! JPEG in Rust alone: for platforms without a C compiler. Decodes at full size, so its limits are lower.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::Quarantine;
use crate::markers::Markers;
use crate::pixels::Pixels;

/// This decoder cannot shrink.
pub(crate) fn scale(_width: u32, _height: u32, _long: u32) -> u32 {
    1
}

/// Pixels of a JPEG. Four components stay inks.
pub(crate) fn decode(bytes: &[u8], markers: &Markers, _long: u32, _most_scans: u32) -> Result<Pixels, Quarantine> {
    let side = usize::from(u16::MAX);
    let (colours, channels) = if markers.components == 4 { (ColorSpace::CMYK, 4) } else { (ColorSpace::RGB, 3) };
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).jpeg_set_out_colorspace(colours);
    let bytes = markers.tidied(bytes);
    // This decoder fills what is missing with grey and says nothing.
    super::whole::check(&bytes)?;
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    let data = decoder.decode().map_err(|error| match error {
        DecodeErrors::Unsupported(_) => Quarantine::Unsupported,
        _ => Quarantine::Truncated,
    })?;
    let (width, height) = (markers.width, markers.height);
    if data.len() != width as usize * height as usize * channels {
        return Err(Quarantine::Truncated);
    }
    Ok(Pixels { width, height, channels, data })
}

/// JPEG bytes of `pixels` at `quality` (1–100): 4:2:0, optimised tables, no metadata.
pub(crate) fn encode(pixels: &Pixels, quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_optimized_huffman_tables(true);
    let (width, height) = (u16::try_from(pixels.width).ok()?, u16::try_from(pixels.height).ok()?);
    let kind = if pixels.channels == 4 { ColorType::Rgba } else { ColorType::Rgb };
    encoder.encode(&pixels.data, width, height, kind).ok()?;
    Some(jpeg)
}
