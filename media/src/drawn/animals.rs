//! Chickens, goats and cows; x, y is between their feet. They look to the right.

use super::brush::{circle, ellipse, faint, line, path, placed, tone};
use super::dice::Dice;

pub(super) fn chicken(x: f32, y: f32, size: f32, dice: &mut Dice) -> String {
    let body = dice.pick(&["#b5562a", "#f3ead8", "#3a2b26", "#d8a14e", "#8c4a2c"]);
    let tail = dice.pick(&["#2f3a34", "#5a2f20", "#1f2a33"]);
    let bird = faint(0.22, &ellipse("#2a1408", 2.0, 1.0, 22.0, 4.0))
        + &line("#d99a2b", 2.6, "M-4 -12V0M5 -12V0M-4 0h6M5 0h6")
        + &path(tail, "M-18 -24C-34 -30 -36 -46 -30 -52C-28 -42 -22 -38 -12 -34Z")
        + &path(body, "M-22 -26C-20 -8 16 -4 20 -22C22 -32 20 -40 22 -48C14 -54 8 -48 8 -40C0 -32 -14 -38 -22 -26Z")
        + &path(&tone(body, -0.2), "M-12 -24C-8 -14 6 -14 8 -24C0 -28 -6 -28 -12 -24Z")
        + &path("#cf2f2a", "M10 -50C9 -58 14 -60 15 -55C17 -61 21 -58 20 -54C24 -57 26 -52 22 -49Z")
        + &path("#e7b23c", "M22 -46L31 -43L22 -40Z")
        + &ellipse("#cf2f2a", 21.0, -37.0, 2.4, 4.0)
        + &circle("#1a120e", 17.5, -46.0, 1.7);
    placed(x, y, size * dice.pick(&[-1.0, 1.0]), size, &bird)
}

pub(super) fn goat(x: f32, y: f32, size: f32, dice: &mut Dice) -> String {
    let coat = dice.pick(&["#f0e6d6", "#8a5a3a", "#3d332e", "#c79b6a"]);
    let dark = tone(coat, -0.22);
    let patch = if dice.chance(0.5) {
        path(dice.pick(&["#6b4630", "#2e2723", "#e9dcc6"]), "M-30 -66C-14 -74 6 -70 8 -58C4 -44 -22 -40 -32 -48Z")
    } else {
        String::new()
    };
    let goat = faint(0.22, &ellipse("#2a1408", 4.0, 2.0, 56.0, 7.0))
        + &line(&dark, 8.0, "M-26 -36L-28 0M24 -36L22 0")
        + &line(coat, 8.0, "M-34 -38L-38 0M32 -38L34 0")
        + &line("#2a211c", 8.4, "M-38 -4V0M34 -4V0M-28 -4V0M22 -4V0")
        + &path(coat, "M-46 -60C-50 -36 -38 -28 -20 -30C0 -24 24 -26 38 -34C46 -46 44 -58 40 -66C10 -74 -30 -76 -46 -60Z")
        + &patch
        + &line(&dark, 6.0, "M-46 -62L-56 -70")
        + &path(coat, "M28 -62C34 -84 44 -98 54 -104L66 -88C58 -76 54 -54 44 -46Z")
        + &path(coat, "M48 -106C56 -116 66 -110 70 -104L88 -88C90 -82 84 -78 78 -80L58 -86C50 -90 46 -98 48 -106Z")
        + &path(&dark, "M50 -104C40 -104 34 -98 32 -90C42 -90 50 -94 54 -98Z")
        + &line("#5a4a3c", 5.0, "M56 -112C54 -124 46 -132 38 -134M62 -112C62 -124 56 -134 48 -138")
        + &path(&dark, "M76 -80L74 -66L68 -82Z")
        + &circle("#1a120e", 66.0, -100.0, 2.6)
        + &line(&dark, 2.0, "M80 -83Q84 -82 87 -86");
    placed(x, y, size, size, &goat)
}

pub(super) fn cow(x: f32, y: f32, size: f32, dice: &mut Dice) -> String {
    let coat = dice.pick(&["#b5714a", "#f1e8da", "#4a3a34", "#d6a878"]);
    let mark = dice.pick(&["#5a3a2a", "#2a2321", "#8a4f32"]);
    let dark = tone(coat, -0.2);
    let spots = if dice.chance(0.6) {
        path(
            mark,
            "M-60 -104C-40 -112 -16 -106 -18 -88C-24 -68 -52 -70 -62 -82ZM18 -108C36 -112 50 -104 46 -92C40 -80 22 -84 16 -94Z",
        )
    } else {
        String::new()
    };
    let cow = faint(0.22, &ellipse("#2a1408", 4.0, 3.0, 98.0, 10.0))
        + &line(&dark, 14.0, "M-46 -52L-48 0M48 -52L46 0")
        + &line(coat, 14.0, "M-62 -54L-66 0M62 -54L64 0")
        + &line("#2a211c", 14.0, "M-66 -3V0M64 -3V0M-48 -3V0M46 -3V0")
        + &line(&dark, 5.0, "M-82 -92C-98 -80 -96 -50 -92 -36")
        + &ellipse(mark, -92.0, -32.0, 5.0, 10.0)
        + &path(
            coat,
            "M-82 -94C-88 -58 -78 -44 -54 -46C-20 -34 34 -36 68 -48C82 -62 80 -90 76 -106C66 -124 44 -122 36 -110C0 -112 -60 -118 -82 -94Z",
        )
        + &spots
        + &ellipse("#e2a79a", -36.0, -42.0, 14.0, 8.0)
        + &path(coat, "M58 -104C70 -126 86 -138 98 -140L112 -112C100 -98 92 -74 76 -58Z")
        + &path(coat, "M92 -146C104 -152 116 -146 120 -138L136 -110C138 -100 128 -96 120 -98C108 -104 98 -116 92 -128Z")
        + &path(&tone(coat, 0.3), "M128 -122L137 -108C138 -99 128 -95 120 -98L116 -102Z")
        + &path(&dark, "M94 -140C82 -144 72 -140 68 -132C78 -126 90 -128 96 -132Z")
        + &line("#efe6d2", 6.0, "M100 -148C96 -162 102 -172 110 -176M110 -148C112 -162 122 -168 130 -168")
        + &circle("#1a120e", 112.0, -132.0, 3.4)
        + &circle("#5a3a32", 131.0, -108.0, 2.4);
    placed(x, y, size, size, &cow)
}
