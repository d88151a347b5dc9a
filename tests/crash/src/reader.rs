//! A reader: a wallet's folder, and `tuppence wallet` for each thing that is done with it.

use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::stand::{ARTICLES, DEADLINE, QUESTIONS, Stand, said, tuppence, wait_for};

/// What is said of a question that was answered before.
const ANSWERED: &str = "answered the question already";
/// What is said where a budget has ended.
const NO_BUDGET: &str = "There is no budget at";
/// What one in three readers approves for the shop at once.
const BUDGET: &str = "0.20";

/// What a reader does next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    Register,
    Earn(usize),
    Pay(usize),
    PayFromBudget(usize),
    EndBudget,
}

/// What a wallet says of itself, to be found in the center's books.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purse {
    /// The balance in millionths.
    pub value: u64,
    /// How many rewards came, and how many payments went to shops or for budgets.
    pub earned: usize,
    pub paid: usize,
}

/// Somebody with a wallet.
pub struct Reader {
    folder: PathBuf,
    chance: fastrand::Rng,
    budgets: bool,
    /// What was begun and is not known to be done.
    open: Option<Deed>,
    /// Questions that were answered, and articles that were paid, each in order.
    earned: usize,
    paid: usize,
    /// Whether the money is spent and nothing left to earn.
    poor: bool,
    /// The command that runs now; whoever kills takes it from here.
    running: Arc<Running>,
}

/// A command that runs, where it can be killed from another thread.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<Child>>);

impl Reader {
    pub fn new(folder: PathBuf, seed: u64, budgets: bool) -> Self {
        let chance = fastrand::Rng::with_seed(seed);
        Reader {
            folder,
            chance,
            budgets,
            open: None,
            earned: 0,
            paid: 0,
            poor: false,
            running: Arc::default(),
        }
    }

    /// Whether there is nothing left to earn or to pay for.
    pub fn is_done(&self) -> bool {
        self.poor || self.paid >= ARTICLES
    }

    /// Does one thing after the other until told to rest. What fails is tried again, as a person does.
    pub fn live(&mut self, stand: &Stand, resting: &AtomicBool) -> Result<()> {
        while !resting.load(Ordering::SeqCst) && !self.is_done() {
            self.step(stand)?;
        }
        Ok(())
    }

    /// Lives until the first reward has come, which the shop must have money set aside for.
    pub fn live_until_paid(&mut self, stand: &Stand) -> Result<()> {
        let paid = wait_for(DEADLINE, || {
            self.step(stand)?;
            Ok(self.earned > 0)
        })?;
        ensure!(paid, "{}: no reward: {}", self.folder.display(), self.why(stand)?);
        Ok(())
    }

    /// Everything runs again: what was begun is finished, and nothing new begun.
    pub fn finish(&mut self, stand: &Stand) -> Result<()> {
        let finished = wait_for(DEADLINE, || {
            if self.open.is_some() {
                self.step(stand)?;
            }
            Ok(self.open.is_none())
        })?;
        if !finished {
            bail!("{}: {:?} cannot be finished: {}", self.folder.display(), self.open, self.why(stand)?);
        }
        Ok(())
    }

    /// What the wallet says of itself, once it has come to rest; nothing before it was registered.
    pub fn purse(&self, stand: &Stand) -> Result<Option<Purse>> {
        if !self.folder.join("wallet.sqlite").exists() {
            return Ok(None);
        }
        let balance = self.asked(stand, &["sync", "--json"])?;
        let pending = balance["pending"].as_array().map_or(0, Vec::len);
        if pending > 0 {
            bail!("{}: still open: {}", self.folder.display(), balance["pending"]);
        }
        let history = self.asked(stand, &["history", "--limit", "100000", "--json"])?;
        let entries = history.as_array().context("a history")?;
        let of = |kinds: &[&str]| {
            entries.iter().filter(|entry| kinds.iter().any(|kind| entry["kind"] == **kind)).count()
        };
        let value = micros(&balance["amount"])?;
        let (earned, paid) = (of(&["earned"]), of(&["paid", "budget"]));
        ensure!(earned == self.earned, "{}: {earned} rewards of {}", self.folder.display(), self.earned);
        ensure!(
            self.budgets || paid == self.paid,
            "{}: {paid} articles of {}",
            self.folder.display(),
            self.paid
        );
        Ok(Some(Purse { value, earned, paid }))
    }

    /// What of the reader runs now.
    pub fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running)
    }

    fn step(&mut self, stand: &Stand) -> Result<()> {
        let deed = self.open.clone().unwrap_or_else(|| self.next());
        let output = self.run(stand, &self.words(stand, &deed))?;
        let code = output.status.code();
        // The first answer was taken, though its command was killed before it could say so; the reward must be there.
        let answered = code == Some(1) && said(&output).contains(ANSWERED);
        self.open = match (code, &deed) {
            (Some(0), Deed::Earn(number)) => {
                self.earned = *number;
                None
            }
            (Some(1), Deed::Earn(number)) if answered => {
                self.earned = *number;
                None
            }
            (Some(0), Deed::Pay(number) | Deed::PayFromBudget(number)) => {
                self.paid = *number;
                None
            }
            (Some(0), Deed::Register | Deed::EndBudget) => None,
            // It ended before, or was never begun.
            (Some(_), Deed::EndBudget) if said(&output).contains(NO_BUDGET) => None,
            // Too little money: earn first.
            (Some(4), _) if self.earned < QUESTIONS => Some(Deed::Earn(self.earned + 1)),
            (Some(4), _) => {
                self.poor = true;
                None
            }
            _ => Some(deed),
        };
        Ok(())
    }

    fn next(&mut self) -> Deed {
        if !self.folder.join("wallet.sqlite").exists() {
            return Deed::Register;
        }
        if self.earned == 0 || self.earned < QUESTIONS && self.chance.u8(..) < 40 {
            return Deed::Earn(self.earned + 1);
        }
        match (self.budgets, self.chance.u8(..)) {
            (true, ..20) => Deed::EndBudget,
            (true, _) => Deed::PayFromBudget(self.paid + 1),
            (false, _) => Deed::Pay(self.paid + 1),
        }
    }

    fn words(&self, stand: &Stand, deed: &Deed) -> Vec<String> {
        let shop = stand.shop_origin();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match deed {
            Deed::Register => words(&["register", "--center", &stand.center_origin()]),
            Deed::Earn(number) => words(&["earn", &shop, &format!("q{number}"), "--answer", "Two", "--json"]),
            Deed::Pay(number) => words(&["pay", &format!("{shop}/articles/a{number}"), "--json"]),
            Deed::PayFromBudget(number) => {
                words(&["pay", &format!("{shop}/articles/a{number}"), "--budget", BUDGET, "--json"])
            }
            Deed::EndBudget => words(&["end-budget", &shop]),
        }
    }

    /// Runs a command of the wallet where it can be killed.
    fn run(&self, stand: &Stand, words: &[String]) -> Result<Output> {
        let mut command = tuppence(stand.program());
        command.arg("wallet").arg("--wallet").arg(&self.folder).args(words);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.context("starting a wallet")?;
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        *self.running.get()? = Some(child);
        let errors = thread::spawn(move || drain(err.as_mut()));
        let stdout = drain(out.as_mut());
        let stderr = errors.join().unwrap_or_default();
        let child = self.running.get()?.take();
        let status = child.context("the wallet's command is gone")?.wait()?;
        Ok(Output { status, stdout, stderr })
    }

    /// What a command says that must succeed.
    fn asked(&self, stand: &Stand, words: &[&str]) -> Result<Value> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let output = self.run(stand, &words)?;
        if !output.status.success() {
            bail!("{}: {words:?} ended with {}:\n{}", self.folder.display(), output.status, said(&output));
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("{words:?} printed no JSON"))
    }

    fn why(&self, stand: &Stand) -> Result<String> {
        let Some(deed) = &self.open else { return Ok(String::new()) };
        Ok(said(&self.run(stand, &self.words(stand, deed))?))
    }
}

impl Running {
    /// Kills it; whether there was anything to kill.
    pub fn kill(&self) -> Result<bool> {
        match self.get()?.as_mut() {
            Some(child) => Ok(child.kill().is_ok()),
            None => Ok(false),
        }
    }

    fn get(&self) -> Result<MutexGuard<'_, Option<Child>>> {
        self.0.lock().map_err(|_| anyhow::anyhow!("another thread panicked"))
    }
}

fn drain(stream: Option<&mut impl std::io::Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // A command that was killed has closed it.
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

/// `USD:0.04` in millionths.
fn micros(amount: &Value) -> Result<u64> {
    let text = amount.as_str().and_then(|text| text.strip_prefix("USD:")).context("an amount")?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: u64 = format!("{part:0<6}").parse()?;
    Ok(whole.parse::<u64>()? * 1_000_000 + part)
}
