//! Neck, shoulders and what is worn on them.

use super::brush::{circle, faint, line, path, tone};
use super::cloth;
use super::dice::Dice;
use super::face::{MID, Person};

/// Shoulders from edge to edge of the chest.
const MAN: &str = "M22 660C26 556 74 500 172 474C206 500 274 500 308 474C406 500 454 556 458 660Z";
const WOMAN: &str = "M42 660C46 562 92 506 178 478C206 506 274 506 302 478C388 506 434 562 438 660Z";

pub(super) fn body(person: &Person, dice: &mut Dice) -> String {
    let shape = if person.woman { WOMAN } else { MAN };
    let wear = match (person.woman, dice.below(4)) {
        (true, 0 | 1) => dress(shape, dice),
        (true, 2) => shawl(shape, dice),
        (true, _) => blouse(shape, dice),
        (false, 0) => shuka(shape, dice),
        (false, 1) => kitenge_shirt(shape, dice),
        (false, _) => shirt(shape, dice),
    };
    let folds = faint(
        0.16,
        &(line("#000000", 5.0, "M112 560Q124 610 118 660M368 560Q356 610 362 660")
            + &path("#000000", "M330 482C402 506 452 560 458 660H372C372 590 362 530 330 482Z")),
    );
    format!(
        "<clipPath id=\"body\"><path d=\"{shape}\"/></clipPath>{}<g clip-path=\"url(#body)\">{folds}</g>{}",
        neck(person) + &wear.cloth,
        wear.over
    )
}

struct Wear {
    cloth: String,
    /// Collars, beads: laid over the folds.
    over: String,
}

fn neck(person: &Person) -> String {
    let half = if person.woman { 38.0 } else { 47.0 };
    let skin = tone(person.skin, -0.1);
    let (l, r) = (MID - half, MID + half);
    let shape = format!(
        "M{l:.0} 330V430C{l:.0} 462 {:.0} 476 150 486L180 560H300L330 486C{:.0} 476 {r:.0} 462 {r:.0} 430V330Z",
        l - 12.0,
        r + 12.0
    );
    let shadow = format!(
        "M{l:.0} 372C{:.0} {:.0} {:.0} {:.0} {r:.0} 372V420C{:.0} 448 {:.0} 448 {l:.0} 420Z",
        MID - 26.0,
        person.chin + 12.0,
        MID + 26.0,
        person.chin + 12.0,
        MID + 22.0,
        MID - 22.0
    );
    path(&skin, &shape)
        + &faint(0.45, &path(&tone(person.skin, -0.5), &shadow))
        + &faint(0.3, &line(&tone(person.skin, -0.5), 4.0, "M176 494Q206 500 226 508M304 494Q274 500 254 508"))
}

/// Printed cotton with a border at the neck, and beads.
fn dress(shape: &str, dice: &mut Dice) -> Wear {
    let print = cloth::print(dice);
    let (neckline, border) = if dice.chance(0.5) {
        (
            "M42 660C46 562 92 506 164 482C178 530 302 530 316 482C388 506 434 562 438 660Z",
            "M164 482C178 530 302 530 316 482",
        )
    } else {
        ("M42 660C46 562 92 506 170 480L240 552L310 480C388 506 434 562 438 660Z", "M170 480L240 552L310 480")
    };
    let _ = shape;
    let cloth = format!("<defs>{}</defs>", cloth::printed("print", print, dice))
        + &path("url(#print)", neckline)
        + &line(print[2], 11.0, border)
        + &line(print[1], 3.4, border);
    let over = if dice.chance(0.6) { beads(dice) } else { String::new() };
    Wear { cloth, over }
}

/// A kanga laid over one shoulder of a plain dress.
fn shawl(shape: &str, dice: &mut Dice) -> Wear {
    let print = cloth::print(dice);
    let colour = cloth::plain(dice);
    let drape = "M30 660C38 548 90 500 176 472C206 520 300 590 420 660Z";
    let cloth = format!("<defs>{}</defs>", cloth::printed("print", print, dice))
        + &path(colour, shape)
        + &path("url(#print)", drape)
        + &line(print[2], 10.0, "M176 474C206 522 300 592 420 662")
        + &line(print[1], 3.0, "M176 474C206 522 300 592 420 662");
    Wear { cloth, over: if dice.chance(0.4) { beads(dice) } else { String::new() } }
}

fn blouse(shape: &str, dice: &mut Dice) -> Wear {
    let colour = cloth::plain(dice);
    let knit = cloth::plain(dice);
    let cloth = path(colour, shape)
        + &path(knit, "M42 660C46 562 92 506 172 480C180 540 196 600 204 660Z")
        + &path(knit, "M438 660C434 562 388 506 308 480C300 540 284 600 276 660Z")
        + &line(&tone(knit, -0.2), 6.0, "M172 482C180 542 196 602 204 662M308 482C300 542 284 602 276 662");
    Wear { cloth, over: line(&tone(colour, -0.25), 5.0, "M178 480C206 508 274 508 302 480") }
}

fn shirt(shape: &str, dice: &mut Dice) -> Wear {
    let colour = cloth::plain(dice);
    let (defs, fill) = match dice.below(4) {
        0 => (cloth::striped("weave", colour, &tone(colour, -0.22)), "url(#weave)"),
        1 => (cloth::checked("weave", colour, &tone(colour, -0.35)), "url(#weave)"),
        _ => (String::new(), colour),
    };
    let collar = tone(colour, 0.16);
    let edge = tone(colour, -0.3);
    let mut over = path(&collar, "M176 462L158 490L206 540L240 506Z") + &path(&collar, "M304 462L322 490L274 540L240 506Z");
    over += &line(&edge, 2.4, "M176 464L240 506L206 540L158 490M304 464L240 506L274 540L322 490");
    over += &line(&edge, 2.4, "M240 508V660M254 530V660");
    for y in [556.0, 606.0] {
        over += &(circle("#f7f2e6", 247.0, y, 4.6) + &circle(&edge, 247.0, y, 1.6));
    }
    if dice.chance(0.35) {
        let coat = dice.pick(&["#3a3f4b", "#5a4636", "#2f4a44", "#6a5a4a"]);
        over = over
            + &path(coat, "M22 660C26 556 74 500 166 476C172 540 204 610 222 660Z")
            + &path(coat, "M458 660C454 556 406 500 314 476C308 540 276 610 258 660Z")
            + &path(&tone(coat, 0.12), "M166 476L128 520L168 548L158 572L222 660C204 610 172 540 166 476Z")
            + &path(&tone(coat, 0.06), "M314 476L352 520L312 548L322 572L258 660C276 610 308 540 314 476Z");
    }
    Wear { cloth: format!("<defs>{defs}</defs>") + &path(fill, shape), over }
}

fn kitenge_shirt(shape: &str, dice: &mut Dice) -> Wear {
    let print = cloth::print(dice);
    let cloth = format!("<defs>{}</defs>", cloth::printed("print", print, dice)) + &path("url(#print)", shape);
    let over = line(print[2], 12.0, "M176 476C206 506 274 506 304 476M240 502V590")
        + &line(print[1], 3.6, "M176 476C206 506 274 506 304 476M240 502V590")
        + &circle(print[0], 240.0, 530.0, 4.0)
        + &circle(print[0], 240.0, 562.0, 4.0);
    Wear { cloth, over }
}

/// The checked cloth of herders over a plain shirt.
fn shuka(shape: &str, dice: &mut Dice) -> Wear {
    let (ground, bar) =
        dice.pick(&[("#b92d2b", "#26305c"), ("#a62639", "#1d1d26"), ("#2f4b8f", "#a62639"), ("#c8452e", "#33205a")]);
    let cloth = format!("<defs>{}</defs>", cloth::checked("weave", ground, bar))
        + &path(cloth::plain(dice), shape)
        + &path("url(#weave)", "M10 660C22 540 80 494 190 466C226 520 320 600 452 660Z");
    let over = line(&tone(ground, -0.35), 4.0, "M190 468C226 522 320 602 452 662M150 500C160 560 150 610 160 660")
        + &line(&tone(ground, 0.3), 2.0, "M182 470C218 524 312 604 444 664");
    Wear { cloth, over: if dice.chance(0.5) { over + &beads(dice) } else { over } }
}

fn beads(dice: &mut Dice) -> String {
    let colours = dice.pick(&[
        ["#c8452e", "#f5ead2", "#27407a"],
        ["#f2cc59", "#2d6a3e", "#c8452e"],
        ["#f5ead2", "#e08a1e", "#1f6f6b"],
    ]);
    (0..=18_u8)
        .map(|i| {
            let s = f32::from(i) / 18.0;
            let (x, y) = (182.0 + 116.0 * s, 462.0 + 44.0 * (1.0 - (2.0 * s - 1.0).powi(2)));
            circle(colours[usize::from(i) % 3], x, y, 5.0)
        })
        .collect()
}
