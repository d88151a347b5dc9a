//! One file for each command.

mod answers;
mod audit;
mod backup;
mod check;
mod embed;
mod keys;
mod operator;
mod payouts;
mod teaching;
mod vendors;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::running::{self, Role};
use crate::wallet;

/// Does what the command line asks.
///
/// # Errors
/// What went wrong, and what to do about it.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { command, place } = arguments;
    match command {
        Command::Serve(settings) => running::run(Role::Both, *settings, &place),
        Command::Center(settings) => running::run(Role::Center, *settings, &place),
        Command::Storefront(settings) => running::run(Role::Storefront, *settings, &place),
        Command::Keys(keys) => keys::run(keys, &place),
        Command::Vendors(vendors) => vendors::run(vendors, &place),
        Command::Payouts(payouts) => payouts::run(payouts, &place),
        Command::Audit(audit) => audit::run(&audit, &place),
        Command::Backup(arguments) => backup::backup(&arguments, &place),
        Command::Restore(arguments) => backup::restore(&arguments, &place),
        Command::Check(check) => check::run(check, &place),
        Command::Answers(answers) => answers::run(&answers, &place),
        Command::Embed { sizes: true, .. } => embed::sizes(),
        Command::Embed { shop, integrity, budgets, meter, streams, .. } => {
            embed::run(&shop, integrity, budgets, meter, streams)
        }
        Command::Wallet(arguments) => wallet::run(*arguments),
        Command::Completions { shell } => teaching::completions(shell),
        Command::Man { out } => teaching::man(out.as_deref()),
    }
}
