//! Printed cotton: kitenge, kanga, checks and stripes as SVG patterns.

use super::brush::{circle, line, path, rect, tone};
use super::dice::Dice;

/// Ground, figure and accent of a print.
const PRINTS: [[&str; 3]; 10] = [
    ["#1f6f6b", "#f3b23c", "#f7e7c6"],
    ["#b3392f", "#f4c95d", "#23395b"],
    ["#27407a", "#f08a3c", "#f5ead2"],
    ["#6b2d5c", "#f0b7a4", "#f2cc59"],
    ["#e08a1e", "#7a2414", "#fbe8b5"],
    ["#2d6a3e", "#f2d04f", "#c8452e"],
    ["#c2436a", "#fbd9c5", "#4b1f47"],
    ["#136f94", "#f6d55c", "#ecf4f3"],
    ["#7d3c1b", "#f1a94e", "#2f5d50"],
    ["#30304f", "#e4572e", "#f6c667"],
];

/// Colours of shirts and blouses.
const PLAIN: [&str; 10] =
    ["#e9e3d5", "#7fa8c9", "#35618e", "#8c3b3b", "#4f7d5c", "#d9a441", "#6d6a8a", "#c7d3d4", "#b86a4b", "#3c4a57"];

pub(super) fn plain(dice: &mut Dice) -> &'static str {
    dice.pick(&PLAIN)
}

/// Ground, figure and accent of a print.
pub(super) fn print(dice: &mut Dice) -> [&'static str; 3] {
    dice.pick(&PRINTS)
}

/// A pattern named `id` in the three colours of `print`.
pub(super) fn printed(id: &str, print: [&str; 3], dice: &mut Dice) -> String {
    let [ground, figure, accent] = print;
    let (size, inner) = match dice.below(6) {
        0 => (56.0, suns(figure, accent)),
        1 => (44.0, leaves(figure, accent)),
        2 => (40.0, chevrons(figure, accent)),
        3 => (48.0, diamonds(figure, accent)),
        4 => (36.0, drops(figure, accent)),
        _ => (60.0, fans(ground, figure, accent)),
    };
    tile(id, size, dice.pick(&[0.0, 20.0, 45.0, -15.0]), &format!("{}{inner}", rect(ground, 0.0, 0.0, size, size, 0.0)))
}

/// The red and blue check of a shuka, or a shirt's in other colours.
pub(super) fn checked(id: &str, ground: &str, bar: &str) -> String {
    let inner = format!(
        "{}<g opacity=\".55\">{}{}</g>{}{}",
        rect(ground, 0.0, 0.0, 34.0, 34.0, 0.0),
        rect(bar, 0.0, 0.0, 12.0, 34.0, 0.0),
        rect(bar, 0.0, 0.0, 34.0, 12.0, 0.0),
        rect(&tone(ground, 0.35), 22.0, 0.0, 2.0, 34.0, 0.0),
        rect(&tone(ground, 0.35), 0.0, 22.0, 34.0, 2.0, 0.0)
    );
    tile(id, 34.0, 0.0, &inner)
}

pub(super) fn striped(id: &str, ground: &str, bar: &str) -> String {
    let inner = format!("{}{}", rect(ground, 0.0, 0.0, 18.0, 18.0, 0.0), rect(bar, 0.0, 0.0, 5.0, 18.0, 0.0));
    tile(id, 18.0, 0.0, &inner)
}

fn tile(id: &str, size: f32, turn: f32, inner: &str) -> String {
    format!(
        "<pattern id=\"{id}\" width=\"{size}\" height=\"{size}\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({turn})\">{inner}</pattern>"
    )
}

fn suns(figure: &str, accent: &str) -> String {
    let mut svg = circle(figure, 28.0, 28.0, 19.0) + &circle(accent, 28.0, 28.0, 12.0) + &circle(figure, 28.0, 28.0, 6.0);
    for (x, y) in [(0.0, 0.0), (56.0, 0.0), (0.0, 56.0), (56.0, 56.0)] {
        svg += &circle(accent, x, y, 6.0);
    }
    svg
}

fn leaves(figure: &str, accent: &str) -> String {
    path(figure, "M6 22C12 6 26 2 34 6C34 18 22 28 6 22Z")
        + &line(accent, 1.6, "M8 21L31 8")
        + &path(accent, "M26 42C28 34 36 30 42 32C42 40 34 45 26 42Z")
        + &circle(figure, 10.0, 36.0, 3.4)
}

fn chevrons(figure: &str, accent: &str) -> String {
    line(figure, 6.0, "M-2 12L20 30L42 12") + &line(accent, 3.0, "M-2 -6L20 12L42 -6M-2 34L20 52L42 34")
}

fn diamonds(figure: &str, accent: &str) -> String {
    path(figure, "M24 3L45 24L24 45L3 24Z") + &path(accent, "M24 13L35 24L24 35L13 24Z") + &circle(figure, 24.0, 24.0, 4.0)
}

fn drops(figure: &str, accent: &str) -> String {
    circle(figure, 10.0, 10.0, 6.5)
        + &circle(accent, 10.0, 10.0, 2.6)
        + &circle(accent, 28.0, 28.0, 6.5)
        + &circle(figure, 28.0, 28.0, 2.6)
}

fn fans(ground: &str, figure: &str, accent: &str) -> String {
    [(figure, 28.0), (ground, 22.0), (accent, 16.0), (figure, 8.0)]
        .iter()
        .map(|(colour, r)| {
            path(colour, &format!("M{} 60A{r} {r} 0 0 1 {} 60Z", 30.0 - r, 30.0 + r))
                + &path(colour, &format!("M{} 30A{r} {r} 0 0 1 {r} 30ZM{} 30A{r} {r} 0 0 1 {} 30Z", -r, 60.0 - r, 60.0 + r))
        })
        .collect()
}
