//! Caps and hats.

use super::super::brush::{circle, ellipse, faint, line, path, tone};
use super::super::dice::Dice;
use super::super::face::{MID, Person};
use super::{Cover, shade};

/// The embroidered cap of the coast.
pub(super) fn kofia(person: &Person, dice: &mut Dice) -> Cover {
    let colour = dice.pick(&["#f3ead8", "#e8d9b8", "#3f5a6b", "#7a2f2a", "#2f5d50"]);
    let thread = dice.pick(&["#b8862f", "#2f5d7a", "#8c3b2e"]);
    let (l, r) = (MID - person.wide - 2.0, MID + person.wide + 2.0);
    let band = format!(
        "M{l:.0} 208C{:.0} 176 {:.0} 176 {r:.0} 208V150C{:.0} 118 {:.0} 118 {l:.0} 150Z",
        l + 44.0,
        r - 44.0,
        r - 44.0,
        l + 44.0
    );
    let figures: String = (0..9_u8)
        .map(|i| {
            let s = f32::from(i) / 8.0;
            let (x, y) = (l + 14.0 + (r - l - 28.0) * s, 180.0 - 22.0 * (1.0 - (2.0 * s - 1.0).powi(2)));
            path(thread, &format!("M{x:.0} {:.0}l9 13l-9 13l-9 -13Z", y - 13.0)) + &circle(colour, x, y, 3.4)
        })
        .collect();
    let front = path(
        person.hair,
        &format!(
            "M{:.0} 258C{:.0} 236 {l:.0} 214 {l:.0} 200L{:.0} 206C{:.0} 226 {:.0} 240 {:.0} 256Z",
            l,
            l - 4.0,
            l + 14.0,
            l + 12.0,
            l + 10.0,
            l + 8.0
        ),
    ) + &path(
        person.hair,
        &format!(
            "M{:.0} 258C{:.0} 236 {r:.0} 214 {r:.0} 200L{:.0} 206C{:.0} 226 {:.0} 240 {:.0} 256Z",
            r,
            r + 4.0,
            r - 14.0,
            r - 12.0,
            r - 10.0,
            r - 8.0
        ),
    ) + &ellipse(&tone(colour, -0.12), MID, 142.0, person.wide - 6.0, 30.0)
        + &path(colour, &band)
        + &figures
        + &shade(person, &band)
        + &line(
            thread,
            3.0,
            &format!(
                "M{l:.0} 204C{:.0} 172 {:.0} 172 {r:.0} 204M{l:.0} 156C{:.0} 124 {:.0} 124 {r:.0} 156",
                l + 44.0,
                r - 44.0,
                l + 44.0,
                r - 44.0
            ),
        );
    Cover { behind: String::new(), front, ears: true }
}

pub(super) fn straw_hat(person: &Person, dice: &mut Dice) -> Cover {
    let straw = dice.pick(&["#d9b36a", "#c99b4f", "#e3c68a"]);
    let ribbon = dice.pick(&["#8c3b2e", "#2f5d50", "#27407a", "#3a2a20"]);
    let dark = tone(straw, -0.3);
    let front = faint(0.3, &ellipse("#1a0d06", MID, 206.0, person.wide, 26.0))
        + &ellipse(&dark, MID, 190.0, 182.0, 40.0)
        + &ellipse(straw, MID, 184.0, 182.0, 38.0)
        + &path(straw, "M152 184C152 110 180 82 240 82S328 110 328 184C300 204 180 204 152 184Z")
        + &path(ribbon, "M151 168C180 188 300 188 329 168L329 188C300 208 180 208 151 188Z")
        + &faint(
            0.5,
            &line(
                &dark,
                2.4,
                "M160 140C190 154 290 154 320 140M170 114C200 126 280 126 310 114M70 190C130 214 350 214 410 190M92 172C110 166 130 162 146 160M388 172C370 166 350 162 334 160",
            ),
        )
        + &faint(0.18, &path("#3a1d08", "M262 84C318 92 328 130 328 184C312 196 290 198 272 199C288 160 284 110 262 84Z"));
    Cover { behind: String::new(), front, ears: true }
}

pub(super) fn cap(person: &Person, dice: &mut Dice) -> Cover {
    let colour = dice.pick(&["#27407a", "#8c2f2a", "#2f5d3f", "#3a3a42", "#d08a2a"]);
    let (l, r) = (MID - person.wide - 3.0, MID + person.wide + 3.0);
    let sides = path(
        person.hair,
        &format!(
            "M{l:.0} 258C{:.0} 236 {l:.0} 214 {l:.0} 196H{:.0}C{:.0} 226 {:.0} 240 {:.0} 256ZM{r:.0} 258C{:.0} 236 {r:.0} 214 {r:.0} 196H{:.0}C{:.0} 226 {:.0} 240 {:.0} 256Z",
            l - 3.0,
            l + 14.0,
            l + 12.0,
            l + 10.0,
            l + 8.0,
            r + 3.0,
            r - 14.0,
            r - 12.0,
            r - 10.0,
            r - 8.0
        ),
    );
    let dome =
        format!("M{l:.0} 204C{:.0} 120 190 104 240 104S{:.0} 120 {r:.0} 204C300 176 180 176 {l:.0} 204Z", l - 4.0, r + 4.0);
    let front = sides
        + &path(colour, &dome)
        + &shade(person, &dome)
        + &faint(
            0.4,
            &line(&tone(colour, -0.5), 3.0, "M240 106V180M196 116C184 140 180 166 178 186M284 116C296 140 300 166 302 186"),
        )
        + &path(
            &tone(colour, -0.28),
            &format!(
                "M{:.0} 200C190 168 290 168 {:.0} 200C{:.0} 212 {:.0} 218 {:.0} 216C290 196 190 196 {:.0} 216C{:.0} 218 {:.0} 212 {:.0} 200Z",
                l + 4.0,
                r - 4.0,
                r + 8.0,
                r + 4.0,
                r - 8.0,
                l + 8.0,
                l - 4.0,
                l - 8.0,
                l + 4.0
            ),
        )
        + &circle(&tone(colour, 0.3), MID, 105.0, 6.0);
    Cover { behind: String::new(), front, ears: true }
}
