//! A picture's likeness in 64 bits: near duplicates differ in few of them. A hint to a person, never a verdict.
//!
//! The low frequencies of a 32 × 32 grey copy, each above or below their median (Zauner's "pHash", 2010): kept by
//! resizing, recompression and a change of light, unlike the file's hash.

use std::f32::consts::PI;

use fast_image_resize::Resizer;

use crate::pixels::Pixels;
use crate::{Quarantine, measure};

/// Pictures that differ in at most this many of the 64 bits look alike.
pub const ALIKE: u32 = 6;

const SIDE: usize = 32;
const LOW: usize = 8;
/// Under this spread of brightness a picture is a wall, a pocket or the night: all such look alike.
const FLAT: f32 = 6.0;

/// In how many bits two likenesses differ: 0 the same picture, about 32 nothing in common.
pub fn apart(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

/// `None` for a picture too even to be told from others.
pub(crate) fn of(thumb: &Pixels, resizer: &mut Resizer) -> Result<Option<u64>, Quarantine> {
    let small = thumb.stretched(resizer, SIDE as u32, SIDE as u32)?;
    let luma: Vec<f32> = measure::luma(&small).into_iter().map(f32::from).collect();
    let mean = luma.iter().sum::<f32>() / luma.len() as f32;
    let spread = luma.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / luma.len() as f32;
    if spread.sqrt() < FLAT {
        return Ok(None);
    }
    // Frequencies 0 to 8, across and then down.
    let wave: Vec<Vec<f32>> =
        (0..=LOW).map(|u| (0..SIDE).map(|x| (PI / SIDE as f32 * (x as f32 + 0.5) * u as f32).cos()).collect()).collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let across: Vec<Vec<f32>> = wave.iter().map(|w| luma.chunks_exact(SIDE).map(|row| dot(row, w)).collect()).collect();
    // Without the even light, which says nothing.
    let low: Vec<f32> = (0..LOW * LOW).map(|i| dot(&across[i % LOW + usize::from(i < LOW)], &wave[i / LOW])).collect();
    let mut sorted = low.clone();
    sorted.sort_by(f32::total_cmp);
    let median = f32::midpoint(sorted[LOW * LOW / 2 - 1], sorted[LOW * LOW / 2]);
    Ok(Some(low.iter().fold(0, |hash, value| hash << 1 | u64::from(*value > median))))
}
