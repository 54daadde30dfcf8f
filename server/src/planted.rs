//! Mistakes on purpose, one at a time, for the model test: it must find each of them. Release builds have none of this.

/// What can be got wrong in a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A pull leaves out the revision after the cursor.
    SkipCursor = 1,
    /// Nobody asks whose visit it is.
    ForgetAuthor,
    /// A command that comes again takes effect again.
    ApplyTwice,
    /// The later of two values is dropped without a conflict.
    DropOnConflict,
    /// A batch is applied from its end.
    Reorder,
}

#[derive(Default)]
pub struct Planted {
    #[cfg(debug_assertions)]
    mistake: std::sync::atomic::AtomicU8,
}

impl Planted {
    #[cfg(debug_assertions)]
    pub fn plant(&self, mistake: Option<Mistake>) {
        self.mistake.store(mistake.map_or(0, |m| m as u8), std::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(debug_assertions)]
    pub fn has(&self, mistake: Mistake) -> bool {
        self.mistake.load(std::sync::atomic::Ordering::Relaxed) == mistake as u8
    }

    #[cfg(not(debug_assertions))]
    pub const fn has(&self, _mistake: Mistake) -> bool {
        false
    }
}
