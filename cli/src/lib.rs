//! What the `tuppence` program reads before anything runs, for whoever tries it with other bytes (tests/fuzz).

pub mod data;
pub mod failure;
pub mod logging;
pub mod settings;
