//! The tests of pictures and of where bytes live, as one program: it is linked once and not eleven times, and the tests
//! of one file run beside those of the others.

mod colours;
mod corpus;
mod derive;
mod drawn;
#[path = "../../../tests/fixtures/hostile.rs"]
mod fixtures;
mod fuzz;
mod heic;
mod hostile;
mod ink;
mod likeness;
mod memory;
mod pictures;
mod store;
