//! Numbers about a picture: how dark, how blurred, and the placeholder shown until it loads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fast_image_resize::Resizer;

use crate::Quarantine;
use crate::pixels::Pixels;

/// Half of the ThumbHash's own limit on either side: it keeps seven waves across, for which this is plenty, and costs
/// as much time as pixels.
const HASH_SIDE: u32 = 50;

/// Brightness of each pixel, 0–255 (Rec. 601 weights).
pub(crate) fn luma(pixels: &Pixels) -> Vec<u8> {
    pixels.colours().map(|[r, g, b]| ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8) as u8).collect()
}

/// 0 for a white picture, 1 for a black one.
pub(crate) fn darkness(luma: &[u8]) -> f32 {
    let sum: u64 = luma.iter().map(|v| u64::from(*v)).sum();
    1.0 - (sum as f64 / (luma.len().max(1) as f64 * 255.0)) as f32
}

/// Variance of the 4-neighbour Laplacian: under about 100 on a card a photo looks blurred.
/// 0 for pictures under 3 pixels on a side.
pub(crate) fn blur(luma: &[u8], width: usize, height: usize) -> f32 {
    if width < 3 || height < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for y in 1..height - 1 {
        let row = &luma[y * width..(y + 1) * width];
        let above = &luma[(y - 1) * width..y * width];
        let below = &luma[(y + 1) * width..(y + 2) * width];
        for x in 1..width - 1 {
            let around = [above[x], below[x], row[x - 1], row[x + 1]];
            let edge = around.iter().map(|v| i64::from(*v)).sum::<i64>() - 4 * i64::from(row[x]);
            sum += edge;
            squares += edge * edge;
        }
    }
    let count = ((width - 2) * (height - 2)) as f64;
    let mean = sum as f64 / count;
    (squares as f64 / count - mean * mean) as f32
}

/// ThumbHash of the picture in standard base64, about 32 characters.
pub(crate) fn placeholder(thumb: &Pixels, resizer: &mut Resizer) -> Result<String, Quarantine> {
    let tiny = thumb.shrunk(resizer, HASH_SIDE)?;
    let rgba: Vec<u8> = tiny.colours().flat_map(|[r, g, b]| [r, g, b, 255]).collect();
    let hash = thumbhash::rgba_to_thumb_hash(tiny.width as usize, tiny.height as usize, &rgba);
    Ok(STANDARD.encode(hash))
}
