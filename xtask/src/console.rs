//! What the commands say: one line for each step, which moves on a terminal and stays still in a log.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a step on a terminal redraws its line.
pub const BEAT: Duration = Duration::from_millis(125);

/// How often a step in a log says that it is still at work.
const LOG_BEAT: Duration = Duration::from_secs(60);

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const WIDTH: usize = 100;

/// Prints a line. A closed standard output is no reason to stop the work.
pub fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints an error.
pub fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// A piece of work with one line of its own: started, at work, ended.
pub struct Step {
    title: String,
    started: Instant,
    terminal: bool,
    /// Whether another step has the line that moves.
    aside: bool,
    last_beat: Instant,
    frame: usize,
}

impl Step {
    /// Announces the work.
    pub fn start(title: impl Into<String>) -> Self {
        Self::announced(title.into(), false)
    }

    /// Announces work that goes on beside other work: on a terminal, where that has the line, only its end is told.
    pub fn aside(title: impl Into<String>) -> Self {
        Self::announced(title.into(), true)
    }

    fn announced(title: String, aside: bool) -> Self {
        let now = Instant::now();
        let step = Self {
            title,
            started: now,
            terminal: io::stdout().is_terminal(),
            aside,
            last_beat: now,
            frame: 0,
        };
        if !step.terminal {
            say(&format!("  …  {}", step.title));
        }
        step
    }

    /// Shows that the work goes on, and what it is at.
    pub fn beat(&mut self, detail: &str) {
        let pause = if self.terminal { BEAT } else { LOG_BEAT };
        if self.last_beat.elapsed() < pause || (self.aside && self.terminal) {
            return;
        }
        self.last_beat = Instant::now();
        self.frame = (self.frame + 1) % FRAMES.len();
        let line = format!("{}  {}  {}", self.title, elapsed(self.started.elapsed()), detail.trim());
        let line: String = line.chars().take(WIDTH).collect();
        if self.terminal {
            let _ = write!(io::stdout(), "\r\x1b[2K  {}  {line}", FRAMES[self.frame]);
            let _ = io::stdout().flush();
        } else {
            say(&format!("  …  {line}"));
        }
    }

    /// Ends the step well.
    pub fn done(self, detail: &str) {
        self.end('✓', detail);
    }

    /// Ends the step badly.
    pub fn failed(self, detail: &str) {
        self.end('✗', detail);
    }

    /// Ends the step without having done it, and says why.
    pub fn skipped(self, reason: &str) {
        self.end('–', reason);
    }

    fn end(self, sign: char, detail: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        let separator = if detail.is_empty() { "" } else { ": " };
        say(&format!(
            "{clear}  {sign}  {}{separator}{detail}  ({})",
            self.title,
            elapsed(self.started.elapsed())
        ));
    }
}

/// A duration for people: `0.4 s`, `12 s`, `3 min 05 s`.
pub fn elapsed(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    match seconds {
        0..10 => format!("{seconds}.{} s", millis / 100),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// A number of bytes for people, in units of 1,000: `912 B`, `110.3 KB`, `12.0 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{}.{} KB", count / 1_000, count % 1_000 / 100),
        _ => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(elapsed(Duration::from_millis(449)), "0.4 s");
        assert_eq!(elapsed(Duration::from_secs(59)), "59 s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(bytes(912), "912 B");
        assert_eq!(bytes(110_345), "110.3 KB");
        assert_eq!(bytes(12_050_000), "12.0 MB");
    }
}
