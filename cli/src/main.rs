//! The `tuppence` program: the payment center and the storefront, and the operator's tools.

mod arguments;
mod commands;
mod data;
mod dumps;
mod failure;
mod logging;
mod output;
mod running;
mod settings;
mod wallet;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

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
