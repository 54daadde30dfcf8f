//! The signature in PDF: a page of its own, or drawn into somebody else's.

use krilla::Document;
use krilla::geom::{PathBuilder, Transform};
use krilla::page::PageSettings;
use krilla::paint::{LineCap, LineJoin, Stroke};
use krilla::surface::Surface;

use super::{Ink, curve};
use crate::DrawError;

/// Points (1/72 inch) to a CSS pixel (1/96 inch).
const POINTS: f32 = 0.75;
/// The longest page that every reader opens.
const LONGEST: f32 = 14_400.0;

impl Ink {
    /// The same picture as [`Ink::svg`] as lines, on a page cut to the ink in its natural size.
    ///
    /// # Errors
    /// [`DrawError`] when the strokes cannot be drawn.
    pub fn pdf(&self) -> Result<Vec<u8>, DrawError> {
        let (_, _, width, height) = self.view();
        let scale = POINTS.min(LONGEST / width.max(height));
        let (width, height) = (width * scale, height * scale);
        let page = PageSettings::from_wh(width, height).ok_or_else(|| DrawError(format!("a page of {width} × {height}")))?;
        let mut document = Document::new();
        let mut page = document.start_page_with(page);
        let mut surface = page.surface();
        self.draw(&mut surface, 0.0, 0.0, width, height);
        surface.finish();
        page.finish();
        document.finish().map_err(|error| DrawError(format!("{error:?}")))
    }

    /// Draws the signature in black into a box of `width` × `height` points with its corner at `x`, `y`: as large as
    /// fits, in the middle. Returns the scale it was drawn at, in points to a CSS pixel.
    pub fn draw(&self, surface: &mut Surface, x: f32, y: f32, width: f32, height: f32) -> f32 {
        let (left, top, wide, high) = self.view();
        let scale = (width / wide).min(height / high);
        let (x, y) = (x + (width - wide * scale) / 2.0, y + (height - high * scale) / 2.0);
        surface.push_transform(&Transform::from_row(scale, 0.0, 0.0, scale, x - left * scale, y - top * scale));
        surface.set_fill(None);
        for run in self.strokes.iter().flat_map(|stroke| curve::runs(stroke)) {
            let mut path = PathBuilder::new();
            for (i, (x, y)) in run.points.iter().enumerate() {
                if i == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
            }
            if let [(x, y)] = run.points[..] {
                // A line of no length has round caps.
                path.line_to(x + 0.01, y);
            }
            let Some(path) = path.finish() else { continue };
            let stroke =
                Stroke { width: run.width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
            surface.set_stroke(Some(stroke));
            surface.draw_path(&path);
        }
        surface.set_stroke(None);
        surface.pop();
        scale
    }
}
