//! What a program wrote to its disk and when it synced it, as `strace` saw it; and the disk as a power cut leaves it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The calls that are watched.
pub const CALLS: &str = "trace=pwrite64,write,lseek,ftruncate,fsync,fdatasync";

/// One call on a file, in the order in which they were made. Times are microseconds since 1970.
#[derive(Debug)]
struct Call {
    /// When it began, and when the program heard that it was done.
    begun: u64,
    done: u64,
    file: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Sync,
}

/// All that was written below a folder.
#[derive(Debug)]
pub struct Recording(Vec<Call>);

/// How much of what was not synced has reached the disk.
#[derive(Debug, Default, Clone, Copy)]
pub struct Loss {
    pub sectors: usize,
    pub lost: usize,
}

impl Recording {
    /// Reads the trace at `path`, and keeps what concerns files in `folder`.
    ///
    /// # Errors
    /// If a line is none that `strace -f -y -ttt -xx` writes.
    pub fn read(path: &Path, folder: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).context("reading the trace")?;
        let mut calls: Vec<Call> = Vec::new();
        let mut unfinished: BTreeMap<&str, usize> = BTreeMap::new();
        let mut positions: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ').filter(|word| !word.is_empty());
            let (Some(thread), Some(at), Some(call)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let at: u64 = at.replacen('.', "", 1).parse().with_context(|| format!("a time: {at:?}"))?;
            if call.starts_with("<... ") {
                if let Some(call) = unfinished.remove(thread).and_then(|place| calls.get_mut(place)) {
                    call.done = at;
                }
                continue;
            }
            let Some((name, arguments)) = call.split_once('(') else { continue };
            let Some((descriptor, rest)) = arguments.split_once('<') else { continue };
            let Some((file, rest)) = rest.split_once('>') else { continue };
            let file = PathBuf::from(String::from_utf8_lossy(&unescaped(file)?).into_owned());
            if !file.starts_with(folder) {
                continue;
            }
            let rest = rest.trim_start_matches(", ");
            let position = positions.entry(descriptor.to_owned()).or_default();
            let what = match name {
                "fsync" | "fdatasync" => What::Sync,
                "ftruncate" => What::Truncate(number(rest)?),
                "lseek" => {
                    // Where it went to is its result.
                    *position = rest.rsplit_once("= ").map_or(Ok(0), |(_, result)| number(result))?;
                    continue;
                }
                "pwrite64" | "write" => {
                    let (data, rest) = quoted(rest)?;
                    let offset = if name == "write" {
                        let offset = *position;
                        *position += data.len();
                        offset
                    } else {
                        number(rest.split(", ").nth(2).context("an offset")?)?
                    };
                    What::Write(offset, data)
                }
                _ => continue,
            };
            if call.ends_with("<unfinished ...>") {
                unfinished.insert(thread, calls.len());
                calls.push(Call { begun: at, done: u64::MAX, file, what });
            } else {
                calls.push(Call { begun: at, done: at, file, what });
            }
        }
        if calls.is_empty() {
            bail!("the trace has no call on a file in {}", folder.display());
        }
        Ok(Recording(calls))
    }

    /// When the first and the last call began.
    pub fn span(&self) -> (u64, u64) {
        (self.0.first().map_or(0, |call| call.begun), self.0.last().map_or(0, |call| call.begun))
    }

    /// Brings the files in `folder` from how they were before the recording to how a power cut at `at` leaves them: what
    /// was synced is there; of the rest each sector is lost with the probability of `loss` in 256, whatever the order.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn cut(&self, folder: &Path, at: u64, loss: u8, chance: &mut fastrand::Rng) -> Result<Loss> {
        let mut files: BTreeMap<&Path, Vec<&Call>> = BTreeMap::new();
        for call in self.0.iter().filter(|call| call.begun < at) {
            files.entry(&call.file).or_default().push(call);
        }
        let mut all = Loss::default();
        for (file, calls) in files {
            let name = folder.join(file.file_name().context("a file's name")?);
            let mut content = fs::read(&name).unwrap_or_default();
            // The last sync that was done by then holds for all that was written before it began.
            let synced = calls
                .iter()
                .filter(|call| matches!(call.what, What::Sync) && call.done < at)
                .map(|call| call.begun)
                .max()
                .unwrap_or(0);
            for call in calls {
                let safe = call.done <= synced;
                match &call.what {
                    What::Sync => {}
                    What::Truncate(length) => {
                        if safe || chance.u8(..) >= loss {
                            content.resize(*length, 0);
                        }
                    }
                    What::Write(offset, data) => {
                        for (number, sector) in data.chunks(SECTOR).enumerate() {
                            if !safe {
                                all.sectors += 1;
                            }
                            if !safe && chance.u8(..) < loss {
                                all.lost += 1;
                                continue;
                            }
                            let from = offset + number * SECTOR;
                            if content.len() < from + sector.len() {
                                content.resize(from + sector.len(), 0);
                            }
                            content[from..from + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
            }
            fs::write(&name, content).with_context(|| format!("writing {}", name.display()))?;
        }
        Ok(all)
    }
}

/// The bytes of `"\x01\x02"`, and what stands behind them.
fn quoted(text: &str) -> Result<(Vec<u8>, &str)> {
    let rest = text.strip_prefix('"').context("a quotation mark")?;
    let (inner, rest) = rest.split_once('"').context("a closing quotation mark")?;
    if rest.starts_with("...") {
        bail!("the trace is cut short");
    }
    Ok((unescaped(inner)?, rest))
}

/// The bytes of `\x01\x02`.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).with_context(|| format!("a byte: {hex:?}"));
    text.split("\\x").skip(1).map(byte).collect()
}

/// The number that `text` begins with.
fn number(text: &str) -> Result<usize> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("a number: {text:?}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    const TRACE: &str = "\
1 10.000000 pwrite64(7<\\x2f\\x64\\x2f\\x61>, \"\\x01\\x01\", 2, 0) = 2
1 11.000000 fsync(7<\\x2f\\x64\\x2f\\x61> <unfinished ...>
2 11.500000 pwrite64(7<\\x2f\\x64\\x2f\\x61>, \"\\x02\\x02\", 2, 2) = 2
1 12.000000 <... fsync resumed>) = 0
2 13.000000 lseek(8<\\x2f\\x64\\x2f\\x62>, 1, SEEK_SET) = 1
2 13.500000 write(8<\\x2f\\x64\\x2f\\x62>, \"\\x03\", 1) = 1
2 14.000000 write(9<\\x2f\\x65>, \"\\x09\", 1) = 1
2 15.000000 fsync(8<\\x2f\\x64\\x2f\\x62>) = 0
";

    fn after(at: u64, loss: u8) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        fs::write(&trace, TRACE).unwrap();
        let recording = Recording::read(&trace, Path::new("/d")).unwrap();
        recording.cut(folder.path(), at, loss, &mut fastrand::Rng::with_seed(1)).unwrap();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap_or_default();
        (read("a"), read("b"))
    }

    #[test]
    fn what_was_synced_before_a_cut_is_there_and_nothing_else_that_is_lost() {
        assert!(after(11_900_000, 255).0.is_empty());
        assert_eq!(after(12_100_000, 255).0, [1, 1]);
        assert_eq!(after(14_500_000, 255), (vec![1, 1], vec![]));
        assert_eq!(after(15_500_000, 255), (vec![1, 1], vec![0, 3]));
    }

    #[test]
    fn without_loss_all_that_was_written_by_then_is_there() {
        assert_eq!(after(11_900_000, 0).0, [1, 1, 2, 2]);
        assert_eq!(after(15_500_000, 0), (vec![1, 1, 2, 2], vec![0, 3]));
    }
}
