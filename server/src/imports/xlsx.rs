//! The first sheet of a workbook, a cell at a time: what it unpacks to is measured before anything reads it.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::MOST_COLUMNS;
use super::table::{Builder, Table, unreadable};
use crate::error::{Error, Result};

/// What all parts together may unpack to: a hundred thousand rows of twenty columns take half of it.
const UNPACKED: u64 = 256 << 20;
/// What is read as a whole before the sheet: the texts that cells share, styles and names.
const WHOLE: u64 = 40 << 20;
const PARTS: usize = 2_000;

/// Counts by unpacking, whatever the archive says of itself.
fn bound(bytes: &[u8]) -> Result<()> {
    let bomb = || Error::refused("file_bomb", "This file unpacks to more than the server takes.");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    if archive.len() > PARTS {
        return Err(bomb());
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| unreadable())?;
        let name = part.name().map_err(|_| unreadable())?.to_lowercase();
        let most = if name.contains("/worksheets/") { UNPACKED } else { WHOLE };
        let mut part = part.take(most + 1);
        let size = if name.ends_with("sharedstrings.xml") {
            let mut text = Vec::new();
            part.read_to_end(&mut text).map_err(|_| unreadable())?;
            if text.len() as u64 > most || !honest(&text) {
                return Err(bomb());
            }
            text.len() as u64
        } else {
            std::io::copy(&mut part, &mut std::io::sink()).map_err(|_| unreadable())?
        };
        total += size;
        if size > most || total > UNPACKED {
            return Err(bomb());
        }
    }
    Ok(())
}

/// The reader makes room for as many texts as the part says that it has: more than its bytes is a lie, for which the
/// whole server would have to end. Only in an encoding in which this can be looked for.
fn honest(part: &[u8]) -> bool {
    const COUNT: &[u8] = b"uniqueCount";
    let start = part[..part.len().min(200)].to_ascii_lowercase();
    let says = |words: &[u8]| start.windows(words.len()).any(|at| at == words);
    if part.contains(&0) || (says(b"encoding") && !says(b"utf-8")) {
        return false;
    }
    part.windows(COUNT.len()).enumerate().filter(|(_, at)| *at == COUNT).all(|(at, _)| {
        let rest = part[at + COUNT.len()..].iter().skip_while(|b| !b.is_ascii_digit() && **b != b'>');
        let digits: String = rest.take_while(|b| b.is_ascii_digit()).take(20).map(|b| char::from(*b)).collect();
        digits.is_empty() || digits.parse().is_ok_and(|count: usize| count <= part.len())
    })
}

/// # Errors
/// 422 when it is no workbook, unpacks to too much, or has too many rows or columns.
pub fn read(bytes: &[u8]) -> Result<Table> {
    bound(bytes)?;
    let wrong = |_: XlsxError| unreadable();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(wrong)?;
    let sheets = book.sheets_metadata();
    let shown = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
    let name = sheets.iter().find(shown).map(|sheet| sheet.name.clone()).ok_or_else(unreadable)?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(wrong)?;
    let mut builder = Builder::default();
    let (mut row, mut line): (u32, Vec<String>) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(wrong)? {
        let (at, column) = cell.get_position();
        if at != row {
            builder.push(row + 1, line.iter().map(String::as_str))?;
            if at < row {
                return Err(unreadable());
            }
            row = at;
            line.clear();
        }
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let column = column as usize;
        if column > MOST_COLUMNS {
            return Err(Error::refused("too_many_columns", "A file has at most 100 columns."));
        }
        if line.len() <= column {
            line.resize(column + 1, String::new());
        }
        line[column] = text;
    }
    builder.push(row + 1, line.iter().map(String::as_str))?;
    builder.end()
}

/// A number without the places that a spreadsheet adds, a date as `YYYY-MM-DD`.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::DurationIso(_) => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        DataRef::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::String(text) | DataRef::DateTimeIso(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Error(error) => error.to_string(),
    }
}
