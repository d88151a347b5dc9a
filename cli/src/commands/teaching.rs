//! `tuppence completions` and `tuppence man`: the command line, for shells and for `man`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output;

/// Prints completions.
pub fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tuppence", &mut text);
    output::line(String::from_utf8(text).map_err(Failure::new)?);
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page, or writes those of all commands into a folder.
pub fn man(folder: Option<&Path>) -> Result<ExitCode, Failure> {
    let unwritable = |error: io::Error| Failure::new(format!("The manual cannot be written: {error}"));
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(unwritable)?;
            clap_mangen::generate_to(Arguments::command(), folder).map_err(unwritable)?;
        }
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut text).map_err(unwritable)?;
            output::line(String::from_utf8(text).map_err(Failure::new)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
