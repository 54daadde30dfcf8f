//! How age writes its keys: letters that are not mistaken for one another, with a checksum (BIP 173).

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

pub fn encode(kind: &str, key: &[u8; 32]) -> String {
    let mut values = regroup(key, 8, 5, true).unwrap_or_default();
    let check = polymod(kind, values.iter().copied().chain([0; 6])) ^ 1;
    values.extend((0..6).map(|at| (check >> (5 * (5 - at)) & 31) as u8));
    let text: String = values.iter().map(|value| char::from(LETTERS[usize::from(*value)])).collect();
    format!("{kind}1{text}")
}

/// The 32 bytes of a key of this kind, written in small letters; nothing when there is any mistake in it.
pub fn decode(kind: &str, text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_prefix(kind)?.strip_prefix('1')?;
    let value = |letter: u8| LETTERS.iter().position(|known| *known == letter).map(|at| at as u8);
    let values: Vec<u8> = letters.bytes().map(value).collect::<Option<_>>()?;
    if values.len() < 6 || polymod(kind, values.iter().copied()) != 1 {
        return None;
    }
    regroup(&values[..values.len() - 6], 5, 8, false)?.try_into().ok()
}

fn polymod(kind: &str, values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = kind.bytes().map(|letter| letter >> 5);
    let low = kind.bytes().map(|letter| letter & 31);
    high.chain([0]).chain(low).chain(values).fold(1, |check, value| {
        let top = check >> 25;
        let next = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
        (0..5).filter(|at| top >> at & 1 == 1).fold(next, |next, at| next ^ GENERATOR[at])
    })
}

/// Bits in other groups; what is left over must be zeros.
fn regroup(values: &[u8], from: u32, to: u32, pad: bool) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut out) = (0_u32, 0, Vec::new());
    for value in values {
        held = held << from | u32::from(*value);
        bits += from;
        while bits >= to {
            bits -= to;
            out.push((held >> bits & ((1 << to) - 1)) as u8);
        }
        held &= (1 << bits) - 1;
    }
    match (pad, bits) {
        (true, 1..) => out.push((held << (to - bits)) as u8),
        (false, _) if bits >= from || held != 0 => return None,
        _ => {}
    }
    Some(out)
}
