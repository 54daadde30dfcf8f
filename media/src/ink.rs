//! A handwritten signature: integer strokes in, SVG, PNG or PDF out.

mod curve;
mod pdf;

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use crate::raster::{self, DrawError};

/// Strokes as the phone recorded and signed them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ink {
    /// The canvas in CSS pixels.
    pub width: u32,
    pub height: u32,
    /// Points `[x, y, t, p]`: x and y in tenths of a CSS pixel, t in ms since the first point,
    /// p the pressure 0–255 (0 when the device cannot tell).
    pub strokes: Vec<Vec<[i32; 4]>>,
}

/// A mark must have this many points in all …
const FEWEST_POINTS: usize = 8;
/// … and this extent in tenths of a CSS pixel: 30 × 15 px.
const SMALLEST: (i32, i32) = (300, 150);
/// White space around the ink in CSS pixels.
const MARGIN: f32 = 6.0;

impl Ink {
    /// Too little to be a signature: no strokes, a dot, a slip of the finger.
    pub fn is_trivial(&self) -> bool {
        let points: usize = self.strokes.iter().map(Vec::len).sum();
        let Some([left, top, right, bottom]) = self.bounds() else {
            return true;
        };
        // Saturating: the numbers come from outside.
        points < FEWEST_POINTS || right.saturating_sub(left) < SMALLEST.0 || bottom.saturating_sub(top) < SMALLEST.1
    }

    /// The signature in black on nothing, cut to its ink with a small margin. One unit is a CSS
    /// pixel; the line is thicker where the pen was pressed or slow.
    pub fn svg(&self) -> String {
        let (left, top, width, height) = self.view();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{left:.1} {top:.1} {width:.1} {height:.1}\" \
             width=\"{width:.1}\" height=\"{height:.1}\"><g fill=\"none\" stroke=\"#000\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\">{}</g></svg>",
            self.strokes.iter().map(|stroke| curve::paths(stroke)).collect::<String>()
        )
    }

    /// The signature in black on white as PNG, as large as fits `max_width` × `max_width` pixels.
    ///
    /// # Errors
    /// [`DrawError`] when `max_width` is 0 or too large to draw.
    pub fn png(&self, max_width: u32) -> Result<Vec<u8>, DrawError> {
        let (_, _, width, height) = self.view();
        let scale = max_width as f32 / width.max(height);
        let size = |side: f32| ((side * scale).round() as u32).clamp(max_width.min(1), max_width);
        let pixels = raster::on_white(&self.svg(), size(width), size(height))?;
        let grey: Vec<u8> = pixels.colours().map(|[r, ..]| r).collect();
        let mut png = Cursor::new(Vec::new());
        image::codecs::png::PngEncoder::new(&mut png)
            .write_image(&grey, pixels.width, pixels.height, ExtendedColorType::L8)
            .map_err(|error| DrawError(error.to_string()))?;
        Ok(png.into_inner())
    }

    /// Left, top, right and bottom of all points.
    fn bounds(&self) -> Option<[i32; 4]> {
        self.strokes.iter().flatten().fold(None, |seen, &[x, y, ..]| {
            let [left, top, right, bottom] = seen.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
        })
    }

    /// Left, top, width and height of the picture in CSS pixels.
    fn view(&self) -> (f32, f32, f32, f32) {
        let Some([left, top, right, bottom]) = self.bounds() else {
            return (0.0, 0.0, self.width.max(1) as f32, self.height.max(1) as f32);
        };
        let [left, top, right, bottom] = [left, top, right, bottom].map(curve::pixels);
        (left - MARGIN, top - MARGIN, right - left + 2.0 * MARGIN, bottom - top + 2.0 * MARGIN)
    }
}
