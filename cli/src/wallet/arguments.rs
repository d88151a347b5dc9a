//! The command line of the wallet.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tuppence_protocol::envelope::Fingerprint;
use tuppence_wallet::view::BudgetMethod;

use crate::arguments::Format;
use crate::settings::Sum;

/// What `tuppence wallet` is asked.
#[derive(Debug, Args)]
pub struct WalletArguments {
    /// What to do
    #[command(subcommand)]
    pub command: WalletCommand,
    /// Where the wallet is
    #[command(flatten)]
    pub place: WalletPlace,
}

/// Where a wallet is, and what its key is sealed under.
#[derive(Debug, Args)]
pub struct WalletPlace {
    /// Folder of the wallet [default: tuppence/wallet in $XDG_DATA_HOME, or in ~/.local/share]
    #[arg(long, env = "TUPPENCE_WALLET", value_name = "DIR", global = true)]
    pub wallet: Option<PathBuf>,
    /// File with the passphrase that seals the wallet's key; name it from the first command on [default: not sealed]
    #[arg(long, env = "TUPPENCE_WALLET_PASSPHRASE_FILE", value_name = "FILE", global = true)]
    pub wallet_passphrase_file: Option<PathBuf>,
}

/// The exit codes, for `--help` and for programs that call this one.
pub const EXIT_CODES: &str = "Exit codes:
  0    done
  1    not done; nothing was charged
  2    the command line does not fit
  3    the price is above --max; nothing was charged
  4    the balance is too small; nothing was charged
  5    under way and not certain yet; the next command finishes it, and it is never charged twice
  6    paid, and the article did not come; the same command fetches it, and costs nothing
  130  interrupted by Ctrl-C; the next command finishes what was under way";

/// What a wallet can be asked.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Create a wallet at a payment center
    ///
    /// Takes a second of work, which keeps robots away. Where there is a wallet already, it stays as it is.
    #[command(after_help = "Example:
  tuppence wallet register --center https://center.example")]
    Register {
        /// Where to create it
        #[command(flatten)]
        center: Center,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Get what is at an address, and pay for it if it asks for e-cash
    ///
    /// The article goes to standard output, everything else to standard error. An article is paid once, whatever is
    /// repeated or interrupted; what was paid before, and what is free, costs nothing.
    #[command(after_help = "Examples:
  tuppence wallet pay https://shop.example/articles/bread > article.html
  tuppence wallet pay https://shop.example/articles/bread --max USD:0.05 --json
  tuppence wallet pay https://shop.example/articles/bread --budget USD:0.50 > article.html
  tuppence wallet pay https://shop.example/articles/bread --budget USD:0.50 --with payword > article.html

With --budget, one payment buys scrip of the shop for so much, or paywords, and this and the next articles there are paid from it, without the payment center. When too little is left, the rest comes back and the next budget is bought.

A program can ask for the price first: an address that is for sale answers a GET with 402 and the offer.")]
    Pay {
        /// The article's address, at any shop of the wallet's center
        url: String,
        /// The most to pay, such as 0.05 or USD:0.05
        #[arg(long, env = "TUPPENCE_MAX", value_name = "AMOUNT", default_value = "0.10")]
        max: Sum,
        /// Pay from a budget at the shop, and approve one of this amount where there is none with enough left
        #[arg(long, env = "TUPPENCE_PAY_BUDGET", value_name = "AMOUNT")]
        budget: Option<Sum>,
        /// What the budget is held in [default: the one that is there; of a new one, what the shop names first]
        ///
        /// One in paywords is for as many whole ones, of the shop's unit, as the amount pays. One that is there in the
        /// other kind is ended first.
        #[arg(long, value_name = "METHOD", value_enum, requires = "budget")]
        with: Option<Method>,
        /// Print JSON: charged, article, text and balance
        #[arg(long)]
        json: bool,
    },
    /// List the budgets at shops: what was approved, and what is left
    Budgets {
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// End the budget at a shop: what is left comes back at once
    ///
    /// Without it, the rest comes back by itself, seven days after the budget's end.
    #[command(after_help = "Example:
  tuppence wallet end-budget https://shop.example")]
    EndBudget {
        /// The shop's address
        shop: String,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Show the balance
    Balance {
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Show what has changed the balance, newest first
    History {
        /// How many entries
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// List the articles that were paid
    Library {
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// List the articles on sale
    Articles {
        /// A shop's address [default: all shops of the center]
        shop: Option<String>,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// List the questions that earn e-cash
    Campaigns {
        /// A shop's address [default: all shops of the center]
        shop: Option<String>,
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Answer a question, and take its reward
    ///
    /// Without --answer the questions are asked here, and answered on standard input, a line for each.
    #[command(after_help = "Examples:
  tuppence wallet earn http://localhost:8081 small-coins
  tuppence wallet earn http://localhost:8081 small-coins --answer Two --answer Copper

Each question has one try.")]
    Earn {
        /// The shop's address
        shop: String,
        /// The campaign's item, as `tuppence wallet campaigns` lists it
        item: String,
        /// The answer to the next question: a choice's text or number, or words
        #[arg(long, value_name = "TEXT")]
        answer: Vec<String>,
        /// How to print what it earned
        #[command(flatten)]
        format: Format,
    },
    /// Print the receipt of a paid article: curl -H "Authorization: Tuppence <receipt>" gets the article by it
    Receipt {
        /// The article's address
        url: String,
    },
    /// Finish what was interrupted, and follow the center's books
    ///
    /// Every command begins by finishing what was interrupted; this one says what is still open, and brings in what
    /// other devices with the same recovery words have done.
    Sync {
        /// How to print it
        #[command(flatten)]
        format: Format,
    },
    /// Print the twelve recovery words; whoever has them has the wallet
    Words,
    /// Bring a wallet back from its recovery words
    #[command(after_help = "Example:
  tuppence wallet restore --center https://center.example < words.txt")]
    Restore {
        /// Where it was created
        #[command(flatten)]
        center: Center,
        /// File with the words [default: standard input]
        #[arg(long, value_name = "FILE")]
        words_file: Option<PathBuf>,
        /// Give up the wallet that is here
        #[arg(long)]
        replace: bool,
    },
    /// Copy the whole wallet into a file; whoever has it has the e-cash
    Export {
        /// The new file, for its owner alone [default: standard output]
        file: Option<PathBuf>,
    },
    /// Take a copy of a wallet
    Import {
        /// The copy
        file: PathBuf,
        /// Give up the wallet that is here
        #[arg(long)]
        replace: bool,
    },
}

/// What a budget is held in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Method {
    /// Scrip of the shop
    VendorScrip,
    /// A chain of paywords
    Payword,
}

impl From<Method> for BudgetMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::VendorScrip => BudgetMethod::VendorScrip,
            Method::Payword => BudgetMethod::Payword,
        }
    }
}

/// A payment center.
#[derive(Debug, Args)]
pub struct Center {
    /// The payment center's address
    #[arg(long, env = "TUPPENCE_CENTER_ORIGIN", value_name = "URL", default_value = "http://localhost:8080")]
    pub center: String,
    /// Its key's fingerprint, as its /api/v1/center says it [default: the first key that is seen is trusted, and kept]
    #[arg(long, value_name = "BASE64URL", value_parser = fingerprint)]
    pub fingerprint: Option<Fingerprint>,
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}
