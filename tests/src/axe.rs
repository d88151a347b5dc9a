//! Accessibility by axe-core: WCAG 2.2 A and AA.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::process::program_named_by;

/// The rules that hold here.
const TAGS: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// A rule that the page breaks.
#[derive(Debug, Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<Node>,
}

/// Where it breaks it.
#[derive(Debug, Deserialize)]
struct Node {
    html: String,
    #[serde(rename = "failureSummary")]
    summary: Option<String>,
}

impl Browser {
    /// Asserts that the page breaks no rule, as it stands.
    ///
    /// # Errors
    /// With each broken rule and the elements that break it.
    pub async fn is_accessible(&self) -> Result<()> {
        let present: bool = self.script("return 'axe' in window", Vec::new()).await?;
        if !present {
            let path = program_named_by("TUPPENCE_AXE")?;
            let axe = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let _: Value = self.script(&format!("{axe}\nreturn null"), Vec::new()).await?;
        }
        let options = json!({ "runOnly": { "type": "tag", "values": TAGS }, "resultTypes": ["violations"] });
        let script = "const [options, done] = arguments; \
                      axe.run(document, options).then((result) => done(result.violations), (error) => done(String(error)))";
        let found = self.driver()?.execute_async(script, vec![options]).await.context("running axe")?;
        if let Some(error) = found.json().as_str() {
            bail!("axe failed: {error}");
        }
        let violations: Vec<Violation> = found.convert()?;
        if violations.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = violations.iter().map(in_words).collect();
        bail!("{} is not accessible to everybody:\n{}", self.address().await?, lines.join("\n"))
    }
}

fn in_words(violation: &Violation) -> String {
    let places: Vec<String> = violation
        .nodes
        .iter()
        .take(4)
        .map(|node| {
            format!(
                "    {}\n      {}",
                node.html,
                node.summary.as_deref().unwrap_or_default().replace('\n', " ")
            )
        })
        .collect();
    format!("  {}: {}\n{}", violation.id, violation.help, places.join("\n"))
}
