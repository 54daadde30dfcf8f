//! Bits of entropy-coded data, and the codes they spell.

/// A table of prefix codes (T.81, F.2.2.3).
#[derive(Default)]
pub(super) struct Codes {
    /// For each length the first code that is longer, and what leads from a code to its value.
    lengths: [(u32, usize); 16],
    values: Vec<u8>,
}

impl Codes {
    pub fn new(counts: &[u8], values: &[u8]) -> Self {
        let (mut code, mut index, mut lengths) = (0_u32, 0_usize, [(0, 0); 16]);
        for (length, count) in lengths.iter_mut().zip(counts) {
            // A value's place is `code - first + index`; kept as one number that may wrap.
            let offset = index.wrapping_sub(code as usize);
            code += u32::from(*count);
            index += usize::from(*count);
            *length = (code, offset);
            code <<= 1;
        }
        Self { lengths, values: values.to_vec() }
    }
}

pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, held: 0, count: 0 }
    }

    /// The next bit; none when a marker or the end of the file stands where it should be.
    pub fn bit(&mut self) -> Option<u32> {
        if self.count == 0 {
            let byte = *self.data.get(self.at)?;
            if byte == 0xFF {
                if *self.data.get(self.at + 1)? != 0 {
                    return None;
                }
                self.at += 1;
            }
            self.at += 1;
            (self.held, self.count) = (byte.into(), 8);
        }
        self.count -= 1;
        Some(self.held >> self.count & 1)
    }

    pub fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    /// What the next code stands for; none when it is no code.
    pub fn code(&mut self, codes: &Codes) -> Option<u8> {
        let mut code = 0;
        for (end, offset) in &codes.lengths {
            code = code << 1 | self.bit()?;
            if code < *end {
                return codes.values.get((code as usize).wrapping_add(*offset)).copied();
            }
        }
        None
    }

    /// Passes the restart marker of this number, which must be here.
    pub fn restart(&mut self, number: u8) -> Option<()> {
        self.count = 0;
        while self.data.get(self.at..self.at + 2)? == [0xFF, 0xFF] {
            self.at += 1;
        }
        let here = self.data.get(self.at..self.at + 2)? == [0xFF, 0xD0 + number];
        self.at += 2;
        here.then_some(())
    }

    /// How many bytes were read.
    pub fn end(self) -> usize {
        self.at
    }
}
