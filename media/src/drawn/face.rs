//! A drawn adult from the chest up, 480 × 640.

use super::backdrop::backdrop;
use super::brush::{document, ellipse, faint, path, tone};
use super::dice::Dice;
use super::extras::extras;
use super::features::features;
use super::{body, head};

/// Skins from light brown to very dark.
const SKINS: [&str; 7] = ["#a86f48", "#96603c", "#835030", "#704329", "#5e3622", "#4d2b1b", "#40241a"];
const HAIR: [&str; 3] = ["#1d1512", "#241814", "#2a1c17"];
const GREY: [&str; 3] = ["#8d8781", "#b8b2aa", "#6a635e"];

/// The middle of the face from left to right.
pub(super) const MID: f32 = 240.0;

/// What stays the same from layer to layer.
pub(super) struct Person {
    pub woman: bool,
    pub elder: bool,
    pub skin: &'static str,
    pub hair: &'static str,
    /// Half the width of the face at the temples.
    pub wide: f32,
    /// Half the width of the jaw, as a control point.
    pub jaw: f32,
    pub chin: f32,
    pub smile: bool,
}

/// A portrait of a drawn adult as SVG, 480 × 640; the same seed draws the same person.
pub fn face(seed: u64) -> String {
    let dice = &mut Dice::new(seed, 1);
    let woman = dice.chance(0.58);
    let elder = dice.chance(0.3);
    let person = Person {
        woman,
        elder,
        skin: dice.pick(&SKINS),
        hair: if elder { dice.pick(&GREY) } else { dice.pick(&HAIR) },
        wide: if woman { dice.between(86.0, 95.0) } else { dice.between(91.0, 100.0) },
        jaw: if woman { dice.between(50.0, 62.0) } else { dice.between(62.0, 76.0) },
        chin: if woman { dice.between(380.0, 390.0) } else { dice.between(388.0, 400.0) },
        smile: dice.chance(0.55),
    };
    let cover = head::cover(&person, dice);
    let ground = backdrop(dice);
    let body = body::body(&person, dice);
    let head = [skull(&person, cover.ears), features(&person, dice), cover.front, extras(&person, cover.ears, dice)];
    // A head held a little to one side looks at you; one held straight looks at nobody.
    let (tilt, size) = (dice.between(-4.5, 4.5), dice.between(0.97, 1.05));
    let held = |inner: &str| {
        format!("<g transform=\"translate(240 464) rotate({tilt:.1}) scale({size:.3}) translate(-240 -430)\">{inner}</g>")
    };
    document(480, 640, &[ground, held(&cover.behind), body, held(&head.concat())].concat())
}

/// Ears and the shape of the face, lit from the left.
fn skull(person: &Person, ears: bool) -> String {
    let Person { skin, wide, jaw, chin, .. } = *person;
    let (left, right) = (MID - wide, MID + wide);
    let outline = format!(
        "M{left:.0} 252C{left:.0} 172 {:.0} 138 {MID} 138S{right:.0} 172 {right:.0} 252C{right:.0} 318 {:.0} {chin:.0} {MID} {chin:.0}C{:.0} {chin:.0} {left:.0} 318 {left:.0} 252Z",
        MID - wide * 0.62,
        MID + jaw,
        MID - jaw
    );
    let mut svg = String::new();
    if ears {
        for side in [-1.0, 1.0] {
            svg += &ellipse(&tone(skin, -0.1), MID + side * (wide + 1.0), 276.0, 14.0, 24.0);
            svg += &ellipse(&tone(skin, -0.3), MID + side * (wide + 3.0), 276.0, 6.0, 13.0);
        }
    }
    svg += &format!("<clipPath id=\"face\"><path d=\"{outline}\"/></clipPath>");
    svg += "<radialGradient id=\"glow\"><stop offset=\"0\" stop-color=\"#ffcf9e\" stop-opacity=\".26\"/><stop offset=\"1\" stop-color=\"#ffcf9e\" stop-opacity=\"0\"/></radialGradient>";
    svg += &path(skin, &outline);
    let light = [
        faint(
            0.2,
            &path(
                &tone(skin, -0.6),
                &format!(
                    "M{:.0} 130C{:.0} 220 {:.0} 330 {MID} 410H360V130Z",
                    MID + wide * 0.5,
                    MID + wide * 0.9,
                    MID + wide * 0.66
                ),
            ),
        ),
        ellipse("url(#glow)", MID - 24.0, 194.0, 76.0, 48.0),
        ellipse("url(#glow)", MID - wide * 0.56, 314.0, 40.0, 30.0),
        ellipse("url(#glow)", MID + wide * 0.5, 316.0, 34.0, 26.0),
    ];
    svg + &format!("<g clip-path=\"url(#face)\">{}</g>", light.concat())
}

/// Whether [`face`] of this seed is a woman's: demo data must not call her a man.
pub fn is_woman(seed: u64) -> bool {
    Dice::new(seed, 1).chance(0.58)
}
