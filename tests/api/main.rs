//! Stories told to a whole server over HTTP, each on SQLite and on PostgreSQL. Files mirror the features.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod audit;
mod bad_input;
mod contract;
mod hostile;
mod households;
mod live;
mod media;
mod members;
mod push;
mod sessions;
mod setup;
mod signatures;
mod sync;
mod uploads;
mod visits;
mod walls;
