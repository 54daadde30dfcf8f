//! Maize, kale and bananas; x, y is where they stand.

use super::brush::{ellipse, faint, line, path, placed, tone};
use super::dice::Dice;

pub(super) fn maize(x: f32, y: f32, size: f32, green: &str, dice: &mut Dice) -> String {
    let stem = tone(green, dice.between(-0.25, -0.05));
    let mut plant = line(&stem, 6.0, "M0 0C2 -40 -1 -80 0 -118");
    for (at, side) in [(-18.0, 1.0), (-36.0, -1.0), (-56.0, 1.0), (-76.0, -1.0), (-94.0, 1.0_f32)] {
        let leaf = tone(green, if side > 0.0 { 0.05 } else { -0.14 });
        plant += &path(
            &leaf,
            &format!(
                "M0 {at:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} 0 {:.0}Z",
                side * 14.0,
                at - 24.0,
                side * 36.0,
                at - 22.0,
                side * 48.0,
                at + 12.0,
                side * 32.0,
                at - 6.0,
                side * 14.0,
                at - 6.0,
                at + 10.0
            ),
        );
    }
    plant += &(path("#e3c15c", "M3 -52C12 -62 14 -74 10 -82C4 -76 0 -64 3 -52Z")
        + &line("#d9b45a", 3.0, "M0 -116l-6 -20M0 -116l0 -24M0 -116l6 -20"));
    placed(x, y, size * dice.pick(&[-1.0, 1.0]), size, &plant)
}

/// Kale, the evening's greens.
pub(super) fn sukuma(x: f32, y: f32, size: f32, green: &str, dice: &mut Dice) -> String {
    let leaf = "M0 0C-4 -14 -18 -22 -16 -38C-14 -54 14 -54 16 -38C18 -22 4 -14 0 0Z";
    let mut plant = faint(0.25, &ellipse("#2a1408", 4.0, 2.0, 30.0, 6.0));
    for (turn, t) in [(-72.0, -0.22), (70.0, -0.2), (-44.0, -0.08), (42.0, -0.1), (-16.0, 0.04), (18.0, 0.0), (2.0, 0.12)] {
        let colour = tone(green, t + dice.between(-0.05, 0.05));
        let vein = line(&tone(&colour, 0.32), 1.8, "M0 -4V-44M0 -20L-8 -30M0 -20L8 -30");
        plant +=
            &format!("<g transform=\"rotate({:.0})\">{}{vein}</g>", turn + dice.between(-6.0, 6.0), path(&colour, leaf));
    }
    placed(x, y, size, size, &plant)
}

pub(super) fn banana(x: f32, y: f32, size: f32, green: &str, dice: &mut Dice) -> String {
    let mut plant = path("#8f9a4e", "M-11 0C-8 -50 -8 -90 -5 -124H7C8 -90 9 -50 12 0Z");
    for turn in [-112.0, 108.0, -76.0, 74.0, -40.0, 38.0, -6.0_f32] {
        let colour = tone(green, dice.between(-0.24, 0.1));
        let blade = path(&colour, "M0 0C-26 -30 -26 -84 0 -122C26 -84 26 -30 0 0Z")
            + &line(&tone(&colour, 0.35), 3.0, "M0 0V-116")
            + &line(&tone(&colour, -0.2), 1.6, "M0 -40L-17 -58M0 -40L17 -58M0 -64L-17 -82M0 -64L17 -82");
        plant += &format!("<g transform=\"translate(1 -120) rotate({:.0})\">{blade}</g>", turn + dice.between(-8.0, 8.0));
    }
    plant += &(line("#7d7a3c", 4.0, "M4 -112C26 -108 32 -92 30 -74")
        + &path("#d8c04a", "M18 -92C14 -78 18 -62 30 -58C42 -62 46 -78 42 -92Z")
        + &path("#7a2f4a", "M26 -58C22 -48 26 -40 30 -36C34 -40 38 -48 34 -58Z"));
    placed(x, y, size, size, &plant)
}
