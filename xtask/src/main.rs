//! How Tuppence is run, built and tested. `cargo xtask --help` is the way in.

mod bench;
mod build;
mod compressed;
mod console;
mod crash;
mod fuzz;
mod gate;
mod mutants;
mod package;
mod prerequisites;
mod process;
mod run;
mod sim;
mod site;
mod size;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs, builds and tests Tuppence.
///
/// Needs Rust (rustup), a C compiler and Node.js with npm. Everything else that a command needs (the
/// WebAssembly target, Trunk, wasm-bindgen, wasm-opt, cargo-deny) is installed on first use, in pinned
/// versions, into a cache of yours outside this folder: ~/.cache/tuppence/tools, or $TUPPENCE_TOOLS.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Build(build::Arguments),
    Test(gate::Arguments),
    Package(package::Arguments),
    Sim(sim::Arguments),
    Crash(crash::Arguments),
    Fuzz(fuzz::Arguments),
    Mutants(mutants::Arguments),
    Bench(bench::Arguments),
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Build(arguments) => build::build(&arguments),
        Command::Test(arguments) => gate::test(&arguments),
        Command::Package(arguments) => package::package(&arguments),
        Command::Sim(arguments) => sim::sim(&arguments),
        Command::Crash(arguments) => crash::crash(&arguments),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Mutants(arguments) => mutants::mutants(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Tidy(arguments) => tidy::tidy(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        console::complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
