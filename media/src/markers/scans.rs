//! Keeps account of what a JPEG's scans have brought: a picture that lacks a channel, or the last bits of one, was cut
//! at the end of a scan, and no decoder minds.

/// Bits of a coefficient still to come; what has not come at all lacks more than any.
const NOTHING: u8 = u8::MAX;

#[derive(Debug, Default)]
pub(super) struct Scans {
    progressive: bool,
    /// For each channel its name and what each of its 64 frequencies lacks.
    lacking: Vec<(u8, [u8; 64])>,
}

impl Scans {
    /// `channels` as a frame header lists them: name, sampling, table.
    pub fn of(progressive: bool, channels: &[u8]) -> Self {
        Self { progressive, lacking: channels.chunks_exact(3).map(|c| (c[0], [NOTHING; 64])).collect() }
    }

    /// Takes note of a scan header (T.81, B.2.3).
    pub fn add(&mut self, body: &[u8]) {
        let Some((&count, rest)) = body.split_first() else { return };
        let Some((names, &[first, last, bits])) = rest.split_at_checked(usize::from(count) * 2) else { return };
        // In sequential pictures these three mean nothing, and some phones write other values.
        let (first, last, bits) = if self.progressive { (first, last, bits & 15) } else { (0, 63, 0) };
        for name in names.chunks_exact(2) {
            for (known, frequencies) in &mut self.lacking {
                if *known == name[0] {
                    frequencies.iter_mut().take(usize::from(last) + 1).skip(first.into()).for_each(|f| *f = bits);
                }
            }
        }
    }

    /// Every bit of every frequency of every channel has come.
    pub fn complete(&self) -> bool {
        !self.lacking.is_empty() && self.lacking.iter().all(|(_, frequencies)| frequencies.iter().all(|f| *f == 0))
    }
}
