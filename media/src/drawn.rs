//! Drawn people, homesteads and signatures for demo data and tests: nobody's photo is used.

mod animals;
mod backdrop;
mod body;
mod brush;
mod cloth;
mod dice;
mod extras;
mod face;
mod features;
mod garden;
mod head;
mod house;
mod land;
mod scene;
mod scribble;

use crate::{DrawError, jpeg as codec, raster};

pub use face::{face, is_woman};
pub use scene::scene;
pub use scribble::scribble;

/// An SVG as JPEG of `width` × `height` pixels, on white.
///
/// # Errors
/// [`DrawError`] when the SVG does not parse or the size cannot be drawn.
pub fn jpeg(svg: &str, width: u32, height: u32) -> Result<Vec<u8>, DrawError> {
    let pixels = raster::on_white(svg, width, height)?;
    codec::encode(&pixels, 88).ok_or_else(|| DrawError("no memory".into()))
}
