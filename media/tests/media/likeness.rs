//! Near duplicates: the same scene again looks alike, other scenes do not.

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use kilele_media::{ALIKE, Limits, apart, derive, drawn};

use crate::pictures::{jpeg, jpeg_with, open, quarters, with_exif};

fn likeness(jpeg: &[u8]) -> Option<u64> {
    derive(jpeg, &Limits::default()).expect("derived").likeness
}

fn scene(seed: u64) -> RgbImage {
    open(&drawn::jpeg(&drawn::scene(seed), 800, 600).expect("drawn"))
}

#[test]
fn the_same_scene_again_looks_alike() {
    for seed in 0..12 {
        let picture = scene(seed);
        let first = likeness(&jpeg(&picture)).expect("a likeness");
        let brighter =
            RgbImage::from_fn(800, 600, |x, y| image::Rgb(picture.get_pixel(x, y).0.map(|v| v.saturating_add(25))));
        let again = [
            ("smaller", jpeg(&resize(&picture, 400, 300, FilterType::Triangle))),
            ("worse", jpeg_with(&picture, |c| c.set_quality(30).expect("quality"))),
            ("brighter", jpeg(&brighter)),
            ("a step aside", jpeg(&crop_imm(&picture, 8, 6, 784, 588).to_image())),
            ("softer", jpeg(&image::imageops::blur(&picture, 2.0))),
        ];
        for (what, bytes) in again {
            let bits = apart(first, likeness(&bytes).expect("a likeness"));
            assert!(bits <= ALIKE, "scene {seed}, {what}: {bits} bits apart");
        }
    }
}

#[test]
fn the_way_the_camera_was_held_does_not_matter() {
    let picture = scene(3);
    let lying = image::imageops::rotate270(&picture);
    let upright = likeness(&with_exif(&jpeg(&lying), 6)).expect("a likeness");
    assert!(apart(upright, likeness(&jpeg(&picture)).expect("a likeness")) <= ALIKE);
}

#[test]
fn other_scenes_do_not_look_alike() {
    let all: Vec<u64> = (0..60).map(|seed| likeness(&jpeg(&scene(seed))).expect("a likeness")).collect();
    let pairs = all.iter().enumerate().flat_map(|(i, a)| all[i + 1..].iter().map(move |b| apart(*a, *b)));
    let close = pairs.clone().filter(|bits| *bits <= ALIKE).count();
    // Drawn from few parts, these are more alike than the world.
    assert!(close * 100 <= pairs.clone().count(), "{close} of {} pairs", pairs.count());
}

#[test]
fn an_even_surface_has_none() {
    for value in [0, 90, 255] {
        assert_eq!(likeness(&jpeg(&RgbImage::from_pixel(640, 480, image::Rgb([value; 3])))), None);
    }
    assert!(likeness(&jpeg(&quarters(640, 480))).is_some());
}
