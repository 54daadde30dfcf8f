//! The program as people start it: its commands, alone and beside PostgreSQL, S3 and nginx, killed and moved. One program of
//! tests, so that those which wait for machines wait side by side.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod backup;
mod cluster;
mod full;
mod guide;
mod import_outbox;
mod kills;
mod paper;
mod storm;
mod traces;
