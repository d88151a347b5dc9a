//! The program as an operator meets it: started, asked, attacked, stopped, started again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

mod books;
mod budget;
mod cheap_shop;
mod commands;
mod disk;
mod page;
mod payword;
mod proxy;
mod reader;
mod rotation;
mod secrets;
mod serving;
mod wallet;
