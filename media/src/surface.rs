//! What the three pictures are made from: pixels, or planes as a JPEG holds them.

use fast_image_resize::Resizer;

use crate::pixels::Pixels;
use crate::{Quarantine, jpeg, measure};

pub(crate) trait Surface: Sized {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);

    /// A copy with its long side at most `long` pixels, by Lanczos3. Never enlarged.
    fn shrunk(&self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine>;

    /// As [`Surface::shrunk`]; what fits stays where it lies.
    fn fitted(self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine>;

    /// Turned so that an EXIF `orientation` of 1–8 reads upright; other values change nothing.
    fn upright(self, orientation: u32) -> Self;

    /// JPEG bytes, 4:2:0. Fails only without memory.
    fn jpeg(&self, quality: u8) -> Option<Vec<u8>>;

    /// Brightness of each pixel, 0–255 (Rec. 601 weights).
    fn luma(&self) -> Vec<u8>;

    /// Red, green and blue.
    fn pixels(&self) -> Pixels;
}

impl Surface for Pixels {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn shrunk(&self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        Self::shrunk(self, resizer, long)
    }

    fn fitted(self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        if self.width.max(self.height) <= long { Ok(self) } else { Self::shrunk(&self, resizer, long) }
    }

    fn upright(self, orientation: u32) -> Self {
        Self::upright(self, orientation)
    }

    fn jpeg(&self, quality: u8) -> Option<Vec<u8>> {
        jpeg::encode(self, quality)
    }

    fn luma(&self) -> Vec<u8> {
        measure::luma(self)
    }

    fn pixels(&self) -> Pixels {
        self.clone()
    }
}
