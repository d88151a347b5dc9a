//! The whole measurement: what is measured, in which order, how often.
//!
//! The machine may have other work. So what is compared is measured in turns within one run: the bare endpoint just
//! before the payments that are set against it, and many purses right after few, again and again.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::books::Books;
use crate::buyer::{Buyers, Live, Work};
use crate::figures::{Growth, Method, Point, Report, Run, float};
use crate::load::{self, Load};
use crate::process::{self, Process, Usage};
use crate::profile::{self, Samples};
use crate::shop::report::{ShopPoint, ShopRun};
use crate::shop::{Shop, payer};
use crate::{http, machine};

/// The number of connections at which the program is compared with the bare endpoint.
pub const COMPARED_CONNECTIONS: u64 = 64;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A short run, which shows that all works and nothing more.
    pub quick: bool,
    /// Connections, in ascending order.
    pub connections: Vec<u64>,
    /// Purses, in ascending order.
    pub purses: Vec<u64>,
    /// How often everything is measured.
    pub repetitions: u64,
    /// Time that counts of each.
    pub time: Duration,
    /// Time before that.
    pub warm_up: Duration,
    /// Threads of the generator.
    pub threads: u64,
    /// Where a flame graph is drawn, if `perf` shall sample the program.
    pub flame: Option<PathBuf>,
}

impl Plan {
    /// What docs/performance.md needs.
    pub fn full() -> Self {
        Plan {
            quick: false,
            connections: vec![1, 16, 64, 256],
            purses: vec![1_000, 10_000, 100_000, 1_000_000],
            repetitions: 3,
            time: Duration::from_secs(5),
            warm_up: Duration::from_secs(1),
            threads: 1,
            flame: None,
        }
    }

    /// Some seconds.
    pub fn quick() -> Self {
        Plan {
            quick: true,
            connections: vec![1, COMPARED_CONNECTIONS],
            purses: vec![1_000],
            repetitions: 1,
            time: Duration::from_secs(1),
            warm_up: Duration::from_millis(200),
            threads: 1,
            flame: None,
        }
    }

    fn load(&self, connections: u64) -> Load {
        Load { connections, threads: self.threads, warm_up: self.warm_up, time: self.time }
    }
}

/// Measures everything, with data in `folder`, and says what it is at by `tell`.
///
/// # Errors
/// If the program does not run, anything was refused, or the books do not fit afterwards.
pub fn measure(program: &Path, folder: &Path, plan: &Plan, tell: impl Fn(&str)) -> Result<Report> {
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let machine = machine::this(folder)?;
    let mut stages = Vec::new();
    for purses in &plan.purses {
        tell(&format!("writing {purses} purses"));
        let place = folder.join(format!("{purses}-purses"));
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        stages.push(Stage::new(program, Books::create(&place, *purses)?));
    }
    let first = stages.first_mut().context("no purses")?;
    let (request_bytes, answer_bytes) = first.body_bytes()?;
    let bare = Bare::new(request_bytes, answer_bytes)?;

    let mut load = Vec::new();
    for work in [Work::Payments, Work::Earnings] {
        for connections in &plan.connections {
            load.push(Point {
                work,
                connections: *connections,
                purses: first.books.purses,
                runs: Vec::new(),
            });
        }
    }
    for repetition in 1..=plan.repetitions {
        let running = first.start()?;
        for point in &mut load {
            let (work, connections) = (point.work, point.connections);
            tell(&format!("{work:?} at {connections} connections, {repetition} of {}", plan.repetitions));
            let bare =
                if point.is_compared() { Some(bare.per_second(plan.load(connections))?) } else { None };
            let run = first.run(&running, work, plan.load(connections))?;
            point.runs.push(Run { bare_per_second: bare, ..run });
        }
        running.stop()?;
    }
    let shop = sales(program, folder, plan, &bare, &tell)?;
    let stage_micros = match &plan.flame {
        Some(picture) => {
            tell("payments while perf samples");
            let micros =
                load.iter().find(|point| point.is_compared()).map(|point| point.median(|run| run.cpu_micros));
            first.profile(plan.load(COMPARED_CONNECTIONS), micros.unwrap_or(0.0), picture)?
        }
        None => Vec::new(),
    };
    let growth = growth(&mut stages, plan, &tell)?;
    tell("audit of the largest books");
    let largest = stages.last().context("no purses")?;
    let audit = largest.audit()?;
    let method = Method {
        quick: plan.quick,
        seconds: plan.time.as_secs_f64(),
        threads: plan.threads,
        request_bytes,
        answer_bytes,
    };
    Ok(Report {
        machine,
        method,
        load,
        growth,
        shop,
        audit,
        stage_micros,
        micro_nanos: Vec::new(),
        browser: None,
    })
}

/// Repeated payments at a shop, each method in turns with the bare endpoint.
fn sales(
    program: &Path,
    folder: &Path,
    plan: &Plan,
    bare: &Bare,
    tell: &impl Fn(&str),
) -> Result<Vec<ShopPoint>> {
    let shop = Shop::create(&folder.join("shop"))?;
    let running = shop.start(program)?;
    let mut points = Vec::new();
    for method in [payer::Method::VendorScrip, payer::Method::Payword] {
        for connections in
            plan.connections.iter().copied().filter(|count| [1, COMPARED_CONNECTIONS].contains(count))
        {
            points.push(ShopPoint { method, connections, runs: Vec::new() });
        }
    }
    let mut first = 0;
    for repetition in 1..=plan.repetitions {
        for ShopPoint { method, connections, runs } in &mut points {
            tell(&format!("{method:?} at {connections} connections, {repetition} of {}", plan.repetitions));
            let load = plan.load(*connections);
            let bare = bare.per_second(load)?;
            let mut marks = Vec::new();
            let mark = || {
                marks.push((running.usage()?, Usage::of_this_program()?));
                Ok(())
            };
            let outcome = load::sell(&shop, *method, running.port(), first, load, mark)?;
            first += u32::try_from(*connections)?;
            let [(program, generator), (program_after, generator_after)] = marks.as_slice() else {
                anyhow::bail!("a load has a beginning and an end");
            };
            let (program, generator) = (program_after.since(program), generator_after.since(generator));
            runs.push(ShopRun::new(&outcome.done, outcome.took.as_secs_f64(), bare, &program, &generator));
        }
    }
    running.stop()?;
    Ok(points)
}

/// Payments with few and with many purses, in turns.
fn growth(stages: &mut [Stage], plan: &Plan, tell: &impl Fn(&str)) -> Result<Vec<Growth>> {
    let connections = COMPARED_CONNECTIONS;
    let mut growth = Vec::new();
    for stage in stages.iter() {
        let point = Point { work: Work::Payments, connections, purses: stage.books.purses, runs: Vec::new() };
        let database_bytes = stage.database_bytes()?;
        growth.push(Growth { point, database_bytes, memory_bytes: 0, memory_bytes_max: 0 });
    }
    for repetition in 1..=plan.repetitions {
        for (stage, grown) in stages.iter_mut().zip(&mut growth) {
            let purses = stage.books.purses;
            tell(&format!("payments with {purses} purses, {repetition} of {}", plan.repetitions));
            let running = stage.start()?;
            grown.point.runs.push(stage.run(&running, Work::Payments, plan.load(connections))?);
            (grown.memory_bytes, grown.memory_bytes_max) = running.memory()?;
            running.stop()?;
        }
    }
    Ok(growth)
}

/// Books, and the program that works on them.
struct Stage {
    program: PathBuf,
    books: Books,
    live: Live,
}

impl Stage {
    fn new(program: &Path, books: Books) -> Self {
        Stage { program: program.to_owned(), books, live: Live::new() }
    }

    fn start(&self) -> Result<Process> {
        let port = process::free_port()?;
        let (folder, number) = (self.data()?, port.to_string());
        let arguments = ["center", "--data", folder, "--center-port", &number, "--log", "warn"];
        Process::start(&self.program, &arguments, port, &self.books.folder().join("program.log"))
    }

    fn run(&mut self, running: &Process, work: Work, load: Load) -> Result<Run> {
        let load_average = machine::load_average()?;
        let mut marks = Vec::new();
        let mark = || {
            marks.push((running.usage()?, Usage::of_this_program()?, committed(running.port())?));
            Ok(())
        };
        let outcome = load::buy(&self.books, work, running.port(), load, &mut self.live, mark)?;
        let [(program, generator, before), (program_after, generator_after, after)] = marks.as_slice() else {
            anyhow::bail!("a load has a beginning and an end");
        };
        let syncs = after.batches.saturating_sub(before.batches).max(1);
        let steps = after.commands.saturating_sub(before.commands);
        let run = Run::new(
            &outcome.done,
            outcome.took.as_secs_f64(),
            &program_after.since(program),
            &generator_after.since(generator),
            float(steps) / float(syncs),
        );
        Ok(Run { load_average, ..run })
    }

    /// Where the program's time goes: its stages, with their parts of `micros`, and a picture.
    fn profile(&mut self, load: Load, micros: f64, picture: &Path) -> Result<Vec<(String, f64)>> {
        let running = self.start()?;
        let file = self.books.folder().join("perf.data");
        let (mut samples, mut stacks) = (None, Vec::new());
        let mark = || {
            match samples.take() {
                None => samples = Some(Samples::start(running.id(), &file)?),
                Some(begun) => stacks = Samples::stacks(begun, &file)?,
            }
            Ok(())
        };
        load::buy(&self.books, Work::Payments, running.port(), load, &mut self.live, mark)?;
        running.stop()?;
        profile::draw(&stacks, picture)?;
        let parts = profile::by_stage(&stacks, micros);
        Ok(parts.into_iter().map(|(name, micros)| (name.to_owned(), micros)).collect())
    }

    /// Mean bytes of requests and answers of a payment.
    fn body_bytes(&mut self) -> Result<(u64, u64)> {
        let running = self.start()?;
        let live = RefCell::new(std::mem::take(&mut self.live));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async {
            let port = running.port();
            Buyers::connect(&self.books, Work::Payments, port, 0, 1).await?.buy(&live).await
        })?;
        self.live = live.into_inner();
        running.stop()?;
        Ok((u64::from(done.sent_bytes) / 2, u64::from(done.received_bytes) / 2))
    }

    fn database_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for name in ["center.sqlite", "center.sqlite-wal"] {
            bytes += fs::metadata(self.books.folder().join(name)).map_or(0, |metadata| metadata.len());
        }
        Ok(bytes)
    }

    /// What `tuppence audit` says.
    fn audit(&self) -> Result<String> {
        let begun = Instant::now();
        let mut command = std::process::Command::new(&self.program);
        let output = command.args(["audit", "--data", self.data()?]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(output.status.success(), "the books do not fit: {text}");
        let seconds = begun.elapsed().as_secs_f64();
        Ok(format!("{} ({seconds:.0} s)", text.lines().next().unwrap_or_default()))
    }

    fn data(&self) -> Result<&str> {
        self.books.folder().to_str().context("a folder's name in UTF-8")
    }
}

/// The bare endpoint, and what it is asked with.
struct Bare {
    process: Process,
    request_bytes: usize,
}

impl Bare {
    fn new(request_bytes: u64, answer_bytes: u64) -> Result<Self> {
        let port = process::free_port()?;
        let arguments = ["bare", "--port", &port.to_string(), "--answer-bytes", &answer_bytes.to_string()];
        let log = std::env::temp_dir().join(format!("tuppence-bare-{port}.log"));
        let process = Process::start(&std::env::current_exe()?, &arguments, port, &log)?;
        fs::remove_file(&log)?;
        Ok(Bare { process, request_bytes: usize::try_from(request_bytes)? })
    }

    fn per_second(&self, load: Load) -> Result<f64> {
        let outcome = load::bare(self.process.port(), self.request_bytes, load, || Ok(()))?;
        Ok(float(outcome.done.len()) / outcome.took.as_secs_f64())
    }
}

impl Point {
    /// Whether it is set against the bare endpoint.
    fn is_compared(&self) -> bool {
        self.work == Work::Payments && self.connections == COMPARED_CONNECTIONS
    }
}

/// What the committer has counted.
struct Committed {
    batches: u64,
    commands: u64,
}

fn committed(port: u16) -> Result<Committed> {
    let text = http::get_once(port, "/metrics")?;
    let count = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("_total "));
        Ok(line.with_context(|| format!("no {name} in the metrics"))?.trim().parse()?)
    };
    Ok(Committed {
        batches: count("tuppence_committer_batches")?,
        commands: count("tuppence_committer_commands")?,
    })
}
