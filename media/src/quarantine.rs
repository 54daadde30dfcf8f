//! Why an upload is set aside instead of shown.

use std::fmt;

/// The reason a picture cannot be used. The bytes are kept, nobody is shown them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quarantine {
    /// No picture format was recognised in the first bytes (also: no bytes at all).
    NotAPicture,
    /// The picture ends early, or bytes in its middle are damaged.
    Truncated,
    /// An honest picture with more pixels than the limit.
    TooLarge,
    /// A file that claims far more work than its bytes can hold.
    Bomb,
    /// A picture, in a format this server does not decode (TIFF, AVIF, lossless JPEG …).
    Unsupported,
    /// An iPhone's HEIC photo, and this server was built without the feature `heic`. It may be decoded later.
    Heic,
    /// A picture and, behind or inside it, something else: an archive, a page, a program.
    Polyglot,
    /// The bytes are not the ones the phone announced. Set by the caller, never by this crate.
    HashMismatch,
}

impl Quarantine {
    /// The stable code that is stored with the evidence and translated by the phone.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAPicture => "not_a_picture",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::Bomb => "bomb",
            Self::Unsupported => "unsupported",
            Self::Heic => "heic",
            Self::Polyglot => "polyglot",
            Self::HashMismatch => "hash_mismatch",
        }
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAPicture => "The file is not a picture.",
            Self::Truncated => "The picture is cut short or damaged.",
            Self::TooLarge => "The picture has more pixels than the server accepts.",
            Self::Bomb => "The file claims far more pixels than it can hold.",
            Self::Unsupported => "The picture's format is not supported.",
            Self::Heic => "HEIC photos are not decoded here yet; the file is kept for later.",
            Self::Polyglot => "The picture carries another kind of file with it.",
            Self::HashMismatch => "The file is not the one the phone announced.",
        })
    }
}

impl std::error::Error for Quarantine {}
