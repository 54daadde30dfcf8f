//! The layout: what is torn where, and that nothing is lost or stands outside of the page.

use super::marks::{Mark, Placed};
use super::*;

fn sheet(format: Format) -> Sheet {
    let furniture = Furniture {
        head: ("Tumaini Trust".into(), "Grant file".into()),
        foot: "GRA-2026-00012".into(),
        page: |page, of| format!("Page {page} of {of}"),
    };
    Sheet::new(format, furniture)
}

fn words(page: &[Placed]) -> Vec<&str> {
    page.iter().filter_map(|one| if let Mark::Words { line, .. } = &one.mark { Some(&*line.text) } else { None }).collect()
}

/// Nothing over the edges of the paper, and nothing in the foot.
fn inside(sheet: &Sheet) {
    let Format { width, height, margin, .. } = sheet.format;
    for one in sheet.pages.iter().flatten() {
        let (left, right, lower) = match &one.mark {
            Mark::Words { x, y, size, line, .. } => (*x, x + line.width(*size), *y),
            Mark::Fill(area, _) | Mark::Frame(area, _) | Mark::Ink(area, _) | Mark::Code(area, _) => {
                (area.x, area.x + area.width, area.y + area.height)
            }
            Mark::Picture(area, _) => (area.x, area.x + area.width, area.y + area.height),
        };
        assert!(left >= margin - 0.5 && right <= width - margin + 0.5, "{left} to {right}: {one:?}");
        assert!(lower <= height - margin + 0.5, "{lower} of {height}: {one:?}");
    }
}

fn table(rows: Vec<Row>) -> Table<'static> {
    Table { columns: vec![Column::words("What for", 1.0), Column::figures("Amount")], rows, size: 1.0 }
}

#[test]
fn a_table_goes_on_with_its_heads() {
    let mut sheet = sheet(Format::A4);
    let rows = (0..150).map(|at| Row::new([format!("Item {at:03}"), "1,250.50".into()])).collect();
    sheet.table(&table(rows));
    assert!(sheet.pages.len() > 3, "{} pages", sheet.pages.len());
    for page in &sheet.pages {
        assert_eq!(words(page)[..2], ["What for", "Amount"]);
        assert!(words(page).len() > 8, "{:?}", words(page));
    }
    let items: Vec<&str> = sheet.pages.iter().flat_map(|page| words(page)).filter(|text| text.starts_with("Item")).collect();
    assert_eq!(items, (0..150).map(|at| format!("Item {at:03}")).collect::<Vec<_>>());
    sheet.furnish();
    inside(&sheet);
}

#[test]
fn figures_end_below_each_other() {
    let mut sheet = sheet(Format::A4);
    let rows = ["1", "12,500.05", "999"].map(|amount| Row::new(["Goats".into(), amount.into()]));
    sheet.table(&table(rows.into()));
    let ends: Vec<f32> = sheet.pages[0]
        .iter()
        .filter_map(|one| match &one.mark {
            Mark::Words { x, size, line, .. } if line.text != "Goats" && line.text != "What for" => {
                Some(x + line.width(*size))
            }
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), 4);
    assert!(ends.iter().all(|end| (end - ends[0]).abs() < 0.01), "{ends:?}");
}

#[test]
fn a_row_longer_than_a_page_is_torn_and_loses_nothing() {
    for format in [Format::A4, Format::A6] {
        let mut sheet = sheet(format);
        let long = (0..800).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        sheet.table(&table(vec![
            Row::new(["Before".into()]),
            Row::new([long.clone(), "1".into()]),
            Row::sum(["Sum".into()]),
        ]));
        let all: Vec<&str> = sheet.pages.iter().flat_map(|page| words(page)).collect();
        let digits = |text: &&&str| text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b' ');
        assert_eq!(all.iter().filter(digits).copied().collect::<Vec<_>>().join(" "), long);
        assert_eq!(all.last(), Some(&"Sum"));
        sheet.furnish();
        inside(&sheet);
    }
}

#[test]
fn long_texts_and_long_words_stay_on_the_paper() {
    for format in [Format::A4, Format::A6, Format::PHONE] {
        let mut sheet = sheet(format);
        let (long, word) = ("A household keeps goats. ".repeat(200), "x".repeat(5_000));
        sheet.title(&word[..200], &long[..300]);
        sheet.band(&[
            ("Amount", "KES 92,233,720,368,547,758.08".into()),
            ("Applicant", word[..150].into()),
            ("State", String::new()),
        ]);
        sheet.heading(&word[..120]);
        sheet.paragraph(&long, Style::PLAIN);
        sheet.paragraph(&word, Style::QUIET);
        sheet.warning(&long);
        sheet.facts(&[(&word[..60], long.clone()), ("Nothing", String::new()), ("Word", word.clone())]);
        sheet.table(&table(vec![Row::new([word.clone(), word[..80].into()])]));
        sheet.signature(None, "Nobody", &[(&word[..40], long.clone())]);
        let all: String = sheet.pages.iter().flat_map(|page| words(page)).collect();
        assert!(all.matches('x').count() >= 15_000, "{}", all.matches('x').count());
        assert!(!all.contains("Nothing"));
        sheet.furnish();
        if !format.grows {
            assert!(sheet.pages.iter().all(|page| page.len() > 4), "an empty page");
            inside(&sheet);
        }
    }
}

#[test]
fn a_heading_never_ends_a_page() {
    for before in 0..60 {
        let mut sheet = sheet(Format::A4);
        for _ in 0..before {
            sheet.paragraph("A line.", Style::PLAIN);
        }
        sheet.heading("Payments");
        sheet.table(&table(vec![Row::new(["Goats".into(), "1".into()])]));
        let page = sheet.pages.iter().find(|page| words(page).contains(&"Payments"));
        assert!(page.is_some_and(|page| words(page).contains(&"Goats")), "after {before} lines");
    }
}

#[test]
fn a_photo_that_is_not_there_is_words() {
    let mut sheet = sheet(Format::A4);
    let photo = |jpeg| Photo { title: "1. Person".into(), lines: vec![], jpeg, absent: "Not here yet.".into() };
    sheet.photos(vec![photo(None), photo(Some(vec![0xff, 0xd8, 1, 2])), photo(Some(vec![]))], 3);
    assert_eq!(words(&sheet.pages[0]).iter().filter(|text| **text == "Not here yet.").count(), 3);
    assert!(sheet.finish("Photos", "Tumaini Trust", Language::En, 0).is_ok());
}

#[test]
fn every_page_says_which_it_is() {
    let mut sheet = sheet(Format::A6);
    sheet.paragraph(&"A household keeps goats. ".repeat(120), Style::PLAIN);
    sheet.furnish();
    let total = sheet.pages.len();
    assert!(total > 1);
    for (at, page) in sheet.pages.iter().enumerate() {
        assert!(words(page).contains(&format!("Page {} of {total}", at + 1).as_str()));
        assert_eq!(words(page).contains(&"Tumaini Trust"), at > 0);
    }
}

#[test]
fn a_screen_has_one_page_as_long_as_it_takes() {
    let mut short = sheet(Format::PHONE);
    short.paragraph("A line.", Style::PLAIN);
    short.furnish();
    assert_eq!((short.pages.len(), short.format.height), (1, Format::PHONE.height));
    let mut long = sheet(Format::PHONE);
    long.paragraph(&"A household keeps goats. ".repeat(120), Style::PLAIN);
    long.furnish();
    assert_eq!(long.pages.len(), 1);
    assert!(long.format.height > 2.0 * Format::PHONE.height);
    inside(&long);
}
