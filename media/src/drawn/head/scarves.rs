//! Wraps, scarves and veils.

use super::super::brush::{ellipse, faint, line, path, tone};
use super::super::cloth;
use super::super::dice::Dice;
use super::super::face::{MID, Person};
use super::{Cover, crown, shade};

/// A tall wrap, tied in front.
pub(super) fn wrap(person: &Person, dice: &mut Dice) -> Cover {
    let print = cloth::print(dice);
    let defs = format!("<defs>{}</defs>", cloth::printed("wrap", print, dice));
    let (l, r) = (MID - person.wide - 8.0, MID + person.wide + 8.0);
    let tall = dice.between(46.0, 74.0);
    let shape = format!(
        "M{l:.0} 238C{:.0} 150 {:.0} {tall:.0} 236 {tall:.0}C{:.0} {:.0} {:.0} 146 {r:.0} 238C{:.0} 190 280 180 {MID} 180S{:.0} 190 {l:.0} 238Z",
        l - 26.0,
        l + 12.0,
        r - 4.0,
        tall + 4.0,
        r + 26.0,
        r - 40.0,
        l + 40.0
    );
    let fold = tone(print[0], -0.4);
    let mut front = defs + &path("url(#wrap)", &shape) + &shade(person, &shape);
    front += &faint(
        0.4,
        &line(
            &fold,
            5.0,
            &format!(
                "M{:.0} 214C190 140 262 118 {:.0} 120M{:.0} 176C180 120 220 94 290 84M{:.0} 214C290 150 236 128 196 126",
                l + 6.0,
                r - 12.0,
                l + 2.0,
                r - 6.0
            ),
        ),
    );
    let knot = MID + dice.pick(&[-34.0, 0.0, 34.0]);
    let y = tall + 20.0;
    front += &path(
        "url(#wrap)",
        &format!(
            "M{knot:.0} {y:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {knot:.0} {y:.0}Z",
            knot - 60.0,
            y - 66.0,
            knot - 92.0,
            y - 28.0,
            knot - 76.0,
            y - 4.0,
            knot - 54.0,
            y + 20.0,
            knot - 20.0,
            y + 18.0
        ),
    );
    front += &path(
        "url(#wrap)",
        &format!(
            "M{knot:.0} {y:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {knot:.0} {y:.0}Z",
            knot + 60.0,
            y - 66.0,
            knot + 92.0,
            y - 28.0,
            knot + 76.0,
            y - 4.0,
            knot + 54.0,
            y + 20.0,
            knot + 20.0,
            y + 18.0
        ),
    );
    front += &faint(0.45, &line(&fold, 4.0, &format!("M{knot:.0} {y:.0}q-30 -22 -54 -18M{knot:.0} {y:.0}q30 -22 54 -18")));
    front += &ellipse(print[1], knot, y + 2.0, 17.0, 20.0);
    front += &faint(0.3, &ellipse(&fold, knot + 5.0, y + 6.0, 9.0, 13.0));
    Cover { behind: String::new(), front, ears: true }
}

/// A scarf low over the brow, tied at the nape.
pub(super) fn scarf(person: &Person, dice: &mut Dice) -> Cover {
    let print = cloth::print(dice);
    let fill = if dice.chance(0.6) { "url(#wrap)" } else { print[0] };
    let defs = format!("<defs>{}</defs>", cloth::printed("wrap", print, dice));
    let behind = path(
        &tone(print[0], -0.25),
        &format!(
            "M{:.0} 250C{:.0} 330 {:.0} 380 {:.0} 424C{:.0} 436 {:.0} 400 {:.0} 330Z",
            MID + person.wide - 10.0,
            MID + person.wide + 26.0,
            MID + person.wide + 34.0,
            MID + person.wide + 22.0,
            MID + person.wide - 8.0,
            MID + person.wide - 20.0,
            MID + person.wide - 30.0
        ),
    );
    let shape = crown(person, 10.0, 108.0, 190.0);
    let front = defs
        + &path(fill, &shape)
        + &faint(
            0.35,
            &line(&tone(print[0], -0.5), 4.5, "M160 200C190 150 230 132 290 128M322 208C300 166 262 148 220 146"),
        )
        + &line(
            print[2],
            9.0,
            &format!(
                "M{:.0} 236C{:.0} 214 {:.0} 206 {:.0} 202C276 188 204 188 {:.0} 202C{:.0} 206 {:.0} 214 {:.0} 236",
                MID + person.wide + 5.0,
                MID + person.wide - 2.0,
                MID + person.wide - 8.0,
                MID + person.wide - 17.0,
                MID - person.wide + 17.0,
                MID - person.wide + 8.0,
                MID - person.wide + 2.0,
                MID - person.wide - 5.0
            ),
        )
        + &shade(person, &shape);
    Cover { behind, front, ears: true }
}

/// A veil that frames the face and falls over the shoulders.
pub(super) fn veil(person: &Person, dice: &mut Dice) -> Cover {
    let colour = dice.pick(&["#2f4858", "#7a3b55", "#3f6f6a", "#1f1f2b", "#b5838d", "#5b4b8a", "#8a5a34", "#d8c3a5"]);
    let dark = tone(colour, -0.3);
    let (l, r) = (MID - person.wide, MID + person.wide);
    let behind = path(
        &dark,
        &format!(
            "M{:.0} 260C{:.0} 110 {:.0} 96 {MID} 96S{:.0} 110 {:.0} 260L{:.0} 520H{:.0}Z",
            l - 34.0,
            l - 30.0,
            l + 20.0,
            r + 30.0,
            r + 34.0,
            r + 40.0,
            l - 40.0
        ),
    );
    let outer = format!(
        "M{MID} 98C{:.0} 98 {:.0} 160 {:.0} 262C{:.0} 360 {:.0} 440 70 560C66 600 60 640 60 660H420C420 640 414 600 410 560C{:.0} 440 {:.0} 360 {:.0} 262C{:.0} 160 {:.0} 98 {MID} 98Z",
        l + 10.0,
        l - 30.0,
        l - 32.0,
        l - 34.0,
        l - 30.0,
        r + 30.0,
        r + 34.0,
        r + 32.0,
        r + 30.0,
        r - 10.0
    );
    // The face stays open: the inner edge runs the other way round.
    let inner = format!(
        "M{MID} 172C{:.0} 172 {:.0} 214 {:.0} 268C{:.0} 336 {:.0} {:.0} {MID} {:.0}C{:.0} {:.0} {:.0} 336 {:.0} 268C{:.0} 214 {:.0} 172 {MID} 172Z",
        r - 20.0,
        r + 4.0,
        r - 2.0,
        r - 6.0,
        MID + person.jaw,
        person.chin - 4.0,
        person.chin + 2.0,
        MID - person.jaw,
        person.chin - 4.0,
        l + 6.0,
        l + 2.0,
        l - 4.0,
        l + 20.0
    );
    let front = format!("<path fill=\"{colour}\" fill-rule=\"evenodd\" d=\"{outer}{inner}\"/>")
        + &faint(
            0.55,
            &line(
                &dark,
                6.0,
                &format!(
                    "M{:.0} 300C{:.0} 400 190 470 120 600M{:.0} 300C{:.0} 410 300 480 340 610M{:.0} {:.0}C230 440 260 440 {:.0} {:.0}M150 470C210 520 280 520 340 470",
                    l - 8.0,
                    l - 4.0,
                    r + 8.0,
                    r + 4.0,
                    l + 30.0,
                    person.chin,
                    r - 30.0,
                    person.chin
                ),
            ),
        )
        + &faint(0.3, &line(&tone(colour, 0.5), 5.0, &format!("M{:.0} 210C{:.0} 150 200 124 250 120", l - 8.0, l + 10.0)));
    Cover { behind, front, ears: false }
}
