//! Pixels in memory: shrink, turn upright, put on white.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::{U8x3, U8x4};

use crate::Quarantine;
use crate::stretch::stretch;

/// Side of the squares that a picture is turned in, in pixels.
const TILE: usize = 32;

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

/// Rows of `width` × `height` values, turned so that an EXIF `orientation` of 2–8 reads upright.
pub(crate) fn turn<const N: usize>(from: &[[u8; N]], width: u32, height: u32, orientation: u32) -> Vec<[u8; N]> {
    let (w, h) = (width as isize, height as isize);
    let (width, height) =
        if orientation >= 5 { (height as usize, width as usize) } else { (width as usize, height as usize) };
    // Where the first comes from, and how far that moves for a step to the right and for one down.
    let (start, right, down) = match orientation {
        2 => (w - 1, -1, w),
        3 => (w * h - 1, -1, -w),
        4 => ((h - 1) * w, 1, -w),
        5 => (0, w, 1),
        6 => ((h - 1) * w, -w, 1),
        7 => (w * h - 1, -w, -1),
        _ => (w - 1, w, -1),
    };
    let mut to = vec![[0; N]; from.len()];
    // In squares, so that what is read down a column stays in the cache.
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..(top + TILE).min(height) {
                let (row, first) = (y * width, start + down * y as isize);
                for x in left..(left + TILE).min(width) {
                    to[row + x] = from[(first + right * x as isize) as usize];
                }
            }
        }
    }
    to
}

impl Pixels {
    /// A copy with its long side at most `long` pixels, by Lanczos3.
    pub fn shrunk(&self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        let (width, height) = fitted(self.width, self.height, long);
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        self.stretched(resizer, width, height)
    }

    /// A copy of exactly `width` × `height`, by Lanczos3.
    pub fn stretched(&self, resizer: &mut Resizer, width: u32, height: u32) -> Result<Self, Quarantine> {
        let mut data = vec![0; width as usize * height as usize * self.channels];
        let (from, to) = ((&self.data[..], (self.width, self.height)), (&mut data[..], (width, height)));
        let whole = (f64::from(self.width), f64::from(self.height));
        match self.channels {
            4 => stretch::<U8x4>(resizer, from, whole, to)?,
            _ => stretch::<U8x3>(resizer, from, whole, to)?,
        }
        Ok(Self { width, height, channels: self.channels, data })
    }

    /// Turned so that an EXIF `orientation` of 1–8 reads upright; other values change nothing.
    pub fn upright(self, orientation: u32) -> Self {
        match (orientation, self.channels) {
            (2..=8, 4) => self.turned::<4>(orientation),
            (2..=8, _) => self.turned::<3>(orientation),
            _ => self,
        }
    }

    fn turned<const N: usize>(self, orientation: u32) -> Self {
        let (width, height) = if orientation >= 5 { (self.height, self.width) } else { (self.width, self.height) };
        let to = turn(self.data.as_chunks::<N>().0, self.width, self.height, orientation);
        Self { width, height, channels: N, data: to.into_flattened() }
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
