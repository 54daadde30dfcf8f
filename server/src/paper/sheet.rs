//! Pages that are filled from top to bottom, with what stands at the head and the foot of each.

use super::letters::{self, Weight};
use super::marks::{Area, BRAND, Colour, INK_2, LINE, Mark, Placed};
use super::tags::{Role, Tag, Tags};

const MM: f32 = 72.0 / 25.4;

/// A size of paper and of the letters on it, in points.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub width: f32,
    pub height: f32,
    pub margin: f32,
    /// Of plain text.
    pub size: f32,
    /// One page as long as what stands on it: a screen scrolls, and has no pages to turn.
    pub grows: bool,
}

impl Format {
    pub const A4: Self = Self { width: 210.0 * MM, height: 297.0 * MM, margin: 18.0 * MM, size: 9.5, grows: false };
    pub const A6: Self = Self { width: 105.0 * MM, height: 148.0 * MM, margin: 7.0 * MM, size: 7.5, grows: false };
    /// A phone's screen, at least.
    pub const PHONE: Self = Self { width: 90.0 * MM, height: 160.0 * MM, margin: 6.0 * MM, size: 9.5, grows: true };

    pub fn inner(&self) -> f32 {
        self.width - 2.0 * self.margin
    }
}

/// No reader opens a longer page.
const LONGEST: f32 = 14_000.0;

/// What stands on every page.
pub struct Furniture {
    /// At the head from the second page on: left and right.
    pub head: (String, String),
    pub foot: String,
    /// "Page 2 of 5"
    pub page: fn(usize, usize) -> String,
}

/// A heading, for the table of contents beside the pages.
pub struct Entry {
    pub title: String,
    pub page: usize,
    pub y: f32,
}

pub struct Sheet {
    pub(super) format: Format,
    pub(super) pages: Vec<Vec<Placed>>,
    pub(super) tags: Tags,
    pub(super) entries: Vec<Entry>,
    furniture: Furniture,
    /// How far down the page is written.
    pub(super) y: f32,
}

impl Sheet {
    pub fn new(format: Format, furniture: Furniture) -> Self {
        let y = format.margin;
        Self { format, pages: vec![Vec::new()], tags: Tags::default(), entries: Vec::new(), furniture, y }
    }

    pub(super) fn left(&self) -> f32 {
        self.format.margin
    }

    pub(super) fn inner(&self) -> f32 {
        self.format.inner()
    }

    pub(super) fn leading(&self) -> f32 {
        self.format.size * 1.4
    }

    /// Where the foot begins.
    fn bottom(&self) -> f32 {
        let page = if self.format.grows { LONGEST } else { self.format.height };
        page - self.foot()
    }

    fn foot(&self) -> f32 {
        self.format.margin + self.format.size * 1.2
    }

    pub(super) fn left_over(&self) -> f32 {
        self.bottom() - self.y
    }

    /// What a page holds below its head.
    pub(super) fn whole(&self) -> f32 {
        self.bottom() - self.top()
    }

    fn top(&self) -> f32 {
        self.format.margin + self.format.size * 2.6
    }

    /// On a new page, unless so much fits on this one. What is higher than any page begins where it is.
    pub(super) fn room(&mut self, height: f32) -> bool {
        let turned = height > self.left_over() && height <= self.whole() && !self.fresh();
        if turned {
            self.turn();
        }
        turned
    }

    fn fresh(&self) -> bool {
        self.pages.len() > 1 && self.y <= self.top()
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = self.top();
    }

    pub fn gap(&mut self, height: f32) {
        self.y += height;
    }

    pub(super) fn tag(&mut self, role: Role, parent: Option<Tag>) -> Option<Tag> {
        Some(self.tags.add(role, parent))
    }

    pub(super) fn put(&mut self, tag: Option<Tag>, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Placed { tag, mark });
        }
    }

    /// A thin line across.
    pub fn rule(&mut self) {
        let area = Area { x: self.left(), y: self.y, width: self.inner(), height: 0.6 };
        self.put(None, Mark::Fill(area, LINE));
    }

    /// Heads and feet, and the last page's length; nothing can be added after.
    pub(super) fn furnish(&mut self) {
        if self.format.grows && self.pages.len() == 1 {
            self.format.height = self.format.height.max(self.y + self.foot());
        } else if self.format.grows {
            self.format.height = LONGEST;
        }
        let Format { width, height, margin, size, .. } = self.format;
        let small = size * 0.8;
        let total = self.pages.len();
        for number in 1..=total {
            let page = &mut self.pages[number - 1];
            let mut words = |x: Side, y: f32, text: &str, colour: Colour, weight: Weight| {
                let line = letters::line(text, weight);
                let x = match x {
                    Side::Left => margin,
                    Side::Right => width - margin - line.width(small),
                };
                page.push(Placed { tag: None, mark: Mark::Words { x, y, size: small, colour, line } });
            };
            let foot = height - margin;
            let room = if total > 1 { width * 0.6 } else { width - 2.5 * margin };
            words(Side::Left, foot, &short(&self.furniture.foot, small, room), INK_2, Weight::Regular);
            if total > 1 {
                words(Side::Right, foot, &(self.furniture.page)(number, total), INK_2, Weight::Regular);
            }
            if number > 1 {
                let head = margin + small * 0.8;
                let (left, right) = &self.furniture.head;
                words(Side::Left, head, &short(left, small, width * 0.45), BRAND, Weight::Bold);
                words(Side::Right, head, &short(right, small, width * 0.3), INK_2, Weight::Regular);
            }
            let line = |y| Mark::Fill(Area { x: margin, y, width: width - 2.0 * margin, height: 0.6 }, LINE);
            page.push(Placed { tag: None, mark: line(foot - small * 1.5) });
            if number > 1 {
                page.push(Placed { tag: None, mark: line(margin + small * 1.5) });
            }
        }
    }
}

enum Side {
    Left,
    Right,
}

/// The first line of a text, with a sign that there is more.
fn short(text: &str, size: f32, width: f32) -> String {
    let mut lines = letters::lines(text, Weight::Bold, size, width).into_iter();
    let first = lines.next().map(|line| line.text).unwrap_or_default();
    if lines.next().is_some() { format!("{first} …") } else { first }
}
