//! The form in which rows leave one database and come into another: the same for both engines.
//!
//! A head line; then for each table its name and columns, its rows, and how many they were; then an end. A text that
//! breaks off before the end is noticed.

use std::io::{self, Read, Write};

const HEAD: &[u8] = b"kilele rows 1\n";
/// No text or row of bytes is as long.
const LONGEST: u32 = 256 << 20;

/// One value, as SQLite knows them. Ids are bytes, and a boolean is 0 or 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// Bytes of memory.
    pub fn held(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
                _ => 0,
            }
    }
}

/// What follows in the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Table {
        name: String,
        columns: Vec<String>,
    },
    Row(Vec<Cell>),
    /// The table's end, and how many rows it had.
    End(u64),
}

pub struct Writer<W> {
    to: W,
}

/// One row as it stands in the stream: the same bytes for the same values, whichever engine they are from.
pub fn bytes_of(row: &[Cell]) -> io::Result<Vec<u8>> {
    let mut writer = Writer { to: Vec::new() };
    row.iter().try_for_each(|cell| writer.cell(cell))?;
    Ok(writer.to)
}

impl<W: Write> Writer<W> {
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(HEAD)?;
        Ok(Self { to })
    }

    pub fn write(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Table { name, columns } => {
                self.to.write_all(b"T")?;
                self.bytes(name.as_bytes())?;
                self.to.write_all(&(columns.len() as u32).to_le_bytes())?;
                columns.iter().try_for_each(|column| self.bytes(column.as_bytes()))
            }
            Part::Row(cells) => {
                self.to.write_all(b"R")?;
                cells.iter().try_for_each(|cell| self.cell(cell))
            }
            Part::End(rows) => {
                self.to.write_all(b"E")?;
                self.to.write_all(&rows.to_le_bytes())
            }
        }
    }

    /// The end; answers what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(b"Z")?;
        Ok(self.to)
    }

    fn cell(&mut self, cell: &Cell) -> io::Result<()> {
        match cell {
            Cell::Null => self.to.write_all(&[0]),
            Cell::Int(value) => {
                self.to.write_all(&[1])?;
                self.to.write_all(&value.to_le_bytes())
            }
            Cell::Float(value) => {
                self.to.write_all(&[2])?;
                self.to.write_all(&value.to_le_bytes())
            }
            Cell::Text(text) => {
                self.to.write_all(&[3])?;
                self.bytes(text.as_bytes())
            }
            Cell::Bytes(bytes) => {
                self.to.write_all(&[4])?;
                self.bytes(bytes)
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| damaged("a value is too long for a backup"))?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(bytes)
    }
}

pub struct Reader<R> {
    from: R,
    columns: usize,
}

impl<R: Read> Reader<R> {
    pub fn new(mut from: R) -> io::Result<Self> {
        let mut head = [0; HEAD.len()];
        from.read_exact(&mut head)?;
        if head != HEAD {
            return Err(damaged("not rows of a backup"));
        }
        Ok(Self { from, columns: 0 })
    }

    /// What comes next; nothing at the end.
    pub fn next(&mut self) -> io::Result<Option<Part>> {
        let [tag] = self.take()?;
        match tag {
            b'T' => {
                let name = self.text()?;
                let columns = (0..u32::from_le_bytes(self.take()?)).map(|_| self.text()).collect::<io::Result<Vec<_>>>()?;
                self.columns = columns.len();
                Ok(Some(Part::Table { name, columns }))
            }
            b'R' => Ok(Some(Part::Row((0..self.columns).map(|_| self.cell()).collect::<io::Result<_>>()?))),
            b'E' => Ok(Some(Part::End(u64::from_le_bytes(self.take()?)))),
            b'Z' => Ok(None),
            _ => Err(damaged("rows of a backup are damaged")),
        }
    }

    fn cell(&mut self) -> io::Result<Cell> {
        let [tag] = self.take()?;
        Ok(match tag {
            0 => Cell::Null,
            1 => Cell::Int(i64::from_le_bytes(self.take()?)),
            2 => Cell::Float(f64::from_le_bytes(self.take()?)),
            3 => Cell::Text(self.text()?),
            4 => Cell::Bytes(self.bytes()?),
            _ => return Err(damaged("a value of a backup is damaged")),
        })
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| damaged("a text of a backup is damaged"))
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = u32::from_le_bytes(self.take()?);
        if length > LONGEST {
            return Err(damaged("a value of a backup is damaged"));
        }
        let mut bytes = Vec::new();
        // Not as much memory as a damaged length asks for, but as much as there is.
        (&mut self.from).take(u64::from(length)).read_to_end(&mut bytes)?;
        if bytes.len() as u32 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        let columns = vec!["id".to_owned(), "name".to_owned()];
        let row = |id: i64, name: Cell| Part::Row(vec![Cell::Int(id), name]);
        vec![
            Part::Table { name: "place".into(), columns },
            row(i64::MIN, Cell::Text("Kijiji 🐔".into())),
            row(2, Cell::Bytes(vec![0, 255])),
            row(3, Cell::Float(-0.24351)),
            row(4, Cell::Null),
            Part::End(4),
            Part::Table { name: "empty".into(), columns: vec![] },
            Part::End(0),
        ]
    }

    fn written() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new()).expect("memory takes it");
        parts().iter().for_each(|part| writer.write(part).expect("memory takes it"));
        writer.finish().expect("memory takes it")
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<Part>> {
        let mut reader = Reader::new(bytes)?;
        let mut parts = Vec::new();
        while let Some(part) = reader.next()? {
            parts.push(part);
        }
        Ok(parts)
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&written()).expect("it is whole"), parts());
    }

    #[test]
    fn what_is_cut_anywhere_is_noticed() {
        let whole = written();
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
    }
}
