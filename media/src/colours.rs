//! Brings colours to sRGB, which every screen assumes of a picture without a profile.

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};

use crate::pixels::Pixels;

/// Profiles are a few hundred bytes to a few hundred kilobytes; what is larger is not worth reading.
pub(crate) const LARGEST: usize = 2 << 20;
/// A profile that moves no colour by more than this is sRGB by another name: most are.
const SAME: u8 = 2;

/// Converts in place. A profile that cannot be read, or is for other colours than these, changes nothing.
pub(crate) fn to_srgb(pixels: &mut Pixels, profile: &[u8]) {
    let Some(profile) = parse(profile) else { return };
    match profile.color_space {
        DataColorSpace::Rgb => {
            let Some(change) = transform(&profile, Layout::Rgb, Layout::Rgb) else { return };
            if moves(&*change) {
                each_row(pixels, 3, &*change, |pixel| [pixel[0], pixel[1], pixel[2], 0]);
            }
        }
        DataColorSpace::Gray => {
            if let Some(change) = transform(&profile, Layout::Gray, Layout::Rgb) {
                each_row(pixels, 1, &*change, |pixel| [pixel[0], 0, 0, 0]);
            }
        }
        _ => {}
    }
}

/// Whether [`to_srgb`] would change a picture with this profile.
#[cfg(feature = "turbojpeg")]
pub(crate) fn moved_by(profile: &[u8]) -> bool {
    parse(profile).is_some_and(|profile| match profile.color_space {
        DataColorSpace::Rgb => transform(&profile, Layout::Rgb, Layout::Rgb).is_some_and(|change| moves(&*change)),
        DataColorSpace::Gray => true,
        _ => false,
    })
}

/// Four inks to RGBX in place. `inverted`: stored as Adobe does, 255 is no ink.
pub(crate) fn inks_to_srgb(pixels: &mut Pixels, inverted: bool, profile: Option<&[u8]>) {
    let profile = profile.and_then(parse).filter(|p| p.color_space == DataColorSpace::Cmyk);
    // Profiles count ink: 255 is all of it.
    let ink = |value: u8| if inverted { 255 - value } else { value };
    if let Some(change) = profile.and_then(|p| transform(&p, Layout::Rgba, Layout::Rgb)) {
        each_row(pixels, 4, &*change, |pixel| [ink(pixel[0]), ink(pixel[1]), ink(pixel[2]), ink(pixel[3])]);
        return;
    }
    for pixel in pixels.data.chunks_exact_mut(4) {
        let black = u32::from(255 - ink(pixel[3]));
        for value in &mut pixel[..3] {
            *value = (u32::from(255 - ink(*value)) * black / 255) as u8;
        }
    }
}

fn parse(profile: &[u8]) -> Option<ColorProfile> {
    if profile.len() > LARGEST {
        return None;
    }
    ColorProfile::new_from_slice(profile).ok()
}

type Change = dyn moxcms::TransformExecutor<u8> + Send + Sync;

fn transform(profile: &ColorProfile, from: Layout, to: Layout) -> Option<std::sync::Arc<Transform8BitExecutor>> {
    profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok()
}

/// Whether any of 6 × 6 × 6 colours ends elsewhere.
fn moves(change: &Change) -> bool {
    let steps = || (0..=255_u8).step_by(51);
    let before: Vec<u8> = steps().flat_map(|r| steps().flat_map(move |g| steps().flat_map(move |b| [r, g, b]))).collect();
    let mut after = vec![0; before.len()];
    change.transform(&before, &mut after).is_ok() && before.iter().zip(&after).any(|(a, b)| a.abs_diff(*b) > SAME)
}

/// `source` picks the first `channels` values that the change reads of a pixel; a row at a time, so that little is copied.
fn each_row(pixels: &mut Pixels, channels: usize, change: &Change, source: impl Fn(&[u8]) -> [u8; 4]) {
    let width = pixels.width as usize;
    let (mut before, mut after) = (Vec::with_capacity(width * channels), vec![0; width * 3]);
    for row in pixels.data.chunks_exact_mut(width * pixels.channels) {
        before.clear();
        before.extend(row.chunks_exact(pixels.channels).flat_map(|pixel| source(pixel).into_iter().take(channels)));
        if change.transform(&before, &mut after).is_err() {
            return;
        }
        for (pixel, colour) in row.chunks_exact_mut(pixels.channels).zip(after.chunks_exact(3)) {
            pixel[..3].copy_from_slice(colour);
        }
    }
}
