//! A QR code: what it says, drawn as squares.

use kilele_media::Ink;
use qrcode::{Color, EcLevel, QrCode};

use super::blocks::{Set, Style};
use super::marks::{Area, Mark};
use super::sheet::Sheet;
use super::tags::Role;

impl Sheet {
    /// A code, and beside it words and, above them, a signature if there is one. A text too long for a code leaves the
    /// rest alone.
    pub fn code(&mut self, text: &str, alt: &str, side: f32, ink: Option<(&Ink, &str)>, beside: &[(String, Style)]) {
        let (left, inner, size) = (self.left(), self.inner(), self.format.size);
        let squares = squares(text).unwrap_or_default();
        let x = if squares.is_empty() { left } else { left + side + size };
        let width = left + inner - x;
        let sets: Vec<Set> = beside.iter().map(|(words, style)| self.set(words, *style, width)).collect();
        let high = if ink.is_some() { size * 5.0 } else { 0.0 };
        let words = high + sets.iter().map(|set| set.height() + size * 0.3).sum::<f32>();
        let height = words.max(if squares.is_empty() { 0.0 } else { side });
        self.room(height);
        let begun = self.y;
        if !squares.is_empty() {
            let tag = self.tag(Role::Figure(alt.into()), None);
            self.put(tag, Mark::Code(Area { x: left, y: begun, width: side, height: side }, squares));
        }
        let mut y = begun + if high > 0.0 { 0.0 } else { (height - words) / 2.0 };
        if let Some((ink, alt)) = ink {
            self.inked(Some(ink), alt, Area { x, y, width, height: high - size });
            y += high;
        }
        for set in &sets {
            let tag = self.tag(Role::Paragraph, None);
            self.lay(tag, set, 0..set.lines.len(), x, y, false);
            y += set.height() + size * 0.3;
        }
        self.y = begun + height;
        self.gap(size * 0.6);
    }
}

/// Rows of dark squares, without the white edge that readers need: the paper around it is white.
fn squares(text: &str) -> Option<Vec<Vec<bool>>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    Some(code.to_colors().chunks(width).map(|row| row.iter().map(|one| *one == Color::Dark).collect()).collect())
}
