//! `make bench-media` calls this: derives photos as the server does, and scores anybody's derivatives by SSIMULACRA2.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says where")]

use std::path::{Path, PathBuf};

use fast_image_resize::images::Image as Floats;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use kilele_media::{Derived, Limits, derive, derive_at, inspect};
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};
use turbojpeg::PixelFormat;

/// The server's own.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SIZES: [u32; 3] = [1600, 480, 160];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["derive", out, ref photos @ ..] => photos.iter().for_each(|photo| three_sizes(Path::new(out), Path::new(photo))),
        ["derive-at", quality, out, ref photos @ ..] => {
            let mut three = quality.split(',').map(|q| q.parse().unwrap());
            let quality = std::array::from_fn(|_| three.next().unwrap());
            for photo in photos {
                keep(
                    Path::new(out),
                    Path::new(photo),
                    derive_at(&std::fs::read(photo).unwrap(), &Limits::default(), quality).unwrap(),
                );
            }
        }
        ["inspect", ref photos @ ..] => {
            for photo in photos {
                println!("{} {photo}", inspect(&std::fs::read(photo).unwrap()).unwrap().estimated_bytes);
            }
        }
        ["score", photo, ref folders @ ..] => score(Path::new(photo), folders),
        _ => panic!("derive OUT PHOTO… | derive-at Q,Q,Q OUT PHOTO… | inspect PHOTO… | score PHOTO FOLDER…"),
    }
}

fn named(folder: &Path, photo: &Path, size: u32) -> PathBuf {
    folder.join(format!("{}-{size}.jpg", photo.file_stem().unwrap().to_str().unwrap()))
}

fn three_sizes(out: &Path, photo: &Path) {
    keep(out, photo, derive(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap());
}

fn keep(out: &Path, photo: &Path, derived: Derived) {
    for (size, bytes) in SIZES.into_iter().zip([derived.full, derived.card, derived.thumb]) {
        std::fs::write(named(out, photo, size), bytes).unwrap();
    }
}

/// A line for each folder and size: folder, size, SSIMULACRA2, bytes.
///
/// The reference is the whole photo, decoded at full size and reduced once by Lanczos3 in floating point, in the gamma
/// of the picture as all who are compared do it; neither of them makes theirs like this.
fn score(photo: &Path, folders: &[&str]) {
    let bytes = std::fs::read(photo).unwrap();
    let whole = turbojpeg::decompress(&bytes, PixelFormat::RGB).unwrap();
    let orientation = orientation(photo);
    let source = floats(&whole.pixels, whole.width as u32, whole.height as u32);
    for size in SIZES {
        let scale = f64::from(size) / whole.width.max(whole.height) as f64;
        let side = |n: usize| (n as f64 * scale).round() as u32;
        let mut reduced = Floats::new(side(whole.width), side(whole.height), PixelType::F32x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        Resizer::new().resize(&source, &mut reduced, &options).unwrap();
        let reference = upright(&reduced, orientation);
        for folder in folders {
            let file = std::fs::read(named(Path::new(folder), photo, size)).unwrap();
            let image = turbojpeg::decompress(&file, PixelFormat::RGB).unwrap();
            let theirs = values(&floats(&image.pixels, image.width as u32, image.height as u32));
            let score = compute_frame_ssimulacra2(
                frame(reference.0.clone(), reference.1, reference.2),
                frame(theirs, image.width, image.height),
            );
            println!("{folder} {size} {:.4} {}", score.unwrap(), file.len());
        }
    }
}

fn frame(values: Vec<[f32; 3]>, width: usize, height: usize) -> Rgb {
    Rgb::new(values, width, height, TransferCharacteristic::SRGB, ColorPrimaries::BT709).unwrap()
}

fn floats(pixels: &[u8], width: u32, height: u32) -> Floats<'static> {
    let bytes = pixels.iter().flat_map(|value| (f32::from(*value) / 255.0).to_ne_bytes()).collect();
    Floats::from_vec_u8(width, height, bytes, PixelType::F32x3).unwrap()
}

fn values(image: &Floats) -> Vec<[f32; 3]> {
    let value = |four: &[u8]| f32::from_ne_bytes(four.try_into().unwrap()).clamp(0.0, 1.0);
    image.buffer().chunks_exact(12).map(|c| [value(&c[..4]), value(&c[4..8]), value(&c[8..])]).collect()
}

/// The orientation stands in the file's name (`…-o6.jpg`): the bench makes the photos.
fn orientation(photo: &Path) -> u32 {
    let name = photo.file_stem().unwrap().to_str().unwrap();
    name.rsplit_once("-o").and_then(|(_, digit)| digit.parse().ok()).unwrap()
}

/// Turned for the four orientations that cameras write.
fn upright(image: &Floats, orientation: u32) -> (Vec<[f32; 3]>, usize, usize) {
    let (w, h) = (image.width() as usize, image.height() as usize);
    let from = values(image);
    let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
    let at = |x: usize, y: usize| match orientation {
        1 => from[y * w + x],
        3 => from[(h - 1 - y) * w + (w - 1 - x)],
        6 => from[(h - 1 - x) * w + y],
        8 => from[x * w + (w - 1 - y)],
        other => panic!("orientation {other}"),
    };
    let turned = (0..width * height).map(|i| at(i % width, i / width)).collect();
    (turned, width, height)
}
