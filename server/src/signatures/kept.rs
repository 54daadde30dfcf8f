//! A signed text as it is kept: its strokes as steps from point to point, the rest packed. It comes back to the byte,
//! because its hash is of its bytes; a text that would not is kept packed as a whole.

use crate::error::{Error, Result};
use crate::packed;

type Strokes = Vec<Vec<[i32; 4]>>;

/// The first byte of a text whose strokes were taken out.
const STEPS: u8 = 2;

pub fn pack(record: &str, strokes: &Strokes) -> Vec<u8> {
    let taken_out = || {
        let written = serde_json::to_string(strokes).ok()?;
        let at = record.find(&written)?;
        let mut bytes = Vec::with_capacity(record.len() / 2);
        number(at as i64, &mut bytes);
        steps(strokes, &mut bytes);
        bytes.extend_from_slice(&record.as_bytes()[..at]);
        bytes.extend_from_slice(&record.as_bytes()[at + written.len()..]);
        let mut kept = vec![STEPS];
        kept.extend(packed::pack(&bytes));
        (open(&kept).ok()?.as_str() == record).then_some(kept)
    };
    taken_out().unwrap_or_else(|| packed::pack(record.as_bytes()))
}

/// The text as it was signed.
///
/// # Errors
/// When the bytes are not what was kept: the database is damaged.
pub fn open(kept: &[u8]) -> Result<String> {
    let Some((&STEPS, packed)) = kept.split_first() else { return packed::open(kept) };
    let mut bytes = Vec::new();
    packed::append(packed, &mut bytes)?;
    let text = || {
        let mut rest = bytes.as_slice();
        let at = usize::try_from(next(&mut rest)?).ok()?;
        let strokes = serde_json::to_string(&stepped(&mut rest)?).ok()?;
        let (before, after) = rest.split_at_checked(at)?;
        String::from_utf8([before, strokes.as_bytes(), after].concat()).ok()
    };
    text().ok_or_else(|| Error::unexpected(anyhow::anyhow!("a signed text cannot be read as it is kept")))
}

/// How many strokes; of each how many points; of each point how far it is from the one before.
fn steps(strokes: &Strokes, bytes: &mut Vec<u8>) {
    number(strokes.len() as i64, bytes);
    let mut last = [0; 4];
    for stroke in strokes {
        number(stroke.len() as i64, bytes);
        for point in stroke {
            for (now, before) in point.iter().zip(last) {
                number(i64::from(*now) - i64::from(before), bytes);
            }
            last = *point;
        }
    }
}

fn stepped(rest: &mut &[u8]) -> Option<Strokes> {
    let mut last = [0_i32; 4];
    let mut strokes = Vec::new();
    for _ in 0..next(rest)? {
        let mut stroke = Vec::new();
        for _ in 0..next(rest)? {
            for value in &mut last {
                *value = i32::try_from(i64::from(*value) + next(rest)?).ok()?;
            }
            stroke.push(last);
        }
        strokes.push(stroke);
    }
    Some(strokes)
}

/// Small numbers of either sign in one byte, larger ones in as many as they need, seven bits each.
fn number(value: i64, bytes: &mut Vec<u8>) {
    let mut left = (value << 1 ^ value >> 63) as u64;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn next(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(strokes: &str) -> String {
        format!("{{\"v\":1,\"statement\":\"I, Amina, confirm the visit.\",\"strokes\":{strokes},\"device\":\"x\"}}")
    }

    #[test]
    fn a_signed_text_comes_back_to_the_byte() {
        let drawn: Strokes = vec![
            (0..150).map(|n| [700 + n * 3, 500 + n % 40, n * 11, 70 + n % 50]).collect(),
            vec![],
            vec![[i32::MIN, i32::MAX, 0, -1]],
        ];
        let text = record(&serde_json::to_string(&drawn).expect("numbers"));
        let kept = pack(&text, &drawn);
        assert_eq!(kept[0], STEPS);
        assert_eq!(open(&kept).expect("it was kept"), text);
        assert!(kept.len() * 4 < text.len(), "{} of {}", kept.len(), text.len());
    }

    #[test]
    fn a_text_written_otherwise_is_kept_whole() {
        let text = record("[ [ [1, 2, 3, 4] ] ]");
        let kept = pack(&text, &vec![vec![[1, 2, 3, 4]]]);
        assert_ne!(kept[0], STEPS);
        assert_eq!(open(&kept).expect("it was kept"), text);
    }

    #[test]
    fn a_text_from_before_is_read_as_it_stands() {
        let text = record("[[[1,2,3,4]]]");
        assert_eq!(open(text.as_bytes()).expect("a text"), text);
    }

    #[test]
    fn what_is_cut_is_said() {
        let strokes = vec![vec![[1, 2, 3, 4]; 30]];
        let kept = pack(&record(&serde_json::to_string(&strokes).expect("numbers")), &strokes);
        assert!((0..kept.len()).skip(1).all(|end| open(&kept[..end]).is_err()));
    }
}
