//! Power cuts. The center, or the storefront, is recorded while readers live: what it writes, syncs and answers, in one order.
//! For an instant of the recording the disk is made as a cut may leave it; then the program starts on it, its books must
//! balance, and they must have all that anybody may have heard by then. With `synchronous=NORMAL`, the control, some of that is
//! lost, or the cuts would prove nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use rusqlite::Connection;

use crate::disk::Disk;
use crate::reader::Reader;
use crate::replies::Heard;
use crate::say;
use crate::stand::{Server, Stand, said, tuppence, wait_for};
use crate::strace::{self, Event};

/// Who lives while it is recorded, and how long.
const READERS: usize = 6;
const LIFE: Duration = Duration::from_secs(8);
/// Pages in the log before it is copied into the database: so few that this happens many times in a recording.
const CHECKPOINT_PAGES: &str = "60";

/// Whose power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The center's.
    Center,
    /// The storefront's, whose readers have budgets there.
    Shop,
}

impl Whose {
    fn server(self, stand: &Stand) -> &Server {
        match self {
            Whose::Center => &stand.center,
            Whose::Shop => &stand.shop,
        }
    }

    /// Its database. Beside it are its log, and the center's witness.
    const fn database(self) -> &'static str {
        match self {
            Whose::Center => "center.sqlite",
            Whose::Shop => "shop.sqlite",
        }
    }

    fn promised(self, heard: &Heard) -> usize {
        match self {
            Whose::Center => heard.by_the_center(),
            Whose::Shop => heard.by_the_shop(),
        }
    }
}

/// What has come of some cuts.
#[derive(Debug, Default)]
pub struct Outcome {
    cuts: u32,
    events: Events,
    /// What clients may have heard in all.
    heard: usize,
    /// What each cut that lost something has lost.
    pub lost: Vec<String>,
}

/// What a recording has.
#[derive(Debug, Default)]
struct Events {
    writes: usize,
    /// Of these, writes of the database itself, by checkpoints.
    copied: usize,
    syncs: usize,
    promises: usize,
}

/// Records a server with SQLite's `synchronous` as said, and cuts it off at so many instants of the recording.
///
/// # Errors
/// If it cannot be done; what a cut loses is no error, but in the outcome.
pub fn run(program: &Path, whose: Whose, cuts: u32, seed: u64, synchronous: &str) -> Result<Outcome> {
    let mut chance = Rng::with_seed(seed);
    let stand = Stand::start(program).context("starting center and storefront")?;
    let mut readers: Vec<Reader> = (0..READERS)
        .map(|number| {
            let folder = stand.folder().join(format!("reader-{number}"));
            Reader::new(folder, chance.u64(..), whose == Whose::Shop || number % 3 == 1)
        })
        .collect();
    if let Some(first) = readers.first_mut() {
        first.live_until_paid(&stand)?;
    }
    // Once it is stopped all is in the database, and on the disk.
    let server = whose.server(&stand);
    server.stop()?;
    let before = stand.folder().join("before");
    copy(server.data(), &before)?;
    let events = record(&stand, whose, synchronous, &mut readers)?;
    stand.shop.kill()?;
    stand.center.kill()?;
    let mut recording = Recording::of(whose, &before, &events)?;
    let instants = instants(&events, cuts, &mut chance)?;
    let mut outcome = Outcome::default();
    for (number, event) in events.iter().enumerate() {
        recording.follow(event)?;
        if !instants.contains(&number) {
            continue;
        }
        outcome.cuts += 1;
        let folder = stand.folder().join("cut");
        copy(&before, &folder)?;
        for (name, content) in recording.disk.after_a_cut(&mut chance) {
            fs::write(folder.join(name), content)?;
        }
        if let Err(error) = holds(&stand, whose, &folder, &recording.heard) {
            outcome.lost.push(format!("after call {number} of {}: {error:#}", events.len()));
        }
        fs::remove_dir_all(&folder)?;
        if outcome.cuts.is_multiple_of(25) {
            say(&format!("{} of {cuts} power cuts, {whose:?}, synchronous={synchronous}", outcome.cuts));
        }
    }
    outcome.heard = whose.promised(&recording.heard);
    outcome.events = recording.events;
    ensure!(outcome.heard > 20, "too little happened: {outcome}");
    ensure!(outcome.events.copied > 20, "there were no checkpoints: {outcome}");
    Ok(outcome)
}

/// Lets readers live with a server that is recorded, until it is killed.
fn record(stand: &Stand, whose: Whose, synchronous: &str, readers: &mut [Reader]) -> Result<Vec<Event>> {
    let server = whose.server(stand);
    let file = stand.folder().join("recording");
    let pragmas = [("synchronous", synchronous), ("wal_autocheckpoint", CHECKPOINT_PAGES)];
    server.start_recorded(stand.program(), &file, &pragmas)?;
    let resting = AtomicBool::new(false);
    thread::scope(|scope| {
        let resting = &resting;
        let lives: Vec<_> =
            readers.iter_mut().map(|reader| scope.spawn(move || reader.live(stand, resting))).collect();
        let waited = wait_for(LIFE, || Ok(false));
        resting.store(true, Ordering::SeqCst);
        for life in lives {
            life.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
        }
        waited
    })?;
    server.end_recording(&file)?;
    let (data, database) = (server.data(), server.data().join(whose.database()));
    let events = strace::read(&file, &|path| {
        let name = path.as_os_str().to_string_lossy();
        // What SQLite shares between processes is made anew after a cut; a lock has no content.
        path == data
            || name.starts_with(&*database.to_string_lossy())
                && !name.ends_with("-shm")
                && !name.ends_with(".lock")
    });
    events.context("reading the recording")
}

/// When the power is cut: every second time just when somebody may have heard something.
fn instants(events: &[Event], cuts: u32, chance: &mut Rng) -> Result<BTreeSet<usize>> {
    let mut told = Vec::new();
    for (number, event) in events.iter().enumerate() {
        if let Event::Send(bytes) = event
            && Heard::default().add(bytes)?
        {
            told.push(number);
        }
    }
    ensure!(!told.is_empty(), "nobody has heard anything");
    let wanted = usize::try_from(cuts)?.min(events.len());
    let mut instants = BTreeSet::new();
    while instants.len() < wanted {
        let any =
            if chance.bool() { told[chance.usize(0..told.len())] } else { chance.usize(0..events.len()) };
        instants.insert(any);
    }
    Ok(instants)
}

/// A recording up to some instant: the disk, and what was heard.
struct Recording {
    whose: Whose,
    disk: Disk,
    heard: Heard,
    events: Events,
    /// When each sync began.
    syncs: Vec<usize>,
    folder: std::path::PathBuf,
}

impl Recording {
    fn of(whose: Whose, before: &Path, events: &[Event]) -> Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(before)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(whose.database()) && !name.ends_with(".lock") {
                files.push((name.clone(), fs::read(before.join(name))?));
            }
        }
        let written = events.iter().find_map(|event| match event {
            Event::Create(path) | Event::Write(path, ..) => path.parent().map(Path::to_path_buf),
            _ => None,
        });
        let folder = written.context("nothing was written")?;
        let (heard, events) = (Heard::default(), Events::default());
        Ok(Recording { whose, disk: Disk::with(files), heard, events, syncs: Vec::new(), folder })
    }

    fn follow(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Create(path) => self.disk.create(&name(path)),
            Event::Write(path, offset, bytes) => {
                self.events.writes += 1;
                self.events.copied += usize::from(name(path) == self.whose.database());
                self.disk.write(&name(path), *offset, bytes.clone());
            }
            Event::SetLength(path, length) => self.disk.set_length(&name(path), *length),
            Event::Sync(_) => self.syncs.push(self.disk.now()),
            Event::Synced(path, number) => {
                self.events.syncs += 1;
                let then = *self.syncs.get(*number).context("a sync that never began")?;
                if *path == self.folder {
                    self.disk.sync_names(then);
                } else {
                    self.disk.sync(&name(path), then);
                }
            }
            Event::Send(bytes) => self.events.promises += usize::from(self.heard.add(bytes)?),
        }
        Ok(())
    }
}

/// Whether the program starts on `folder`, and has there all that was heard.
fn holds(stand: &Stand, whose: Whose, folder: &Path, heard: &Heard) -> Result<()> {
    let server = whose.server(stand).on(folder.to_owned());
    server.start(stand.program(), None)?;
    server.kill()?;
    let database = folder.join(whose.database());
    let missing = match whose {
        Whose::Center => {
            balances(stand, folder)?;
            heard.missing_in_books(&database)?
        }
        Whose::Shop => {
            is_whole(&database)?;
            heard.missing_in_shop(&database)?
        }
    };
    let promised = whose.promised(heard);
    ensure!(missing == 0, "{missing} of {promised} replies are lost that somebody may have heard");
    Ok(())
}

/// Whether the books balance, in the same epoch.
fn balances(stand: &Stand, folder: &Path) -> Result<()> {
    let audit = tuppence(stand.program()).args(["audit", "--data"]).arg(folder).output()?;
    ensure!(audit.status.success(), "the audit says: {}", said(&audit));
    let sql = "SELECT count(*) FROM epochs";
    let database = Connection::open(folder.join(Whose::Center.database()))?;
    let epochs: i64 = database.query_row(sql, [], |row| row.get(0))?;
    ensure!(epochs == 1, "the center believes that an older copy of its books was put back");
    Ok(())
}

/// Whether each row of a shop's database can be read, and each that names another finds it.
fn is_whole(database: &Path) -> Result<()> {
    let database = Connection::open(database)?;
    let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(said == "ok", "the shop's database is damaged: {said}");
    ensure!(!database.prepare("PRAGMA foreign_key_check")?.exists([])?, "a row names one that is not there");
    Ok(())
}

/// Copies a folder's files, without what only running programs need.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("creating {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !name.ends_with("-shm") && name != "log" {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Events { writes, copied, syncs, promises } = self.events;
        write!(
            f,
            "{} power cuts in a recording of {writes} writes ({copied} of them by checkpoints), {syncs} syncs and \
             {promises} replies that promise {} things; {} of the cuts lost something.",
            self.cuts,
            self.heard,
            self.lost.len()
        )?;
        self.lost.iter().take(5).try_for_each(|lost| write!(f, "\n  {lost}"))
    }
}
