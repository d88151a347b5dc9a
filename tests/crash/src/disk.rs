//! Files as a power cut may leave them.
//!
//! What a program writes is in the system's memory first. Until it is synced the system writes it to the disk when it
//! likes: a sector here, an older state of another one there, a file's length before or after its content, a new file's
//! name or not. What was synced is on the disk.

use std::collections::BTreeMap;

use fastrand::Rng;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A folder's files, and what was done to them since they were synced.
#[derive(Debug, Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
    /// How many changes there were.
    now: usize,
}

#[derive(Debug, Default)]
struct File {
    /// When its name came into the folder; absent once the folder was synced.
    named: Option<usize>,
    synced: Vec<u8>,
    since: Vec<(usize, Change)>,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// How a cut treats what was not synced: the chances in 256 that a sector is as it was synced, and as it is now.
/// Others are as they were some time between.
#[derive(Debug, Clone, Copy)]
struct Weather {
    old: u8,
    new: u8,
}

impl Disk {
    /// Files that are on the disk.
    pub fn with(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let file = |synced| File { synced, ..File::default() };
        Disk { files: files.into_iter().map(|(name, synced)| (name, file(synced))).collect(), now: 0 }
    }

    /// Counts changes: what was done until now is before it.
    pub fn now(&self) -> usize {
        self.now
    }

    pub fn create(&mut self, name: &str) {
        let named = self.tick();
        if !self.files.contains_key(name) {
            self.files.insert(name.to_owned(), File { named: Some(named), ..File::default() });
        }
    }

    pub fn write(&mut self, name: &str, offset: usize, bytes: Vec<u8>) {
        self.change(name, Change::Write(offset, bytes));
    }

    pub fn set_length(&mut self, name: &str, length: usize) {
        self.change(name, Change::Length(length));
    }

    /// What was done to a file before `then` is on the disk.
    pub fn sync(&mut self, name: &str, then: usize) {
        let Some(file) = self.files.get_mut(name) else { return };
        let later = file.since.iter().position(|(at, _)| *at >= then).unwrap_or(file.since.len());
        for (_, change) in file.since.drain(..later) {
            change.apply(&mut file.synced);
        }
    }

    /// The names that files had before `then` are on the disk.
    pub fn sync_names(&mut self, then: usize) {
        for file in self.files.values_mut().filter(|file| file.named.is_some_and(|at| at < then)) {
            file.named = None;
        }
    }

    /// The files after a power cut now: one of the many states in which they may be.
    pub fn after_a_cut(&self, chance: &mut Rng) -> BTreeMap<String, Vec<u8>> {
        let weather = Weather { old: chance.u8(..), new: chance.u8(..) };
        let mut files = BTreeMap::new();
        for (name, file) in &self.files {
            if file.named.is_none() || weather.pick(2, chance) == 1 {
                files.insert(name.clone(), file.after_a_cut(weather, chance));
            }
        }
        files
    }

    fn change(&mut self, name: &str, change: Change) {
        let now = self.tick();
        self.files.entry(name.to_owned()).or_default().since.push((now, change));
    }

    fn tick(&mut self) -> usize {
        self.now += 1;
        self.now - 1
    }
}

impl File {
    fn after_a_cut(&self, weather: Weather, chance: &mut Rng) -> Vec<u8> {
        let mut content = self.synced.clone();
        let mut lengths = vec![content.len()];
        // The states in which each sector has been, from the synced one on.
        let mut states: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        for (_, change) in &self.since {
            let touched = change.sectors(content.len());
            for number in touched.clone() {
                states.entry(number).or_insert_with(|| vec![sector(&content, number)]);
            }
            change.apply(&mut content);
            for number in touched {
                states.entry(number).or_default().push(sector(&content, number));
            }
            lengths.push(content.len());
        }
        let mut left = self.synced.clone();
        left.resize(lengths.iter().copied().max().unwrap_or(0).next_multiple_of(SECTOR), 0);
        for (number, states) in &states {
            let state = &states[weather.pick(states.len(), chance)];
            left[number * SECTOR..(number + 1) * SECTOR].copy_from_slice(state);
        }
        left.truncate(lengths[weather.pick(lengths.len(), chance)]);
        left
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write(offset, bytes) => {
                let end = offset + bytes.len();
                content.resize(content.len().max(end), 0);
                content[*offset..end].copy_from_slice(bytes);
            }
            Change::Length(length) => content.resize(*length, 0),
        }
    }

    /// The sectors that it changes in a file of this length.
    fn sectors(&self, length: usize) -> std::ops::Range<usize> {
        match self {
            Change::Write(offset, bytes) => offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR),
            Change::Length(to) => to / SECTOR..length.div_ceil(SECTOR).max(to / SECTOR),
        }
    }
}

impl Weather {
    /// One of so many states, in their order.
    fn pick(self, states: usize, chance: &mut Rng) -> usize {
        if chance.u8(..) < self.old {
            0
        } else if chance.u8(..) < self.new {
            states - 1
        } else {
            chance.usize(0..states)
        }
    }
}

/// A sector of a file, with zeros behind the file's end.
fn sector(content: &[u8], number: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = content.iter().skip(number * SECTOR).take(SECTOR).copied().collect();
    bytes.resize(SECTOR, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What cuts have left of the file `a`.
    fn left(disk: &Disk) -> BTreeSet<Option<Vec<u8>>> {
        let mut chance = Rng::with_seed(1);
        (0..2_000).map(|_| disk.after_a_cut(&mut chance).remove("a")).collect()
    }

    fn sectors(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|byte| [*byte; SECTOR]).collect()
    }

    #[test]
    fn what_was_synced_survives_every_cut() {
        let mut disk = Disk::default();
        disk.create("a");
        disk.write("a", 0, sectors(&[1, 2]));
        disk.write("a", 3, vec![9]);
        disk.sync("a", disk.now());
        disk.sync_names(disk.now());
        let mut expected = sectors(&[1, 2]);
        expected[3] = 9;
        assert_eq!(left(&disk), BTreeSet::from([Some(expected)]));
    }

    #[test]
    fn writes_that_were_not_synced_are_lost_kept_torn_and_reordered() {
        let mut disk = Disk::with([("a".to_owned(), sectors(&[0, 0]))]);
        disk.write("a", 0, sectors(&[1, 1]));
        disk.write("a", SECTOR, sectors(&[2]));
        let every = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]];
        assert_eq!(left(&disk), every.iter().map(|bytes| Some(sectors(bytes))).collect());
    }

    #[test]
    fn what_is_written_while_a_sync_runs_is_not_synced_by_it() {
        let mut disk = Disk::with([("a".to_owned(), sectors(&[0]))]);
        disk.write("a", 0, sectors(&[1]));
        let then = disk.now();
        disk.write("a", 0, sectors(&[2]));
        disk.sync("a", then);
        assert_eq!(left(&disk), BTreeSet::from([Some(sectors(&[1])), Some(sectors(&[2]))]));
    }

    #[test]
    fn a_file_whose_folder_was_not_synced_may_be_gone_and_one_that_grew_may_be_short() {
        let mut disk = Disk::default();
        disk.create("a");
        disk.write("a", 0, sectors(&[1]));
        disk.sync("a", disk.now());
        assert_eq!(left(&disk), BTreeSet::from([None, Some(sectors(&[1]))]));
        disk.sync_names(disk.now());
        disk.set_length("a", 1);
        assert_eq!(
            left(&disk),
            BTreeSet::from([
                Some(vec![1]),
                Some(sectors(&[1])),
                Some([vec![1], vec![0; SECTOR - 1]].concat())
            ])
        );
    }
}
