//! Grants: from the application to the report on how the money was used.

pub mod paper;
