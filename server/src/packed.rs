//! Records as they are kept: deflated with the words that all records share, a third of their text.
//!
//! A record is mostly the names of its fields. What is left of it are its ids, its numbers and what people wrote.
//! docs/adr/0011 says why.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::{Error, Result};

/// The fields of each kind, and the words that some of them choose from; the most frequent kinds last. Never to be
/// changed: what is kept was packed with exactly these. Better words are another file, with a number of its own.
const WORDS: &[u8] = include_bytes!("packed/words-1.txt");
/// The first byte of what was packed with them. A text of JSON begins with a brace and is read as it stands: so were
/// records kept before, and so they stay until they change.
const MARK: u8 = 1;
/// No record is as long.
const LONGEST: usize = 8 << 20;

thread_local! {
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(8), false));
    static OPENER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

pub fn pack(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut packed = Vec::with_capacity(text.len() / 2 + 64);
        packed.push(MARK);
        let done = packer.set_dictionary(WORDS).is_ok() && deflate(packer, text, &mut packed);
        if done { packed } else { text.to_vec() }
    })
}

fn deflate(packer: &mut Compress, text: &[u8], packed: &mut Vec<u8>) -> bool {
    loop {
        let from = usize::try_from(packer.total_in()).unwrap_or(text.len());
        match packer.compress_vec(&text[from..], packed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return true,
            Ok(_) => packed.reserve(text.len() / 2 + 64),
            Err(_) => return false,
        }
    }
}

/// The text of one record.
///
/// # Errors
/// When the bytes are not what was kept: the database is damaged.
pub fn open(kept: &[u8]) -> Result<String> {
    let mut text = Vec::with_capacity(kept.len() * 5 + 64);
    append(kept, &mut text)?;
    String::from_utf8(text).map_err(|_| damaged())
}

/// As [`open`], behind what stands in `text`.
///
/// # Errors
/// As [`open`].
pub fn append(kept: &[u8], text: &mut Vec<u8>) -> Result<()> {
    match kept.split_first() {
        Some((&MARK, packed)) => OPENER.with_borrow_mut(|opener| inflate(opener, packed, text)),
        _ => {
            text.extend_from_slice(kept);
            Ok(())
        }
    }
}

fn inflate(opener: &mut Decompress, packed: &[u8], text: &mut Vec<u8>) -> Result<()> {
    opener.reset(false);
    opener.set_dictionary(WORDS).map_err(|_| damaged())?;
    text.reserve(packed.len() * 5);
    loop {
        let from = usize::try_from(opener.total_in()).unwrap_or(packed.len());
        match opener.decompress_vec(&packed[from..], text, FlushDecompress::Finish).map_err(|_| damaged())? {
            Status::StreamEnd => return Ok(()),
            _ if opener.total_out() > LONGEST as u64 || text.len() < text.capacity() => return Err(damaged()),
            _ => text.reserve(packed.len() * 5 + 64),
        }
    }
}

/// A list of records as the database joins them: hexadecimal, with commas between.
///
/// # Errors
/// As [`open`].
pub fn open_list(joined: &str) -> Result<String> {
    let mut text = Vec::with_capacity(joined.len() * 2);
    let mut kept = Vec::new();
    for (n, one) in joined.split(',').enumerate() {
        if n > 0 {
            text.push(b',');
        }
        unhex(one, &mut kept)?;
        append(&kept, &mut text)?;
    }
    String::from_utf8(text).map_err(|_| damaged())
}

/// What a text of hexadecimal digits of either case says.
///
/// # Errors
/// As [`open`].
pub fn unhex(digits: &str, bytes: &mut Vec<u8>) -> Result<()> {
    let (pairs, rest) = digits.as_bytes().as_chunks();
    bytes.clear();
    bytes.reserve(pairs.len());
    let mut all = 0;
    for &[high, low] in pairs {
        let (high, low) = (DIGIT[usize::from(high)], DIGIT[usize::from(low)]);
        all |= high | low;
        bytes.push(high << 4 | low & 15);
    }
    if rest.is_empty() && all < 16 { Ok(()) } else { Err(damaged()) }
}

/// What each byte says as a digit; 16 for those that are none.
const DIGIT: [u8; 256] = {
    let mut of = [16; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        of[digit as usize] = value as u8;
        of[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    of
};

pub fn damaged() -> Error {
    Error::unexpected(anyhow::anyhow!("a record cannot be read as it is kept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIT: &str = concat!(
        r#"{"id":"01a1ff21-ae80-7413-a475-267e8239688b","number":"VIS-2026-00401","household":"01a1ff21-ae80-7413-a475-266e57fcd146","#,
        r#""place":"01a1ff21-4b44-708b-87fb-93ac1652bea6","mentor":"01a1ff21-4b4a-72de-a36a-4ea90cb353c1","state":"submitted","#,
        r#""kind":"scheduled","planned_at":null,"started_at":1778788396261,"ended_at":1778789896261,"topics":["business"],"#,
        r#""observations":"Kuku zinataga 🐔","recommendations":"","action_items":"","business_status":"stable","income_minor":133800,"#,
        r#""support_needed":"","lat":-0.24351,"lon":36.03132,"accuracy_m":9.0,"no_gps_reason":null,"note":null,"decided_by":null,"#,
        r#""decided_at":null,"round":1,"submitted_at":1795281761794,"created_at":1795281761794,"updated_at":1795281761794,"revision":156}"#
    );

    #[test]
    fn what_is_packed_is_opened_to_the_byte() {
        let long = format!("{{\"id\":\"{}\"}}", "ndizi ".repeat(400_000));
        let noise: String =
            (0..50_000_u32).map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)).collect();
        for text in ["", "{}", VISIT, &long, &noise] {
            assert_eq!(open(&pack(text)).expect("it was packed"), text);
        }
    }

    #[test]
    fn a_record_takes_less_room() {
        assert!(pack(VISIT).len() * 2 < VISIT.len(), "{} of {}", pack(VISIT).len(), VISIT.len());
    }

    #[test]
    fn what_was_kept_before_is_read_as_it_stands() {
        assert_eq!(open(VISIT.as_bytes()).expect("it is a text"), VISIT);
    }

    #[test]
    fn what_is_cut_or_changed_is_said() {
        let whole = pack(VISIT);
        for end in 1..whole.len() {
            assert!(open(&whole[..end]).is_err(), "cut at {end}");
        }
        assert!(open(&[MARK, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn a_joined_list_is_opened() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
        let joined = [hex(&pack(VISIT)), hex(b"{}")].join(",");
        assert_eq!(open_list(&joined).expect("it was joined"), format!("{VISIT},{{}}"));
    }
}
