//! Letters: two weights of one family, shaped so that accents sit where they belong, and broken into lines.

use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, ShapePlan, UnicodeBuffer, script};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

struct Face {
    font: Font,
    shapes: rustybuzz::Face<'static>,
    plan: ShapePlan,
}

/// Noto Sans, cut down to what is written in Latin letters (server/assets/fonts).
static FACES: LazyLock<[Face; 2]> = LazyLock::new(|| {
    [
        face(include_bytes!("../../assets/fonts/NotoSans-Regular.ttf")),
        face(include_bytes!("../../assets/fonts/NotoSans-Bold.ttf")),
    ]
});

fn face(bytes: &'static [u8]) -> Face {
    let shapes = rustybuzz::Face::from_slice(bytes, 0).expect("a font that ships");
    let plan = ShapePlan::new(&shapes, Direction::LeftToRight, Some(script::LATIN), None, &[]);
    Face { font: Font::new(bytes.into(), 0).expect("a font that ships"), shapes, plan }
}

/// What is written instead of a letter that the fonts do not have.
const UNKNOWN: char = '\u{fffd}';

/// A line as it is drawn; lengths are of letters one point high.
#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    pub weight: Weight,
    pub glyphs: Vec<KrillaGlyph>,
    width: f32,
}

impl Line {
    pub fn width(&self, size: f32) -> f32 {
        self.width * size
    }

    pub fn font(&self) -> Font {
        FACES[self.weight as usize].font.clone()
    }
}

/// The text in lines of at most `width`: broken between words, and inside of a word that is longer than a line.
pub fn lines(text: &str, weight: Weight, size: f32, width: f32) -> Vec<Line> {
    written(text).split('\n').flat_map(|line| broken(line, weight, width / size)).collect()
}

/// The text in one line, however long.
pub fn line(text: &str, weight: Weight) -> Line {
    let text = written(text).replace('\n', " ");
    cut(&text, weight, &shaped(&text, weight))
}

/// What can be written of a text: signs that the fonts lack are replaced, those that nobody sees are left out.
pub fn written(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        let joined = std::mem::replace(&mut before, c) == '\u{200d}' && out.ends_with(UNKNOWN);
        match c {
            '\n' => out.push('\n'),
            '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            // Controls, joiners, marks of direction, and what only says how the sign before is to look.
            c if c.is_control() => {}
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}' => {}
            '\u{2212}' => out.push('-'),
            c if FACES[0].shapes.glyph_index(c).is_some() => out.push(c),
            // Several signs that are joined are seen as one.
            _ if joined => {}
            _ => out.push(UNKNOWN),
        }
    }
    out
}

fn shaped(text: &str, weight: Weight) -> Vec<KrillaGlyph> {
    let face = &FACES[weight as usize];
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.set_direction(Direction::LeftToRight);
    buffer.set_script(script::LATIN);
    let shaped = rustybuzz::shape_with_plan(&face.shapes, &face.plan, buffer);
    let em = face.font.units_per_em();
    let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
    let end = |at: usize| starts[at..].iter().copied().find(|start| *start > starts[at]).unwrap_or(text.len());
    let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).enumerate();
    glyphs
        .map(|(i, (info, place))| {
            let of_em = |length: i32| length as f32 / em;
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                of_em(place.x_advance),
                of_em(place.x_offset),
                of_em(place.y_offset),
                of_em(place.y_advance),
                starts[i]..end(i),
                None,
            )
        })
        .collect()
}

fn broken(text: &str, weight: Weight, width: f32) -> Vec<Line> {
    let glyphs = shaped(text, weight);
    let sign = |i: usize| text[glyphs[i].text_range.clone()].chars().next().unwrap_or(' ');
    let mut lines = Vec::new();
    let (mut start, mut i, mut x) = (0, 0, 0.0);
    let mut chance = None;
    while i < glyphs.len() {
        if x + glyphs[i].x_advance > width && sign(i) != ' ' && i > start {
            let mut end = chance.unwrap_or(i);
            // An accent stays with its letter.
            while end > start + 1 && glyphs[end].text_range == glyphs[end - 1].text_range {
                end -= 1;
            }
            lines.push(cut(text, weight, &glyphs[start..end]));
            (start, i, x, chance) = (end, end, 0.0, None);
            continue;
        }
        x += glyphs[i].x_advance;
        i += 1;
        if matches!(sign(i - 1), ' ' | '-' | '/' | '–' | '—') {
            chance = Some(i);
        }
    }
    lines.push(cut(text, weight, &glyphs[start..]));
    lines
}

/// These glyphs as a line of their own, without the space at its end.
fn cut(text: &str, weight: Weight, glyphs: &[KrillaGlyph]) -> Line {
    let blank = |glyph: &&KrillaGlyph| text[glyph.text_range.clone()].trim().is_empty();
    let glyphs = &glyphs[..glyphs.len() - glyphs.iter().rev().take_while(blank).count()];
    let (from, to) = match (glyphs.first(), glyphs.last()) {
        (Some(first), Some(last)) => (first.text_range.start, last.text_range.end),
        _ => (0, 0),
    };
    let moved = |glyph: &KrillaGlyph| {
        let range = glyph.text_range.start - from..glyph.text_range.end - from;
        KrillaGlyph { text_range: range, ..glyph.clone() }
    };
    let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Line { text: text[from..to].into(), weight, glyphs: glyphs.iter().map(moved).collect(), width }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, width: f32) -> Vec<String> {
        lines(text, Weight::Regular, 10.0, width).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn words_go_on_the_next_line() {
        let broken = texts("The household of Wanjiku wa Kamau keeps goats and sells vegetables.", 120.0);
        assert!(broken.len() > 2, "{broken:?}");
        assert_eq!(broken.join(" "), "The household of Wanjiku wa Kamau keeps goats and sells vegetables.");
        let wide = lines("The household of Wanjiku", Weight::Bold, 10.0, 60.0);
        assert!(wide.iter().all(|line| line.width(10.0) <= 60.0), "{wide:?}");
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken_inside() {
        let long = "0123456789abcdef".repeat(20);
        let broken = texts(&long, 100.0);
        assert!(broken.len() > 10);
        assert_eq!(broken.concat(), long);
        assert!(lines(&long, Weight::Regular, 10.0, 100.0).iter().all(|line| line.width(10.0) <= 100.0));
        // Narrower than any letter: one a line, and an end.
        assert_eq!(texts("abc", 0.1), ["a", "b", "c"]);
    }

    #[test]
    fn accents_stay_with_their_letters() {
        let name = "Mu\u{303}gi\u{303}thi\u{303} ".repeat(8);
        for width in 20..90 {
            let broken = texts(&name, width as f32);
            assert!(broken.iter().all(|line| !line.starts_with('\u{303}')), "{broken:?}");
        }
    }

    #[test]
    fn what_the_fonts_lack_is_replaced() {
        assert_eq!(written("Amina 👩🏾\u{200d}🌾 ok"), "Amina \u{fffd} ok");
        assert_eq!(written("a\tb\u{0}c\r\nd\u{7}"), "a bc\nd");
        assert_eq!(written("Wũnjĩkũ Ng'ang'a, Nǃxau, Đặng, Łukasz"), "Wũnjĩkũ Ng'ang'a, Nǃxau, Đặng, Łukasz");
        assert_eq!(texts("", 50.0), [""]);
        assert_eq!(texts("a\n\nb", 50.0), ["a", "", "b"]);
        assert_eq!(texts(&" ".repeat(300), 50.0), [""]);
    }
}
