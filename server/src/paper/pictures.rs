//! Photos in rows with what is known of each, and signatures as the lines that were drawn.

use kilele_media::Ink;
use krilla::image::Image;

use super::blocks::{NARROW, Set, Style};
use super::letters::Weight;
use super::marks::{Area, INK_2, LINE, Mark, SOFT};
use super::sheet::Sheet;
use super::tags::Role;

/// A picture with its caption. One that is not there is words instead.
pub struct Photo {
    pub title: String,
    pub lines: Vec<String>,
    /// As it is kept; it goes into the file as it is.
    pub jpeg: Option<Vec<u8>>,
    /// What stands in its place when it is not there or cannot be read.
    pub absent: String,
}

/// How high the place for a photo is, to its width.
const HIGH: f32 = 0.74;

struct Laid {
    image: Option<Image>,
    absent: String,
    title: Set,
    lines: Vec<Set>,
    alt: String,
}

impl Sheet {
    /// Photos, as many beside each other as `columns`.
    pub fn photos(&mut self, photos: Vec<Photo>, columns: usize) {
        let gap = self.format.size * 1.2;
        let width = (self.inner() - gap * (columns - 1) as f32) / columns as f32;
        let high = width * HIGH;
        let mut photos = photos.into_iter().peekable();
        while photos.peek().is_some() {
            let row: Vec<Laid> = photos.by_ref().take(columns).map(|photo| self.photo(photo, width)).collect();
            let captions = row.iter().map(|one| one.title.height() + one.lines.iter().map(Set::height).sum::<f32>());
            let height = high + 4.0 + captions.fold(0.0, f32::max);
            self.room(height);
            for (i, one) in row.iter().enumerate() {
                let x = self.left() + i as f32 * (width + gap);
                self.hang(one, Area { x, y: self.y, width, height: high });
            }
            self.y += height + gap * 0.8;
        }
    }

    fn photo(&self, photo: Photo, width: f32) -> Laid {
        let image = photo.jpeg.and_then(|jpeg| Image::from_jpeg(jpeg.into(), true).ok());
        let small = Style { size: 0.8, weight: Weight::Bold, ..Style::PLAIN };
        let title = self.set(&photo.title, small, width);
        let lines = photo.lines.iter().filter(|line| !line.is_empty());
        let lines = lines.map(|line| self.set(line, Style { size: 0.75, ..Style::QUIET }, width)).collect();
        Laid { image, absent: photo.absent, title, lines, alt: photo.title }
    }

    fn hang(&mut self, one: &Laid, place: Area) {
        let alt = if one.image.is_some() { one.alt.clone() } else { one.absent.clone() };
        let tag = self.tag(Role::Figure(alt), None);
        self.put(None, Mark::Fill(place, SOFT));
        match &one.image {
            Some(image) => self.put(tag, Mark::Picture(fitted(image.size(), place), image.clone())),
            None => {
                let pad = self.format.size;
                let words = self.set(&one.absent, Style { size: 0.85, ..Style::QUIET }, place.width - 2.0 * pad);
                let y = place.y + (place.height - words.height()) / 2.0;
                self.lay(tag, &words, 0..words.lines.len(), place.x + pad, y.max(place.y), false);
                self.put(None, Mark::Frame(place, LINE));
            }
        }
        let caption = self.tag(Role::Caption, None);
        let mut y = place.y + place.height + 4.0;
        for set in std::iter::once(&one.title).chain(&one.lines) {
            self.lay(caption, set, 0..set.lines.len(), place.x, y, false);
            y += set.height();
        }
    }

    /// A signature on its line, and beside it what is known of it.
    pub fn signature(&mut self, ink: Option<&Ink>, alt: &str, facts: &[(&str, String)]) {
        let (left, inner, size) = (self.left(), self.inner(), self.format.size);
        let width = inner * 0.38;
        let beside = inner - width - 1.6 * size;
        let names = beside * 0.36;
        let sets: Vec<(Set, Set)> = facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| {
                let quiet = Style { size: 0.85, ..Style::QUIET };
                (self.set(name, quiet, names - 4.0), self.set(value, Style { size: 0.85, ..Style::PLAIN }, beside - names))
            })
            .collect();
        let each = |(name, value): &(Set, Set)| name.height().max(value.height()) + size * 0.15;
        let high = size * 6.5;
        let height = sets.iter().map(each).sum::<f32>().max(high + size * 0.8);
        if inner < NARROW || height > self.whole() {
            self.room(size * 8.0);
            self.inked(ink, alt, Area { x: left, y: self.y, width: inner, height: size * 5.0 });
            return self.facts(facts);
        }
        self.room(height);
        let begun = self.y;
        self.inked(ink, alt, Area { x: left, y: begun, width, height: high });
        let mut y = begun;
        for pair in &sets {
            let tag = self.tag(Role::Paragraph, None);
            self.lay(tag, &pair.0, 0..pair.0.lines.len(), left + width + 1.6 * size, y, false);
            self.lay(tag, &pair.1, 0..pair.1.lines.len(), left + inner - (beside - names), y, false);
            y += each(pair);
        }
        self.y = begun + height;
        self.gap(size * 0.8);
    }

    /// The lines of a signature, standing on a line.
    pub(super) fn inked(&mut self, ink: Option<&Ink>, alt: &str, place: Area) {
        let figure = self.tag(Role::Figure(alt.into()), None);
        if let Some(ink) = ink {
            self.put(figure, Mark::Ink(place, ink.clone()));
        }
        let y = place.y + place.height + 2.0;
        self.put(None, Mark::Fill(Area { y, height: 0.7, ..place }, INK_2));
        self.y = y + self.format.size * 0.6;
    }
}

/// As large as fits, in the middle.
pub(super) fn fitted((wide, high): (u32, u32), place: Area) -> Area {
    let (wide, high) = (wide.max(1) as f32, high.max(1) as f32);
    let scale = (place.width / wide).min(place.height / high);
    let (width, height) = (wide * scale, high * scale);
    Area { x: place.x + (place.width - width) / 2.0, y: place.y + (place.height - height) / 2.0, width, height }
}
