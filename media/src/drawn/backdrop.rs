//! What is behind a person, a little out of focus.

use super::brush::{circle, ellipse, fade, faint, line, path, rect, tone};
use super::dice::Dice;

/// A ground for a portrait of 480 × 640.
pub(super) fn backdrop(dice: &mut Dice) -> String {
    let inner = match dice.below(5) {
        0 => hills(dice),
        1 => painted_wall(dice),
        2 => leaves(dice),
        3 => window(dice),
        _ => maize(dice),
    };
    format!(
        "<filter id=\"soft\" x=\"-5%\" y=\"-5%\" width=\"110%\" height=\"110%\"><feGaussianBlur stdDeviation=\"3.2\"/></filter>\
         <g filter=\"url(#soft)\">{inner}</g>"
    )
}

fn ground(top: &str, bottom: &str) -> String {
    format!("<defs>{}</defs>{}", fade("ground", top, bottom), rect("url(#ground)", -20.0, -20.0, 520.0, 680.0, 0.0))
}

fn hills(dice: &mut Dice) -> String {
    let (top, bottom, far) = dice.pick(&[
        ("#8cc5e3", "#f3e3bd", "#7f9f86"),
        ("#f4b56a", "#fbe3b4", "#9a7b62"),
        ("#a9d5e8", "#eaf1de", "#6f9a7c"),
    ]);
    let x = dice.between(60.0, 140.0);
    let near = tone(far, -0.22);
    ground(top, bottom)
        + &circle(&tone(bottom, 0.5), dice.between(330.0, 420.0), dice.between(90.0, 150.0), 46.0)
        + &path(far, "M-20 400C60 320 130 330 210 372C290 310 400 300 500 380V660H-20Z")
        + &path(&near, "M-20 470C90 410 220 430 300 450C390 410 450 430 500 450V660H-20Z")
        + &line(&tone(&near, -0.45), 9.0, &format!("M{x:.0} 470C{x:.0} 430 {:.0} 400 {:.0} 372", x + 6.0, x - 8.0))
        + &ellipse(&tone(&near, -0.32), x - 8.0, 362.0, 84.0, 20.0)
        + &ellipse(&tone(&near, -0.2), x + 12.0, 346.0, 62.0, 16.0)
}

fn painted_wall(dice: &mut Dice) -> String {
    let (wall, band) = dice.pick(&[
        ("#e8d5b0", "#3f8a86"),
        ("#f0c9a0", "#a5452f"),
        ("#cfe0da", "#2f6d8e"),
        ("#f2dca0", "#5c7f3f"),
        ("#e3c4b4", "#7a4a6a"),
    ]);
    ground(&tone(wall, 0.12), wall)
        + &rect(band, -20.0, 430.0, 520.0, 240.0, 0.0)
        + &rect(&tone(band, 0.35), -20.0, 424.0, 520.0, 7.0, 0.0)
        + &faint(0.16, &path("#402410", "M300 -20L500 -20V660H420Z"))
        + &faint(0.35, &path(&tone(wall, 0.5), "M-20 60L120 -20H210L-20 190Z"))
}

fn leaves(dice: &mut Dice) -> String {
    let green = dice.pick(&["#3f7d4a", "#4c8a3d", "#2f7358"]);
    let mut svg = ground(&tone(green, 0.55), &tone(green, -0.2));
    for i in 0..13 {
        let x = dice.between(-30.0, 510.0);
        let y = dice.between(40.0, 600.0);
        let long = dice.between(130.0, 230.0);
        let turn = dice.between(-70.0, 70.0);
        let colour = tone(green, dice.between(-0.3, 0.32));
        let leaf = path(
            &colour,
            &format!(
                "M0 0C{:.0} {:.0} {:.0} {long:.0} 0 {:.0}C{:.0} {long:.0} {:.0} {:.0} 0 0Z",
                long * 0.34,
                long * 0.3,
                long * 0.3,
                long * 1.1,
                -long * 0.3,
                -long * 0.34,
                long * 0.3
            ),
        ) + &line(&tone(&colour, 0.3), 3.0, &format!("M0 4V{long:.0}"));
        svg += &format!(
            "<g transform=\"translate({x:.0} {y:.0}) rotate({:.0})\">{leaf}</g>",
            turn + f32::from(i as u8 % 2) * 150.0
        );
    }
    svg
}

fn window(dice: &mut Dice) -> String {
    let wall = dice.pick(&["#c78b5e", "#b5774c", "#d3a274"]);
    let frame = dice.pick(&["#2f7d8c", "#3c6b43", "#9c3f2c", "#e9dcc0"]);
    let x = dice.pick(&[-40.0, 330.0]);
    let mut svg = ground(&tone(wall, 0.18), &tone(wall, -0.12));
    for _ in 0..26 {
        let (cx, cy) = (dice.between(0.0, 480.0), dice.between(0.0, 640.0));
        svg += &faint(0.18, &ellipse(&tone(wall, -0.4), cx, cy, dice.between(6.0, 22.0), dice.between(2.0, 5.0)));
    }
    svg + &rect(frame, x, 120.0, 190.0, 230.0, 4.0)
        + &rect("#4a3a34", x + 14.0, 134.0, 162.0, 202.0, 0.0)
        + &faint(
            0.5,
            &path("#e9c48a", &format!("M{:.0} 134H{:.0}L{:.0} 336H{:.0}Z", x + 20.0, x + 90.0, x + 60.0, x + 20.0)),
        )
        + &rect(frame, x + 89.0, 130.0, 12.0, 210.0, 0.0)
        + &rect(frame, x + 8.0, 228.0, 174.0, 12.0, 0.0)
        + &rect(&tone(frame, -0.25), x - 10.0, 346.0, 210.0, 16.0, 3.0)
}

fn maize(dice: &mut Dice) -> String {
    let mut svg = ground("#a8d4e6", "#e9eccb") + &path("#8fae72", "M-20 330C120 290 340 300 500 330V660H-20Z");
    for row in 0..3_u8 {
        let base = 420.0 + f32::from(row) * 110.0;
        let green = tone("#4e8a3c", 0.18 - f32::from(row) * 0.16);
        for i in 0..9_u8 {
            let x = f32::from(i) * 60.0 - 10.0 + dice.between(-14.0, 14.0);
            let top = base - dice.between(170.0, 230.0);
            svg += &line(&green, 7.0, &format!("M{x:.0} {:.0}V{top:.0}", base + 60.0));
            for (k, side) in [-1.0_f32, 1.0, -1.0, 1.0].into_iter().enumerate() {
                let y = top + 34.0 + k as f32 * 42.0;
                svg += &path(
                    &tone(&green, 0.12 * side),
                    &format!(
                        "M{x:.0} {y:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {x:.0} {:.0}Z",
                        x + side * 20.0,
                        y - 34.0,
                        x + side * 52.0,
                        y - 30.0,
                        x + side * 66.0,
                        y + 16.0,
                        x + side * 46.0,
                        y - 12.0,
                        x + side * 22.0,
                        y - 8.0,
                        y + 14.0
                    ),
                );
            }
            svg += &line("#d9b45a", 4.0, &format!("M{x:.0} {top:.0}l-6 -24M{x:.0} {top:.0}l0 -30M{x:.0} {top:.0}l7 -22"));
        }
    }
    svg
}
