//! Power cuts: what the center wrote and synced is recorded, the disk is made as a cut at some instant leaves it, and
//! the books must balance and have every payment whose reader had heard by then that it was paid. With
//! `synchronous=NORMAL`, the control, some of these are lost, or the cuts would prove nothing.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use serde_json::Value;

use crate::recording::{Loss, Recording};
use crate::stand::{Stand, said, tuppence};

/// Readers, and what each of them pays for while it is recorded.
const READERS: usize = 4;
const PAYMENTS: usize = 20;

/// A payment whose reader has heard that it was paid.
#[derive(Debug)]
struct Acknowledged {
    at: u64,
    transaction: Vec<u8>,
}

/// What has come of some cuts.
#[derive(Debug, Default)]
pub struct Outcome {
    pub cuts: u32,
    pub acknowledged: usize,
    pub loss: Loss,
    /// What each cut that lost something has lost.
    pub lost: Vec<String>,
}

/// Records a center and cuts it off `cuts` times, with SQLite's `synchronous` as said.
///
/// # Errors
/// If it cannot be done; what a cut loses is no error, but in the outcome.
pub fn run(program: &Path, cuts: u32, seed: u64, synchronous: &str) -> Result<Outcome> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let stand = Stand::start(program)?;
    let wallets: Vec<PathBuf> =
        (1..=READERS).map(|number| stand.folder().join(format!("reader-{number}"))).collect();
    for wallet in &wallets {
        wallet_says(&stand, wallet, &["register", "--center", &stand.center_origin()])?;
        for question in ["q1", "q2"] {
            wallet_says(
                &stand,
                wallet,
                &["earn", &stand.shop_origin(), question, "--answer", "Two", "--json"],
            )?;
        }
    }
    stand.center.kill()?;
    let before = stand.folder().join("before");
    copy(stand.center.data(), &before)?;
    let trace = stand.folder().join("trace");
    stand.center.start_recorded(program, &trace, synchronous)?;
    let acknowledged = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let readers: Vec<_> =
            wallets.iter().map(|wallet| scope.spawn(|| pay(&stand, wallet, &acknowledged))).collect();
        readers
            .into_iter()
            .try_for_each(|reader| reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?)
    })?;
    stand.center.end_recording(&trace)?;
    let acknowledged = acknowledged.into_inner().map_err(|_| anyhow::anyhow!("a reader panicked"))?;
    let recording = Recording::read(&trace, stand.center.data())?;
    let (first, last) = recording.span();
    let mut outcome = Outcome { acknowledged: acknowledged.len(), ..Outcome::default() };
    for number in 0..cuts {
        let at = chance.u64(first..=last);
        // All that was not synced is lost, half, some, or nothing.
        let share = [255, 128, 32, 0][chance.usize(0..4)];
        let folder = stand.folder().join(format!("cut-{number}"));
        copy(&before, &folder)?;
        let loss = recording.cut(&folder, at, share, &mut chance)?;
        outcome.cuts += 1;
        outcome.loss.sectors += loss.sectors;
        outcome.loss.lost += loss.lost;
        let known = acknowledged.iter().filter(|payment| payment.at < at);
        if let Err(error) = holds(program, &folder, known) {
            outcome
                .lost
                .push(format!("cut {number}, {} ms after the beginning: {error:#}", (at - first) / 1_000));
        }
        fs::remove_dir_all(&folder)?;
    }
    Ok(outcome)
}

/// Pays for one article after the other, and notes what it hears.
fn pay(stand: &Stand, wallet: &Path, acknowledged: &Mutex<Vec<Acknowledged>>) -> Result<()> {
    for number in 1..=PAYMENTS {
        let url = format!("{}/articles/a{number}", stand.shop_origin());
        let paid = wallet_says(stand, wallet, &["pay", &url, "--json"])?;
        let at = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
        let paid: Value = serde_json::from_str(&paid)?;
        let transaction = paid["article"]["receipt"]["tranId"].as_str().context("a receipt")?;
        let transaction = URL_SAFE_NO_PAD.decode(transaction)?;
        acknowledged
            .lock()
            .map_err(|_| anyhow::anyhow!("another reader panicked"))?
            .push(Acknowledged { at, transaction });
    }
    Ok(())
}

/// Whether the books in `folder` balance, and have all of these payments.
fn holds<'a>(program: &Path, folder: &Path, payments: impl Iterator<Item = &'a Acknowledged>) -> Result<()> {
    let audit = tuppence(program).args(["audit", "--data"]).arg(folder).output()?;
    ensure!(audit.status.success(), "the audit says: {}", said(&audit));
    let database = Connection::open(folder.join("center.sqlite"))?;
    let sql = "SELECT count(*) FROM steps WHERE tran_id = ?1 AND state = 'posted'";
    let mut statement = database.prepare(sql)?;
    let mut lost = 0;
    for payment in payments {
        let found: i64 = statement.query_row([&payment.transaction], |row| row.get(0))?;
        lost += 1 - found;
    }
    ensure!(lost == 0, "{lost} payments are lost of which somebody had heard that they were paid");
    Ok(())
}

/// What a command of a wallet says, which must succeed.
fn wallet_says(stand: &Stand, wallet: &Path, words: &[&str]) -> Result<String> {
    let output = tuppence(stand.program()).args(["wallet", "--wallet"]).arg(wallet).args(words).output()?;
    ensure!(output.status.success(), "{words:?} ended with {}: {}", output.status, said(&output));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("creating {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // What SQLite shares between processes is made anew after a cut.
        if entry.file_type()?.is_file() && !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} power cuts while {} payments were made; {} sectors were on their way, and {} of them lost: {} cuts lost something",
            self.cuts,
            self.acknowledged,
            self.loss.sectors,
            self.loss.lost,
            self.lost.len()
        )
    }
}
