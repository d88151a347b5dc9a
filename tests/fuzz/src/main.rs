//! With cargo-fuzz: the fuzzer of the target that `TUPPENCE_FUZZ_TARGET` names. Without: `fuzz TARGET FILE...` runs a target
//! on files, to see again what the fuzzer found, in a debugger too.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzing {
    use std::sync::LazyLock;

    use libfuzzer_sys::{Corpus, fuzz_target};
    use tuppence_fuzz::{Target, target};

    static TARGET: LazyLock<&Target> = LazyLock::new(|| {
        let name = std::env::var("TUPPENCE_FUZZ_TARGET").unwrap_or_default();
        #[allow(clippy::panic, reason = "libFuzzer has no other way to end before it begins")]
        target::find(&name).unwrap_or_else(|| panic!("TUPPENCE_FUZZ_TARGET names no target: {name:?}"))
    });

    fuzz_target!(|bytes: &[u8]| -> Corpus {
        (TARGET.run)(bytes);
        Corpus::Keep
    });
}

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    use std::io::{Write, stderr, stdout};
    use std::process::ExitCode;

    use tuppence_fuzz::{TARGETS, target};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((target, files)) =
        arguments.split_first().and_then(|(name, files)| Some((target::find(name)?, files)))
    else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        let _ = writeln!(stderr(), "Usage: fuzz TARGET FILE...\nThe targets: {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    for file in files {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let _ = writeln!(stderr(), "{file} cannot be read: {error}");
                return ExitCode::FAILURE;
            }
        };
        let _ = writeln!(stdout(), "{file}: {:?}", (target.run)(&bytes));
    }
    ExitCode::SUCCESS
}
