//! The crash campaign (docs/reliability.md): center, storefront and wallets as the programs that they are, under load,
//! killed at random instants and at every named point of the money path. After each kill what was killed starts again,
//! the wallets finish what they had begun, and books and wallets must agree to the unit.
//!
//! ```text
//! campaign   which kills, in what order; the loop, and the report
//! stand      folders, settings, and the two servers as processes
//! reader     somebody who earns and pays, by `tuppence wallet`
//! power      power cuts: a recording of a server, states of its disk at instants of it, and what these must have
//! strace     the recording: what the server wrote, synced and answered, in one order
//! disk       files as a cut may leave them
//! replies    what an answer promises, and whether books, or the shop, have it
//! books      what the center's database says, against what the readers have
//! ```

mod books;
mod campaign;
mod disk;
mod power;
mod reader;
mod replies;
mod stand;
mod strace;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use power::Whose;

/// Kills center, storefront and wallets under load, and checks that no money is lost
#[derive(Debug, Parser)]
#[command(version, bin_name = "cargo xtask crash")]
struct Arguments {
    /// The program
    #[arg(long)]
    program: PathBuf,
    /// How often something is killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// What is killed when is drawn from it; the machine's own timing is not
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many readers there are at a time
    #[arg(long, default_value_t = 6)]
    readers: usize,
    /// How often the power is cut, afterwards; and then with a control, which must lose something
    #[arg(long, default_value_t = 0)]
    cuts: u32,
    /// The program was built without its named points: kill at random instants alone
    #[arg(long)]
    no_points: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.cuts > 0 {
        strace::check()?;
    }
    let plan = campaign::Plan {
        kills: arguments.kills,
        seed: arguments.seed,
        readers: arguments.readers.max(1),
        points: !arguments.no_points,
    };
    let mut fine = true;
    if arguments.kills > 0 {
        let outcome = campaign::run(&arguments.program, &plan)?;
        say(&outcome.to_string());
        fine = outcome.is_fine();
    }
    if arguments.cuts > 0 {
        fine &= cut(&arguments)?;
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cuts the power, of the center and of the storefront; whether nothing was lost, and something with each control.
fn cut(arguments: &Arguments) -> Result<bool> {
    let mut fine = true;
    for whose in [Whose::Center, Whose::Shop] {
        let run =
            |synchronous, cuts| power::run(&arguments.program, whose, cuts, arguments.seed, synchronous);
        let as_shipped = run("full", arguments.cuts)?;
        say(&format!("{whose:?}, as it is shipped (synchronous=FULL): {as_shipped}"));
        let control = run("normal", arguments.cuts.div_ceil(4))?;
        say(&format!("{whose:?}, the control (synchronous=NORMAL): {control}"));
        if control.lost.is_empty() {
            say("FAILED: the control lost nothing, so the cuts prove nothing.");
        }
        fine &= as_shipped.lost.is_empty() && !control.lost.is_empty();
    }
    Ok(fine)
}

/// A closed standard output is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
