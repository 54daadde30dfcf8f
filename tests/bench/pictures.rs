//! What deriving the three sizes of a 12 MP photo costs, beside the cost of reading its entropy-coded bytes.

use std::time::Duration;

use kilele_media::{Limits, derive, drawn};

use crate::row;

const PHOTOS: usize = 12;

/// CPU time of this thread so far.
fn cpu() -> Duration {
    // utime and stime, in hundredths of a second, are too coarse: the scheduler's own count is in nanoseconds.
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

pub fn measure() {
    let photo = drawn::jpeg(&drawn::scene(11), 4000, 3000).unwrap();
    let mut costs: Vec<Duration> = (0..PHOTOS)
        .map(|_| {
            let begun = cpu();
            derive(&photo, &Limits::default()).unwrap();
            cpu().saturating_sub(begun)
        })
        .collect();
    costs.sort();
    let each = costs[PHOTOS / 2].as_secs_f64() * 1000.0;
    row("12 MP JPEG to three sizes, CPU of one thread", "–", format!("{each:.0} ms"), "46–50 ms (issue media)");
}
