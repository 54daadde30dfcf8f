//! Signatures: what counts as one, and how it is drawn.

use std::process::Command;

use kilele_media::{Ink, drawn};

fn ink(strokes: Vec<Vec<[i32; 4]>>) -> Ink {
    Ink { width: 360, height: 200, strokes }
}

/// A slanted line of `points` points, `wide` × `high` tenths of a pixel.
fn slope(points: i32, wide: i32, high: i32) -> Vec<[i32; 4]> {
    (0..points).map(|i| [100 + wide * i / (points - 1), 200 + high * i / (points - 1), i * 10, 128]).collect()
}

fn open(png: &[u8]) -> image::GrayImage {
    image::load_from_memory(png).expect("a PNG").into_luma8()
}

#[test]
fn too_little_is_no_signature() {
    assert!(ink(vec![]).is_trivial());
    assert!(ink(vec![vec![], vec![]]).is_trivial());
    assert!(ink(vec![slope(7, 900, 900)]).is_trivial());
    assert!(ink(vec![slope(40, 299, 900)]).is_trivial());
    assert!(ink(vec![slope(40, 900, 149)]).is_trivial());
    assert!(!ink(vec![slope(8, 300, 150)]).is_trivial());
    assert!(!ink(vec![slope(4, 300, 150), slope(4, 300, 150)]).is_trivial());
    assert!((0..200).all(|seed| !drawn::scribble(seed).is_trivial()));
}

#[test]
fn the_picture_is_cut_to_the_ink() {
    let svg = ink(vec![slope(20, 600, 300)]).svg();
    // 60 × 30 px of ink from 10, 20 and a margin of 6.
    assert!(svg.contains("viewBox=\"4.0 14.0 72.0 42.0\""), "{svg}");
}

#[test]
fn the_png_is_black_on_white() {
    let picture = open(&ink(vec![slope(20, 600, 300)]).png(720).expect("drawn"));
    assert_eq!(picture.dimensions(), (720, 420));
    assert_eq!(picture.get_pixel(0, 0).0, [255]);
    assert_eq!(picture.get_pixel(360, 210).0, [0]);
    let dot = open(&ink(vec![vec![[500, 500, 0, 90]]]).png(64).expect("drawn"));
    assert_eq!(dot.get_pixel(32, 32).0, [0]);
}

#[test]
fn a_pressed_line_is_thicker() {
    let pressed = |p: i32| {
        let mut stroke = slope(20, 900, 0);
        for (i, point) in stroke.iter_mut().enumerate() {
            point[3] = p + i32::from(i == 0);
        }
        open(&ink(vec![stroke]).png(600).expect("drawn")).pixels().filter(|p| p.0[0] < 128).count()
    };
    assert!(pressed(240) * 2 > pressed(20) * 3, "{} and {}", pressed(240), pressed(20));
}

#[test]
fn nonsense_is_drawn_without_a_panic() {
    let far = ink(vec![vec![[i32::MIN, i32::MAX, i32::MIN, i32::MAX], [i32::MAX, i32::MIN, i32::MAX, -5], [0, 0, -9, 0]]]);
    assert!(far.is_trivial());
    assert!(open(&far.png(100).expect("drawn")).width() <= 100);
    let thin = open(&ink(vec![slope(50, 0, 90_000)]).png(300).expect("drawn"));
    assert!(thin.width() <= 300 && thin.height() <= 300);
    assert!(ink(vec![]).png(100).is_ok());
    assert!(ink(vec![]).png(0).is_err());
}

#[test]
fn the_pdf_shows_the_same_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..4 {
        let ink = drawn::scribble(seed);
        let (pdf, drawn) = (folder.path().join("ink.pdf"), folder.path().join("ink"));
        std::fs::write(&pdf, ink.pdf().expect("drawn")).expect("written");
        let status = Command::new("pdftoppm")
            .args(["-png", "-gray", "-singlefile", "-scale-to", "800"])
            .args([&pdf, &drawn])
            .status()
            .expect("pdftoppm, of poppler-utils");
        assert!(status.success());
        let theirs = open(&std::fs::read(drawn.with_extension("png")).expect("a page"));
        let ours = open(&ink.png(800).expect("drawn"));
        assert!(ours.width().abs_diff(theirs.width()) <= 1 && ours.height().abs_diff(theirs.height()) <= 1, "seed {seed}");
        let black = |picture: &image::GrayImage, x: u32, y: u32| {
            x < picture.width() && y < picture.height() && picture.get_pixel(x, y).0[0] < 128
        };
        // Every dark pixel of one has a dark one of the other within a pixel: two programs smooth edges differently.
        let near = |picture: &image::GrayImage, x: u32, y: u32| {
            (x.saturating_sub(1)..=x + 1).any(|x| (y.saturating_sub(1)..=y + 1).any(|y| black(picture, x, y)))
        };
        for (a, b) in [(&ours, &theirs), (&theirs, &ours)] {
            let dark: Vec<(u32, u32)> =
                a.enumerate_pixels().filter(|(.., p)| p.0[0] < 128).map(|(x, y, _)| (x, y)).collect();
            assert!(dark.len() > 500, "seed {seed}: an empty page");
            let alone = dark.iter().filter(|(x, y)| !near(b, *x, *y)).count();
            assert!(alone * 1000 <= dark.len(), "seed {seed}: {alone} of {} dark pixels differ", dark.len());
        }
    }
    assert!(ink(vec![]).pdf().expect("an empty page").starts_with(b"%PDF"));
    let long = ink(vec![slope(50, 0, 40_000_000)]).pdf().expect("drawn");
    assert!(long.starts_with(b"%PDF"));
}
