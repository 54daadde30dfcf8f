//! One picture into another of any size, by Lanczos3.
//!
//! The library's `resize` asks at run time what kind of pixel it is given, and is compiled for all thirteen that it knows,
//! twice over. There are three here: each is named where it is used, and compiling this crate takes a third of the time.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::Quarantine;

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
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(false)
        .crop(0.0, 0.0, part.0, part.1);
    resizer.resize_typed(&source, &mut target, &options).map_err(|_| Quarantine::Unsupported)
}
