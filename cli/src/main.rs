//! The `tuppence` program.
fn main() {}
