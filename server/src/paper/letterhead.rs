//! The head of a document: the organisation's logo, name and letterhead.

use base64::Engine;
use kilele_media::{Limits, derive};
use krilla::image::Image;

use super::blocks::Style;
use super::letters::Weight;
use super::marks::{Area, BRAND, Mark};
use super::pictures::fitted;
use super::sheet::Sheet;
use super::tags::Role;

pub struct Letterhead<'a> {
    pub name: &'a str,
    /// Lines under the name.
    pub lines: &'a str,
    /// `data:image/png;base64,…` or jpeg; one that cannot be read is left out.
    pub logo: Option<&'a str>,
}

impl Sheet {
    pub fn letterhead(&mut self, head: &Letterhead) {
        let (left, inner, size) = (self.left(), self.inner(), self.format.size);
        let logo = head.logo.and_then(read);
        let high = size * 4.6;
        let begun = self.y;
        let mut x = left;
        if let Some(image) = logo {
            let place = fitted(image.size(), Area { x, y: begun, width: inner * 0.3, height: high });
            let place = Area { x, y: begun, ..place };
            let tag = self.tag(Role::Figure(head.name.into()), None);
            self.put(tag, Mark::Picture(place, image));
            x += place.width + size;
            self.y = begun + place.height;
        }
        let width = left + inner - x;
        let lower = self.y;
        let name = self.set(head.name, Style { size: 1.5, weight: Weight::Bold, ..Style::PLAIN }, width);
        let lines = self.set(head.lines.trim(), Style { size: 0.85, ..Style::QUIET }, width);
        let tag = self.tag(Role::Paragraph, None);
        self.lay(tag, &name, 0..name.lines.len(), x, begun, false);
        self.lay(tag, &lines, 0..lines.lines.len(), x, begun + name.height(), false);
        let words = name.height() + if head.lines.trim().is_empty() { 0.0 } else { lines.height() };
        self.y = lower.max(begun + words) + size * 0.7;
        self.put(None, Mark::Fill(Area { x: left, y: self.y, width: inner, height: 1.6 }, BRAND));
        self.gap(size * 1.6);
    }
}

/// The logo as a JPEG of our own on white: what comes from outside is decoded within limits first.
fn read(logo: &str) -> Option<Image> {
    let (_, text) = logo.strip_prefix("data:image/")?.split_once(";base64,")?;
    let bytes = base64::prelude::BASE64_STANDARD.decode(text).ok()?;
    let derived = derive(&bytes, &Limits::default()).ok()?;
    Image::from_jpeg(derived.card.into(), true).ok()
}
