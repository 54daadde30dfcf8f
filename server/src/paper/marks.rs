//! What stands on a page, before it is drawn: lengths in points from the upper left corner.

use kilele_media::Ink;
use krilla::image::Image;

use super::letters::Line;
use super::tags::Tag;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// The colours of the screens, by day.
pub const INK: Colour = Colour(0x0e, 0x1f, 0x1a);
pub const INK_2: Colour = Colour(0x41, 0x53, 0x4c);
pub const LINE: Colour = Colour(0xcc, 0xd8, 0xd2);
pub const SOFT: Colour = Colour(0xed, 0xf2, 0xef);
pub const BRAND: Colour = Colour(0x0a, 0x5a, 0x4b);
pub const DANGER: Colour = Colour(0x8c, 0x1a, 0x14);
pub const DANGER_SOFT: Colour = Colour(0xfb, 0xe3, 0xdf);

#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

#[derive(Debug)]
pub enum Mark {
    /// A line of words; `y` is where the letters stand.
    Words {
        x: f32,
        y: f32,
        size: f32,
        colour: Colour,
        line: Line,
    },
    Fill(Area, Colour),
    Frame(Area, Colour),
    Picture(Area, Image),
    Ink(Area, Ink),
    /// Black squares of a code, row by row.
    Code(Area, Vec<Vec<bool>>),
}

/// A mark and what it is a part of; without that it is decoration, which nobody reads aloud.
#[derive(Debug)]
pub struct Placed {
    pub tag: Option<Tag>,
    pub mark: Mark,
}
