//! `tuppence wallet`: the wallet's core as a program, for people at a terminal and for other programs.
//!
//! Nothing that matters is kept in memory, so that an interruption at any point, `kill -9` included, costs nothing:
//! the next command finishes what was under way.

mod arguments;
mod earn;
mod keep;
mod open;
mod pay;
mod show;
mod words;

use std::process::ExitCode;

use actix_web::rt::System;
use tuppence_wallet::Wallet;
use tuppence_wallet::view::PendingOperation;

pub use arguments::{EXIT_CODES, WalletArguments};

use crate::failure::Failure;
use arguments::WalletCommand;
use open::Home;
use words::{failure, name_of};

/// The exit code of a program that Ctrl-C has ended, as shells have it.
const INTERRUPTED: u8 = 130;

/// Does what the command line asks.
///
/// # Errors
/// What went wrong, what happened to the money, and what to do.
pub fn run(arguments: WalletArguments) -> Result<ExitCode, Failure> {
    System::new().block_on(async {
        tokio::select! {
            done = act(arguments) => done.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Err(Failure::new("Interrupted")
                .hint("What was under way is finished by the next command, and never charged twice.")
                .exit(INTERRUPTED)),
        }
    })
}

async fn act(arguments: WalletArguments) -> Result<(), Failure> {
    let home = Home::new(&arguments.place)?;
    match arguments.command {
        WalletCommand::Register { center, format } => keep::register(&home, center, format.json).await,
        WalletCommand::Restore { center, words_file, replace } => {
            keep::restore(&home, center, words_file.as_deref(), replace).await
        }
        WalletCommand::Import { file, replace } => keep::import(&home, &file, replace).await,
        command => {
            let wallet = home.open().await?;
            finish(&wallet).await?;
            with_wallet(&wallet, command).await
        }
    }
}

async fn with_wallet(wallet: &Wallet, command: WalletCommand) -> Result<(), Failure> {
    match command {
        WalletCommand::Pay { url, max, budget, with, json } => {
            let budget = budget.as_ref().map(|budget| (budget, with.map(Into::into)));
            pay::pay(wallet, &url, &max, budget, json).await
        }
        WalletCommand::Budgets { format } => show::budgets(wallet, format.json).await,
        WalletCommand::EndBudget { shop, format } => pay::end_budget(wallet, &shop, format.json).await,
        WalletCommand::Receipt { url } => pay::receipt(wallet, &url).await,
        WalletCommand::Balance { format } => show::balance(wallet, format.json).await,
        WalletCommand::Sync { format } => {
            wallet.sync().await.map_err(failure)?;
            show::balance(wallet, format.json).await
        }
        WalletCommand::History { limit, format } => show::history(wallet, limit, format.json).await,
        WalletCommand::Library { format } => show::library(wallet, format.json).await,
        WalletCommand::Articles { shop, format } => show::articles(wallet, shop, format.json).await,
        WalletCommand::Campaigns { shop, format } => show::campaigns(wallet, shop, format.json).await,
        WalletCommand::Earn { shop, item, answer, format } => {
            earn::earn(wallet, &shop, &item, answer, format.json).await
        }
        WalletCommand::Words => keep::words(wallet).await,
        WalletCommand::Export { file } => keep::export(wallet, file.as_deref()).await,
        // They have run: no wallet is needed for them.
        WalletCommand::Register { .. } | WalletCommand::Restore { .. } | WalletCommand::Import { .. } => {
            Ok(())
        }
    }
}

/// Finishes what an earlier command has left, and says what is still open.
async fn finish(wallet: &Wallet) -> Result<(), Failure> {
    for open in wallet.pending().await.map_err(failure)? {
        progress(&format!("Finishing what was interrupted: {}.", name_of(&open)));
    }
    let still: Vec<PendingOperation> = wallet.resume().await.map_err(failure)?;
    for open in still {
        let why = open.problem.as_ref().map_or_else(String::new, |problem| format!(" {}", problem.message));
        progress(&format!("Still open: {}.{why}", name_of(&open)));
    }
    Ok(())
}

/// Says how far it is, on standard error.
fn progress(text: &str) {
    eprintln!("{text}");
}
