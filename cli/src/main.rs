//! The `tuppence` program: the payment center and the storefront, and the operator's tools.

mod arguments;
mod commands;
mod dumps;
mod output;
mod running;
mod wallet;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use tuppence_cli::{data, failure, logging, settings};

fn main() -> ExitCode {
    dumps::forbid();
    match commands::run(Arguments::parse()) {
        Ok(code) => code,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.exit_code())
        }
    }
}
