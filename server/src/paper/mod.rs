//! What is printed: a small layout of our own that lays words, tables, pictures and signatures on pages and writes PDF.
//!
//! A [`Sheet`] is filled from top to bottom and only then drawn, because each page says how many there are.

mod blocks;
mod code;
mod draw;
mod figures;
mod letterhead;
mod letters;
mod marks;
mod pictures;
mod sheet;
mod table;
mod tags;

pub use blocks::{Style, Tone};
pub use figures::Figures;
pub use letterhead::Letterhead;
pub use letters::Weight;
pub use pictures::Photo;
pub use sheet::{Format, Furniture, Sheet};
pub use table::{Column, Row, Table};

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    En,
    Sw,
}

impl Language {
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Sw => "sw",
        }
    }
}

#[cfg(test)]
mod tests;
