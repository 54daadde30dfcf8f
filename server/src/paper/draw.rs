//! Pages that are laid out become a PDF: text that can be selected, tags, a table of contents.

use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{ArtifactType, ContentTag, SpanTag};
use krilla::{Document, SerializeSettings};

use super::Language;
use super::marks::{Area, Colour, Mark, Placed};
use super::sheet::Sheet;
use crate::clock::Millis;
use crate::error::{Error, Result};

impl Sheet {
    /// # Errors
    /// When it cannot be written as PDF.
    pub fn finish(mut self, title: &str, author: &str, language: Language, at: Millis) -> Result<Vec<u8>> {
        self.furnish();
        let mut document = Document::new_with(SerializeSettings { enable_tagging: true, ..SerializeSettings::default() });
        let metadata = Metadata::new()
            .title(title.into())
            .authors(vec![author.into()])
            .language(language.code().into())
            .creator("Kilele".into());
        document.set_metadata(match moment(at) {
            Some(moment) => metadata.creation_date(moment),
            None => metadata,
        });
        let (width, height) = (self.format.width, self.format.height);
        for marks in std::mem::take(&mut self.pages) {
            let settings = PageSettings::from_wh(width, height)
                .ok_or_else(|| Error::unexpected(anyhow::anyhow!("a page of {width} × {height}")))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for together in marks.chunk_by(|one, next| one.tag == next.tag) {
                self.draw(&mut surface, together);
            }
            surface.finish();
            page.finish();
        }
        if self.entries.len() > 1 {
            let mut outline = Outline::new();
            for entry in &self.entries {
                let place = XyzDestination::new(entry.page, Point::from_xy(0.0, entry.y));
                outline.push_child(OutlineNode::new(entry.title.clone(), place));
            }
            document.set_outline(outline);
        }
        document.set_tag_tree(self.tags.tree());
        document.finish().map_err(|e| Error::unexpected(anyhow::anyhow!("writing a PDF: {e:?}")))
    }

    /// Marks that belong together.
    fn draw(&mut self, surface: &mut Surface, marks: &[Placed]) {
        let tag = marks.first().and_then(|one| one.tag);
        let content = match tag {
            Some(_) => ContentTag::Span(SpanTag::empty()),
            None => ContentTag::Artifact(krilla::tagging::Artifact::with_kind(ArtifactType::Layout)),
        };
        let leaf = surface.start_tagged(content);
        marks.iter().for_each(|one| draw(surface, &one.mark));
        surface.end_tagged();
        if let Some(tag) = tag {
            self.tags.found(tag, leaf);
        }
    }
}

fn draw(surface: &mut Surface, mark: &Mark) {
    match mark {
        Mark::Words { x, y, size, colour, line } => {
            surface.set_fill(Some(fill(*colour)));
            surface.draw_glyphs(Point::from_xy(*x, *y), &line.glyphs, line.font(), &line.text, *size, false);
        }
        Mark::Fill(area, colour) => {
            surface.set_fill(Some(fill(*colour)));
            draw_path(surface, [*area]);
        }
        Mark::Frame(area, colour) => {
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { paint: paint(*colour).into(), width: 0.6, ..Stroke::default() }));
            draw_path(surface, [*area]);
            surface.set_stroke(None);
        }
        Mark::Picture(area, image) => {
            let Some(size) = Size::from_wh(area.width, area.height) else { return };
            surface.push_transform(&Transform::from_translate(area.x, area.y));
            surface.draw_image(image.clone(), size);
            surface.pop();
        }
        Mark::Ink(area, ink) => {
            ink.draw(surface, area.x, area.y, area.width, area.height);
        }
        Mark::Code(area, rows) => {
            surface.set_fill(Some(fill(Colour(0, 0, 0))));
            let side = area.width / rows.len() as f32;
            // Squares beside each other are one, so that no reader draws a white hair between them.
            let runs = rows.iter().enumerate().flat_map(|(y, row)| {
                let mut x = 0;
                row.chunk_by(|one, next| one == next).filter_map(move |run| {
                    let from = x;
                    x += run.len();
                    let place = Area {
                        x: area.x + from as f32 * side,
                        y: area.y + y as f32 * side,
                        width: run.len() as f32 * side,
                        height: side,
                    };
                    run[0].then_some(place)
                })
            });
            draw_path(surface, runs);
        }
    }
}

fn draw_path(surface: &mut Surface, areas: impl IntoIterator<Item = Area>) {
    let mut path = PathBuilder::new();
    for Area { x, y, width, height } in areas {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn paint(Colour(red, green, blue): Colour) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn fill(colour: Colour) -> Fill {
    Fill { paint: paint(colour).into(), ..Fill::default() }
}

fn moment(at: Millis) -> Option<DateTime> {
    use chrono::{Datelike, Timelike};
    let time = chrono::DateTime::from_timestamp_millis(at)?;
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    Some(
        DateTime::new(u16::try_from(time.year()).ok()?)
            .month(small(time.month()))
            .day(small(time.day()))
            .hour(small(time.hour()))
            .minute(small(time.minute()))
            .second(small(time.second()))
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}
