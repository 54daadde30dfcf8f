//! One picture into another of any size, by Lanczos3, a little narrowed.
//!
//! The library's `resize` asks at run time what kind of pixel it is given, and is compiled for all thirteen that it knows,
//! twice over. There are three here: each is named where it is used, and compiling this crate takes a third of the time.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use std::f64::consts::PI;

use fast_image_resize::{Filter, FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::Quarantine;

/// Lobes of the window, as in Lanczos3.
const LOBES: f64 = 3.0;
/// The kernel's width against Lanczos3's own. A JPEG's coarser steps take away a little sharpness: this gives it back, for
/// 1 in 100 more bytes (docs/media.md has the figures).
const WIDTH: f64 = 0.94;

/// sinc(x) sinc(x / 3) (Duchon, "Lanczos filtering in one and two dimensions", 1979) at `x` / [`WIDTH`]. A picture asks for
/// tens of thousands of these: sin 3a = 3 sin a − 4 sin³ a saves every second sine.
fn kernel(x: f64) -> f64 {
    let third = x * PI / (WIDTH * LOBES);
    if third == 0.0 {
        1.0
    } else if third.abs() < PI {
        let sine = third.sin();
        sine * sine * (3.0 - 4.0 * sine * sine) / (LOBES * third * third)
    } else {
        0.0
    }
}

/// The upper left `part` of `source`, both in pixels, fills `target`. Fails only on buffers that are too short.
pub(crate) fn stretch<P: PixelTrait>(
    resizer: &mut Resizer,
    source: (&[u8], (u32, u32)),
    part: (f64, f64),
    target: (&mut [u8], (u32, u32)),
) -> Result<(), Quarantine> {
    let (source, (width, height)) = source;
    let source = TypedImageRef::<P>::from_buffer(width, height, source).map_err(|_| Quarantine::Unsupported)?;
    let (target, (width, height)) = target;
    let mut target = TypedImage::<P>::from_buffer(width, height, target).map_err(|_| Quarantine::Unsupported)?;
    let filter = Filter::new("Lanczos3, narrowed", kernel, LOBES * WIDTH).map_err(|_| Quarantine::Unsupported)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter)))
        .use_alpha(false)
        .crop(0.0, 0.0, part.0, part.1);
    resizer.resize_typed(&source, &mut target, &options).map_err(|_| Quarantine::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_two_sincs() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
        for step in -3200..=3200 {
            let x = f64::from(step) / 1000.0 * WIDTH;
            let plain = if x.abs() / WIDTH < LOBES { sinc(x / WIDTH) * sinc(x / WIDTH / LOBES) } else { 0.0 };
            assert!((kernel(x) - plain).abs() < 1e-12, "{x}: {} {plain}", kernel(x));
        }
    }
}
