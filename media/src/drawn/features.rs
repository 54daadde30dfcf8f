//! Eyes, nose, mouth and the lines that years leave.

use super::brush::{circle, ellipse, faint, line, path, tone};
use super::dice::Dice;
use super::face::{MID, Person};

/// How high the eyes are.
pub(super) const EYES: f32 = 268.0;

pub(super) fn features(person: &Person, dice: &mut Dice) -> String {
    let skin = person.skin;
    let dark = tone(skin, -0.45);
    let apart = dice.between(40.0, 44.0);
    let arch = dice.between(4.0, 11.0);
    let size = dice.between(0.9, 1.1);
    let brow = if person.elder && !person.woman { person.hair } else { "#1e1410" };
    let mut svg = String::new();
    for side in [-1.0_f32, 1.0] {
        let x = MID + side * apart;
        svg += &format!(
            "<g transform=\"translate({x:.1} {EYES}) scale({size:.2}) translate({:.1} -{EYES})\">{}</g>",
            -x,
            eye(person, x, side, &dark)
        );
        let (inner, outer) = (x - side * 20.0, x + side * 26.0);
        let width = if person.woman { 5.0 } else { 7.5 };
        svg += &line(
            brow,
            width,
            &format!(
                "M{inner:.1} {:.1}Q{:.1} {:.1} {outer:.1} {:.1}",
                EYES - 24.0,
                x + side * 4.0,
                EYES - 28.0 - arch,
                EYES - 21.0
            ),
        );
    }
    svg + &nose(skin, dice) + &mouth(person, dice) + &age(person, &dark, apart)
}

fn eye(person: &Person, x: f32, side: f32, dark: &str) -> String {
    // A smile lifts the lower lid.
    let low = if person.smile { 6.0 } else { 9.0 };
    let y = EYES;
    let almond = format!(
        "M{:.1} {y:.1}Q{x:.1} {:.1} {:.1} {y:.1}Q{x:.1} {:.1} {:.1} {y:.1}Z",
        x - 18.0,
        y - 20.0,
        x + 18.0,
        y + low * 1.6,
        x - 18.0
    );
    let id = if side < 0.0 { "el" } else { "er" };
    let ball = circle("#2b170e", x + 1.0, y - 2.5, 9.2) + &circle("#0e0705", x + 1.0, y - 2.5, 4.6);
    let mut svg = faint(
        0.35,
        &path(
            dark,
            &format!(
                "M{:.1} {y:.1}Q{x:.1} {:.1} {:.1} {y:.1}Q{x:.1} {:.1} {:.1} {y:.1}Z",
                x - 21.0,
                y - 29.0,
                x + 21.0,
                y + 12.0,
                x - 21.0
            ),
        ),
    );
    svg += &path("#fbf4ea", &almond);
    svg += &format!("<clipPath id=\"{id}\"><path d=\"{almond}\"/></clipPath><g clip-path=\"url(#{id})\">{ball}</g>");
    svg += &circle("#ffffff", x - 2.0, y - 6.0, 2.6);
    svg += &line("#1a0f0a", 3.6, &format!("M{:.1} {:.1}Q{x:.1} {:.1} {:.1} {y:.1}", x - 18.5, y + 0.5, y - 20.5, x + 18.5));
    if person.woman {
        let end = x + side * 18.5;
        svg += &line("#1a0f0a", 3.0, &format!("M{end:.1} {y:.1}l{:.1} -5", side * 6.0));
    }
    svg
}

fn nose(skin: &str, dice: &mut Dice) -> String {
    let wide = dice.between(19.0, 24.0);
    let y = dice.between(324.0, 330.0);
    let shade = tone(skin, -0.32);
    let wing = |side: f32| {
        let x = MID + side * wide;
        line(
            &shade,
            4.0,
            &format!(
                "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
                x - side * 1.0,
                y - 11.0,
                x + side * 5.0,
                y + 2.0,
                x - side * 8.0,
                y + 4.0
            ),
        )
    };
    faint(
        0.4,
        &path(
            &shade,
            &format!(
                "M{:.1} 270C{:.1} 296 {:.1} 312 {:.1} {y:.1}C{:.1} {:.1} {:.1} {:.1} {MID} {:.1}C{:.1} 310 {:.1} 290 {:.1} 270Z",
                MID + 11.0,
                MID + 13.0,
                MID + wide,
                MID + wide + 1.0,
                MID + wide * 0.8,
                y + 9.0,
                MID + 6.0,
                y + 8.0,
                y + 6.0,
                MID + 7.0,
                MID + 6.0,
                MID + 5.0
            ),
        ),
    ) + &faint(0.2, &ellipse("#ffe6c8", MID - 3.0, y - 20.0, 5.5, 17.0))
        + &faint(0.22, &ellipse("#ffe6c8", MID - 3.0, y - 4.0, 8.5, 6.0))
        + &wing(-1.0)
        + &wing(1.0)
        + &line(
            &shade,
            3.4,
            &format!("M{:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}", MID - 9.0, y + 6.0, y + 11.0, MID + 9.0, y + 6.0),
        )
        + &faint(
            0.55,
            &(ellipse(&tone(skin, -0.7), MID - 10.0, y + 3.5, 4.4, 2.4)
                + &ellipse(&tone(skin, -0.7), MID + 10.0, y + 3.5, 4.4, 2.4)),
        )
}

fn mouth(person: &Person, dice: &mut Dice) -> String {
    let y = person.chin - dice.between(33.0, 38.0);
    let half = dice.between(29.0, 36.0);
    let (l, r) = (MID - half, MID + half);
    let lip = if person.woman {
        dice.pick(&["#a8453f", "#8e3b3a", "#9a4a3c", "#b0504e"]).to_owned()
    } else {
        tone(person.skin, -0.3)
    };
    let low = tone(&lip, 0.14);
    let shadow = faint(0.28, &ellipse(&tone(person.skin, -0.6), MID, y + 24.0, 17.0, 4.0));
    let corners = line(
        &tone(person.skin, -0.4),
        3.0,
        &format!("M{:.1} {:.1}q-4 -1 -6 -5M{:.1} {:.1}q4 -1 6 -5", l, y - 3.0, r, y - 3.0),
    );
    if person.smile {
        let upper = format!(
            "M{l:.1} {:.1}Q{:.1} {:.1} {MID} {:.1}Q{:.1} {:.1} {r:.1} {:.1}",
            y - 4.0,
            MID - 14.0,
            y - 9.0,
            y - 5.0,
            MID + 14.0,
            y - 9.0,
            y - 4.0
        );
        return shadow
            + &path(&low, &format!("{upper}Q{MID} {:.1} {l:.1} {:.1}Z", y + 38.0, y - 4.0))
            + &path(
                "#5a1d1c",
                &format!(
                    "M{:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}Z",
                    l + 4.0,
                    y - 3.0,
                    y + 2.0,
                    r - 4.0,
                    y - 3.0,
                    y + 25.0,
                    l + 4.0,
                    y - 3.0
                ),
            )
            + &path(
                "#fdfaf3",
                &format!(
                    "M{:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}Z",
                    l + 6.0,
                    y - 2.5,
                    y + 2.0,
                    r - 6.0,
                    y - 2.5,
                    y + 18.0,
                    l + 6.0,
                    y - 2.5
                ),
            )
            + &line(
                &lip,
                4.2,
                &format!(
                    "M{l:.1} {:.1}Q{:.1} {:.1} {MID} {:.1}Q{:.1} {:.1} {r:.1} {:.1}",
                    y - 4.5,
                    MID - 13.0,
                    y - 3.0,
                    y - 1.5,
                    MID + 13.0,
                    y - 3.0,
                    y - 4.5
                ),
            )
            + &corners;
    }
    shadow
        + &path(
            &lip,
            &format!(
                "M{l:.1} {y:.1}Q{:.1} {:.1} {MID} {:.1}Q{:.1} {:.1} {r:.1} {y:.1}Q{MID} {:.1} {l:.1} {y:.1}Z",
                MID - 10.0,
                y - 14.0,
                y - 7.0,
                MID + 10.0,
                y - 14.0,
                y + 8.0
            ),
        )
        + &path(&low, &format!("M{l:.1} {y:.1}Q{MID} {:.1} {r:.1} {y:.1}Q{MID} {:.1} {l:.1} {y:.1}Z", y + 9.0, y + 29.0))
        + &line(&tone(&lip, -0.45), 2.6, &format!("M{:.1} {:.1}Q{MID} {:.1} {:.1} {:.1}", l + 1.0, y, y + 8.0, r - 1.0, y))
        + &corners
}

/// Lines that years leave.
fn age(person: &Person, dark: &str, apart: f32) -> String {
    if !person.elder {
        return String::new();
    }
    let mut svg = String::new();
    for side in [-1.0_f32, 1.0] {
        let x = MID + side * apart;
        svg += &line(
            dark,
            2.2,
            &format!(
                "M{:.1} {:.1}q{:.1} 5 {:.1} 1M{:.1} {:.1}l{:.1} -4M{:.1} {:.1}l{:.1} 4",
                x - 12.0,
                EYES + 15.0,
                12.0,
                24.0,
                x + side * 24.0,
                EYES - 1.0,
                side * 9.0,
                x + side * 24.0,
                EYES + 6.0,
                side * 9.0
            ),
        );
        svg += &line(
            dark,
            2.6,
            &format!("M{:.1} 326Q{:.1} 342 {:.1} 356", MID + side * 32.0, MID + side * 46.0, MID + side * 47.0),
        );
    }
    faint(0.55, &(svg + &line(dark, 2.2, "M206 214Q240 208 274 214M214 200Q240 195 266 200")))
}
