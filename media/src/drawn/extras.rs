//! What a face may wear: moustache, glasses, earrings.

use super::brush::{circle, line, path};
use super::dice::Dice;
use super::face::{MID, Person};
use super::features::EYES;

/// Some of them, or none. Earrings need `ears` that show.
pub(super) fn extras(person: &Person, ears: bool, dice: &mut Dice) -> String {
    let mut svg = String::new();
    if !person.woman && dice.chance(0.45) {
        svg += &line(
            person.hair,
            6.0,
            &format!(
                "M{:.0} {:.0}Q{MID} {:.0} {:.0} {:.0}",
                MID - 25.0,
                person.chin - 46.0,
                person.chin - 57.0,
                MID + 25.0,
                person.chin - 46.0
            ),
        );
    }
    if person.elder && dice.chance(0.45) {
        let frame = dice.pick(&["#2a2320", "#6b3f23", "#3b4a5a"]);
        for x in [MID - 43.0, MID + 43.0] {
            svg += &format!(
                "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"66\" height=\"50\" rx=\"20\" fill=\"#ffffff\" fill-opacity=\".12\" stroke=\"{frame}\" stroke-width=\"4.5\"/>",
                x - 33.0,
                EYES - 25.0
            );
        }
        svg += &line(frame, 4.5, &format!("M230 {:.0}Q240 {:.0} 250 {:.0}", EYES - 6.0, EYES - 12.0, EYES - 6.0));
        svg += &line(
            frame,
            4.0,
            &format!(
                "M164 {:.0}L{:.0} {:.0}M316 {:.0}L{:.0} {:.0}",
                EYES - 8.0,
                MID - person.wide,
                EYES - 11.0,
                EYES - 8.0,
                MID + person.wide,
                EYES - 11.0
            ),
        );
    }
    if person.woman && ears {
        let metal = dice.pick(&["#e3b04b", "#d98e3a", "#f1e3c0", "#c8452e"]);
        let hoops = dice.chance(0.5);
        for side in [-1.0_f32, 1.0] {
            let x = MID + side * (person.wide + 4.0);
            svg += &if hoops {
                format!("<circle cx=\"{x:.0}\" cy=\"314\" r=\"13\" fill=\"none\" stroke=\"{metal}\" stroke-width=\"3.6\"/>")
            } else {
                circle(metal, x, 303.0, 5.5) + &path(metal, &format!("M{x:.0} 308l7 20h-14Z"))
            };
        }
    }
    svg
}
