//! Tests across crates: the real program, driven as people and other programs drive it.
//!
//! `e2e/` are people in a browser. A scenario runs on a [`stage`]: programs in fresh folders on free ports, and
//! browsers with profiles of their own. It speaks through the page objects in [`pages`], which find things as people
//! do, by role and text. When it ends well, every browser must have been without errors, every program must stop
//! cleanly, and its books must balance.

pub mod axe;
pub mod browser;
pub mod emulation;
pub mod engine;
mod hands;
pub mod http;
pub mod native;
pub mod pages;
mod process;
pub mod program;
pub mod publisher;
pub mod stage;
pub mod target;
pub mod wait;
