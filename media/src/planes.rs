//! A picture as a JPEG holds it: brightness, and two planes of colour at half the size.
//!
//! A camera's JPEG that is shrunk and written as a JPEG again need never become red, green and blue: half as many values
//! to resize and to turn, and nothing to convert. Only for pictures whose sizes are even, so that the planes fit exactly.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::U8;

use crate::Quarantine;
use crate::derive::{CARD, FULL, THUMB};
use crate::jpeg;
use crate::pixels::{Pixels, fitted, turn};
use crate::stretch::stretch;
use crate::surface::Surface;

/// How many values of brightness share one of colour, across and down.
pub(crate) type Shared = (u32, u32);

/// As JPEGs are written here.
pub(crate) const HALVED: Shared = (2, 2);

/// Brightness (Y), then blueness (Cb) and redness (Cr), row by row without gaps (JFIF, ITU-T T.871).
///
/// The first plane has `width` × `height` values, each rounded up to what the colours are `shared` by.
#[derive(Clone)]
pub(crate) struct Planes {
    pub width: u32,
    pub height: u32,
    pub shared: Shared,
    pub data: Vec<u8>,
}

/// Whether all that is made of a decoded picture of this size has even sides.
pub(crate) fn fits(width: u32, height: u32) -> bool {
    let even = |(w, h): (u32, u32)| w % 2 == 0 && h % 2 == 0;
    let full = fitted(width, height, FULL);
    let card = fitted(full.0, full.1, CARD);
    even(full) && even(card) && even(fitted(card.0, card.1, THUMB))
}

/// Columns and rows of plane `index`.
fn extent(width: u32, height: u32, (across, down): Shared, index: usize) -> (u32, u32) {
    let (w, h) = (width.div_ceil(across), height.div_ceil(down));
    if index == 0 { (w * across, h * down) } else { (w, h) }
}

/// Bytes of all three planes.
pub(crate) fn room(width: u32, height: u32, shared: Shared) -> usize {
    (0..3).map(|index| extent(width, height, shared, index)).map(|(w, h)| w as usize * h as usize).sum()
}

impl Planes {
    /// The planes with their columns and rows.
    fn each(&self) -> impl Iterator<Item = (&[u8], (u32, u32))> {
        let mut rest = &self.data[..];
        (0..3).map(move |index| {
            let (w, h) = extent(self.width, self.height, self.shared, index);
            let (plane, after) = rest.split_at(w as usize * h as usize);
            rest = after;
            (plane, (w, h))
        })
    }

    /// Exactly `width` × `height`, both even, with the colours halved.
    fn stretched(&self, resizer: &mut Resizer, width: u32, height: u32) -> Result<Self, Quarantine> {
        let mut data = vec![0; room(width, height, HALVED)];
        let mut rest = &mut data[..];
        for (index, (plane, (w, h))) in self.each().enumerate() {
            let (to_w, to_h) = extent(width, height, HALVED, index);
            let (target, after) = rest.split_at_mut(to_w as usize * to_h as usize);
            rest = after;
            // Without the column and row that only round a plane up.
            let (across, down) = if index == 0 { (1, 1) } else { self.shared };
            let (box_w, box_h) = (f64::from(self.width) / f64::from(across), f64::from(self.height) / f64::from(down));
            if (w, h) == (to_w, to_h) {
                target.copy_from_slice(plane);
                continue;
            }
            stretch::<U8>(resizer, (plane, (w, h)), (box_w, box_h), (target, (to_w, to_h)))?;
        }
        Ok(Self { width, height, shared: HALVED, data })
    }
}

impl Surface for Planes {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn shrunk(&self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        let (width, height) = fitted(self.width, self.height, long);
        self.stretched(resizer, width, height)
    }

    fn fitted(self, resizer: &mut Resizer, long: u32) -> Result<Self, Quarantine> {
        let fits = self.width.max(self.height) <= long && self.shared == HALVED;
        if fits { Ok(self) } else { self.shrunk(resizer, long) }
    }

    fn upright(self, orientation: u32) -> Self {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let mut data = Vec::with_capacity(self.data.len());
        for (plane, (w, h)) in self.each() {
            data.extend_from_slice(turn::<1>(plane.as_chunks().0, w, h, orientation).as_flattened());
        }
        let (width, height) = if orientation >= 5 { (self.height, self.width) } else { (self.width, self.height) };
        Self { width, height, data, ..self }
    }

    fn jpeg(&self, quality: u8) -> Option<Vec<u8>> {
        jpeg::encode_planes(self, quality)
    }

    fn luma(&self) -> Vec<u8> {
        self.each().next().map(|(plane, _)| plane.to_vec()).unwrap_or_default()
    }

    /// Each value of colour stands for the square that shares it.
    fn pixels(&self) -> Pixels {
        let planes: Vec<_> = self.each().collect();
        let mut data = Vec::with_capacity(self.width as usize * self.height as usize * 3);
        for y in 0..self.height {
            for x in 0..self.width {
                let at = |index: usize, x: u32, y: u32| {
                    let (plane, (w, _)) = planes[index];
                    f32::from(plane[y as usize * w as usize + x as usize])
                };
                let light = at(0, x, y);
                let (blue, red) = (
                    at(1, x / self.shared.0, y / self.shared.1) - 128.0,
                    at(2, x / self.shared.0, y / self.shared.1) - 128.0,
                );
                // T.871, section 7.
                let rgb = [light + 1.402 * red, light - 0.344_136 * blue - 0.714_136 * red, light + 1.772 * blue];
                data.extend(rgb.map(|value| value.round().clamp(0.0, 255.0) as u8));
            }
        }
        Pixels { width: self.width, height: self.height, channels: 3, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brightness rises to the right, blueness downwards.
    fn slope(width: u32, height: u32, shared: Shared) -> Planes {
        let mut data = Vec::new();
        for index in 0..3 {
            let (w, h) = extent(width, height, shared, index);
            for y in 0..h {
                data.extend((0..w).map(|x| match index {
                    0 => (x * 200 / w) as u8 + 20,
                    1 => (y * 100 / h) as u8 + 78,
                    _ => 128,
                }));
            }
        }
        assert_eq!(data.len(), room(width, height, shared));
        Planes { width, height, shared, data }
    }

    #[test]
    fn every_way_of_sharing_shrinks_to_the_same_colours() {
        let mut resizer = Resizer::new();
        let of = |shared, resizer: &mut Resizer| {
            slope(2001, 1501, shared).stretched(resizer, 400, 300).expect("planes of the right length")
        };
        let halved = of(HALVED, &mut resizer);
        for shared in [(1, 1), (2, 1), (1, 2)] {
            let other = of(shared, &mut resizer);
            let most = halved.data.iter().zip(&other.data).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{shared:?}: {most:?}");
        }
    }

    #[test]
    fn turns_as_pixels_do() {
        let planes = slope(32, 20, HALVED);
        for orientation in 1..=8 {
            let turned = planes.clone().upright(orientation).pixels();
            let pixels = planes.pixels().upright(orientation);
            assert_eq!((turned.width, turned.height), (pixels.width, pixels.height));
            assert_eq!(turned.data, pixels.data, "{orientation}");
        }
    }

    #[test]
    fn only_even_sizes_fit() {
        assert!(fits(4000, 3000));
        assert!(!fits(4000, 2667));
        assert!(!fits(1, 1));
    }
}
