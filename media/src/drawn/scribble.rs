//! A drawn signature: a few letters' loops, a long tail, perhaps a line below.

use std::f32::consts::TAU;

use super::dice::Dice;
use crate::Ink;

/// A canvas like the one a phone shows, in CSS pixels.
const CANVAS: (u32, u32) = (360, 200);

/// A plausible signature; the same seed draws the same one.
pub fn scribble(seed: u64) -> Ink {
    let dice = &mut Dice::new(seed, 3);
    let mut pen = Pen { strokes: Vec::new(), time: 0.0 };
    let slant = dice.between(0.15, 0.5);
    let first = dice.between(38.0, 54.0);
    pen.capital(60.0, 112.0, first, slant, dice);
    let end = pen.letters(60.0 + first * 0.62, 112.0, dice.between(9.0, 14.0), slant, dice);
    if dice.chance(0.6) {
        let second = dice.between(30.0, 46.0);
        pen.capital(end + 26.0, 110.0, second, slant, dice);
        pen.letters(end + 26.0 + second * 0.55, 110.0, dice.between(8.0, 12.0), slant, dice);
    }
    if dice.chance(0.65) {
        let (x, y, dip) = (dice.between(60.0, 90.0), dice.between(136.0, 146.0), dice.between(-10.0, 8.0));
        pen.stroke(26, 9.0, |s| (x + 190.0 * s, y + dip * (s * 3.1).sin() - 10.0 * s));
    }
    Ink { width: CANVAS.0, height: CANVAS.1, strokes: pen.strokes }
}

struct Pen {
    strokes: Vec<Vec<[i32; 4]>>,
    /// Milliseconds since the first point.
    time: f32,
}

impl Pen {
    /// Draws `points` of a curve over s from 0 to 1, `step` ms apart, then lifts.
    fn stroke(&mut self, points: u16, step: f32, curve: impl Fn(f32) -> (f32, f32)) {
        let mut stroke = Vec::new();
        for i in 0..=points {
            let s = f32::from(i) / f32::from(points);
            let (x, y) = curve(s);
            // Pressed in the middle, light where the pen lands and leaves.
            let pressure = 70.0 + 130.0 * (s * TAU / 2.0).sin().powf(0.6);
            stroke.push([(x * 10.0).round() as i32, (y * 10.0).round() as i32, self.time as i32, pressure as i32]);
            self.time += step;
        }
        self.time += 140.0;
        self.strokes.push(stroke);
    }

    /// A tall first letter on the line `y`.
    fn capital(&mut self, x: f32, y: f32, tall: f32, slant: f32, dice: &mut Dice) {
        let (wide, turn) = (tall * dice.between(0.5, 0.75), dice.between(0.75, 1.1));
        let lean = move |px: f32, py: f32| (px + (y - py) * slant, py);
        match dice.below(3) {
            // A stem, then a bowl across it.
            0 => {
                self.stroke(14, 11.0, |s| lean(x + 3.0 * (s * 3.0).sin(), y - tall + tall * 1.08 * s));
                self.stroke(24, 10.0, |s| {
                    lean(
                        x - 8.0 + wide * (s * TAU * 0.62).sin() * 1.1 + 10.0 * s,
                        y - tall * (1.05 - 0.62 * s) + 5.0 * (s * TAU).sin(),
                    )
                });
            }
            // One big open loop.
            1 => self.stroke(34, 10.0, |s| {
                lean(
                    x + wide * 0.5 - wide * 0.62 * (s * TAU * turn + 0.9).cos(),
                    y - tall * 0.5 - tall * 0.52 * (s * TAU * turn + 0.9).sin(),
                )
            }),
            // Up, down and up again, like an M or W.
            _ => self.stroke(36, 9.0, |s| {
                lean(x - 4.0 + wide * 1.25 * s, y - tall * 0.5 + tall * 0.5 * (s * TAU * 1.5 + 1.5).sin() * (1.0 - 0.25 * s))
            }),
        }
    }

    /// Small joined loops that get flatter and end in a tail; gives the x where they end.
    fn letters(&mut self, x: f32, y: f32, tall: f32, slant: f32, dice: &mut Dice) -> f32 {
        // How high each loop goes: most are small, an l or h rises, a g or y hangs below.
        let heights: Vec<f32> = (0..3 + dice.below(4)).map(|_| dice.pick(&[0.7, 0.9, 1.0, 1.2, 2.3, 2.8, -1.5])).collect();
        let loops = heights.len() as f32;
        let (step, tail) = (dice.between(15.0, 20.0), dice.between(14.0, 34.0));
        let rise = dice.between(-6.0, 5.0);
        let long = loops * step;
        let points = (loops * 13.0) as u16 + 10;
        self.stroke(points, 9.0, |s| {
            let along = (s * 1.22).min(1.0);
            let fade = 1.0 - 0.45 * along;
            let turn = along * loops * TAU;
            let height = tall * fade * heights[((along * loops) as usize).min(heights.len() - 1)];
            let out = (s * 1.22 - 1.0).max(0.0) / 0.22 * tail;
            let (px, py) = (
                x + long * along + step * 0.42 * turn.sin() + out,
                y - height * 0.5 * (1.0 - turn.cos()) + rise * along - out * 0.12,
            );
            (px + (y - py) * slant, py)
        });
        x + long
    }
}
