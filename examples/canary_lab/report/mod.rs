//! The report of a run: JSON with everything, Markdown for a ticket, one HTML file for people.

mod html;
mod plot;
#[cfg(test)]
mod sample;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::record::RunRecord;

/// All that a run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Title.
    pub(crate) title: String,
    /// Start in seconds of Unix time.
    pub(crate) began: f64,
    /// Length in seconds.
    pub(crate) seconds: f64,
    /// Processor time of all processes over the run's length; 1 is one core.
    pub(crate) cpu_share: Option<f64>,
    /// Whether every scene ended as it must.
    pub(crate) passed: bool,
    /// The scenes.
    pub(crate) scenes: Vec<RunRecord>,
}

impl Report {
    /// Puts a run together; `cpu` is the processor time of all its processes in seconds.
    pub(crate) fn new(
        title: &str,
        scenes: Vec<RunRecord>,
        began: f64,
        seconds: f64,
        cpu: Option<f64>,
    ) -> Self {
        Self {
            title: title.into(),
            began,
            seconds,
            cpu_share: cpu.filter(|_| seconds > 0.0).map(|cpu| cpu / seconds),
            passed: !scenes.is_empty() && scenes.iter().all(RunRecord::passed),
            scenes,
        }
    }
}

/// Flags of `canary_lab report`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The JSON report of an earlier run.
    from: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = "lab-report")]
    out: PathBuf,
}

/// Draws the report of an earlier run again.
pub(crate) fn again(flags: &Flags) -> anyhow::Result<()> {
    let shown = flags.from.display();
    let text =
        std::fs::read_to_string(&flags.from).with_context(|| format!("cannot read {shown}"))?;
    let report: Report =
        serde_json::from_str(&text).with_context(|| format!("{shown} is no report"))?;
    std::fs::create_dir_all(&flags.out)
        .with_context(|| format!("cannot make {}", flags.out.display()))?;
    for file in write(&report, &flags.out)? {
        println!("report: {}", file.display());
    }
    Ok(())
}

/// Writes `report.html`, `report.md` and `report.json` and gives their places.
pub(crate) fn write(report: &Report, out: &Path) -> anyhow::Result<[PathBuf; 3]> {
    let files = ["report.html", "report.md", "report.json"].map(|name| out.join(name));
    let (page, text) = html::render(report)?;
    let json = serde_json::to_string_pretty(report)?;
    for (file, content) in files.iter().zip([page, text, json]) {
        std::fs::write(file, content)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(files)
}
