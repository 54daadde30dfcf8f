//! Running an installation: copies of all that it holds, and whether it has what it needs.

pub mod backup;
pub mod certificate;
pub mod doctor;
pub mod progress;
