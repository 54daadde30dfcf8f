//! Huts, houses with iron roofs, kiosks and water tanks; x, y is the middle of the foot.

use super::brush::{circle, ellipse, faint, line, path, placed, rect, tone};
use super::dice::Dice;

const WALLS: [&str; 6] = ["#d8a878", "#e9d3ac", "#c98b62", "#b9d0c4", "#e7c1a0", "#d7c9a8"];
const WOOD: [&str; 5] = ["#2f7d8c", "#3c6b43", "#9c3f2c", "#6b4a34", "#35618e"];

/// A round house with a thatched roof.
pub(super) fn hut(x: f32, y: f32, size: f32, dice: &mut Dice) -> String {
    let wall = dice.pick(&["#b9835a", "#a8714b", "#c99a6e"]);
    let thatch = dice.pick(&["#b6934f", "#a9874a", "#c2a05c"]);
    let mut hut = shadow(96.0);
    hut += &path(wall, "M-78 -84V-4C-50 6 50 6 78 -4V-84Z");
    hut += &path(dice.pick(&["#8a4a32", "#f1e4c8", "#6a4a3a"]), "M-78 -28V-4C-50 6 50 6 78 -4V-28C50 -18 -50 -18 -78 -28Z");
    hut += &faint(0.2, &path("#2a1408", "M20 -84H78V-4C64 1 44 3 26 3.5Z"));
    hut += &path("#4a2f22", "M-22 3V-58C-22 -74 22 -74 22 -58V3Z");
    hut += &path(dice.pick(&WOOD), "M-17 2V-56C-17 -69 17 -69 17 -56V2Z");
    hut += &line("#00000055", 2.0, "M0 -64V2");
    hut += &path(&tone(thatch, -0.25), "M-112 -74C-60 -62 60 -62 112 -74L104 -86H-104Z");
    hut += &path(thatch, "M0 -186C-30 -150 -84 -104 -112 -74C-60 -66 60 -66 112 -74C84 -104 30 -150 0 -186Z");
    hut += &faint(
        0.5,
        &line(
            &tone(thatch, -0.35),
            2.2,
            "M-6 -176C-30 -140 -64 -104 -88 -76M-2 -176C-14 -140 -30 -104 -44 -72M2 -176C6 -140 6 -104 4 -70M4 -176C20 -140 40 -104 52 -72M6 -176C34 -140 66 -104 92 -76M-52 -124Q0 -108 52 -124M-82 -98Q0 -80 82 -98",
        ),
    );
    hut += &faint(0.16, &path("#2a1408", "M0 -186C30 -150 84 -104 112 -74C86 -70 56 -68 28 -67C26 -110 16 -150 0 -186Z"));
    hut += &path(&tone(thatch, -0.3), "M-10 -176L0 -198L10 -176Z");
    placed(x, y, size, size, &hut)
}

/// A long house under corrugated iron.
pub(super) fn iron_house(x: f32, y: f32, size: f32, dice: &mut Dice) -> String {
    let wall = dice.pick(&WALLS);
    let wood = dice.pick(&WOOD);
    let roof = dice.pick(&["#9aa7ad", "#8d9aa0", "#a4553c", "#7f98a0", "#b0b7b4"]);
    let mut house = shadow(160.0);
    house += &rect(wall, -140.0, -112.0, 280.0, 114.0, 0.0);
    house += &rect(&tone(wall, -0.35), -140.0, -22.0, 280.0, 24.0, 0.0);
    house += &faint(0.16, &rect("#2a1408", -140.0, -112.0, 280.0, 16.0, 0.0));
    house += &path(roof, "M-168 -104L-132 -170H132L168 -104Z");
    house += &faint(
        0.4,
        &line(
            &tone(roof, -0.4),
            2.0,
            &(0..15_i8)
                .map(|i| {
                    let t = f32::from(i - 7);
                    format!("M{:.0} -169L{:.0} -105", t * 18.0, t * 23.0)
                })
                .collect::<String>(),
        ),
    );
    house += &faint(0.22, &path("#ffffff", "M-132 -170H-40L-66 -104H-168Z"));
    if roof != "#a4553c" {
        house += &faint(0.35, &path("#a5603a", "M60 -170H96L120 -104H84Z"));
    }
    house += &line(&tone(roof, -0.35), 5.0, "M-168 -103H168");
    house += &(rect(&tone(wood, -0.4), -24.0, -86.0, 48.0, 88.0, 0.0)
        + &rect(wood, -20.0, -82.0, 40.0, 84.0, 0.0)
        + &circle("#f0d68a", 13.0, -38.0, 2.6)
        + &line("#00000044", 1.6, "M0 -82V2"));
    for side in [-84.0, 84.0] {
        house += &(rect(&tone(wood, -0.1), side - 30.0, -84.0, 60.0, 48.0, 2.0)
            + &rect("#3a4a52", side - 25.0, -79.0, 50.0, 38.0, 0.0)
            + &faint(0.35, &path("#cfe6ee", &format!("M{:.0} -79h18l-22 38h-18Z", side - 3.0)))
            + &line(wood, 3.6, &format!("M{side:.0} -80V-40M{:.0} -60H{:.0}", side - 26.0, side + 26.0))
            + &rect(&tone(wall, -0.3), side - 34.0, -36.0, 68.0, 6.0, 2.0));
    }
    house += &rect(&tone(wall, -0.45), -40.0, 0.0, 80.0, 8.0, 2.0);
    placed(x, y, size, size, &house)
}

/// A kiosk with goods on its shelves and an awning.
pub(super) fn duka(x: f32, y: f32, dice: &mut Dice) -> String {
    let paint = dice.pick(&["#c8402f", "#2f7d5c", "#2a6aa0", "#e0a02c", "#7a3f78", "#2f8a94"]);
    let goods = ["#e4572e", "#f2d04f", "#3c8a5a", "#f5ead2", "#3f6fa8", "#c2436a", "#8a5a34"];
    let mut shop = shadow(190.0);
    shop += &(rect(paint, -166.0, -196.0, 332.0, 198.0, 3.0) + &rect(&tone(paint, -0.3), -166.0, -34.0, 332.0, 36.0, 0.0));
    shop += &rect("#3a2920", -132.0, -146.0, 188.0, 92.0, 2.0);
    for shelf in 0..3_u8 {
        let base = -118.0 + f32::from(shelf) * 30.0;
        let mut at = -124.0;
        while at < 40.0 {
            let (w, h) = (dice.between(9.0, 16.0), dice.between(14.0, 23.0));
            shop += &rect(dice.pick(&goods), at, base - h, w, h, dice.pick(&[1.0, 3.0, 5.0]));
            at += w + dice.between(1.5, 5.0);
        }
        shop += &rect("#8a6544", -132.0, base, 188.0, 4.0, 0.0);
    }
    shop += &rect("#b98a58", -144.0, -56.0, 212.0, 12.0, 2.0);
    shop += &(rect(&tone(paint, -0.45), 84.0, -140.0, 62.0, 142.0, 0.0)
        + &rect(&tone(paint, 0.22), 89.0, -135.0, 52.0, 137.0, 0.0)
        + &rect(&tone(paint, 0.08), 96.0, -126.0, 38.0, 50.0, 2.0)
        + &rect(&tone(paint, 0.08), 96.0, -66.0, 38.0, 56.0, 2.0)
        + &circle("#f3e3b0", 130.0, -70.0, 3.0));
    // A board with a picture for those who don't read: a sun over a basket.
    shop += &(rect("#f7eedb", -120.0, -190.0, 240.0, 32.0, 4.0)
        + &circle(paint, -92.0, -174.0, 9.0)
        + &rect(&tone(paint, -0.1), -66.0, -182.0, 120.0, 6.0, 3.0)
        + &rect(&tone(paint, 0.3), -66.0, -171.0, 84.0, 5.0, 2.5)
        + &path(paint, "M80 -180H108L102 -164H86Z"));
    shop += &path("#8f9ba0", "M-190 -190L-172 -226H172L190 -190Z");
    shop += &faint(
        0.4,
        &line(
            "#56626a",
            2.0,
            &(0..17_i8)
                .map(|i| {
                    let t = f32::from(i - 8);
                    format!("M{:.0} -225L{:.0} -191", t * 20.5, t * 22.8)
                })
                .collect::<String>(),
        ),
    );
    let stripes: String = (0..10_u8)
        .map(|i| {
            let l = -146.0 + f32::from(i) * 21.6;
            path(if i % 2 == 0 { "#fbf3e2" } else { paint }, &format!("M{l:.1} -154h21.6l2 30a10.8 9 0 0 1 -21.6 0Z"))
        })
        .collect();
    shop += &(faint(0.25, &rect("#000000", -136.0, -126.0, 200.0, 14.0, 0.0)) + &stripes);
    shop += &(sack(-150.0, 12.0, "#d9c39a", "#e4572e")
        + &sack(-108.0, 18.0, "#cdb184", "#8a5a34")
        + &crate_of(172.0, 14.0, dice));
    placed(x, y, 1.0, 1.0, &shop)
}

fn sack(x: f32, y: f32, cloth: &str, filled: &str) -> String {
    path(
        cloth,
        &format!(
            "M{:.0} {y:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}H{:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {y:.0}Z",
            x - 19.0,
            x - 26.0,
            y - 20.0,
            x - 20.0,
            y - 38.0,
            x - 17.0,
            y - 46.0,
            x + 17.0,
            x + 20.0,
            y - 38.0,
            x + 26.0,
            y - 20.0,
            x + 19.0
        ),
    ) + &ellipse(&tone(cloth, -0.2), x, y - 46.0, 19.0, 7.0)
        + &ellipse(filled, x, y - 48.0, 15.0, 6.0)
        + &faint(
            0.2,
            &path(
                "#2a1408",
                &format!(
                    "M{:.0} {y:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}H{:.0}V{y:.0}Z",
                    x + 19.0,
                    x + 26.0,
                    y - 20.0,
                    x + 20.0,
                    y - 38.0,
                    x + 17.0,
                    y - 42.0,
                    x + 5.0
                ),
            ),
        )
}

fn crate_of(x: f32, y: f32, dice: &mut Dice) -> String {
    let fruit = dice.pick(&["#e2572b", "#f0b23a", "#6fa03f"]);
    let fruits: String = (0..9_u8)
        .map(|i| {
            circle(
                &tone(fruit, f32::from(i % 3) * 0.09),
                x - 24.0 + f32::from(i % 5) * 12.0,
                y - 36.0 - f32::from(i / 5) * 8.0,
                8.0,
            )
        })
        .collect();
    fruits
        + &rect("#a9764a", x - 34.0, y - 32.0, 68.0, 32.0, 2.0)
        + &line(
            "#7a5230",
            2.4,
            &format!("M{:.0} {:.0}h68M{:.0} {:.0}h68M{x:.0} {:.0}v32", x - 34.0, y - 21.0, x - 34.0, y - 11.0, y - 32.0),
        )
}

/// A black plastic rain-water tank on stones.
pub(super) fn tank(x: f32, y: f32, size: f32) -> String {
    let tank = shadow(54.0)
        + &rect("#a9a198", -46.0, -10.0, 92.0, 12.0, 2.0)
        + &path("#2c3336", "M-40 -10V-96C-40 -112 40 -112 40 -96V-10Z")
        + &faint(0.3, &path("#8fa0a6", "M-30 -14V-98C-26 -104 -18 -104 -16 -104V-14Z"))
        + &line("#465054", 3.0, "M-40 -30H40M-40 -52H40M-40 -74H40")
        + &rect("#2c3336", -14.0, -120.0, 28.0, 14.0, 4.0)
        + &path("#b9892e", "M36 -20h12v8h-5v-3h-7Z");
    placed(x, y, size, size, &tank)
}

fn shadow(half: f32) -> String {
    faint(0.22, &ellipse("#2a1408", 10.0, 4.0, half, 11.0))
}
