//! A file as a table of texts: CSV in whatever encoding and with whatever separator spreadsheets write, or XLSX.

use super::{LARGEST, MOST_COLUMNS, MOST_ROWS, xlsx};
use crate::error::{Error, Result};
use poem::http::StatusCode;

/// All cells in one text: a hundred thousand rows need little more memory than their file.
pub struct Table {
    pub head: Vec<String>,
    text: String,
    /// Where each cell ends, `head.len()` of them to a row.
    ends: Vec<u32>,
    rows: Vec<u32>,
    /// Rows with something behind the last header.
    pub wide: Vec<u32>,
}

impl Table {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number that a spreadsheet shows beside the row.
    pub fn row(&self, index: usize) -> i64 {
        i64::from(self.rows[index])
    }

    pub fn cell(&self, index: usize, column: usize) -> &str {
        let at = index * self.head.len() + column;
        let from = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[from..self.ends[at] as usize]
    }

    /// The first values of a column.
    pub fn samples(&self, column: usize) -> Vec<String> {
        let filled = (0..self.len().min(200)).map(|row| self.cell(row, column)).filter(|cell| !cell.is_empty());
        filled.take(3).map(|cell| cell.chars().take(60).collect()).collect()
    }
}

/// Rows as they come, until there are too many.
#[derive(Default)]
pub struct Builder(Option<Table>);

impl Builder {
    /// `row` is its number in a spreadsheet. The first row that is not blank is the header.
    ///
    /// # Errors
    /// 422 when there are more rows or columns than allowed.
    pub fn push<'a>(&mut self, row: u32, cells: impl Iterator<Item = &'a str>) -> Result<()> {
        let Some(table) = &mut self.0 else { return self.begin(cells) };
        let (width, from) = (table.head.len(), table.text.len());
        let mut count = 0;
        let mut wide = false;
        for cell in cells {
            let cell = cell.trim();
            if count < width {
                table.text.push_str(cell);
                table.ends.push(end(&table.text)?);
            } else {
                wide |= !cell.is_empty();
            }
            count += 1;
        }
        if table.text.len() == from && !wide {
            table.ends.truncate(table.rows.len() * width);
            return Ok(());
        }
        for _ in count..width {
            table.ends.push(end(&table.text)?);
        }
        if table.rows.len() == MOST_ROWS {
            return Err(Error::refused("too_many_rows", "A file has at most 100,000 rows. Divide it."));
        }
        table.rows.push(row);
        if wide {
            table.wide.push(row);
        }
        Ok(())
    }

    fn begin<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut head: Vec<String> = cells.map(|cell| cell.trim().chars().take(120).collect()).collect();
        while head.last().is_some_and(String::is_empty) {
            head.pop();
        }
        if head.len() > MOST_COLUMNS {
            return Err(Error::refused("too_many_columns", "A file has at most 100 columns."));
        }
        if !head.is_empty() {
            self.0 = Some(Table { head, text: String::new(), ends: vec![], rows: vec![], wide: vec![] });
        }
        Ok(())
    }

    /// # Errors
    /// 422 `csv_empty` when there is no row below a header.
    pub fn end(self) -> Result<Table> {
        self.0
            .filter(|table| !table.is_empty())
            .ok_or_else(|| Error::refused("csv_empty", "There are no rows in this file."))
    }
}

fn end(text: &str) -> Result<u32> {
    u32::try_from(text.len()).map_err(|_| unreadable())
}

pub fn unreadable() -> Error {
    Error::refused("file_unreadable", "This file cannot be read as CSV or XLSX.")
}

/// Reads a file of any kind that is taken; takes as long as a second for the largest.
///
/// # Errors
/// 413 when it is too large; 422 with a code that says what it is instead.
pub fn read(bytes: &[u8]) -> Result<Table> {
    if bytes.len() > LARGEST {
        return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A file has at most 25 MB."));
    }
    match bytes {
        [b'P', b'K', 3, 4, ..] => xlsx::read(bytes),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            Err(Error::refused("file_old_excel", "This is an old or locked Excel file. Save it as .xlsx or CSV."))
        }
        _ => csv(&decoded(bytes)?),
    }
}

/// As UTF-8, with or without a byte order mark; as UTF-16 with one; else as Windows writes it.
fn decoded(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return if broken { Err(unreadable()) } else { Ok(text) };
    }
    if bytes.contains(&0) {
        return Err(unreadable());
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    })
}

/// The separator that the header has most of.
fn separator(head: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in head.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(one, _)| *one == byte).for_each(|(_, n)| *n += 1),
        }
    }
    // Of equals the first.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(one, _)| *one)
}

fn csv(text: &str) -> Result<Table> {
    // What Excel writes for itself before the header.
    let (hint, text) = match text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) {
        true => (text.as_bytes().get(4).copied(), text.split_once('\n').map_or("", |(_, rest)| rest)),
        false => (None, text),
    };
    let text = text.trim_start_matches(['\n', '\r']);
    let separator = hint.filter(u8::is_ascii).unwrap_or_else(|| separator(text));
    // All lines end alike, the last one too: the reader counts them by what ends them.
    let text = text.replace("\r\n", "\n") + "\n";
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut builder = Builder::default();
    let mut record = csv::StringRecord::new();
    let mut row = 0_u32;
    loop {
        let begun = reader.position().line();
        if !reader.read_record(&mut record).map_err(|_| unreadable())? {
            return builder.end();
        }
        // The reader leaves blank lines out; a spreadsheet shows them as rows.
        let lines = reader.position().line() - begun;
        let within = record.iter().map(|cell| cell.bytes().filter(|b| *b == b'\n').count() as u64).sum::<u64>();
        let blank = lines.saturating_sub(within + 1);
        row = row.saturating_add(1).saturating_add(u32::try_from(blank).unwrap_or(u32::MAX));
        builder.push(row, record.iter())?;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    fn cells(table: &Table) -> Vec<(i64, Vec<&str>)> {
        (0..table.len()).map(|n| (table.row(n), (0..table.head.len()).map(|c| table.cell(n, c)).collect())).collect()
    }

    #[test]
    fn whatever_spreadsheets_write_is_read() {
        let expected = [(2, vec!["Zawadi", "Kambi\nya Juu"]), (5, vec!["Juma", ""])];
        let files: [Vec<u8>; 6] = [
            b"Name,Village\nZawadi,\"Kambi\nya Juu\"\n\n , \nJuma\n".to_vec(),
            b"\xef\xbb\xbfName;Village\r\nZawadi;\"Kambi\nya Juu\"\r\n\r\n;\r\nJuma;".to_vec(),
            b"Name\tVillage\nZawadi\t\"Kambi\nya Juu\"\n\n\t\nJuma\t".to_vec(),
            b"sep=;\r\nName;Village\r\nZawadi;\"Kambi\nya Juu\"\r\n\r\n;\r\nJuma;".to_vec(),
            [&[0xff, 0xfe][..], &utf16("Name,Village\nZawadi,\"Kambi\nya Juu\"\n\n,\nJuma,", false)].concat(),
            [&[0xfe, 0xff][..], &utf16("Name,Village\nZawadi,\"Kambi\nya Juu\"\n\n,\nJuma,", true)].concat(),
        ];
        for file in files {
            let table = read(&file).unwrap();
            assert_eq!((&table.head, cells(&table)), (&vec!["Name".to_owned(), "Village".to_owned()], expected.to_vec()));
        }
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn windows_letters_are_letters() {
        let table = read(b"Name,Village\nJos\xe9,Ng\x92ombe\n").unwrap();
        assert_eq!(cells(&table), [(2, vec!["José", "Ng’ombe"])]);
    }

    #[test]
    fn what_is_no_table_is_said() {
        let code = |bytes: &[u8]| read(bytes).err().unwrap().code().to_owned();
        for empty in ["", "\n\n", "Name,Village", "Name\n\n  \n"] {
            assert_eq!(code(empty.as_bytes()), "csv_empty", "{empty:?}");
        }
        assert_eq!(code(b"a\0b"), "file_unreadable");
        assert_eq!(code(b"PK\x03\x04nothing"), "file_unreadable");
        assert_eq!(code(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "file_old_excel");
        assert_eq!(code(&[b"x,".repeat(101), b"x\n1".to_vec()].concat()), "too_many_columns");
        assert_eq!(code(&[b"a\n".to_vec(), b"1\n".repeat(MOST_ROWS + 1)].concat()), "too_many_rows");
        assert_eq!(code(&vec![b'x'; LARGEST + 1]), "too_large");
        assert_eq!(read(&[b"a\n".to_vec(), b"1\n".repeat(MOST_ROWS)].concat()).unwrap().len(), MOST_ROWS);
        assert_eq!(read(b"a,b\n1,2,3\n").unwrap().wide, [2]);
    }
}
