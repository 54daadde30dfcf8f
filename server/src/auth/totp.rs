//! Codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, six digits), and base32 as such apps read it.

use aws_lc_rs::hmac;

use crate::clock::Millis;

/// Bytes of a new shared secret, as RFC 4226 recommends.
pub const SECRET: usize = 20;
const STEP: Millis = 30_000;
/// Steps before and after the present one that are taken: phones' clocks differ.
const AROUND: i64 = 1;

pub fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The time step that this code belongs to, if it is near `now`.
pub fn step(secret: &[u8], given: &str, now: Millis) -> Option<i64> {
    let present = now / STEP;
    (present - AROUND..=present + AROUND).find(|step| same(&code(secret, *step), given))
}

/// Takes as long whichever digit differs.
fn same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub fn base32(bytes: &[u8]) -> String {
    let (mut out, mut bits, mut held) = (String::new(), 0u32, 0u32);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    out
}

pub fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|l| *l == letter.to_ascii_uppercase())?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits & 255) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    /// Appendix B of RFC 6238, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, seconds / 30), expected);
            assert_eq!(step(secret, expected, seconds * 1000 + STEP), Some(seconds / 30), "a step late");
            assert_eq!(step(secret, expected, seconds * 1000 + 3 * STEP), None);
        }
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        for (clear, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(clear.as_bytes()), text);
            assert_eq!(unbase32(text).unwrap(), clear.as_bytes());
        }
        assert_eq!(unbase32("M1"), None);
    }
}
