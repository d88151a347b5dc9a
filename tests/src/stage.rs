//! The stage of a scenario: its programs and browsers, and what must be true of them when it ends.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;

use anyhow::{Result, ensure};
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;

use crate::browser::{self, Browser};
use crate::emulation::Screen;
use crate::engine::{Ability, Engine, Permissions};
use crate::program::{Program, Settings};

/// Scenarios at the same time: a browser and a program fill a core.
static PLACES: Semaphore = Semaphore::const_new(2);

/// What a scenario runs on.
#[derive(Debug, Default)]
pub struct Stage {
    programs: RefCell<Vec<Rc<Program>>>,
    browsers: RefCell<Vec<Rc<Browser>>>,
}

/// Runs a scenario. When it ends well, its browsers must have been without errors, its programs must stop cleanly, and
/// their books must balance. Otherwise the failure says what the browsers showed and the programs wrote.
///
/// # Errors
/// Whatever went wrong, with that.
pub fn play(scenario: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<(), Failure> {
    play_with(&[], scenario)
}

/// Runs a scenario that needs what some engine can't be made to do. There it isn't run, and the output says so in a line
/// that the gate counts.
///
/// # Errors
/// As [`play`].
pub fn play_with(needs: &[Ability], scenario: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<(), Failure> {
    let engine = Engine::chosen().map_err(Failure::early)?;
    if let Some(reason) = needs.iter().find_map(|ability| engine.lacks(*ability)) {
        let line = format!("not in {}: {}: {reason}\n", engine.name(), scenario_name());
        // Not by `println`, which the harness keeps to itself when a test is green.
        return io::stdout().write_all(line.as_bytes()).map_err(Failure::early);
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::early)?;
    let _place = runtime.block_on(PLACES.acquire()).map_err(Failure::early)?;
    let stage = Stage::default();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            scenario(&stage).await?;
            stage.ends_well().await
        })
    }));
    let failed = !matches!(outcome, Ok(Ok(())));
    let remains = if failed { remains(&runtime, &stage) } else { String::new() };
    runtime.block_on(stage.clear());
    match outcome {
        Ok(result) => result.map_err(|error| Failure { error, remains }),
        Err(panic) => {
            // The test harness shows what a failed test has printed.
            eprintln!("{remains}");
            panic::resume_unwind(panic)
        }
    }
}

/// Why a scenario failed, and what was left of it. The test harness shows it in its `Debug` form.
pub struct Failure {
    error: anyhow::Error,
    remains: String,
}

impl Failure {
    fn early(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), remains: String::new() }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:#}", self.error)?;
        // Of the backtrace, where there is one, only the scenario's own lines.
        let backtrace = self.error.backtrace().to_string();
        let places = backtrace.lines().filter(|line| line.contains("/e2e/"));
        places.map(str::trim).try_for_each(|place| writeln!(formatter, "{place}"))?;
        formatter.write_str(&self.remains)
    }
}

impl Stage {
    /// Starts `tuppence serve`.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn program(&self, settings: Settings) -> Result<Rc<Program>> {
        let program = Rc::new(Program::start(settings).await?);
        self.programs.borrow_mut().push(Rc::clone(&program));
        Ok(program)
    }

    /// Starts a browser with an empty profile.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn browser(&self, screen: Screen) -> Result<Rc<Browser>> {
        self.browser_with(screen, Permissions::Usual).await
    }

    /// Starts a browser with other permissions.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn browser_with(&self, screen: Screen, permissions: Permissions) -> Result<Rc<Browser>> {
        let browser = Rc::new(Browser::start(screen, permissions).await?);
        self.browsers.borrow_mut().push(Rc::clone(&browser));
        Ok(browser)
    }

    async fn ends_well(&self) -> Result<()> {
        let browsers = self.browsers.borrow().clone();
        for (number, browser) in browsers.iter().enumerate() {
            self.picture(browser, number).await?;
            let problems = browser.problems().await?;
            ensure!(problems.is_empty(), "pages reported errors:\n{}", problems.join("\n"));
            browser.quit().await?;
        }
        let programs = self.programs.borrow().clone();
        for program in programs {
            program.stop().await?;
            program.audit()?;
        }
        Ok(())
    }

    /// Leaves pictures of how the scenario ended for this browser, on a phone and a desktop, light and dark.
    async fn picture(&self, browser: &Browser, number: usize) -> Result<()> {
        if browser.is_closed() {
            return Ok(());
        }
        let scenario = scenario_name().replace("::", "-");
        for size in [Screen::PHONE, Screen::DESKTOP] {
            for screen in [size, size.dark()] {
                browser.set_screen(screen.calm()).await?;
                browser.screenshot(&format!("scenarios/{scenario}-{number}-{}", screen.name())).await?;
            }
        }
        Ok(())
    }

    async fn clear(&self) {
        let browsers = self.browsers.take();
        for browser in browsers {
            let _ = browser.quit().await;
        }
        self.programs.take();
    }
}

/// What is left of a failed scenario: screenshots, what pages showed and said, what programs wrote.
fn remains(runtime: &Runtime, stage: &Stage) -> String {
    let scenario = scenario_name().replace("::", "-");
    let mut text = String::new();
    runtime.block_on(async {
        let browsers = stage.browsers.borrow().clone();
        for (number, browser) in browsers.iter().enumerate() {
            let path = browser::target().join("failures").join(format!("{scenario}-{number}.png"));
            if browser.save(&path).await.is_ok() {
                text += &format!("browser {number} ({}) shows {}\n", path.display(), browser.glance().await);
                text += &format!("its console says:\n{}\n", browser.console().await.join("\n"));
            }
        }
    });
    for program in stage.programs.borrow().iter() {
        text += &format!("the program's last words:\n{}\n", program.last_words());
    }
    text
}

fn scenario_name() -> String {
    thread::current().name().unwrap_or("scenario").to_owned()
}
