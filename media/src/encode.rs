//! Writes the derivatives: JPEG 4:2:0 with optimised tables and no metadata.

use turbojpeg::{Compressor, Image, PixelFormat, Result, Subsamp};

use crate::pixels::Pixels;

/// JPEG bytes of `pixels` at `quality` (1–100).
pub(crate) fn jpeg(pixels: &Pixels, quality: i32) -> Result<Vec<u8>> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(quality)?;
    compressor.set_subsamp(Subsamp::Sub2x2)?;
    compressor.set_optimize(true)?;
    let width = pixels.width as usize;
    compressor.compress_to_vec(Image {
        pixels: pixels.data.as_slice(),
        width,
        pitch: width * pixels.channels,
        height: pixels.height as usize,
        format: if pixels.channels == 4 { PixelFormat::RGBX } else { PixelFormat::RGB },
    })
}
