//! Pixels in memory: shrink, turn upright, put on white.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::Quarantine;

/// Rows of 8-bit RGB (`channels` 3) or RGBX (`channels` 4, the fourth byte means nothing).
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub width: u32,
    pub height: u32,
    pub channels: usize,
    pub data: Vec<u8>,
}

/// The size of `width` × `height` with its long side at most `long`: never larger than it was.
pub(crate) fn fitted(width: u32, height: u32, long: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= long {
        return (width, height);
    }
    let scale = |n: u32| {
        let rounded = (u64::from(n) * u64::from(long) * 2 + u64::from(side)) / (u64::from(side) * 2);
        u32::try_from(rounded).unwrap_or(long).max(1)
    };
    (scale(width), scale(height))
}

impl Pixels {
    /// A copy with its long side at most `long` pixels, by Lanczos3.
    pub fn shrunk(&self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        let (width, height) = fitted(self.width, self.height, long);
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        let kind = if self.channels == 4 { PixelType::U8x4 } else { PixelType::U8x3 };
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
        // Both can only fail on buffers of the wrong length or kind.
        let source = ImageRef::new(self.width, self.height, &self.data, kind).map_err(|_| Quarantine::Unsupported)?;
        let mut target = Image::new(width, height, kind);
        resizer.resize(&source, &mut target, &options).map_err(|_| Quarantine::Unsupported)?;
        Ok(Self { width, height, channels: self.channels, data: target.into_vec() })
    }

    /// Turned so that an EXIF `orientation` of 1–8 reads upright; other values change nothing.
    pub fn upright(self, orientation: u32) -> Self {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let (w, h, n) = (self.width as usize, self.height as usize, self.channels);
        let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
        let mut data = vec![0; self.data.len()];
        for (y, row) in self.data.chunks_exact(w * n).enumerate() {
            for (x, pixel) in row.chunks_exact(n).enumerate() {
                let (to_x, to_y) = match orientation {
                    2 => (w - 1 - x, y),
                    3 => (w - 1 - x, h - 1 - y),
                    4 => (x, h - 1 - y),
                    5 => (y, x),
                    6 => (h - 1 - y, x),
                    7 => (h - 1 - y, w - 1 - x),
                    _ => (y, w - 1 - x),
                };
                let to = (to_y * width + to_x) * n;
                data[to..to + n].copy_from_slice(pixel);
            }
        }
        Self { width: width as u32, height: height as u32, channels: n, data }
    }

    /// Lays RGBA on white, in place.
    pub fn on_white(mut self) -> Self {
        if self.channels == 4 {
            for pixel in self.data.chunks_exact_mut(4) {
                let alpha = u32::from(pixel[3]);
                if alpha < 255 {
                    for value in &mut pixel[..3] {
                        let laid = u32::from(*value) * alpha + 255 * (255 - alpha);
                        *value = ((laid + 127) / 255) as u8;
                    }
                    pixel[3] = 255;
                }
            }
        }
        self
    }

    /// Each pixel's red, green and blue.
    pub fn colours(&self) -> impl Iterator<Item = [u8; 3]> {
        self.data.chunks_exact(self.channels).map(|p| [p[0], p[1], p[2]])
    }
}
