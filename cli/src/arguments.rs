//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use tuppence_server::ledger::journal::Head;

use crate::settings::{Place, Settings, Sum};
use crate::wallet::{EXIT_CODES, WalletArguments};

/// E-cash for small sums on the web: earn it with an answer, spend it on an article.
///
/// The center keeps the books and serves the wallet; a storefront sells articles and pays for answers. `serve` runs
/// both on this machine.
#[derive(Debug, Parser)]
#[command(name = "tuppence", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Where things are
    #[command(flatten)]
    pub place: Place,
}

const EXAMPLES: &str = "Examples:
  tuppence serve                                center, wallet and a sample shop, on this machine
  tuppence payouts list                         who waits for real money
  tuppence audit                                do the books balance?
  tuppence backup center-monday.sqlite          a copy of them
  tuppence wallet pay https://shop.example/a    an article, for what it costs

A setting has one name: --center-port 8080 is TUPPENCE_CENTER_PORT=8080 in the environment, and
center-port = 8080 in the file tuppence.toml of the data folder.";

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: the center with the wallet, and a storefront
    ///
    /// The first start makes the keys, registers the shop with the center, gives it an opening balance of 100 units
    /// of play money to pay rewards from, and writes sample articles where there is no content folder.
    #[command(after_help = "Examples:
  tuppence serve
  tuppence serve --data /var/lib/tuppence --content ./articles --campaigns ./campaigns
  tuppence serve --center-port 9080 --storefront-port 9081 --log warn")]
    Serve(Box<Settings>),
    /// Run a payment center with the wallet's site
    #[command(after_help = "Examples:
  tuppence center --center-origin https://center.example
  tuppence center --listen 0.0.0.0 --payout-threshold 10 --payout-fee 0.50")]
    Center(Box<Settings>),
    /// Run a storefront that works with a center elsewhere
    #[command(after_help = "Examples:
  tuppence storefront --center-origin https://center.example --storefront-origin https://shop.example \\
      --credentials shop.json --content ./articles

The center's operator makes the credentials: tuppence vendors add.")]
    Storefront(Box<Settings>),
    /// Show, make or rotate the center's keys
    #[command(subcommand)]
    Keys(Keys),
    /// The shops that work with a running center
    #[command(subcommand)]
    Vendors(Vendors),
    /// The cash-outs of a running center
    #[command(subcommand)]
    Payouts(Payouts),
    /// Check a center's books, also while it runs
    ///
    /// Adds all transfers up again, follows the journal's chain of hashes, and names every row that does not agree
    /// with them. The exit code is 0 if everything fits, and 1 if not.
    #[command(after_help = "Examples:
  tuppence audit
  tuppence audit --head                         to be published, or noted elsewhere
  tuppence audit --against 1234:9f86...         the books continue that head, or were rewritten
  tuppence audit --checkpoint last-audit        only what came since the last time
  tuppence audit --database backup.sqlite --json")]
    Audit(Audit),
    /// Copy a center's books into a new file, also while it runs
    #[command(after_help = "Example:
  tuppence backup /backups/center-2026-11-23.sqlite

Keep the keys, center-keys.json, in another place.")]
    Backup(Backup),
    /// Put a backup back, where there are no books
    ///
    /// The backup must balance. It begins a new epoch, so that no e-cash that was spent since it was made can be
    /// spent again unnoticed.
    #[command(after_help = "Example:
  tuppence restore /backups/center-2026-11-23.sqlite --data /var/lib/tuppence")]
    Restore(Restore),
    /// Check the files of a shop: articles and campaigns
    Check(Check),
    /// The answers to a survey, for its advertiser; also while the storefront runs
    #[command(after_help = "Example:
  tuppence answers reading-on-the-way --json > answers.json")]
    Answers(Answers),
    /// Print what a page elsewhere needs to sell a shop's articles: the script's tag, and an element
    #[command(after_help = "Example:
  tuppence embed https://shop.example

The script changes with the program, and its hash (--integrity) with it: pages that insist on a hash keep a copy of the
script, or are changed when the shop is.")]
    Embed {
        /// The shop's origin
        #[arg(default_value = "http://localhost:8081")]
        shop: String,
        /// Insist on this very script (Subresource Integrity)
        #[arg(long)]
        integrity: bool,
        /// Let readers approve a budget, from which the page pays without asking again
        #[arg(long)]
        budgets: bool,
        /// Let them read by the part, too, where articles are sold so; budgets come with it
        #[arg(long)]
        meter: bool,
        /// Let them hear and see, where sound and film are sold; all of the above comes with it
        #[arg(long)]
        streams: bool,
        /// Print how large each script is after gzip, and its hash, instead of tags
        #[arg(long, conflicts_with_all = ["integrity", "budgets", "meter", "streams"])]
        sizes: bool,
    },
    /// A wallet without a browser: earn, pay an address, look after it
    #[command(after_help = EXIT_CODES)]
    Wallet(Box<WalletArguments>),
    /// Print shell completions
    #[command(after_help = "Example:
  tuppence completions bash > ~/.local/share/bash-completion/completions/tuppence")]
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page, or write all of them
    #[command(after_help = "Example:
  tuppence man | man -l -")]
    Man {
        /// Write the page of each command into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// The fingerprint that wallets show, and which secrets there are; no secrets
    Show {
        /// How they are sealed
        #[command(flatten)]
        sealing: Sealing,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Make the keys of a new center without starting it
    Generate(Box<Settings>),
    /// Add a secret; what was made with the older ones stays good. A center that runs uses it within seconds
    Rotate {
        /// Which secret
        ring: Ring,
        /// How they are sealed
        #[command(flatten)]
        sealing: Sealing,
    },
    /// Seal the keys under a passphrase, or under another one
    ///
    /// A center that runs goes on with the keys it has; give it the new passphrase at its next start.
    #[command(after_help = "Example:
  tuppence keys seal --new-passphrase-file new.txt")]
    Seal {
        /// File with the new passphrase
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: PathBuf,
        /// How they are sealed now
        #[command(flatten)]
        sealing: Sealing,
    },
}

/// How keys are sealed.
#[derive(Debug, Args)]
pub struct Sealing {
    /// File with the passphrase that seals them [default: the setting of this name]
    #[arg(long, env = "TUPPENCE_PASSPHRASE_FILE", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// A ring of secrets.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Ring {
    /// Makes the certificates of scrip
    Scrip,
    /// Derives the secrets of new buyers
    Customer,
    /// Seals the center's own offers and receipts
    Vendor,
}

/// Shops.
#[derive(Debug, Subcommand)]
pub enum Vendors {
    /// List them with their balances
    List {
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// A shop joins: writes the credentials that it needs
    #[command(after_help = "Example:
  tuppence vendors add --name \"The Halfpenny Review\" --origin https://shop.example --out shop.json")]
    Add {
        /// Its trade name, as readers see it
        #[arg(long)]
        name: String,
        /// Where readers find it
        #[arg(long, value_name = "URL")]
        origin: String,
        /// Where to write its credentials, a secret between it and this center
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Book real money that a shop paid in
    #[command(after_help = "Example:
  tuppence vendors deposit 2 25 --reference \"invoice 2026-17\"")]
    Deposit(MoveMoney),
    /// Book real money that a shop was paid out
    Withdraw(MoveMoney),
}

/// Money of a shop.
#[derive(Debug, Args)]
pub struct MoveMoney {
    /// The shop's number
    pub number: u32,
    /// How much, such as 25 or USD:25
    pub amount: Sum,
    /// The bank's reference or an invoice's number: the same again moves nothing
    #[arg(long)]
    pub reference: String,
    /// How to print it
    #[command(flatten)]
    pub format: Format,
}

/// Cash-outs.
#[derive(Debug, Subcommand)]
pub enum Payouts {
    /// List those that wait to be paid
    List {
        /// Also those that have ended
        #[arg(long)]
        all: bool,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// A cash-out was paid
    Confirm {
        /// Its number
        number: u64,
        /// The bank's reference, which its reader sees
        #[arg(long)]
        reference: String,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// A cash-out cannot be paid: the money, with the fee, is back in the wallet
    Return {
        /// Its number
        number: u64,
        /// Why, for its reader
        #[arg(long)]
        reason: String,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to audit.
#[derive(Debug, Args)]
pub struct Audit {
    /// The database [default: the center's, in the data folder]
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Print the journal's head, and check nothing
    #[arg(long, conflicts_with_all = ["against", "since", "checkpoint"])]
    pub head: bool,
    /// Check also that the books continue this head
    #[arg(long, value_name = "HEAD")]
    pub against: Option<Head>,
    /// Check only what came after this head, which was verified before
    #[arg(long, value_name = "HEAD")]
    pub since: Option<Head>,
    /// Check only what came after the head in this file, and write the new one there; all, if there is no such file
    #[arg(long, value_name = "FILE", conflicts_with = "since")]
    pub checkpoint: Option<PathBuf>,
    /// How to print it
    #[command(flatten)]
    pub format: Format,
}

/// Where to copy the books.
#[derive(Debug, Args)]
pub struct Backup {
    /// The new file
    pub file: PathBuf,
    /// How to print it
    #[command(flatten)]
    pub format: Format,
}

/// Which copy to put back.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    pub file: PathBuf,
    /// How to print it
    #[command(flatten)]
    pub format: Format,
}

/// What to check.
#[derive(Debug, Args)]
pub struct Check {
    /// As for the storefront
    #[command(flatten)]
    pub settings: Box<Settings>,
    /// How to print it
    #[command(flatten)]
    pub format: Format,
}

/// Whose answers.
#[derive(Debug, Args)]
pub struct Answers {
    /// The survey's item: its file's name without .toml
    pub item: String,
    /// How to print them
    #[command(flatten)]
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
