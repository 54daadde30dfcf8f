//! What is on a head: hair, a scarf or a hat.

mod hair;
mod hats;
mod scarves;

use super::brush::{faint, path};
use super::dice::Dice;
use super::face::{MID, Person};

/// What covers the head.
pub(super) struct Cover {
    pub behind: String,
    pub front: String,
    /// The ears can be seen.
    pub ears: bool,
}

pub(super) fn cover(person: &Person, dice: &mut Dice) -> Cover {
    if person.woman {
        match dice.below(8) {
            0 | 1 => scarves::wrap(person, dice),
            2 | 3 => scarves::scarf(person, dice),
            4 => scarves::veil(person, dice),
            5 => hair::braids(person),
            6 => hair::bun(person),
            _ => hair::round_hair(person),
        }
    } else {
        match dice.below(8) {
            0 => hats::kofia(person, dice),
            1 => hats::straw_hat(person, dice),
            2 => hats::cap(person, dice),
            3 if person.elder => hair::bald(person),
            _ => hair::short_hair(person, dice),
        }
    }
}

/// An outline over the top of the head, from temple to temple: `out` pixels outside the skull, up to
/// `top`, with its lower edge at `hairline` (both y in the middle).
fn crown(person: &Person, out: f32, top: f32, hairline: f32) -> String {
    let (l, r) = (MID - person.wide - out, MID + person.wide + out);
    format!(
        "M{l:.0} 256C{:.0} 170 {:.0} {top:.0} {MID} {top:.0}S{:.0} 170 {r:.0} 256C{:.0} 232 {:.0} 212 {:.0} {:.0}C{:.0} {hairline:.0} {:.0} {hairline:.0} {:.0} {:.0}C{:.0} 212 {:.0} 232 {l:.0} 256Z",
        l - 4.0,
        MID - person.wide * 0.72,
        r + 4.0,
        r - 6.0,
        r - 12.0,
        r - 26.0,
        hairline + 14.0,
        MID + 34.0,
        MID - 34.0,
        l + 26.0,
        hairline + 14.0,
        l + 12.0,
        l + 6.0
    )
}

/// The right side of what is on the head lies in shadow.
fn shade(person: &Person, shape: &str) -> String {
    let r = MID + person.wide;
    let dark =
        format!("M{:.0} 40C{:.0} 90 {:.0} 170 {:.0} 270H{:.0}V40Z", MID + 20.0, r - 30.0, r - 20.0, r - 26.0, r + 60.0);
    format!(
        "<clipPath id=\"cover\"><path d=\"{shape}\"/></clipPath><g clip-path=\"url(#cover)\">{}</g>",
        faint(0.16, &path("#000000", &dark))
    )
}
