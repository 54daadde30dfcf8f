//! Reads a JPEG's entropy-coded data to its last bit without making pixels of it: whether all of it is there.
//!
//! libjpeg-turbo tells when bits are missing; the decoder in Rust fills the picture with grey and is silent, so this
//! stands before it. Figures and tables are those of ITU-T T.81.

mod bits;
mod blocks;

use crate::Quarantine;
use bits::{Bits, Codes};
use blocks::{Pass, block};

/// A colour channel and what is known of its blocks.
struct Channel {
    name: u8,
    /// Blocks of it in one interleaved unit: across times down.
    each: usize,
    /// Blocks when it comes alone.
    across: usize,
    down: usize,
    /// One bit for each coefficient of each block that is not zero: passes that refine spend bits on those.
    known: Vec<u64>,
}

#[derive(Default)]
struct Frame {
    progressive: bool,
    channels: Vec<Channel>,
    /// Interleaved units in the picture.
    units: usize,
}

/// What the tables say before a scan.
#[derive(Default)]
struct Tables {
    /// Four for the average of a block, four for the rest.
    codes: [[Codes; 4]; 2],
    /// Units between two restart markers; 0 for none.
    restart: usize,
}

/// Every bit that the scans promise is there, and nothing that is no code.
///
/// # Errors
/// [`Quarantine::Truncated`].
pub(crate) fn check(bytes: &[u8]) -> Result<(), Quarantine> {
    walk(bytes).ok_or(Quarantine::Truncated)
}

fn walk(bytes: &[u8]) -> Option<()> {
    let (mut frame, mut tables, mut at) = (Frame::default(), Tables::default(), 2);
    let mut behind_scan = false;
    loop {
        let marker_at = at + memchr::memchr(0xFF, bytes.get(at..)?)?;
        let marker = *bytes.get(marker_at + 1)?;
        if marker == 0xFF {
            at = marker_at + 1;
            continue;
        }
        // Bytes between a scan and the end mean nothing; before anything else they are lost data.
        if behind_scan && marker_at != at && marker != 0xD9 {
            return None;
        }
        at = marker_at + 2;
        match marker {
            0xD9 => return Some(()),
            0x00 | 0x01 | 0xD0..=0xD8 => {
                // Behind the last unit nothing of these may follow but the end, which is looked for on.
                behind_scan = false;
                continue;
            }
            _ => behind_scan = false,
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let body = bytes.get(at + 2..at + length.max(2))?;
        at += length.max(2);
        match marker {
            0xC4 => tables.read(body)?,
            0xDD => tables.restart = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?])),
            0xC0..=0xC2 => frame = Frame::read(marker, body)?,
            0xDA => {
                at += scan(&mut frame, &tables, body, bytes.get(at..)?)?;
                behind_scan = true;
            }
            _ => {}
        }
    }
}

impl Tables {
    fn read(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&name, rest)) = body.split_first() {
            let (counts, rest) = rest.split_at_checked(16)?;
            let total = counts.iter().map(|n| usize::from(*n)).sum();
            let (values, rest) = rest.split_at_checked(total)?;
            *self.codes.get_mut(usize::from(name >> 4))?.get_mut(usize::from(name & 15))? = Codes::new(counts, values);
            body = rest;
        }
        Some(())
    }
}

impl Frame {
    fn read(marker: u8, body: &[u8]) -> Option<Self> {
        let &[_, h1, h0, w1, w0, _, ref channels @ ..] = body else { return None };
        let (height, width) = (usize::from(u16::from_be_bytes([h1, h0])), usize::from(u16::from_be_bytes([w1, w0])));
        let sampling = |c: &[u8]| (usize::from(c[1] >> 4), usize::from(c[1] & 15));
        let wide = channels.chunks_exact(3).map(|c| sampling(c).0).max()?;
        let high = channels.chunks_exact(3).map(|c| sampling(c).1).max()?;
        let channels = channels.chunks_exact(3).map(|c| {
            let (h, v) = sampling(c);
            let (across, down) = ((width * h).div_ceil(wide).div_ceil(8), (height * v).div_ceil(high).div_ceil(8));
            Channel { name: c[0], each: h * v, across, down, known: Vec::new() }
        });
        let units = width.div_ceil(8 * wide) * height.div_ceil(8 * high);
        Some(Self { progressive: marker == 0xC2, channels: channels.collect(), units })
    }
}

/// Reads one scan; how many bytes it took.
fn scan(frame: &mut Frame, tables: &Tables, header: &[u8], data: &[u8]) -> Option<usize> {
    let (&count, rest) = header.split_first()?;
    let (names, &[first, last, bits]) = rest.split_at_checked(usize::from(count) * 2)? else { return None };
    // In sequential pictures these three mean nothing.
    let (first, last, bits) = if frame.progressive { (first, last, bits) } else { (0, 63, 0) };
    let kind = match (frame.progressive, first, bits >> 4) {
        (false, ..) => blocks::Kind::Whole,
        (true, 0, 0) => blocks::Kind::Average,
        (true, 0, _) => blocks::Kind::AverageAgain,
        (true, _, 0) => blocks::Kind::Rest,
        (true, ..) => blocks::Kind::RestAgain,
    };
    // The place of each channel, and its two tables.
    let mut wanted = Vec::new();
    for name in names.chunks_exact(2) {
        let place = frame.channels.iter().position(|c| c.name == name[0])?;
        let (average, rest) =
            (tables.codes[0].get(usize::from(name[1] >> 4))?, tables.codes[1].get(usize::from(name[1] & 15))?);
        wanted.push((place, average, rest));
    }
    let alone = wanted.len() == 1;
    let (place, ..) = *wanted.first()?;
    if first > last || last > 63 || (first > 0 && !alone) {
        return None;
    }
    let units = if alone { frame.channels[place].across * frame.channels[place].down } else { frame.units };
    if first > 0 && frame.channels[place].known.is_empty() {
        frame.channels[place].known = vec![0; units];
    }
    let (mut reader, mut run, mut restart) = (Bits::new(data), 0, 0);
    for unit in 0..units {
        if tables.restart > 0 && unit > 0 && unit % tables.restart == 0 {
            reader.restart(restart)?;
            (run, restart) = (0, (restart + 1) % 8);
        }
        for (place, average, rest) in &wanted {
            let channel = &mut frame.channels[*place];
            for _ in 0..if alone { 1 } else { channel.each } {
                let mut nothing = 0;
                let known = channel.known.get_mut(unit).filter(|_| first > 0).unwrap_or(&mut nothing);
                let pass = Pass { kind, first, last, average, rest };
                block(&mut reader, &pass, &mut run, known)?;
            }
        }
    }
    Some(reader.end())
}
