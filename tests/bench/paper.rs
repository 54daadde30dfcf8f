//! A grant's whole file with thirty photos, as PDF.

use std::time::{Duration, Instant};

use kilele::grants::paper;
use kilele::paper::Language;
use kilele_tests::paper as sample;

use crate::row;

const PHOTOS: usize = 30;
const RUNS: usize = 5;

pub fn measure() {
    let grants: Vec<_> = (0..RUNS).map(|_| sample::file(Language::Sw, PHOTOS, 20)).collect();
    let mut times: Vec<Duration> = Vec::new();
    let mut bytes = 0;
    for grant in grants {
        let begun = Instant::now();
        bytes = paper::file(grant).unwrap().len();
        times.push(begun.elapsed());
    }
    times.sort();
    let measured = format!("{} ms, {} kB", times[RUNS / 2].as_millis(), bytes / 1000);
    row("grant file as PDF, 30 photos", "–", measured, "≤ 2 s");
}
