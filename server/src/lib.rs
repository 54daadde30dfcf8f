//! Kilele's server: a field platform for graduation and community-development programmes.
//!
//! `docs/architecture.md` is the map. In short: handlers and commands use stores, stores hold the SQL, every
//! write happens in a transaction that first locks its feed.

pub mod api;
pub mod app;
pub mod assessments;
pub mod audit;
pub mod auth;
pub mod builds;
pub mod check;
pub mod cli;
pub mod clock;
pub mod commands;
mod compress;
pub mod config;
pub mod conflicts;
pub mod crypto;
pub mod db;
pub mod demo;
pub mod devices;
pub mod enrolments;
pub mod error;
pub mod feed;
mod figures;
pub mod grants;
pub mod groups;
mod health;
mod home;
pub mod households;
pub mod imports;
pub mod jobs;
mod live;
pub mod media;
pub mod members;
pub mod milestones;
pub mod notifications;
pub mod numbers;
pub mod orgs;
pub mod outbox;
pub mod packed;
pub mod places;
pub mod planted;
pub mod platform;
pub mod policies;
pub mod privacy;
pub mod programmes;
mod roles;
pub mod scope;
pub mod server;
pub mod signatures;
pub mod states;
pub mod sync;
pub mod visits;
pub mod web;
pub mod wire;
