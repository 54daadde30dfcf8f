//! The installation as a whole: one organisation or many, who they are, and how many there may be.

pub mod api;
pub mod mode;
mod store;

pub use mode::Mode;
