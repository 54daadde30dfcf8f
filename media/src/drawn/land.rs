//! Hills, trees, grass and fences.

use super::brush::{ellipse, faint, line, path, placed, tone};
use super::dice::Dice;
use super::scene::Light;

pub(super) fn hills(light: Light, dice: &mut Dice) -> String {
    let far = tone(light.green, 0.42);
    let near = tone(light.green, 0.2);
    let (a, b) = (dice.between(150.0, 200.0), dice.between(180.0, 226.0));
    path(
        &far,
        &format!(
            "M0 {:.0}C80 {a:.0} 150 {a:.0} 230 {:.0}C320 {:.0} 390 {b:.0} 470 {:.0}C540 {a:.0} 600 {:.0} 640 {b:.0}V300H0Z",
            a + 50.0,
            a + 46.0,
            a + 70.0,
            b + 6.0,
            a + 14.0
        ),
    ) + &path(
        &near,
        &format!(
            "M0 {:.0}C110 {b:.0} 210 {:.0} 320 {:.0}C430 {:.0} 540 {b:.0} 640 {:.0}V310H0Z",
            b + 36.0,
            b + 44.0,
            b + 34.0,
            b + 24.0,
            b + 42.0
        ),
    )
}

/// A flat-topped thorn tree standing at x, y.
pub(super) fn acacia(x: f32, y: f32, size: f32, green: &str) -> String {
    let wood = "#5e4030";
    let leaf = tone(green, -0.25);
    let tree = line(wood, 13.0, "M0 0C4 -50 -6 -80 4 -120")
        + &line(wood, 7.0, "M2 -84C-20 -110 -44 -124 -66 -140M2 -96C24 -124 50 -134 78 -150M4 -118C0 -138 4 -150 8 -164")
        + &ellipse(&tone(&leaf, -0.15), 4.0, -146.0, 128.0, 24.0)
        + &ellipse(&leaf, -30.0, -160.0, 88.0, 20.0)
        + &ellipse(&tone(&leaf, 0.14), 38.0, -170.0, 78.0, 18.0)
        + &faint(0.5, &ellipse(&tone(&leaf, 0.3), 20.0, -178.0, 46.0, 9.0));
    placed(x, y, size, size, &tree)
}

/// A round, heavy tree standing at x, y.
pub(super) fn mango(x: f32, y: f32, size: f32, green: &str) -> String {
    let leaf = tone(green, -0.34);
    let mut tree = line("#5a3f2e", 20.0, "M0 0C2 -30 0 -50 0 -80")
        + &line("#5a3f2e", 10.0, "M0 -60C-14 -80 -26 -90 -40 -100M0 -64C14 -84 26 -92 40 -104");
    for (cx, cy, r, t) in [
        (-46.0, -112.0, 44.0, 0.0),
        (46.0, -116.0, 46.0, -0.08),
        (0.0, -104.0, 52.0, -0.04),
        (0.0, -152.0, 54.0, 0.08),
        (-34.0, -150.0, 36.0, 0.14),
        (36.0, -156.0, 30.0, 0.1),
        (-10.0, -176.0, 28.0, 0.2),
    ] {
        tree += &ellipse(&tone(&leaf, t), cx, cy, r, r * 0.86);
    }
    for (cx, cy) in [(-50.0, -96.0), (-12.0, -84.0), (28.0, -92.0), (58.0, -112.0), (-28.0, -124.0), (16.0, -130.0)] {
        tree += &ellipse("#e9a13b", cx, cy, 5.0, 6.5);
    }
    placed(x, y, size, size, &tree)
}

pub(super) fn tufts(green: &str, dice: &mut Dice) -> String {
    (0..18)
        .map(|_| {
            let (x, y) = (dice.between(0.0, 640.0), dice.between(300.0, 476.0));
            line(&tone(green, -0.18), 2.6, &format!("M{x:.0} {y:.0}l-6 -11M{x:.0} {y:.0}l0 -14M{x:.0} {y:.0}l6 -10"))
        })
        .collect()
}

/// Posts and rails across the whole picture.
pub(super) fn fence(top: f32, foot: f32) -> String {
    let wood = "#7a5438";
    let mut svg = line(
        wood,
        6.0,
        &format!(
            "M-10 {:.0}C200 {:.0} 440 {:.0} 650 {:.0}M-10 {:.0}C200 {:.0} 440 {:.0} 650 {:.0}",
            top + 8.0,
            top + 4.0,
            top + 10.0,
            top + 5.0,
            top + 26.0,
            top + 22.0,
            top + 28.0,
            top + 24.0
        ),
    );
    for i in 0..12_u8 {
        let x = 14.0 + f32::from(i) * 56.0;
        svg += &line(
            &tone(wood, if i % 2 == 0 { -0.12 } else { 0.08 }),
            9.0,
            &format!("M{x:.0} {:.0}L{:.0} {foot:.0}", top - 8.0, x + 2.0),
        );
    }
    svg
}
