//! A drawn place of somebody who keeps a house, a shop, a garden or animals, 640 × 480.

use super::animals::{chicken, cow, goat};
use super::brush::{circle, document, ellipse, fade, faint, line, path, rect, tone};
use super::dice::Dice;
use super::garden::{banana, maize, sukuma};
use super::house::{duka, hut, iron_house, tank};
use super::land::{acacia, fence, hills, mango, tufts};

/// Light of an hour: sky above, sky at the horizon, sun, and ground.
#[derive(Clone, Copy)]
pub(super) struct Light {
    top: &'static str,
    low: &'static str,
    sun: &'static str,
    pub soil: &'static str,
    pub green: &'static str,
}

const LIGHTS: [Light; 5] = [
    Light { top: "#6fb4de", low: "#e6f1ee", sun: "#fff8de", soil: "#c98f5a", green: "#6f9e4f" },
    Light { top: "#8ec5e0", low: "#f8e7c0", sun: "#fff2c2", soil: "#b9774a", green: "#86a34c" },
    Light { top: "#f09a5a", low: "#fbdfa3", sun: "#fff0b8", soil: "#a8643c", green: "#7f8f42" },
    Light { top: "#9db9c9", low: "#e4e7df", sun: "#f6f4e6", soil: "#a5714b", green: "#5d8c4c" },
    Light { top: "#5fa7cf", low: "#d8ecd9", sun: "#fffbe0", soil: "#bd8350", green: "#5c9a54" },
];

/// A place as SVG; the same seed draws the same place.
pub fn scene(seed: u64) -> String {
    let dice = &mut Dice::new(seed, 2);
    let light = dice.pick(&LIGHTS);
    let sky = sky(light, dice) + &hills(light, dice);
    let place = match dice.below(4) {
        0 => homestead(light, dice),
        1 => shop(light, dice),
        2 => plot(light, dice),
        _ => pen(light, dice),
    };
    document(640, 480, &(sky + &place + &glow(light)))
}

fn sky(light: Light, dice: &mut Dice) -> String {
    let (x, y) = (dice.between(70.0, 570.0), dice.between(50.0, 110.0));
    let mut svg =
        format!("<defs>{}</defs>", fade("sky", light.top, light.low)) + &rect("url(#sky)", 0.0, 0.0, 640.0, 300.0, 0.0);
    svg += &(faint(0.3, &circle(light.sun, x, y, 58.0)) + &circle(light.sun, x, y, 34.0));
    for _ in 0..3 {
        let (x, y, s) = (dice.between(0.0, 600.0), dice.between(40.0, 130.0), dice.between(0.6, 1.3));
        let cloud = path("#ffffff", "M-60 12C-66 -6 -40 -14 -30 -8C-24 -32 14 -34 22 -12C40 -24 64 -6 56 12Z");
        svg += &faint(0.75, &super::brush::placed(x, y, s, s * 0.8, &cloud));
    }
    svg
}

/// Swept earth with a path towards the onlooker.
fn yard(light: Light, dice: &mut Dice) -> String {
    let soil = light.soil;
    path(light.green, "M0 282C160 270 480 270 640 284V480H0Z")
        + &path(soil, "M0 372C120 316 240 306 330 308C440 306 560 322 640 352V480H0Z")
        + &path(&tone(soil, 0.16), "M250 480C290 400 300 350 300 312H352C362 360 400 420 450 480Z")
        + &(0..16)
            .map(|_| {
                let (x, y) = (dice.between(0.0, 640.0), dice.between(372.0, 474.0));
                faint(0.3, &ellipse(&tone(soil, -0.4), x, y, dice.between(3.0, 9.0), 2.2))
            })
            .collect::<String>()
        + &tufts(light.green, dice)
}

fn homestead(light: Light, dice: &mut Dice) -> String {
    let left = dice.chance(0.5);
    let (house_x, hut_x, tree_x) = if left { (196.0, 486.0, 60.0) } else { (416.0, 150.0, 590.0) };
    let mut svg = mango(tree_x, 318.0, dice.between(0.95, 1.2), light.green) + &yard(light, dice);
    svg += &iron_house(house_x, 356.0, dice.between(0.95, 1.06), dice);
    svg += &hut(hut_x, 372.0, dice.between(0.86, 1.0), dice);
    if dice.chance(0.55) {
        svg += &tank(if left { 384.0 } else { 604.0 }, 366.0, 0.8);
    }
    svg += &banana(if left { 610.0 } else { 34.0 }, 402.0, 1.0, light.green, dice);
    for i in 0..2 + dice.below(3) {
        let x = 120.0 + 130.0 * i as f32 + dice.between(-40.0, 40.0);
        svg += &chicken(x, dice.between(410.0, 460.0), dice.between(0.8, 1.1), dice);
    }
    svg
}

fn shop(light: Light, dice: &mut Dice) -> String {
    let x = dice.between(290.0, 350.0);
    let mut svg = acacia(dice.pick(&[66.0, 572.0]), 320.0, 1.0, light.green) + &yard(light, dice);
    svg += &duka(x, 400.0, dice);
    svg += &chicken(dice.between(60.0, 130.0), 446.0, 1.0, dice);
    if dice.chance(0.5) {
        svg += &goat(dice.between(540.0, 580.0), 440.0, 0.7, dice);
    }
    svg
}

fn plot(light: Light, dice: &mut Dice) -> String {
    let soil = tone(light.soil, -0.22);
    let mut svg = mango(dice.pick(&[70.0, 560.0]), 300.0, 0.9, light.green);
    svg += &path(light.green, "M0 276C200 266 440 268 640 278V480H0Z");
    svg += &hut(dice.between(250.0, 400.0), 306.0, 0.5, dice);
    svg += &path(&soil, "M0 330L640 318V480H0Z");
    let tall = dice.chance(0.65);
    for row in 0..4_u8 {
        let depth = f32::from(row);
        let y = 346.0 + depth * depth * 7.0 + depth * 20.0;
        let size = 0.5 + depth * 0.2;
        svg += &path(
            &tone(&soil, 0.1 + 0.03 * depth),
            &format!("M0 {:.0}C200 {:.0} 440 {:.0} 640 {:.0}V{:.0}H0Z", y - 3.0, y - 9.0, y - 8.0, y - 5.0, y + 10.0 * size),
        );
        let gap = 78.0 * size;
        let mut x = -dice.between(0.0, gap);
        while x < 680.0 {
            let here = x + dice.between(-5.0, 5.0);
            svg += &if tall && row < 2 {
                maize(here, y, size * 1.15, light.green, dice)
            } else {
                sukuma(here, y, size, light.green, dice)
            };
            x += gap;
        }
    }
    svg + &watering_can(dice.pick(&[96.0, 540.0]), 448.0)
}

fn pen(light: Light, dice: &mut Dice) -> String {
    let mut svg = acacia(dice.pick(&[100.0, 540.0]), 314.0, dice.between(1.0, 1.25), light.green);
    svg += &yard(light, dice);
    svg += &iron_house(dice.pick(&[300.0, 360.0]), 318.0, 0.52, dice);
    svg += &fence(322.0, 346.0);
    let herd = dice.below(3);
    for i in 0..3_u8 {
        let x = 118.0 + f32::from(i) * 196.0 + dice.between(-16.0, 16.0);
        let y = dice.between(392.0, 440.0);
        let side = dice.pick(&[-1.0, 1.0]);
        svg += &match (herd, i) {
            (0, _) | (2, 1) => super::brush::placed(x, y, side, 1.0, &cow(0.0, 0.0, 0.8, dice)),
            _ => super::brush::placed(x, y, side, 1.0, &goat(0.0, 0.0, 1.0, dice)),
        };
    }
    svg + &chicken(dice.between(60.0, 560.0), 462.0, 1.0, dice)
}

fn watering_can(x: f32, y: f32) -> String {
    let tin = "#7d8f96";
    let can = line(tin, 7.0, "M26 -40L56 -62")
        + &line(tin, 6.0, "M-24 -44C-58 -52 -56 -8 -26 -10")
        + &path(tin, "M-28 -52H24L30 0H-34Z")
        + &faint(0.3, &path("#000000", "M4 -52H24L30 0H8Z"))
        + &path("#93a4aa", "M50 -70L66 -54L60 -52L48 -66Z")
        + &ellipse("#5f7076", -2.0, -52.0, 26.0, 6.0);
    super::brush::placed(x, y, 0.9, 0.9, &can)
}

/// Warm light from above ties the colours together.
fn glow(light: Light) -> String {
    faint(0.1, &rect(light.sun, 0.0, 0.0, 640.0, 480.0, 0.0))
}
