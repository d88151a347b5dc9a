//! The list of mistakes that nobody can notice: each has its reason above it.

use anyhow::{Result, bail};

/// That every line of the list `exclude_re` that excludes something follows a comment.
pub fn explained(config: &str) -> Result<()> {
    let table: toml::Table = config.parse()?;
    let count = table.get("exclude_re").and_then(toml::Value::as_array).map_or(0, Vec::len);
    let mut lines = config.lines().map(str::trim).skip_while(|line| !line.starts_with("exclude_re"));
    lines.next();
    let (mut before, mut seen) = ("", 0);
    for line in lines.take_while(|line| !line.starts_with(']')) {
        if !line.starts_with('#') && !line.is_empty() {
            if !before.starts_with('#') {
                bail!(
                    "In .cargo/mutants.toml {line} has no comment above it that says why no test can notice it."
                );
            }
            seen += 1;
        }
        before = line;
    }
    if seen != count {
        bail!(
            "In .cargo/mutants.toml {count} mistakes are excluded on {seen} lines; each needs a line and a reason of its own."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_without_its_reason_is_refused() {
        let of = |lines: &[&str]| explained(&format!("exclude_re = [\n{}\n]\n", lines.join("\n")));
        assert!(of(&[]).is_ok() && explained("").is_ok());
        assert!(of(&["# Only read by people.", "'a',", "# Another.", "'b',"]).is_ok());
        for unexplained in
            [&["'a',"][..], &["# Why.", "'a',", "'b',"], &["# Why.", "'a', 'b',"], &["# Why.", "", "'a',"]]
        {
            assert!(of(unexplained).is_err(), "{unexplained:?}");
        }
        assert!(explained("exclude_re = ['a']").is_err());
    }
}
