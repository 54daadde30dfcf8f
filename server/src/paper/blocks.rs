//! Headings, paragraphs, facts, and a band with what matters most.

use super::letters::{self, Line, Weight};
use super::marks::{Area, BRAND, Colour, DANGER, DANGER_SOFT, INK, INK_2, Mark, SOFT};
use super::sheet::{Entry, Sheet};
use super::tags::{Role, Tag};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Quiet,
    Brand,
    Danger,
}

impl Tone {
    pub(super) fn colour(self) -> Colour {
        match self {
            Self::Plain => INK,
            Self::Quiet => INK_2,
            Self::Brand => BRAND,
            Self::Danger => DANGER,
        }
    }
}

/// How a text looks; its size is a multiple of the plain one.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub size: f32,
    pub weight: Weight,
    pub tone: Tone,
}

impl Style {
    pub const PLAIN: Self = Self { size: 1.0, weight: Weight::Regular, tone: Tone::Plain };
    pub const QUIET: Self = Self { size: 0.9, weight: Weight::Regular, tone: Tone::Quiet };
    pub const STRONG: Self = Self { weight: Weight::Bold, ..Self::PLAIN };
    pub const LABEL: Self = Self { size: 0.82, weight: Weight::Regular, tone: Tone::Quiet };
    pub const TITLE: Self = Self { size: 1.9, weight: Weight::Bold, tone: Tone::Brand };
}

/// Paper on which little stands beside each other.
pub(super) const NARROW: f32 = 300.0;

/// A text in lines, and how high it stands.
pub(super) struct Set {
    pub lines: Vec<Line>,
    style: Style,
    size: f32,
    pub leading: f32,
}

impl Set {
    pub fn height(&self) -> f32 {
        self.lines.len() as f32 * self.leading
    }
}

impl Sheet {
    pub(super) fn set(&self, text: &str, style: Style, width: f32) -> Set {
        let size = self.format.size * style.size;
        let lines = letters::lines(text.trim_end(), style.weight, size, width);
        Set { lines, style, size, leading: size * if style.size > 1.4 { 1.2 } else { 1.4 } }
    }

    /// Some of its lines at a place; `right` is where they end, if they stand to the right.
    pub(super) fn lay(&mut self, tag: Option<Tag>, set: &Set, lines: std::ops::Range<usize>, x: f32, y: f32, right: bool) {
        for (i, line) in set.lines[lines].iter().enumerate().filter(|(_, line)| !line.glyphs.is_empty()) {
            // In the middle of its line by the height of capitals.
            let y = y + (i as f32 + 0.5) * set.leading + set.size * 0.357;
            let x = if right { x - line.width(set.size) } else { x };
            let colour = set.style.tone.colour();
            self.put(tag, Mark::Words { x, y, size: set.size, colour, line: line.clone() });
        }
    }

    /// A text that goes on over the page's end, never with a line alone.
    pub(super) fn flow(&mut self, role: Role, text: &str, style: Style, x: f32, width: f32) {
        let set = self.set(text, style, width);
        let tag = self.tag(role, None);
        let (mut at, all) = (0, set.lines.len());
        self.room(set.leading * all.min(2) as f32);
        while at < all {
            let mut fits = ((self.left_over() / set.leading) as usize).min(all - at);
            if fits + 1 == all - at && fits > 2 {
                fits -= 1;
            }
            if fits == 0 {
                self.turn();
                fits = 1;
            }
            self.lay(tag, &set, at..at + fits, x, self.y, false);
            self.y += fits as f32 * set.leading;
            at += fits;
            if at < all {
                self.turn();
            }
        }
    }

    /// The document's own name, with a quieter line under it.
    pub fn title(&mut self, title: &str, under: &str) {
        let (left, inner) = (self.left(), self.inner());
        self.flow(Role::Heading(1, title.into()), title, Style::TITLE, left, inner);
        if !under.is_empty() {
            self.flow(Role::Paragraph, under, Style { size: 1.1, ..Style::QUIET }, left, inner);
        }
        self.gap(self.format.size * 0.9);
    }

    /// A part's heading, never at the end of a page.
    pub fn heading(&mut self, title: &str) {
        let style = Style { size: 1.3, weight: Weight::Bold, tone: Tone::Brand };
        self.gap(self.format.size * 1.5);
        self.room(self.leading() * 5.0);
        let (page, y) = (self.pages.len() - 1, self.y);
        self.entries.push(Entry { title: letters::written(title), page, y });
        let (left, inner) = (self.left(), self.inner());
        self.flow(Role::Heading(2, title.into()), title, style, left, inner);
        let area = Area { x: left, y: self.y + 1.0, width: inner, height: 0.9 };
        self.put(None, Mark::Fill(area, BRAND));
        self.gap(self.format.size * 0.7);
    }

    /// A heading inside of a part.
    pub fn subheading(&mut self, title: &str) {
        self.gap(self.format.size * 0.6);
        self.room(self.leading() * 4.0);
        let (left, inner) = (self.left(), self.inner());
        self.flow(Role::Heading(3, title.into()), title, Style::STRONG, left, inner);
        self.gap(self.format.size * 0.2);
    }

    pub fn paragraph(&mut self, text: &str, style: Style) {
        let (left, inner) = (self.left(), self.inner());
        self.flow(Role::Paragraph, text, style, left, inner);
        self.gap(self.format.size * 0.4);
    }

    /// Begins a new page unless a text and so many lines after it fit on this one.
    pub fn keep(&mut self, text: &str, style: Style, lines: f32) {
        let height = self.set(text, style, self.inner()).height() + lines * self.leading();
        self.room(height);
    }

    /// What must not be overlooked, on a ground of its own.
    pub fn warning(&mut self, text: &str) {
        let pad = self.format.size * 0.6;
        let (left, inner) = (self.left(), self.inner());
        let style = Style { tone: Tone::Danger, ..Style::STRONG };
        let set = self.set(text, style, inner - 2.0 * pad);
        let height = set.height() + 2.0 * pad;
        self.room(height);
        if height <= self.left_over() {
            self.put(None, Mark::Fill(Area { x: left, y: self.y, width: inner, height }, DANGER_SOFT));
        }
        self.y += pad;
        self.flow(Role::Paragraph, text, style, left + pad, inner - 2.0 * pad);
        self.gap(pad + self.format.size * 0.4);
    }

    /// Names and values under each other; what has no value is not mentioned.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        let (left, inner) = (self.left(), self.inner());
        let names = inner * if inner < NARROW { 0.34 } else { 0.26 };
        for (name, value) in facts.iter().filter(|(_, value)| !value.trim().is_empty()) {
            let (name, value) = (self.set(name, Style::QUIET, names - 6.0), self.set(value, Style::PLAIN, inner - names));
            let tag = self.tag(Role::Paragraph, None);
            let leading = self.leading();
            self.room((name.height()).max(leading * value.lines.len().min(3) as f32));
            self.lay(tag, &name, 0..name.lines.len(), left, self.y + leading - name.leading, false);
            let begun = (self.pages.len(), self.y + name.height());
            let mut at = 0;
            while at < value.lines.len() {
                let fits = ((self.left_over() / leading) as usize).clamp(1, value.lines.len() - at);
                self.lay(tag, &value, at..at + fits, left + names, self.y, false);
                at += fits;
                self.y += fits as f32 * leading;
                if at < value.lines.len() {
                    self.turn();
                }
            }
            if self.pages.len() == begun.0 {
                self.y = self.y.max(begun.1);
            }
            self.gap(self.format.size * 0.22);
        }
    }

    /// What matters most, side by side on a quiet ground; the first is written large.
    pub fn band(&mut self, facts: &[(&str, String)]) {
        let pad = self.format.size * 0.8;
        let (left, inner) = (self.left(), self.inner());
        let first = if facts.len() == 1 { inner } else { inner * 0.34 };
        let rest = (inner - first) / (facts.len() - 1).max(1) as f32;
        let mut cells = Vec::new();
        let mut x = left;
        for (i, (name, value)) in facts.iter().enumerate() {
            let width = if i == 0 { first } else { rest };
            let style = if i == 0 { Style { size: 1.7, ..Style::STRONG } } else { Style::STRONG };
            let value = if value.trim().is_empty() { "–" } else { value };
            let space = width - 1.6 * pad;
            cells.push((x + pad, self.set(name, Style::LABEL, space), self.set(value, style, space)));
            x += width;
        }
        let height = cells.iter().map(|(_, name, value)| name.height() + value.height()).fold(0.0, f32::max) + 2.0 * pad;
        self.room(height);
        self.put(None, Mark::Fill(Area { x: left, y: self.y, width: inner, height }, SOFT));
        self.put(None, Mark::Fill(Area { x: left, y: self.y, width: 3.0, height }, BRAND));
        for (x, name, value) in &cells {
            let tag = self.tag(Role::Paragraph, None);
            let y = self.y + pad;
            self.lay(tag, name, 0..name.lines.len(), *x, y, false);
            self.lay(tag, value, 0..value.lines.len(), *x, y + name.height(), false);
        }
        self.y += height;
        self.gap(self.format.size * 0.9);
    }
}
