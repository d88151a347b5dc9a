//! What a program does to its files and says to its clients, in one order, as `strace` records it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// So many bytes hold the ends of all threads.
const LAST_BYTES: u64 = 16 * 1024;
/// What is recorded. A call that changes files in a way that [`Event`] has no word for is an error when it is read.
const CALLS: &str = "trace=openat,lseek,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,ftruncate,fallocate,\
    fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";

/// Something that a program did.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Create(PathBuf),
    Write(PathBuf, usize, Vec<u8>),
    SetLength(PathBuf, usize),
    /// A sync has begun; it has a number.
    Sync(usize),
    /// And it is done.
    Synced(PathBuf, usize),
    /// It has begun to send this to somebody.
    Send(Vec<u8>),
}

/// Checks that there is an `strace`.
///
/// # Errors
/// If there is none.
pub fn check() -> Result<()> {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    ensure!(
        found,
        "strace is missing: it records what the center writes before a power cut. Install it \
         (`apt-get install strace`), or leave power cuts out with --cuts 0."
    );
    Ok(())
}

/// The same command, recorded in a file. Its process is the command's own, and can be killed as such.
pub fn recorded(command: &Command, file: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216", "-e", CALLS, "-o"]).arg(file);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace
}

/// Whether the recording of a process that was killed is whole. Its threads' ends are among the last lines, in any order.
///
/// # Errors
/// If it cannot be read.
pub fn is_whole(file: &Path, process: u32) -> Result<bool> {
    let end = format!("{process} +++ killed by SIGKILL +++\n");
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    Ok(String::from_utf8_lossy(&last).contains(&end))
}

/// Reads a recording. Of files only those are looked at that are `of_interest`.
///
/// # Errors
/// If it has what is not understood.
pub fn read(file: &Path, of_interest: &dyn Fn(&Path) -> bool) -> Result<Vec<Event>> {
    let mut reader =
        Reader { of_interest, open: BTreeMap::new(), offsets: BTreeMap::new(), syncs: 0, events: Vec::new() };
    for line in BufReader::new(File::open(file)?).lines() {
        let line = line?;
        reader.line(&line).with_context(|| line.chars().take(300).collect::<String>())?;
    }
    Ok(reader.events)
}

struct Reader<'a> {
    of_interest: &'a dyn Fn(&Path) -> bool,
    /// What each thread has begun.
    open: BTreeMap<String, Begun>,
    /// Where the next write to a descriptor goes.
    offsets: BTreeMap<String, usize>,
    syncs: usize,
    events: Vec<Event>,
}

struct Begun {
    name: String,
    arguments: String,
    sync: usize,
}

impl Reader<'_> {
    /// `<thread> <name>(<arguments>) = <result>`, or its two halves.
    fn line(&mut self, line: &str) -> Result<()> {
        let (thread, rest) = line.split_once(' ').context("no thread")?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            return Ok(());
        }
        if rest.starts_with("<... ") {
            let Some(begun) = self.open.remove(thread) else { bail!("nothing was begun") };
            let (_, result) = rest.rsplit_once(" = ").unwrap_or((rest, "?"));
            return self.end(&begun, result);
        }
        let (name, rest) = rest.split_once('(').context("no call")?;
        let (arguments, result) = match rest.split_once(" = ") {
            Some((arguments, result)) => (arguments.trim_end().trim_end_matches(')'), Some(result)),
            None => (rest.trim_end_matches(" <unfinished ...>").trim_end_matches(','), None),
        };
        let begun = self.begin(name, arguments)?;
        match result {
            Some(result) => self.end(&begun, result),
            None => {
                self.open.insert(thread.to_owned(), begun);
                Ok(())
            }
        }
    }

    /// What is written may be on the disk, and what is sent may have come, from here on.
    fn begin(&mut self, name: &str, arguments: &str) -> Result<Begun> {
        let file = descriptor(arguments).and_then(|(_, path)| self.file(&path));
        match (name, file) {
            ("write" | "writev" | "sendto" | "sendmsg", None) => {
                let bytes = strings(arguments)?.concat();
                let is_connection = descriptor(arguments)
                    .is_some_and(|(_, path)| path.starts_with("socket:") || path.starts_with("TCP"));
                if is_connection {
                    self.events.push(Event::Send(bytes));
                }
            }
            ("write", Some(file)) => {
                let bytes = strings(arguments)?.concat();
                let (number, _) = descriptor(arguments).context("no descriptor")?;
                let offset = self.offsets.entry(number).or_default();
                let at = *offset;
                *offset += bytes.len();
                self.events.push(Event::Write(file, at, bytes));
            }
            ("pwrite64", Some(file)) => {
                let bytes = strings(arguments)?.concat();
                self.events.push(Event::Write(file, last_number(arguments)?, bytes));
            }
            ("ftruncate", Some(file)) => self.events.push(Event::SetLength(file, last_number(arguments)?)),
            ("fsync" | "fdatasync", Some(_)) => {
                self.events.push(Event::Sync(self.syncs));
                self.syncs += 1;
            }
            ("rename" | "renameat" | "renameat2" | "unlink" | "unlinkat", _) => {
                for path in strings(arguments)? {
                    let path = PathBuf::from(String::from_utf8(path)?);
                    ensure!(!(self.of_interest)(&path), "{} is renamed or removed", path.display());
                }
            }
            ("openat" | "lseek", _) | (_, None) => {}
            _ => bail!("a call that is not understood"),
        }
        Ok(Begun {
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            sync: self.syncs.saturating_sub(1),
        })
    }

    fn end(&mut self, begun: &Begun, result: &str) -> Result<()> {
        let file = descriptor(&begun.arguments).and_then(|(_, path)| self.file(&path));
        match (begun.name.as_str(), file) {
            ("openat", _) => {
                let Some((number, path)) = descriptor(result) else { return Ok(()) };
                self.offsets.insert(number, 0);
                if let Some(file) = self.file(&path)
                    && begun.arguments.contains("O_CREAT")
                {
                    ensure!(!begun.arguments.contains("O_APPEND"), "a file is opened to be appended to");
                    ensure!(!begun.arguments.contains("O_TRUNC"), "a file is emptied when it is opened");
                    self.events.push(Event::Create(file));
                }
            }
            ("lseek", Some(_)) => {
                let (number, _) = descriptor(&begun.arguments).context("no descriptor")?;
                self.offsets.insert(number, last_number(result)?);
            }
            // The process died meanwhile.
            (_, Some(_)) if result.starts_with('?') => {}
            ("fsync" | "fdatasync", Some(file)) => {
                ensure!(result.trim() == "0", "a sync failed");
                self.events.push(Event::Synced(file, begun.sync));
            }
            ("write" | "pwrite64", Some(_)) => {
                let length = strings(&begun.arguments)?.concat().len();
                ensure!(last_number(result)? == length, "a write was not done wholly");
            }
            _ => {}
        }
        Ok(())
    }

    fn file(&self, path: &str) -> Option<PathBuf> {
        let path = PathBuf::from(path);
        (self.of_interest)(&path).then_some(path)
    }
}

/// `7<path>` at the beginning: number and path.
fn descriptor(text: &str) -> Option<(String, String)> {
    let (number, rest) = text.trim_start().split_once('<')?;
    let path = hexadecimal(rest.split_once('>')?.0).ok()?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    Some((number.to_owned(), String::from_utf8(path).ok()?))
}

/// The strings between quotation marks, in their order.
fn strings(text: &str) -> Result<Vec<Vec<u8>>> {
    ensure!(!text.contains("\"..."), "a string is cut off");
    text.split('"').skip(1).step_by(2).map(hexadecimal).collect()
}

/// `\x61\x62`.
fn hexadecimal(text: &str) -> Result<Vec<u8>> {
    let digits = text.split("\\x").skip(1);
    digits
        .map(|digits| u8::from_str_radix(digits, 16).with_context(|| format!("no byte: {digits}")))
        .collect()
}

fn last_number(text: &str) -> Result<usize> {
    let last = text.rsplit(", ").next().unwrap_or_default().trim();
    last.parse().with_context(|| format!("no number: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    fn events(lines: &[String]) -> Result<Vec<Event>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trace");
        std::fs::write(&file, lines.concat()).unwrap();
        read(&file, &|path| path.starts_with("/data"))
    }

    #[test]
    fn writes_syncs_and_replies_are_read_in_their_order() {
        let (file, socket) = (hex("/data/a"), hex("socket:[7]"));
        let lines = [
            format!(
                "1 openat(AT_FDCWD<{0}>, \"{file}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5<{file}>\n",
                hex("/")
            ),
            format!("1 pwrite64(5<{file}>, \"{}\", 2, 40) = 2\n", hex("xy")),
            format!("1 fsync(5<{file}> <unfinished ...>\n"),
            format!("2 write(6<{}>, \"{}\", 1) = 1\n", hex("/log"), hex("l")),
            format!("2 sendto(9<{socket}>, \"{}\", 2, MSG_NOSIGNAL, NULL, 0) = 2\n", hex("ok")),
            "1 <... fsync resumed>)             = 0\n".to_owned(),
            format!("1 lseek(5<{file}>, 3, SEEK_SET)    = 3\n"),
            format!("1 write(5<{file}>, \"{}\", 1 <unfinished ...>\n", hex("z")),
            format!(
                "2 writev(9<{socket}>, [{{iov_base=\"{}\", iov_len=1}}, {{iov_base=\"{}\", iov_len=1}}], 2) = 2\n",
                hex("a"),
                hex("b")
            ),
            "1 <... write resumed>)             = 1\n".to_owned(),
            "1 +++ killed by SIGKILL +++\n".to_owned(),
        ];
        let a = || PathBuf::from("/data/a");
        let expected = [
            Event::Create(a()),
            Event::Write(a(), 40, b"xy".to_vec()),
            Event::Sync(0),
            Event::Send(b"ok".to_vec()),
            Event::Synced(a(), 0),
            Event::Write(a(), 3, b"z".to_vec()),
            Event::Send(b"ab".to_vec()),
        ];
        assert_eq!(events(&lines).unwrap(), expected);
    }

    #[test]
    fn what_changes_files_in_a_way_that_is_not_understood_is_an_error() {
        let file = hex("/data/a");
        assert!(events(&[format!("1 fallocate(5<{file}>, 0, 0, 4096) = 0\n")]).is_err());
        assert!(events(&[format!("1 unlink(\"{file}\") = 0\n")]).is_err());
        assert!(events(&[format!("1 pwrite64(5<{file}>, \"{}\", 2, 0) = 1\n", hex("xy"))]).is_err());
    }
}
