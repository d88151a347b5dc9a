//! Creating a wallet, keeping it, and bringing it back.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tuppence_wallet::Wallet;
use tuppence_wallet::view::{Progress, RememberedWord};

use super::arguments::Center;
use super::open::Home;
use super::progress;
use super::words::failure;
use crate::failure::Failure;
use crate::output;

/// Creates the wallet, or finishes its creation.
pub async fn register(home: &Home, center: Center, as_json: bool) -> Result<(), Failure> {
    let wallet = home.open_or_make(&center.center, center.fingerprint, false).await?;
    let before = wallet.status().await.map_err(failure)?.registered;
    wallet.register(step_teller()).await.map_err(failure)?;
    let status = wallet.status().await.map_err(failure)?;
    if as_json {
        let folder = home.shown().to_string();
        return output::json(&json!({"created": !before, "folder": folder, "center": status.center}));
    }
    output::line(if before { "There is a wallet already." } else { "The wallet is created." });
    if let Some(center) = status.center {
        output::line(format!("Center       {} at {}", center.name, center.origin));
        output::line(format!("Fingerprint  {}", center.fingerprint));
    }
    output::line(format!("Kept in      {}", home.shown()));
    if !before {
        output::line(
            "Note its recovery words, which `tuppence wallet words` prints, where nobody else finds them.",
        );
    }
    Ok(())
}

/// The twelve words.
pub async fn words(wallet: &Wallet) -> Result<(), Failure> {
    progress("Whoever has these words has the wallet.");
    let words = wallet.recovery_words().await.map_err(failure)?;
    output::line(words.join(" "));
    // Whoever asked for them here has them: from now on the wallet keeps notes, which they open.
    let remembered =
        words.into_iter().enumerate().map(|(place, word)| RememberedWord { number: place + 1, word });
    wallet.confirm_words(&remembered.collect::<Vec<_>>()).await.map_err(failure)
}

/// Brings a wallet back from its words.
pub async fn restore(home: &Home, center: Center, file: Option<&Path>, replace: bool) -> Result<(), Failure> {
    let words = match file {
        Some(file) => read(file)?,
        None => {
            progress("The twelve words, then Enter and Ctrl-D:");
            let mut words = String::new();
            io::stdin().lock().read_to_string(&mut words).map_err(Failure::new)?;
            words
        }
    };
    let wallet = home.open_or_make(&center.center, center.fingerprint, replace).await?;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    wallet.restore(&words, replace, step_teller()).await.map_err(failure)?;
    back(&wallet).await
}

/// The whole wallet as text, into a new file or to standard output.
pub async fn export(wallet: &Wallet, file: Option<&Path>) -> Result<(), Failure> {
    let copy = wallet.export().await.map_err(failure)?;
    let Some(path) = file else {
        output::line(copy);
        return Ok(());
    };
    let write = || -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(copy.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| {
        Failure::new(format!("{} cannot be written: {error}", path.display())).hint("Name a new file.")
    })?;
    progress("Whoever has this file has the e-cash in it.");
    Ok(())
}

/// Takes a copy.
pub async fn import(home: &Home, file: &Path, replace: bool) -> Result<(), Failure> {
    /// Where the wallet of a copy belongs.
    #[derive(Deserialize)]
    struct Copy {
        center: String,
    }
    let copy = read(file)?;
    let belongs: Copy = serde_json::from_str(&copy).map_err(|_| {
        Failure::new(format!("{} is no copy of a wallet", file.display()))
            .hint("Choose a file that `tuppence wallet export` or a browser's wallet has written.")
    })?;
    let wallet = home.open_or_make(&belongs.center, None, replace).await?;
    wallet.import(&copy, replace).await.map_err(failure)?;
    back(&wallet).await
}

async fn back(wallet: &Wallet) -> Result<(), Failure> {
    let balance = wallet.balance().await.map_err(failure)?.amount;
    output::line(format!("The wallet is back. The balance is {balance}."));
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))
}

/// Says each step once.
fn step_teller() -> impl Fn(Progress) + 'static {
    let said = std::cell::Cell::new("");
    move |step| {
        let words = match step {
            Progress::MeetingCenter => "Meeting the payment center ...",
            Progress::Solving { .. } => "Working on its challenge ...",
            Progress::Registering => "Registering ...",
            Progress::Following => "Following its books ...",
            Progress::Done => return,
        };
        if said.replace(words) != words {
            progress(words);
        }
    }
}
