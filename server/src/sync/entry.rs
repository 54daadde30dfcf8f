//! An entry of an answer, from the row that keeps it: its kind, whether it is gone, its revision and its packed record.

use crate::error::Result;
use crate::packed;

/// What the database joins, with commas between.
macro_rules! kept_entry {
    () => {
        "e.kind || CASE WHEN e.deleted THEN '-' ELSE '+' END || e.revision || ':' || hex(e.body)"
    };
}
pub(super) use kept_entry;

/// Every record begins with `{"id":"…"`: the id is cut from there.
const ID: std::ops::Range<usize> = 1..44;

pub struct Kept<'a> {
    pub kind: &'a str,
    deleted: bool,
    pub revision: i64,
    body: &'a str,
}

impl<'a> Kept<'a> {
    pub fn parse(entry: &'a str) -> Result<Self> {
        let parse = || {
            let (head, body) = entry.split_once(':')?;
            let at = head.find(['+', '-'])?;
            let deleted = head.as_bytes()[at] == b'-';
            Some(Self { kind: &head[..at], deleted, revision: head[at + 1..].parse().ok()?, body })
        };
        parse().ok_or_else(packed::damaged)
    }

    /// Appends the entry to `text` as it stands in an answer.
    pub fn tell(&self, text: &mut Vec<u8>) -> Result<()> {
        let (mut kept, mut body) = (Vec::new(), Vec::new());
        packed::unhex(self.body, &mut kept)?;
        packed::append(&kept, &mut body)?;
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(b"{\"kind\":\"");
        text.extend_from_slice(self.kind.as_bytes());
        text.extend_from_slice(b"\",");
        text.extend_from_slice(body.get(ID).ok_or_else(packed::damaged)?);
        if self.deleted {
            text.extend_from_slice(b",\"deleted\":true}");
        } else {
            text.extend_from_slice(b",\"body\":");
            text.extend_from_slice(&body);
            text.push(b'}');
        }
        Ok(())
    }
}
