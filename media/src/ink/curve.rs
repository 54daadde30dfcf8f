//! Turns recorded points into a smooth line of changing width.

use std::fmt::Write;

/// Farther than any screen reaches, in tenths of a CSS pixel: keeps nonsense drawable.
const FARTHEST: i32 = 100_000;
/// Line widths in CSS pixels.
const THINNEST: f32 = 1.1;
const THICKEST: f32 = 3.4;
/// At this speed in CSS pixels per millisecond a line is half way to its thinnest.
const HALF_SPEED: f32 = 0.9;
/// How much of the width before carries over to the next point.
const INERTIA: f32 = 0.65;
/// Longest straight piece in CSS pixels, and the most pieces between two points.
const PIECE: f32 = 1.6;
const MOST_PIECES: usize = 24;

/// Tenths of a CSS pixel to CSS pixels.
pub(super) fn pixels(tenths: i32) -> f32 {
    tenths.clamp(-FARTHEST, FARTHEST) as f32 / 10.0
}

#[derive(Clone, Copy)]
struct Nib {
    x: f32,
    y: f32,
    width: f32,
}

/// A piece of a line in one width, in CSS pixels.
pub(super) struct Run {
    pub width: f32,
    pub points: Vec<(f32, f32)>,
}

/// One stroke in pieces of nearly equal width. A dot is a run of one point.
pub(super) fn runs(stroke: &[[i32; 4]]) -> Vec<Run> {
    let nibs = nibs(stroke);
    if let [only] = nibs[..] {
        return vec![Run { width: THICKEST, points: vec![(only.x, only.y)] }];
    }
    let mut runs: Vec<Run> = Vec::new();
    for (i, pair) in nibs.windows(2).enumerate() {
        let before = if i == 0 { pair[0] } else { nibs[i - 1] };
        let after = nibs.get(i + 2).copied().unwrap_or(pair[1]);
        let length = (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y);
        let pieces = ((length / PIECE).ceil() as usize).clamp(1, MOST_PIECES);
        for piece in 0..pieces {
            let from = between(before, pair[0], pair[1], after, piece as f32 / pieces as f32);
            let to = between(before, pair[0], pair[1], after, (piece + 1) as f32 / pieces as f32);
            let width = (to.width * 5.0).round() / 5.0;
            match runs.last_mut() {
                Some(run) if run.width == width => run.points.push((to.x, to.y)),
                _ => runs.push(Run { width, points: vec![(from.x, from.y), (to.x, to.y)] }),
            }
        }
    }
    runs
}

/// The runs as SVG path elements.
pub(super) fn paths(stroke: &[[i32; 4]]) -> String {
    let mut svg = String::new();
    for Run { width, points } in runs(stroke) {
        let _ = write!(svg, "<path stroke-width=\"{width:.1}\" d=\"");
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(svg, "{}{x:.2} {y:.2}", if i == 0 { 'M' } else { 'L' });
        }
        // A line of no length has round caps.
        svg.push_str(if points.len() == 1 { "h.01\"/>" } else { "\"/>" });
    }
    svg
}

/// Points with a width each, repeated points dropped.
fn nibs(stroke: &[[i32; 4]]) -> Vec<Nib> {
    // Mice and most fingers report one pressure throughout; then speed decides.
    let pressed = stroke.windows(2).any(|pair| pair[0][3] != pair[1][3]);
    let mut nibs: Vec<Nib> = Vec::with_capacity(stroke.len());
    let mut last_time = 0;
    for &[x, y, t, p] in stroke {
        let (x, y) = (pixels(x), pixels(y));
        let Some(last) = nibs.last().copied() else {
            nibs.push(Nib { x, y, width: f32::midpoint(THINNEST, THICKEST) });
            last_time = t;
            continue;
        };
        let far = (x - last.x).hypot(y - last.y);
        if far < 0.05 {
            continue;
        }
        let weight = if pressed {
            p.clamp(0, 255) as f32 / 255.0
        } else {
            let speed = far / t.saturating_sub(last_time).max(1) as f32;
            HALF_SPEED / (HALF_SPEED + speed)
        };
        let wanted = THINNEST + (THICKEST - THINNEST) * weight;
        nibs.push(Nib { x, y, width: last.width * INERTIA + wanted * (1.0 - INERTIA) });
        last_time = t;
    }
    nibs
}

/// Catmull-Rom between `a` and `b`, `s` from 0 to 1; widths go in a straight line.
fn between(before: Nib, a: Nib, b: Nib, after: Nib, s: f32) -> Nib {
    let curve = |p0: f32, p1: f32, p2: f32, p3: f32| {
        let (s2, s3) = (s * s, s * s * s);
        0.5 * (2.0 * p1 + (p2 - p0) * s + (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3) * s2 + (3.0 * p1 - p0 - 3.0 * p2 + p3) * s3)
    };
    Nib {
        x: curve(before.x, a.x, b.x, after.x),
        y: curve(before.y, a.y, b.y, after.y),
        width: a.width + (b.width - a.width) * s,
    }
}
