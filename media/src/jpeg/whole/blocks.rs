//! What one block of 8 × 8 takes of the bits, in each kind of scan (T.81, F.2 and G.2).

use super::bits::{Bits, Codes};

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// All of it, as in pictures of one pass.
    Whole,
    /// Its average, first and then a bit more of it.
    Average,
    AverageAgain,
    /// Some of its other frequencies, first and then a bit more.
    Rest,
    RestAgain,
}

pub(super) struct Pass<'a> {
    pub kind: Kind,
    pub first: u8,
    pub last: u8,
    pub average: &'a Codes,
    pub rest: &'a Codes,
}

/// Reads one block; none when its bits are not there. `run`: how many blocks end before they begin. `known`: a bit for
/// each frequency that is not zero.
pub(super) fn block(bits: &mut Bits, pass: &Pass, run: &mut u32, known: &mut u64) -> Option<()> {
    match pass.kind {
        Kind::Whole => {
            average(bits, pass)?;
            whole(bits, pass)
        }
        Kind::Average => average(bits, pass),
        Kind::AverageAgain => bits.bit().map(drop),
        Kind::Rest => rest(bits, pass, run, known),
        Kind::RestAgain => again(bits, pass, run, known),
    }
}

fn average(bits: &mut Bits, pass: &Pass) -> Option<()> {
    let size = bits.code(pass.average).filter(|size| *size <= 15)?;
    bits.number(size.into()).map(drop)
}

fn whole(bits: &mut Bits, pass: &Pass) -> Option<()> {
    let mut at = 1;
    while at <= 63 {
        let (zeroes, size) = split(bits.code(pass.rest)?);
        if size == 0 && zeroes < 15 {
            break;
        }
        at += zeroes + 1;
        // A code for what lies behind the last frequency.
        if size > 0 && at > 64 {
            return None;
        }
        bits.number(size)?;
    }
    Some(())
}

fn rest(bits: &mut Bits, pass: &Pass, run: &mut u32, known: &mut u64) -> Option<()> {
    if *run > 0 {
        *run -= 1;
        return Some(());
    }
    let (mut at, last) = (u32::from(pass.first), u32::from(pass.last));
    while at <= last {
        let (zeroes, size) = split(bits.code(pass.rest)?);
        if size == 0 && zeroes < 15 {
            *run = (1 << zeroes) - 1 + bits.number(zeroes)?;
            break;
        }
        at += zeroes;
        if size > 0 {
            if at > last {
                return None;
            }
            bits.number(size)?;
            *known |= 1 << at;
        }
        at += 1;
    }
    Some(())
}

fn again(bits: &mut Bits, pass: &Pass, run: &mut u32, known: &mut u64) -> Option<()> {
    let (mut at, last) = (u32::from(pass.first), u32::from(pass.last));
    if *run == 0 {
        while at <= last {
            let (mut zeroes, size) = split(bits.code(pass.rest)?);
            if size > 0 {
                // The sign of one that is new.
                bits.bit()?;
            } else if zeroes < 15 {
                *run = (1 << zeroes) + bits.number(zeroes)?;
                break;
            }
            // Those known before have a bit each; the zeroes are counted.
            while at <= last {
                if *known >> at & 1 == 1 {
                    bits.bit()?;
                } else if zeroes == 0 {
                    break;
                } else {
                    zeroes -= 1;
                }
                at += 1;
            }
            if size > 0 {
                if at > last {
                    return None;
                }
                *known |= 1 << at;
            }
            at += 1;
        }
    }
    if *run > 0 {
        let mask = (at..=last).fold(0_u64, |mask, at| mask | 1 << at);
        bits.number((*known & mask).count_ones())?;
        *run -= 1;
    }
    Some(())
}

/// How many zeroes a code passes over, and how many bits follow it.
fn split(code: u8) -> (u32, u32) {
    (u32::from(code >> 4), u32::from(code & 15))
}
