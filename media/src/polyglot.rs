//! Files that are a picture to one program and something else to another: an archive, a page, a program.
//!
//! Real phones put things behind a picture too (a short film, a depth map, another JPEG): those are dropped in silence.

use memchr::memmem;

/// An archive's directory stands within this many bytes of its end (its comment is at most 64 KiB).
const DIRECTORY_REACH: usize = 22 + 65_535;
const SCRIPTS: [&[u8]; 6] = [b"<script", b"<html", b"<!doctype", b"<?php", b"<svg", b"javascript:"];

/// `end`: the first byte behind the picture, where known. `notes`: free text inside of it.
pub(crate) fn carries_more<'a>(bytes: &'a [u8], end: Option<usize>, notes: impl Iterator<Item = &'a [u8]>) -> bool {
    let tail = end.and_then(|end| bytes.get(end..)).unwrap_or_default();
    let first = tail.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0).unwrap_or(tail.len());
    let other = infer::get(&tail[first..]).is_some_and(|kind| {
        use infer::MatcherType::{App, Archive, Doc, Text};
        matches!(kind.matcher_type(), App | Archive | Doc | Text)
    });
    other || ends_as_archive(bytes) || scripted(tail) || notes.into_iter().any(scripted)
}

/// Unpackers read from the end: the last directory record there reaches exactly to the last byte.
fn ends_as_archive(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(DIRECTORY_REACH);
    memmem::find_iter(&bytes[from..], b"PK\x05\x06").any(|at| {
        let record = &bytes[from + at..];
        record.get(20..22).is_some_and(|n| 22 + usize::from(u16::from_le_bytes([n[0], n[1]])) == record.len())
    })
}

fn scripted(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'<', b'j', text).any(|at| {
        let rest = &text[at..];
        SCRIPTS.iter().any(|word| rest.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)))
    })
}

/// The first byte behind a PNG's last chunk, or behind a WebP's container.
pub(crate) fn end_of(bytes: &[u8], png: bool) -> Option<usize> {
    if !png {
        let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
        return Some(8 + length + (length & 1));
    }
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let name = bytes.get(at + 4..at + 8)?;
        at = at.checked_add(length + 12)?;
        if name == b"IEND" {
            return Some(at);
        }
    }
}
