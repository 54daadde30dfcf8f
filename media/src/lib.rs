//! Picture in, safe derivatives out; where bytes live. No HTTP, no SQL.
//!
//! [`inspect`] and [`derive`] are bound by the CPU: call them from a blocking thread, and hold a
//! permit for [`Picture::estimated_bytes`] while one runs. [`Store`] is the only async part.

mod colours;
mod decode;
mod derive;
pub mod drawn;
mod facts;
#[cfg(feature = "heic")]
mod heic;
mod ink;
mod inspect;
mod jpeg;
mod likeness;
mod limits;
mod markers;
mod measure;
mod pixels;
#[cfg(feature = "turbojpeg")]
mod planes;
mod polyglot;
mod quarantine;
mod raster;
mod store;
mod stretch;
mod surface;

#[cfg(feature = "bench")]
pub use derive::derive_at;
pub use derive::{CARD, Derived, FULL, THUMB, derive};
pub use facts::ExifFacts;
pub use ink::Ink;
pub use inspect::{Format, Picture, inspect, inspect_within};
pub use likeness::{ALIKE, apart};
pub use limits::Limits;
pub use quarantine::Quarantine;
pub use raster::DrawError;
pub use store::{Found, Leftover, Object, Piece, Shelf, Store, StoreError, Variant};
