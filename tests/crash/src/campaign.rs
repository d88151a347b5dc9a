//! The campaign: what is killed when, and what has come of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tuppence_server::crash::Point;

use crate::reader::{Purse, Reader, Running};
use crate::stand::{Server, Stand, wait_for};
use crate::{books, say};

/// How long readers live before a kill at a random instant, in milliseconds at most.
const LIFE_MILLIS: u64 = 250;
/// The longest that is waited until a point is passed; a server that did not pass it is killed where it is.
const POINT_WAIT: Duration = Duration::from_secs(4);
/// A server dies when it passes its point for this time at the latest.
const PASSES_MAX: u32 = 6;

/// What a campaign is made of.
#[derive(Debug)]
pub struct Plan {
    pub kills: u32,
    pub seed: u64,
    pub readers: usize,
    pub points: bool,
}

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    Center,
    Shop,
    Both,
    Wallet(usize),
    At(Point, u32),
}

/// What has come of a campaign.
#[derive(Debug)]
pub struct Outcome {
    seed: u64,
    kills: BTreeMap<&'static str, u32>,
    points: bool,
    purses: Vec<Purse>,
    time: Duration,
    failure: Option<String>,
}

/// Runs a campaign.
///
/// # Errors
/// If it cannot be run; what it finds is no error, but in the outcome.
pub fn run(program: &Path, plan: &Plan) -> Result<Outcome> {
    let begun = Instant::now();
    let mut chance = fastrand::Rng::with_seed(plan.seed);
    let stand = Stand::start(program).context("starting center and storefront")?;
    let mut born = 0_u64;
    let mut reader = |chance: &mut fastrand::Rng| {
        born += 1;
        Reader::new(stand.folder().join(format!("reader-{born}")), chance.u64(..), born.is_multiple_of(3))
    };
    let mut readers: Vec<Reader> = (0..plan.readers).map(|_| reader(&mut chance)).collect();
    let mut retired = Vec::new();
    let mut outcome = Outcome {
        seed: plan.seed,
        kills: BTreeMap::new(),
        points: plan.points,
        purses: Vec::new(),
        time: Duration::ZERO,
        failure: None,
    };
    for number in 1..=plan.kills {
        let kill = draw(&mut chance, plan, number);
        let done = strike(&stand, &mut readers, kill, chance.u64(1..LIFE_MILLIS));
        let checked = done.and_then(|what| {
            *outcome.kills.entry(what).or_default() += 1;
            settle(&stand, &mut readers, &retired)
        });
        match checked {
            Ok(purses) => outcome.purses = purses,
            Err(error) => {
                let words = [stand.center.last_words(), stand.shop.last_words()].join("\n");
                outcome.failure = Some(format!("kill {number}, {kill:?}: {error:#}\n{words}"));
                break;
            }
        }
        // Whoever has bought everything makes room for somebody new, and so does somebody now and then.
        for place in &mut readers {
            if place.is_done() || chance.u8(..) < 2 {
                retired.extend(place.purse(&stand)?);
                *place = reader(&mut chance);
            }
        }
        if number.is_multiple_of(25) {
            say(&format!("{number} of {} kills in {} s", plan.kills, begun.elapsed().as_secs()));
        }
    }
    outcome.time = begun.elapsed();
    Ok(outcome)
}

/// Which kill is next. Each point has its turn before chance decides.
fn draw(chance: &mut fastrand::Rng, plan: &Plan, number: u32) -> Kill {
    let points = Point::ALL;
    if plan.points && number.is_multiple_of(2) {
        let turn = usize::try_from(number / 2 - 1).unwrap_or(0) % points.len();
        return Kill::At(points[turn], chance.u32(1..=PASSES_MAX));
    }
    match chance.u8(0..10) {
        0..4 => Kill::Center,
        4..6 => Kill::Shop,
        6 => Kill::Both,
        _ => Kill::Wallet(chance.usize(0..plan.readers)),
    }
}

/// Lets the readers live, kills, and starts again what was killed. Says what was killed.
fn strike(stand: &Stand, readers: &mut [Reader], kill: Kill, life: u64) -> Result<&'static str> {
    let servers: &[&Server] = match kill {
        Kill::Center => &[&stand.center],
        Kill::Shop => &[&stand.shop],
        Kill::Both => &[&stand.center, &stand.shop],
        Kill::Wallet(_) => &[],
        Kill::At(point, _) if point.is_the_centers() => &[&stand.center],
        Kill::At(..) => &[&stand.shop],
    };
    if let Kill::At(point, times) = kill {
        for server in servers {
            server.kill()?;
            server.start(stand.program(), Some((point, times)))?;
        }
    }
    let commands: Vec<Arc<Running>> = readers.iter().map(Reader::running).collect();
    let resting = AtomicBool::new(false);
    thread::scope(|scope| {
        let resting = &resting;
        let lives: Vec<_> =
            readers.iter_mut().map(|reader| scope.spawn(move || reader.live(stand, resting))).collect();
        let what = end(kill, servers, &commands, Duration::from_millis(life)).and_then(|what| {
            // They start again while the readers go on.
            for server in servers {
                server.kill()?;
                server.start(stand.program(), None)?;
            }
            Ok(what)
        });
        resting.store(true, Ordering::SeqCst);
        for life in lives {
            life.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
        }
        what
    })
}

/// Waits for the instant, and kills.
fn end(kill: Kill, servers: &[&Server], commands: &[Arc<Running>], life: Duration) -> Result<&'static str> {
    if let (Kill::At(point, _), [server]) = (kill, servers) {
        let passed = server.dies_within(POINT_WAIT)?;
        return Ok(if passed { point.as_str() } else { "a server that did not pass its point" });
    }
    // Nothing is waited for: the instant is what was drawn.
    wait_for(life, || Ok(false))?;
    servers.iter().try_for_each(|server| server.kill())?;
    Ok(match kill {
        Kill::Center => "center, at any instant",
        Kill::Shop => "storefront, at any instant",
        Kill::Wallet(number) => {
            let running = commands.get(number).map(|command| command.kill()).transpose()?;
            if running == Some(true) { "wallet, at any instant" } else { "wallet, between two commands" }
        }
        Kill::Both | Kill::At(..) => "both servers, at any instant",
    })
}

/// Everybody finishes, and books and wallets are compared.
fn settle(stand: &Stand, readers: &mut [Reader], retired: &[Purse]) -> Result<Vec<Purse>> {
    let purses = thread::scope(|scope| {
        let each: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                scope.spawn(move || {
                    reader.finish(stand)?;
                    reader.purse(stand)
                })
            })
            .collect();
        let said =
            each.into_iter().map(|each| each.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?);
        said.collect::<Result<Vec<_>>>()
    })?;
    let purses: Vec<Purse> = purses.into_iter().flatten().chain(retired.iter().cloned()).collect();
    books::agree(stand, purses.clone())?;
    Ok(purses)
}

impl Outcome {
    /// Whether nothing was lost, and each point was passed.
    pub fn is_fine(&self) -> bool {
        self.failure.is_none() && self.missing().is_empty()
    }

    fn missing(&self) -> Vec<&'static str> {
        let enough =
            self.kills.values().sum::<u32>() >= 4 * u32::try_from(Point::ALL.len()).unwrap_or(u32::MAX);
        let names = Point::ALL.iter().map(|point| point.as_str());
        names.filter(|name| self.points && enough && !self.kills.contains_key(name)).collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: u32 = self.kills.values().sum();
        writeln!(f, "{count} kills in {} s, seed {}:", self.time.as_secs(), self.seed)?;
        for (what, times) in &self.kills {
            writeln!(f, "  {times:>5}  {what}")?;
        }
        let (earned, paid) = self
            .purses
            .iter()
            .fold((0, 0), |(earned, paid), purse| (earned + purse.earned, paid + purse.paid));
        writeln!(f, "{} wallets have earned {earned} times and paid {paid} times.", self.purses.len())?;
        for missing in self.missing() {
            writeln!(f, "Nothing died at the point {missing}.")?;
        }
        match &self.failure {
            None => write!(f, "Books and wallets agreed after each."),
            Some(failure) => write!(f, "FAILED with seed {}: {failure}", self.seed),
        }
    }
}
