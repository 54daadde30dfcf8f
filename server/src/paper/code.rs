//! A QR code: what it says, drawn as squares.

use qrcode::{Color, EcLevel, QrCode};

use super::blocks::{Set, Style};
use super::marks::{Area, Mark};
use super::sheet::Sheet;
use super::tags::Role;

impl Sheet {
    /// A code with words beside it. A text too long for a code leaves the words alone.
    pub fn code(&mut self, text: &str, alt: &str, side: f32, beside: &[(String, Style)]) {
        let (left, inner, size) = (self.left(), self.inner(), self.format.size);
        let squares = squares(text).unwrap_or_default();
        let x = if squares.is_empty() { left } else { left + side + size };
        let sets: Vec<Set> = beside.iter().map(|(words, style)| self.set(words, *style, left + inner - x)).collect();
        let words = sets.iter().map(|set| set.height() + size * 0.3).sum::<f32>();
        let height = words.max(if squares.is_empty() { 0.0 } else { side });
        self.room(height);
        if !squares.is_empty() {
            let tag = self.tag(Role::Figure(alt.into()), None);
            self.put(tag, Mark::Code(Area { x: left, y: self.y, width: side, height: side }, squares));
        }
        let mut y = self.y + (height - words) / 2.0;
        for set in &sets {
            let tag = self.tag(Role::Paragraph, None);
            self.lay(tag, set, 0..set.lines.len(), x, y, false);
            y += set.height() + size * 0.3;
        }
        self.y += height;
        self.gap(size * 0.6);
    }
}

/// Rows of dark squares, without the white edge that readers need: the paper around it is white.
fn squares(text: &str) -> Option<Vec<Vec<bool>>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    Some(code.to_colors().chunks(width).map(|row| row.iter().map(|one| *one == Color::Dark).collect()).collect())
}
