//! The wallet site.
fn main() {}
