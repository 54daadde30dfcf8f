//! Picture in, safe derivatives out; where bytes live. No HTTP, no SQL.
//!
//! [`inspect`] and [`derive`] are bound by the CPU: call them from a blocking thread, and hold a
//! permit for [`Picture::estimated_bytes`] while one runs. [`Store`] is the only async part.

mod decode;
mod derive;
pub mod drawn;
mod encode;
mod facts;
mod ink;
mod inspect;
mod jpeg;
mod limits;
mod markers;
mod measure;
mod pixels;
mod quarantine;
mod raster;
mod store;

pub use derive::{CARD, Derived, FULL, THUMB, derive};
pub use facts::ExifFacts;
pub use ink::Ink;
pub use inspect::{Format, Picture, inspect, inspect_within};
pub use limits::Limits;
pub use quarantine::Quarantine;
pub use raster::DrawError;
pub use store::{Chunk, Store, StoreError, Variant};
