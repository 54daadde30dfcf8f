//! Walks a JPEG's markers: its size, scans, EXIF and colour profile, and its true end, without decoding.
//!
//! The decoder fills what is missing with grey and only warns, so the end is looked for here.
//! Marker codes are those of ITU-T T.81, table B.1.

mod scans;

use std::borrow::Cow;
use std::ops::Range;

use crate::{Quarantine, colours};
use scans::Scans;

const SOF_BASELINE: u8 = 0xC0;
const SOF_EXTENDED: u8 = 0xC1;
const SOF_PROGRESSIVE: u8 = 0xC2;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const COMMENT: u8 = 0xFE;
const EXIF: &[u8] = b"Exif\0\0";
const PROFILE: &[u8] = b"ICC_PROFILE\0";

/// What a JPEG's markers say.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    pub width: u32,
    pub height: u32,
    /// Bytes of DCT coefficients when all have to be kept, two per sample.
    pub coefficient_bytes: u64,
    /// Colour channels: 1 grey, 3 colour, 4 CMYK.
    pub components: u8,
    /// Passes over the picture; stops counting above the limit.
    pub scans: u32,
    pub progressive: bool,
    /// Several scans, so the decoder keeps all coefficients.
    pub buffered: bool,
    /// Adobe's marker, which means that CMYK is stored inverted.
    pub adobe: bool,
    /// Where the TIFF block of the first EXIF segment lies.
    pub exif: Option<Range<usize>>,
    /// The pieces of the colour profile.
    profile: Vec<Piece>,
    /// Bytes that real phones get wrong and that mean nothing, with what they ought to be.
    ///
    /// The decoder tells of its first doubt only: were it one of these, it would be silent about a cut behind it.
    oddities: Vec<(usize, u8)>,
    pub comments: Vec<Range<usize>>,
    /// The first byte behind the end-of-image marker, if that was found where the picture ends and all of every
    /// channel had come by then.
    pub end: Option<usize>,
}

#[derive(Clone, Debug)]
struct Piece {
    number: u8,
    of: u8,
    place: Range<usize>,
}

impl Markers {
    /// The colour profile put together, if all its pieces are there.
    pub fn profile(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut pieces = self.profile.clone();
        pieces.sort_by_key(|piece| piece.number);
        let length: usize = pieces.iter().map(|piece| piece.place.len()).sum();
        if pieces.is_empty() || !self.profile_is_whole() || length > colours::LARGEST {
            return None;
        }
        Some(pieces.into_iter().filter_map(|piece| bytes.get(piece.place)).flatten().copied().collect())
    }

    fn profile_is_whole(&self) -> bool {
        let mut numbers: Vec<u8> = self.profile.iter().map(|piece| piece.number).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.iter().zip(1..).all(|(number, wanted)| usize::from(*number) == wanted)
            && self.profile.iter().all(|piece| usize::from(piece.of) == count)
    }

    /// The file without its oddities; the file itself when it has none, as nearly always.
    pub fn tidied<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut tidied = Cow::Borrowed(bytes);
        for (at, value) in &self.oddities {
            tidied.to_mut()[*at] = *value;
        }
        tidied
    }

    pub fn is_odd(&self) -> bool {
        !self.oddities.is_empty()
    }
}

/// Reads the markers up to the end of the image, or until there are more than `most_scans`.
///
/// A file that stops early is returned without an `end` as long as its size is known.
pub(crate) fn read(bytes: &[u8], most_scans: u32) -> Result<Markers, Quarantine> {
    let mut found = Markers::default();
    let mut scans = Scans::default();
    let mut at = 2;
    while let Some((marker, after)) = next(bytes, at) {
        at = after;
        match marker {
            0x01 | 0xD0..=0xD7 => continue,
            SOI => return Err(Quarantine::Unsupported),
            EOI => {
                found.end = scans.complete().then_some(at);
                break;
            }
            _ => {}
        }
        let Some(length) = bytes.get(at..at + 2).map(|b| usize::from(be16(b))) else {
            break;
        };
        let Some(body) = bytes.get(at + 2..at + length.max(2)) else {
            break;
        };
        match marker {
            // A second frame would change what was judged.
            SOF_BASELINE | SOF_EXTENDED | SOF_PROGRESSIVE if found.width > 0 => return Err(Quarantine::Unsupported),
            SOF_BASELINE | SOF_EXTENDED | SOF_PROGRESSIVE => {
                frame(&mut found, marker, body)?;
                scans = Scans::of(marker == SOF_PROGRESSIVE, &body[6..]);
            }
            // Lossless, hierarchical and arithmetic-coded frames: no camera writes them.
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return Err(Quarantine::Unsupported),
            APP1 if found.exif.is_none() && body.starts_with(EXIF) => {
                found.exif = Some(at + 2 + EXIF.len()..at + length);
            }
            APP0 if body.starts_with(b"JFIF\0") && body.len() > 5 && body[5] != 1 => found.oddities.push((at + 7, 1)),
            APP2 if body.starts_with(PROFILE) && body.len() >= PROFILE.len() + 2 => {
                let place = at + 2 + PROFILE.len() + 2..at + length;
                found.profile.push(Piece { number: body[PROFILE.len()], of: body[PROFILE.len() + 1], place });
            }
            APP14 if body.starts_with(b"Adobe") => {
                found.adobe = true;
                if body.len() > 11 && body[11] > 2 {
                    // What the decoder assumes of it.
                    found.oddities.push((at + 13, if found.components == 4 { 2 } else { 1 }));
                }
            }
            COMMENT => found.comments.push(at + 2..at + length),
            SOS => {
                found.scans += 1;
                found.buffered |= body.first().is_some_and(|n| *n < found.components);
                if found.width == 0 || found.scans > most_scans {
                    break;
                }
                scans.add(body);
                if !found.progressive {
                    let from = at + 3 + 2 * usize::from(*body.first().unwrap_or(&0));
                    let odd = (from..at + length).zip([0, 63, 0]).filter(|(at, right)| bytes[*at] != *right);
                    found.oddities.extend(odd);
                }
            }
            _ => {}
        }
        at += length.max(2);
    }
    if found.width == 0 {
        return Err(Quarantine::Truncated);
    }
    if !found.profile_is_whole() {
        // By another name it is passed over.
        let names = found.profile.iter().map(|piece| (piece.place.start - PROFILE.len() - 2, b'X'));
        found.oddities.extend(names);
    }
    Ok(found)
}

/// The next marker at or after `from` and the place behind it; entropy-coded data is passed over.
fn next(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)? + 1;
        match *bytes.get(at)? {
            0x00 | 0xD0..=0xD7 => at += 1,
            0xFF => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

fn frame(found: &mut Markers, marker: u8, body: &[u8]) -> Result<(), Quarantine> {
    let &[precision, h1, h0, w1, w0, components, ref sampling @ ..] = body else {
        return Err(Quarantine::Truncated);
    };
    let (width, height) = (be16(&[w1, w0]), be16(&[h1, h0]));
    // Height 0 means "given after the first scan"; twelve bits are for X-rays.
    if precision != 8 || width == 0 || height == 0 || !matches!(components, 1 | 3 | 4) {
        return Err(Quarantine::Unsupported);
    }
    let factors: Vec<(u64, u64)> = sampling.chunks_exact(3).map(|c| (u64::from(c[1] >> 4), u64::from(c[1] & 15))).collect();
    if factors.len() != usize::from(components) || factors.iter().any(|(h, v)| !(1..=4).contains(h) || !(1..=4).contains(v))
    {
        return Err(Quarantine::Unsupported);
    }
    let samples: u64 = factors.iter().map(|(h, v)| h * v).sum();
    let across = factors.iter().map(|(h, _)| *h).max().unwrap_or(1);
    let down = factors.iter().map(|(_, v)| *v).max().unwrap_or(1);
    let pixels = u64::from(width) * u64::from(height);
    found.width = width.into();
    found.height = height.into();
    found.components = components;
    found.progressive = marker == SOF_PROGRESSIVE;
    found.buffered |= found.progressive;
    found.coefficient_bytes = pixels * samples * 2 / (across * down);
    Ok(())
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}
