//! What deriving holds at its peak, measured in a fresh process for each picture: never more than was estimated, and
//! within the budgets for the photos that phones take.

use std::process::Command;

use image::{DynamicImage, ImageFormat, RgbImage};
use kilele_media::{Limits, Quarantine, derive, inspect};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::fixtures;
use crate::pictures::{jpeg, jpeg_with, photo, progressive, with_exif, written};

const MIB: u64 = 1 << 20;
/// What the allocator, the stack and the code's own pages take beside pictures.
const SLACK: u64 = 4 * MIB;

/// A number of bytes from `/proc/self/status`.
fn status(line: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("a status");
    let value = text.lines().find_map(|l| l.strip_prefix(line)).expect("the line");
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// In the child: the peak above what was held before the file was read, and before it was derived.
fn measure(path: &str) {
    // A first small one: code, tables and threads are there afterwards.
    derive(&jpeg(&photo(64, 64)), &Limits::default()).expect("derived");
    let idle = status("VmRSS");
    let bytes = std::fs::read(path).expect("the picture");
    let loaded = status("VmRSS");
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak forgotten");
    let outcome = derive(&bytes, &Limits::default()).map(|d| (d.width, d.height));
    let peak = status("VmHWM");
    println!("\nmeasured {} {} {outcome:?}", peak.saturating_sub(idle), peak.saturating_sub(loaded));
}

/// In the parent: both numbers, and how it ended.
fn peak(name: &str, bytes: &[u8]) -> (u64, u64, bool) {
    let path = std::env::temp_dir().join(format!("kilele-peak-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).expect("written");
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "memory::derives_within_its_estimate", "--nocapture", "--test-threads=1"])
        .env("KILELE_PEAK_OF", &path)
        .output()
        .expect("a child");
    std::fs::remove_file(&path).expect("removed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|l| l.strip_prefix("measured ")).unwrap_or_else(|| panic!("{name}: {text}"));
    let mut numbers = line.split(' ').map(|n| n.parse().unwrap_or(0));
    (numbers.next().expect("a number"), numbers.next().expect("a number"), line.contains("Ok("))
}

/// A large photo of small ones: drawing it afresh would take longer than deriving it.
fn tiled(across: u32, down: u32) -> RgbImage {
    let tile = photo(1000, 750);
    let rows: Vec<u8> = tile.as_raw().chunks_exact(3000).flat_map(|row| row.repeat(across as usize)).collect();
    RgbImage::from_raw(1000 * across, 750 * down, rows.repeat(down as usize)).expect("rows")
}

#[test]
fn derives_within_its_estimate() {
    if let Ok(path) = std::env::var("KILELE_PEAK_OF") {
        return measure(&path);
    }
    let twelve = tiled(4, 4);
    let cmyk = {
        let (width, height) = (3000, 2000);
        let pixels = [90_u8, 20, 200, 255].repeat(width * height);
        let mut compressor = Compressor::new().expect("compressor");
        compressor.set_colorspace(turbojpeg::Colorspace::CMYK).expect("CMYK");
        let image = Image { pixels: pixels.as_slice(), width, pitch: width * 4, height, format: PixelFormat::CMYK };
        compressor.compress_to_vec(image).expect("jpeg")
    };
    let small = DynamicImage::ImageRgb8(tiled(3, 3));
    let mut files = vec![
        ("12 MP", jpeg(&twelve), Some(48)),
        ("12 MP turned", with_exif(&jpeg(&twelve), 6), Some(48)),
        ("12 MP 4:4:4", jpeg_with(&twelve, |c| c.set_subsamp(Subsamp::None).expect("4:4:4")), Some(48)),
        ("12 MP progressive", progressive(&twelve), None),
        ("6 MP CMYK", cmyk, None),
        ("7 MP PNG", written(small.clone(), ImageFormat::Png), None),
        ("7 MP PNG with alpha", written(small.to_rgba8(), ImageFormat::Png), None),
        ("7 MP PNG, 16 bits", written(small.to_rgb16(), ImageFormat::Png), None),
        ("7 MP PNG, grey", written(small.to_luma8(), ImageFormat::Png), None),
        ("7 MP WebP", written(small.clone(), ImageFormat::WebP), None),
        ("3 MP GIF", written(tiled(2, 2), ImageFormat::Gif), None),
    ];
    if cfg!(feature = "heic") {
        files.push(("12 MP HEIC", include_bytes!("../../../tests/fixtures/twelve.heic").to_vec(), None));
    }
    if cfg!(feature = "turbojpeg") {
        files.push(("108 MP", jpeg(&tiled(12, 12)), Some(80)));
    }
    for (name, bytes, most) in files {
        let estimated = inspect(&bytes).unwrap_or_else(|reason| panic!("{name}: {reason}")).estimated_bytes;
        let (whole, deriving, derived) = peak(&name.replace([' ', ':', ','], "-"), &bytes);
        assert!(derived, "{name}");
        println!("{name}: {:.1} MiB, {:.1} with its file, {:.1} estimated", mib(deriving), mib(whole), mib(estimated));
        assert!(deriving <= estimated + SLACK, "{name}: {:.1} MiB, {:.1} estimated", mib(deriving), mib(estimated));
        if let Some(most) = most.filter(|_| cfg!(feature = "turbojpeg")) {
            assert!(whole <= most * MIB, "{name}: {:.1} MiB", mib(whole));
        }
    }
}

#[test]
fn no_bomb_goes_off() {
    let names = ["pixels", "scans", "text-chunk", "international-text-chunk", "profile-chunk", "many-chunks", "more-rows"];
    let bombs = fixtures::corpus().into_iter().filter(|file| names.iter().any(|name| file.name.starts_with(name)));
    for bomb in bombs {
        let (_, deriving, _) = peak(&bomb.name, &bomb.bytes);
        println!("{}: {:.1} MiB", bomb.name, mib(deriving));
        // What a decoder takes for the pixels it was promised, until it sees that they are not there.
        let promised = inspect(&bomb.bytes).map_or(0, |picture| picture.estimated_bytes);
        assert!(deriving <= promised.max(24 * MIB) + SLACK, "{}: {:.1} MiB", bomb.name, mib(deriving));
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

#[test]
fn a_slow_picture_over_thirty_megapixels_is_refused() {
    // 31 MP that are honest in their bytes, and one row under the limit.
    let over = progressive(&tiled(6, 7));
    assert_eq!(derive(&over, &Limits::default()).err(), Some(Quarantine::TooLarge));
    assert_eq!(inspect(&over).err(), Some(Quarantine::TooLarge));
    assert!(inspect(&progressive(&tiled(6, 6))).is_ok());
}
