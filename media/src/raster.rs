//! SVG in, pixels out: signatures and the drawn demo pictures.

use std::fmt;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::pixels::Pixels;

/// Drawing failed: the SVG does not parse or the size is not drawable.
#[derive(Debug)]
pub struct DrawError(pub(crate) String);

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot draw: {}", self.0)
    }
}

impl std::error::Error for DrawError {}

/// Draws on white, stretched to `width` × `height` pixels. Fonts and linked pictures are not drawn.
pub(crate) fn on_white(svg: &str, width: u32, height: u32) -> Result<Pixels, DrawError> {
    let tree = Tree::from_str(svg, &Options::default()).map_err(|e| DrawError(e.to_string()))?;
    let mut map = Pixmap::new(width, height).ok_or_else(|| DrawError(format!("a picture of {width} × {height}")))?;
    map.fill(Color::WHITE);
    let size = tree.size();
    let scale = Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(&tree, scale, &mut map.as_mut());
    // On an opaque ground premultiplied and plain colours are the same.
    Ok(Pixels { width, height, channels: 4, data: map.take() })
}
