//! Hair and beards.

use super::super::brush::{circle, ellipse, faint, line, path, tone};
use super::super::dice::Dice;
use super::super::face::{MID, Person};
use super::{Cover, crown};

pub(super) fn braids(person: &Person) -> Cover {
    let hair = person.hair;
    let behind: String = (0..9_u8)
        .map(|i| {
            let x = MID - person.wide - 4.0 + f32::from(i) * (person.wide * 2.0 + 8.0) / 8.0;
            let lean = (x - MID) * 0.2;
            line(hair, 15.0, &format!("M{x:.0} 200C{:.0} 320 {:.0} 400 {:.0} 490", x + lean, x + lean, x + lean * 0.4))
                + &format!("<path fill=\"none\" stroke=\"{}\" stroke-width=\"10\" stroke-dasharray=\"2 9\" d=\"M{x:.0} 200C{:.0} 320 {:.0} 400 {:.0} 490\"/>", tone(hair, 0.25), x + lean, x + lean, x + lean * 0.4)
                + &circle(["#e3b04b", "#c8452e", "#f5ead2"][usize::from(i) % 3], x + lean * 0.4, 488.0, 6.5)
        })
        .collect();
    let rows: String = (0..7_u8)
        .map(|i| {
            let x = MID - 66.0 + f32::from(i) * 22.0;
            format!("M{x:.0} 194Q{:.0} 150 {:.0} 124", MID + (x - MID) * 0.86, MID + (x - MID) * 0.5)
        })
        .collect();
    let front = path(hair, &crown(person, 6.0, 116.0, 182.0)) + &line(&tone(person.skin, -0.15), 2.4, &rows);
    Cover { behind, front, ears: false }
}

pub(super) fn bun(person: &Person) -> Cover {
    let hair = person.hair;
    let behind = circle(hair, MID, 100.0, 52.0)
        + &faint(0.4, &line(&tone(hair, 0.3), 4.0, "M206 92Q238 60 274 88M212 116Q240 88 270 112"));
    let front = path(hair, &crown(person, 4.0, 120.0, 176.0))
        + &faint(
            0.3,
            &line(
                &tone(hair, 0.4),
                3.0,
                "M176 196Q196 150 228 130M206 186Q218 154 236 132M304 196Q284 150 252 130M274 186Q262 154 244 132",
            ),
        )
        + &line("#c8452e", 8.0, "M204 126Q240 116 276 126");
    Cover { behind, front, ears: true }
}

/// A short round afro.
pub(super) fn round_hair(person: &Person) -> Cover {
    let hair = person.hair;
    let behind: String = (0..26_u8)
        .map(|i| {
            let turn = std::f32::consts::PI * (f32::from(i) / 25.0 * 1.3 + 0.85);
            circle(hair, MID + turn.cos() * (person.wide + 8.0), 226.0 + turn.sin() * 104.0, 26.0)
        })
        .collect();
    let front = path(hair, &crown(person, 8.0, 106.0, 184.0))
        + &faint(
            0.25,
            &(0..24_u8)
                .map(|i| {
                    circle(
                        &tone(hair, 0.45),
                        MID - 84.0 + f32::from(i * 7 % 24) * 7.2,
                        116.0 + f32::from(i * 11 % 24) * 2.6,
                        3.0,
                    )
                })
                .collect::<String>(),
        );
    Cover { behind, front, ears: true }
}

pub(super) fn short_hair(person: &Person, dice: &mut Dice) -> Cover {
    let top = dice.between(112.0, 128.0);
    let hairline = dice.between(166.0, 182.0);
    let beard = if dice.chance(0.35) { beard(person) } else { String::new() };
    let front = path(person.hair, &crown(person, 2.0, top, hairline))
        + &faint(
            0.18,
            &line(&tone(person.hair, 0.6), 9.0, &format!("M186 158Q214 {:.0} 252 {:.0}", top + 16.0, top + 12.0)),
        );
    Cover { behind: String::new(), front: front + &beard, ears: true }
}

pub(super) fn bald(person: &Person) -> Cover {
    let (l, r) = (MID - person.wide, MID + person.wide);
    let sides = path(
        person.hair,
        &format!(
            "M{:.0} 262C{:.0} 226 {:.0} 196 {:.0} 178C{:.0} 204 {:.0} 236 {:.0} 256Z",
            l - 3.0,
            l - 8.0,
            l - 2.0,
            l + 20.0,
            l + 8.0,
            l + 10.0,
            l + 7.0
        ),
    ) + &path(
        person.hair,
        &format!(
            "M{:.0} 262C{:.0} 226 {:.0} 196 {:.0} 178C{:.0} 204 {:.0} 236 {:.0} 256Z",
            r + 3.0,
            r + 8.0,
            r + 2.0,
            r - 20.0,
            r - 8.0,
            r - 10.0,
            r - 7.0
        ),
    );
    Cover {
        behind: String::new(),
        front: sides + &ellipse("url(#glow)", 218.0, 172.0, 58.0, 28.0) + &beard(person),
        ears: true,
    }
}

fn beard(person: &Person) -> String {
    let (l, r, chin) = (MID - person.wide, MID + person.wide, person.chin);
    let shape = format!(
        "M{:.0} 290C{:.0} 350 {:.0} {:.0} {MID} {:.0}C{:.0} {:.0} {:.0} 350 {:.0} 290C{:.0} 330 {:.0} {:.0} {MID} {:.0}C{:.0} {:.0} {:.0} 330 {:.0} 290Z",
        l + 1.0,
        l + 4.0,
        MID - person.jaw,
        chin + 10.0,
        chin + 10.0,
        MID + person.jaw,
        chin + 10.0,
        r - 4.0,
        r - 1.0,
        r - 12.0,
        MID + 46.0,
        chin - 14.0,
        chin - 13.0,
        MID - 46.0,
        chin - 14.0,
        l + 12.0,
        l + 1.0
    );
    path(person.hair, &shape)
}
