//! Tables that go on over pages, with their heads again on each.

use super::blocks::{Set, Style};
use super::letters::{self, Weight};
use super::marks::{Area, LINE, Mark, SOFT};
use super::sheet::Sheet;
use super::tags::{Role, Tag};

/// A column: figures stand to the right and take what they need, words share the rest.
pub struct Column<'a> {
    pub head: &'a str,
    /// How much of what is left; none is a column of figures.
    pub share: Option<f32>,
}

impl<'a> Column<'a> {
    pub fn words(head: &'a str, share: f32) -> Self {
        Self { head, share: Some(share) }
    }

    pub fn figures(head: &'a str) -> Self {
        Self { head, share: None }
    }
}

pub struct Row {
    pub cells: Vec<String>,
    /// A sum: bold, under a line.
    pub strong: bool,
}

impl Row {
    pub fn new(cells: impl IntoIterator<Item = String>) -> Self {
        Self { cells: cells.into_iter().collect(), strong: false }
    }

    pub fn sum(cells: impl IntoIterator<Item = String>) -> Self {
        Self { cells: cells.into_iter().collect(), strong: true }
    }
}

pub struct Table<'a> {
    pub columns: Vec<Column<'a>>,
    pub rows: Vec<Row>,
    /// Of the letters, as in [`Style`].
    pub size: f32,
}

/// Of figures, at most so much of the table's width.
const WIDEST: f32 = 0.3;

struct Laid {
    x: f32,
    width: f32,
    right: bool,
}

impl Sheet {
    pub fn table(&mut self, table: &Table) {
        let pad = self.format.size * 0.45;
        let columns = self.columns(table, pad);
        let whole = self.tag(Role::Table, None);
        let plain = Style { size: table.size, ..Style::PLAIN };
        let heads: Vec<&str> = table.columns.iter().map(|column| column.head).collect();
        let head = self.sets(&columns, &heads, Style { size: table.size * 0.92, weight: Weight::Bold, ..Style::QUIET }, pad);
        let head_height = height(&head) + 1.6 * pad;
        let least = self.leading() * 2.0 + head_height;
        self.room(least);
        self.head(&columns, &head, head_height, pad, whole);
        for row in &table.rows {
            let style = if row.strong { Style { weight: Weight::Bold, ..plain } } else { plain };
            let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
            let sets = self.sets(&columns, &cells, style, pad);
            let tag = self.tag(Role::Row, whole);
            let tags: Vec<Option<Tag>> =
                (0..columns.len()).map(|i| self.tag(if i == 0 { Role::RowHead } else { Role::Cell }, tag)).collect();
            let leading = sets.first().map_or(1.0, |set| set.leading);
            let all = sets.iter().map(|set| set.lines.len()).max().unwrap_or(0);
            let mut at = 0;
            while at < all {
                let mut fits = ((self.left_over() - 1.6 * pad) / leading).max(0.0) as usize;
                // A row is torn only when it is a long one.
                if fits < all - at && (fits < 4 || all - at <= 6) {
                    self.turn();
                    self.head(&columns, &head, head_height, pad, whole);
                    fits = ((self.left_over() - 1.6 * pad) / leading) as usize;
                }
                let fits = fits.clamp(1, all - at);
                if row.strong && at == 0 {
                    self.put(None, Mark::Fill(Area { y: self.y, height: 0.9, ..self.across() }, Style::PLAIN.tone.colour()));
                }
                for ((column, set), tag) in columns.iter().zip(&sets).zip(&tags) {
                    let lines = at.min(set.lines.len())..(at + fits).min(set.lines.len());
                    self.lay(*tag, set, lines, column.edge(pad), self.y + 0.8 * pad, column.right);
                }
                self.y += fits as f32 * leading + 1.6 * pad;
                self.put(None, Mark::Fill(Area { y: self.y - 0.5, height: 0.5, ..self.across() }, LINE));
                at += fits;
            }
        }
        self.gap(self.format.size * 0.6);
    }

    fn across(&self) -> Area {
        Area { x: self.left(), y: 0.0, width: self.inner(), height: 0.0 }
    }

    fn head(&mut self, columns: &[Laid], sets: &[Set], height: f32, pad: f32, table: Option<Tag>) {
        self.put(None, Mark::Fill(Area { y: self.y, height, ..self.across() }, SOFT));
        let row = self.tag(Role::Row, table);
        for (column, set) in columns.iter().zip(sets) {
            let tag = self.tag(Role::ColumnHead, row);
            let y = self.y + height - 0.8 * pad - set.height();
            self.lay(tag, set, 0..set.lines.len(), column.edge(pad), y, column.right);
        }
        self.y += height;
    }

    fn sets(&self, columns: &[Laid], cells: &[&str], style: Style, pad: f32) -> Vec<Set> {
        let cell = |i: usize| cells.get(i).copied().unwrap_or_default();
        columns.iter().enumerate().map(|(i, column)| self.set(cell(i), style, column.width - 2.0 * pad)).collect()
    }

    /// Where each column stands.
    fn columns(&self, table: &Table, pad: f32) -> Vec<Laid> {
        let inner = self.inner();
        let size = self.format.size * table.size;
        let natural = |text: &str| letters::line(text, Weight::Bold).width(size) + 2.0 * pad + 1.0;
        let figures = |i: usize| {
            let cells = table.rows.iter().filter_map(|row| row.cells.get(i)).map(|cell| natural(cell));
            let head = table.columns[i].head.split(' ').map(natural).fold(0.0, f32::max);
            cells.fold(head, f32::max).min(inner * WIDEST)
        };
        let widths: Vec<Option<f32>> =
            table.columns.iter().enumerate().map(|(i, column)| column.share.is_none().then(|| figures(i))).collect();
        let rest = inner - widths.iter().flatten().sum::<f32>();
        let shares: f32 = table.columns.iter().filter_map(|column| column.share).sum();
        let mut x = self.left();
        let mut laid = Vec::new();
        for (column, width) in table.columns.iter().zip(widths) {
            let width = width.unwrap_or_else(|| rest * column.share.unwrap_or(1.0) / shares.max(f32::EPSILON));
            laid.push(Laid { x, width, right: column.share.is_none() });
            x += width;
        }
        laid
    }
}

impl Laid {
    /// Where its text begins, or ends if it stands to the right.
    fn edge(&self, pad: f32) -> f32 {
        if self.right { self.x + self.width - pad } else { self.x + pad }
    }
}

fn height(sets: &[Set]) -> f32 {
    sets.iter().map(Set::height).fold(0.0, f32::max)
}
