//! Decodes a JPEG at the smallest size that is still large enough, and refuses damaged ones.
//!
//! By libjpeg-turbo (feature `turbojpeg`), or else in Rust alone, at full size and for smaller pictures.

#[cfg(not(feature = "turbojpeg"))]
#[path = "jpeg/pure.rs"]
mod codec;
#[cfg(feature = "turbojpeg")]
#[path = "jpeg/turbo.rs"]
mod codec;
#[cfg(not(feature = "turbojpeg"))]
mod whole;

pub(crate) use codec::{decode, encode, scale};
#[cfg(feature = "turbojpeg")]
pub(crate) use codec::{decode_planes, encode_planes};

/// Output pixels along a side of `side` when it is decoded at one `denominator`th.
pub(crate) fn scaled(side: u32, denominator: u32) -> u32 {
    side.div_ceil(denominator)
}
